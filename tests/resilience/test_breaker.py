import asyncio
import threading
from datetime import datetime, timedelta, timezone

import pytest

from holdfast.errors import BulkheadFullError, CircuitOpenError, InvalidParameterError
from holdfast.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitState,
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


def test_times_are_told_the_same_whenever_they_are_asked_for(clock):
    breaker = CircuitBreaker(failure_threshold=3, clock=clock)
    made = breaker.state_changed_time
    began = datetime.now(timezone.utc)
    guarded = breaker(failing)
    fail(guarded, 2)
    failed = breaker.last_failure_time
    assert began - timedelta(seconds=1) < failed <= datetime.now(timezone.utc)
    clock.advance(100)
    assert (breaker.last_failure_time, breaker.state_changed_time) == (failed, made)
    fail(guarded)
    opened = breaker.state_changed_time
    assert opened > made
    with pytest.raises(CircuitOpenError) as refused:
        guarded()
    assert refused.value.last_failure_time == breaker.last_failure_time
    assert breaker.state_changed_time == opened


def test_the_failures_that_count_are_known_by_their_times(clock):
    breaker = CircuitBreaker(failure_threshold=200, clock=clock)
    guarded = breaker(failing)
    assert breaker.failure_history == []
    fail(guarded)
    clock.advance(60)
    fail(guarded)
    first, second = breaker.failure_history
    assert second - first == timedelta(seconds=60)
    assert second == breaker.last_failure_time
    fail(guarded, 150)
    assert len(breaker.failure_history) == 100
    breaker(int)()
    assert breaker.failure_history == []
    gradual = CircuitBreaker(success_takes_one=True, clock=clock)
    fail(gradual(failing), 3)
    gradual(int)()
    assert len(gradual.failure_history) == gradual.failure_count == 2


def test_the_configuration_tells_what_is_in_force():
    breaker = CircuitBreaker("configured", CircuitBreakerConfig(timeout_seconds=60))
    breaker.configure(failure_threshold=7, open_time=5)
    assert (breaker.config.failure_threshold, breaker.config.timeout_seconds) == (7, 5)
    breaker.configure(timeout_seconds=9, monitor_window_seconds=10)
    assert breaker.open_time == breaker.config.recovery_timeout == 9
    assert breaker.config.monitor_window_seconds == 10
    assert not breaker.config.gradual
    with pytest.raises(InvalidParameterError, match="parameters must be among"):
        breaker.configure(bogus=1)


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
