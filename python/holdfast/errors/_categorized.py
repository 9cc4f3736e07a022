"""Errors that know their category, how bad they are and what may help.

* CategorizedError (a HoldfastError)
  - DataValidationError (also a ValueError)
  - ClusteringError
  - NeuromorphicClusteringError
  - TeamSimulationError
  - SecurityError
  - FileIOError (also an OSError)
  - CircuitBreakerError
  - OperationTimeoutError (also a TimeoutError)
  - ResourceExhaustionError
  - FallbackError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from holdfast.errors import HoldfastError
from holdfast.errors import _parameters as parameters
from holdfast.errors._advice import LEAD, SUGGESTIONS
from holdfast.errors._base import new_error_id, utc_now
from holdfast.errors._categories import ErrorCategory, ErrorSeverity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CategorizedError(HoldfastError):
    """An error with what a handler wants to know of it.

    Parameters
    ----------
    message : str
    category : ErrorCategory, optional
    severity : ErrorSeverity, optional
        By default those of the class.
    technical_details : str, optional
        By default the message.
    suggestions : iterable of str, optional
        By default those of the class.
    context : mapping, optional
        Facts about the call.
    recoverable : bool
        Whether trying again may help.

    Attributes
    ----------
    error_id : str
    timestamp : datetime
        UTC, without a time zone.
    user_message : str
        What to tell whoever asked for the work.
    """

    _category: ClassVar = ErrorCategory.CONFIGURATION
    _severity: ClassVar = ErrorSeverity.MEDIUM

    def __init__(
        self,
        message: str,
        category: ErrorCategory | None = None,
        severity: ErrorSeverity | None = None,
        technical_details: str | None = None,
        suggestions: Iterable[str] | None = None,
        context: Mapping[str, Any] | None = None,
        *,
        recoverable: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        kind = self._category if category is None else category
        self.category = parameters.member("category", kind, ErrorCategory)
        degree = self._severity if severity is None else severity
        self.severity = parameters.member("severity", degree, ErrorSeverity)
        self.technical_details = message if technical_details is None else technical_details
        self.suggestions = self._advice() if suggestions is None else list(suggestions)
        self.context = dict(context or {})
        self.recoverable = recoverable
        self.error_id = new_error_id()
        self.timestamp = utc_now()

    def _advice(self) -> list[str]:
        # The base class says nothing: nobody knows what it was used for.
        return [] if type(self) is CategorizedError else list(SUGGESTIONS[self._category])

    @property
    def user_message(self) -> str:
        """What to tell whoever asked for the work."""
        return f"{LEAD[self.category]}: {self.message}"

    def __str__(self) -> str:
        """The message, also where a base class would show more."""
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every attribute."""
        return _restored, (type(self), self.args, self.__dict__.copy())


def _restored(
    kind: type[CategorizedError], args: tuple[Any, ...], state: dict[str, Any]
) -> CategorizedError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class DataValidationError(CategorizedError, ValueError):
    """The data cannot be used."""

    _category = ErrorCategory.DATA_VALIDATION
    _severity = ErrorSeverity.HIGH

    def __init__(
        self,
        message: str,
        invalid_fields: Iterable[str] = (),
        data_summary: Mapping[str, Any] | None = None,
        **rest: Any,
    ) -> None:
        self.invalid_fields = list(invalid_fields)
        self.data_summary = dict(data_summary or {})
        super().__init__(message, **rest)


class ClusteringError(CategorizedError):
    """A clustering failed."""

    _category = ErrorCategory.CLUSTERING
    _severity = ErrorSeverity.HIGH

    def __init__(
        self,
        message: str,
        clustering_params: Mapping[str, Any] | None = None,
        data_shape: tuple[int, ...] | None = None,
        **rest: Any,
    ) -> None:
        self.clustering_params = dict(clustering_params or {})
        self.data_shape = data_shape
        super().__init__(message, **rest)


