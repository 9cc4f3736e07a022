"""Guards around calls that may fail.

Policies, outermost first, make a pipeline; a pipeline decorates functions, methods and
`async def`, and works as `with` and `async with`:

>>> from holdfast.resilience import CircuitBreaker, Fallback, Pipeline, Retry, Timeout
>>> guarded = Pipeline(
...     Fallback(value="none"), Retry(max_attempts=3), CircuitBreaker("api"), Timeout(2.0)
... )
>>> @guarded
... def fetch():
...     return "data"
>>> fetch()
'data'

* `Retry(...).attempts()`: a loop of `Attempt`s at a block that is no function
* `Pipeline`, and `pipeline(name, ...)` for one that is shared by name
* `Outcome`: how a call ended, as a value, by `Pipeline.outcome`
* policies: `Retry` (with `RetryBudget`), `CircuitBreaker`, `Timeout`, `Bulkhead`,
  `AdaptiveBulkhead`, `RateLimiter` (with `Lockout`), `Fallback`, `Hedge`; each is also a
  decorator, and a `with` block where one run is enough
* `SharedBreaker`, `SharedRateLimiter`: for many processes, through Redis
* `Degradation` (with `Level`): which features to give up under load
* `Pool` (with `Lease`): a bounded number of connections or devices
* what they raise: `RejectedError` (`CircuitOpenError`, `RateLimitedError`,
  `BulkheadFullError`) and `DeadlineExceededError`, from `holdfast.errors`
* `subscribe`: be told of each `Event` (`breaker.opened`, `retry.attempt_failed`, ...)
* `VirtualClock`: time that moves only when told, for tests
* the decorators by name: `retry`, `circuit_breaker`, `with_timeout`, `with_fallback`,
  `managed_resource`, configured by `RetryConfig` and `CircuitBreakerConfig`
"""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast._core import VirtualClock as VirtualClock
    from holdfast._events import Event as Event
    from holdfast._events import subscribe as subscribe
    from holdfast.errors import BulkheadFullError as BulkheadFullError
    from holdfast.errors import CircuitOpenError as CircuitOpenError
    from holdfast.errors import DeadlineExceededError as DeadlineExceededError
    from holdfast.errors import RateLimitedError as RateLimitedError
    from holdfast.errors import RejectedError as RejectedError
    from holdfast.errors import RetryableError as RetryableError
    from holdfast.resilience._attempts import Attempt as Attempt
    from holdfast.resilience._attempts import Attempts as Attempts
    from holdfast.resilience._breaker import CircuitBreaker as CircuitBreaker
    from holdfast.resilience._bulkhead import AdaptiveBulkhead as AdaptiveBulkhead
    from holdfast.resilience._bulkhead import Bulkhead as Bulkhead
    from holdfast.resilience._config import CircuitBreakerConfig as CircuitBreakerConfig
    from holdfast.resilience._config import RetryConfig as RetryConfig
    from holdfast.resilience._degradation import Degradation as Degradation
    from holdfast.resilience._degradation import Level as Level
    from holdfast.resilience._enums import CircuitState as CircuitState
    from holdfast.resilience._enums import RetryStrategy as RetryStrategy
    from holdfast.resilience._fallback import Fallback as Fallback
    from holdfast.resilience._hedge import Hedge as Hedge
    from holdfast.resilience._limiter import Lockout as Lockout
    from holdfast.resilience._limiter import RateLimiter as RateLimiter
    from holdfast.resilience._outcome import Outcome as Outcome
    from holdfast.resilience._pipeline import Pipeline as Pipeline
    from holdfast.resilience._pool import Lease as Lease
    from holdfast.resilience._pool import Pool as Pool
    from holdfast.resilience._registry import circuit_breaker as circuit_breaker
    from holdfast.resilience._registry import managed_resource as managed_resource
    from holdfast.resilience._registry import pipeline as pipeline
    from holdfast.resilience._registry import retry as retry
    from holdfast.resilience._registry import with_fallback as with_fallback
    from holdfast.resilience._registry import with_timeout as with_timeout
    from holdfast.resilience._retry import Retry as Retry
    from holdfast.resilience._retry import RetryBudget as RetryBudget
    from holdfast.resilience._shared import SharedBreaker as SharedBreaker
    from holdfast.resilience._shared import SharedRateLimiter as SharedRateLimiter
    from holdfast.resilience._timeout import Timeout as Timeout

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AdaptiveBulkhead": "holdfast.resilience._bulkhead",
        "Degradation": "holdfast.resilience._degradation",
        "Hedge": "holdfast.resilience._hedge",
        "Level": "holdfast.resilience._degradation",
        "Lockout": "holdfast.resilience._limiter",
        "Pool": "holdfast.resilience._pool",
        "Lease": "holdfast.resilience._pool",
        "Attempt": "holdfast.resilience._attempts",
        "Attempts": "holdfast.resilience._attempts",
        "Bulkhead": "holdfast.resilience._bulkhead",
        "BulkheadFullError": "holdfast.errors",
        "CircuitBreaker": "holdfast.resilience._breaker",
        "CircuitBreakerConfig": "holdfast.resilience._config",
        "CircuitOpenError": "holdfast.errors",
        "CircuitState": "holdfast.resilience._enums",
        "DeadlineExceededError": "holdfast.errors",
        "Event": "holdfast._events",
        "Fallback": "holdfast.resilience._fallback",
        "Outcome": "holdfast.resilience._outcome",
        "Pipeline": "holdfast.resilience._pipeline",
        "RateLimitedError": "holdfast.errors",
        "RateLimiter": "holdfast.resilience._limiter",
        "RejectedError": "holdfast.errors",
        "Retry": "holdfast.resilience._retry",
        "RetryBudget": "holdfast.resilience._retry",
        "RetryConfig": "holdfast.resilience._config",
        "RetryStrategy": "holdfast.resilience._enums",
        "RetryableError": "holdfast.errors",
        "SharedBreaker": "holdfast.resilience._shared",
        "SharedRateLimiter": "holdfast.resilience._shared",
        "Timeout": "holdfast.resilience._timeout",
        "VirtualClock": "holdfast._core",
        "circuit_breaker": "holdfast.resilience._registry",
        "managed_resource": "holdfast.resilience._registry",
        "pipeline": "holdfast.resilience._registry",
        "retry": "holdfast.resilience._registry",
        "subscribe": "holdfast._events",
        "with_fallback": "holdfast.resilience._registry",
        "with_timeout": "holdfast.resilience._registry",
    },
)
