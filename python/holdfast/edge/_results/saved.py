"""What a saved file must hold; what does not is told by its place in the file."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields
from typing import IO, TYPE_CHECKING, Any, TypeVar

from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

# Annotation of a field: what its value may be, and how that is called.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "text"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "dict": ((dict,), "an object"),
    "list": ((list,), "a list"),
}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _is(value: object, kind: str) -> bool:
    allowed = _KINDS[kind][0]
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def checked(value: Any, annotation: str, where: str) -> Any:
    """`value`, if it is what a field of that annotation holds.

    Raises
    ------
    InvalidDataError
        Saying where it was found, the rule, and what is there.
    """
    plain, _, optional = annotation.partition(" | ")
    if value is None and optional == "None":
        return value
    outer, _, inner = plain.rstrip("]").partition("[")
    rule = _KINDS[outer][1] + (" or null" if optional else "")
    if not _is(value, outer):
        raise InvalidDataError(f"{where} must be {rule}, got {_shown(value)}")
    of = inner.rpartition(", ")[2]
    if of in _KINDS:
        entries = value.items() if outer == "dict" else enumerate(value)
        for key, one in entries:
            if not _is(one, of):
                raise InvalidDataError(
                    f"{where}[{key}] must be {_KINDS[of][1]}, got {_shown(one)}"
                )
    return value


def entry(content: Mapping[str, Any], name: str, annotation: str, where: str) -> Any:
    """An entry that must be there."""
    at = f"{where}.{name}" if where else name
    if name not in content:
        raise InvalidDataError(f"{at} is missing")
    return checked(content[name], annotation, at)


def part(kind: type[T], content: Any, where: str) -> T:
    """A dataclass from its saved entries; those of a newer release are left out."""
    checked(content, "dict", where)
    given = {}
    for one in fields(kind):  # type: ignore[arg-type]
        if one.name in content:
            given[one.name] = checked(content[one.name], str(one.type), f"{where}.{one.name}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise InvalidDataError(f"{where}.{one.name} is missing")
    return kind(**given)


def of_schema(content: Mapping[str, Any], schema: str) -> None:
    """Refuse another kind of file; files of older systems do not name their kind."""
    said = content.get("schema", schema)
    if said != schema:
        raise InvalidDataError(f"schema must be {schema!r}, got {_shown(said)}")


def _json_fault(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it must be UTF-8 text, got the byte {error.object[error.start]:#04x}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    said = re.sub(r": line (\d+) column (\d+).*", r" in line \1, column \2", str(error))
    return f"it must be JSON: {said}"


def decoded(file: IO[str]) -> Any:
    """JSON of an open file."""
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise InvalidDataError(_json_fault(error)) from error


def decoded_text(text: str) -> Any:
    """JSON of a text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDataError(_json_fault(error)) from error
