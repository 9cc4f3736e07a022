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
  - CategorizedError and its kinds: see `_categorized`, which is loaded on first use
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

from holdfast._lazy import attach
from holdfast.errors._base import (
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
from holdfast.errors._neuromorphic import (
    InvalidClusteringInputError,
    InvalidClusteringParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
)
from holdfast.errors._rejections import (
    BulkheadFullError,
    CircuitOpenError,
    DeadlineExceededError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.errors._categories import (
        AlertThreshold,
        ErrorCategory,
        ErrorDetails,
        ErrorPattern,
        ErrorSeverity,
    )
    from holdfast.errors._categorized import (
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
    from holdfast.errors._decorator import handle_exceptions
    from holdfast.errors._handler import ErrorHandler, enhanced_error_handler

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
        "AlertThreshold": "holdfast.errors._categories",
        "CategorizedError": "holdfast.errors._categorized",
        "CircuitBreakerError": "holdfast.errors._categorized",
        "ClusteringError": "holdfast.errors._categorized",
        "DataValidationError": "holdfast.errors._categorized",
        "ErrorCategory": "holdfast.errors._categories",
        "ErrorDetails": "holdfast.errors._categories",
        "ErrorHandler": "holdfast.errors._handler",
        "ErrorPattern": "holdfast.errors._categories",
        "ErrorSeverity": "holdfast.errors._categories",
        "FallbackError": "holdfast.errors._categorized",
        "FileIOError": "holdfast.errors._categorized",
        "NeuromorphicClusteringError": "holdfast.errors._categorized",
        "OperationTimeoutError": "holdfast.errors._categorized",
        "ResourceExhaustionError": "holdfast.errors._categorized",
        "SecurityError": "holdfast.errors._categorized",
        "TeamSimulationError": "holdfast.errors._categorized",
        "enhanced_error_handler": "holdfast.errors._handler",
        "handle_exceptions": "holdfast.errors._decorator",
    },
)

# They are shown, and pickled, under the name by which users import them.
for _kind in [value for value in globals().values() if isinstance(value, type)]:
    _kind.__module__ = __name__
