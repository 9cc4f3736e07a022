from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Block",
    "BreakerPolicy",
    "BulkheadPolicy",
    "CallContext",
    "Compiled",
    "Degradation",
    "Durations",
    "FallbackPolicy",
    "LimiterPolicy",
    "PoolBooks",
    "Reservoir",
    "RetryBudget",
    "RetryPolicy",
    "TimeoutPolicy",
    "VirtualClock",
    "available_threads",
    "dictionary_features",
    "draw_echo_state_weights",
    "draw_input_weights",
    "draw_liquid_weights",
    "draw_spiking_weights",
    "driven_features",
    "embed_consensus",
    "encode_population",
    "encode_spikes",
    "fit_consensus",
    "fit_driven_echo_state",
    "fit_driven_liquid",
    "fit_kmeans_f32",
    "fit_kmeans_f64",
    "force_simd_level",
    "forget_watchdog",
    "guard",
    "kmeans_distances_f32",
    "kmeans_distances_f64",
    "layer_dilations",
    "learn_dictionary",
    "learn_spikes",
    "nearest_center",
    "predict_kmeans_f32",
    "predict_kmeans_f64",
    "silhouette_widths",
    "simd_level",
    "simd_levels",
    "simulate_spikes",
    "spectral_radius",
    "spiking_features",
]

_Real = TypeVar("_Real", np.float32, np.float64)

# threads (0: all), seconds left (None: no limit), progress(done, announced)
_Limits: TypeAlias = tuple[int, float | None, Callable[[int, int], object] | None]

# --- kmeans ---------------------------------------------------------------------------
# Centres, shift, labels, inertia and iterations
_Fit32: TypeAlias = tuple[
    NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], float, int
]
_Fit64: TypeAlias = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.int32], float, int
]

def fit_kmeans_f32(
    x: NDArray[np.float32],
    sample_weight: NDArray[np.float64] | None,
    *,
    n_clusters: int,
    init: str | NDArray[np.float64],
    n_init: int,
    max_iter: int,
    tol: float,
    seed: int,
    limits: _Limits,
) -> _Fit32: ...
def fit_kmeans_f64(
    x: NDArray[np.float64],
    sample_weight: NDArray[np.float64] | None,
    *,
    n_clusters: int,
    init: str | NDArray[np.float64],
    n_init: int,
    max_iter: int,
    tol: float,
    seed: int,
    limits: _Limits,
) -> _Fit64: ...
def predict_kmeans_f32(
    x: NDArray[np.float32],
    centres: NDArray[np.float32],
    shift: NDArray[np.float32],
    *,
    limits: _Limits,
) -> NDArray[np.int32]: ...
def predict_kmeans_f64(
    x: NDArray[np.float64],
    centres: NDArray[np.float64],
    shift: NDArray[np.float64],
    *,
    limits: _Limits,
) -> NDArray[np.int32]: ...
def kmeans_distances_f32(
    x: NDArray[np.float32], centres: NDArray[np.float32], *, limits: _Limits
) -> NDArray[np.float32]: ...
def kmeans_distances_f64(
    x: NDArray[np.float64], centres: NDArray[np.float64], *, limits: _Limits
) -> NDArray[np.float64]: ...

# --- machine -------------------------------------------------------------------------
def available_threads() -> int: ...
def force_simd_level(level: str | None) -> None: ...
def simd_level() -> Literal["portable", "avx2", "avx512"]: ...
def simd_levels() -> list[Literal["portable", "avx2", "avx512"]]: ...

# --- reservoir -----------------------------------------------------------------------
def spectral_radius(matrix: NDArray[np.float64], limits: _Limits) -> float: ...
def draw_input_weights(
    units: int, channels: int, scale: float, seed: int
) -> NDArray[np.float64]: ...
def draw_echo_state_weights(
    units: int, radius: float, drop: float, seed: int, limits: _Limits
) -> NDArray[np.float64]: ...
def draw_liquid_weights(
    units: int, probability: float, seed: int, limits: _Limits
) -> NDArray[np.float64]: ...

@final
class Reservoir:
    def __new__(
        cls, inputs: NDArray[np.float64], recurrent: NDArray[np.float64], single: bool
    ) -> Reservoir: ...
    def states(
        self,
        values: NDArray[_Real],
        lengths: list[int],
        leak: float,
        bias: float,
        hold: int,
        limits: _Limits,
    ) -> NDArray[_Real]: ...
    def features(
        self,
        values: NDArray[_Real],
        lengths: list[int],
        pooling: list[str],
        thresholds: list[float],
        leak: float,
        bias: float,
        hold: int,
        limits: _Limits,
    ) -> NDArray[_Real]: ...
    def update(
        self, state: NDArray[_Real], inputs: NDArray[_Real], leak: float, bias: float
    ) -> NDArray[_Real]: ...

