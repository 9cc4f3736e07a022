"""What a clusterer makes of the data it is given: rows of a table, or series."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.clustering._data.input import described, is_series, refuse_other_kinds
from holdfast.clustering._data.series import read_series
from holdfast.clustering._data.tables import Columns, read_rows
from holdfast.clustering._fitted import Fit, Fitted
from holdfast.errors import InvalidClusteringInputError

# Data, columns of a table, their number or that of channels, values filled in.
Read: TypeAlias = "tuple[Rows | Sequences, Columns | None, int, int]"


class Reading(Fitted):
    """Takes a table or series in, the first time and like the first time."""

    def _read(self, X: Any, fit: Fit | None) -> Read:
        """Checked data, its columns or channels, and how many values were filled in."""
        try:
            return self._checked_data(X, fit)
        except InvalidClusteringInputError as error:
            error.context.update(described(X))
            raise

    def _checked_data(self, X: Any, fit: Fit | None) -> Read:
        refuse_other_kinds(X)
        if fit is not None and isinstance(X, (list, tuple)) and not X:
            raise InvalidClusteringInputError("X has 0 samples, at least 1 is required")
        series = is_series(X)
        if fit is not None and series != isinstance(fit.kept, Sequences):
            kinds = ("a table", "series")
            raise InvalidClusteringInputError(
                f"X is {kinds[series]}, but the clusterer was fitted on {kinds[not series]}"
                + "; a list of one series is [X]" * (not series)
            )
        if series:
            channels = None if fit is None else fit.channels
            sequences, filled = read_series(X, self.layout, channels)
            return sequences, None, sequences.values.shape[1], filled
        columns = None if fit is None else fit.columns
        if fit is not None and columns is not None:
            width = X.shape if hasattr(X, "shape") else np.asarray(X).shape
            named = hasattr(X, "columns")
            lenient = named and columns.ignored
            if not lenient and len(width) == 2:  # noqa: PLR2004
                self._check_names(X)
                self._check_width(width[1])
        rows, columns, filled = read_rows(X, columns)
        return rows, columns, rows.values.shape[1], filled

    def _remember(self, X: Any, columns: Columns | None, channels: int) -> None:
        if columns is None:
            self.n_features_in_ = channels
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        else:
            self._learn_features(X, len(columns.names))
