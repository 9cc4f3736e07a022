"""What a profile found."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from holdfast.edge import _advice
from holdfast.edge._profiles import (
    AccuracyProfile,
    LatencyProfile,
    Measurement,
    MemoryProfile,
    PowerProfile,
    ThroughputProfile,
)

if TYPE_CHECKING:
    from os import PathLike

    from holdfast.edge._records import Generation


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class ProfileResults:
    """What a profile found; parts that were not measured are None.

    Attributes
    ----------
    platform, model_name, quantization : str
    model_size_mb : float or None
        In MiB.
    timestamp, start_time : datetime
        In UTC.
    session_id : str or None
        32 hexadecimal digits.
    measurements : dict
        Every number by name, each a `Measurement` with its clock, interval and provenance.
    records : list of Generation
        The raw token records; saved apart by `save_records`.
    session_metadata : dict
        What succeeded, what failed and why, and how the device was reached.
    """

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

    def calculate_efficiency_score(self) -> float | None:
        """One number from 0 to 100 for quick sorting; None when nothing was measured."""
        return _advice.efficiency_score(self)

    def compare_with(self, other: ProfileResults) -> dict[str, float]:
        """Ratios of the headline numbers; above 1 this result is better.

        For a decision, use `compare`: it knows what is noise.
        """
        return _advice.ratios(self, other)

    def get_recommendations(self) -> list[str]:
        """One sentence per threshold that was crossed."""
        return _advice.recommendations(self)

    def content_hash(self) -> str:
        """SHA-256 of what the device did: tokens, its clock, its memory.

        Ids, wall-clock times and everything on the host's clock are left out, so that two
        runs of a deterministic device give the same digest.

        Raises
        ------
        InsufficientDataError
            The token records are not here: a JSON file does not hold them. Assign what
            `load_records` reads to `records` first.
        """
        answered = self.session_metadata.get("requests", {}).get("ok", 0)
        if answered and not self.records:
            from holdfast.edge._errors import InsufficientDataError

            raise InsufficientDataError("content_hash (of records)", 0, answered)
        kept = {
            name: asdict(one)
            for name, one in sorted(self.measurements.items())
            if one.clock != "host"
        }
        content = {
            "platform": self.platform,
            "model_name": self.model_name,
            "quantization": self.quantization,
            "measurements": kept,
            "memory": None if self.memory_profile is None else asdict(self.memory_profile),
            "records": [record.device_content() for record in self.records],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def export_json(self, path: str | PathLike[str]) -> None:
        """Write everything but the raw token records; the file appears whole or not at all."""
        from holdfast.edge import _results_io

        _results_io.write_json(self, path)

    @classmethod
    def from_json(cls, path: str | PathLike[str]) -> ProfileResults:
        """Read what `export_json` wrote.

        Raises
        ------
        InvalidDataError
            When the file is not such a result.
        """
        from holdfast.edge import _results_io

        return _results_io.read_json(path)

    def export_csv(self, path: str | PathLike[str]) -> None:
        """Write one row of headline numbers; nested names are joined by underscores."""
        from holdfast.edge import _results_io

        _results_io.write_csv(self, path)

    def export_html(self, path: str | PathLike[str]) -> None:
        """Write a page with plots that needs nothing else."""
        from holdfast.edge import _html

        _html.write_report([self], path)

    def export_badge(
        self, path: str | PathLike[str], metric: str = "tokens_per_second"
    ) -> None:
        """Write one number as a small SVG for a README.

        Parameters
        ----------
        metric : str
            `tokens_per_second`, `first_token_latency_ms`, `peak_memory_kb` or
            `energy_per_token_mj`.
        """
        from holdfast.edge import _badge, _results_io

        _results_io.write_whole(path, _badge.badge(self, metric).encode())

    def save_records(self, path: str | PathLike[str]) -> None:
        """Write the raw token records as `path`.jsonl and, columnar, `path`.npz.

        What was measured, and how, is noted beside them: `from_records` makes a result of
        either file.
        """
        from holdfast.edge import _record_files, _results_io

        about = _results_io.about(self)
        _record_files.save_records(self.records, path, about=about)

    @classmethod
    def from_records(cls, path: str | PathLike[str]) -> ProfileResults:
        """A result from saved token records alone: every time is computed anew.

        Raises
        ------
        InvalidDataError
            When the file holds no token records.
        """
        from holdfast.edge import _record_files, _results_io, _summary

        results = _results_io.from_about(_record_files.load_about(path), path)
        return _summary.recompute(results, _record_files.load_records(path))

    def _repr_html_(self) -> str:
        from holdfast.edge import _html

        page: str = _html.notebook(self)
        return page

    def __repr__(self) -> str:
        """The headline numbers, one subject a line."""
        size = "" if self.model_size_mb is None else f"{self.model_size_mb:.1f}MB "
        lines = [
            f"ProfileResults({self.model_name} on {self.platform})",
            f"  {size}{self.quantization} quantization",
        ]
        if (latency := self.latency_profile) is not None:
            rate = _shown(latency.tokens_per_second, "{:.1f}")
            first = _shown(latency.first_token_latency_ms, "{:.0f}")
            lines.append(f"  {rate} tok/s, {first}ms first token")
        if (memory := self.memory_profile) is not None:
            lines.append(f"  {_shown(memory.peak_memory_kb, '{:.0f}')}KB peak")
        if (power := self.power_profile) is not None:
            active = _shown(power.active_power_mw, "{:.0f}")
            lines.append(f"  {active}mW, {_shown(power.energy_per_token_mj, '{:.1f}')}mJ/token")
        if (score := self.calculate_efficiency_score()) is not None:
            lines.append(f"  Efficiency Score: {score:.1f}/100")
        return "\n".join(lines)


def _shown(value: float | None, form: str) -> str:
    return "? " if value is None else form.format(value)
