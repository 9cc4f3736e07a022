"""Older path of the error taxonomy and its handler: see `holdfast.errors`."""

from __future__ import annotations

from holdfast.errors import (
    AlertThreshold,
    CategorizedError,
    CircuitBreakerError,
    ClusteringError,
    DataValidationError,
    ErrorCategory,
    ErrorDetails,
    ErrorHandler,
    ErrorPattern,
    ErrorSeverity,
    FallbackError,
    FileIOError,
    NeuromorphicClusteringError,
    OperationTimeoutError,
    ResourceExhaustionError,
    SecurityError,
    TeamSimulationError,
    enhanced_error_handler,
    handle_exceptions,
)

ObserverCoordinatorError = CategorizedError
TimeoutError = OperationTimeoutError  # noqa: A001 (the older name; it is a built-in TimeoutError)
EnhancedErrorHandler = ErrorHandler
error_handler = enhanced_error_handler

__all__ = [
    "AlertThreshold",
    "CircuitBreakerError",
    "ClusteringError",
    "DataValidationError",
    "EnhancedErrorHandler",
    "ErrorCategory",
    "ErrorDetails",
    "ErrorPattern",
    "ErrorSeverity",
    "FallbackError",
    "FileIOError",
    "NeuromorphicClusteringError",
    "ObserverCoordinatorError",
    "ResourceExhaustionError",
    "SecurityError",
    "TeamSimulationError",
    "TimeoutError",
    "enhanced_error_handler",
    "error_handler",
    "handle_exceptions",
]
