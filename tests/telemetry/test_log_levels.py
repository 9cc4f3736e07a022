"""Fields that were bound, levels and categories: what decides about a line."""

import json
import logging
import pickle

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import configure_logging, get_logger, log_fields

OWN = {"timestamp", "level", "logger", "message"}


LEVELS = ("debug", "info", "warning", "error", "critical")


def test_nearer_fields_win(written):
    log = get_logger("x", a=1, b=1, c=1).bind(b=2)
    with written() as records, log_fields(a=4, c=4, d=4), log_fields(e=5):
        log.info("m", c=3)
    fields = {k: v for k, v in records[0].items() if k not in OWN}
    assert fields == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


def test_fields_around_a_call_end_with_the_block(written):
    with written() as records:
        with log_fields(a=1):
            pass
        get_logger("x").info("m")
    assert set(records[0]) == OWN


def test_a_logger_travels_by_name(written):
    log = get_logger("x", category="security", a=1)
    twin = pickle.loads(pickle.dumps(log))
    assert repr(twin) == repr(log) == "get_logger('x', category='security', a=1)"
    with written() as records:
        twin.info("m")
    assert (records[0]["category"], records[0]["a"]) == ("security", 1)


def test_levels_follow_the_dotted_names_and_categories_outrank_them(written):
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


def test_log_takes_a_level_by_name_or_number(written):
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
