"""Older path of `KMeansClusterer`."""

from holdfast.compat.insights_clustering._kmeans_clusterer import KMeansClusterer

__all__ = ["KMeansClusterer"]
