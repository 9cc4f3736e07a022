"""A hedge without budget makes one call, in tasks as in threads."""

import asyncio
import time

from holdfast.resilience import Hedge, RetryBudget


def spent():
    budget = RetryBudget(0.0, per_second=0.0, reserve=1)
    assert budget.withdraw()
    return budget


def test_tasks():
    calls = []

    async def slow():
        calls.append(1)
        await asyncio.sleep(0.005)

    hedge = Hedge(0.001, budget=spent())
    asyncio.run(hedge(slow)())
    assert (len(calls), hedge.hedges) == (1, 0)


def test_threads():
    calls = []
    hedge = Hedge(0.001, budget=spent())
    hedge(lambda: (calls.append(1), time.sleep(0.005)))()
    assert (len(calls), hedge.hedges) == (1, 0)
