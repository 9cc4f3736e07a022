"""What travels with a call: trace, deadline, principal and attempt, in one context variable.

Tasks of asyncio copy it by themselves; threads and executors get it through
`contextvars.copy_context().run`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn


class Context:
    """Immutable; `replace` makes the context of an inner call.

    Not a dataclass: guards are imported by programs that have no other use for the
    modules those need.

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

    __slots__ = ("attempt", "deadline", "principal", "sampled", "span_id", "trace_id")

    trace_id: str
    span_id: str
    sampled: bool
    deadline: float | None
    principal: str | None
    attempt: int

    def __init__(
        self,
        trace_id: str = "",
        span_id: str = "",
        sampled: bool = True,  # noqa: FBT001, FBT002 (a field like the others)
        deadline: float | None = None,
        principal: str | None = None,
        attempt: int = 1,
    ) -> None:
        put = object.__setattr__
        put(self, "trace_id", trace_id)
        put(self, "span_id", span_id)
        put(self, "sampled", sampled)
        put(self, "deadline", deadline)
        put(self, "principal", principal)
        put(self, "attempt", attempt)

    def _fields(self) -> tuple[Any, ...]:
        span = self.trace_id, self.span_id, self.sampled
        return (*span, self.deadline, self.principal, self.attempt)

    def replace(self, **changes: Any) -> Context:
        """The same with other values for these fields."""
        names = ("trace_id", "span_id", "sampled", "deadline", "principal", "attempt")
        return Context(**{**dict(zip(names, self._fields(), strict=True)), **changes})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse to change."""
        raise AttributeError(f"a context does not change, {name} neither: use replace")

    def __eq__(self, other: object) -> bool:
        """Compare the fields."""
        if not isinstance(other, Context):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash(self._fields())

    def __repr__(self) -> str:
        """Show the fields in their order."""
        return f"Context{self._fields()!r}"

    def __reduce__(self) -> tuple[type[Context], tuple[Any, ...]]:
        """Pickle the fields."""
        return Context, self._fields()


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
    return context if context.deadline == end else context.replace(deadline=end)


@contextmanager
def use(context: Context) -> Iterator[Context]:
    """Make `context` the current one inside the block."""
    token, end = variable.set(context), deadline.set(context.deadline)
    try:
        yield context
    finally:
        deadline.reset(end)
        variable.reset(token)
