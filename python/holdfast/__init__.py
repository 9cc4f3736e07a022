"""Clustering, device profiling and guards for numeric Python that must not fall over."""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast._version import __version__ as __version__
    from holdfast.clustering import KMeans as KMeans
    from holdfast.clustering import NeuromorphicClusterer as NeuromorphicClusterer
    from holdfast.edge import EdgeProfiler as EdgeProfiler
    from holdfast.errors import HoldfastError as HoldfastError
    from holdfast.errors import InvalidDataError as InvalidDataError
    from holdfast.errors import InvalidParameterError as InvalidParameterError
    from holdfast.errors import NotFittedError as NotFittedError
    from holdfast.errors import TimeBudgetError as TimeBudgetError

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "EdgeProfiler": "holdfast.edge",
        "HoldfastError": "holdfast.errors",
        "InvalidDataError": "holdfast.errors",
        "InvalidParameterError": "holdfast.errors",
        "KMeans": "holdfast.clustering",
        "NeuromorphicClusterer": "holdfast.clustering",
        "NotFittedError": "holdfast.errors",
        "TimeBudgetError": "holdfast.errors",
        "__version__": "holdfast._version",
    },
)
