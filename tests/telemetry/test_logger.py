"""Lines of our own loggers, read back with `json.loads`."""

import contextlib
import datetime as dt
import enum
import io
import json
import logging
import math
import os
import pickle
import re
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    JsonFormatter,
    LogHandler,
    TraceFilter,
    configure_logging,
    get_logger,
    log_fields,
    span,
)

OWN = {"timestamp", "level", "logger", "message"}


def read(text):
    """The records of `text`; other breaks than newlines belong to values."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def read_files(folder):
    return [record for file in folder.iterdir() for record in read(file.read_text())]


@contextlib.contextmanager
def written(**settings):
    """A list that holds, after the block, every record written in it."""
    stream = io.StringIO()
    settings = {"format": "json", "level": "debug", **settings}
    log = configure_logging(stream, **settings)
    records = []
    try:
        yield records
    finally:
        log.restore()
        records += read(stream.getvalue())


class Colour(enum.IntEnum):
    RED = 1


class Shy:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class Point(tuple):
    __slots__ = ()


LEVELS = ("debug", "info", "warning", "error", "critical")
RENAMED = ("timestamp", "level", "logger", "message", "category", "trace_id", "span_id")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, 1),
        (-(2**63), -(2**63)),
        (10**40, 10**40),
        (True, True),
        (None, None),
        (0.1, 0.1),
        (1e300, 1e300),
        (-0.0, -0.0),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ('é\n"\\\x00\u2028', 'é\n"\\\x00\u2028'),
        ("a\ud800b", "a\ufffd\ufffd\ufffdb"),
        (b"ab", "b'ab'"),
        ([1, [2, {"a": None}]], [1, [2, {"a": None}]]),
        ((1, 2), [1, 2]),
        (Point((1, 2)), [1, 2]),
        ({1: "x"}, {"1": "x"}),
        (Colour.RED, 1),
        (Decimal("1.5"), "1.5"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(1), True),
        (Shy(), "<unprintable Shy>"),
        (10**5000, "<a number too large to write>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_written_as_json_or_as_its_str(value, shown):
    with written() as records:
        get_logger("x").info("m", field=value)
    assert records[0]["field"] == shown
    assert type(records[0]["field"]) is type(shown)


def test_what_has_no_end_is_cut():
    endless = []
    endless.append(endless)
    with written() as records:
        get_logger("x").info("m", endless=endless, long=list(range(10_000)))
    assert "[...]" in json.dumps(records[0]["endless"])
    assert len(records[0]["long"]) < 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def finite(value):
    """What JSON can say of `value`: no infinity, no surrogate."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [finite(v) for v in value]
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    return value


@given(message=st.text(), fields=st.dictionaries(st.text(min_size=1), JSON, max_size=6))
def test_any_json_value_comes_back(message, fields):
    # Texts that look like credentials are another test's.
    suspicious = re.compile(r"[=:]|eyJ|AKIA|earer|asic|_|-", re.IGNORECASE)
    told = json.dumps([message, fields], ensure_ascii=False)
    plain = not suspicious.search(message + "".join(fields)) and not any(
        word in told.lower() for word in ("token", "key", "passw", "pwd", "secret", "jwt")
    )
    with written() as records:
        get_logger("x").info(message, **fields)
    (record,) = records
    if plain and not (set(fields) & {*RENAMED, "exc_info"}):
        assert record["message"] == message
        assert {k: v for k, v in record.items() if k not in OWN} == finite(fields)


def test_a_record_has_time_level_name_and_message_first():
    before = dt.datetime.now(dt.timezone.utc)
    with written() as records:
        for level in LEVELS:
            getattr(get_logger("shop.cart"), level)("sold %d %s", 3, "apples")
    after = dt.datetime.now(dt.timezone.utc)
    assert [record["level"] for record in records] == list(LEVELS)
    for record in records:
        assert list(record)[:4] == ["timestamp", "level", "logger", "message"]
        assert (record["logger"], record["message"]) == ("shop.cart", "sold 3 apples")
        moment = dt.datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00"))
        assert before.replace(microsecond=0) <= moment <= after


@pytest.mark.parametrize("name", RENAMED)
def test_a_field_cannot_take_the_place_of_the_record_s_own(name):
    with written() as records:
        get_logger("x").info("m", **{name: "mine"})
    assert records[0][f"{name}_"] == "mine"


