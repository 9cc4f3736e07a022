import asyncio
import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.errors import BulkheadFullError, CircuitOpenError, InvalidParameterError
from holdfast.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitState,
    Pipeline,
    VirtualClock,
)


def fail(guarded, times=1, error=OSError):
    for _ in range(times):
        with pytest.raises(error):
            guarded()


def failing():
    raise OSError


def test_opens_refuses_tries_and_closes(made, clock):
    breaker = CircuitBreaker("b", failure_threshold=3, open_time=10, clock=clock)
    answer = [OSError()]

    def call():
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]

    guarded = made(breaker, call)
    fail(guarded, 3)
    assert breaker.state == "open"
    clock.advance(4)
    with pytest.raises(CircuitOpenError) as refused:
        guarded()
    assert refused.value.retry_after == pytest.approx(6)
    assert (refused.value.circuit_name, refused.value.failure_count) == ("b", 3)
    assert isinstance(refused.value.last_failure_time, datetime)
    clock.advance(6)
    assert breaker.state is CircuitState.OPEN  # looking does not change it
    fail(guarded)
    assert breaker.state == "open"
    clock.advance(10)
    answer[0] = "well"
    assert guarded() == "well"
    assert breaker.state == "closed"


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


def test_slow_calls_open_it_though_they_succeed(clock):
    breaker = CircuitBreaker(
        window=10, minimum_calls=3, slow_call=1.0, slow_rate=0.9, clock=clock
    )
    for _ in range(3):
        assert breaker.state == "closed"
        breaker(clock.advance)(1.5)
    assert breaker.state == "open"


def test_half_open_admits_exactly_its_permits_under_fifty_threads(clock):
    breaker = CircuitBreaker(
        failure_threshold=1, half_open_permits=3, success_threshold=3, clock=clock
    )
    fail(breaker(failing))
    clock.advance(30)
    meet, decided = threading.Barrier(50), threading.Barrier(50)
    admitted, refused = [], []

    @breaker
    def trial():
        admitted.append(1)
        decided.wait(10)

    def caller():
        meet.wait(10)
        try:
            trial()
        except CircuitOpenError:
            refused.append(1)
            decided.wait(10)

    threads = [threading.Thread(target=caller) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), len(refused)) == (3, 47)
    assert breaker.state == "closed"


def test_eight_threads_meet_inside_one_breaker():
    meet = threading.Barrier(8)
    guarded = CircuitBreaker(window=10)(lambda: meet.wait(10))
    threads = [threading.Thread(target=guarded) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not meet.broken


def test_a_late_success_does_not_close_it(clock):
    breaker = CircuitBreaker(failure_threshold=1, clock=clock)
    with breaker:
        fail(breaker(failing))
        assert breaker.state == "open"
    assert breaker.state == "open"
    totals = {s.labels["outcome"]: s.value for s in breaker.samples() if "outcome" in s.labels}
    assert totals["late"] == 1


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), KeyboardInterrupt(), BulkheadFullError("b", 1), KeyError()],
    ids=repr,
)
def test_what_says_nothing_of_the_dependency_counts_neither_way(error, clock):
    breaker = CircuitBreaker(failure_threshold=1, on=Exception, ignore=KeyError, clock=clock)

    @breaker
    def call():
        raise error

    fail(call, 3, type(error))
    assert (breaker.state, breaker.failure_count) == ("closed", 0)


def test_only_named_exceptions_and_results_count(clock):
    breaker = CircuitBreaker(
        failure_threshold=2, on=(OSError,), fail_if=lambda answer: answer == 503, clock=clock
    )
    fail(breaker(lambda: {}["missing"]), 5, KeyError)
    assert breaker.state == "closed"
    guarded = breaker(lambda: 503)
    assert [guarded(), guarded()] == [503, 503]
    assert breaker.state == "open"


def test_a_judgement_that_fails_is_none(clock, caplog):
    breaker = CircuitBreaker(failure_threshold=1, fail_if=lambda answer: answer.x, clock=clock)
    assert breaker(lambda: 1)() == 1
    assert breaker.state == "closed"
    assert "on_result failed" in caplog.text


def test_states_set_by_hand(clock):
    breaker = CircuitBreaker(failure_threshold=1, clock=clock)
    guarded = breaker(failing)
    breaker.disable()
    fail(guarded, 3)
    breaker.metrics_only()
    fail(guarded, 3)
    assert breaker.state is CircuitState.METRICS_ONLY
    opened = [s.value for s in breaker.samples() if s.labels.get("outcome") == "opened"]
    assert opened == [3]
    breaker.force_open()
    clock.advance(1e6)
    with pytest.raises(CircuitOpenError) as refused:
        guarded()
    assert refused.value.retry_after is None
    breaker.reset()
    fail(guarded)


