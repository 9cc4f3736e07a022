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

from holdfast._errors.base import (
    FewerClustersWarning,
    HoldfastError,
    InvalidDataError,
    InvalidParameterError,
    MemoryBudgetError,
    MissingValuesWarning,
    NotConvergedWarning,
    NotFittedError,
    NotNumbersError,
    TimeBudgetError,
)
from holdfast._errors.base import new_error_id as new_error_id  # noqa: PLC0414 (for our packages)
from holdfast._errors.base import not_fitted as not_fitted  # noqa: PLC0414 (for our packages)
from holdfast._errors.base import utc_now as utc_now  # noqa: PLC0414 (for our packages)
from holdfast._errors.neuromorphic import (
    InvalidClusteringInputError,
    InvalidClusteringParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
)
from holdfast._errors.rejections import (
    BulkheadFullError,
    CircuitOpenError,
    DeadlineExceededError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
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

# They are shown, and pickled, under the name by which users import them.
for _kind in [value for value in globals().values() if isinstance(value, type)]:
    _kind.__module__ = __name__
