"""What a clusterer is asked to do: its arguments, stored as given and checked by `fit`."""

from __future__ import annotations

import enum
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _context
from holdfast._estimator import Estimator
from holdfast._limits import seed, threads, time_budget
from holdfast.clustering._data.arrays import Limits
from holdfast.errors import TimeBudgetError
from holdfast.errors._parameters import count, flag, one_of, real, refuse

if TYPE_CHECKING:
    from collections.abc import Callable


class NeuromorphicClusteringMethod(str, enum.Enum):
    """What the features are made by."""

    ECHO_STATE_NETWORK = "echo_state_network"
    SPIKING_NEURAL_NETWORK = "spiking_neural_network"
    LIQUID_STATE_MACHINE = "liquid_state_machine"
    HYBRID_RESERVOIR = "hybrid_reservoir"


_SHORT = {
    "esn": "echo_state_network",
    "snn": "spiking_neural_network",
    "lsm": "liquid_state_machine",
    "hybrid": "hybrid_reservoir",
}
_LEVELS = ("conservative", "balanced", "aggressive")
_LAYOUTS = ("ntc", "nct")


class Parameters(Estimator):
    """The arguments of a clusterer; `NeuromorphicClusterer` documents them."""

    def __init__(
        self,
        method: str | NeuromorphicClusteringMethod = "hybrid_reservoir",
        n_clusters: int | None = 4,
        random_state: Any = 42,
        esn_params: dict[str, Any] | None = None,
        snn_params: dict[str, Any] | None = None,
        lsm_params: dict[str, Any] | None = None,
        enable_fallback: bool = True,  # noqa: FBT001, FBT002 (the contract's order)
        circuit_breaker_config: Any = None,
        enable_gpu: bool | None = None,  # noqa: FBT001
        enable_caching: bool | None = None,  # noqa: FBT001
        cache_ttl: float | None = None,
        optimization_level: str = "balanced",
        *,
        layout: str = "ntc",
        forgetting: float = 0.0,
        n_jobs: int | None = None,
        max_seconds: float | None = None,
        progress: bool | None = None,
    ) -> None:
        self.method = method
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.esn_params = esn_params
        self.snn_params = snn_params
        self.lsm_params = lsm_params
        self.enable_fallback = enable_fallback
        self.circuit_breaker_config = circuit_breaker_config
        self.enable_gpu = enable_gpu
        self.enable_caching = enable_caching
        self.cache_ttl = cache_ttl
        self.optimization_level = optimization_level
        self.layout = layout
        self.forgetting = forgetting
        self.n_jobs = n_jobs
        self.max_seconds = max_seconds
        self.progress = progress

    def _checked(self) -> tuple[str, int | None, int]:
        """Method, number of clusters and seed, all within their domains."""
        method = self.method
        name = method.value if isinstance(method, enum.Enum) else method
        name = _SHORT.get(name, name) if isinstance(name, str) else name
        known = [m.value for m in NeuromorphicClusteringMethod]
        if name not in known:
            refuse("method", f"one of {', '.join([*known, *_SHORT])}", method)
        k = self.n_clusters
        if k is not None:
            k = count("n_clusters", k)
        one_of("layout", self.layout, _LAYOUTS)
        one_of("optimization_level", self.optimization_level, _LEVELS)
        if not isinstance(self.enable_fallback, np.bool_):
            flag("enable_fallback", self.enable_fallback)
        real("forgetting", self.forgetting, least=0, most=1)
        time_budget(self.max_seconds)
        threads(self.n_jobs)
        return str(name), k, seed(self.random_state)

    def _limits(
        self, begun: float, progress: Callable[[int, int], object] | None = None
    ) -> Callable[[], Limits]:
        """Return what tells, before every step, what that step may still use."""
        count, budget = threads(self.n_jobs), time_budget(self.max_seconds)
        deadline = _context.current().deadline
        own = None if budget is None else begun + budget

        def left() -> Limits:
            if own is None and deadline is None:
                return Limits(count, None, progress)
            now = time.monotonic()
            if own is not None and own <= now:
                raise TimeBudgetError(f"max_seconds={budget} s are used up")
            if deadline is not None and deadline <= now:
                raise TimeBudgetError("the deadline of the call has passed")
            ends = min(end for end in (own, deadline) if end is not None)
            return Limits(count, ends - now, progress)

        return left
