"""What a parameter must be, and the error that says so: parameter, rule and value."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from holdfast.errors._base import InvalidParameterError, NotNumbersError

if TYPE_CHECKING:
    import enum
    from collections.abc import Iterable, Mapping

    E = TypeVar("E", bound=enum.Enum)

_LONGEST = 200
MOST = 2**31 - 1


def refuse(parameter: str, rule: str, value: object) -> NoReturn:
    """Raise the error."""
    try:
        shown = repr(value)
    except Exception:  # noqa: BLE001 (a value's own __repr__ may raise anything)
        shown = f"<{type(value).__name__}>"
    if len(shown) > _LONGEST:
        shown = shown[:_LONGEST] + "..."
    raise InvalidParameterError(f"{parameter} must be {rule}, got {shown}") from None


def text(parameter: str, value: object, *, empty: bool = False) -> str:
    """A str, by default not an empty one."""
    if not isinstance(value, str) or not (value or empty):
        refuse(parameter, "a str" if empty else "a non-empty str", value)
    return value


def real(
    parameter: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
    finite: bool = True,
) -> float:
    """A number, of whatever type, in its bounds; neither a bool nor NaN."""
    number = math.nan
    if hasattr(type(value), "__float__") and not isinstance(value, bool):
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
    inside = least <= number <= most and (number > above or above == -math.inf)
    if not inside or (finite and math.isinf(number)):
        refuse(parameter, _interval(least, above, most, finite=finite), value)
    return number


def _interval(least: float, above: float, most: float, *, finite: bool) -> str:
    rule = "a finite number" if finite else "a number"
    if least > -math.inf:
        rule += f" >= {least:g}"
    if above > -math.inf:
        rule += f" > {above:g}"
    return rule if most == math.inf else f"{rule} and <= {most:g}"


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
        refuse(parameter, "a bool", value)
    return value


def hook(parameter: str, value: Any, *, optional: bool = False) -> Any:
    """A callable, or None if that is allowed."""
    if not callable(value) and not (optional and value is None):
        refuse(parameter, "callable or None" if optional else "callable", value)
    return value


def instance(
    parameter: str, value: object, kind: type | tuple[type, ...], *, optional: bool = False
) -> None:
    """An object of a class, or None if that is allowed."""
    if not isinstance(value, kind) and not (optional and value is None):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        rule = " or ".join(f"of type {one.__name__}" for one in kinds)
        refuse(parameter, f"{rule} or None" if optional else rule, value)


def names(parameter: str, value: Iterable[str]) -> list[str]:
    """Several str; one alone would be taken letter by letter."""
    listed: list[Any] | None = None
    if not isinstance(value, (str, bytes)):
        try:
            listed = list(value)
        except TypeError:
            listed = None
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


def member(parameter: str, value: object, kind: type[E]) -> E:
    """A member of an enumeration, or its value."""
    try:
        return kind(value)
    except (ValueError, TypeError):
        refuse(parameter, f"one of {', '.join(str(one.value) for one in kind)}", value)


def number(parameter: str, value: object) -> None:
    """A datum, not a setting: any number, NaN, infinity and bool too."""
    if not hasattr(type(value), "__float__"):
        raise NotNumbersError(f"{parameter} must be a number, got {value!r}")
