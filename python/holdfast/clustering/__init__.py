"""Clustering of tables and time series, and the kernels it is made of."""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.clustering._clusterer import NeuromorphicClusterer as NeuromorphicClusterer
    from holdfast.clustering._dbscan import DBSCAN as DBSCAN
    from holdfast.clustering._echo_state import EchoStateNetwork as EchoStateNetwork
    from holdfast.clustering._kmeans import KMeans as KMeans
    from holdfast.clustering._lif import LIFNetwork as LIFNetwork
    from holdfast.clustering._liquid import LiquidStateMachine as LiquidStateMachine
    from holdfast.clustering._metrics import ClusteringMetrics as ClusteringMetrics
    from holdfast.clustering._mixture import GaussianMixture as GaussianMixture
    from holdfast.clustering._parameters import (
        NeuromorphicClusteringMethod as NeuromorphicClusteringMethod,
    )
    from holdfast.clustering._scores import adjusted_rand_score as adjusted_rand_score
    from holdfast.clustering._scores import calinski_harabasz_score as calinski_harabasz_score
    from holdfast.clustering._scores import davies_bouldin_score as davies_bouldin_score
    from holdfast.clustering._scores import (
        normalized_mutual_info_score as normalized_mutual_info_score,
    )
    from holdfast.clustering._scores import silhouette_samples as silhouette_samples
    from holdfast.clustering._scores import silhouette_score as silhouette_score
    from holdfast.clustering._spiking import SpikingNeuralCluster as SpikingNeuralCluster

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DBSCAN": "holdfast.clustering._dbscan",
        "ClusteringMetrics": "holdfast.clustering._metrics",
        "EchoStateNetwork": "holdfast.clustering._echo_state",
        "GaussianMixture": "holdfast.clustering._mixture",
        "KMeans": "holdfast.clustering._kmeans",
        "LIFNetwork": "holdfast.clustering._lif",
        "LiquidStateMachine": "holdfast.clustering._liquid",
        "NeuromorphicClusterer": "holdfast.clustering._clusterer",
        "NeuromorphicClusteringMethod": "holdfast.clustering._parameters",
        "SpikingNeuralCluster": "holdfast.clustering._spiking",
        "adjusted_rand_score": "holdfast.clustering._scores",
        "calinski_harabasz_score": "holdfast.clustering._scores",
        "davies_bouldin_score": "holdfast.clustering._scores",
        "normalized_mutual_info_score": "holdfast.clustering._scores",
        "silhouette_samples": "holdfast.clustering._scores",
        "silhouette_score": "holdfast.clustering._scores",
    },
)
