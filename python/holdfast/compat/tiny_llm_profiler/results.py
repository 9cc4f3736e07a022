"""Older path of results; what is not said of a part made by hand is 0, as it was."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from holdfast import edge

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "AccuracyProfile",
    "LatencyProfile",
    "MemoryProfile",
    "PowerProfile",
    "ProfileResults",
    "ThroughputProfile",
]
_REPLACED = (csv, json, np)  # older tests replace their functions here


@dataclass
class LatencyProfile(edge.LatencyProfile):
    """Times of a run, ms."""

    percentile_50_ms: float | None = 0.0
    percentile_90_ms: float | None = 0.0
    percentile_95_ms: float | None = 0.0
    percentile_99_ms: float | None = 0.0


@dataclass
class MemoryProfile(edge.MemoryProfile):
    """Memory of a run, kB."""

    fragmentation_percent: float | None = 0.0
    gc_overhead_percent: float | None = 0.0
    stack_usage_kb: float | None = 0.0
    heap_usage_kb: float | None = 0.0


@dataclass
class PowerProfile(edge.PowerProfile):
    """Power of a run, at 3.3 V unless that is said."""

    average_current_ma: float | None = 0.0
    voltage_v: float | None = 3.3
    avg_voltage_v: float | None = 3.3
    avg_current_ma: float | None = 0.0
    measurement_duration_sec: float | None = 1.0
    power_std_mw: float | None = 0.0
    duration_s: float | None = 0.0


@dataclass
class AccuracyProfile(edge.AccuracyProfile):
    """Quality of the output."""

    bleu_score: float | None = 0.0
    semantic_similarity: float | None = 0.0


@dataclass
class ThroughputProfile(edge.ThroughputProfile):
    """Rates of a run."""

    batch_processing_efficiency: float | None = 1.0
    queue_time_ms: float | None = 0.0
    processing_time_ms: float | None = 0.0


class ProfileResults(edge.ProfileResults):
    """`holdfast.edge.ProfileResults` with the parts of this module."""

    def add_latency_profile(self, profile: edge.LatencyProfile) -> None:
        """Set the times; the rate goes into the throughput profile too."""
        super().add_latency_profile(profile)
        throughput = self.throughput_profile
        assert throughput is not None  # noqa: S101 (made just now)
        throughput.requests_per_second = throughput.requests_per_second or 0.0
        as_older(self)

    def calculate_efficiency_score(self) -> float | None:
        """One number from 0 to 100; 0 without a profile, None when the times failed."""
        parts = (self.latency_profile, self.memory_profile, self.power_profile)
        none = all(part is None for part in parts)
        failed = "latency" in (self.session_metadata.get("failed_metrics") or ())
        return 0.0 if none and not failed else super().calculate_efficiency_score()

    @classmethod
    def from_json(cls, path: str | PathLike[str]) -> ProfileResults:
        """Read what `export_json` wrote."""
        return as_older(edge.ProfileResults.from_json(path))


_PARTS = {
    "latency_profile": LatencyProfile,
    "memory_profile": MemoryProfile,
    "power_profile": PowerProfile,
    "accuracy_profile": AccuracyProfile,
    "throughput_profile": ThroughputProfile,
}


def as_older(results: edge.ProfileResults) -> ProfileResults:
    """The same object; it and its parts become instances of the classes of this module.

    What was not measured stays None.
    """
    for name, kind in _PARTS.items():
        part = getattr(results, name)
        if part is not None and type(part) is kind.__base__:
            part.__class__ = kind
    if type(results) is edge.ProfileResults:
        results.__class__ = ProfileResults
    return results  # type: ignore[return-value]
