"""The trace, deadline and log fields of a call, carried into threads and executors.

Tasks of asyncio and `asyncio.to_thread` carry them by themselves.
"""

from __future__ import annotations

import functools
from concurrent.futures import Executor, ProcessPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast import _context
from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from typing_extensions import ParamSpec

    P = ParamSpec("P")

T = TypeVar("T")


def carry(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, run in the context in which `carry` was called.

    Raises
    ------
    InvalidParameterError
        `function` cannot be called.

    Examples
    --------
    >>> import threading
    >>> from holdfast.telemetry import carry, current_trace_id, span
    >>> seen = []
    >>> with span("request") as request:
    ...     thread = threading.Thread(target=carry(lambda: seen.append(current_trace_id())))
    >>> thread.start(); thread.join()
    >>> seen == [request.trace_id]
    True
    """
    parameters.hook("function", function)
    context = copy_context()

    @functools.wraps(function)
    def carried(*args: P.args, **kwargs: P.kwargs) -> T:
        # One context can be entered by one thread at a time.
        return context.copy().run(function, *args, **kwargs)

    return carried


def _there(
    context: _context.Context, function: Callable[..., T], *args: Any, **kwargs: Any
) -> T:
    with _context.use(context):
        return function(*args, **kwargs)


class CarryingExecutor(Executor):
    """An executor whose jobs run in the context of whoever submits them.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        Threads get all context variables; other processes get the trace, the deadline and
        the principal.

    Raises
    ------
    InvalidParameterError
        `executor` is no Executor.
    """

    def __init__(self, executor: Executor) -> None:
        parameters.instance("executor", executor, Executor)
        self._executor = executor

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """As of any executor."""
        if isinstance(self._executor, ProcessPoolExecutor):
            return self._executor.submit(_there, _context.current(), fn, *args, **kwargs)
        return self._executor.submit(copy_context().run, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Shut down the executor inside."""
        self._executor.shutdown(wait=wait, cancel_futures=cancel_futures)
