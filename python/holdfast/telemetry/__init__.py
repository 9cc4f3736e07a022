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
    from holdfast.telemetry._alerts import AlertManager as AlertManager
    from holdfast.telemetry._bridge import PrometheusBridge as PrometheusBridge
    from holdfast.telemetry._catalogue import (
        EnhancedMetricsCollector as EnhancedMetricsCollector,
    )
    from holdfast.telemetry._catalogue import get_enhanced_metrics as get_enhanced_metrics
    from holdfast.telemetry._checks import Check as Check
    from holdfast.telemetry._checks import CheckResult as CheckResult
    from holdfast.telemetry._checks import HealthChecks as HealthChecks
    from holdfast.telemetry._checks import HealthStatus as HealthStatus
    from holdfast.telemetry._checks import add_check as add_check
    from holdfast.telemetry._checks import get_health as get_health
    from holdfast.telemetry._collector import MetricCollector as MetricCollector
    from holdfast.telemetry._exposition import expose as expose
    from holdfast.telemetry._machine import Machine as Machine
    from holdfast.telemetry._metric import Metric as Metric
    from holdfast.telemetry._metric import MetricType as MetricType
    from holdfast.telemetry._mute import Inhibition as Inhibition
    from holdfast.telemetry._mute import Silence as Silence
    from holdfast.telemetry._otlp import OtlpPush as OtlpPush
    from holdfast.telemetry._query import query as query
    from holdfast.telemetry._registry import counter as counter
    from holdfast.telemetry._registry import gauge as gauge
    from holdfast.telemetry._registry import get_registry as get_registry
    from holdfast.telemetry._registry import histogram as histogram
    from holdfast.telemetry._registry import summary as summary
    from holdfast.telemetry._rule import ExpressionRule as ExpressionRule
    from holdfast.telemetry._serve import Endpoint as Endpoint
    from holdfast.telemetry._serve import serve as serve
    from holdfast.telemetry._system import MonitoringSystem as MonitoringSystem
    from holdfast.telemetry._system import get_health_summary as get_health_summary
    from holdfast.telemetry._system import get_monitoring_system as get_monitoring_system
    from holdfast.telemetry._system import record_metric as record_metric
    from holdfast.telemetry._system import start_monitoring as start_monitoring
    from holdfast.telemetry._system import stop_monitoring as stop_monitoring

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alert": "holdfast.telemetry._alert",
        "AlertManager": "holdfast.telemetry._alerts",
        "AlertRule": "holdfast.telemetry._alert",
        "AlertSeverity": "holdfast.telemetry._alert",
        "AlertState": "holdfast.telemetry._alert",
        "Check": "holdfast.telemetry._checks",
        "CheckResult": "holdfast.telemetry._checks",
        "Counter": "holdfast._core",
        "Endpoint": "holdfast.telemetry._serve",
        "EnhancedMetricsCollector": "holdfast.telemetry._catalogue",
        "ExpressionRule": "holdfast.telemetry._rule",
        "Gauge": "holdfast._core",
        "HealthChecks": "holdfast.telemetry._checks",
        "HealthStatus": "holdfast.telemetry._checks",
        "Histogram": "holdfast._core",
        "Inhibition": "holdfast.telemetry._mute",
        "Machine": "holdfast.telemetry._machine",
        "Metric": "holdfast.telemetry._metric",
        "MetricCollector": "holdfast.telemetry._collector",
        "MetricType": "holdfast.telemetry._metric",
        "MonitoringSystem": "holdfast.telemetry._system",
        "OtlpPush": "holdfast.telemetry._otlp",
        "PrometheusBridge": "holdfast.telemetry._bridge",
        "Registry": "holdfast._core",
        "Silence": "holdfast.telemetry._mute",
        "Summary": "holdfast._core",
        "add_check": "holdfast.telemetry._checks",
        "counter": "holdfast.telemetry._registry",
        "expose": "holdfast.telemetry._exposition",
        "gauge": "holdfast.telemetry._registry",
        "get_enhanced_metrics": "holdfast.telemetry._catalogue",
        "get_health": "holdfast.telemetry._checks",
        "get_health_summary": "holdfast.telemetry._system",
        "get_monitoring_system": "holdfast.telemetry._system",
        "get_registry": "holdfast.telemetry._registry",
        "histogram": "holdfast.telemetry._registry",
        "query": "holdfast.telemetry._query",
        "record_metric": "holdfast.telemetry._system",
        "serve": "holdfast.telemetry._serve",
        "start_monitoring": "holdfast.telemetry._system",
        "stop_monitoring": "holdfast.telemetry._system",
        "summary": "holdfast.telemetry._registry",
    },
)
