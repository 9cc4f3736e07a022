import asyncio
import threading

import pytest

from holdfast.errors import BulkheadFullError, InvalidParameterError
from holdfast.resilience import AdaptiveBulkhead, Bulkhead, Pipeline


def test_refuses_what_is_too_many():
    bulkhead = Bulkhead(2, name="two")
    with bulkhead, bulkhead:
        assert bulkhead.in_use == 2
        with pytest.raises(BulkheadFullError, match="two is full: 2"):
            bulkhead(int)()
    assert (bulkhead.in_use, bulkhead(int)()) == (0, 0)


def test_threads_wait_for_their_turn():
    bulkhead = Bulkhead(3, max_wait=10)
    inside, most = [], []

    @bulkhead
    def call():
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    threads = [threading.Thread(target=lambda: [call() for _ in range(50)]) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 600
    assert max(most) <= 3
    assert (bulkhead.in_use, bulkhead.waiting) == (0, 0)


def test_threads_and_tasks_share_the_places():
    bulkhead = Bulkhead(1, max_wait=10)
    order = []
    held, leave = threading.Event(), threading.Event()

    def holder():
        with bulkhead:
            held.set()
            leave.wait(10)
            order.append("thread")

    @bulkhead
    async def task(number):
        order.append(number)
        await asyncio.sleep(0)

    async def main():
        tasks = [asyncio.create_task(task(n)) for n in range(3)]
        while bulkhead.waiting < 3:
            await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(*tasks)

    thread = threading.Thread(target=holder)
    thread.start()
    held.wait(10)
    asyncio.run(main())
    thread.join()
    assert order == ["thread", 0, 1, 2]


def test_who_waits_too_long_is_refused(clock):
    bulkhead = Bulkhead(1, max_wait=5)
    guarded = Pipeline(bulkhead, clock=clock)(int)
    with bulkhead:
        with pytest.raises(BulkheadFullError):
            guarded()
        assert clock() == 1005

        async def main():
            quick = Bulkhead(1, max_wait=0.005)
            async with quick:
                with pytest.raises(BulkheadFullError):
                    await quick(asyncio.sleep)(0)
            assert quick.in_use == 0

        asyncio.run(main())


def test_a_cancelled_waiter_leaves_the_queue():
    bulkhead = Bulkhead(1, max_wait=10)

    async def main():
        async with bulkhead:
            waiting = asyncio.create_task(bulkhead(asyncio.sleep)(0))
            while not bulkhead.waiting:
                await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert bulkhead.waiting == 0
        assert bulkhead.in_use == 0

    asyncio.run(main())


def test_the_limit_changes_in_use():
    bulkhead = Bulkhead(1, max_wait=10)

    async def main():
        async with bulkhead:
            waiting = asyncio.create_task(bulkhead(asyncio.sleep)(0))
            while not bulkhead.waiting:
                await asyncio.sleep(0)
            bulkhead.resize(2)
            await waiting

    asyncio.run(main())


def test_an_adaptive_limit_follows_the_durations(clock):
    bulkhead = AdaptiveBulkhead(10, max_limit=50)
    served = Pipeline(bulkhead, clock=clock)

    def serve(took):
        blocks = [Pipeline(bulkhead, clock=clock) for _ in range(bulkhead.limit)]
        for block in blocks:
            block.__enter__()
        clock.advance(took)
        for block in blocks:
            block.__exit__(None, None, None)

    for _ in range(20):
        serve(0.1)
    grown = bulkhead.limit
    assert grown > 10
    for _ in range(20):
        serve(2.0)
    assert bulkhead.limit < grown
    assert served(int)() == 0
    assert bulkhead.in_use == 0


@pytest.mark.parametrize(
    ("kind", "parameters", "names"),
    [
        (Bulkhead, {"max_concurrent": 0}, "max_concurrent"),
        (Bulkhead, {"max_concurrent": 1, "max_wait": -1}, "max_wait"),
        (Bulkhead, {"max_concurrent": 1, "max_queue": -1}, "max_queue"),
        (AdaptiveBulkhead, {"initial_limit": 5, "min_limit": 6}, "initial_limit"),
        (AdaptiveBulkhead, {"max_limit": 5}, "initial_limit"),
        (AdaptiveBulkhead, {"algorithm": "guess"}, "algorithm"),
    ],
    ids=str,
)
def test_rejects_parameters_outside_their_domain(kind, parameters, names):
    with pytest.raises(InvalidParameterError, match=names):
        kind(**parameters)
