"""Everything holdfast raises.

* HoldfastError
  - InvalidParameterError (also a ValueError)
  - InvalidDataError (also a ValueError)
    - NotNumbersError (also a TypeError)
  - NotFittedError (also a ValueError and an AttributeError, and scikit-learn's own
    NotFittedError where that is loaded)
  - TimeBudgetError (also a TimeoutError)
  - MemoryBudgetError (also a MemoryError)

  - NeuromorphicException, and InvalidClusteringInputError (also an InvalidDataError)
  - CategorizedError and its kinds: see holdfast._errors.categorized; loaded on first use

and what it warns of:

* FewerClustersWarning (a UserWarning)
"""

from __future__ import annotations

import enum
import sys
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from holdfast import _context
from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast._errors.categories import AlertThreshold as AlertThreshold
    from holdfast._errors.categories import ErrorCategory as ErrorCategory
    from holdfast._errors.categories import ErrorDetails as ErrorDetails
    from holdfast._errors.categories import ErrorPattern as ErrorPattern
    from holdfast._errors.categories import ErrorSeverity as ErrorSeverity
    from holdfast._errors.categorized import CategorizedError as CategorizedError
    from holdfast._errors.categorized import CircuitBreakerError as CircuitBreakerError
    from holdfast._errors.categorized import ClusteringError as ClusteringError
    from holdfast._errors.categorized import DataValidationError as DataValidationError
    from holdfast._errors.categorized import FallbackError as FallbackError
    from holdfast._errors.categorized import FileIOError as FileIOError
    from holdfast._errors.categorized import (
        NeuromorphicClusteringError as NeuromorphicClusteringError,
    )
    from holdfast._errors.categorized import OperationTimeoutError as OperationTimeoutError
    from holdfast._errors.categorized import ResourceExhaustionError as ResourceExhaustionError
    from holdfast._errors.categorized import SecurityError as SecurityError
    from holdfast._errors.categorized import TeamSimulationError as TeamSimulationError
    from holdfast._errors.handler import ErrorHandler as ErrorHandler
    from holdfast._errors.handler import enhanced_error_handler as enhanced_error_handler
    from holdfast._errors.handler import handle_exceptions as handle_exceptions

__all__ = [
    "AlertThreshold",
    "CategorizedError",
    "CircuitBreakerError",
    "ClusteringError",
    "DataValidationError",
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
    "InvalidDataError",
    "InvalidParameterError",
    "MemoryBudgetError",
    "MissingValuesWarning",
    "NeuromorphicClusteringError",
    "NeuromorphicErrorType",
    "NeuromorphicException",
    "NotFittedError",
    "NotNumbersError",
    "OperationTimeoutError",
    "ResourceExhaustionError",
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


class FewerClustersWarning(UserWarning):
    """A clustering has fewer clusters than were asked for."""


class MissingValuesWarning(UserWarning):
    """Missing values were filled in."""


def new_error_id() -> str:
    """`ERR_`, the second in UTC, and eight hexadecimal digits."""
    return f"ERR_{utc_now():%Y%m%d_%H%M%S}_{uuid.uuid4().hex[:8]}"


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
        In UTC.
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
        super().__init__(message)
        self.message = message
        self.error_type = NeuromorphicErrorType(error_type)
        self.error_id = new_error_id()
        trace = _context.current().trace_id
        self.correlation_id = correlation_id or trace or str(uuid.uuid4())
        self.context = dict(context or {})
        self.recoverable = recoverable
        self.timestamp = timestamp or datetime.now(timezone.utc)

    def __str__(self) -> str:
        """Name the kind and the message."""
        return f"{self.error_type.value}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every attribute."""
        return type(self), (self.message,), self.__dict__.copy()


class InvalidClusteringInputError(NeuromorphicException, InvalidDataError):
    """The data to cluster cannot be used; never answered by the fallback."""

    def __init__(
        self,
        message: str,
        error_type: NeuromorphicErrorType = NeuromorphicErrorType.DIMENSION_ERROR,
        **attributes: Any,
    ) -> None:
        attributes.setdefault("recoverable", False)
        super().__init__(message, error_type, **attributes)
