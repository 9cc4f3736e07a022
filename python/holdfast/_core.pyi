from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HostEngine",
    "LocalAgent",
    "ProtocolClient",
    "Reservoir",
    "SimulatedDevice",
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
    "inspect_gguf",
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
    "simulated_profiles",
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

@final
class ProtocolClient:
    def __new__(
        cls,
        *,
        reply_timeout_ns: int = ...,
        attempts: int = 4,
        stall_ns: int = ...,
    ) -> ProtocolClient: ...
    def feed(self, data: bytes, now_ns: int) -> list[dict[str, Any]]: ...
    def poll(self, now_ns: int) -> list[dict[str, Any]]: ...
    def take(self) -> bytes: ...
    def deadline(self) -> int | None: ...
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
