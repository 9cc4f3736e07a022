"""Everything holdfast raises.

* HoldfastError
  - InvalidParameterError (also a ValueError)
  - InvalidDataError (also a ValueError)
  - NotFittedError (also a ValueError and an AttributeError, and scikit-learn's own
    NotFittedError where that is loaded)
  - TimeBudgetError (also a TimeoutError)

and what it warns of:

* FewerClustersWarning (a UserWarning)
"""

from __future__ import annotations

import sys

__all__ = [
    "FewerClustersWarning",
    "HoldfastError",
    "InvalidDataError",
    "InvalidParameterError",
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
    kinds = (
        [NotFittedError] if theirs is None else [NotFittedError, theirs.NotFittedError]
    )
    error: NotFittedError = type("NotFittedError", tuple(kinds), {})(
        f"This {estimator} instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    return error


class TimeBudgetError(HoldfastError, TimeoutError):
    """A computation was stopped because its time budget was used up."""


class FewerClustersWarning(UserWarning):
    """A clustering has fewer clusters than were asked for."""
