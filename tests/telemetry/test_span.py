"""Spans and their ids through threads, tasks, executors and processes."""

import asyncio
import concurrent.futures
import multiprocessing
import re
import threading

import pytest

from holdfast import _context
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    CarryingExecutor,
    carry,
    configure_tracing,
    current_trace_id,
    on_span,
    record_spans,
    span,
)


def test_inner_spans_are_children_in_one_trace():
    with record_spans() as ended, span("outer") as outer:
        with span("first"):
            pass
        with span("second"), span("deep"):
            pass
    assert [s.name for s in ended] == ["first", "deep", "second", "outer"]
    by_name = {s.name: s for s in ended}
    assert {s.trace_id for s in ended} == {outer.trace_id}
    parents = {s.name: s.parent_id for s in ended}
    assert parents == {
        "first": outer.span_id,
        "second": outer.span_id,
        "deep": by_name["second"].span_id,
        "outer": "",
    }
    assert len({s.span_id for s in ended}) == 4
    assert re.fullmatch("[0-9a-f]{32}", outer.trace_id)
    assert re.fullmatch("[0-9a-f]{16}", outer.span_id)
    assert by_name["deep"].duration <= by_name["second"].duration <= by_name["outer"].duration
    assert current_trace_id() == ""


def test_a_span_tells_how_it_ended():
    async def cancelled():
        async with span("cancelled"):
            raise asyncio.CancelledError

    with record_spans() as ended:
        with span("fine", a=1) as one:
            one.set(b=2)
            one.event("half", n=3)
        with pytest.raises(ValueError, match="bad"), span("failed"):
            raise ValueError("bad")
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cancelled())
    fine, failed, stopped = ended
    assert (fine.status, fine.error, fine.attributes) == ("ok", None, {"a": 1, "b": 2})
    ((at, name, attributes),) = fine.events
    assert (name, attributes) == ("half", {"n": 3})
    assert 0 <= at <= fine.duration == one.duration
    assert (failed.status, failed.error) == ("error", "ValueError: bad")
    assert stopped.status == "cancelled"


def test_a_decorated_function_is_a_span_per_call_and_keeps_its_name():
    @span("work", kind="sync")
    def add(a, b=1):
        """Adds."""
        return a + b

    @span("work", kind="async")
    async def add_later(a, b=1):
        await asyncio.sleep(0)
        return a + b

    with record_spans() as ended:
        assert (add(1), add(1, b=2)) == (2, 3)
        assert asyncio.run(add_later(1)) == 2
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert asyncio.iscoroutinefunction(add_later)
    assert len({s.trace_id for s in ended}) == 3


def test_a_generator_cannot_be_decorated():
    with pytest.raises(InvalidParameterError, match="function must not be a generator"):

        @span("x")
        def numbers():
            yield 1


def test_one_span_cannot_run_twice_at_once():
    one = span("x")
    with one, pytest.raises(RuntimeError, match="'x' is running already"), one:
        pass


def test_a_span_that_ends_in_another_context_harms_nobody():
    def numbers():
        with span("inside"):
            yield 1

    generator = numbers()
    thread = threading.Thread(target=lambda: next(generator))
    thread.start()
    thread.join()
    with span("mine") as mine:
        assert next(generator, None) is None
        assert current_trace_id() == mine.trace_id


def test_what_a_listener_raises_goes_no_further(caplog):
    def fails(record):
        raise RuntimeError("listener")

    stop = on_span(fails)
    try:
        with record_spans() as ended, span("x"):
            pass
    finally:
        stop()
    assert len(ended) == 1
    assert "a span listener failed" in caplog.text


def test_every_field_of_the_context_is_carried_into_a_span():
    # The span makes contexts field by field: a new field must not be left out.
    names = set(_context.Context.__slots__)
    assert names == {"trace_id", "span_id", "sampled", "deadline", "principal", "attempt"}


def test_deadline_and_principal_stay():
    context = _context.Context(deadline=5.0, principal="ada", attempt=2)
    with _context.use(context), span("x") as one:
        inside = _context.current()
    assert (inside.deadline, inside.principal, inside.attempt) == (5.0, "ada", 2)
    assert (inside.trace_id, inside.span_id) == (one.trace_id, one.span_id)


