"""The parts of a result. What was not measured is None, never zero."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Measurement:
    """One number with everything needed to believe it.

    Attributes
    ----------
    name, unit : str
    value : float or None
        None when it was not measured; `cause` says why.
    clock : str or None
        `device`, `server`, `host` or `virtual`; None for what has no time in it.
    provenance : str
        `measured`, `reported` (the device's own claim), `modelled(...)` or `absent`.
    low, high : float or None
        Interval at `confidence`; None when the sample does not support one.
    n : int
        Independent samples: requests, never tokens.
    status : str
        `ok`, `partial`, `failed` or `absent`.
    cause : str or None
        Why it is not `ok`.
    coverage : float or None
        Share of the planned requests behind it.
    method : str or None
        How value and interval were computed.
    """

    name: str
    value: float | None
    unit: str
    clock: str | None = None
    provenance: str = "measured"
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    n: int = 0
    status: str = "ok"
    cause: str | None = None
    coverage: float | None = None
    method: str | None = None

    @classmethod
    def absent(cls, name: str, unit: str, cause: str, status: str = "absent") -> Measurement:
        """A number that there is not, and why."""
        return cls(name, None, unit, provenance="absent", status=status, cause=cause)


@dataclass
class LatencyProfile:
    """Times of a run, ms; medians over requests.

    Attributes
    ----------
    first_token_latency_ms, inter_token_latency_ms, total_latency_ms : float or None
        Time to first token, time per output token after it, and end to end.
    tokens_per_second : float or None
        Tokens after the first, over the time they took; where tokens cannot be told apart, all
        tokens over the whole time.
    latency_std_ms : float or None
        Sample standard deviation of the end-to-end times.
    percentile_50_ms, percentile_90_ms, percentile_95_ms, percentile_99_ms : float or None
        Of the end-to-end times; None where the sample is too small for them.
    sample_count : int
        Requests behind the medians.
    success_rate : float or None
        Share of requests that ended well.
    clock : str or None
        Whose clock it was.
    """

    first_token_latency_ms: float | None = None
    inter_token_latency_ms: float | None = None
    total_latency_ms: float | None = None
    tokens_per_second: float | None = None
    latency_std_ms: float | None = None
    percentile_50_ms: float | None = None
    percentile_90_ms: float | None = None
    percentile_95_ms: float | None = None
    percentile_99_ms: float | None = None
    sample_count: int = 1
    success_rate: float | None = 1.0
    clock: str | None = None

    def __post_init__(self) -> None:
        """A rate follows from the time per token; none is given as None, or 0 as it was."""
        if not self.tokens_per_second and self.inter_token_latency_ms:
            self.tokens_per_second = 1000.0 / self.inter_token_latency_ms


@dataclass
class MemoryProfile:
    """Memory of the device, kB of 1,024 bytes; never that of the profiler.

    Attributes
    ----------
    baseline_memory_kb, peak_memory_kb : float or None
        High-water mark with the model loaded and idle, and after the requests.
    memory_usage_kb : float or None
        What the device needs to run the requests: the peak. `method` says how it was found.
    memory_efficiency_tokens_per_kb : float or None
        Tokens of the longest request over the peak.
    fragmentation_percent, gc_overhead_percent : float or None
    stack_usage_kb, heap_usage_kb, static_kb, flash_kb : float or None
        High-water marks, and what the image takes.
    method : str or None
        How the peak was found: `painted stack`, `exact`, `VmHWM`, `reported`.
    """

    baseline_memory_kb: float | None = None
    peak_memory_kb: float | None = None
    memory_usage_kb: float | None = None
    memory_efficiency_tokens_per_kb: float | None = None
    fragmentation_percent: float | None = None
    gc_overhead_percent: float | None = None
    stack_usage_kb: float | None = None
    heap_usage_kb: float | None = None
    sample_count: int = 1
    success_rate: float | None = 1.0
    static_kb: float | None = None
    flash_kb: float | None = None
    method: str | None = None


@dataclass
class PowerProfile:
    """Power and energy from a named source.

    Attributes
    ----------
    idle_power_mw, active_power_mw, peak_power_mw : float or None
        Outside requests, inside them (time-weighted mean), and the highest sample.
    energy_per_token_mj, total_energy_mj : float or None
        Integral of power between first and last token over the tokens between, and over
        the requests.
    average_current_ma, voltage_v : float or None
    simulated : bool
        Whether a model stands behind the numbers instead of a meter.
    source : str or None
        `ppk2`, `lpm01a`, `js220`, `ina`, `rapl`, `file`, `modelled(...)`.
    coverage : float or None
        Share of the requests' time with samples.
    sample_rate_hz : float or None
    """

    idle_power_mw: float | None = None
    active_power_mw: float | None = None
    peak_power_mw: float | None = None
    energy_per_token_mj: float | None = None
    total_energy_mj: float | None = None
    average_current_ma: float | None = None
    voltage_v: float | None = None
    thermal_info: dict[str, Any] | None = None
    avg_voltage_v: float | None = None
    avg_current_ma: float | None = None
    measurement_duration_sec: float | None = None
    simulated: bool = False
    power_std_mw: float | None = None
    sample_count: int = 0
    duration_s: float | None = None
    source: str | None = None
    coverage: float | None = None
    sample_rate_hz: float | None = None

    def __post_init__(self) -> None:
        """Current follows from power and voltage."""
        if not self.average_current_ma and self.active_power_mw and self.voltage_v:
            self.average_current_ma = self.active_power_mw / self.voltage_v

    @property
    def avg_power_mw(self) -> float | None:
        """Another name of `active_power_mw`."""
        return self.active_power_mw


@dataclass
class AccuracyProfile:
    """Quality of the output, as given by whoever measured it."""

    perplexity: float | None = None
    bleu_score: float | None = None
    rouge_score: dict[str, float] = field(default_factory=dict)
    semantic_similarity: float | None = None
    task_specific_metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class ThroughputProfile:
    """Rates of a run.

    Attributes
    ----------
    tokens_per_second : float or None
        As in `LatencyProfile`.
    requests_per_second : float or None
        Requests that ended well, over the time of all.
    """

    tokens_per_second: float | None = None
    requests_per_second: float | None = None
    batch_processing_efficiency: float | None = None
    queue_time_ms: float | None = None
    processing_time_ms: float | None = None
