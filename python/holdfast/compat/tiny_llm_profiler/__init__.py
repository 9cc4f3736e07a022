"""Older path of the profiler and what it brought along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.compat.tiny_llm_profiler.reliability import (
        ReliabilityManager as ReliabilityManager,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import RetryMechanism as RetryMechanism
    from holdfast.compat.tiny_llm_profiler.reliability import TimeoutManager as TimeoutManager
    from holdfast.compat.tiny_llm_profiler.reliability import (
        managed_resource as managed_resource,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import with_timeout as with_timeout
    from holdfast.edge import ComparativeAnalyzer as ComparativeAnalyzer
    from holdfast.edge import EdgeProfiler as EdgeProfiler
    from holdfast.edge import MetricsAnalyzer as MetricsAnalyzer
    from holdfast.edge import PlatformManager as PlatformManager
    from holdfast.edge import PowerProfiler as PowerProfiler
    from holdfast.edge import ProfileResults as ProfileResults
    from holdfast.edge import ProfilingConfig as ProfilingConfig
    from holdfast.edge import QuantizedModel as QuantizedModel
    from holdfast.resilience import CircuitBreaker as CircuitBreaker
    from holdfast.resilience import circuit_breaker as circuit_breaker
    from holdfast.resilience import retry as retry
    from holdfast.telemetry import AlertManager as AlertManager
    from holdfast.telemetry import MetricCollector as MetricCollector
    from holdfast.telemetry import MonitoringSystem as MonitoringSystem
    from holdfast.telemetry import get_health_summary as get_health_summary
    from holdfast.telemetry import get_monitoring_system as get_monitoring_system
    from holdfast.telemetry import record_metric as record_metric
    from holdfast.telemetry import start_monitoring as start_monitoring
    from holdfast.telemetry import stop_monitoring as stop_monitoring

_RELIABILITY = "holdfast.compat.tiny_llm_profiler.reliability"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AlertManager": "holdfast.telemetry",
        "CircuitBreaker": "holdfast.resilience",
        "ComparativeAnalyzer": "holdfast.edge",
        "EdgeProfiler": "holdfast.edge",
        "MetricCollector": "holdfast.telemetry",
        "MetricsAnalyzer": "holdfast.edge",
        "MonitoringSystem": "holdfast.telemetry",
        "PlatformManager": "holdfast.edge",
        "PowerProfiler": "holdfast.edge",
        "ProfileResults": "holdfast.edge",
        "ProfilingConfig": "holdfast.edge",
        "QuantizedModel": "holdfast.edge",
        "ReliabilityManager": _RELIABILITY,
        "RetryMechanism": _RELIABILITY,
        "TimeoutManager": _RELIABILITY,
        "circuit_breaker": "holdfast.resilience",
        "get_health_summary": "holdfast.telemetry",
        "get_monitoring_system": "holdfast.telemetry",
        "managed_resource": _RELIABILITY,
        "record_metric": "holdfast.telemetry",
        "retry": "holdfast.resilience",
        "start_monitoring": "holdfast.telemetry",
        "stop_monitoring": "holdfast.telemetry",
        "with_timeout": _RELIABILITY,
    },
)
