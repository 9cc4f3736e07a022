"""The one home of parameter checks: what is taken, what is refused, and in which words."""

import enum
import math
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidParameterError, NotNumbersError
from holdfast.errors import _parameters as parameters


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Unspeakable:
    """What cannot even be shown."""

    def __repr__(self):
        raise RuntimeError("no words")

    __hash__ = None


THING = Unspeakable()

# A call with what it takes, and what it makes of it.
TAKEN = [
    (lambda: parameters.text("p", "x"), "x"),
    (lambda: parameters.text("p", "", empty=True), ""),
    (lambda: parameters.real("p", 1), 1.0),
    (lambda: parameters.real("p", np.float32(0.5)), 0.5),
    (lambda: parameters.real("p", np.int8(3)), 3.0),
    (lambda: parameters.real("p", np.array(3.0)), 3.0),
    (lambda: parameters.real("p", Decimal("0.5")), 0.5),
    (lambda: parameters.real("p", Fraction(1, 4)), 0.25),
    (lambda: parameters.real("p", 0, least=0), 0.0),
    (lambda: parameters.real("p", 1, most=1), 1.0),
    (lambda: parameters.real("p", math.inf, finite=False), math.inf),
    (lambda: parameters.real("p", math.inf, above=0, finite=False), math.inf),
    (lambda: parameters.seconds("p", 0), 0.0),
    (lambda: parameters.seconds("p", timedelta(minutes=1)), 60.0),
    (lambda: parameters.seconds("p", pd.Timedelta("2s")), 2.0),
    (lambda: parameters.seconds("p", math.inf, endless=True), math.inf),
    (lambda: parameters.count("p", np.int64(2)), 2),
    (lambda: parameters.count("p", -2, -3), -2),
    (lambda: parameters.flag("p", value=True), True),
    (lambda: parameters.hook("p", len), len),
    (lambda: parameters.hook("p", None, optional=True), None),
    (lambda: parameters.instance("p", 1, (int, str)), 1),
    (lambda: parameters.instance("p", None, int, optional=True), None),
    (lambda: parameters.kinds("p", OSError), (OSError,)),
    (lambda: parameters.kinds("p", [OSError, KeyError]), (OSError, KeyError)),
    (lambda: parameters.kinds("p", (), least=0), ()),
    (lambda: parameters.one_of("p", "a", ("a", "b")), "a"),
    (lambda: parameters.member("p", "red", Colour), Colour.RED),
    (lambda: parameters.member("p", Colour.BLUE, Colour), Colour.BLUE),
    (lambda: parameters.entries("p", (1, "a")), [1, "a"]),
    (lambda: parameters.names("p", {"a"}), ["a"]),
    (lambda: parameters.mapping("p", None), {}),
    (lambda: parameters.labels("p", {"a": "b"}), {"a": "b"}),
    (lambda: parameters.number("p", math.nan), None),
]


@pytest.mark.parametrize(("check", "made"), TAKEN)
def test_what_is_taken(check, made):
    found = check()
    assert found == made
    assert type(found) is type(made)


