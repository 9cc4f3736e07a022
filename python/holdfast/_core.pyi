from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

__all__ = [
    "AttemptLoop",
    "Block",
    "BreakerPolicy",
    "BulkheadPolicy",
    "CallContext",
    "Compiled",
    "Counter",
    "Degradation",
    "Durations",
    "Expression",
    "FallbackPolicy",
    "Gauge",
    "HealthBoard",
    "Histogram",
    "History",
    "HostEngine",
    "LIFNetwork",
    "LimiterPolicy",
    "LocalAgent",
    "LogChannel",
    "LogOutput",
    "Matchers",
    "OperationTimes",
    "PoolBooks",
    "ProtocolClient",
    "Registry",
    "Reservoir",
    "RetryBudget",
    "RetryPolicy",
    "RuleState",
    "Server",
    "SimulatedDevice",
    "Summary",
    "TimeoutPolicy",
    "Timer",
    "VirtualClock",
    "available_threads",
    "configure_logs",
    "dictionary_features",
    "draw_echo_state_weights",
    "draw_input_weights",
    "draw_lif_weights",
    "draw_liquid_weights",
    "draw_spiking_weights",
    "driven_features",
    "embed_consensus",
    "encode_population",
    "encode_spikes",
    "fit_consensus",
    "fit_dbscan",
    "fit_driven_echo_state",
    "fit_driven_liquid",
    "fit_kmeans_f32",
    "fit_kmeans_f64",
    "fit_mixture",
    "force_simd_level",
    "guard",
    "hides_secret",
    "hold_reads",
    "inspect_gguf",
    "kmeans_distances_f32",
    "kmeans_distances_f64",
    "layer_dilations",
    "learn_dictionary",
    "learn_spikes",
    "log_counts",
    "mixture_log_probabilities",
    "nearest_center",
    "new_span_id",
    "new_trace_id",
    "predict_kmeans_f32",
    "predict_kmeans_f64",
    "release_reads",
    "scrub_secrets",
    "seed_ids",
    "silhouette_widths",
    "simd_level",
    "simd_levels",
    "simulate_spikes",
    "simulated_profiles",
    "spectral_radius",
    "spiking_features",
    "use_log_fields",
]

_Real = TypeVar("_Real", np.float32, np.float64)

# threads (0: all), seconds left (None: no limit), progress(done, announced)
_Limits: TypeAlias = tuple[int, float | None, Callable[[int, int], object] | None]

# --- kmeans ---------------------------------------------------------------------------
# Centres, shift, labels, inertia and iterations
_Frame32: TypeAlias = tuple[NDArray[np.float32], int]
_Frame64: TypeAlias = tuple[NDArray[np.float64], int]
_Fit32: TypeAlias = tuple[NDArray[np.float32], _Frame32, NDArray[np.int32], float, int]
_Fit64: TypeAlias = tuple[NDArray[np.float64], _Frame64, NDArray[np.int32], float, int]

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
    frame: _Frame32,
    *,
    limits: _Limits,
) -> NDArray[np.int32]: ...
def predict_kmeans_f64(
    x: NDArray[np.float64],
    centres: NDArray[np.float64],
    frame: _Frame64,
    *,
    limits: _Limits,
) -> NDArray[np.int32]: ...
def kmeans_distances_f32(
    x: NDArray[np.float32], centres: NDArray[np.float32], *, limits: _Limits
) -> NDArray[np.float32]: ...
def kmeans_distances_f64(
    x: NDArray[np.float64], centres: NDArray[np.float64], *, limits: _Limits
) -> NDArray[np.float64]: ...