# --- features of whole series ----------------------------------------------------------
_Floats: TypeAlias = NDArray[np.float32]
_Parts: TypeAlias = dict[str, NDArray[Any]]

def layer_dilations(length: int, count: int) -> list[int]: ...
def learn_dictionary(
    values: _Floats,
    lengths: list[int],
    *,
    channels: list[int],
    dilation: int,
    units: int,
    sample: int,
    epsilon: float,
    seed: int,
    limits: _Limits,
) -> _Floats: ...
def dictionary_features(
    values: _Floats,
    lengths: list[int],
    layers: list[tuple[list[int], int, _Floats]],
    epsilon: float,
    limits: _Limits,
) -> _Floats: ...
def fit_driven_echo_state(
    values: _Floats,
    lengths: list[int],
    *,
    units: int,
    spectral_radius: float,
    degree: int,
    input_scaling: float,
    leak: tuple[float, float],
    seed: int,
    limits: _Limits,
) -> _Parts: ...
def fit_driven_liquid(
    values: _Floats,
    lengths: list[int],
    *,
    units: int,
    degree: int,
    strength: float,
    excitatory: float,
    seed: int,
    limits: _Limits,
) -> _Parts: ...
def driven_features(
    values: _Floats, lengths: list[int], parts: _Parts, limits: _Limits
) -> _Floats: ...

# --- consensus ----------------------------------------------------------------------------
# mean, inverse, directions
_Group: TypeAlias = tuple[_Floats, _Floats, _Floats]
# group, map, centres
_Member: TypeAlias = tuple[int, _Floats, _Floats]

def fit_consensus(
    features: list[_Floats],
    *,
    n_clusters: int,
    members: list[int],
    share: float,
    standardised: bool,
    spherical: bool,
    seed: int,
    limits: _Limits,
) -> tuple[list[_Group], list[_Member], NDArray[np.float64] | None, NDArray[np.float64]]: ...
def embed_consensus(
    features: list[_Floats],
    *,
    groups: list[_Group],
    members: list[_Member],
    votes: NDArray[np.float64] | None,
    spherical: bool,
    limits: _Limits,
) -> NDArray[np.float64]: ...
def nearest_center(
    places: NDArray[np.float64], centers: NDArray[np.float64]
) -> NDArray[np.int64]: ...
def encode_population(
    rows: NDArray[np.float64], mean: list[float], deviation: list[float], fields: int
) -> _Floats: ...

# --- scores --------------------------------------------------------------------------
def silhouette_widths(
    rows: NDArray[np.float64], labels: NDArray[np.uint32], clusters: int, limits: _Limits
) -> NDArray[np.float64]: ...

# --- spiking -------------------------------------------------------------------------
# threshold, tau_membrane, tau_synapse
_Membrane: TypeAlias = tuple[float, float, float]
# potentiation, depression, tau_plus, tau_minus, low, high
_Plasticity: TypeAlias = tuple[float, float, float, float, float, float]

def draw_spiking_weights(
    neurons: int, inputs: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def encode_spikes(energy: list[float], duration: float, seed: int) -> list[list[float]]: ...
def simulate_spikes(
    synaptic: NDArray[np.float64],
    lateral: NDArray[np.float64],
    membrane: _Membrane,
    times: NDArray[np.float64],
    counts: list[int],
    steps: int,
    dt: float,
    limits: _Limits,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]: ...
def spiking_features(
    synaptic: NDArray[np.float64],
    lateral: NDArray[np.float64],
    membrane: _Membrane,
    energies: NDArray[np.float64],
    duration: float,
    steps: int,
    dt: float,
    seed: int,
    limits: _Limits,
) -> NDArray[np.float64]: ...
def learn_spikes(
    synaptic: NDArray[np.float64],
    lateral: NDArray[np.float64],
    membrane: _Membrane,
    rule: _Plasticity,
    times: NDArray[np.float64],
    counts: list[int],
    steps: int,
    dt: float,
    limits: _Limits,
) -> tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.float64]]: ...

# --- resilience ----------------------------------------------------------------------
_Clock: TypeAlias = str | VirtualClock
_Kinds: TypeAlias = tuple[type[BaseException], ...]
_Hook: TypeAlias = Callable[..., Any] | None

@final
class VirtualClock:
    def __new__(cls, start: float = 0.0) -> VirtualClock: ...
    def advance(self, by: float) -> None: ...
    def __call__(self, /, *args: Any, **kwargs: Any) -> float: ...

@final
class CallContext:
    def context(self) -> Any: ...

@final
class RetryBudget:
    def __new__(cls, share: float, per_second: float, reserve: float) -> RetryBudget: ...
    def deposit(self) -> None: ...
    def withdraw(self) -> bool: ...
    @property
    def balance(self) -> float: ...