def test_parameters_change_in_use_without_losing_the_count(clock):
    breaker = CircuitBreaker(failure_threshold=5, clock=clock)
    fail(breaker(failing), 3)
    breaker.configure(failure_threshold=4)
    assert breaker.failure_count == 3
    fail(breaker(failing))
    assert breaker.state == "open"
    with pytest.raises(InvalidParameterError, match="treshold"):
        breaker.configure(treshold=3)


def test_events_tell_the_transitions(clock, events):
    breaker = CircuitBreaker("b", failure_threshold=1, open_time=1, clock=clock)
    fail(breaker(failing))
    fail(breaker(failing), error=CircuitOpenError)
    clock.advance(1)
    breaker(int)()
    kinds = [event.kind for event in events]
    assert kinds == [
        "breaker.opened",
        "breaker.rejected",
        "breaker.half_opened",
        "breaker.closed",
    ]
    assert {event.source for event in events} == {"b"}


def test_the_open_time_is_spread(clock):
    waits = set()
    for _ in range(40):
        breaker = CircuitBreaker(
            failure_threshold=1, open_time=10, open_jitter=0.5, clock=clock
        )
        fail(breaker(failing))
        with pytest.raises(CircuitOpenError) as refused:
            breaker(int)()
        waits.add(refused.value.retry_after)
    assert 5 <= min(waits) < max(waits) <= 10
    assert len(waits) > 30


def test_two_spellings_two_ways_to_recover(clock):
    by_timeout = CircuitBreaker(CircuitBreakerConfig(timeout_seconds=10), clock=clock)
    by_recovery = CircuitBreaker(CircuitBreakerConfig(recovery_timeout=10), clock=clock)
    for breaker, trials, left in [(by_timeout, 3, 0), (by_recovery, 1, 1)]:
        fail(breaker(failing), 2)
        breaker(int)()
        assert breaker.failure_count == left
        fail(breaker(failing), 5 - left)
        assert breaker.state == "open"
        clock.advance(10)
        for _ in range(trials):
            assert breaker.state != "closed"
            breaker(int)()
        assert breaker.state == "closed"


def test_the_threshold_is_honoured_whatever_the_rate(clock):
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=5), clock=clock)
    fail(breaker(failing), 4)
    assert breaker.state == "closed"
    fail(breaker(failing))
    assert breaker.state == "open"


def test_the_status_is_plain(clock):
    breaker = CircuitBreaker("b", clock=clock)
    assert breaker.get_status()["last_failure_time"] is None
    fail(breaker(failing), 5)
    status = breaker.get_status()
    assert {k: status[k] for k in ("name", "state", "failure_count", "success_count")} == {
        "name": "b",
        "state": "open",
        "failure_count": 5,
        "success_count": 0,
    }
    assert datetime.fromisoformat(status["state_changed_time"])


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"failure_threshold": 0}, "failure_threshold"),
        ({"failure_threshold": -1}, "failure_threshold"),
        ({"failure_threshold": None}, "failure_threshold"),
        ({"window": 0}, "window"),
        ({"window": timedelta(0)}, "window"),
        ({"failure_rate": 0.0}, "failure_rate"),
        ({"failure_rate": 1.1}, "failure_rate"),
        ({"minimum_calls": 0}, "minimum_calls"),
        ({"slow_call": 1.0}, "slow_call"),
        ({"adaptive": True}, "adaptive"),
        ({"open_time": 0}, "open_time"),
        ({"open_growth": 0.5}, "open_growth"),
        ({"open_time": 9, "max_open_time": 3}, "max_open_time"),
        ({"open_jitter": 2}, "open_jitter"),
        ({"half_open_permits": 0}, "half_open_permits"),
        ({"success_threshold": 0}, "success_threshold"),
        ({"lease": 0}, "lease"),
        ({"on": 3}, "on"),
        ({"clock": "sundial"}, "clock"),
    ],
    ids=str,
)
def test_rejects_parameters_outside_their_domain(parameters, names):
    with pytest.raises(InvalidParameterError, match=names):
        CircuitBreaker(**parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"timeout_seconds": 1, "recovery_timeout": 2},
        {"failure_threshold": 0},
        {"timeout_seconds": 0},
        {"recovery_timeout": -1},
    ],
    ids=str,
)
def test_a_configuration_is_checked_when_it_is_made(parameters):
    with pytest.raises(InvalidParameterError):
        CircuitBreakerConfig(**parameters)
