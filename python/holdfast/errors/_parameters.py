"""What a parameter must be, and the error that says so: parameter, rule and value."""

from __future__ import annotations

import math
import operator
from datetime import timedelta

from holdfast.errors._base import InvalidParameterError, NotNumbersError

TYPE_CHECKING = False  # without `typing`, which takes longer than all of this
if TYPE_CHECKING:
    import enum
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any, NoReturn, TypeAlias, TypeVar

    from holdfast._core import VirtualClock

    T = TypeVar("T")
    E = TypeVar("E", bound=enum.Enum)
    Seconds: TypeAlias = float | timedelta
    Clock: TypeAlias = str | VirtualClock
    Kinds: TypeAlias = type[BaseException] | Iterable[type[BaseException]]

_LONGEST = 200
MOST = 2**31 - 1


def refuse(parameter: str, rule: str, value: object) -> NoReturn:
    """Raise the error."""
    raise InvalidParameterError(f"{parameter} must be {rule}, got {_shown(value)}") from None


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001 (a value's own __repr__ may raise anything)
        return f"<{type(value).__name__}>"
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."


def text(parameter: str, value: object, *, empty: bool = False) -> str:
    """A str, by default not an empty one."""
    if not isinstance(value, str) or not (value or empty):
        refuse(parameter, "a str" if empty else "a non-empty str", value)
    return value


def _float(value: Any) -> float:
    """`value` as a number; NaN for what is none: a bool, a text, several numbers."""
    kind = type(value)
    if kind is float:
        return float(value)
    convertible = hasattr(kind, "__float__") or hasattr(kind, "__index__")
    # NumPy turns its dates, complex numbers and arrays of one into a float as well.
    dtype = getattr(getattr(value, "dtype", None), "kind", "f")
    alone = getattr(value, "shape", ()) == ()
    if not convertible or kind is bool or dtype not in ("f", "i", "u") or not alone:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def real(
    parameter: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    below: float = math.inf,
    finite: bool = True,
) -> float:
    """A number, of whatever type, in its bounds; neither a bool nor NaN."""
    number = _float(value)
    inside = least <= number <= most
    inside = inside and (number > above or above == -math.inf)
    inside = inside and (number < below or below == math.inf)
    if not inside or (finite and math.isinf(number)):
        refuse(parameter, _interval(least, above, most, below, finite=finite), value)
    return number


def _interval(least: float, above: float, most: float, below: float, *, finite: bool) -> str:
    lower = [f"{sign} {bound:g}" for sign, bound in ((">=", least), (">", above))]
    upper = [f"{sign} {bound:g}" for sign, bound in (("<=", most), ("<", below))]
    bounds = [bound for bound in (*lower, *upper) if not bound.endswith("inf")]
    rule = "a finite number" if finite else "a number"
    return f"{rule} {' and '.join(bounds)}" if bounds else rule


def seconds(
    parameter: str,
    value: Seconds,
    *,
    zero: bool = True,
    endless: bool = False,
    most: float = math.inf,
) -> float:
    """A duration in seconds."""
    number = _float(value.total_seconds() if isinstance(value, timedelta) else value)
    inside = (number >= 0 if zero else number > 0) and number <= most
    if not inside or (math.isinf(number) and not endless):
        bound = ("" if endless else "finite, ") + (">= 0" if zero else "> 0")
        upper = "" if most == math.inf else f" and <= {most:g}"
        refuse(parameter, f"seconds or a timedelta, {bound}{upper}", value)
    return number


def count(parameter: str, value: Any, least: int = 1, most: int = MOST) -> int:
    """An integer, of whatever type, in its bounds; not a bool."""
    try:
        number = least - 1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        upper = "" if most == MOST else f" and <= {most}"
        refuse(parameter, f"an integer >= {least}{upper}", value)
    return number


def flag(parameter: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        refuse(parameter, "True or False", value)
    return value


def hook(parameter: str, value: Any, *, optional: bool = False) -> Any:
    """A callable, or None if that is allowed."""
    if not callable(value) and not (optional and value is None):
        refuse(parameter, "callable or None" if optional else "callable", value)
    return value


def instance(
    parameter: str,
    value: T,
    kind: type[Any] | tuple[type[Any], ...],
    *,
    optional: bool = False,
) -> T:
    """An object of a class, or None if that is allowed."""
    if not isinstance(value, kind) and not (optional and value is None):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        named = [_with_article(one.__name__) for one in kinds] + ["None"] * optional
        refuse(parameter, " or ".join(named), value)
    return value


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def kinds(parameter: str, value: Kinds, *, least: int = 1) -> tuple[type[BaseException], ...]:
    """Exception classes, or a single one."""
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


def one_of(parameter: str, value: Any, known: Collection[str]) -> str:
    """One of some names."""
    if not isinstance(value, str) or value not in known:
        refuse(parameter, f"one of {', '.join(known)}", value)
    return value


def member(parameter: str, value: object, kind: type[E]) -> E:
    """A member of an enumeration, or its value."""
    try:
        return kind(value)
    except Exception:  # noqa: BLE001 (Python shows the value where it finds none)
        refuse(parameter, f"one of {', '.join(str(one.value) for one in kind)}", value)


def _listed(value: Any) -> list[Any] | None:
    """What `value` holds; one text would be taken letter by letter."""
    if isinstance(value, (str, bytes)):
        return None
    try:
        return list(value)
    except TypeError:
        return None


def entries(parameter: str, value: Iterable[object]) -> list[Any]:
    """Several objects."""
    listed = _listed(value)
    if listed is None:
        refuse(parameter, "a collection, not a single text", value)
    return listed


def names(parameter: str, value: Iterable[str]) -> list[str]:
    """Several str."""
    listed = _listed(value)
    if listed is None or not all(isinstance(name, str) for name in listed):
        refuse(parameter, "a sequence of str", value)
    return listed


def mapping(parameter: str, value: Mapping[Any, Any] | None) -> dict[Any, Any]:
    """A dict of it; None is empty."""
    if value is None:
        return {}
    if not hasattr(value, "items"):
        refuse(parameter, "a mapping", value)
    return dict(value)


def labels(parameter: str, value: Mapping[str, str]) -> dict[str, str]:
    """A mapping of str to str."""
    listed = None if value is None else mapping(parameter, value)
    if listed is None or not all(
        isinstance(name, str) and isinstance(said, str) for name, said in listed.items()
    ):
        refuse(parameter, "a mapping of str to str", value)
    return listed


def number(parameter: str, value: object) -> None:
    """A datum, not a setting: any number, NaN, infinity and bool too."""
    if not hasattr(type(value), "__float__"):
        raise NotNumbersError(f"{parameter} must be a number, got {_shown(value)}")
