"""Everything holdfast raises.

* HoldfastError
  - InvalidParameterError (also a ValueError)
  - InvalidDataError (also a ValueError)
  - NotFittedError (also a ValueError and an AttributeError, and scikit-learn's own
    NotFittedError where that is loaded)
  - TimeBudgetError (also a TimeoutError)

and what it warns of:

* FewerClustersWarning (a UserWarning)
* MissingValuesWarning (a UserWarning)
* NotConvergedWarning (a UserWarning)
"""

from __future__ import annotations

import enum
import sys
import uuid
from datetime import datetime, timezone
from typing import Any

__all__ = [
    "FewerClustersWarning",
    "HoldfastError",
    "InvalidClusteringInputError",
    "InvalidDataError",
    "InvalidParameterError",
    "MissingValuesWarning",
    "NeuromorphicErrorType",
    "NeuromorphicException",
    "NotConvergedWarning",
    "NotFittedError",
    "TimeBudgetError",
]


class HoldfastError(Exception):
    """Catch this to catch them all."""


class InvalidParameterError(HoldfastError, ValueError):
    """A parameter is outside its domain."""


class InvalidDataError(HoldfastError, ValueError):
    """The data cannot be used: wrong shape, too few rows, NaN or infinity."""


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


class FewerClustersWarning(UserWarning):
    """A clustering has fewer clusters than were asked for."""


class MissingValuesWarning(UserWarning):
    """Missing values were filled in."""


class NotConvergedWarning(UserWarning):
    """An iteration was ended by its limit, not by having arrived."""


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
        Unique, unless the latter is given.
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
        self.error_id = uuid.uuid4().hex
        self.correlation_id = correlation_id or str(uuid.uuid4())
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
