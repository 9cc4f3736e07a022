from __future__ import annotations

import enum

from holdfast.errors._parameters import member


class CircuitState(str, enum.Enum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    DISABLED = "disabled"
    FORCED_OPEN = "forced_open"
    METRICS_ONLY = "metrics_only"


class RetryStrategy(str, enum.Enum):
    """How the interval between attempts grows."""

    FIXED_DELAY = "fixed_delay"
    EXPONENTIAL_BACKOFF = "exponential_backoff"
    LINEAR_BACKOFF = "linear_backoff"
    FIBONACCI_BACKOFF = "fibonacci_backoff"

    @classmethod
    def of(cls, strategy: str | RetryStrategy) -> RetryStrategy:
        """The strategy of that name.

        Raises
        ------
        InvalidParameterError
            There is none.
        """
        return member("strategy", strategy, cls)
