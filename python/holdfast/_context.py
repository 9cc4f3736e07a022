"""What travels with a call: trace, deadline, principal and attempt, in one context variable.

Tasks of asyncio copy it by themselves; threads and executors get it through
`contextvars.copy_context().run`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Context:
    """Immutable; `dataclasses.replace` makes the context of an inner call.

    Attributes
    ----------
    trace_id : str
        32 hexadecimal digits (W3C Trace Context), the correlation id; empty outside a trace.
    span_id : str
        16 hexadecimal digits; empty outside a span.
    sampled : bool
        The sampled flag of `traceparent`.
    deadline : float or None
        When the caller gives up, in seconds of `time.monotonic`.
    principal : str or None
        On whose behalf the call is made.
    attempt : int
        1 on the first try, counted by a retry.
    """

    trace_id: str = ""
    span_id: str = ""
    sampled: bool = True
    deadline: float | None = None
    principal: str | None = None
    attempt: int = 1


NOWHERE = Context()
# The deadline in force, apart because guards set it for every call: `Context.deadline`
# as `use` and `current` show it.
deadline: ContextVar[float | None] = ContextVar("holdfast_deadline", default=None)
variable: ContextVar[Any] = ContextVar("holdfast", default=NOWHERE)


def current() -> Context:
    """The context of the running call."""
    here = variable.get()
    # A guard sets something lighter, which becomes a Context when asked.
    context: Context = here if type(here) is Context else here.context()
    end = deadline.get()
    return context if context.deadline == end else replace(context, deadline=end)


@contextmanager
def use(context: Context) -> Iterator[Context]:
    """Make `context` the current one inside the block."""
    token, end = variable.set(context), deadline.set(context.deadline)
    try:
        yield context
    finally:
        deadline.reset(end)
        variable.reset(token)
