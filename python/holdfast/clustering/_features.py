"""Features of tables and series: what is learned of the training data, and its use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from holdfast import _core
from holdfast._limits import fits
from holdfast.clustering._data.arrays import Limits, Rows, Sequences, moments
from holdfast.clustering._data.resampling import resampled
from holdfast.errors import (
    InvalidParameterError,
    NeuromorphicErrorType,
    NeuromorphicException,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

_MATRIX = 2  # dimensions
Data = Rows | Sequences
Extract: TypeAlias = "Callable[[Any], Any]"  # standardised rows, or series, to features


@dataclass
class Features:
    """A population code of tables; dictionaries and reservoirs of series.

    Of series of different lengths the features are learned twice: in time as it is, and
    `relative` to the length of each series, of all of them brought to `length` steps.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    fields: int
    epsilon: float
    names: list[str] = field(default_factory=list)
    layers: list[tuple[list[int], int, NDArray[np.float32]]] = field(
        default_factory=list, repr=False
    )
    reservoirs: list[tuple[str, dict[str, NDArray[Any]]]] = field(
        default_factory=list, repr=False
    )
    extract: Extract | None = field(default=None, repr=False)
    length: int = 0
    relative: Features | None = field(default=None, repr=False)

    @classmethod
    def fit(
        cls,
        data: Data,
        groups: list[str],
        parts: dict[str, dict[str, Any]],
        seed: int,
        limits: Callable[[], Limits],
        extract: Extract | None = None,
    ) -> Self:
        """Learn the features `groups` of series; of a table, or for `extract`, moments."""
        mean, deviation = moments(data.values)
        fields = int(parts["snn"]["receptive_fields"])
        features = cls(mean, deviation, fields, float(parts["snn"]["epsilon"]))
        if extract is not None:
            features.extract = extract
        elif isinstance(data, Sequences):
            features._learn(data, groups, parts, seed, limits)
            if len(np.unique(data.lengths)) > 1:
                features.length = int(np.median(data.lengths))
                features.relative = own = cls(mean, deviation, fields, features.epsilon)
                own._learn(resampled(data, features.length), groups, parts, seed, limits)
                features.names += [f"relative_{name}" for name in own.names]
        else:
            features.names = [f"{name}_field{f}" for name in data.names for f in range(fields)]
        return features

    @property
    def of_series(self) -> bool:
        """Whether they are features of series."""
        return bool(self.layers or self.reservoirs)

    def _learn(
        self,
        data: Sequences,
        groups: list[str],
        parts: dict[str, dict[str, Any]],
        seed: int,
        limits: Callable[[], Limits],
    ) -> None:
        values, lengths = self._standardised(data), data.lengths.tolist()
        for group in groups:
            given = parts[group]
            if group == "snn":
                self._learn_layers(values, lengths, given, seed, limits)
            elif group == "esn":
                reservoir = _core.fit_driven_echo_state(
                    values,
                    lengths,
                    units=given["reservoir_size"],
                    spectral_radius=given["spectral_radius"],
                    degree=given["degree"],
                    input_scaling=given["input_scaling"],
                    leak=given["leaking_rate"],
                    seed=seed,
                    limits=limits(),
                )
                self._add_reservoir("esn", reservoir)
            else:
                reservoir = _core.fit_driven_liquid(
                    values,
                    lengths,
                    units=given["liquid_size"],
                    degree=given["degree"],
                    strength=given["strength"],
                    excitatory=given["excitatory"],
                    seed=seed,
                    limits=limits(),
                )
                self._add_reservoir("lsm", reservoir)

    def _learn_layers(
        self,
        values: NDArray[np.float32],
        lengths: list[int],
        given: dict[str, Any],
        seed: int,
        limits: Callable[[], Limits],
    ) -> None:
        channels = values.shape[1]
        # Half of the units see one channel each, half see all of them together.
        groups = [[c] for c in range(channels)]
        if channels > 1:
            groups.append(list(range(channels)))
        units = given["n_neurons"]
        if channels > 1:
            units = max(8, units // len(groups))
        dilations = _core.layer_dilations(int(np.median(lengths)), given["scales"])
        for group in groups:
            for dilation in dilations:
                weights = _core.learn_dictionary(
                    values,
                    lengths,
                    channels=group,
                    dilation=dilation,
                    units=units,
                    sample=given["sample"],
                    epsilon=given["epsilon"],
                    seed=(seed * 4096 + len(self.layers)) % 2**64,
                    limits=limits(),
                )
                seen = "all" if len(group) > 1 else group[0]
                self.names += [f"snn_c{seen}_d{dilation}_u{u}" for u in range(units)]
                self.layers.append((group, dilation, weights))

    def _add_reservoir(self, group: str, reservoir: dict[str, NDArray[Any]]) -> None:
        units = len(reservoir["scales"])
        self.names += [
            f"{group}_{pooled}_u{u}"
            for pooled in ("ppv", "lspv", "crossings")
            for u in range(units)
        ]
        self.reservoirs.append((group, reservoir))

    def _standardised(self, data: Data) -> NDArray[np.float32]:
        scale = np.where(self.deviation > 0, self.deviation, 1.0)
        return ((data.values - self.mean) / scale).astype(np.float32)

    def compute(self, data: Data, limits: Callable[[], Limits]) -> list[NDArray[np.float32]]:
        """Return the features, one matrix per group."""
        if self.extract is not None:
            return [self._extracted(self.extract, data)]
        fits("the features", (len(data), len(self.names)), 4)
        if isinstance(data, Rows):
            mean, deviation = self.mean.tolist(), self.deviation.tolist()
            return [_core.encode_population(data.values, mean, deviation, self.fields)]
        values, lengths = self._standardised(data), data.lengths.tolist()
        features = []
        if self.layers:
            features.append(
                _core.dictionary_features(values, lengths, self.layers, self.epsilon, limits())
            )
        for _, reservoir in self.reservoirs:
            features.append(_core.driven_features(values, lengths, reservoir, limits()))
        if self.relative is not None:
            features += self.relative.compute(resampled(data, self.length), limits)
        return features

    def _extracted(self, extract: Extract, data: Data) -> NDArray[np.float32]:
        given: Any = self._standardised(data)
        if isinstance(data, Sequences):
            given = np.split(given, np.cumsum(data.lengths)[:-1])
        features = np.ascontiguousarray(extract(given), dtype=np.float32)
        if features.ndim != _MATRIX or len(features) != len(data):
            raise NeuromorphicException(
                f"the features must have shape ({len(data)}, any), got {features.shape}",
                NeuromorphicErrorType.DIMENSION_ERROR,
            )
        if not np.isfinite(features).all():
            raise NeuromorphicException(
                "the features must be finite, got NaN or infinity",
                NeuromorphicErrorType.STABILITY_ERROR,
            )
        self.names = [f"feature{j}" for j in range(features.shape[1])]
        return features

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every learned array by name."""
        arrays: dict[str, NDArray[Any]] = {"mean": self.mean, "deviation": self.deviation}
        for i, (_, _, layer) in enumerate(self.layers):
            arrays[f"layer{i}"] = layer
        for group, reservoir in self.reservoirs:
            arrays |= {f"{group}.{name}": value for name, value in reservoir.items()}
        if self.relative is not None:
            own = self.relative.arrays()
            arrays |= {f"relative.{name}": value for name, value in own.items()}
        return arrays

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, fit for JSON."""
        if self.extract is not None:
            raise InvalidParameterError(
                "features of one's own cannot be saved: they are made by a function, "
                f"{self.extract!r}"
            )
        return {
            "feature_names": self.names,
            "fields": self.fields,
            "epsilon": self.epsilon,
            "layers": [[channels, dilation] for channels, dilation, _ in self.layers],
            "reservoirs": [group for group, _ in self.reservoirs],
            "length": self.length,
            "relative": None if self.relative is None else self.relative.settings(),
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """Rebuild from `arrays()` and `settings()`.

        Raises
        ------
        KeyError
            If an array or a setting is missing.
        """
        reservoirs = [
            (
                group,
                {
                    name.partition(".")[2]: value
                    for name, value in arrays.items()
                    if name.startswith(f"{group}.")
                },
            )
            for group in settings["reservoirs"]
        ]
        relative = settings.get("relative")
        if relative is not None:
            own = {
                name.removeprefix("relative."): value
                for name, value in arrays.items()
                if name.startswith("relative.")
            }
            relative = cls.restore(own, relative)
        return cls(
            mean=arrays["mean"],
            deviation=arrays["deviation"],
            fields=settings["fields"],
            epsilon=settings["epsilon"],
            names=list(settings["feature_names"]),
            layers=[
                (list(channels), dilation, arrays[f"layer{i}"])
                for i, (channels, dilation) in enumerate(settings["layers"])
            ],
            reservoirs=reservoirs,
            length=settings.get("length", 0),
            relative=relative,
        )
