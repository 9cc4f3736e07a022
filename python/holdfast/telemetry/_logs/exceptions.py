"""Exceptions as fields of a record."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

# What our own errors know; see holdfast.errors.
_FACTS = ("error_id", "error_type", "category", "severity", "correlation_id", "recoverable")


def describe(exc_info: object) -> dict[str, object] | None:
    """Type, message, traceback and our own facts of what `exc_info` stands for.

    True is the exception being handled; an exception or the triple of `sys.exc_info` is
    itself; a text is a traceback that was formatted before.
    """
    if isinstance(exc_info, str):
        return {"traceback": exc_info}
    if isinstance(exc_info, tuple):
        error = exc_info[1] if len(exc_info) == 3 else None  # noqa: PLR2004
        trace = exc_info[2] if error is not None else None
    elif isinstance(exc_info, BaseException):
        error, trace = exc_info, exc_info.__traceback__
    else:
        _, error, trace = sys.exc_info() if exc_info else (None, None, None)
    if not isinstance(error, BaseException):
        return None
    facts: dict[str, object] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix(
            "builtins."
        ),
        "message": _message(error),
    }
    for name in _FACTS:
        value = getattr(error, name, None)
        if value is not None:
            facts[name] = getattr(value, "value", value)
    context = getattr(error, "context", None)
    if isinstance(context, dict) and context:
        facts["context"] = context
    facts["traceback"] = _formatted(error, trace if isinstance(trace, TracebackType) else None)
    return facts


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (an exception's own __str__ may raise anything)
        return "<unprintable>"


def _formatted(error: BaseException, trace: TracebackType | None) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
    except Exception as why:  # noqa: BLE001 (likewise)
        return f"<no traceback: {type(why).__name__}>"
