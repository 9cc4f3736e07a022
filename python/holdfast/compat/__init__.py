"""Older names and duplicates, for scripts written for the systems before Holdfast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.compat._correlation import get_correlation_id as get_correlation_id
    from holdfast.compat._correlation import set_correlation_id as set_correlation_id
    from holdfast.compat._errors import EnhancedErrorHandler as EnhancedErrorHandler
    from holdfast.compat._errors import ObserverCoordinatorError as ObserverCoordinatorError
    from holdfast.compat._errors import TimeoutError as TimeoutError  # noqa: A004
    from holdfast.compat._errors import error_handler as error_handler
    from holdfast.compat._kmeans_clusterer import KMeansClusterer as KMeansClusterer
    from holdfast.compat._resilience_manager import ResilienceManager as ResilienceManager
    from holdfast.compat._resilience_manager import ResilienceMetrics as ResilienceMetrics
    from holdfast.compat._resilience_manager import resilience_manager as resilience_manager
    from holdfast.compat._resilience_manager import resilient_operation as resilient_operation

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "EnhancedErrorHandler": "holdfast.compat._errors",
        "KMeansClusterer": "holdfast.compat._kmeans_clusterer",
        "ObserverCoordinatorError": "holdfast.compat._errors",
        "ResilienceManager": "holdfast.compat._resilience_manager",
        "ResilienceMetrics": "holdfast.compat._resilience_manager",
        "TimeoutError": "holdfast.compat._errors",
        "error_handler": "holdfast.compat._errors",
        "get_correlation_id": "holdfast.compat._correlation",
        "resilience_manager": "holdfast.compat._resilience_manager",
        "resilient_operation": "holdfast.compat._resilience_manager",
        "set_correlation_id": "holdfast.compat._correlation",
    },
)
