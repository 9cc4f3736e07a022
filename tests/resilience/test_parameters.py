"""Every parameter of everything public meets values that make no sense.

Each is either among those that mean something, listed in `ACCEPTED`, or refused where it is
written, by an error that tells parameter, rule and value.
"""

import inspect
import math
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from holdfast import resilience
from holdfast.errors import InvalidParameterError
from holdfast.resilience import (
    AdaptiveBulkhead,
    Attempts,
    Bulkhead,
    CircuitBreaker,
    CircuitBreakerConfig,
    Degradation,
    Fallback,
    Hedge,
    Lease,
    Level,
    Lockout,
    Pipeline,
    Pool,
    RateLimiter,
    Retry,
    RetryBudget,
    RetryConfig,
    SharedBreaker,
    SharedRateLimiter,
    Timeout,
    VirtualClock,
    circuit_breaker,
    managed_resource,
    pipeline,
    retry,
    with_fallback,
    with_timeout,
)


class Client:
    """What a client of redis-py has that is looked at when a policy is made."""

    def register_script(self, source):
        return source

    def pttl(self, key):
        return 0


# What each needs to be made at all.
SUBJECTS = {
    AdaptiveBulkhead: {},
    Attempts: {"retry": Retry()},
    Bulkhead: {"max_concurrent": 1},
    CircuitBreaker: {"window": 10},
    CircuitBreakerConfig: {},
    Degradation: {"levels": Level("lean", 0.8, 0.6)},
    Fallback: {"value": 1},
    Hedge: {},
    Lease: {"pool": Pool(object)},
    Level: {"name": "lean", "enter": 0.8, "leave": -5},
    Lockout: {},
    Pipeline: {},
    Pool: {"create": object},
    RateLimiter: {"limit": 1},
    Retry: {},
    RetryBudget: {},
    RetryConfig: {},
    SharedBreaker: {"breaker": CircuitBreaker(), "redis": Client()},
    SharedRateLimiter: {"redis": Client(), "limit": 1, "name": "n"},
    Timeout: {"seconds": 1},
    VirtualClock: {},
    circuit_breaker: {"name": "of parameters"},
    managed_resource: {"resource": 1},
    pipeline: {"name": "of parameters"},
    retry: {"name": "of parameters"},
    with_fallback: {"handlers": print},
    with_timeout: {"seconds": 1},
}

THING = object()
HOSTILE = {
    "None": None,
    "text": "x",
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "-1": -1,
    "0": 0,
    "0.5": 0.5,
    "True": True,
    "object": THING,
    "list": [],
    "huge": 10**30,
    "negative": timedelta(seconds=-1),
}

ANY = set(HOSTILE)
NONE = {"None"}
ACCEPTED = {
    # what a duration may be where 0 means "not at all" or "at once"
    "base_delay": {"0", "0.5", "huge"},
    "max_delay": {"0", "0.5", "huge"},
    "max_wait": {"0", "0.5", "huge", "inf"},
    "hold": {"0", "0.5", "huge"},
    "slow_call": {"None", "0.5", "huge"},
    # a duration above 0
    "seconds": {"0.5", "huge"},
    "timeout_seconds": {"None", "0.5", "huge"},
    "recovery_timeout": {"None", "0.5", "huge"},
    "monitor_window_seconds": {"0.5", "huge"},
    "period": {"0.5"},
    "freshness": {"0.5", "huge"},
    "within": {"0.5", "huge"},
    "duration": {"0.5", "huge"},
    "open_time": {"0.5", "huge"},
    "max_open_time": {"None", "huge"},
    "lease": {"0.5", "huge"},
    "max_elapsed": {"None", "0.5", "huge"},
    "max_idle": {"None", "0.5", "huge"},
    "max_age": {"None", "0.5", "huge"},
    "leak_after": {"None", "0.5", "huge"},
    "delay": {"None", "0", "0.5", "huge"},
    # numbers
    "share": {"0", "0.5"},
    "per_second": {"0", "0.5", "huge"},
    "reserve": {"huge"},
    "quantile": {"0.5"},
    "jitter": {"0", "0.5"},
    "backoff_multiplier": {"huge"},
    "failure_rate": {"0.5"},
    "failure_rate_threshold": {"0.5"},
    "slow_rate": {"0.5"},
    "local_share": {"0.5"},
    "open_growth": {"huge"},
    "open_jitter": {"0", "0.5"},
    "enter": {"-1", "0", "0.5", "huge"},
    "leave": {"-1", "0", "0.5"},
    "start": {"None", "0", "0.5", "huge"},
    # counts
    "max_queue": {"0"},
    "burst": NONE,
    "window": NONE,
    "failure_threshold": set(),
    "success_threshold": set(),
    # yes or no
    "success_takes_one": {"True"},
    "adaptive": {"True"},
    "per_key": {"True"},
    "partial": {"True"},
    # callables, kinds, names
    "fail_if": NONE,
    "retry_if": NONE,
    "retry_result": NONE,
    "on_retry": NONE,
    "on_change": NONE,
    "close": NONE,
    "check": NONE,
    "cleanup_func": NONE,
    "key": NONE,
    "ignore": {"list"},
    "allow": {"list"},
    "deny": {"list"},
    "budget": NONE,
    "lockout": NONE,
    "config": NONE,
    "name": {"None", "text"},
    "category": {"text"},
    # anything at all
    "value": ANY,
    "resource": ANY,
}
OF_ONE = {
    (CircuitBreaker, "failure_threshold"): NONE,
    (CircuitBreakerConfig, "success_threshold"): NONE,
    (CircuitBreakerConfig, "gradual"): {"None", "True"},
    (RetryConfig, "jitter"): {"True"},
    (Pipeline, "clock"): NONE,
    (Level, "name"): {"text"},
    (SharedRateLimiter, "name"): {"text"},
    (circuit_breaker, "name"): {"text"},
    (pipeline, "name"): {"text"},
    (retry, "name"): {"text"},
}
CASES = [
    (subject, parameter, label)
    for subject in SUBJECTS
    for parameter in inspect.signature(subject).parameters.values()
    if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    for label in HOSTILE
]