@final
class RetryPolicy:
    def __new__(
        cls,
        name: str,
        attempts: int,
        elapsed: float | None,
        growth: tuple[str, float, float, float],
        jitter: tuple[str, float],
        budget: RetryBudget | None,
        on: _Kinds,
        refusals: bool,
        hooks: tuple[_Hook, _Hook, _Hook],
    ) -> RetryPolicy: ...
    def tally(self) -> tuple[int, int]: ...
    def wait(self, n: int, previous: float, chance: float) -> float: ...

@final
class BreakerPolicy:
    def __new__(
        cls,
        name: str,
        options: dict[str, Any],
        on: _Kinds,
        ignore: _Kinds | None,
        on_result: _Hook,
        clock: _Clock,
    ) -> BreakerPolicy: ...
    def configure(self, options: dict[str, Any]) -> None: ...
    @property
    def state(self) -> str: ...
    def counts(self) -> tuple[int, int, float | None, float | None]: ...
    def rates(self) -> tuple[int, int, int] | None: ...
    def tally(self) -> tuple[int, int, int, int, int, int, int]: ...
    def set(self, state: str) -> None: ...

@final
class TimeoutPolicy:
    def __new__(cls, name: str, limit: float, interrupts: bool) -> TimeoutPolicy: ...
    def configure(self, limit: float) -> None: ...
    @property
    def exceeded(self) -> int: ...

@final
class BulkheadPolicy:
    def __new__(
        cls,
        name: str,
        limit: int,
        queue: int,
        max_wait: float,
        adaptive: tuple[str, int, int] | None,
    ) -> BulkheadPolicy: ...
    def resize(self, limit: int) -> None: ...
    def counts(self) -> tuple[int, int, int]: ...
    def tally(self) -> tuple[int, int]: ...

@final
class LimiterPolicy:
    def __new__(
        cls,
        name: str,
        rate: tuple[int, float, int],
        sliding: bool,
        max_wait: float,
        clock: _Clock,
        key: _Hook,
        keyed: tuple[int, tuple[int, float, float] | None, list[object], list[object]] | None,
    ) -> LimiterPolicy: ...
    def try_acquire(self, key: object = None, cost: int = 1) -> bool: ...
    def reserve(self, key: object, cost: int, max_wait: float) -> float | None: ...
    def available(self) -> int | None: ...
    def configure(self, rate: tuple[int, float, int], max_wait: float) -> None: ...
    def forget(self, key: object) -> None: ...
    def tally(self) -> tuple[int, int, int, int]: ...

@final
class FallbackPolicy:
    def __new__(
        cls,
        name: str,
        on: _Kinds,
        handlers: list[Callable[..., Any]],
        partial: bool,
        value: tuple[Any] | None,
    ) -> FallbackPolicy: ...
    def tally(self) -> tuple[int, int]: ...

@final
class Compiled:
    def __new__(cls, stages: list[Any], clock: _Clock | None) -> Compiled: ...
    def tally(self) -> tuple[int, int, int, int]: ...
    def repeats(self) -> str | None: ...

@final
class Block:
    def __new__(cls, compiled: Compiled, threaded: bool) -> Block: ...
    def enter(self) -> None: ...
    def ask(self, then: int) -> tuple[bool, float, int] | None: ...
    def queue(self, stage: int, home: Any, future: Any) -> int | None: ...
    def entered(self, stage: int) -> None: ...
    def give_up(self, stage: int, number: int, error: BaseException | None) -> None: ...
    def interrupted(self, then: int, error: BaseException) -> None: ...
    def deadline(self) -> tuple[int, float] | None: ...
    def exit(self, error: BaseException | None, expired: int | None = None) -> None: ...

@final
class Durations:
    def __new__(cls, size: int) -> Durations: ...
    def record(self, took: float) -> None: ...
    def quantile(self, q: float) -> float | None: ...

@final
class Degradation:
    def __new__(
        cls, levels: list[tuple[float, float]], hold: float, clock: _Clock
    ) -> Degradation: ...
    def observe(self, load: float) -> tuple[int, int] | None: ...
    @property
    def level(self) -> int: ...

@final
class PoolBooks:
    def __new__(
        cls,
        size: int,
        idle: float | None,
        age: float | None,
        leak: float | None,
        clock: _Clock,
    ) -> PoolBooks: ...
    def lend(self) -> tuple[str, int]: ...
    def take_back(self, number: int, healthy: bool) -> bool | None: ...
    def sweep(self) -> tuple[list[int], list[tuple[int, float]]]: ...
    def drain(self) -> None: ...
    def counts(self) -> tuple[int, int]: ...

def forget_watchdog() -> None: ...
def guard(function: Callable[..., Any], compiled: Compiled, asynchronous: bool) -> Any: ...
