"""What a process measures, watches and tells: series, rules, checks, traces and logs.

Importing it starts nothing and loads nothing; a name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast._core import Counter as Counter
    from holdfast._core import Gauge as Gauge
    from holdfast._core import Histogram as Histogram
    from holdfast._core import Registry as Registry
    from holdfast._core import Summary as Summary
    from holdfast.telemetry._alert import Alert as Alert
    from holdfast.telemetry._alert import AlertRule as AlertRule
    from holdfast.telemetry._alert import AlertSeverity as AlertSeverity
    from holdfast.telemetry._alert import AlertState as AlertState
    from holdfast.telemetry._collector import MetricCollector as MetricCollector
    from holdfast.telemetry._exposition import expose as expose
    from holdfast.telemetry._metric import Metric as Metric
    from holdfast.telemetry._metric import MetricType as MetricType
    from holdfast.telemetry._registry import counter as counter
    from holdfast.telemetry._registry import gauge as gauge
    from holdfast.telemetry._registry import get_registry as get_registry
    from holdfast.telemetry._registry import histogram as histogram
    from holdfast.telemetry._registry import summary as summary
    from holdfast.telemetry._system import MonitoringSystem as MonitoringSystem
    from holdfast.telemetry._system import get_monitoring_system as get_monitoring_system
    from holdfast.telemetry._system import record_metric as record_metric

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alert": "holdfast.telemetry._alert",
        "AlertRule": "holdfast.telemetry._alert",
        "AlertSeverity": "holdfast.telemetry._alert",
        "AlertState": "holdfast.telemetry._alert",
        "Counter": "holdfast._core",
        "Gauge": "holdfast._core",
        "Histogram": "holdfast._core",
        "Metric": "holdfast.telemetry._metric",
        "MetricCollector": "holdfast.telemetry._collector",
        "MetricType": "holdfast.telemetry._metric",
        "MonitoringSystem": "holdfast.telemetry._system",
        "Registry": "holdfast._core",
        "Summary": "holdfast._core",
        "counter": "holdfast.telemetry._registry",
        "expose": "holdfast.telemetry._exposition",
        "gauge": "holdfast.telemetry._registry",
        "get_monitoring_system": "holdfast.telemetry._system",
        "get_registry": "holdfast.telemetry._registry",
        "histogram": "holdfast.telemetry._registry",
        "record_metric": "holdfast.telemetry._system",
        "summary": "holdfast.telemetry._registry",
    },
)
