"""From data to clusters: features, their consensus, and what a new sample needs.

Everything learned is a plain array, so a model can be pickled, saved and compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _core
from holdfast.clustering._data.arrays import Limits, Sequences
from holdfast.clustering._data.kept import subset
from holdfast.clustering._data.order import canonical_order, restored
from holdfast.clustering._feature_parameters import merged
from holdfast.clustering._features import Data, Extract, Features
from holdfast.clustering._selection import Selection, select_n_clusters
from holdfast.clustering._watch import UNWATCHED, Watch
from holdfast.errors import InvalidClusteringParameterError, InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

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


@dataclass
class Model:
    """Fitted features and the consensus that turns them into clusters."""

    method: str
    features: Features
    n_clusters: int = 0
    labels: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    centers: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    selection: Selection | None = None
    groups: list[Group] = field(default_factory=list, repr=False)
    members: list[Member] = field(default_factory=list, repr=False)
    votes: NDArray[np.float64] | None = field(default=None, repr=False)

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
        extract: Extract | None = None,
        watched: Watch = UNWATCHED,
    ) -> Self:
        """Learn features and clusters of `data`.

        `limits` is asked before every step what that step may still use; `extract` makes
        features in the place of `method`.

        Raises
        ------
        InvalidParameterError
            If a parameter is unknown or outside its domain.
        TimeBudgetError
            If the budget is used up.
        """
        parts = _parts(method, esn, snn, lsm)
        groups, pattern = _GROUPS[method]
        # What makes features of one's own may go by the place of a sample.
        order = canonical_order(data) if extract is None else np.arange(len(data))
        data = data if extract is not None else subset(data, order)
        with watched.phase("feature_extraction"):
            model = cls(method, Features.fit(data, groups, parts, seed, limits, extract))
        with watched.phase("neuromorphic_processing"):
            features = model.features.compute(data, limits)
        if extract is None:
            used = groups if isinstance(data, Sequences) else ["population"]
            watched.ended(neuromorphic_components_used=list(used))
        with watched.phase("clustering"):
            model._cluster(data, features, pattern, n_clusters, seed, limits)
        model.labels = restored(model.labels, order)
        return model

    def _cluster(
        self,
        data: Data,
        features: list[NDArray[np.float32]],
        pattern: list[int],
        n_clusters: int | None,
        seed: int,
        limits: Callable[[], Limits],
    ) -> None:
        members = [0]
        if isinstance(data, Sequences):
            members = [pattern[m % len(pattern)] for m in range(_MEMBERS)]
            if self.features.relative is not None:
                # Whether a longer series is a slower one, or one of more of the same, nobody
                # says: every other member takes it for a slower one.
                groups = len(features) // 2
                members = [
                    group + groups * (members[:m].count(group) % 2)
                    for m, group in enumerate(members)
                ]
        if n_clusters is None:
            self.selection = select_n_clusters(
                lambda k: self._settle(data, features, [0], k, seed, limits),
                lambda places: _core.nearest_center(places, self.centers),
                len(data),
                len(np.unique(np.hstack(features), axis=0)),
            )
            n_clusters = self.selection.n_clusters
        places = self._settle(data, features, members, n_clusters, seed, limits)
        self.labels = _core.nearest_center(places, self.centers)
        self.n_clusters = n_clusters
        self.weights = np.bincount(self.labels, minlength=n_clusters).astype(float)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of each column or channel."""
        return self.features.mean

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each column or channel; 0 where it is constant."""
        return self.features.deviation

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns of `transform`."""
        return self.features.names

    def transform(self, data: Data, limits: Callable[[], Limits]) -> NDArray[np.float32]:
        """Return the features, one row per sample."""
        features = self.features.compute(data, limits)
        return features[0] if len(features) == 1 else np.hstack(features)

    def embed(self, data: Data, limits: Callable[[], Limits]) -> NDArray[np.float64]:
        """Return where each sample is in the space of the clusters."""
        return self._places(self.features.compute(data, limits), limits)

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
            standardised=series or self.features.extract is not None,
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
            spherical=self.features.of_series,
            limits=limits(),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every learned array by name."""
        arrays = self.features.arrays()
        arrays |= {"labels": self.labels, "centers": self.centers, "weights": self.weights}
        if self.votes is not None:
            arrays["votes"] = self.votes
        for i, group in enumerate(self.groups):
            parts = zip(("mean", "inverse", "directions"), group, strict=True)
            arrays |= {f"group{i}.{name}": value for name, value in parts}
        for i, (_, components, centers) in enumerate(self.members):
            arrays[f"member{i}.map"] = components
            arrays[f"member{i}.centers"] = centers
        return arrays

    def settings(self) -> dict[str, Any]:
        """Return all that is not an array, fit for JSON."""
        return {
            **self.features.settings(),
            "method": self.method,
            "n_clusters": self.n_clusters,
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
        chosen = settings["selection"]
        return cls(
            method=settings["method"],
            features=Features.restore(arrays, settings),
            n_clusters=settings["n_clusters"],
            labels=arrays["labels"],
            centers=arrays["centers"],
            weights=arrays["weights"],
            selection=None if chosen is None else Selection.from_dict(chosen),
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
        )


def _parts(
    method: str,
    esn: Mapping[str, object] | None,
    snn: Mapping[str, object] | None,
    lsm: Mapping[str, object] | None,
) -> dict[str, dict[str, Any]]:
    """All parameters of each part."""
    given = {"esn": esn, "snn": snn, "lsm": lsm}
    try:
        return {part: merged(part, own) for part, own in given.items()}
    except InvalidParameterError as error:
        components = {f"{part}_params": own for part, own in given.items()}
        raise InvalidClusteringParameterError(
            str(error),
            context={"method": method, "component_params": components},
            recoverable=False,
        ) from None