# --- leaky integrate-and-fire --------------------------------------------------------
def draw_lif_weights(
    neurons: int, inputs: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

@final
class LIFNetwork:
    def __new__(
        cls,
        inputs: NDArray[np.float64],
        recurrent: NDArray[np.float64] | None,
        bias: NDArray[np.float64],
        beta: NDArray[np.float64],
        threshold: NDArray[np.float64],
        reset: str,
        single: bool,
    ) -> LIFNetwork: ...
    def simulate(
        self,
        values: NDArray[_Real],
        lengths: list[int],
        potentials: bool,
        limits: _Limits,
    ) -> tuple[NDArray[np.int8], NDArray[_Real] | None]: ...
    def features(
        self,
        values: NDArray[_Real],
        lengths: list[int],
        statistics: list[str],
        limits: _Limits,
    ) -> NDArray[_Real]: ...

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

# --- density ---------------------------------------------------------------------------
def fit_dbscan(
    x: NDArray[np.float64],
    sample_weight: NDArray[np.float64] | None,
    *,
    eps: float,
    min_samples: float,
    limits: _Limits,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]: ...

# --- mixtures --------------------------------------------------------------------------
# Weights, means, covariances, factors of precisions, lower bound, iterations, converged
def fit_mixture(
    x: NDArray[np.float64],
    *,
    n_components: int,
    tol: float,
    reg_covar: float,
    max_iter: int,
    n_init: int,
    seed: int,
    limits: _Limits,
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    NDArray[np.float64],
    float,
    int,
    bool,
]: ...
def mixture_log_probabilities(
    x: NDArray[np.float64],
    weights: NDArray[np.float64],
    means: NDArray[np.float64],
    factors: NDArray[np.float64],
    *,
    limits: _Limits,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

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

# --- logs ---------------------------------------------------------------------------------
@final
class LogChannel:
    def __new__(
        cls, name: str, category: str | None, fields: dict[str, object]
    ) -> LogChannel: ...
    def writer(self, level: str) -> Any: ...
    @property
    def threshold(self) -> int: ...

@final
class LogOutput:
    def __new__(
        cls,
        style: str,
        target: object,
        *,
        hidden: list[str],
        included: list[str],
        rotation: tuple[int | None, float | None, int],
        mode: int,
    ) -> LogOutput: ...
    def format(self, record: object) -> str: ...
    def emit(self, record: object) -> None: ...
    def write(self, line: str) -> None: ...
    @property
    def lost(self) -> int: ...
    def close(self) -> None: ...
    def reopen(self) -> None: ...

def configure_logs(
    output: LogOutput,
    level: int,
    names: list[tuple[str, int]],
    categories: list[tuple[str, int | None, LogOutput | None]],
) -> None: ...
def hides_secret(name: str) -> bool: ...
def scrub_secrets(text: str) -> str: ...
def log_counts() -> list[int]: ...
def use_log_fields() -> None: ...

# --- spans --------------------------------------------------------------------------------
def seed_ids(key: int, tweak: int) -> None: ...
def new_trace_id() -> str: ...
def new_span_id() -> str: ...

@final
class OperationTimes:
    def __new__(cls, width: float, kept: int, most: int) -> OperationTimes: ...
    def record(self, name: str, seconds: float, failed: bool, now: float) -> None: ...
    def since(
        self, since: float, now: float
    ) -> list[tuple[str, int, int, float, list[float]]]: ...
    def clear(self) -> None: ...

_Function = TypeVar("_Function", bound=Callable[..., object])
_Row: TypeAlias = tuple[dict[str, str], str, float, float]
_Loose: TypeAlias = tuple[str, str, str, Mapping[str, str], float]

@final
class Counter:
    def inc(self, amount: float = 1.0) -> None: ...
    @property
    def value(self) -> float: ...
    @property
    def name(self) -> str: ...
    @property
    def label_names(self) -> list[str]: ...
    def labels(self, *values: object, **named: object) -> Counter: ...
    def remove(self, *values: object, **named: object) -> bool: ...
    def clear(self) -> None: ...

@final
class Gauge:
    def set(self, value: float) -> None: ...
    def inc(self, amount: float = 1.0) -> None: ...
    def dec(self, amount: float = 1.0) -> None: ...
    def set_to_current_time(self) -> None: ...
    @property
    def value(self) -> float: ...
    @property
    def name(self) -> str: ...
    @property
    def label_names(self) -> list[str]: ...
    def labels(self, *values: object, **named: object) -> Gauge: ...
    def remove(self, *values: object, **named: object) -> bool: ...
    def clear(self) -> None: ...

@final
class Timer:
    def __enter__(self) -> Self: ...
    def __exit__(self, _kind: object, _error: object, _traceback: object) -> None: ...
    def __call__(self, function: _Function) -> _Function: ...

@final
class Histogram:
    def observe(self, value: float) -> None: ...
    def time(self) -> Timer: ...
    @property
    def count(self) -> int: ...
    @property
    def sum(self) -> float: ...
    def quantile(self, q: float) -> float | None: ...
    @property
    def buckets(self) -> list[tuple[float, int]]: ...
    @property
    def name(self) -> str: ...
    @property
    def label_names(self) -> list[str]: ...
    def labels(self, *values: object, **named: object) -> Histogram: ...
    def remove(self, *values: object, **named: object) -> bool: ...
    def clear(self) -> None: ...

@final
class Summary:
    def observe(self, value: float) -> None: ...
    def time(self) -> Timer: ...
    @property
    def count(self) -> int: ...
    @property
    def sum(self) -> float: ...
    def quantile(self, q: float) -> float | None: ...
    @property
    def name(self) -> str: ...
    @property
    def label_names(self) -> list[str]: ...
    def labels(self, *values: object, **named: object) -> Summary: ...
    def remove(self, *values: object, **named: object) -> bool: ...
    def clear(self) -> None: ...

@final
class Registry:
    def __new__(cls) -> Self: ...
    def counter(
        self, name: str, help: str = "", labels: Sequence[str] = (), *, limit: int = 1000
    ) -> Counter: ...
    def gauge(
        self, name: str, help: str = "", labels: Sequence[str] = (), *, limit: int = 1000
    ) -> Gauge: ...
    def histogram(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] | None = None,
        limit: int = 1000,
    ) -> Histogram: ...
    def summary(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        quantiles: Sequence[float] = (0.5, 0.9, 0.99),
        window: float = 600.0,
        limit: int = 1000,
    ) -> Summary: ...
    def remove(self, name: str) -> bool: ...
    def expose(
        self,
        format: str = "prometheus",
        extra: Iterable[_Loose] = (),
        beside: Registry | None = None,
    ) -> bytes: ...

@final
class History:
    def __new__(
        cls,
        retention: float = 86400.0,
        scraped_retention: float = 3600.0,
        capacity: int = 10000,
        limit: int = 1000,
    ) -> Self: ...
    def record(
        self,
        name: str,
        value: float,
        time: float,
        labels: Mapping[str, str] | None = None,
        kind: str = "gauge",
        scraped: bool = False,
    ) -> None: ...
    def scrape(self, registry: Registry, time: float) -> None: ...
    def names(self) -> list[str]: ...
    def samples(
        self,
        name: str,
        labels: Mapping[str, str] | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> list[_Row]: ...
    def latest(self, name: str, labels: Mapping[str, str] | None = None) -> _Row | None: ...
    def aggregate(
        self,
        name: str,
        aggregation: str,
        labels: Mapping[str, str] | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> float | None: ...
    def purge(self, time: float) -> None: ...
    def recorded(self) -> list[_Loose]: ...

_State: TypeAlias = tuple[dict[str, str], float, float, bool, float | None]

@final
class Expression:
    def __new__(cls, text: str) -> Self: ...
    def evaluate(
        self, history: History, time: float
    ) -> float | list[tuple[dict[str, str], float]]: ...
    @property
    def text(self) -> str: ...
    @property
    def metrics(self) -> list[str]: ...

@final
class Matchers:
    def __new__(cls, text: str) -> Self: ...
    @property
    def selective(self) -> bool: ...
    def matches(self, labels: Mapping[str, str]) -> bool: ...

@final
class RuleState:
    @staticmethod
    def expression(expression: Expression, hold: float, keep: float) -> RuleState: ...
    @staticmethod
    def threshold(
        name: str, comparison: str, threshold: float, labels: Mapping[str, str], hold: float
    ) -> RuleState: ...
    def evaluate(
        self, history: History, time: float
    ) -> list[tuple[str, dict[str, str], float, float]]: ...
    def active(self) -> list[_State]: ...
    def restore(self, states: Sequence[_State]) -> None: ...

@final
class ProtocolClient:
    def __new__(
        cls,
        *,
        reply_timeout_ns: int = ...,
        attempts: int = 4,
        stall_ns: int = ...,
        batch: bool = False,
    ) -> ProtocolClient: ...
    def feed(self, data: bytes, now_ns: int) -> list[dict[str, Any]]: ...
    def poll(self, now_ns: int) -> list[dict[str, Any]]: ...
    def take(self) -> bytes: ...
    def deadline(self) -> int | None: ...
    def stray(self) -> int | None: ...
    def hello(self, now_ns: int) -> int: ...
    def ping(self, now_ns: int) -> int: ...
    def generate(
        self,
        request: int,
        prompt: str | list[int],
        now_ns: int,
        *,
        max_tokens: int,
        temperature_milli: int = 0,
        seed: int = 0,
        ignore_eos: bool = False,
        add_bos: bool = True,
    ) -> int: ...
    def cancel(self, request: int, now_ns: int) -> int: ...
    def resume(self, request: int, first_index: int, now_ns: int) -> int: ...
    def forget(self, request: int) -> None: ...
    def memory(self, now_ns: int) -> int: ...
    def power(self, now_ns: int) -> int: ...
    def model_info(self, now_ns: int) -> int: ...
    def reboot(self, now_ns: int) -> int: ...
    def upload(self, model: bytes, now_ns: int) -> int: ...
    def set_baud(self, rate: int, now_ns: int) -> int: ...
    def baud_switched(self, now_ns: int) -> int: ...
    def reconnected(self, now_ns: int) -> None: ...
    def statistics(self) -> dict[str, int]: ...

@final
class LocalAgent:
    def __new__(
        cls,
        model: bytes | None = None,
        *,
        arena_bytes: int | None = None,
        context: int | None = None,
    ) -> LocalAgent: ...
    def write(self, data: bytes) -> None: ...
    def read(self) -> bytes: ...
    def step(self) -> bool: ...
    def reset(self) -> None: ...

@final
class HostEngine:
    def __new__(cls, model: bytes, *, context: int | None = None) -> HostEngine: ...
    def tokenize(self, text: str, add_bos: bool = True) -> list[int]: ...
    def piece(self, token: int) -> bytes: ...
    def forward(self, tokens: list[int]) -> NDArray[np.float32]: ...
    def generate(
        self,
        tokens: list[int],
        max_tokens: int,
        *,
        temperature_milli: int = 0,
        seed: int = 0,
        ignore_eos: bool = False,
        limits: tuple[int, float | None, Callable[[int, int], object] | None] | None = None,
    ) -> dict[str, Any]: ...
    def info(self) -> dict[str, Any]: ...

def inspect_gguf(data: bytes) -> dict[str, Any]: ...

# --- resilience ----------------------------------------------------------------------
_Clock: TypeAlias = str | VirtualClock
_Kinds: TypeAlias = tuple[type[BaseException], ...]
_Hook: TypeAlias = Callable[..., Any] | None

@final
class VirtualClock:
    def __new__(cls, start: float | None = None) -> VirtualClock: ...
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
class AttemptLoop:
    def __new__(cls, policy: RetryPolicy, clock: _Clock) -> AttemptLoop: ...
    def again(self, error: BaseException | None, result: object = None) -> float | None: ...
    def sleep(self, time: float) -> None: ...
    def skip(self, time: float) -> bool: ...

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
    def counts(self) -> tuple[int, int, float | None, float]: ...
    def history(self) -> list[float]: ...
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
    def try_acquire(self, key: object = None, cost: int | None = None) -> bool: ...
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

def guard(function: Callable[..., Any], compiled: Compiled, asynchronous: bool) -> Any: ...

@final
class SimulatedDevice:
    def __new__(
        cls,
        firmware: bytes,
        model: bytes | None = None,
        *,
        profile: str = "generic-rv32",
        ram_bytes: int | None = None,
        flash_bytes: int | None = None,
        clock_hz: int | None = None,
        seed: int = 1,
    ) -> SimulatedDevice: ...
    @property
    def ticks(self) -> int: ...
    @property
    def clock_hz(self) -> int: ...
    @property
    def profile(self) -> str: ...
    @property
    def fault(self) -> dict[str, Any] | None: ...
    def write(self, data: bytes) -> None: ...
    def read(self) -> bytes: ...
    def run(
        self, max_instructions: int = 50_000_000
    ) -> Literal["idle", "running", "fault"]: ...
    def advance(self, seconds: float) -> None: ...
    def reset(self) -> None: ...
    def set_host_baud(self, rate: int) -> None: ...
    def report(self) -> dict[str, Any]: ...

def simulated_profiles() -> dict[str, dict[str, Any]]: ...
def hold_reads() -> None: ...
def release_reads(in_child: bool) -> None: ...

@final
class HealthBoard:
    def __new__(cls, tolerance: float = 60.0) -> Self: ...
    def declare(
        self, name: str, live: bool, ready: bool, critical: bool, ttl: float
    ) -> None: ...
    def remove(self, name: str) -> bool: ...
    def report(
        self, name: str, status: str, message: str, time: float, took: float
    ) -> None: ...
    def beat(self, time: float) -> None: ...
    def render(self, probe: str, time: float) -> tuple[bool, str]: ...

@final
class Server:
    def __new__(
        cls, host: str, port: int, registry: Registry, board: HealthBoard, served: Registry
    ) -> Self: ...
    @property
    def address(self) -> tuple[str, int]: ...
    def refresh(self, rows: Iterable[_Loose]) -> None: ...
    def stop(self) -> None: ...
    def abandon(self) -> int: ...
