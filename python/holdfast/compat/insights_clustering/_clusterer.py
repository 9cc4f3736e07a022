"""The clusterer with the attributes it once had beside its results."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import clustering
from holdfast.clustering import (
    ClusteringMetrics,
    EchoStateNetwork,
    LiquidStateMachine,
    SpikingNeuralCluster,
)
from holdfast.clustering._data.arrays import Rows
from holdfast.compat.insights_clustering._frames import Scaler
from holdfast.compat.insights_clustering._guards import CircuitBreaker, RetryManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# Older scripts read these; nothing in Holdfast does. There is no code for CuPy or Redis.
CUPY_AVAILABLE = False
REDIS_AVAILABLE = False
GEN3_CONFIG: dict[str, Any] = {
    "enable_gpu": True,
    "enable_caching": True,
    "cache_ttl": 3600,
    "max_cache_size": 1000,
    "enable_redis": False,
    "redis_host": "localhost",
    "redis_port": 6379,
    "enable_async": True,
    "vectorize_operations": True,
    "memory_mapping": True,
    "enable_compression": True,
    "auto_scale_workers": True,
    "max_workers": min(32, 4 * (os.cpu_count() or 1)),
    "enable_streaming": True,
    "chunk_size": 10000,
    "enable_incremental": True,
}

_STEPS, _NOISE, _MOST = 10, 0.05, 2000

_NETWORKS: dict[str, type[Any]] = {
    "esn": EchoStateNetwork,
    "snn": SpikingNeuralCluster,
    "lsm": LiquidStateMachine,
}
_OF = {
    "echo_state_network": ("esn",),
    "spiking_neural_network": ("snn",),
    "liquid_state_machine": ("lsm",),
    "hybrid_reservoir": ("esn", "snn", "lsm"),
}


class _made:  # noqa: N801 (used as `property` is)
    """A property that an instance may have another value of: older tests replace parts."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, clusterer: object, owner: type[Any] | None = None) -> Any:
        return self if clusterer is None else self._make(clusterer)


class _Setting:
    """A parameter whose None is what GEN3_CONFIG says; of a number, 0 too."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, clusterer: object, owner: type[Any] | None = None) -> Any:
        given = vars(clusterer).get(self._name) if clusterer is not None else None
        unset = given is None or (given == 0 and given is not False)
        return GEN3_CONFIG[self._name] if unset else given

    def __set__(self, clusterer: object, value: Any) -> None:
        vars(clusterer)[self._name] = value


class NeuromorphicClusterer(clustering.NeuromorphicClusterer):
    """`holdfast.NeuromorphicClusterer` with its networks, scaler and retries to look at.

    Attributes
    ----------
    esn, snn, lsm : EchoStateNetwork, SpikingNeuralCluster, LiquidStateMachine
        Those that `method` names, with what `esn_params`, `snn_params` and `lsm_params` say of
        them. The features of a fit have units of their own: changing these changes no fit.
    scaler : Scaler or None
        Mean and standard deviation of the columns, or channels, of the fit.
    retry_manager : RetryManager
        Two retries, for calls of one's own. A fit has its own.
    gpu_ops, cache : None
        There are none.
    """

    gpu_ops = None
    cache = None
    enable_gpu = _Setting("enable_gpu")
    enable_caching = _Setting("enable_caching")
    cache_ttl = _Setting("cache_ttl")

    @_made
    def esn(self) -> EchoStateNetwork:
        """The echo state network."""
        network: EchoStateNetwork = self._network("esn", self.esn_params)
        return network

    @_made
    def snn(self) -> SpikingNeuralCluster:
        """The spiking neurons."""
        network: SpikingNeuralCluster = self._network("snn", self.snn_params)
        return network

    @_made
    def lsm(self) -> LiquidStateMachine:
        """The liquid."""
        network: LiquidStateMachine = self._network("lsm", self.lsm_params)
        return network

    @_made
    def scaler(self) -> Scaler | None:
        """Mean and standard deviation of the columns; None before `fit`."""
        if not self.trained:
            return None
        model = self._model
        spread = model.deviation.copy()
        spread[spread == 0] = 1.0
        return Scaler(model.mean, spread)

    @_made
    def retry_manager(self) -> RetryManager:
        """Two retries, after one second and after two."""
        return RetryManager(max_retries=2, base_delay=1.0)

    @_made
    def circuit_breaker(self) -> CircuitBreaker:
        """The breaker around the features, by its older names."""
        own = self._guarded().breaker
        shown: CircuitBreaker | None = self.__dict__.get("_shown_breaker")
        if shown is None or shown._breaker is not own:  # noqa: SLF001
            shown = self.__dict__["_shown_breaker"] = CircuitBreaker.over(own)
        return shown

    def get_clustering_metrics(self) -> ClusteringMetrics:
        """Measure the fit, every number between its bounds as it was.

        The temporal coherence of a table: how often ten noisy steps made of a row have the
        label of the row. One cluster, where the first four mean nothing: -1, 0, 1 and 0.
        """
        found = super().get_clustering_metrics()
        one = len(set(self.labels_.tolist())) == 1
        given: dict[str, Any] = {
            "silhouette_score": -1.0 if one else None,
            "calinski_harabasz_score": 0.0 if one else None,
            "cluster_stability": 1.0 if one else None,
            "interpretability_score": 0.0 if one else None,
        }
        changed = {name: value for name, value in given.items() if getattr(found, name) is None}
        if found.temporal_coherence is None and isinstance(self._fit.kept, Rows):
            changed["temporal_coherence"] = self._coherence(self._fit.kept)
        return replace(found, **changed)

    def _coherence(self, kept: Rows) -> float:
        """Share of the steps that keep their label: noise of 5 % of each column's range."""
        rng = np.random.default_rng(self._fit.seed)
        rows, names = kept.values[:_MOST], kept.names
        span = np.ptp(rows, axis=0)
        steps = np.arange(_STEPS)
        spread = _NOISE * (1.0 + 0.3 * np.sin(2.0 * np.pi * steps / _STEPS))
        noise = rng.standard_normal((_STEPS, *rows.shape)) * spread[:, None, None] * span
        model, limits = self._model, self._limits(time.monotonic())
        own = model.predict(Rows(np.ascontiguousarray(rows), names), limits)
        same = [
            np.mean(model.predict(Rows(np.ascontiguousarray(rows + one), names), limits) == own)
            for one in noise
        ]
        return float(np.mean(same))

    def _network(self, part: str, given: Mapping[str, Any] | None) -> Any:
        """The network of one part: made once, and anew when its parameters change."""
        method = self._checked()[0]
        if part not in _OF[method]:
            raise AttributeError(f"{part} has no part in method={method!r}")
        kind = _NETWORKS[part]
        made: dict[str, Any] = self.__dict__.setdefault("_networks", {})
        wanted = {"random_state": self.random_state, **(given or {})}
        if made.get(part, (None, None))[0] != wanted:
            made[part] = wanted, kind(**_known(kind, wanted))
        return made[part][1]


def _known(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    names = kind.__init__.__code__.co_varnames
    return {name: value for name, value in given.items() if name in names}
