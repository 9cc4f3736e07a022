"""What every estimator has in common: scikit-learn's conventions without scikit-learn.

scikit-learn is imported by `__sklearn_tags__` alone, which only scikit-learn calls.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from holdfast._arrays import feature_names
from holdfast._warnings import warn
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.errors._base import not_fitted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sklearn.utils import Tags
    from typing_extensions import Self

_NAMES_SHOWN = 5


class Estimator:
    """Parameters are the arguments of `__init__`; what `fit` learns ends in `_`."""

    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    _estimator_type: Literal["clusterer", "transformer"] = "clusterer"

    @classmethod
    def _parameters(cls) -> list[inspect.Parameter]:
        signature = inspect.signature(cls.__init__)
        return list(signature.parameters.values())[1:]

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002
        """Return the parameters by name; `deep` is there for scikit-learn's sake."""
        return {p.name: getattr(self, p.name) for p in self._parameters()}

    def set_params(self, **params: object) -> Self:
        """Change parameters; `fit` is what checks them.

        Raises
        ------
        InvalidParameterError
            If a name is not a parameter.
        """
        known = [p.name for p in self._parameters()]
        for name, value in params.items():
            if name not in known:
                raise InvalidParameterError(
                    f"Invalid parameter {name!r} for estimator {self}. "
                    f"Valid parameters are: {known!r}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Show the parameters that differ from their defaults."""
        shown = [
            f"{p.name}={getattr(self, p.name)!r}"
            for p in self._parameters()
            if repr(getattr(self, p.name)) != repr(p.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Tags:
        """Describe the estimator to scikit-learn."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        transforms = hasattr(self, "transform")
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"])
            if transforms
            else None,
            input_tags=InputTags(two_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has been called."""
        return hasattr(self, "n_features_in_")

    def _check_is_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(type(self).__name__)

    def _learn_features(self, X: object, n_features: int) -> None:
        """Remember the number of columns of `X`, and their names if strings."""
        names = feature_names(X)
        self.n_features_in_ = n_features
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _check_names(self, X: object) -> None:
        """Hold the column names of `X` against those `fit` has seen."""
        name = type(self).__name__
        seen = getattr(self, "feature_names_in_", None)
        given = feature_names(X)
        if seen is None and given is not None:
            warn(f"X has feature names, but {name} was fitted without feature names")
        elif seen is not None and given is None:
            warn(
                f"X does not have valid feature names, but {name} was fitted with feature names"
            )
        elif seen is not None and given is not None and list(seen) != list(given):
            raise InvalidDataError(_difference(list(seen), list(given)))

    def _check_width(self, n_features: int) -> None:
        """Hold a number of columns against that `fit` has seen."""
        if n_features != self.n_features_in_:
            name = type(self).__name__
            raise InvalidDataError(
                f"X has {n_features} features, but {name} is expecting "
                f"{self.n_features_in_} features as input."
            )


def _difference(seen: list[str], given: list[str]) -> str:
    """Say what sets `given` apart from `seen`, in scikit-learn's words."""

    def listed(names: set[str]) -> str:
        shown = [f"- {name}\n" for name in sorted(names)]
        return "".join(shown[:_NAMES_SHOWN] + ["- ...\n"] * (len(shown) > _NAMES_SHOWN))

    unseen, missing = set(given) - set(seen), set(seen) - set(given)
    message = "The feature names should match those that were passed during fit.\n"
    if unseen:
        message += f"Feature names unseen at fit time:\n{listed(unseen)}"
    if missing:
        message += f"Feature names seen at fit time, yet now missing:\n{listed(missing)}"
    if not unseen and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    return message
