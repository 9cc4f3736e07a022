import asyncio
import gc
import sys

import pytest

from holdfast import _context
from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Fallback,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
    VirtualClock,
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
async def add_soon(a: int, b: int = 2, *, c: int = 3) -> int:
    """Add, soon."""
    await asyncio.sleep(0)
    return a + b + c


def test_a_thousand_tasks_keep_their_contexts_apart():
    inside = Pipeline(
        Timeout(30), Retry(2, base_delay=0.001), Bulkhead(100, max_wait=30, max_queue=1000)
    )
    failed = set()

    @inside
    async def call(number):
        assert _context.current().principal == str(number)
        await asyncio.sleep(0)
        if number % 3 == 0 and number not in failed:
            failed.add(number)
            raise OSError
        assert _context.current().attempt == (2 if number in failed else 1)
        return number

    async def task(number):
        with _context.use(_context.Context(principal=str(number))):
            return await call(number)

    async def main():
        return await asyncio.gather(*(task(n) for n in range(1000)))

    assert asyncio.run(main()) == list(range(1000))
    assert inside.policies[2].in_use == 0


def test_cancelled_calls_give_everything_back():
    clock = VirtualClock()
    breaker = CircuitBreaker(failure_threshold=1, clock=clock)
    bulkhead = Bulkhead(5)

    @Pipeline(breaker, bulkhead)
    async def hang():
        await asyncio.sleep(30)

    async def main():
        tasks = [asyncio.create_task(hang()) for _ in range(5)]
        await asyncio.sleep(0)
        assert bulkhead.in_use == 5
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert (bulkhead.in_use, breaker.state, breaker.failure_count) == (0, "closed", 0)


def test_a_call_that_is_dropped_gives_everything_back():
    bulkhead = Bulkhead(1)

    @bulkhead
    async def hang():
        await asyncio.sleep(30)

    call = hang()
    with pytest.raises(RuntimeError, match="loop"):  # no loop: it is stopped in its sleep
        call.send(None)
    del call
    gc.collect()
    assert bulkhead.in_use == 0

    class Once:
        def __await__(self):
            yield 1

    @bulkhead
    async def suspend():
        await Once()

    call = suspend()
    assert call.send(None) == 1
    assert bulkhead.in_use == 1
    del call
    gc.collect()
    assert bulkhead.in_use == 0


def test_a_coroutine_that_is_not_awaited_warns():
    with pytest.warns(RuntimeWarning, match=r"add_soon' was never awaited"):
        add_soon(1)
        gc.collect()


def test_a_coroutine_cannot_be_awaited_twice_or_from_within():
    async def main():
        call = add_soon(1)
        await call
        with pytest.raises(RuntimeError, match="already awaited"):
            await call

    asyncio.run(main())
    inner = []

    @Pipeline()
    async def itself():
        await inner[0]

    inner.append(itself())
    with pytest.raises(ValueError, match="already executing"):
        inner[0].send(None)
    inner.clear()


def test_throw_and_close_reach_the_coroutine():
    class Once:
        def __await__(self):
            yield 1

    seen = []

    @Pipeline(CircuitBreaker())
    async def call():
        try:
            await Once()
        except KeyError:
            await Once()
            return "recovered"
        except GeneratorExit:
            seen.append("closed")
            raise

    running = call()
    running.send(None)
    assert running.throw(KeyError()) == 1
    with pytest.raises(StopIteration) as stop:
        running.send(None)
    assert stop.value.value == "recovered"
    running = call()
    running.send(None)
    running.close()
    assert seen == ["closed"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tasks do not count cancellations")
@pytest.mark.parametrize("block", [True, False])
def test_a_cancellation_from_outside_goes_before_a_deadline(block):
    pipeline = Pipeline(Timeout(0.001))

    async def work():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            asyncio.current_task().cancel()
            raise

    async def run():
        if block:
            async with pipeline:
                await work()
        else:
            await pipeline(work)()

    async def main():
        task = asyncio.create_task(run())
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(main())
