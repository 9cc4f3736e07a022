"""Correlation ids by hand."""

from __future__ import annotations

from holdfast import _context, _core


def get_correlation_id() -> str:
    """The id of the running call: that of its trace, or a new one that stays with it."""
    trace = _context.current().trace_id
    if not trace:
        trace = _core.new_trace_id()
        set_correlation_id(trace)
    return trace


def set_correlation_id(corr_id: str) -> None:
    """Make `corr_id` the id of the running call.

    Log lines and errors carry it. One that is not 32 hexadecimal digits is not passed on to
    other services, whose standard knows no other ids.
    """
    _context.variable.set(_context.current().replace(trace_id=str(corr_id), span_id=""))