def make(subject, parameter, value):
    given = {**SUBJECTS[subject], parameter.name: value}
    signature = inspect.signature(subject)
    parameters = signature.parameters.values()
    positional = []
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        first = [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        positional = [given.pop(name) for name in first if name in given]
    made = subject(*positional, **given)
    if isinstance(made, AbstractContextManager) and subject is managed_resource:
        with made:
            pass
    return made


def test_everything_public_is_in_the_table():
    public = {getattr(resilience, name) for name in resilience.__all__}
    errors = {p for p in public if isinstance(p, type) and issubclass(p, Exception)}
    made_for_users = {
        resilience.Attempt,
        resilience.CircuitState,
        resilience.Outcome,
        resilience.RetryStrategy,
    }
    told = {resilience.Event, resilience.subscribe}  # of the events, not of the guards
    assert public - errors - made_for_users - told == set(SUBJECTS)


@pytest.mark.parametrize(
    ("subject", "parameter", "label"),
    CASES,
    ids=[
        f"{subject.__name__}({parameter.name}={label})" for subject, parameter, label in CASES
    ],
)
def test_a_value_means_something_or_is_refused(subject, parameter, label):
    value = HOSTILE[label]
    accepted = OF_ONE.get((subject, parameter.name), ACCEPTED.get(parameter.name, set()))
    if label in accepted:
        make(subject, parameter, value)
        return
    with pytest.raises(InvalidParameterError) as refused:
        make(subject, parameter, value)
    told = str(refused.value)
    assert parameter.name in told
    assert "must be" in told
    assert repr(value) in told or str(value) in told


@pytest.mark.parametrize("by_name", [retry, circuit_breaker])
def test_a_parameter_nobody_knows(by_name):
    with pytest.raises(
        InvalidParameterError, match=r"parameters must be among .*, got 'bogus'"
    ):
        by_name("of parameters", bogus=3)


def test_parameters_that_are_wrong_only_together():
    for build, name in [
        (lambda: CircuitBreaker(failure_threshold=None), "failure_threshold"),
        (lambda: CircuitBreaker(slow_call=1), "slow_call"),
        (lambda: CircuitBreaker(adaptive=True), "adaptive"),
        (lambda: CircuitBreaker(open_time=5, max_open_time=4), "max_open_time"),
        (lambda: CircuitBreakerConfig(timeout_seconds=1, recovery_timeout=2), "two spellings"),
        (lambda: RateLimiter(3, burst=4), "burst"),
        (lambda: AdaptiveBulkhead(5, min_limit=6), "initial_limit"),
        (lambda: AdaptiveBulkhead(5, min_limit=6, max_limit=5), "max_limit"),
        (lambda: Level("x", 0.5, 0.5), "leave"),
        (lambda: Degradation(Level("a", 2, 1), Level("b", 1.5, 1)), "levels"),
        (lambda: SharedRateLimiter(Client(), 3, burst=4, name="n"), "burst"),
    ]:
        with pytest.raises(InvalidParameterError, match=name):
            build()


def test_what_is_observed_is_a_number():
    degradation = Degradation(Level("lean", 0.8, 0.6))
    for load in (math.nan, math.inf, None, "x", True):
        with pytest.raises(InvalidParameterError, match="load must be a finite number"):
            degradation.observe(load)
