"""Clustering of tables and time series, and the kernels it is made of."""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.clustering._clusterer import NeuromorphicClusterer as NeuromorphicClusterer
    from holdfast.clustering._kernels.dbscan import DBSCAN as DBSCAN
    from holdfast.clustering._kernels.echo_state import EchoStateNetwork as EchoStateNetwork
    from holdfast.clustering._kernels.kmeans import KMeans as KMeans
    from holdfast.clustering._kernels.lif import LIFNetwork as LIFNetwork
    from holdfast.clustering._kernels.liquid import LiquidStateMachine as LiquidStateMachine
    from holdfast.clustering._kernels.mixture import GaussianMixture as GaussianMixture
    from holdfast.clustering._kernels.scores import adjusted_rand_score as adjusted_rand_score
    from holdfast.clustering._kernels.scores import (
        calinski_harabasz_score as calinski_harabasz_score,
    )
    from holdfast.clustering._kernels.scores import davies_bouldin_score as davies_bouldin_score
    from holdfast.clustering._kernels.scores import (
        normalized_mutual_info_score as normalized_mutual_info_score,
    )
    from holdfast.clustering._kernels.scores import silhouette_samples as silhouette_samples
    from holdfast.clustering._kernels.scores import silhouette_score as silhouette_score
    from holdfast.clustering._kernels.spiking import (
        SpikingNeuralCluster as SpikingNeuralCluster,
    )
    from holdfast.clustering._metrics import ClusteringMetrics as ClusteringMetrics
    from holdfast.clustering._parameters import (
        NeuromorphicClusteringMethod as NeuromorphicClusteringMethod,
    )

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DBSCAN": "holdfast.clustering._kernels.dbscan",
        "ClusteringMetrics": "holdfast.clustering._metrics",
        "EchoStateNetwork": "holdfast.clustering._kernels.echo_state",
        "GaussianMixture": "holdfast.clustering._kernels.mixture",
        "KMeans": "holdfast.clustering._kernels.kmeans",
        "LIFNetwork": "holdfast.clustering._kernels.lif",
        "LiquidStateMachine": "holdfast.clustering._kernels.liquid",
        "NeuromorphicClusterer": "holdfast.clustering._clusterer",
        "NeuromorphicClusteringMethod": "holdfast.clustering._parameters",
        "SpikingNeuralCluster": "holdfast.clustering._kernels.spiking",
        "adjusted_rand_score": "holdfast.clustering._kernels.scores",
        "calinski_harabasz_score": "holdfast.clustering._kernels.scores",
        "davies_bouldin_score": "holdfast.clustering._kernels.scores",
        "normalized_mutual_info_score": "holdfast.clustering._kernels.scores",
        "silhouette_samples": "holdfast.clustering._kernels.scores",
        "silhouette_score": "holdfast.clustering._kernels.scores",
    },
)
