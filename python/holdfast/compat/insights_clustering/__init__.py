"""Older path of the clusterers."""

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

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KMeansClusterer": "holdfast.compat.insights_clustering.clustering",
        "NeuromorphicClusterer": "holdfast.compat.insights_clustering.neuromorphic_clustering",
    },
)
