"""DataFrames in the place of arrays, for who asks: scikit-learn's `set_output`.

The choice is kept under the name scikit-learn knows, so that `clone` copies it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from holdfast.errors._parameters import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from typing_extensions import Self

_KINDS = ("default", "pandas", "polars")


class FramedOutput:
    """`set_output` for estimators that name the columns of their `transform`."""

    _sklearn_output_config: dict[str, str]
    get_feature_names_out: Callable[[], NDArray[Any]]

    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` and `fit_transform` return.

        Parameters
        ----------
        transform : {'default', 'pandas', 'polars'}, optional
            'default' is an array; `None` changes nothing. Not said, it is what
            `sklearn.set_config(transform_output=...)` says.

        Raises
        ------
        InvalidParameterError
            If it is none of these.
        """
        if transform is None:
            return self
        one_of("transform", transform, _KINDS)
        if not hasattr(self, "_sklearn_output_config"):
            self._sklearn_output_config = {}
        self._sklearn_output_config["transform"] = transform
        return self

    def _framed(self, values: NDArray[Any], given: object) -> Any:
        """`values`, made of `given`, in what was chosen."""
        kind = getattr(self, "_sklearn_output_config", {}).get("transform")
        sklearn = sys.modules.get("sklearn")
        if kind is None and sklearn is not None:
            kind = sklearn.get_config()["transform_output"]
        if kind == "pandas":
            import pandas as pd

            index = given.index if isinstance(given, pd.DataFrame) else None
            return pd.DataFrame(values, index=index, columns=self.get_feature_names_out())
        if kind == "polars":
            import polars as pl

            names = self.get_feature_names_out().tolist()
            return pl.DataFrame(values, schema=names, orient="row")
        return values
