import asyncio
import contextlib
import gc
import multiprocessing
import os
import sys
import threading
import weakref

import pytest

from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
)

ALL = (
    Fallback(value=-1, on=ZeroDivisionError),
    Timeout(60),
    Retry(2, base_delay=0),
    CircuitBreaker(),
    RateLimiter(10**9),
    Bulkhead(2000),
)


@Pipeline(*ALL)
def add(a: int, b: int = 2, *, c: int = 3) -> int:
    """Add."""
    return a + b + c


@Pipeline(*ALL)
async def add_soon(a: int, b: int = 2, *, c: int = 3) -> int:
    """Add, soon."""
    await asyncio.sleep(0)
    return a + b + c


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_by_itself():
    interrupting = Timeout(5, mode="interrupt")(lambda: "parent")
    assert interrupting() == "parent"  # the watching thread runs now
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            add(1)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        context = multiprocessing.get_context("fork")
        for _ in range(5):
            here, there = context.Pipe()
            child = context.Process(target=_in_child, args=(there,))
            child.start()
            assert here.poll(60), "the child hangs"
            assert here.recv() == (6, 6, "interrupted")
            child.join()
    finally:
        stop.set()
        thread.join()


def _in_child(there):
    def spin():
        while True:
            pass

    try:
        Timeout(0.01, mode="interrupt")(spin)()
    except TimeoutError:
        outcome = "interrupted"
    there.send((add(1), asyncio.run(add_soon(1)), outcome))


def test_nothing_is_kept_alive():
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    guarded = Pipeline(*ALL)(lambda thing=thing: thing)
    assert guarded() is thing
    del thing, guarded
    gc.collect()
    assert gone() is None

    @Pipeline(Retry(2, base_delay=0), Timeout(5))
    def fails(thing):
        raise OSError

    thing = Thing()
    gone = weakref.ref(thing)
    with contextlib.suppress(OSError):
        fails(thing)
    del thing
    gc.collect()
    assert gone() is None


def test_references_are_counted_right():
    value = object()
    guarded, soon = Pipeline(*ALL)(lambda x: x), Pipeline(*ALL)(_echo)

    def use():
        for _ in range(100):
            guarded(value)
            guarded(x=value)
            asyncio.run(soon(value, x=value))

    use()
    before = sys.getrefcount(value)
    use()
    gc.collect()
    assert sys.getrefcount(value) == before


async def _echo(*args, **kwargs):
    return args, kwargs
