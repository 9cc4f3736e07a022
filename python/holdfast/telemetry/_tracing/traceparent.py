"""Traces across processes: the headers `traceparent` and `tracestate`.

W3C Trace Context, Level 1 (https://www.w3.org/TR/trace-context/): what cannot be read
begins a new trace; a `tracestate` that is malformed is dropped, the trace goes on.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from holdfast import _core
from holdfast._context import Context, current, variable
from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableMapping
    from contextlib import AbstractContextManager

_HEADER = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY = re.compile(
    r"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
)
_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_IDS = re.compile(r"[0-9a-f]{32}")
_MEMBERS = 32

# The trace it belongs to, and what other vendors said of it.
_state: ContextVar[tuple[str, str]] = ContextVar("holdfast_tracestate", default=("", ""))


def parse_traceparent(header: str | None) -> tuple[str, str, bool] | None:
    """Trace id, parent id and the sampled flag; None if it is malformed or absent.

    Raises
    ------
    InvalidParameterError
        `header` is no text.

    Examples
    --------
    >>> parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    ('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', True)
    """
    if header is not None and not isinstance(header, str):
        parameters.refuse("header", "a str or None", header)
    found = None if header is None else _HEADER.fullmatch(header.strip(" \t"))
    if found is None:
        return None
    version, trace_id, parent_id, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0"):
        return None
    if not parent_id.strip("0"):
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def parse_tracestate(headers: Iterable[str]) -> str:
    """The members of all `headers` in order as one header; empty if any is malformed.

    Raises
    ------
    InvalidParameterError
        `headers` are no texts.
    """
    members: dict[str, str] = {}
    given = [headers] if isinstance(headers, str) else parameters.names("headers", headers)
    for part in ",".join(given).split(","):
        member = part.strip(" \t")
        if not member:
            continue
        key, equals, value = member.partition("=")
        if not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            return ""
        members.setdefault(key, value)
    if len(members) > _MEMBERS:
        return ""
    return ",".join(f"{key}={value}" for key, value in members.items())


def traceparent() -> str | None:
    """The header for a call that is made now; None outside a trace."""
    context = current()
    if not _IDS.fullmatch(context.trace_id):
        return None
    parent = context.span_id or _core.new_span_id()
    return f"00-{context.trace_id}-{parent}-{int(context.sampled):02x}"


def inject(headers: MutableMapping[str, str]) -> None:
    """Add `traceparent`, and `tracestate` if there is one, to the headers of a request.

    Nothing is added outside a trace.

    Raises
    ------
    InvalidParameterError
        `headers` cannot be added to.
    """
    if not hasattr(headers, "__setitem__"):
        parameters.refuse("headers", "a mutable mapping", headers)
    header = traceparent()
    if header is None:
        return
    headers["traceparent"] = header
    trace_id, state = _state.get()
    if state and trace_id == current().trace_id:
        headers["tracestate"] = state


def continue_trace(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
) -> AbstractContextManager[Context]:
    """Be part of the trace that the headers of a request tell of.

    Parameters
    ----------
    headers : mapping or iterable of pairs
        Names in any case. Without a valid `traceparent` the block is in no trace: its first
        span begins a new one.

    Raises
    ------
    InvalidParameterError
        `headers` are neither a mapping nor pairs.
    """
    pairs: Any = getattr(headers, "items", lambda: headers)()
    try:
        return _continued([(name.lower(), value) for name, value in pairs])
    except (AttributeError, TypeError, ValueError):
        parameters.refuse("headers", "a mapping or pairs of str", headers)


@contextmanager
def _continued(headers: list[tuple[str, str]]) -> Iterator[Context]:
    parents, states = [], []
    for name, value in headers:
        if name == "traceparent":
            parents.append(value)
        elif name == "tracestate":
            states.append(value)
    told = parse_traceparent(parents[0]) if len(parents) == 1 else None
    trace_id, parent_id, sampled = told or ("", "", True)
    context = current().replace(trace_id=trace_id, span_id=parent_id, sampled=sampled)
    token = variable.set(context)
    kept = _state.set((trace_id, parse_tracestate(states) if told else ""))
    try:
        yield context
    finally:
        _state.reset(kept)
        variable.reset(token)


def current_trace_id() -> str:
    """The id that the log lines of the running call carry; empty outside a trace."""
    return current().trace_id