# --- sampling --------------------------------------------------------------------------------
def test_about_the_asked_share_of_traces_is_recorded_and_whole_traces_only():
    configure_tracing(sample_ratio=0.25)
    try:
        with record_spans() as ended:
            for _ in range(2000):
                with span("outer"), span("inner"):
                    assert current_trace_id()
    finally:
        configure_tracing()
    outer = [s.trace_id for s in ended if s.name == "outer"]
    inner = [s.trace_id for s in ended if s.name == "inner"]
    assert outer == inner
    assert 380 < len(outer) < 620  # six standard deviations around 500


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan"), "half"])
def test_a_share_is_between_none_and_all(ratio):
    with pytest.raises(
        InvalidParameterError, match="sample_ratio must be a finite number >= 0 and <= 1"
    ):
        configure_tracing(sample_ratio=ratio)


# --- elsewhere -------------------------------------------------------------------------------
def test_a_thousand_tasks_keep_their_ids_apart():
    async def task(n):
        async with span("task", n=n) as outer:
            for _ in range(3):
                await asyncio.sleep(0)
                with span("step"):
                    assert current_trace_id() == outer.trace_id
                await asyncio.sleep(0)
                assert _context.current().span_id == outer.span_id
        return outer.trace_id

    async def all_of_them():
        return await asyncio.gather(*(task(n) for n in range(1000)))

    with record_spans() as ended:
        traces = asyncio.run(all_of_them())
    assert len(set(traces)) == 1000
    parents = {s.span_id: s for s in ended if s.name == "task"}
    steps = [s for s in ended if s.name == "step"]
    assert len(steps) == 3000
    assert all(parents[s.parent_id].trace_id == s.trace_id for s in steps)
    assert len({s.span_id for s in ended}) == 4000


def test_tasks_of_a_span_are_in_its_trace():
    async def child():
        await asyncio.sleep(0)
        return current_trace_id(), await asyncio.to_thread(current_trace_id)

    async def parent():
        async with span("parent") as one:
            task = asyncio.create_task(child())
        return one.trace_id, await task

    trace, seen = asyncio.run(parent())
    assert seen == (trace, trace)


def test_threads_start_without_a_trace_unless_it_is_carried():
    seen = []
    with span("x") as one:
        for work in (current_trace_id, carry(current_trace_id)):
            thread = threading.Thread(target=lambda work=work: seen.append(work()))
            thread.start()
            thread.join()
    assert seen == ["", one.trace_id]


def test_a_carried_function_may_run_in_many_threads_at_once():
    barrier = threading.Barrier(4)
    seen = []

    def work():
        barrier.wait(10)
        seen.append(current_trace_id())

    with span("x") as one:
        carried = carry(work)
    threads = [threading.Thread(target=carried) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [one.trace_id] * 4


def test_executors_carry_the_trace_of_each_submitter():
    with concurrent.futures.ThreadPoolExecutor(2) as pool, CarryingExecutor(pool) as executor:
        jobs = []
        for _ in range(20):
            with span("x") as one:
                jobs.append((one.trace_id, executor.submit(current_trace_id)))
        with span("map") as mapped:
            found = list(executor.map(lambda _: current_trace_id(), range(5)))
    assert all(job.result() == trace for trace, job in jobs)
    assert found == [mapped.trace_id] * 5


def test_other_processes_get_the_trace_too():
    spawn = multiprocessing.get_context("spawn")
    with (
        concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool,
        CarryingExecutor(pool) as executor,
        span("x") as one,
    ):
        assert executor.submit(current_trace_id).result() == one.trace_id


def test_run_in_executor_carries_through_a_carrying_executor():
    async def main(executor):
        async with span("x") as one:
            loop = asyncio.get_running_loop()
            return one.trace_id, await loop.run_in_executor(executor, current_trace_id)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        trace, seen = asyncio.run(main(CarryingExecutor(pool)))
    assert trace == seen
