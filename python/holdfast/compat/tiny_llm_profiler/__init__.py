"""Older path of the profiler and what it brought along."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from holdfast._lazy import attach
from holdfast._version import __version__ as __version__

if TYPE_CHECKING:
    from holdfast.compat.tiny_llm_profiler.advanced_monitoring import (
        get_health_summary as get_health_summary,
    )
    from holdfast.compat.tiny_llm_profiler.advanced_monitoring import (
        get_monitoring_system as get_monitoring_system,
    )
    from holdfast.compat.tiny_llm_profiler.advanced_monitoring import (
        record_metric as record_metric,
    )
    from holdfast.compat.tiny_llm_profiler.advanced_monitoring import (
        start_monitoring as start_monitoring,
    )
    from holdfast.compat.tiny_llm_profiler.advanced_monitoring import (
        stop_monitoring as stop_monitoring,
    )
    from holdfast.compat.tiny_llm_profiler.analyzer import MetricsAnalyzer as MetricsAnalyzer
    from holdfast.compat.tiny_llm_profiler.models import QuantizedModel as QuantizedModel
    from holdfast.compat.tiny_llm_profiler.power import PowerProfiler as PowerProfiler
    from holdfast.compat.tiny_llm_profiler.profiler import EdgeProfiler as EdgeProfiler
    from holdfast.compat.tiny_llm_profiler.reliability import (
        ReliabilityManager as ReliabilityManager,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import RetryMechanism as RetryMechanism
    from holdfast.compat.tiny_llm_profiler.reliability import TimeoutManager as TimeoutManager
    from holdfast.compat.tiny_llm_profiler.reliability import (
        managed_resource as managed_resource,
    )
    from holdfast.compat.tiny_llm_profiler.reliability import retry as retry
    from holdfast.compat.tiny_llm_profiler.reliability import with_timeout as with_timeout
    from holdfast.compat.tiny_llm_profiler.results import ProfileResults as ProfileResults
    from holdfast.compat.tiny_llm_profiler.security import SecurityAuditor as SecurityAuditor
    from holdfast.compat.tiny_llm_profiler.security import (
        SecurityValidator as SecurityValidator,
    )
    from holdfast.compat.tiny_llm_profiler.security import (
        sanitize_filename as sanitize_filename,
    )
    from holdfast.compat.tiny_llm_profiler.security import (
        validate_environment as validate_environment,
    )
    from holdfast.compat.tiny_llm_profiler.security import (
        validate_file_path as validate_file_path,
    )
    from holdfast.compat.tiny_llm_profiler.security import (
        validate_identifier as validate_identifier,
    )
    from holdfast.edge import ComparativeAnalyzer as ComparativeAnalyzer
    from holdfast.edge import PlatformManager as PlatformManager
    from holdfast.edge import ProfilingConfig as ProfilingConfig
    from holdfast.resilience import CircuitBreaker as CircuitBreaker
    from holdfast.resilience import circuit_breaker as circuit_breaker
    from holdfast.telemetry import AlertManager as AlertManager
    from holdfast.telemetry import MetricCollector as MetricCollector
    from holdfast.telemetry import MonitoringSystem as MonitoringSystem

_HERE = "holdfast.compat.tiny_llm_profiler."
_RELIABILITY = _HERE + "reliability"

_names, __dir__, __all__ = attach(
    __name__,
    {
        "AlertManager": "holdfast.telemetry",
        "CircuitBreaker": "holdfast.resilience",
        "ComparativeAnalyzer": "holdfast.edge",
        "EdgeProfiler": _HERE + "profiler",
        "MetricCollector": "holdfast.telemetry",
        "MetricsAnalyzer": _HERE + "analyzer",
        "MonitoringSystem": "holdfast.telemetry",
        "PlatformManager": "holdfast.edge",
        "PowerProfiler": _HERE + "power",
        "ProfileResults": _HERE + "results",
        "ProfilingConfig": "holdfast.edge",
        "QuantizedModel": _HERE + "models",
        "ReliabilityManager": _RELIABILITY,
        "RetryMechanism": _RELIABILITY,
        "TimeoutManager": _RELIABILITY,
        "circuit_breaker": "holdfast.resilience",
        "get_health_summary": _HERE + "advanced_monitoring",
        "get_monitoring_system": _HERE + "advanced_monitoring",
        "managed_resource": _RELIABILITY,
        "record_metric": _HERE + "advanced_monitoring",
        "retry": _RELIABILITY,
        "start_monitoring": _HERE + "advanced_monitoring",
        "stop_monitoring": _HERE + "advanced_monitoring",
        "with_timeout": _RELIABILITY,
        "SecurityAuditor": _HERE + "security",
        "SecurityValidator": _HERE + "security",
        "sanitize_filename": _HERE + "security",
        "validate_environment": _HERE + "security",
        "validate_file_path": _HERE + "security",
        "validate_identifier": _HERE + "security",
    },
)

_MODULES = {
    "advanced_monitoring", "analyzer", "exceptions", "health", "logging_config", "models",
    "platforms", "power", "profiler", "reliability", "results", "security", "validation",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """A name, or a module of this package: they were imported with it."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    return _names(name)


__author__ = "Holdfast"
__email__ = ""
