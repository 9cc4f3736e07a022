"""Older path of the clusterers, and of assessments in CSV files."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.compat.insights_clustering.clustering import (
        KMeansClusterer as KMeansClusterer,
    )
    from holdfast.compat.insights_clustering.neuromorphic_clustering import (
        NeuromorphicClusterer as NeuromorphicClusterer,
    )
    from holdfast.compat.insights_clustering.parser import (
        InsightsDataParser as InsightsDataParser,
    )
    from holdfast.compat.insights_clustering.validator import DataValidator as DataValidator

_names, __dir__, __all__ = attach(
    __name__,
    {
        "DataValidator": "holdfast.compat.insights_clustering.validator",
        "InsightsDataParser": "holdfast.compat.insights_clustering.parser",
        "KMeansClusterer": "holdfast.compat.insights_clustering.clustering",
        "NeuromorphicClusterer": "holdfast.compat.insights_clustering.neuromorphic_clustering",
    },
)

_MODULES = {
    "clustering", "monitoring", "neuromorphic_clustering", "parser", "resilience", "validator",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """A name, or a module of this package: they were imported with it."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    return _names(name)
