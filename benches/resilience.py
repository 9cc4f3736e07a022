"""What a guard adds to a call that succeeds, against the packages it replaces.

Times are nanoseconds over a bare call, the least of many short rounds in which everything
takes its turn: what else runs on the machine lengthens rounds, it never shortens them.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from holdfast.resilience import (
    Bulkhead,
    CircuitBreaker,
    Pipeline,
    RateLimiter,
    Retry,
    Timeout,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CALLS, ROUNDS, SLOW_CALLS = 2000, 150, 60


def bare(x):
    return x


async def abare(x):
    return x


def peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"missing: {name}")
        return None


def least(calls: dict[str, Callable[[int], object]]) -> dict[str, float]:
    best = dict.fromkeys(calls, float("inf"))
    # A slow peer gets fewer calls a round, so that all get as many rounds.
    counts = {}
    for name, call in calls.items():
        start = time.perf_counter()
        for _ in range(20):
            call(1)
        counts[name] = CALLS if time.perf_counter() - start < 20 * 2e-6 else SLOW_CALLS
    for _ in range(ROUNDS):
        for name, call in calls.items():
            rounds = range(counts[name])
            start = time.perf_counter()
            for _ in rounds:
                call(1)
            best[name] = min(best[name], 1e9 * (time.perf_counter() - start) / len(rounds))
    return best


async def least_async(calls: dict[str, Callable[[int], Awaitable[object]]]) -> dict[str, float]:
    best = dict.fromkeys(calls, float("inf"))
    counts = {}
    for name, call in calls.items():
        start = time.perf_counter()
        for _ in range(20):
            await call(1)
        counts[name] = CALLS if time.perf_counter() - start < 20 * 2e-6 else SLOW_CALLS
    for _ in range(ROUNDS):
        for name, call in calls.items():
            rounds = range(counts[name])
            start = time.perf_counter()
            for _ in rounds:
                await call(1)
            best[name] = min(best[name], 1e9 * (time.perf_counter() - start) / len(rounds))
    return best


def show(
    work: str,
    times: dict[str, float],
    goal: float,
    goals: dict[str, float],
    reference: str = "bare",
) -> None:
    floor = times[reference]
    ours = times["ours"] - floor
    verdict = "" if ours <= goal else "  over goal"
    print(f"{work:44} +{ours:8.1f} ns  goal {goal:g}{verdict}")
    for name, nanoseconds in times.items():
        if name in ("ours", reference):
            continue
        theirs = nanoseconds - floor
        ratio = theirs / max(ours, 1.0)
        wanted = goals.get(name)
        verdict = "" if wanted is None else f"  goal {wanted:g}x"
        verdict += "  below goal" if wanted is not None and ratio < wanted else ""
        print(f"    {name:40} +{theirs:8.1f} ns  {ratio:8.1f}x{verdict}")
    sys.stdout.flush()


def present(**calls: Any) -> dict[str, Any]:
    return {name: call for name, call in calls.items() if call is not None}


def breakers() -> None:
    pybreaker, circuitbreaker = peer("pybreaker"), peer("circuitbreaker")
    theirs = present(
        circuitbreaker=circuitbreaker and circuitbreaker.circuit()(bare),
        pybreaker=pybreaker and pybreaker.CircuitBreaker()(bare),
    )
    coarse = CircuitBreaker()(bare)
    show(
        "breaker, closed, coarse clock",
        least({"bare": bare, "ours": coarse, **theirs}),
        25,
        {"circuitbreaker": 15, "pybreaker": 35},
    )
    precise = Pipeline(CircuitBreaker(window=100, slow_call=0.05), clock="precise")(bare)
    show(
        "breaker, closed, precise clock, slow calls",
        least({"bare": bare, "ours": precise, **theirs}),
        65,
        {"circuitbreaker": 6, "pybreaker": 14},
    )


def retries() -> None:
    tenacity, stamina = peer("tenacity"), peer("stamina")
    stop = tenacity and tenacity.stop_after_attempt(3)
    theirs = present(
        tenacity=tenacity and tenacity.retry(stop=stop)(bare),
        stamina=stamina and stamina.retry(on=OSError)(bare),
    )
    show(
        "retry, success",
        least({"bare": bare, "ours": Retry(3)(bare), **theirs}),
        20,
        {"tenacity": 400, "stamina": 400},
    )


def five() -> Pipeline:
    return Pipeline(Timeout(5.0), Retry(3), CircuitBreaker(), RateLimiter(10**9), Bulkhead(100))


def stacked() -> Any:
    """The same five from the packages there are."""
    tenacity, pybreaker, limits = peer("tenacity"), peer("pybreaker"), peer("limits")
    if not (tenacity and pybreaker and limits):
        return None
    strategy = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
    rate = limits.parse("1000000000/second")
    places = threading.BoundedSemaphore(100)
    inner = pybreaker.CircuitBreaker()(bare)

    def limited(x):
        if not strategy.hit(rate, "key"):
            raise RuntimeError
        with places:
            return inner(x)

    retried = tenacity.retry(stop=tenacity.stop_after_attempt(3))(limited)

    def late(*_):
        raise TimeoutError

    def timed(x):
        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 5.0)
        try:
            return retried(x)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    return timed


def stacked_async() -> Any:
    tenacity, aiobreaker, limits = peer("tenacity"), peer("aiobreaker"), peer("limits")
    if not (tenacity and aiobreaker and limits):
        return None
    strategy = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
    rate = limits.parse("1000000000/second")
    places = asyncio.Semaphore(100)
    inner = aiobreaker.CircuitBreaker()(abare)

    async def limited(x):
        if not strategy.hit(rate, "key"):
            raise RuntimeError
        async with places:
            return await inner(x)

    retried = tenacity.retry(stop=tenacity.stop_after_attempt(3))(limited)

    async def timed(x):
        return await asyncio.wait_for(retried(x), 5.0)

    return timed


def pipelines() -> None:
    theirs = present(stack=stacked())
    times = least({"bare": bare, "ours": five()(bare), **theirs})
    show("deadline, retry, breaker, limiter, bulkhead", times, 120, {"stack": 150})
    theirs = present(stack=stacked_async())
    times = asyncio.run(least_async({"bare": abare, "ours": five()(abare), **theirs}))
    show("the same for a coroutine", times, 120, {"stack": 150})


def limiters() -> None:
    limits = peer("limits")
    hit = hit_key = None
    if limits:
        strategy = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
        rate = limits.parse("1000000000/second")

        def hit(_):
            return strategy.hit(rate)

        def hit_key(_):
            return strategy.hit(rate, "some-user")

    def nothing(_):
        return None

    take = RateLimiter(10**9).try_acquire
    take_key = RateLimiter(10**9, per_key=True).try_acquire
    times = least({"nothing": nothing, "ours": lambda _: take(), **present(limits=hit)})
    show("limiter, one key", times, 40, {"limits": 50}, "nothing")
    keyed = {"ours": lambda _: take_key("some-user"), **present(limits=hit_key)}
    times = least({"nothing": nothing, **keyed})
    show("limiter, per key", times, 90, {"limits": 22}, "nothing")


def imports() -> None:
    def cost(statement: str) -> tuple[float, float]:
        program = (
            "import gc, time\n"
            "def size(): return int(open('/proc/self/statm').read().split()[1]) / 256\n"
            "m, t = size(), time.process_time()\n"
            f"{statement}\n"
            "print(time.process_time() - t, size() - m)"
        )
        command = [sys.executable, "-c", program]
        runs = [
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            for _ in range(5)
        ]
        cpu, memory = (min(float(run[i]) for run in runs) for i in (0, 1))
        return 1e3 * cpu, memory

    policies = "Pipeline, Retry, CircuitBreaker, Timeout, Bulkhead, RateLimiter"
    for what, statement in {
        "both packages": "import holdfast.resilience, holdfast.telemetry",
        "a pipeline's names": f"from holdfast.resilience import {policies}",
        "all names": "from holdfast.resilience import *",
    }.items():
        cpu, memory = cost(statement)
        verdict = "" if cpu <= 25 and memory <= 8 else "  over goal"
        print(f"import, {what}: {cpu:.1f} ms CPU, {memory:.1f} MiB  "
              f"goal 25 ms, 8 MiB{verdict}")  # fmt: skip
    stack = [name for name in ("tenacity", "stamina", "pybreaker", "limits") if peer(name)]
    if stack:
        theirs, size = cost(f"import {', '.join(stack)}")
        cpu, _ = cost(f"from holdfast.resilience import {policies}")
        print(f"    {', '.join(stack)}: {theirs:.1f} ms CPU, {size:.1f} MiB  "
              f"{theirs / cpu:.1f}x of a pipeline's names")  # fmt: skip


def fits() -> None:
    """What a clusterer pays per fit for guards that nobody listens to."""
    numpy = peer("numpy")
    if numpy is None:
        return
    from holdfast.clustering import NeuromorphicClusterer
    from holdfast.clustering._guard import Guard

    guard = Guard(None)
    times = least({"bare": bare, "ours": lambda _: guard.call(time.monotonic, None)})
    rows = numpy.random.default_rng(0).random((50, 4))
    clusterer = NeuromorphicClusterer("esn", n_clusters=2, enable_caching=False)
    fit = min(_seconds(lambda: clusterer.fit(rows)) for _ in range(30))
    cost = times["ours"] - times["bare"]
    print(f"guards of a fit, nobody listening: {cost / 1e3:.1f} us of {1e3 * fit:.2f} ms "
          f"(50 rows), {cost / fit / 1e7:.2f} %")  # fmt: skip


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def parallel() -> None:
    """Eight threads of 100 ms through one breaker: no lock may be held across the call."""

    def wall(guarded: Callable[[float], object]) -> float:
        threads = [threading.Thread(target=guarded, args=(0.1,)) for _ in range(8)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    pybreaker = peer("pybreaker")
    ours = wall(CircuitBreaker()(time.sleep))
    print(f"8 threads x 100 ms through one breaker: {ours:.2f} s")
    if pybreaker:
        theirs = wall(pybreaker.CircuitBreaker()(time.sleep))
        print(f"    pybreaker: {theirs:.2f} s  {theirs / ours:.1f}x")


if __name__ == "__main__":
    breakers()
    retries()
    pipelines()
    limiters()
    fits()
    parallel()
    imports()
