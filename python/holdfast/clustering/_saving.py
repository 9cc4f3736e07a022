"""Saving and loading a fitted clusterer."""

from __future__ import annotations

import enum
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.clustering import _persistence
from holdfast.clustering._data.arrays import Rows, Sequences
from holdfast.clustering._data.tables import Columns
from holdfast.clustering._fallback import RawModel
from holdfast.clustering._fitted import Fit, Fitted
from holdfast.clustering._guard import plain_config
from holdfast.clustering._model import Model
from holdfast.errors import (
    InvalidDataError,
    InvalidParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
)

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray
    from typing_extensions import Self


class Saved(Fitted):
    """`save` and `load`."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted clusterer to `path` (zip of .npy and JSON; no pickle).

        All or nothing: the file is written beside `path`, synced and renamed. Of a circuit
        breaker the thresholds and times are written, not what it counted nor which
        exceptions it expects: those are classes.
        """
        fit, model = self._fit_or_raise(), self._model
        parameters = {}
        for name, value in self.get_params().items():
            plain = _plain(plain_config(value) if name == "circuit_breaker_config" else value)
            if not _is_plain(plain):
                raise InvalidParameterError(
                    f"{name} cannot be saved: it must be made of numbers, strings, lists "
                    f"and dicts, got {value!r}"
                )
            parameters[name] = plain
        columns = None if fit.columns is None else vars(fit.columns)
        page = {
            "library": version("holdfast"),
            "model": "raw" if isinstance(model, RawModel) else "consensus",
            "parameters": parameters,
            "settings": model.settings(),
            "columns": columns,
            "channels": fit.channels,
            "filled": fit.filled,
            "seed": str(fit.seed),
            "seconds": fit.seconds,
            "error": None if fit.error is None else fit.error.message,
            "error_type": None if fit.error is None else fit.error.error_type.value,
            "names_in": list(getattr(self, "feature_names_in_", [])) or None,
            "features_in": self.n_features_in_,
            "data_names": fit.kept.names if isinstance(fit.kept, Rows) else None,
            "interpretation": list(fit.interpretation.items()),
        }
        arrays = {f"model.{name}": array for name, array in model.arrays().items()}
        arrays["data.values"] = fit.kept.values
        if isinstance(fit.kept, Sequences):
            arrays["data.lengths"] = fit.kept.lengths
        _persistence.write(path, page, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the clusterer saved at `path`.

        Raises
        ------
        InvalidDataError
            If the file is damaged, of a newer format, or not a saved clusterer.
        """
        page, arrays = _persistence.read(path)
        try:
            return cls._restored(page, arrays)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InvalidDataError(
                f"{path} is incomplete or inconsistent: {error!r}"
            ) from error

    @classmethod
    def _restored(cls, page: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        parameters = page["parameters"]
        esn = parameters["esn_params"]
        if esn and isinstance(esn.get("leaking_rate"), list):
            esn["leaking_rate"] = tuple(esn["leaking_rate"])
        clusterer = cls(**parameters)
        own = {
            name.removeprefix("model."): array
            for name, array in arrays.items()
            if name.startswith("model.")
        }
        kind = RawModel if page["model"] == "raw" else Model
        model = kind.restore(own, page["settings"])
        kept: Rows | Sequences
        if page["data_names"] is None:
            kept = Sequences(arrays["data.values"], arrays["data.lengths"])
        else:
            kept = Rows(arrays["data.values"], page["data_names"])
        columns = page["columns"]
        error = None
        if page["error"] is not None:
            error = NeuromorphicException(
                page["error"], NeuromorphicErrorType(page["error_type"])
            )
        clusterer._fit = Fit(
            model,
            kept,
            None if columns is None else Columns(**columns),
            page["channels"],
            page["filled"],
            int(page["seed"]),
            page["seconds"],
            error,
            {int(cluster): facts for cluster, facts in page["interpretation"]},
        )
        clusterer.n_features_in_ = page["features_in"]
        if page["names_in"] is not None:
            clusterer.feature_names_in_ = np.asarray(page["names_in"], dtype=object)
        return clusterer


def _plain(value: Any) -> Any:
    """`value` without enums and NumPy's scalars."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(inner) for inner in value)
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(v) for v in value)
    return value is None or isinstance(value, (bool, int, float, str))