def test_arguments_that_do_not_fit_the_message_are_shown_beside_it():
    with written() as records:
        get_logger("x").info("a %d", "b")
        get_logger("x").info(Shy())
        get_logger("x").info({"not": "text"})
    messages = [record["message"] for record in records]
    assert messages == ["a %d ('b',)", "<unprintable Shy>", "{'not': 'text'}"]


def test_a_line_without_a_message_is_the_caller_s_mistake():
    with pytest.raises(TypeError, match=r"info\(\) needs a message"):
        get_logger("x").info()


def test_an_interrupt_is_not_swallowed():
    class Interrupts:
        def __str__(self):
            raise KeyboardInterrupt

    with written(), pytest.raises(KeyboardInterrupt):
        get_logger("x").info("m", field=Interrupts())


# --- fields that were bound -------------------------------------------------------------
def test_nearer_fields_win():
    log = get_logger("x", a=1, b=1, c=1).bind(b=2)
    with written() as records, log_fields(a=4, c=4, d=4), log_fields(e=5):
        log.info("m", c=3)
    fields = {k: v for k, v in records[0].items() if k not in OWN}
    assert fields == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


def test_fields_around_a_call_end_with_the_block():
    with written() as records:
        with log_fields(a=1):
            pass
        get_logger("x").info("m")
    assert set(records[0]) == OWN


def test_a_logger_travels_by_name():
    log = get_logger("x", category="security", a=1)
    twin = pickle.loads(pickle.dumps(log))
    assert repr(twin) == repr(log) == "get_logger('x', category='security', a=1)"
    with written() as records:
        twin.info("m")
    assert (records[0]["category"], records[0]["a"]) == ("security", 1)


# --- levels and categories --------------------------------------------------------------
def test_levels_follow_the_dotted_names_and_categories_outrank_them():
    loud, quiet, near = get_logger("app.db.pool"), get_logger("other"), get_logger("app.dbx")
    secure = get_logger("app.db", category="security")
    with written(
        level="warning", levels={"app.db": "debug"}, category_levels={"security": "error"}
    ) as records:
        for log in (loud, quiet, near, secure):
            for level in LEVELS:
                getattr(log, level)("m")
        assert loud.is_enabled_for("debug")
        assert not quiet.is_enabled_for(logging.INFO)
    counts = {}
    for record in records:
        key = record["logger"], record.get("category")
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        ("app.db.pool", None): 5,
        ("other", None): 3,
        ("app.dbx", None): 3,
        ("app.db", "security"): 2,
    }


def test_log_takes_a_level_by_name_or_number():
    with written() as records:
        for level in ("WARNING", 30, 35, 45, 5):
            get_logger("x").log(level, "m")
    assert [r["level"] for r in records] == ["warning", "warning", "warning", "error", "debug"]
    with pytest.raises(InvalidParameterError, match="level must be one of debug, info"):
        get_logger("x").log("loud", "m")


def test_categories_can_have_files_of_their_own(tmp_path):
    log = configure_logging(
        tmp_path / "all.log", categories={"security": tmp_path / "security.log"}
    )
    get_logger("x").info("a")
    get_logger("x", category="security").info("b")
    log.restore()
    for name, message in [("all", "a"), ("security", "b")]:
        (line,) = (tmp_path / f"{name}.log").read_text().splitlines()
        assert json.loads(line)["message"] == message


# --- secrets ----------------------------------------------------------------------------
def test_secrets_are_left_out_wherever_they_stand():
    with written(redact=["shoe size"]) as records:
        get_logger("x", api_key="k").info(
            "login with password=hunter2",
            password="hunter2",  # noqa: S106
            nested={"auth": [{"access_token": "hunter2", "n": 1}]},
            shoeSize=44,
            url="https://u:hunter2@host/",
            tokens_per_second=31.5,
        )
        get_logger("x").error("failed", exc_info=ValueError("secret: hunter2"))
    assert "hunter2" not in json.dumps(records)
    assert records[0]["tokens_per_second"] == 31.5
    assert records[0]["nested"] == {"auth": [{"access_token": "[redacted]", "n": 1}]}
    assert records[0]["shoeSize"] == records[0]["api_key"] == "[redacted]"


