"""Parameters as users give them, or an error that names parameter, rule and value."""

from __future__ import annotations

import math
import operator

from holdfast.errors import InvalidParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import timedelta
    from typing import Any, NoReturn, TypeAlias, TypeVar

    from holdfast._core import VirtualClock

    T = TypeVar("T")
    Seconds: TypeAlias = float | timedelta
    Clock: TypeAlias = str | VirtualClock
    Kinds: TypeAlias = type[BaseException] | Iterable[type[BaseException]]


def refuse(parameter: str, rule: str, value: object) -> NoReturn:
    """Say what is wrong."""
    raise InvalidParameterError(f"{parameter} must be {rule}, got {value!r}") from None


def _float(value: Any) -> float:
    """`value` as a number; NaN for what is none."""
    if isinstance(value, (bool, str, bytes, bytearray)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def seconds(
    parameter: str,
    value: Seconds,
    *,
    zero: bool = True,
    endless: bool = False,
    most: float = math.inf,
) -> float:
    """A duration in seconds."""
    total = getattr(value, "total_seconds", None)
    number = _float(value if total is None else total())
    if (number >= 0 if zero else number > 0) and (endless or number < math.inf):
        if number <= most:
            return number
        refuse(parameter, f"at most {most:g} seconds", value)
    least = "at least 0" if zero else "greater than 0"
    refuse(parameter, f"seconds or a timedelta, {least}{'' if endless else ', finite'}", value)


def real(
    parameter: str,
    value: Any,
    least: float = 0.0,
    most: float = math.inf,
    *,
    open_below: bool = False,
    open_above: bool = False,
) -> float:
    """A finite number between two bounds, which belong to it unless they are open."""
    number = _float(value)
    above = number > least if open_below else number >= least
    below = number < most if open_above else number <= most
    if above and below and abs(number) < math.inf:
        return number
    rule = "a finite number"
    if least > -math.inf:
        rule += f", {'more than' if open_below else 'at least'} {least:g}"
    if most < math.inf:
        rule += f", {'less than' if open_above else 'at most'} {most:g}"
    refuse(parameter, rule, value)


def count(parameter: str, value: Any, least: int = 1) -> int:
    """A number of things."""
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if least <= number < 1 << 31:
        return number
    refuse(parameter, f"an integer >= {least}", value)


def flag(parameter: str, value: Any) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    refuse(parameter, "True or False", value)


def one_of(parameter: str, value: Any, names: Collection[str]) -> str:
    """One of some names."""
    if isinstance(value, str) and value in names:
        return value
    refuse(parameter, f"one of {', '.join(names)}", value)


def text(parameter: str, value: Any) -> str:
    """A name."""
    if isinstance(value, str):
        return value
    refuse(parameter, "a str", value)


def instance(parameter: str, value: T | None, kind: type[T]) -> T | None:
    """An object of this kind, or None."""
    if value is None or isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    refuse(parameter, f"{article} {kind.__name__} or None", value)


def kinds(parameter: str, value: Kinds, *, least: int = 1) -> tuple[type[BaseException], ...]:
    """Exception classes."""
    try:
        found = (value,) if isinstance(value, type) else tuple(value)
    except TypeError:
        refuse(parameter, "exception classes", value)
    if len(found) < least:
        refuse(parameter, "at least one exception class", value)
    for kind in found:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            refuse(parameter, "exception classes", kind)
    return found


def hook(parameter: str, value: Any) -> Any:
    """A callable or None."""
    if value is None or callable(value):
        return value
    refuse(parameter, "callable or None", value)


def function(parameter: str, value: Any) -> Callable[..., Any]:
    """A callable."""
    if callable(value):
        called: Callable[..., Any] = value
        return called
    refuse(parameter, "callable", value)


def entries(parameter: str, value: Iterable[object]) -> list[object]:
    """Some objects; a single text is none."""
    if not isinstance(value, (str, bytes)):
        try:
            return list(value)
        except TypeError:
            pass
    refuse(parameter, "a collection of keys", value)
