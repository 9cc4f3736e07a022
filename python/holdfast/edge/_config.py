"""How a profile is taken: repetitions, limits, guards."""

from __future__ import annotations

import math
from dataclasses import dataclass

from holdfast.errors import InvalidParameterError


def _need(name: str, value: object, rule: str, holds: bool) -> None:  # noqa: FBT001
    if not holds:
        raise InvalidParameterError(f"{name} must be {rule}, got {value!r}")


@dataclass
class ProfilingConfig:
    """Settings of `EdgeProfiler`; checked when made and again before use.

    Attributes
    ----------
    sample_rate_hz : int
        Energy samples per second where the source can be asked, 1 to 10,000.
    duration_seconds : int
        How long streaming runs, 1 to 3,600 s.
    timeout_seconds : float
        Budget of a whole profile, s.
    warmup_iterations : int
        Requests sent before measuring; more are removed when a change is detected.
    measurement_iterations : int
        Requests per prompt at most, 1 to 1,000; a device that reports itself deterministic
        is asked once.
    enable_power_profiling, enable_memory_profiling, enable_latency_profiling : bool
        Metrics taken when `metrics` names none.
    max_retries : int
        Attempts after the first, 0 to 10.
    retry_delay : float
        Wait before the first retry, s; doubles.
    connection_timeout, operation_timeout : float
        Limit of a connection attempt, and of one request, s.
    heartbeat_interval : float
        Seconds of silence after which the link is checked; 0 or less: never.
    auto_recovery : bool
        Whether a lost link is opened again.
    graceful_degradation : bool
        Whether a metric that failed is reported as such; otherwise its error is raised.
    memory_monitoring : bool
        Whether `max_memory_mb` and `max_cpu_percent` are enforced.
    resource_cleanup : bool
        Whether leaving the profiler closes what it opened.
    failure_threshold, circuit_timeout : int, float
        Consecutive failures that open the breaker of a device, and for how many seconds.
    max_memory_mb, max_cpu_percent : float or None
        Limits of the profiler's own process, MB and percent of one core.
    max_prompts, max_prompt_length : int
        Limits of one call.
    max_new_tokens : int
        Tokens asked for per request.
    confidence_target : float or None
        Stop early when the 95 % intervals of rate and first token are within this share of
        their medians; None: never. Not looked at before 30 requests.
    seed : int
        Of the order of prompts and of sampling on the device.
    energy : str or None
        Where energy comes from: a file of a meter, `rapl`, `ina`, or None.
    volts : float or None
        Supply, for meters that record currents, V.
    control_lines : str
        What opening a serial port does to DTR and RTS: `keep`, `none` or `reset`.
    boot_timeout : float
        How long a device that restarts when its port is opened may take, s.
    """

    sample_rate_hz: int = 100
    duration_seconds: int = 60
    timeout_seconds: float = 300
    warmup_iterations: int = 3
    measurement_iterations: int = 10
    enable_power_profiling: bool = False
    enable_memory_profiling: bool = True
    enable_latency_profiling: bool = True
    max_retries: int = 3
    retry_delay: float = 1.0
    connection_timeout: float = 10.0
    operation_timeout: float = 30.0
    heartbeat_interval: float = 5.0
    auto_recovery: bool = True
    graceful_degradation: bool = True
    memory_monitoring: bool = True
    resource_cleanup: bool = True
    failure_threshold: int = 5
    circuit_timeout: float = 60.0
    max_memory_mb: float | None = None
    max_cpu_percent: float | None = 90.0
    max_prompts: int = 100
    max_prompt_length: int = 10_000
    max_new_tokens: int = 32
    confidence_target: float | None = 0.02
    seed: int = 0
    energy: str | None = None
    volts: float | None = None
    control_lines: str = "keep"
    boot_timeout: float = 5.0

    def __post_init__(self) -> None:
        """Check what was given."""
        self.validate()

    def validate(self) -> None:
        """Check every field.

        Raises
        ------
        InvalidParameterError
            Naming the field, its rule and its value. Also a ValueError.
        """
        for name, low, high in (
            ("sample_rate_hz", 1, 10_000),
            ("duration_seconds", 1, 3600),
            ("measurement_iterations", 1, 1000),
            ("warmup_iterations", 0, 1000),
            ("max_retries", 0, 10),
            ("failure_threshold", 1, 1000),
            ("max_prompts", 1, 100_000),
            ("max_prompt_length", 1, 10_000_000),
            ("max_new_tokens", 1, 100_000),
            ("seed", 0, 2**32 - 1),
        ):
            value = getattr(self, name)
            number = isinstance(value, int) and not isinstance(value, bool)
            _need(name, value, f"from {low} to {high}", number and low <= value <= high)
        for name in (
            "timeout_seconds",
            "connection_timeout",
            "operation_timeout",
            "circuit_timeout",
            "boot_timeout",
        ):
            value = getattr(self, name)
            _need(name, value, "above 0", math.isfinite(value) and value > 0)
        _need("retry_delay", self.retry_delay, "at least 0", self.retry_delay >= 0)
        for name in ("max_memory_mb", "max_cpu_percent", "volts"):
            value = getattr(self, name)
            _need(name, value, "above 0, or None", value is None or value > 0)
        target = self.confidence_target
        _need(
            "confidence_target",
            target,
            "above 0 and below 1, or None",
            target is None or 0 < target < 1,
        )
        lines = self.control_lines
        _need("control_lines", lines, "keep, none or reset", lines in {"keep", "none", "reset"})
