"""Everything holdfast raises.

* HoldfastError
  - InvalidParameterError (also a ValueError)
  - InvalidDataError (also a ValueError)
    - NotNumbersError (also a TypeError)
  - NotFittedError (also a ValueError and an AttributeError, and scikit-learn's own
    NotFittedError where that is loaded)
  - TimeBudgetError (also a TimeoutError)
  - MemoryBudgetError (also a MemoryError)
  - NeuromorphicException, InvalidClusteringInputError and InvalidClusteringParameterError
  - CategorizedError and its kinds: see holdfast._errors.categorized; loaded on first use
  - DeadlineExceededError (also a TimeoutError)
  - RejectedError: a guard did not let a call begin
    - CircuitOpenError
    - RateLimitedError
    - BulkheadFullError
  - RetryableError

and what it warns of:

* FewerClustersWarning (a UserWarning)
* MissingValuesWarning (a UserWarning)
* NotConvergedWarning (a UserWarning)
"""

from __future__ import annotations

import enum
import os
import sys
from datetime import datetime, timezone

from holdfast import _context
from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast._errors.categories import (
        AlertThreshold,
        ErrorCategory,
        ErrorDetails,
        ErrorPattern,
        ErrorSeverity,
    )
    from holdfast._errors.categorized import (
        CategorizedError,
        CircuitBreakerError,
        ClusteringError,
        DataValidationError,
        FallbackError,
        FileIOError,
        NeuromorphicClusteringError,
        OperationTimeoutError,
        ResourceExhaustionError,
        SecurityError,
        TeamSimulationError,
    )
    from holdfast._errors.handler import ErrorHandler, enhanced_error_handler, handle_exceptions

__all__ = [
    "AlertThreshold",
    "BulkheadFullError",
    "CategorizedError",
    "CircuitBreakerError",
    "CircuitOpenError",
    "ClusteringError",
    "DataValidationError",
    "DeadlineExceededError",
    "ErrorCategory",
    "ErrorDetails",
    "ErrorHandler",
    "ErrorPattern",
    "ErrorSeverity",
    "FallbackError",
    "FewerClustersWarning",
    "FileIOError",
    "HoldfastError",
    "InvalidClusteringInputError",
    "InvalidClusteringParameterError",
    "InvalidDataError",
    "InvalidParameterError",
    "MemoryBudgetError",
    "MissingValuesWarning",
    "NeuromorphicClusteringError",
    "NeuromorphicErrorType",
    "NeuromorphicException",
    "NotConvergedWarning",
    "NotFittedError",
    "NotNumbersError",
    "OperationTimeoutError",
    "RateLimitedError",
    "RejectedError",
    "ResourceExhaustionError",
    "RetryableError",
    "SecurityError",
    "TeamSimulationError",
    "TimeBudgetError",
    "enhanced_error_handler",
    "handle_exceptions",
]

__getattr__, __dir__, _ = attach(
    __name__,
    {
        "AlertThreshold": "holdfast._errors.categories",
        "CategorizedError": "holdfast._errors.categorized",
        "CircuitBreakerError": "holdfast._errors.categorized",
        "ClusteringError": "holdfast._errors.categorized",
        "DataValidationError": "holdfast._errors.categorized",
        "ErrorCategory": "holdfast._errors.categories",
        "ErrorDetails": "holdfast._errors.categories",
        "ErrorHandler": "holdfast._errors.handler",
        "ErrorPattern": "holdfast._errors.categories",
        "ErrorSeverity": "holdfast._errors.categories",
        "FallbackError": "holdfast._errors.categorized",
        "FileIOError": "holdfast._errors.categorized",
        "NeuromorphicClusteringError": "holdfast._errors.categorized",
        "OperationTimeoutError": "holdfast._errors.categorized",
        "ResourceExhaustionError": "holdfast._errors.categorized",
        "SecurityError": "holdfast._errors.categorized",
        "TeamSimulationError": "holdfast._errors.categorized",
        "enhanced_error_handler": "holdfast._errors.handler",
        "handle_exceptions": "holdfast._errors.handler",
    },
)


class HoldfastError(Exception):
    """Catch this to catch them all."""


