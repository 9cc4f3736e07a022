"""Lines of our own loggers, read back with `json.loads`."""

import datetime as dt
import enum
import json
import math
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry import get_logger

OWN = {"timestamp", "level", "logger", "message"}


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
def test_a_value_is_written_as_json_or_as_its_str(value, shown, written):
    with written() as records:
        get_logger("x").info("m", field=value)
    assert records[0]["field"] == shown
    assert type(records[0]["field"]) is type(shown)


def test_what_has_no_end_is_cut(written):
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
def test_any_json_value_comes_back(message, fields, written):
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


def test_a_record_has_time_level_name_and_message_first(written):
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
def test_a_field_cannot_take_the_place_of_the_record_s_own(name, written):
    with written() as records:
        get_logger("x").info("m", **{name: "mine"})
    assert records[0][f"{name}_"] == "mine"


def test_arguments_that_do_not_fit_the_message_are_shown_beside_it(written):
    with written() as records:
        get_logger("x").info("a %d", "b")
        get_logger("x").info(Shy())
        get_logger("x").info({"not": "text"})
    messages = [record["message"] for record in records]
    assert messages == ["a %d ('b',)", "<unprintable Shy>", "{'not': 'text'}"]


def test_a_line_without_a_message_is_the_caller_s_mistake():
    with pytest.raises(TypeError, match=r"info\(\) needs a message"):
        get_logger("x").info()


def test_an_interrupt_is_not_swallowed(written):
    class Interrupts:
        def __str__(self):
            raise KeyboardInterrupt

    with written(), pytest.raises(KeyboardInterrupt):
        get_logger("x").info("m", field=Interrupts())
