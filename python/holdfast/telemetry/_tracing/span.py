"""Spans: named parts of a trace, with a duration, in whatever thread or task they run."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast import _core
from holdfast._context import Context, current, variable
from holdfast.errors import InvalidParameterError
from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token
    from types import TracebackType

    from typing_extensions import Self

_Called = TypeVar("_Called", bound="Callable[..., Any]")


# A frozen dataclass sets its fields by name, one by one; their descriptors take half the time.
_new = object.__new__
_fields = ("trace_id", "span_id", "sampled", "deadline", "principal", "attempt")
_set_trace, _set_span, _set_sampled, _set_deadline, _set_principal, _set_attempt = (
    getattr(Context, name).__set__ for name in _fields
)


def _inside(around: Context, trace_id: str, span_id: str, sampled: bool) -> Context:  # noqa: FBT001
    """`around`, in a span."""
    context = _new(Context)
    _set_trace(context, trace_id)
    _set_span(context, span_id)
    _set_sampled(context, sampled)
    _set_deadline(context, around.deadline)
    _set_principal(context, around.principal)
    _set_attempt(context, around.attempt)
    return context


def _seed() -> None:
    drawn = os.urandom(16)
    _core.seed_ids(int.from_bytes(drawn[:8], "big"), int.from_bytes(drawn[8:], "big"))


_seed()
if hasattr(os, "register_at_fork"):
    # A child must not continue the ids of its parent.
    os.register_at_fork(after_in_child=_seed)


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span that has ended.

    Attributes
    ----------
    name : str
    trace_id, span_id : str
        32 and 16 hexadecimal digits (W3C Trace Context).
    parent_id : str
        The span around it, here or in another process; empty for the first of a trace.
    start : float
        Wall clock, seconds since 1970.
    duration : float
        Seconds of a clock that is never set.
    status : str
        `ok`, `error` or `cancelled`.
    error : str or None
        Type and message of what was raised.
    attributes : dict
    events : tuple of (float, str, dict)
        Seconds since the start, name and attributes.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start: float
    duration: float
    status: str
    error: str | None
    attributes: dict[str, object]
    events: tuple[tuple[float, str, dict[str, object]], ...]


_lock = Lock()
_listeners: tuple[Callable[[SpanRecord], object], ...] = ()
_ratio = 1.0


def on_span(listener: Callable[[SpanRecord], object]) -> Callable[[], None]:
    """Call `listener` with each sampled span that ends, in its thread; returns how to stop.

    What a listener raises is logged and goes no further. Without listeners no record is
    built.

    Raises
    ------
    InvalidParameterError
        `listener` cannot be called.
    """
    global _listeners  # noqa: PLW0603
    parameters.hook("listener", listener)
    with _lock:
        _listeners = (*_listeners, listener)

    def stop() -> None:
        global _listeners  # noqa: PLW0603
        with _lock:
            _listeners = tuple(other for other in _listeners if other is not listener)

    return stop


def listening() -> bool:
    """Whether a span that ends would reach anyone."""
    return bool(_listeners)


@contextmanager
def record_spans() -> Iterator[list[SpanRecord]]:
    """Collect the spans that end inside the block, of all threads, in that order."""
    ended: list[SpanRecord] = []
    stop = on_span(ended.append)
    try:
        yield ended
    finally:
        stop()


def configure_tracing(*, sample_ratio: float = 1.0) -> None:
    """Choose which share of new traces is recorded.

    The decision is made once, by the trace id, at the first span of a trace; spans inside
    it, and other processes that are told by `traceparent`, follow it. Spans that are not
    recorded still give their ids to log lines.

    Raises
    ------
    InvalidParameterError
        If `sample_ratio` is not in [0, 1].
    """
    global _ratio  # noqa: PLW0603
    _ratio = parameters.real("sample_ratio", sample_ratio, least=0, most=1)


def _sampled(trace_id: str) -> bool:
    # As OpenTelemetry's TraceIdRatioBased: processes with one ratio agree on a trace.
    return _ratio == 1.0 or int(trace_id[16:], 16) < _ratio * 2.0**64


class Span:
    """A part of a trace; made by `span`. `with`, `async with` and decorator.

    Attributes
    ----------
    name : str
    attributes : dict
    trace_id, span_id, parent_id : str
        Empty until it is entered.
    duration : float or None
        Seconds, once it has ended.
    """

    __slots__ = (
        "_begun",
        "_events",
        "_sampled",
        "_token",
        "attributes",
        "duration",
        "name",
        "parent_id",
        "span_id",
        "trace_id",
    )

    _token: Token[Context] | None

    def __init__(self, name: str, attributes: dict[str, object]) -> None:
        self.name = name
        self.attributes = attributes
        self.trace_id = self.span_id = self.parent_id = ""
        self.duration: float | None = None
        self._events: list[tuple[float, str, dict[str, object]]] | None = None
        self._token = None

    def set(self, **attributes: object) -> None:
        """Add attributes."""
        self.attributes.update(attributes)

    def event(self, name: str, /, **attributes: object) -> None:
        """Note that something happened inside the span, now."""
        if self._token is not None:
            if self._events is None:
                self._events = []
            self._events.append((time.perf_counter() - self._begun, name, attributes))

    def __enter__(self) -> Self:
        """Begin; calls inside the block are part of it."""
        if self._token is not None:
            raise RuntimeError(f"span {self.name!r} is running already: make another")
        around = current()
        trace_id = around.trace_id
        if trace_id:
            self._sampled = around.sampled
        else:
            trace_id = _core.new_trace_id()
            self._sampled = _sampled(trace_id)
        self.trace_id = trace_id
        self.parent_id = around.span_id
        self.span_id = span_id = _core.new_span_id()
        context = _inside(around, trace_id, span_id, self._sampled)
        self._token = variable.set(context)
        self._begun = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; what was raised goes on."""
        duration = self.duration = time.perf_counter() - self._begun
        token, self._token = self._token, None
        if token is not None:
            # Ended in another context than it began in, as a generator may be: that context
            # is not ours to change.
            with suppress(ValueError):
                variable.reset(token)
        self._ended(duration, error)
        if _listeners and self._sampled:
            self._tell(duration, error)

    async def __aenter__(self) -> Self:
        """As `__enter__`."""
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """As `__exit__`."""
        self.__exit__(kind, error, trace)

    def __call__(self, function: _Called) -> _Called:
        """Decorate: each call is a span of its own."""
        return decorate(function, self._another)

    def _another(self) -> Span:
        return type(self)(self.name, dict(self.attributes))

    def _ended(self, duration: float, error: BaseException | None) -> None:
        """For those who measure more."""

    def _tell(self, duration: float, error: BaseException | None) -> None:
        record = SpanRecord(
            self.name,
            self.trace_id,
            self.span_id,
            self.parent_id,
            time.time() - duration,
            duration,
            status_of(error),
            None if error is None else f"{type(error).__name__}: {_text(error)}",
            self.attributes,
            () if self._events is None else tuple(self._events),
        )
        for listener in _listeners:
            try:
                listener(record)
            except Exception:
                import logging  # on a path that is not taken

                logging.getLogger("holdfast").warning("a span listener failed", exc_info=True)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 (an exception's own __str__ may raise anything)
        return "<unprintable>"


def status_of(error: BaseException | None) -> str:
    """`ok`, `error` or `cancelled`."""
    if error is None:
        return "ok"
    asyncio = sys.modules.get("asyncio")
    cancelled = asyncio is not None and isinstance(error, asyncio.CancelledError)
    return "cancelled" if cancelled else "error"


def decorate(function: _Called, make: Callable[[], Span]) -> _Called:
    """`function` with a span of `make` around each call."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidParameterError(
            "function must not be a generator: its body runs in the contexts of others; "
            f"use `with` inside, got {function!r}"
        )
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def traced(*args: Any, **kwargs: Any) -> Any:
            with make():
                return await function(*args, **kwargs)

    else:

        @functools.wraps(function)
        def traced(*args: Any, **kwargs: Any) -> Any:
            with make():
                return function(*args, **kwargs)

    return traced  # type: ignore[return-value]


def span(name: str, /, **attributes: object) -> Span:
    """A part of the current trace, or the first of a new one.

    Parameters
    ----------
    name : str
        What is done, not on what: `load`, with the file as an attribute.
    **attributes
        Plain values.

    Raises
    ------
    InvalidParameterError
        `name` is no text.

    Examples
    --------
    >>> with record_spans() as ended:
    ...     with span("outer"):
    ...         with span("inner", rows=3):
    ...             pass
    >>> [(s.name, s.attributes) for s in ended]
    [('inner', {'rows': 3}), ('outer', {})]
    >>> ended[0].parent_id == ended[1].span_id
    True
    """
    if not isinstance(name, str):
        parameters.text("name", name)
    return Span(name, attributes)
