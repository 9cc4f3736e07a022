"""What a profile found, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from holdfast.edge._results.profiles import (
    AccuracyProfile,
    LatencyProfile,
    Measurement,
    MemoryProfile,
    PowerProfile,
    ThroughputProfile,
)

if TYPE_CHECKING:
    from holdfast.edge._measurement.records import Generation


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Findings:
    """The data of `ProfileResults`, for those who compute or write something of it."""

    platform: str
    model_name: str
    model_size_mb: float | None = None
    quantization: str = ""
    timestamp: datetime = field(default_factory=_now)
    session_id: str | None = None
    start_time: datetime = field(default_factory=_now)
    latency_profile: LatencyProfile | None = None
    memory_profile: MemoryProfile | None = None
    power_profile: PowerProfile | None = None
    accuracy_profile: AccuracyProfile | None = None
    throughput_profile: ThroughputProfile | None = None
    test_configuration: dict[str, Any] = field(default_factory=dict)
    environment_info: dict[str, Any] = field(default_factory=dict)
    raw_measurements: dict[str, list[Any]] = field(default_factory=dict)
    session_metadata: dict[str, Any] = field(default_factory=dict)
    measurements: dict[str, Measurement] = field(default_factory=dict)
    records: list[Generation] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Accept None for the times and an enumeration for the quantization."""
        self.timestamp = self.timestamp or _now()
        self.start_time = self.start_time or _now()
        if isinstance(self.quantization, Enum):
            self.quantization = str(self.quantization.value)

    def _of(self, part: str, attribute: str) -> float | None:
        value: float | None = getattr(getattr(self, part), attribute, None)
        return value

    @property
    def tokens_per_second(self) -> float | None:
        """Decode rate, tokens/s."""
        return self._of("latency_profile", "tokens_per_second")

    @property
    def first_token_latency_ms(self) -> float | None:
        """Time to the first token, ms."""
        return self._of("latency_profile", "first_token_latency_ms")

    @property
    def peak_memory_kb(self) -> float | None:
        """Highest memory of the device, kB."""
        return self._of("memory_profile", "peak_memory_kb")

    @property
    def energy_per_token_mj(self) -> float | None:
        """Energy per token, mJ."""
        return self._of("power_profile", "energy_per_token_mj")

    def add_latency_profile(self, profile: LatencyProfile) -> None:
        """Set the times; the rate goes into the throughput profile too."""
        self.latency_profile = profile
        if self.throughput_profile is None:
            self.throughput_profile = ThroughputProfile()
        self.throughput_profile.tokens_per_second = profile.tokens_per_second

    def add_memory_profile(self, profile: MemoryProfile) -> None:
        """Set the memory."""
        self.memory_profile = profile

    def add_power_profile(self, profile: PowerProfile) -> None:
        """Set power and energy."""
        self.power_profile = profile

    def add_accuracy_profile(self, profile: AccuracyProfile) -> None:
        """Set the quality of the output."""
        self.accuracy_profile = profile

    def add_raw_measurements(self, name: str, values: list[Any]) -> None:
        """Keep a list of raw values."""
        self.raw_measurements[name] = list(values)

    def get_summary(self) -> dict[str, Any]:
        """The headline numbers, nested by subject; only subjects that were measured."""
        summary: dict[str, Any] = {
            "platform": self.platform,
            "model_name": self.model_name,
            "model_size_mb": self.model_size_mb,
            "quantization": self.quantization,
            "timestamp": self.timestamp.isoformat(),
        }
        if (latency := self.latency_profile) is not None:
            summary["latency"] = {
                "first_token_ms": latency.first_token_latency_ms,
                "inter_token_ms": latency.inter_token_latency_ms,
                "tokens_per_second": latency.tokens_per_second,
                "total_latency_ms": latency.total_latency_ms,
            }
        if (memory := self.memory_profile) is not None:
            summary["memory"] = {
                "peak_memory_kb": memory.peak_memory_kb,
                "memory_usage_kb": memory.memory_usage_kb,
                "efficiency_tokens_per_kb": memory.memory_efficiency_tokens_per_kb,
            }
        if (power := self.power_profile) is not None:
            summary["power"] = {
                "active_power_mw": power.active_power_mw,
                "energy_per_token_mj": power.energy_per_token_mj,
                "total_energy_mj": power.total_energy_mj,
            }
        if (accuracy := self.accuracy_profile) is not None:
            summary["accuracy"] = {
                "perplexity": accuracy.perplexity,
                "bleu_score": accuracy.bleu_score,
            }
        return summary