# --- exceptions -------------------------------------------------------------------------
def test_an_exception_is_an_object_with_type_message_and_traceback():
    from holdfast.errors import NeuromorphicException

    with written() as records:
        try:
            {}["k"]
        except KeyError:
            get_logger("x").exception("failed", n=1)
        get_logger("x").error(
            "failed", exc_info=NeuromorphicException("m", context={"rows": 2})
        )
        get_logger("x").error("fine", exc_info=False)
    key, ours, none = records
    assert (key["level"], key["n"]) == ("error", 1)
    assert key["exception"]["type"] == "KeyError"
    assert key["exception"]["traceback"].startswith("Traceback")
    assert ours["exception"]["type"] == "holdfast.errors.NeuromorphicException"
    assert ours["exception"]["error_type"] == "resource_error"
    assert ours["exception"]["context"] == {"rows": 2}
    assert ours["exception"]["error_id"].startswith("ERR_")
    assert "exception" not in none


# --- the line to read -------------------------------------------------------------------
def test_a_console_line_names_everything_and_commands_nothing():
    stream = io.StringIO()
    log = configure_logging(stream, format="console")
    with span("request") as request:
        get_logger("shop").warning("sold\x1b[2J", apples=3, to="a b", n=None)
    try:
        float("no\x1b[2J")
    except ValueError:
        get_logger("shop").exception("failed")
    log.restore()
    first, second, *traceback = stream.getvalue().splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING  shop  sold\\u\{1b\}\[2J  "
        rf'apples=3 to="a b" n=null trace_id={request.trace_id} span_id={request.span_id}',
        first,
    )
    assert second.endswith("ERROR    shop  failed")
    assert traceback[0] == "  Traceback (most recent call last):"
    assert "\x1b" not in stream.getvalue()


def test_colours_are_for_terminals(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def shown():
        stream = Terminal()
        log = configure_logging(stream)
        get_logger("x").info("m")
        log.restore()
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32mINFO" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()
    assert " INFO " in shown()


# --- what can go wrong with a destination -----------------------------------------------
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


def test_a_closed_log_loses_no_call_and_can_be_reopened(tmp_path):
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
        ({"format": "xml"}, "format must be 'json' or 'console', got 'xml'"),
        ({"level": "loud"}, "level must be one of"),
        ({"max_bytes": 0}, "max_bytes must be a positive integer, got 0"),
        ({"rotate_seconds": -1}, "rotate_seconds must be > 0"),
        ({"backup_count": -1}, "backup_count must be an integer from 0"),
        ({"redact": [3]}, "redact must be names, got 3"),
        ({"levels": {"a": 300}}, "level must be one of"),
    ],
    ids=str,
)
def test_bad_settings_are_refused(settings, rule):
    with pytest.raises(InvalidParameterError, match=rule):
        configure_logging(None, **settings)


# --- rotation ---------------------------------------------------------------------------
def test_files_stay_below_their_limit_and_no_line_is_lost_while_backups_last(tmp_path):
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


def test_a_new_file_is_not_for_everyone(tmp_path):
    configure_logging(tmp_path / "a.log", mode=0o600).restore()
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600


# --- threads, forks, standard error -----------------------------------------------------
def test_lines_of_many_threads_are_whole(tmp_path):
    log = configure_logging(tmp_path / "a.log", max_bytes=20_000, backup_count=1000)
    logger = get_logger("x")

    def work(thread):
        for i in range(200):
            logger.info("m", thread=thread, i=i, padding="x" * 50)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.restore()
    seen = read_files(tmp_path)
    assert {(r["thread"], r["i"]) for r in seen} == {
        (t, i) for t in range(8) for i in range(200)
    }
    assert len(seen) == 1600


