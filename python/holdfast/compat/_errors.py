"""Older names of errors and their handler."""

from __future__ import annotations

from holdfast.errors import (
    CategorizedError,
    ErrorHandler,
    OperationTimeoutError,
    enhanced_error_handler,
)

ObserverCoordinatorError = CategorizedError
TimeoutError = OperationTimeoutError  # noqa: A001 (the older name; it is a built-in TimeoutError)
EnhancedErrorHandler = ErrorHandler
error_handler = enhanced_error_handler
