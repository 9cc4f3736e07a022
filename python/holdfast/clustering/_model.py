"""From data to clusters: features, their consensus, and what a new sample needs.

Everything learned is a plain array, so a model can be pickled, saved and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from holdfast import _core
from holdfast.clustering._data import Limits, Rows, Sequences
from holdfast.clustering._selection import Selection, select_n_clusters
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

Data = Rows | Sequences
Method = Literal[
    "spiking_neural_network",
    "echo_state_network",
    "liquid_state_machine",
    "hybrid_reservoir",
]

PARAMETERS: dict[str, dict[str, object]] = {
    "esn": {
        "reservoir_size": 400,
        "spectral_radius": 0.9,
        "degree": 10,
        "input_scaling": 0.5,
        "leaking_rate": (0.1, 1.0),
    },
    "snn": {
        "n_neurons": 256,
        "scales": 4,
        "epsilon": 0.1,
        "sample": 20_000,
        "receptive_fields": 8,
    },
    "lsm": {
        "liquid_size": 420,
        "degree": 8,
        "strength": 0.3,
        "excitatory": 0.8,
    },
}

# Groups of features by method, and which of them each of the members clusters in turn.
_GROUPS: dict[str, tuple[list[str], list[int]]] = {
    "spiking_neural_network": (["snn"], [0]),
    "echo_state_network": (["esn"], [0]),
    "liquid_state_machine": (["lsm"], [0]),
    "hybrid_reservoir": (["snn", "esn"], [0, 0, 0, 1]),
}
_MEMBERS = 16
_SHARE = 0.6

Group = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.float32]"]
Member = tuple[int, "NDArray[np.float32]", "NDArray[np.float32]"]


def merged(part: str, given: Mapping[str, object] | None) -> dict[str, Any]:
    """Return the parameters of `part` ("esn", "snn" or "lsm"), `given` over defaults.

    Raises
    ------
    InvalidParameterError
        If `given` has a key that is not a parameter, or a value outside its domain.
    """
    known = PARAMETERS[part]
    for key in given or {}:
        if key not in known:
            raise InvalidParameterError(
                f"{part}_params has no parameter {key!r}; known: {sorted(known)}"
            )
    values: dict[str, Any] = {**known, **(given or {})}
    for key, value in values.items():
        _check(f"{part}_params[{key!r}]", key, value)
    if part == "esn" and not isinstance(values["leaking_rate"], tuple):
        values["leaking_rate"] = (values["leaking_rate"],) * 2
    return values


_WHOLE = {
    "reservoir_size",
    "degree",
    "n_neurons",
    "scales",
    "sample",
    "receptive_fields",
    "liquid_size",
}
_UNIT = {"excitatory"}


def _check(name: str, key: str, value: Any) -> None:
    if key in _WHOLE:
        right = isinstance(value, (int, np.integer)) and value >= 1
        rule = "a whole number of at least 1"
    elif key == "leaking_rate":
        low, high = value if isinstance(value, tuple) else (value, value)
        right = 0 < low <= high <= 1
        rule = "a number in (0, 1] or a pair of them in ascending order"
    elif key in _UNIT:
        right, rule = 0 <= value <= 1, "a number in [0, 1]"
    else:
        right, rule = bool(0 < value < np.inf), "a finite number above 0"
        if key == "strength":
            right, rule = bool(0 <= value < np.inf), "a finite number of at least 0"
    if not right:
        raise InvalidParameterError(f"{name} must be {rule}, got {value!r}")


@dataclass
class Model:
    """Fitted features and the consensus that turns them into clusters."""

    method: str
    n_clusters: int
    labels: NDArray[np.int64]
    centers: NDArray[np.float64]
    feature_names: list[str]
    selection: Selection | None
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    fields: int
    epsilon: float
    layers: list[tuple[list[int], int, NDArray[np.float32]]] = field(repr=False)
    reservoirs: list[tuple[str, dict[str, NDArray[Any]]]] = field(repr=False)
    groups: list[Group] = field(repr=False)
    members: list[Member] = field(repr=False)
    votes: NDArray[np.float64] | None = field(repr=False)
    weights: NDArray[np.float64] = field(repr=False)

    @classmethod
    def fit(
        cls,
        data: Data,
        *,
        method: str,
        n_clusters: int | None,
        seed: int,
        esn: Mapping[str, object] | None,
        snn: Mapping[str, object] | None,
        lsm: Mapping[str, object] | None,
        limits: Callable[[], Limits],
    ) -> Self:
        """Learn features and clusters of `data`.

        `limits` is asked before every step what that step may still use.

        Raises
        ------
        InvalidParameterError
            If a parameter is unknown or outside its domain.
        TimeBudgetError
            If the budget is used up.
        """
        parts = {
            "esn": merged("esn", esn),
            "snn": merged("snn", snn),
            "lsm": merged("lsm", lsm),
        }
        mean, deviation = _moments(data.values)
        model = cls(
            method=method,
            n_clusters=0,
            labels=np.empty(0, np.int64),
            centers=np.empty((0, 0)),
            feature_names=[],
            selection=None,
            mean=mean,
            deviation=deviation,
            fields=int(parts["snn"]["receptive_fields"]),
            epsilon=float(parts["snn"]["epsilon"]),
            layers=[],
            reservoirs=[],
            groups=[],
            members=[],
            votes=None,
            weights=np.empty(0),
        )
        if isinstance(data, Sequences):
            model._learn(data, parts, seed, limits)
        else:
            model._name_rows(data)
        features = model._features(data, limits)
        members = [0]
        if isinstance(data, Sequences):
            pattern = _GROUPS[method][1]
            members = [pattern[m % len(pattern)] for m in range(_MEMBERS)]
        if n_clusters is None:
            model.selection = select_n_clusters(
                lambda k: model._settle(data, features, [0], k, seed, limits),
                lambda places: _core.nearest_center(places, model.centers),
                len(data),
                len(np.unique(np.hstack(features), axis=0)),
            )
            n_clusters = model.selection.n_clusters
        places = model._settle(data, features, members, n_clusters, seed, limits)
        model.labels = _core.nearest_center(places, model.centers)
        model.n_clusters = n_clusters
        model.weights = np.bincount(model.labels, minlength=n_clusters).astype(float)
        return model

    def transform(self, data: Data, limits: Callable[[], Limits]) -> NDArray[np.float32]:
        """Return the features, one row per sample."""
        features = self._features(data, limits)
        return features[0] if len(features) == 1 else np.hstack(features)

    def embed(self, data: Data, limits: Callable[[], Limits]) -> NDArray[np.float64]:
        """Return where each sample is in the space of the clusters."""
        return self._places(self._features(data, limits), limits)

    def predict(self, data: Data, limits: Callable[[], Limits]) -> NDArray[np.int64]:
        """Return the nearest cluster of each sample."""
        return _core.nearest_center(self.embed(data, limits), self.centers)

    def partial_fit(self, data: Data, forgetting: float, limits: Callable[[], Limits]) -> None:
        """Move the centres towards new samples; features and members stay.

        Each centre is the mean of its samples, where those of earlier calls count
        `1 - forgetting` times as much with every call.
        """
        places = self.embed(data, limits)
        labels = _core.nearest_center(places, self.centers)
        weights = self.weights * (1.0 - forgetting)
        centers = self.centers.copy()
        for cluster in range(len(centers)):
            own = places[labels == cluster]
            if len(own):
                weights[cluster] += len(own)
                pull = len(own) / weights[cluster]
                centers[cluster] += pull * (own.mean(axis=0) - centers[cluster])
        self.centers, self.weights, self.labels = centers, weights, labels

    def _learn(
        self,
        data: Sequences,
        parts: dict[str, dict[str, Any]],
        seed: int,
        limits: Callable[[], Limits],
    ) -> None:
        values, lengths = self._standardised(data), data.lengths.tolist()
        for group in _GROUPS[self.method][0]:
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
                self.feature_names += [f"snn_c{seen}_d{dilation}_u{u}" for u in range(units)]
                self.layers.append((group, dilation, weights))

    def _add_reservoir(self, group: str, reservoir: dict[str, NDArray[Any]]) -> None:
        units = len(reservoir["scales"])
        self.feature_names += [
            f"{group}_{pooled}_u{u}"
            for pooled in ("ppv", "lspv", "crossings")
            for u in range(units)
        ]
        self.reservoirs.append((group, reservoir))

    def _name_rows(self, data: Rows) -> None:
        self.feature_names = [
            f"{name}_field{f}" for name in data.names for f in range(self.fields)
        ]

    def _standardised(self, data: Sequences) -> NDArray[np.float32]:
        scale = np.where(self.deviation > 0, self.deviation, 1.0)
        return ((data.values - self.mean) / scale).astype(np.float32)

    def _features(self, data: Data, limits: Callable[[], Limits]) -> list[NDArray[np.float32]]:
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
        return features

    def _settle(
        self,
        data: Data,
        features: list[NDArray[np.float32]],
        members: list[int],
        n_clusters: int,
        seed: int,
        limits: Callable[[], Limits],
    ) -> NDArray[np.float64]:
        """Fit the consensus of `members`; the places of the samples in it."""
        series = isinstance(data, Sequences)
        self.groups, self.members, self.votes, self.centers = _core.fit_consensus(
            features,
            n_clusters=n_clusters,
            members=members,
            share=_SHARE if len(members) > 1 else 1.0,
            # A population code has one scale already.
            standardised=series,
            spherical=series,
            seed=seed,
            limits=limits(),
        )
        return self._places(features, limits)

    def _places(
        self, features: list[NDArray[np.float32]], limits: Callable[[], Limits]
    ) -> NDArray[np.float64]:
        return _core.embed_consensus(
            features,
            groups=self.groups,
            members=self.members,
            votes=self.votes,
            spherical=bool(self.layers or self.reservoirs),
            limits=limits(),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every learned array by name."""
        arrays: dict[str, NDArray[Any]] = {
            "labels": self.labels,
            "centers": self.centers,
            "mean": self.mean,
            "deviation": self.deviation,
            "weights": self.weights,
        }
        if self.votes is not None:
            arrays["votes"] = self.votes
        for i, (_, _, layer) in enumerate(self.layers):
            arrays[f"layer{i}"] = layer
        for group, reservoir in self.reservoirs:
            arrays |= {f"{group}.{name}": value for name, value in reservoir.items()}
        for i, group_arrays in enumerate(self.groups):
            for name, value in zip(
                ("mean", "inverse", "directions"), group_arrays, strict=True
            ):
                arrays[f"group{i}.{name}"] = value
        for i, (_, components, centers) in enumerate(self.members):
            arrays[f"member{i}.map"] = components
            arrays[f"member{i}.centers"] = centers
        return arrays

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, fit for JSON."""
        return {
            "method": self.method,
            "n_clusters": self.n_clusters,
            "feature_names": self.feature_names,
            "fields": self.fields,
            "epsilon": self.epsilon,
            "layers": [[channels, dilation] for channels, dilation, _ in self.layers],
            "reservoirs": [group for group, _ in self.reservoirs],
            "groups": len(self.groups),
            "members": [group for group, _, _ in self.members],
            "selection": None if self.selection is None else self.selection.to_dict(),
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> Self:
        """Rebuild a model from `arrays()` and `settings()`.

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
        chosen = settings["selection"]
        return cls(
            method=settings["method"],
            n_clusters=settings["n_clusters"],
            labels=arrays["labels"],
            centers=arrays["centers"],
            feature_names=list(settings["feature_names"]),
            selection=None if chosen is None else Selection.from_dict(chosen),
            mean=arrays["mean"],
            deviation=arrays["deviation"],
            fields=settings["fields"],
            epsilon=settings["epsilon"],
            layers=[
                (list(channels), dilation, arrays[f"layer{i}"])
                for i, (channels, dilation) in enumerate(settings["layers"])
            ],
            reservoirs=reservoirs,
            groups=[
                (
                    arrays[f"group{i}.mean"],
                    arrays[f"group{i}.inverse"],
                    arrays[f"group{i}.directions"],
                )
                for i in range(settings["groups"])
            ],
            members=[
                (group, arrays[f"member{i}.map"], arrays[f"member{i}.centers"])
                for i, group in enumerate(settings["members"])
            ],
            votes=arrays.get("votes"),
            weights=arrays["weights"],
        )


def _moments(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per column; 0 where that is rounding error."""
    mean = values.mean(axis=0)
    # Squares of huge numbers overflow; a scale beforehand costs one pass.
    largest = np.abs(values - mean).max(axis=0, initial=0.0)
    scale = np.where(largest > 0, largest, 1.0)
    deviation = np.sqrt((((values - mean) / scale) ** 2).mean(axis=0)) * scale
    return mean, np.where(deviation > 1e-12 * np.abs(mean), deviation, 0.0)