class InvalidParameterError(HoldfastError, ValueError):
    """A parameter is outside its domain."""


class InvalidDataError(HoldfastError, ValueError):
    """The data cannot be used: wrong shape, too few rows, NaN or infinity."""


class NotNumbersError(InvalidDataError, TypeError):
    """Among the data is an object that is no number."""


class NotFittedError(HoldfastError, ValueError, AttributeError):
    """An estimator was used before `fit`."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by message: the class itself may have been made on the spot."""
        return NotFittedError, self.args


def not_fitted(estimator: str) -> NotFittedError:
    """Make the error that both our users and scikit-learn's will catch."""
    theirs = sys.modules.get("sklearn.exceptions")
    kinds = [NotFittedError] if theirs is None else [NotFittedError, theirs.NotFittedError]
    error: NotFittedError = type("NotFittedError", tuple(kinds), {})(
        f"This {estimator} instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    return error


class TimeBudgetError(HoldfastError, TimeoutError):
    """A computation was stopped because its time budget was used up."""


class MemoryBudgetError(HoldfastError, MemoryError):
    """A result would not fit into the memory this process may use."""


# The guards raise the following from Rust, by their arguments alone: what they say is
# worked out when somebody asks.


class DeadlineExceededError(HoldfastError, TimeoutError):
    """A guarded call took longer than it may.

    The arguments are the name of the timeout and its seconds.
    """

    @property
    def seconds(self) -> float | None:
        """How long the call may take; None while it is being interrupted."""
        return float(self.args[1]) if len(self.args) > 1 else None

    def __str__(self) -> str:
        """Name the timeout and its limit."""
        if self.seconds is None:
            return "the deadline of the call has come"
        return f"{self.args[0]} took longer than {self.seconds:g} s"


class RejectedError(HoldfastError):
    """A guard did not let a call begin.

    The first argument is the name of the guard.

    Attributes
    ----------
    retry_after : float or None
        Seconds after which to ask again, where that is known.
    """

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to ask again."""
        return None

    def __str__(self) -> str:
        """Name the guard, then its reason."""
        return ": ".join(map(str, self.args))


class CircuitOpenError(RejectedError):
    """A circuit breaker is open.

    The arguments are its name, the failures it counted, the time of the last one (a
    datetime, or seconds since 1970) and the seconds until it will let a call through.
    """

    code = "CIRCUIT_OPEN"

    @property
    def circuit_name(self) -> str:
        """The breaker."""
        return str(self.args[0])

    @property
    def failure_count(self) -> int:
        """Failures it counted; 0 if it was not said."""
        return int(self.args[1]) if len(self.args) > 1 else 0

    @property
    def last_failure_time(self) -> datetime | None:
        """When the last failure was; in UTC if the breaker itself says so."""
        last = self.args[2] if len(self.args) > 2 else None  # noqa: PLR2004
        return datetime.fromtimestamp(last, timezone.utc) if isinstance(last, float) else last

    @property
    def retry_after(self) -> float | None:
        """Seconds until it will let a call through; None if it was opened by hand."""
        return self.args[3] if len(self.args) > 3 else None  # noqa: PLR2004

    @property
    def details(self) -> dict[str, Any]:
        """The same as plain values."""
        last = self.last_failure_time
        return {
            "circuit_name": self.circuit_name,
            "failure_count": self.failure_count,
            "last_failure_time": last and last.isoformat(),
        }

    def __str__(self) -> str:
        """Name the breaker, its failures and when to come back."""
        wait = self.retry_after
        after = "" if wait is None else f"; ask again in {wait:.3g} s"
        return (
            f"Circuit breaker is open: {self.circuit_name!r} after "
            f"{self.failure_count} failures{after}"
        )


class RateLimitedError(RejectedError):
    """A rate limit is used up.

    The arguments are the name of the limiter, the seconds after which to ask again (None
    for a key on the deny list), and the key where there is one.
    """

    @property
    def retry_after(self) -> float | None:
        """Seconds after which to ask again; None if that is in vain."""
        wait = self.args[1] if len(self.args) > 1 else None
        return None if wait is None else float(wait)

    def __str__(self) -> str:
        """Name the limiter and when to come back."""
        if len(self.args) < 2:  # noqa: PLR2004
            return super().__str__()
        key = f" for {self.args[2]!r}" if len(self.args) > 2 else ""  # noqa: PLR2004
        if self.retry_after is None:
            return f"{self.args[0]} admits no calls{key}"
        return f"{self.args[0]} is used up{key}; ask again in {self.retry_after:.3g} s"


class BulkheadFullError(RejectedError):
    """As many calls are being made, or resources of a pool lent, as may be.

    The arguments are the name of the bulkhead, its limit, and what there are so many of.
    """

    def __str__(self) -> str:
        """Name the bulkhead and its limit."""
        if len(self.args) < 2:  # noqa: PLR2004
            return super().__str__()
        return "{} is full: {} {}".format(*self.args, "calls are being made")


class RetryableError(HoldfastError):
    """An operation failed in a way that may pass.

    Attributes
    ----------
    original_error : BaseException or None
    retry_after : float or None
        Seconds after which to try again; a retry waits that long.
    """

    code = "RETRYABLE_ERROR"

    def __init__(
        self,
        message: str,
        original_error: BaseException | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, original_error, retry_after)
        self.original_error = original_error
        self.retry_after = retry_after

    @property
    def details(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"original_error": str(self.original_error)}

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0])


class FewerClustersWarning(UserWarning):
    """A clustering has fewer clusters than were asked for."""


class MissingValuesWarning(UserWarning):
    """Missing values were filled in."""


class NotConvergedWarning(UserWarning):
    """An iteration was ended by its limit, not by having arrived."""


def new_error_id() -> str:
    """`ERR_`, the second in UTC, and eight hexadecimal digits."""
    return f"ERR_{utc_now():%Y%m%d_%H%M%S}_{os.urandom(4).hex()}"


def utc_now() -> datetime:
    """UTC, without a time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class NeuromorphicErrorType(str, enum.Enum):
    """What kind of failure it was."""

    MEMORY_ERROR = "memory_error"
    CONVERGENCE_ERROR = "convergence_error"
    DIMENSION_ERROR = "dimension_error"
    TIMEOUT_ERROR = "timeout_error"
    STABILITY_ERROR = "stability_error"
    RESOURCE_ERROR = "resource_error"


class NeuromorphicException(HoldfastError):  # noqa: N818 (the name scripts catch)
    """A clustering failed.

    Attributes
    ----------
    message : str
    error_type : NeuromorphicErrorType
    error_id, correlation_id : str
        Unique; the latter is that of the running trace, if there is one.
    context : dict
        Facts about the failure.
    recoverable : bool
        Whether trying again may help.
    timestamp : datetime
        UTC, without a time zone.
    """

    def __init__(
        self,
        message: str,
        error_type: NeuromorphicErrorType = NeuromorphicErrorType.RESOURCE_ERROR,
        correlation_id: str | None = None,
        context: dict[str, Any] | None = None,
        recoverable: bool = True,  # noqa: FBT001, FBT002
        timestamp: datetime | None = None,
    ) -> None:
        import uuid  # noqa: PLC0415

        super().__init__(message)
        self.message = message
        self.error_type = NeuromorphicErrorType(error_type)
        self.error_id = new_error_id()
        trace = _context.current().trace_id
        self.correlation_id = correlation_id or trace or str(uuid.uuid4())
        self.context = dict(context or {})
        self.recoverable = recoverable
        self.timestamp = timestamp or utc_now()

    def __str__(self) -> str:
        """Name the kind and the message."""
        return f"{self.error_type.value}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every attribute."""
        return type(self), (self.message,), self.__dict__.copy()


class InvalidClusteringParameterError(NeuromorphicException, InvalidParameterError):
    """A parameter of the features is unknown or outside its domain."""


class InvalidClusteringInputError(NeuromorphicException, InvalidDataError):
    """The data to cluster cannot be used; never answered by the fallback."""

    def __init__(self, message: str, **attributes: Any) -> None:
        own = {"error_type": NeuromorphicErrorType.DIMENSION_ERROR, "recoverable": False}
        super().__init__(message, **{**own, **attributes})
