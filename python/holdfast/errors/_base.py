"""The root of all errors, those every part raises, and the warnings."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone


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


class NotConvergedWarning(UserWarning):
    """An iteration was ended by its limit, not by having arrived."""


def new_error_id() -> str:
    """`ERR_`, the second in UTC, and eight hexadecimal digits."""
    return f"ERR_{utc_now():%Y%m%d_%H%M%S}_{os.urandom(4).hex()}"


def new_correlation_id() -> str:
    """A random UUID, for what happened outside of any trace."""
    import uuid  # inside of a trace it is not needed

    return str(uuid.uuid4())


def utc_now() -> datetime:
    """UTC, without a time zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
