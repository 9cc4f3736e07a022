"""What a clusterer is asked to do: its arguments, stored as given and checked by `fit`."""

from __future__ import annotations

import enum
import numbers
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast import _context
from holdfast._estimator import Estimator
from holdfast._limits import seed, threads, time_budget
from holdfast.clustering._data import Limits
from holdfast.errors import InvalidParameterError, TimeBudgetError

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


def within_unit(name: str, value: object) -> float:
    """`value` as a number in [0, 1]."""
    if isinstance(value, numbers.Real) and 0 <= float(value) <= 1:
        return float(value)
    raise InvalidParameterError(f"{name} must be a number in [0, 1], got {value!r}")


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
            raise InvalidParameterError(
                f"method must be one of {known} or {list(_SHORT)}, got {method!r}"
            )
        k = self.n_clusters
        whole = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
        if k is not None and not (whole and k >= 1):
            raise InvalidParameterError(
                f"n_clusters must be None or an integer of at least 1, got {k!r}"
            )
        for given, value, allowed in (
            ("layout", self.layout, _LAYOUTS),
            ("optimization_level", self.optimization_level, _LEVELS),
        ):
            if not (isinstance(value, str) and value in allowed):
                raise InvalidParameterError(f"{given} must be one of {allowed}, got {value!r}")
        if not isinstance(self.enable_fallback, (bool, np.bool_)):
            raise InvalidParameterError(
                f"enable_fallback must be True or False, got {self.enable_fallback!r}"
            )
        within_unit("forgetting", self.forgetting)
        time_budget(self.max_seconds)
        threads(self.n_jobs)
        return str(name), None if k is None else int(k), seed(self.random_state)

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
