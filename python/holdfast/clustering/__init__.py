"""Clustering of tables and time series, and the kernels it is made of."""

from __future__ import annotations

from holdfast._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ClusteringMetrics": "holdfast.clustering._metrics",
        "EchoStateNetwork": "holdfast.clustering._echo_state",
        "KMeans": "holdfast.clustering._kmeans",
        "LiquidStateMachine": "holdfast.clustering._liquid",
        "NeuromorphicClusterer": "holdfast.clustering._clusterer",
        "NeuromorphicClusteringMethod": "holdfast.clustering._clusterer",
        "SpikingNeuralCluster": "holdfast.clustering._spiking",
        "adjusted_rand_score": "holdfast.clustering._scores",
        "calinski_harabasz_score": "holdfast.clustering._scores",
        "davies_bouldin_score": "holdfast.clustering._scores",
        "normalized_mutual_info_score": "holdfast.clustering._scores",
        "silhouette_samples": "holdfast.clustering._scores",
        "silhouette_score": "holdfast.clustering._scores",
    },
)
