"""Older path of `KMeansClusterer`, and its log."""

from holdfast.compat.insights_clustering._kmeans_clusterer import KMeansClusterer, logger

__all__ = ["KMeansClusterer", "logger"]
