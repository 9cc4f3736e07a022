import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.errors import CircuitOpenError
from holdfast.resilience import (
    CircuitBreaker,
    Pipeline,
    VirtualClock,
)


def failing():
    raise OSError


class Model(RuleBasedStateMachine):
    """The breaker against lists and conditions that are obvious."""

    @initialize(
        threshold=st.integers(1, 4),
        gradual=st.booleans(),
        window=st.one_of(st.none(), st.integers(2, 6)),
        minimum=st.integers(1, 6),
        permits=st.integers(1, 3),
        enough=st.integers(1, 3),
        growth=st.sampled_from([1.0, 2.0]),
    )
    def begin(self, threshold, gradual, window, minimum, permits, enough, growth):
        self.clock = VirtualClock(1.0)
        self.breaker = CircuitBreaker(
            failure_threshold=threshold,
            success_takes_one=gradual,
            window=window,
            minimum_calls=minimum,
            open_time=10,
            open_growth=growth,
            max_open_time=35,
            half_open_permits=permits,
            success_threshold=enough,
            lease=25,
            clock=self.clock,
        )
        self.parameters = threshold, gradual, window, minimum, permits, enough, growth
        self.state, self.generation, self.opened = "closed", 0, 0
        self.failures, self.outcomes, self.now = 0, [], 0
        self.trials, self.passed, self.until = {}, 0, 0
        self.running, self.number = [], 0

    def change(self, state):
        self.state, self.generation = state, self.generation + 1
        self.outcomes, self.trials, self.passed = [], {}, 0
        if state == "closed":
            self.failures = self.opened = 0
        if state == "open":
            self.opened += 1
            self.until = self.now + min(35, 10 * self.parameters[6] ** (self.opened - 1))

    @rule()
    def begin_a_call(self):
        permits = self.parameters[4]
        block = Pipeline(self.breaker)
        if self.state == "open" and self.now >= self.until:
            self.change("half_open")
        admitted = self.state == "closed"
        if self.state == "half_open":
            self.trials = {n: end for n, end in self.trials.items() if end > self.now}
            admitted = len(self.trials) < permits
        if not admitted:
            with pytest.raises(CircuitOpenError):
                block.__enter__()
            return
        block.__enter__()
        self.number += 1
        if self.state == "half_open":
            self.trials[self.number] = self.now + 25
        self.running.append((block, self.generation, self.number))

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 99), end=st.sampled_from(["well", "failed", "cancelled"]))
    def end_a_call(self, index, end):
        threshold, gradual, window, minimum, _, enough, _ = self.parameters
        block, generation, number = self.running.pop(index % len(self.running))
        error = {"well": None, "failed": OSError(), "cancelled": asyncio.CancelledError()}[end]
        block.__exit__(type(error), error, None)
        if generation != self.generation:
            return
        if self.state == "half_open":
            if self.trials.pop(number, None) is None or end == "cancelled":
                return
            if end == "failed":
                self.failures += 1
                self.change("open")
            else:
                self.passed += 1
                if self.passed >= enough:
                    self.change("closed")
        elif self.state == "closed" and end != "cancelled":
            self.outcomes = [*self.outcomes, end == "failed"][-(window or 1) :]
            if end == "failed":
                self.failures += 1
            else:
                self.failures = max(0, self.failures - 1) if gradual else 0
            rate = sum(self.outcomes) / len(self.outcomes)
            enough_calls = window and len(self.outcomes) >= min(minimum, window)
            if self.failures >= threshold or (enough_calls and rate >= 0.5):
                self.change("open")

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds):
        self.clock.advance(seconds)
        self.now += seconds

    @rule()
    def reset(self):
        self.breaker.reset()
        self.change("closed")

    @invariant()
    def agrees(self):
        if hasattr(self, "state"):
            assert self.breaker.state == self.state
            assert self.breaker.failure_count == self.failures


TestAgainstTheModel = Model.TestCase
TestAgainstTheModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=60))
@settings(deadline=None)
def test_a_time_window_agrees_with_a_list_of_calls(calls):
    clock = VirtualClock(100.0)
    breaker = CircuitBreaker(
        failure_threshold=None,
        window=timedelta(seconds=10),
        minimum_calls=4,
        failure_rate=0.6,
        clock=clock,
    )
    history = []
    for wait, failed in calls:
        clock.advance(wait)
        try:
            with breaker:
                if failed:
                    raise OSError
        except OSError:
            pass
        # Ten buckets of a second: what is in the last ten of them counts.
        history.append((int(clock()), failed))
        last = [f for bucket, f in history if bucket > int(clock()) - 10]
        if len(last) >= 4 and sum(last) / len(last) >= 0.6 - 1e-12:
            assert breaker.state == "open"
            return
        assert breaker.state == "closed"
        assert breaker.rates == (len(last), sum(last), 0)
