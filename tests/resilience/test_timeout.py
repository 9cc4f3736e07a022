import asyncio
import contextlib
import multiprocessing
import os
import pickle
import threading
import time

import pytest

from holdfast import _context
from holdfast.errors import DeadlineExceededError, InvalidParameterError
from holdfast.resilience import CircuitBreaker, Pipeline, Timeout


def test_an_overrun_is_always_told(made, clock):
    pipe = Pipeline(Timeout(2.0, name="quick"), clock=clock)
    guarded = made(pipe, clock.advance)
    guarded(1.9)
    with pytest.raises(DeadlineExceededError, match="quick took longer than 2 s") as caught:
        guarded(2.0)
    assert isinstance(caught.value, TimeoutError)


def test_an_exception_after_the_deadline_is_the_cause(made, clock):
    def late():
        clock.advance(3)
        raise OSError("late")

    with pytest.raises(DeadlineExceededError) as caught:
        made(Pipeline(Timeout(2), clock=clock), late)()
    assert isinstance(caught.value.__cause__, OSError)


def test_an_exception_before_the_deadline_is_itself(made, clock):
    def early():
        raise OSError

    with pytest.raises(OSError):
        made(Pipeline(Timeout(2), clock=clock), early)()


def test_calls_inside_see_the_earliest_deadline(made, clock):
    seen = []

    def inner():
        seen.append(_context.current().deadline)

    for outer, own in [(5, 2), (2, 5)]:
        made(Pipeline(Timeout(outer), Timeout(own), clock=clock), inner)()
    assert seen == [1002, 1002]
    with _context.use(_context.Context(deadline=1001.0)):
        made(Pipeline(Timeout(5), clock=clock), inner)()
    assert seen[-1] == 1001
    assert _context.current() is _context.NOWHERE


def test_a_call_that_is_too_late_is_not_begun(clock):
    calls = []
    guarded = Pipeline(Timeout(5), clock=clock)(lambda: calls.append(1))
    with _context.use(_context.Context(deadline=999.0)), pytest.raises(DeadlineExceededError):
        guarded()
    assert calls == []


def test_a_coroutine_is_cancelled_at_its_deadline():
    cleaned = []

    @Timeout(0.01)
    async def hang():
        try:
            await asyncio.sleep(30)
        finally:
            cleaned.append(True)

    async def main():
        with pytest.raises(DeadlineExceededError):
            await hang()
        task = asyncio.current_task()
        return getattr(task, "cancelling", int)()

    assert asyncio.run(main()) == 0
    assert cleaned == [True]


def test_a_cancellation_from_outside_stays_one():
    async def main():
        task = asyncio.create_task(Timeout(30)(asyncio.sleep)(30))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_block_has_a_deadline_too(clock):
    with pytest.raises(DeadlineExceededError), Pipeline(Timeout(1), clock=clock):
        clock.advance(2)

    async def main():
        with pytest.raises(DeadlineExceededError):
            async with Timeout(0.01):
                await asyncio.sleep(30)

    asyncio.run(main())


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_python_code_is_interrupted():
    guarded = Timeout(0.02, mode="interrupt")(spin)
    with pytest.raises(DeadlineExceededError):
        guarded(30)


def test_an_interrupt_never_arrives_late():
    guarded = Timeout(0.001, mode="interrupt")(spin)
    strays = []

    def worker():
        for _ in range(20):
            with contextlib.suppress(DeadlineExceededError):
                guarded(0.0009)
            try:
                spin(0.0005)
            except BaseException as stray:  # noqa: BLE001
                strays.append(stray)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert strays == []


def test_an_interrupt_that_is_swallowed_is_an_overrun_all_the_same():
    @Timeout(0.01, mode="interrupt")
    def stubborn():
        try:
            spin(30)
        except TimeoutError:
            return "result"

    with pytest.raises(DeadlineExceededError):
        stubborn()


def test_a_call_is_left_behind():
    go_on = threading.Event()
    came = []

    @Timeout(0.01, mode="abandon")
    def hang():
        came.append(go_on.wait(10))

    with pytest.raises(DeadlineExceededError):
        hang()
    assert came == []
    go_on.set()
    assert Timeout(10, mode="abandon")(lambda x, y=1: (x, y))(2, y=3) == (2, 3)


def test_the_context_goes_along_into_the_other_thread():
    def inner():
        return _context.current().principal, threading.current_thread().name

    with _context.use(_context.Context(principal="ann")):
        principal, thread = Timeout(10, mode="abandon")(inner)()
    assert principal == "ann"
    assert thread != threading.current_thread().name


def hang_in_native_code():
    return 3 ** (3**18)


def double(x):
    if x < 0:
        raise ValueError("negative")
    return 2 * x


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_is_killed():
    with pytest.raises(DeadlineExceededError):
        Timeout(0.05, mode="process")(hang_in_native_code)()
    guarded = Timeout(30, mode="process")(double)
    assert guarded(21) == 42
    with pytest.raises(ValueError, match="negative"):
        guarded(-1)


@Timeout(60, mode="process")
def whereabouts(value):
    """The process, the value and the deadline there."""
    if value is None:
        raise UnpicklableError("lost", "found")
    return os.getpid(), value, _context.current().deadline


class UnpicklableError(Exception):
    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


@pytest.fixture(params=multiprocessing.get_all_start_methods())
def started(request, monkeypatch):
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(multiprocessing, "Process", context.Process)
    return request.param


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_process_has_the_deadline_and_the_function_under_its_guard(started):
    before = time.monotonic()
    process, value, deadline = whereabouts(3)
    assert process != os.getpid()
    assert value == 3
    assert before < deadline <= time.monotonic() + 60
    with pytest.raises(ChildProcessError, match="UnpicklableError: lost and found"):
        whereabouts(None)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_only_a_fork_takes_what_cannot_be_pickled(started):
    guarded = Timeout(60, mode="process")(lambda lock: lock.locked())
    lock = threading.Lock()
    if started == "fork":
        assert guarded(lock) is False
    else:
        with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match="pickle"):
            guarded(lock)


def test_whether_the_breaker_sees_an_overrun_is_a_matter_of_order(clock):
    for inside in (True, False):
        breaker, timeout = CircuitBreaker(clock=clock), Timeout(1)
        policies = (breaker, timeout) if inside else (timeout, breaker)
        with pytest.raises(DeadlineExceededError):
            Pipeline(*policies)(clock.advance)(2)
        assert breaker.failure_count == int(inside)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "1", None], ids=repr)
def test_rejects_a_limit_that_is_none(seconds):
    with pytest.raises(InvalidParameterError, match="seconds"):
        Timeout(seconds)


def test_rejects_an_unknown_mode():
    with pytest.raises(InvalidParameterError, match="mode"):
        Timeout(1, mode="hope")