# What each refuses, and in which words.
REFUSED = [
    (lambda v: parameters.text("p", v), "", "a non-empty str"),
    (lambda v: parameters.text("p", v, empty=True), b"x", "a str"),
    (lambda v: parameters.real("p", v), math.nan, "a finite number"),
    (lambda v: parameters.real("p", v), math.inf, "a finite number"),
    (lambda v: parameters.real("p", v), True, "a finite number"),
    (lambda v: parameters.real("p", v), "1", "a finite number"),
    (lambda v: parameters.real("p", v), np.array([1.0]), "a finite number"),
    (lambda v: parameters.real("p", v), pd.Series([1.0]), "a finite number"),
    (lambda v: parameters.real("p", v), np.complex128(1), "a finite number"),
    (lambda v: parameters.real("p", v), np.True_, "a finite number"),
    (lambda v: parameters.real("p", v), np.timedelta64(1, "s"), "a finite number"),
    (lambda v: parameters.real("p", v, least=0, most=1), 2, "a finite number >= 0 and <= 1"),
    (lambda v: parameters.real("p", v, above=0, below=1), 1, "a finite number > 0 and < 1"),
    (lambda v: parameters.real("p", v, above=0, below=1), 0, "a finite number > 0 and < 1"),
    (lambda v: parameters.real("p", v, below=1), 1, "a finite number < 1"),
    (lambda v: parameters.real("p", v, least=2, finite=False), 1, "a number >= 2"),
    (lambda v: parameters.seconds("p", v), -1, "seconds or a timedelta, finite, >= 0"),
    (lambda v: parameters.seconds("p", v), math.inf, "seconds or a timedelta, finite, >= 0"),
    (
        lambda v: parameters.seconds("p", v, zero=False),
        0,
        "seconds or a timedelta, finite, > 0",
    ),
    (
        lambda v: parameters.seconds("p", v, endless=True),
        timedelta(seconds=-1),
        "seconds or a timedelta, >= 0",
    ),
    (
        lambda v: parameters.seconds("p", v, most=5),
        6,
        "seconds or a timedelta, finite, >= 0 and <= 5",
    ),
    (lambda v: parameters.seconds("p", v), timedelta, "seconds or a timedelta, finite, >= 0"),
    (lambda v: parameters.count("p", v), 0, "an integer >= 1"),
    (lambda v: parameters.count("p", v), 1.0, "an integer >= 1"),
    (lambda v: parameters.count("p", v), 2**31, "an integer >= 1"),
    (lambda v: parameters.count("p", v, 0, 9), 10, "an integer >= 0 and <= 9"),
    (lambda v: parameters.flag("p", v), 1, "True or False"),
    (lambda v: parameters.hook("p", v), 3, "callable"),
    (lambda v: parameters.hook("p", v, optional=True), 3, "callable or None"),
    (lambda v: parameters.instance("p", v, int), "x", "an int"),
    (lambda v: parameters.instance("p", v, (str, int)), 0.5, "a str or an int"),
    (lambda v: parameters.instance("p", v, dict, optional=True), 3, "a dict or None"),
    (lambda v: parameters.kinds("p", v), 3, "exception classes"),
    (lambda v: parameters.kinds("p", v), int, "exception classes"),
    (lambda v: parameters.kinds("p", v), (), "at least one exception class"),
    (lambda v: parameters.one_of("p", v, ("a", "b")), "c", "one of a, b"),
    (lambda v: parameters.one_of("p", v, ("a", "b")), ["a"], "one of a, b"),
    (lambda v: parameters.member("p", v, Colour), "green", "one of red, blue"),
    (lambda v: parameters.member("p", v, Colour), ["red"], "one of red, blue"),
    (lambda v: parameters.entries("p", v), "ab", "a collection, not a single text"),
    (lambda v: parameters.entries("p", v), 3, "a collection, not a single text"),
    (lambda v: parameters.names("p", v), "ab", "a sequence of str"),
    (lambda v: parameters.names("p", v), [1], "a sequence of str"),
    (lambda v: parameters.mapping("p", v), [1], "a mapping"),
    (lambda v: parameters.labels("p", v), None, "a mapping of str to str"),
    (lambda v: parameters.labels("p", v), {"a": 1}, "a mapping of str to str"),
]


@pytest.mark.parametrize(("check", "value", "rule"), REFUSED)
def test_a_refusal_names_parameter_rule_and_value(check, value, rule):
    with pytest.raises(InvalidParameterError) as refused:
        check(value)
    assert str(refused.value) == f"p must be {rule}, got {value!r}"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(("check", "value", "rule"), REFUSED)
def test_what_cannot_be_shown_is_refused_in_words_too(check, value, rule):
    with pytest.raises(InvalidParameterError, match=r"^p must be ") as refused:
        check(THING)
    assert str(refused.value).endswith(", got <Unspeakable>")


def test_a_datum_that_cannot_be_shown_is_no_number():
    with pytest.raises(NotNumbersError, match=r"^p must be a number, got <Unspeakable>$"):
        parameters.number("p", THING)


@pytest.mark.parametrize("value", ["x" * 10_000, 10**1000])
def test_a_long_value_is_cut(value):
    with pytest.raises(InvalidParameterError) as refused:
        parameters.real("p", value)
    assert str(refused.value) == f"p must be a finite number, got {repr(value)[:200]}..."


@given(st.floats(), st.floats(-5, 5), st.floats(-5, 5), st.booleans(), st.booleans())
def test_bounds_hold_as_they_are_written(value, low, high, lower_open, upper_open):
    bounds = {"above" if lower_open else "least": low, "below" if upper_open else "most": high}
    inside = (value > low if lower_open else value >= low) and (
        value < high if upper_open else value <= high
    )
    if inside:
        assert parameters.real("p", value, **bounds) == value
        return
    rule = (
        f"a finite number {'>' if lower_open else '>='} {low:g} and "
        f"{'<' if upper_open else '<='} {high:g}"
    )
    with pytest.raises(InvalidParameterError, match=re.escape(rule)):
        parameters.real("p", value, **bounds)


def test_checks_are_loaded_without_what_takes_long():
    program = (
        "import sys, holdfast.errors._parameters\n"
        "print(sorted({'typing', 'numpy', 'asyncio', 'dataclasses'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert shown.stdout.strip() == "[]"
