"""The deadline is in the context of a call, of what it starts, and of nothing else."""

import asyncio
import gc
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import _context
from holdfast.errors import DeadlineExceededError
from holdfast.resilience import Pipeline, Timeout, VirtualClock

other: ContextVar[object] = ContextVar("other", default=None)

leaves = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 3)),
    st.tuples(st.just("advance"), st.integers(1, 4)),
    st.tuples(st.just("keep")),
)
steps = st.recursive(
    st.lists(leaves, max_size=4),
    lambda inner: st.lists(
        st.one_of(
            leaves,
            st.tuples(st.just("guard"), st.integers(1, 5), inner, st.integers(1, 3)),
            st.tuples(st.just("copy"), inner),
        ),
        max_size=4,
    ),
    max_leaves=15,
)


class Walk:
    """Runs steps under guards, and by a model in which a deadline is an argument."""

    def __init__(self):
        self.clock = VirtualClock(1000)
        self.kept = []

    def check(self, deadline):
        seen = _context.deadline.get()
        assert seen == (None if deadline is None else pytest.approx(deadline, abs=1e-6))

    def run(self, steps, deadline, value):
        for kind, *rest in steps:
            if kind == "set":
                (value,) = rest
                other.set(value)
            elif kind == "advance":
                self.clock.advance(rest[0])
            elif kind == "keep":
                self.kept.append((copy_context(), deadline, value))
            elif kind == "copy":
                copy_context().run(self.run, rest[0], deadline, value)
            else:
                value = self.guard(*rest, deadline, value)
            self.check(deadline)
            assert other.get() == value
        return value

    def guard(self, limit, inner, times, deadline, value):
        guarded = Pipeline(Timeout(limit), clock=self.clock)(self.run)
        for _ in range(times):
            ends = self.clock() + limit
            ends = ends if deadline is None else min(ends, deadline)
            begins = ends > self.clock()
            try:
                value = guarded(inner, ends, value)
            except DeadlineExceededError:
                value = other.get()
                assert self.clock() >= ends
            else:
                assert begins
            self.check(deadline)
        return value


@given(steps)
def test_it_is_what_the_calls_around_say_whatever_else_is_set(steps):
    walk = Walk()
    Context().run(walk.run, steps, None, None)
    for context, deadline, value in walk.kept:
        context.run(walk.check, deadline)
        assert context.get(other) == value


def test_tasks_keep_the_deadline_of_the_call_that_started_them_and_no_other():
    clock = VirtualClock(1000)

    async def look(release):
        await release.wait()
        return _context.deadline.get()

    async def main():
        release = asyncio.Event()
        tasks = []

        async def start():
            tasks.append(asyncio.create_task(look(release)))
            await asyncio.sleep(0)

        for limit in (5, 7):
            guarded = Pipeline(Timeout(limit), clock=clock)(start)
            for _ in range(3):
                await guarded()
            await start()
        release.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [1005] * 3 + [None] + [1007] * 3 + [None]


def test_threads_do_not_see_each_others_deadlines():
    clock = VirtualClock(1000)

    def look(limit):
        guarded = Pipeline(Timeout(limit), clock=clock)(_context.deadline.get)
        return {guarded() for _ in range(200)} | {_context.deadline.get()}

    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(look, range(1, 9)))
    assert seen == [{1000.0 + limit, None} for limit in range(1, 9)]


def test_nothing_of_a_context_outlives_it():
    class Thing:
        pass

    def serve(thing):
        other.set(thing)
        for _ in range(5):
            guarded(thing)

    guarded = Pipeline(Timeout(5), clock=VirtualClock(1000))(lambda thing: thing)
    things = [Thing() for _ in range(6)]
    gone = [weakref.ref(thing) for thing in things]
    for thing in things:
        Context().run(serve, thing)
    del thing, things
    gc.collect()
    assert [thing() for thing in gone] == [None] * 6


def test_the_references_of_a_context_are_counted_right():
    clock = VirtualClock(1000)
    change = Pipeline(Timeout(5), clock=clock)(lambda: other.set(object()))
    stay = Pipeline(Timeout(5), clock=clock)(lambda: None)
    marker = object()

    def rounds(count):
        for turn in range(count):
            stay()
            if turn % 3 == 0:
                change()
                other.set(marker)
            if turn % 5 == 0:
                clock.advance(0.001)

    context = Context()
    context.run(rounds, 50)
    gc.collect()
    before, blocks = sys.getrefcount(marker), sys.getallocatedblocks()
    context.run(rounds, 3000)
    gc.collect()
    assert sys.getrefcount(marker) == before
    assert sys.getallocatedblocks() - blocks < 500
