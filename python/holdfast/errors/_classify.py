"""Category, severity and advice for any exception."""

from __future__ import annotations

from holdfast.errors import NeuromorphicErrorType, NeuromorphicException
from holdfast.errors._categories import ErrorCategory, ErrorSeverity
from holdfast.errors._categorized import CategorizedError

_KINDS = {
    NeuromorphicErrorType.MEMORY_ERROR: ErrorCategory.RESOURCE_EXHAUSTION,
    NeuromorphicErrorType.CONVERGENCE_ERROR: ErrorCategory.NEUROMORPHIC_CLUSTERING,
    NeuromorphicErrorType.DIMENSION_ERROR: ErrorCategory.DATA_VALIDATION,
    NeuromorphicErrorType.TIMEOUT_ERROR: ErrorCategory.TIMEOUT,
    NeuromorphicErrorType.STABILITY_ERROR: ErrorCategory.NEUROMORPHIC_CLUSTERING,
    NeuromorphicErrorType.RESOURCE_ERROR: ErrorCategory.NEUROMORPHIC_CLUSTERING,
}

# The first that fits: TimeoutError and ConnectionError are OSErrors.
_CATEGORIES: tuple[tuple[type[BaseException], ErrorCategory], ...] = (
    (TimeoutError, ErrorCategory.TIMEOUT),
    (ConnectionError, ErrorCategory.API),
    (MemoryError, ErrorCategory.RESOURCE_EXHAUSTION),
    (RecursionError, ErrorCategory.RESOURCE_EXHAUSTION),
    (OSError, ErrorCategory.FILE_IO),
    (ValueError, ErrorCategory.DATA_VALIDATION),
    (TypeError, ErrorCategory.DATA_VALIDATION),
)
# Matched by name up the classes, so that no driver need be imported.
_BY_MODULE = {
    "sqlite3": ErrorCategory.DATABASE,
    "psycopg": ErrorCategory.DATABASE,
    "redis": ErrorCategory.DATABASE,
    "sqlalchemy": ErrorCategory.DATABASE,
    "requests": ErrorCategory.API,
    "httpx": ErrorCategory.API,
    "urllib": ErrorCategory.API,
}

_SEVERITIES: tuple[tuple[type[BaseException], ErrorSeverity], ...] = (
    (SystemError, ErrorSeverity.CRITICAL),
    (MemoryError, ErrorSeverity.CRITICAL),
    (KeyboardInterrupt, ErrorSeverity.CRITICAL),
    (TimeoutError, ErrorSeverity.HIGH),
    (ValueError, ErrorSeverity.HIGH),
    (TypeError, ErrorSeverity.HIGH),
    (FileNotFoundError, ErrorSeverity.HIGH),
)

_FINAL = (MemoryError, SystemError, KeyboardInterrupt)

SPECIFIC: tuple[tuple[type[BaseException], tuple[str, ...]], ...] = (
    (
        FileNotFoundError,
        (
            "Check that the path is spelt right",
            "Check that the file exists and may be read",
            "Give the path from the root: it is looked for from the working directory",
        ),
    ),
    (
        ValueError,
        (
            "Check the values that the message names",
            "Check their ranges and units",
            "Check the format of the data",
        ),
    ),
    (
        TypeError,
        (
            "Check the types of what was passed",
            "Convert numbers that are texts",
            "Compare the call with the documentation",
        ),
    ),
)


def category_of(error: BaseException) -> ErrorCategory:
    """What `error` is about."""
    if isinstance(error, CategorizedError):
        return error.category
    if isinstance(error, NeuromorphicException):
        return _of_clustering(error)
    if type(error).__name__ == "CircuitOpenError":
        return ErrorCategory.CIRCUIT_BREAKER
    packages = [cls.__module__.partition(".")[0] for cls in type(error).__mro__]
    foreign = [_BY_MODULE[package] for package in packages if package in _BY_MODULE]
    builtin = [category for kind, category in _CATEGORIES if isinstance(error, kind)]
    return [*foreign, *builtin, ErrorCategory.CONFIGURATION][0]


def _of_clustering(error: NeuromorphicException) -> ErrorCategory:
    # An open breaker tells how many failures opened it.
    if "failure_count" in error.context:
        return ErrorCategory.CIRCUIT_BREAKER
    if "fallback_error" in error.context:
        return ErrorCategory.FALLBACK
    return _KINDS[error.error_type]


def severity_of(error: BaseException) -> ErrorSeverity:
    """How bad `error` is."""
    if isinstance(error, CategorizedError):
        return error.severity
    if isinstance(error, NeuromorphicException):
        critical = error.error_type is NeuromorphicErrorType.MEMORY_ERROR
        critical |= "fallback_error" in error.context
        return ErrorSeverity.CRITICAL if critical else ErrorSeverity.HIGH
    for kind, severity in _SEVERITIES:
        if isinstance(error, kind):
            return severity
    return ErrorSeverity.MEDIUM


def is_recoverable(error: BaseException) -> bool:
    """Whether trying again may help."""
    told = getattr(error, "recoverable", None)
    return told if isinstance(told, bool) else not isinstance(error, _FINAL)
