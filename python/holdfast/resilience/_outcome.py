"""How a guarded call ended, as a value."""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.errors import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Token

    from holdfast.resilience._policy import Policy

# What each call of the function that was begun came to: its value or its exception.
_calls: ContextVar[list[_End]] = ContextVar("calls")


_NOTHING = object()


class _End:
    """What one call came to."""

    __slots__ = ("error", "value")

    def __init__(self) -> None:
        self.value: Any = _NOTHING
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Keep the exception, which goes on."""
        self.error = error


@dataclass(frozen=True)
class Outcome:
    """How a guarded call ended; made by `Pipeline.outcome`.

    Attributes
    ----------
    status : str
        `ok`, `failed`, `ignored` (it failed in a way that no breaker of the pipeline counts),
        `rejected` (a guard refused; earlier attempts may have failed) or `cancelled` (what it
        waited for was).
    value : object
        What was returned, be it by a fallback; None if it is not `ok`.
    error : Exception or None
        What was raised.
    rejected_by : str or None
        The name of the guard.
    fallback : bool
        Whether the value is that of a fallback.
    duration : float
        Seconds, with all waits.
    attempts : int or None
        Calls of the function that were begun; None under a timeout in a process of its own,
        which cannot tell.
    """

    status: str
    value: Any
    error: Exception | None
    rejected_by: str | None
    fallback: bool
    duration: float
    attempts: int | None

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.status == "ok"

    @property
    def partial(self) -> Any:
        """What the error carries as `partial_result` or `partial_results`, else None."""
        found = getattr(self.error, "partial_result", None)
        return getattr(self.error, "partial_results", None) if found is None else found

    def unwrap(self) -> Any:
        """The value; or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


class _Telling:
    """Turns what a call returns or raises into an outcome."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._breakers = [
            (breaker._options["on"], breaker._options["ignore"])  # noqa: SLF001
            for breaker in (getattr(policy, "breaker", policy) for policy in policies)
            if breaker.kind == "breaker"
        ]
        self.blind = any(getattr(p, "mode", None) == "process" for p in policies)

    def returned(self, value: Any, begun: float, calls: list[_End]) -> Outcome:
        fallback = not self.blind and all(end.value is not value for end in calls)
        return self._made("ok", begun, calls, value=value, fallback=fallback)

    def raised(self, error: Exception, begun: float, calls: list[_End]) -> Outcome:
        by = None
        # A refusal by guards within the function is a failure of the function.
        if isinstance(error, RejectedError) and all(end.error is not error for end in calls):
            status, by = "rejected", str(error.args[0]) if error.args else None
        elif _is_cancelled(error):
            status = "cancelled"
        elif self._breakers and not any(
            isinstance(error, on) and not isinstance(error, ignore)
            for on, ignore in self._breakers
        ):
            status = "ignored"
        else:
            status = "failed"
        return self._made(status, begun, calls, error=error, rejected_by=by)

    def _made(self, status: str, begun: float, calls: list[_End], **told: Any) -> Outcome:
        facts = {"value": None, "error": None, "rejected_by": None, "fallback": False, **told}
        return Outcome(
            status=status,
            duration=time.perf_counter() - begun,
            attempts=None if self.blind else len(calls),
            **facts,
        )


def outcome_of(
    guard: Callable[[Callable[..., Any]], Callable[..., Any]],
    policies: Sequence[Policy],
    function: Callable[..., Any],
    *,
    asynchronous: bool,
) -> Callable[..., Any]:
    """See `Pipeline.outcome`; `guard` is the pipeline of `policies`."""
    telling = _Telling(policies)
    counted = _counted_async(function) if asynchronous else _counted(function)
    guarded = guard(function if telling.blind else counted)

    if asynchronous:

        @functools.wraps(function)
        async def told_async(*args: Any, **kwargs: Any) -> Outcome:
            begun, calls = time.perf_counter(), []  # type: tuple[float, list[_End]]
            token = _calls.set(calls)
            try:
                return telling.returned(await guarded(*args, **kwargs), begun, calls)
            except Exception as error:  # noqa: BLE001 (it is the outcome)
                return telling.raised(error, begun, calls)
            finally:
                _forget(calls, token)

        return told_async

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Outcome:
        begun, calls = time.perf_counter(), []  # type: tuple[float, list[_End]]
        token = _calls.set(calls)
        try:
            return telling.returned(guarded(*args, **kwargs), begun, calls)
        except Exception as error:  # noqa: BLE001 (it is the outcome)
            return telling.raised(error, begun, calls)
        finally:
            _forget(calls, token)

    return told


def _forget(calls: list[_End], token: Token[list[_End]]) -> None:
    _calls.reset(token)
    for end in calls:
        # Its traceback holds the frame that holds `end`.
        end.error = None


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        end = _End()
        _calls.get().append(end)
        with end:
            end.value = function(*args, **kwargs)
        return end.value

    return call


def _counted_async(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        end = _End()
        _calls.get().append(end)
        with end:
            end.value = await function(*args, **kwargs)
        return end.value

    return call


def _is_cancelled(error: Exception) -> bool:
    from concurrent.futures import CancelledError

    return isinstance(error, CancelledError)
