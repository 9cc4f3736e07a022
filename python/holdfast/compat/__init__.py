"""Older names and duplicates, for scripts written for the systems before Holdfast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.compat._kmeans_clusterer import KMeansClusterer as KMeansClusterer

__getattr__, __dir__, __all__ = attach(
    __name__, {"KMeansClusterer": "holdfast.compat._kmeans_clusterer"}
)
