"""What clusterings raise."""

from __future__ import annotations

import enum

from holdfast import _context
from holdfast.errors._base import (
    HoldfastError,
    InvalidDataError,
    InvalidParameterError,
    new_correlation_id,
    new_error_id,
    utc_now,
)
from holdfast.errors._parameters import member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


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
        super().__init__(message)
        self.message = message
        self.error_type = member("error_type", error_type, NeuromorphicErrorType)
        self.error_id = new_error_id()
        trace = _context.current().trace_id
        self.correlation_id = correlation_id or trace or new_correlation_id()
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
