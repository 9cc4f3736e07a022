"""Older path of results."""

from holdfast.edge import (
    AccuracyProfile,
    LatencyProfile,
    MemoryProfile,
    PowerProfile,
    ProfileResults,
    ThroughputProfile,
)

__all__ = [
    "AccuracyProfile",
    "LatencyProfile",
    "MemoryProfile",
    "PowerProfile",
    "ProfileResults",
    "ThroughputProfile",
]
