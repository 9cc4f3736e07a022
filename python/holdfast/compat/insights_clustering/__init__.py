"""Older path of the clusterers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.clustering import NeuromorphicClusterer as NeuromorphicClusterer
    from holdfast.compat.insights_clustering.clustering import (
        KMeansClusterer as KMeansClusterer,
    )

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KMeansClusterer": "holdfast.compat.insights_clustering.clustering",
        "NeuromorphicClusterer": "holdfast.clustering",
    },
)
