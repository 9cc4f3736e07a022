"""Older names, for scripts written for the systems before Holdfast.

Their import paths stand here as they were: put `holdfast.compat.` before them.

* `insights_clustering` and its `neuromorphic_clustering`, `clustering`, `resilience`,
  `monitoring`, `parser`, `validator`
* `error_handling`, `monitoring`
* `tiny_llm_profiler` and its `reliability`, `advanced_monitoring`, `exceptions`, `profiler`,
  `platforms`, `models`, `results`, `analyzer`, `power`, `health`, `logging_config`,
  `validation`, `security`

The names below are also here themselves: what an older system had, and the modules of
Holdfast have under another name or not at all.
"""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.compat.error_handling import EnhancedErrorHandler as EnhancedErrorHandler
    from holdfast.compat.error_handling import (
        ObserverCoordinatorError as ObserverCoordinatorError,
    )
    from holdfast.compat.error_handling import TimeoutError as TimeoutError  # noqa: A004
    from holdfast.compat.error_handling import error_handler as error_handler
    from holdfast.compat.insights_clustering.clustering import (
        KMeansClusterer as KMeansClusterer,
    )
    from holdfast.compat.insights_clustering.monitoring import (
        performance_monitor as performance_monitor,
    )
    from holdfast.compat.insights_clustering.neuromorphic_clustering import (
        RetryManager as RetryManager,
    )
    from holdfast.compat.insights_clustering.neuromorphic_clustering import (
        get_correlation_id as get_correlation_id,
    )
    from holdfast.compat.insights_clustering.neuromorphic_clustering import (
        set_correlation_id as set_correlation_id,
    )
    from holdfast.compat.insights_clustering.neuromorphic_clustering import (
        timeout_operation as timeout_operation,
    )
    from holdfast.compat.insights_clustering.parser import (
        InsightsDataParser as InsightsDataParser,
    )
    from holdfast.compat.insights_clustering.resilience import (
        ResilienceManager as ResilienceManager,
    )
    from holdfast.compat.insights_clustering.resilience import (
        ResilienceMetrics as ResilienceMetrics,
    )
    from holdfast.compat.insights_clustering.resilience import (
        resilience_manager as resilience_manager,
    )
    from holdfast.compat.insights_clustering.resilience import (
        resilient_operation as resilient_operation,
    )
    from holdfast.compat.insights_clustering.validator import DataValidator as DataValidator
    from holdfast.compat.tiny_llm_profiler.reliability import (
        GracefulDegradation as GracefulDegradation,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import (
        ReliabilityManager as ReliabilityManager,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import ResourceManager as ResourceManager
    from holdfast.compat.tiny_llm_profiler.reliability import RetryMechanism as RetryMechanism
    from holdfast.compat.tiny_llm_profiler.reliability import TimeoutConfig as TimeoutConfig
    from holdfast.compat.tiny_llm_profiler.reliability import TimeoutManager as TimeoutManager
    from holdfast.compat.tiny_llm_profiler.reliability import (
        reliability_manager as reliability_manager,
    )

_CLUSTERING = "holdfast.compat.insights_clustering.neuromorphic_clustering"
_RESILIENCE = "holdfast.compat.insights_clustering.resilience"
_RELIABILITY = "holdfast.compat.tiny_llm_profiler.reliability"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DataValidator": "holdfast.compat.insights_clustering.validator",
        "EnhancedErrorHandler": "holdfast.compat.error_handling",
        "GracefulDegradation": _RELIABILITY,
        "InsightsDataParser": "holdfast.compat.insights_clustering.parser",
        "KMeansClusterer": "holdfast.compat.insights_clustering.clustering",
        "ObserverCoordinatorError": "holdfast.compat.error_handling",
        "ReliabilityManager": _RELIABILITY,
        "ResilienceManager": _RESILIENCE,
        "ResilienceMetrics": _RESILIENCE,
        "ResourceManager": _RELIABILITY,
        "RetryManager": _CLUSTERING,
        "RetryMechanism": _RELIABILITY,
        "TimeoutConfig": _RELIABILITY,
        "TimeoutError": "holdfast.compat.error_handling",
        "TimeoutManager": _RELIABILITY,
        "error_handler": "holdfast.compat.error_handling",
        "get_correlation_id": _CLUSTERING,
        "performance_monitor": "holdfast.compat.insights_clustering.monitoring",
        "reliability_manager": _RELIABILITY,
        "resilience_manager": _RESILIENCE,
        "resilient_operation": _RESILIENCE,
        "set_correlation_id": _CLUSTERING,
        "timeout_operation": _CLUSTERING,
    },
)
