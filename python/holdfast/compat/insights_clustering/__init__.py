"""Older path of the clusterers, and of assessments in CSV files."""

from __future__ import annotations

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

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DataValidator": "holdfast.compat.insights_clustering.validator",
        "InsightsDataParser": "holdfast.compat.insights_clustering.parser",
        "KMeansClusterer": "holdfast.compat.insights_clustering.clustering",
        "NeuromorphicClusterer": "holdfast.compat.insights_clustering.neuromorphic_clustering",
    },
)