FORK = """
import os, sys, threading
from holdfast.telemetry import configure_logging, get_logger, span
configure_logging(sys.argv[1])
log = get_logger("x")
stop = threading.Event()
def chatter():
    while not stop.is_set():
        log.info("parent")
threads = [threading.Thread(target=chatter) for _ in range(3)]
for t in threads: t.start()
children = []
for n in range(10):
    pid = os.fork()
    if pid == 0:
        for i in range(20):
            with span("child"):
                log.info("child", n=n, i=i)
        os._exit(0)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for t in threads: t.join()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_children_write_on_and_share_no_ids(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "a.log")]
    subprocess.run(command, check=True, timeout=60)
    records = read_files(tmp_path)
    ours = [r for r in records if r["message"] == "child"]
    assert {(r["n"], r["i"]) for r in ours} == {(n, i) for n in range(10) for i in range(20)}
    assert len({r["trace_id"] for r in ours}) == len({r["span_id"] for r in ours}) == 200


def test_before_it_is_configured_it_writes_to_standard_error():
    code = "from holdfast.telemetry import get_logger as g; g('x').info('m', a=1)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert done.stderr.endswith("INFO     x  m  a=1\n")


def test_lines_are_counted_for_whoever_collects():
    from holdfast import _sources

    def counted():
        return {
            s.labels.get("level"): s.value
            for s in _sources.samples()
            if s.name == "holdfast_log_lines_total"
        }

    with written():
        before = counted()
        get_logger("x").info("m")
        get_logger("x").error("m")
        after = counted()
    moved = {level: after[level] - before[level] for level in after}
    assert moved == {"debug": 0, "info": 1, "warning": 0, "error": 1, "critical": 0}


# --- the standard library ---------------------------------------------------------------
@pytest.fixture
def standard():
    logger = logging.Logger("shop.cart", logging.DEBUG)  # noqa: LOG001 (in no hierarchy)
    yield logger
    for handler in logger.handlers:
        handler.close()


def through(logger, handler_of):
    stream = io.StringIO()
    logger.handlers = [handler_of(stream)]
    return stream


def with_formatter(stream):
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    return handler


def with_handler(stream):
    return LogHandler(stream, format="json")


@pytest.mark.parametrize("handler_of", [with_formatter, with_handler])
def test_records_of_the_standard_library_are_the_same_records(standard, handler_of):
    stream = through(standard, handler_of)
    with span("request"), written() as ours:
        extra = {"apples": 3, "password": "hunter2", "nested": {"a": [1, None]}}
        standard.info("sold %d", 3, extra={**extra, "category": "sales"})
        get_logger("shop.cart", category="sales").info("sold %d", 3, **extra)
        try:
            float("bad")
        except ValueError:
            standard.exception("failed")
            get_logger("shop.cart").exception("failed")
    theirs = [json.loads(line) for line in stream.getvalue().splitlines()]
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine) == list(other)
        for record in (mine, other):
            del record["timestamp"]
            record.get("exception", {}).pop("traceback", None)
        assert mine == other


def test_places_are_shown_when_asked_for(standard):
    stream = io.StringIO()
    include = ["function", "line", "module", "process_id", "thread_name"]
    standard.addHandler(LogHandler(stream, format="json", include=include))
    standard.warning("m", stack_info=True)
    record = json.loads(stream.getvalue())
    assert record["function"] == "test_places_are_shown_when_asked_for"
    assert record["process_id"] == os.getpid()
    assert record["thread_name"] == "MainThread"
    assert record["stack"].startswith("Stack")
    with pytest.raises(InvalidParameterError, match="include must be among function, line"):
        LogHandler(stream, include=["colour"])


def test_a_record_that_waited_in_a_queue_keeps_its_trace(standard):
    import logging.handlers
    import queue

    waiting = queue.SimpleQueue()
    sender = logging.handlers.QueueHandler(waiting)
    sender.addFilter(TraceFilter())
    standard.addHandler(sender)
    with span("request") as request:
        standard.info("m")
    stream = io.StringIO()
    with span("other"):
        LogHandler(stream, format="json").handle(waiting.get())
    record = json.loads(stream.getvalue())
    assert (record["trace_id"], record["span_id"]) == (request.trace_id, request.span_id)


def test_a_handler_keeps_filters_formatters_and_odd_records(standard):
    stream = io.StringIO()
    handler = LogHandler(stream, format="json")
    handler.addFilter(lambda record: record.msg != "hidden")
    standard.addHandler(handler)
    standard.info("hidden")
    standard.info("a %d", "b")
    standard.log(35, "odd level")
    handler.setFormatter(logging.Formatter("plain %(message)s"))
    standard.info("m")
    first, second, third = stream.getvalue().splitlines()
    assert json.loads(first)["message"] == "a %d ('b',)"
    assert json.loads(second)["level"] == "level 35"
    assert third == "plain m"
