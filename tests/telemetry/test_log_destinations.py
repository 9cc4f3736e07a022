"""Where lines go: what can go wrong there, and when a new file begins."""

import io
import json
import logging
import os
from pathlib import Path

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import LogHandler, configure_logging, get_logger


class Broken(io.StringIO):
    broken = True

    def write(self, text):
        if self.broken:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_stream_that_fails_loses_lines_but_no_call_and_says_so_later():
    stream = Broken()
    log = configure_logging(stream, format="json")
    get_logger("x").info("lost")
    get_logger("x").info("lost too")
    stream.broken = False
    get_logger("x").info("back")
    get_logger("x").info("on")
    log.restore()
    told, *rest = map(json.loads, stream.getvalue().splitlines())
    assert (told["level"], told["lost"]) == ("error", 2)
    assert [record["message"] for record in rest] == ["back", "on"]
    assert log.lost == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_loses_no_call():
    log = configure_logging("/dev/full")
    handler = LogHandler("/dev/full")
    get_logger("x").info("m")
    handler.handle(logging.makeLogRecord({"msg": "m"}))
    log.restore()
    handler.close()
    assert (log.lost, handler.lost) == (1, 1)


def test_a_closed_log_loses_no_call_and_can_be_reopened(tmp_path, read):
    log = configure_logging(tmp_path / "a.log")
    log.close()
    get_logger("x").info("lost")
    log.reopen()
    get_logger("x").info("m")
    log.restore()
    messages = [record["message"] for record in read((tmp_path / "a.log").read_text())]
    assert messages == ["earlier lines could not be written", "m"]


def test_a_closed_descriptor_and_a_closed_stream_lose_no_call():
    reading, writing = os.pipe()
    os.close(reading)
    log = configure_logging(writing)
    get_logger("x").info("m")
    assert log.lost == 1
    log.restore()
    os.close(writing)
    stream = io.StringIO()
    stream.close()
    log = configure_logging(stream, format="json")
    get_logger("x").info("m")
    log.restore()
    assert log.lost == 1


def test_a_descriptor_is_ours_alone_and_gets_whole_lines():
    reading, writing = os.pipe()
    log = configure_logging(writing, format="json")
    os.close(writing)
    get_logger("x").info("m", n=1)
    log.restore()
    assert json.loads(os.read(reading, 4096))["n"] == 1
    os.close(reading)


def test_what_cannot_be_opened_is_told_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        configure_logging(tmp_path / "missing" / "a.log")


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"format": "xml"}, "format must be 'json', 'console' or None, got 'xml'"),
        ({"level": "loud"}, "level must be one of"),
        ({"max_bytes": 0}, "max_bytes must be an integer >= 1"),
        ({"rotate_seconds": -1}, "rotate_seconds must be a finite number > 0"),
        ({"backup_count": -1}, "backup_count must be an integer >= 0 and <= 9999"),
        ({"redact": [3]}, "redact must be a sequence of str"),
        ({"levels": {"a": 300}}, "level must be one of"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(settings, rule):
    with pytest.raises(InvalidParameterError, match=rule):
        configure_logging(None, **settings)


def test_files_stay_below_their_limit_and_no_line_is_lost_while_backups_last(tmp_path, read):
    path = tmp_path / "a.log"
    log = configure_logging(path, max_bytes=1000, backup_count=100)
    for i in range(200):
        get_logger("x").info("m", i=i)
    log.restore()
    files = sorted(tmp_path.iterdir(), key=lambda f: -int(f.suffix.strip(".log") or 0))
    assert all(file.stat().st_size <= 1000 for file in files)
    assert len(files) > 10
    seen = [record["i"] for file in files for record in read(file.read_text())]
    assert seen == list(range(200))


@pytest.mark.parametrize("backups", [0, 2])
def test_only_so_many_files_are_kept(tmp_path, backups):
    log = configure_logging(tmp_path / "a.log", max_bytes=200, backup_count=backups)
    for _ in range(20):
        get_logger("x").info("m")
    log.restore()
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"a.log", *(f"a.log.{i + 1}" for i in range(backups))}


def test_a_file_moved_by_another_program_is_followed_after_reopen(tmp_path):
    log = configure_logging(tmp_path / "a.log")
    get_logger("x").info("old")
    (tmp_path / "a.log").rename(tmp_path / "b.log")
    get_logger("x").info("still old")
    log.reopen()
    get_logger("x").info("new")
    log.restore()
    assert len((tmp_path / "b.log").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "a.log").read_text())["message"] == "new"


def test_a_file_removed_without_a_word_is_begun_anew(tmp_path, read):
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "a.log"
    log = configure_logging(path)
    get_logger("x").info("first")
    path.unlink()
    for number in range(3):
        get_logger("x").info("wide", number=number, pad="x" * 40_000)
    # The first 64 KiB went where nobody looks.
    assert [record["number"] for record in read(path.read_text())] == [2]
    path.unlink()
    path.parent.rmdir()
    for number in range(4):
        get_logger("x").info("wide", number=number, pad="x" * 40_000)
    assert log.lost == 3
    path.parent.mkdir()
    get_logger("x").info("back")
    log.restore()
    messages = [record["message"] for record in read(path.read_text())]
    assert messages == ["earlier lines could not be written", "back"]


def test_a_new_file_is_not_for_everyone(tmp_path):
    configure_logging(tmp_path / "a.log", mode=0o600).restore()
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600
