from __future__ import annotations

import functools
import sys
import threading
import time

from holdfast import _context, _core
from holdfast.errors import DeadlineExceededError
from holdfast.errors._parameters import one_of
from holdfast.errors._parameters import seconds as seconds_of
from holdfast.resilience import _threads
from holdfast.resilience._guard import Guard
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Seconds

_MODES = ("cooperative", "interrupt", "abandon", "process")


class Timeout(Guard):
    """Bound how long a call may take.

    The deadline travels with the call: calls inside see what is left of it, a retry does
    not wait past it, and holdfast's own kernels stop at it. An overrun always raises
    `DeadlineExceededError`, also when the call came back with a result after all.

    Under `async def` every mode cancels the call at the deadline, as `asyncio.timeout`
    does. For plain functions, native code (a BLAS call, a blocking read without a timeout
    of its own) cannot be stopped from within the process; the modes differ in what they do
    about it:

    ==============  ===================================  ==================================
    mode            stops                                at the price of
    ==============  ===================================  ==================================
    "cooperative"   what looks at the deadline           the caller waits for the rest
    "interrupt"     Python code, between two             the exception may come inside a
                    instructions, in any thread          `finally`; sleeps end first
    "abandon"       nothing: the caller goes on, the     a thread, its memory and its locks
                    call goes on in a thread of its own  until the call ends
    "process"       everything: the call runs in a       starting a process; results are
                    process of its own that is killed    pickled, arguments unless forked
    ==============  ===================================  ==================================

    The process is started as `multiprocessing` does by default. A forked one is a copy of this
    one with one thread: a lock that another thread holds stays held in it, until it is killed.
    What the call changes is changed in its process only; what it raises must survive pickling,
    or it comes as the text of a `ChildProcessError`.

    Parameters
    ----------
    seconds : float or timedelta
    mode : {"cooperative", "interrupt", "abandon", "process"}, default "cooperative"
    name : str, optional

    Raises
    ------
    InvalidParameterError
        `seconds` is not greater than 0, or the mode is unknown.
    """

    kind: ClassVar[str] = "timeout"

    def __init__(
        self, seconds: Seconds, *, mode: str = "cooperative", name: str | None = None
    ) -> None:
        one_of("mode", mode, _MODES)
        name = name_of(self.kind, name)
        self.mode = mode
        limit = seconds_of("seconds", seconds, zero=False)
        core = _core.TimeoutPolicy(name, limit, mode == "interrupt")
        super().__init__(name, core, {"seconds": seconds, "mode": mode, "name": name})

    def configure(self, seconds: Seconds) -> None:
        """Change the limit for calls that begin from now on.

        Raises
        ------
        InvalidParameterError
            The limit is no duration above 0.
        """
        self._core.configure(seconds_of("seconds", seconds, zero=False))
        self._options["seconds"] = seconds

    def samples(self) -> Iterable[Sample]:
        """Calls that took too long."""
        totals = {"exceeded": float(self._core.exceeded)}
        return self._totals("timeouts", "Calls that took too long", totals)

    @property
    def _elsewhere(self) -> bool:
        """Whether the call is made in another thread or process."""
        return self.mode in ("abandon", "process")

    def _wrap(self, function: Callable[..., Any], *, asynchronous: bool) -> Callable[..., Any]:
        """`function` made elsewhere, waited for until the deadline in force."""
        if asynchronous:
            return function
        run = _in_thread if self.mode == "abandon" else _in_process

        @functools.wraps(function)
        def elsewhere(*args: Any, **kwargs: Any) -> Any:
            return run(functools.partial(_Named(function), *args, **kwargs), _left())

        return elsewhere


def _left() -> float:
    deadline = _context.current().deadline
    return float("inf") if deadline is None else max(0.0, deadline - time.monotonic())


def _in_thread(call: Callable[[], Any], left: float) -> Any:
    job = _threads.start(call)
    if not job.wait(min(left, threading.TIMEOUT_MAX)):
        raise DeadlineExceededError
    return job.result()


class _Named:
    """A function that is pickled by its name although a guard has that name now."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        function = self._function
        place = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
        try:
            found, depth = _find(*place, 0), 0
            while found is not function:
                found, depth = found.__wrapped__, depth + 1
        except (AttributeError, KeyError):
            return _Named, (function,)  # by itself, if it can be pickled at all
        return _find_named, (*place, depth)


def _find(module: Any, name: Any, depth: int) -> Any:
    found = sys.modules[module]
    for part in str(name).split("."):
        found = getattr(found, part)
    for _ in range(depth):
        found = found.__wrapped__
    return found


def _find_named(module: str, name: str, depth: int) -> _Named:
    __import__(module)
    return _Named(_find(module, name, depth))


def _in_process(call: Callable[[], Any], left: float) -> Any:
    import multiprocessing

    here, there = multiprocessing.Pipe(duplex=False)
    arguments = there, call, _context.current()
    process = multiprocessing.Process(target=_answer, args=arguments, daemon=True)
    try:
        process.start()
    except BaseException:
        here.close()
        raise
    finally:
        there.close()
    try:
        if not here.poll(None if left == float("inf") else left):
            raise DeadlineExceededError
        try:
            well, value = here.recv()
        except EOFError:
            process.join()
            raise ChildProcessError(
                f"the process of the call ended with code {process.exitcode}"
            ) from None
    finally:
        process.kill()
        process.join()
        process.close()
        here.close()
    if well:
        return value
    raise value


def _answer(there: Any, call: Callable[[], Any], context: _context.Context) -> None:
    try:
        with _context.use(context):
            answer = (True, call())
    except Exception as error:  # noqa: BLE001 (raised in the caller's process)
        answer = (False, _told(error))
    try:
        there.send(answer)
    except Exception as error:  # noqa: BLE001 (what cannot be pickled is told as text)
        there.send((False, TypeError(f"the result of the call cannot be sent: {error}")))
    there.close()


def _told(error: Exception) -> Exception:
    """The error, or its text if it does not survive pickling."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
    except Exception:  # noqa: BLE001 (by the methods of a class of the user)
        return ChildProcessError(f"the call raised {type(error).__name__}: {error}")
    return error