class NeuromorphicClusteringError(CategorizedError):
    """A neuromorphic clustering failed."""

    _category = ErrorCategory.NEUROMORPHIC_CLUSTERING
    _severity = ErrorSeverity.HIGH

    def __init__(
        self,
        message: str,
        method: str | None = None,
        feature_shape: tuple[int, ...] | None = None,
        component: str | None = None,
        **rest: Any,
    ) -> None:
        self.method = method
        self.feature_shape = feature_shape
        self.component = component
        super().__init__(message, **rest)


class TeamSimulationError(CategorizedError):
    """A simulation of teams failed."""

    _category = ErrorCategory.TEAM_SIMULATION

    def __init__(
        self,
        message: str,
        team_params: Mapping[str, Any] | None = None,
        employee_count: int | None = None,
        **rest: Any,
    ) -> None:
        self.team_params = dict(team_params or {})
        self.employee_count = employee_count
        super().__init__(message, **rest)


class SecurityError(CategorizedError):
    """Something was refused for security."""

    _category = ErrorCategory.SECURITY
    _severity = ErrorSeverity.CRITICAL

    def __init__(
        self, message: str, security_context: Mapping[str, Any] | None = None, **rest: Any
    ) -> None:
        self.security_context = dict(security_context or {})
        super().__init__(message, **rest)


class FileIOError(CategorizedError, OSError):
    """A file could not be read or written."""

    _category = ErrorCategory.FILE_IO

    def __init__(
        self,
        message: str,
        file_path: str | None = None,
        operation: str | None = None,
        **rest: Any,
    ) -> None:
        self.file_path = file_path
        self.operation = operation
        super().__init__(message, **rest)


class CircuitBreakerError(CategorizedError):
    """A call was rejected because earlier ones failed."""

    _category = ErrorCategory.CIRCUIT_BREAKER
    _severity = ErrorSeverity.HIGH

    def __init__(
        self,
        message: str,
        failure_count: int = 0,
        recovery_timeout: float | None = None,
        **rest: Any,
    ) -> None:
        self.failure_count = failure_count
        self.recovery_timeout = recovery_timeout
        super().__init__(message, **rest)

    def _advice(self) -> list[str]:
        first, *others = super()._advice()
        if self.recovery_timeout is not None:
            seconds = f"{self.recovery_timeout:g}"
            first = (
                f"Wait {seconds} seconds until the circuit breaker lets a call through again"
            )
        return [first, *others]


class OperationTimeoutError(CategorizedError, TimeoutError):
    """An operation took too long."""

    _category = ErrorCategory.TIMEOUT
    _severity = ErrorSeverity.HIGH

    def __init__(
        self,
        message: str,
        timeout_seconds: float | None = None,
        operation: str | None = None,
        **rest: Any,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.operation = operation
        super().__init__(message, **rest)


class ResourceExhaustionError(CategorizedError):
    """A resource is used up."""

    _category = ErrorCategory.RESOURCE_EXHAUSTION
    _severity = ErrorSeverity.CRITICAL

    def __init__(
        self,
        message: str,
        resource_type: str | None = None,
        current_usage: float | None = None,
        threshold: float | None = None,
        **rest: Any,
    ) -> None:
        self.resource_type = resource_type
        self.current_usage = current_usage
        self.threshold = threshold
        super().__init__(message, **rest)


class FallbackError(CategorizedError):
    """An operation failed, and so did its fallback."""

    _category = ErrorCategory.FALLBACK
    _severity = ErrorSeverity.CRITICAL

    def __init__(
        self,
        message: str,
        primary_error: BaseException | str | None = None,
        fallback_method: str | None = None,
        **rest: Any,
    ) -> None:
        self.primary_error = primary_error
        self.fallback_method = fallback_method
        super().__init__(message, **rest)


# They are shown, and pickled, under the name by which users import them.
for _kind in (CategorizedError, *CategorizedError.__subclasses__()):
    _kind.__module__ = "holdfast.errors"
