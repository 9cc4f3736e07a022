"""What a process measures, watches and tells: series, rules, checks, traces and logs.

Importing it starts nothing and loads nothing; a name is loaded on first use.
"""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
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
    from holdfast.telemetry._carry import CarryingExecutor as CarryingExecutor
    from holdfast.telemetry._carry import carry as carry
    from holdfast.telemetry._catalogue import (
        EnhancedMetricsCollector as EnhancedMetricsCollector,
    )
    from holdfast.telemetry._catalogue import get_enhanced_metrics as get_enhanced_metrics
    from holdfast.telemetry._catalogue_rules import WindowRule as WindowRule
    from holdfast.telemetry._checks import Check as Check
    from holdfast.telemetry._checks import CheckResult as CheckResult
    from holdfast.telemetry._checks import HealthChecks as HealthChecks
    from holdfast.telemetry._checks import HealthStatus as HealthStatus
    from holdfast.telemetry._checks import add_check as add_check
    from holdfast.telemetry._checks import get_health as get_health
    from holdfast.telemetry._clustering_decorator import (
        monitor_clustering_operation as monitor_clustering_operation,
    )
    from holdfast.telemetry._clustering_monitor import ClusteringMonitor as ClusteringMonitor
    from holdfast.telemetry._clustering_monitor import clustering_monitor as clustering_monitor
    from holdfast.telemetry._clustering_operation import (
        ClusteringOperationMetrics as ClusteringOperationMetrics,
    )
    from holdfast.telemetry._clustering_operation import (
        ClusteringPerformanceBaseline as ClusteringPerformanceBaseline,
    )
    from holdfast.telemetry._clustering_operation import ClusteringPhase as ClusteringPhase
    from holdfast.telemetry._collector import MetricCollector as MetricCollector
    from holdfast.telemetry._exposition import expose as expose
    from holdfast.telemetry._fields import log_fields as log_fields
    from holdfast.telemetry._log_handler import JsonFormatter as JsonFormatter
    from holdfast.telemetry._log_handler import LogHandler as LogHandler
    from holdfast.telemetry._log_handler import TraceFilter as TraceFilter
    from holdfast.telemetry._log_setup import Log as Log
    from holdfast.telemetry._log_setup import configure_logging as configure_logging
    from holdfast.telemetry._logger import Logger as Logger
    from holdfast.telemetry._logger import get_logger as get_logger
    from holdfast.telemetry._machine import Machine as Machine
    from holdfast.telemetry._metric import Metric as Metric
    from holdfast.telemetry._metric import MetricType as MetricType
    from holdfast.telemetry._mute import Inhibition as Inhibition
    from holdfast.telemetry._mute import Silence as Silence
    from holdfast.telemetry._otlp import OtlpPush as OtlpPush
    from holdfast.telemetry._performance import PerformanceDashboard as PerformanceDashboard
    from holdfast.telemetry._performance import PerformanceMonitor as PerformanceMonitor
    from holdfast.telemetry._performance import (
        get_performance_dashboard as get_performance_dashboard,
    )
    from holdfast.telemetry._performance import monitor_performance as monitor_performance
    from holdfast.telemetry._quality_gates import (
        ClusteringQualityGates as ClusteringQualityGates,
    )
    from holdfast.telemetry._quality_gates import QualityGate as QualityGate
    from holdfast.telemetry._query import query as query
    from holdfast.telemetry._registry import counter as counter
    from holdfast.telemetry._registry import gauge as gauge
    from holdfast.telemetry._registry import get_registry as get_registry
    from holdfast.telemetry._registry import histogram as histogram
    from holdfast.telemetry._registry import summary as summary
    from holdfast.telemetry._resources import ResilienceStatus as ResilienceStatus
    from holdfast.telemetry._resources import ResourceMetrics as ResourceMetrics
    from holdfast.telemetry._resources import ResourceMonitor as ResourceMonitor
    from holdfast.telemetry._resources import ResourceThresholds as ResourceThresholds
    from holdfast.telemetry._resources import ResourceType as ResourceType
    from holdfast.telemetry._resources import resource_monitor as resource_monitor
    from holdfast.telemetry._rule import ExpressionRule as ExpressionRule
    from holdfast.telemetry._serve import Endpoint as Endpoint
    from holdfast.telemetry._serve import serve as serve
    from holdfast.telemetry._span import Span as Span
    from holdfast.telemetry._span import SpanRecord as SpanRecord
    from holdfast.telemetry._span import configure_tracing as configure_tracing
    from holdfast.telemetry._span import on_span as on_span
    from holdfast.telemetry._span import record_spans as record_spans
    from holdfast.telemetry._span import span as span
    from holdfast.telemetry._span_export import export_spans as export_spans
    from holdfast.telemetry._system import MonitoringSystem as MonitoringSystem
    from holdfast.telemetry._system import get_health_summary as get_health_summary
    from holdfast.telemetry._system import get_monitoring_system as get_monitoring_system
    from holdfast.telemetry._system import record_metric as record_metric
    from holdfast.telemetry._system import start_monitoring as start_monitoring
    from holdfast.telemetry._system import stop_monitoring as stop_monitoring
    from holdfast.telemetry._system_checks import add_system_checks as add_system_checks
    from holdfast.telemetry._traceparent import continue_trace as continue_trace
    from holdfast.telemetry._traceparent import current_trace_id as current_trace_id
    from holdfast.telemetry._traceparent import inject as inject
    from holdfast.telemetry._traceparent import parse_traceparent as parse_traceparent
    from holdfast.telemetry._traceparent import parse_tracestate as parse_tracestate
    from holdfast.telemetry._traceparent import traceparent as traceparent

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alert": "holdfast.telemetry._alert",
        "AlertManager": "holdfast.telemetry._alerts",
        "AlertRule": "holdfast.telemetry._alert",
        "AlertSeverity": "holdfast.telemetry._alert",
        "AlertState": "holdfast.telemetry._alert",
        "CarryingExecutor": "holdfast.telemetry._carry",
        "Check": "holdfast.telemetry._checks",
        "CheckResult": "holdfast.telemetry._checks",
        "ClusteringMonitor": "holdfast.telemetry._clustering_monitor",
        "ClusteringOperationMetrics": "holdfast.telemetry._clustering_operation",
        "ClusteringPerformanceBaseline": "holdfast.telemetry._clustering_operation",
        "ClusteringPhase": "holdfast.telemetry._clustering_operation",
        "ClusteringQualityGates": "holdfast.telemetry._quality_gates",
        "Counter": "holdfast._core",
        "Endpoint": "holdfast.telemetry._serve",
        "EnhancedMetricsCollector": "holdfast.telemetry._catalogue",
        "ExpressionRule": "holdfast.telemetry._rule",
        "Gauge": "holdfast._core",
        "HealthChecks": "holdfast.telemetry._checks",
        "HealthStatus": "holdfast.telemetry._checks",
        "Histogram": "holdfast._core",
        "Inhibition": "holdfast.telemetry._mute",
        "JsonFormatter": "holdfast.telemetry._log_handler",
        "Log": "holdfast.telemetry._log_setup",
        "LogHandler": "holdfast.telemetry._log_handler",
        "Logger": "holdfast.telemetry._logger",
        "Machine": "holdfast.telemetry._machine",
        "Metric": "holdfast.telemetry._metric",
        "MetricCollector": "holdfast.telemetry._collector",
        "MetricType": "holdfast.telemetry._metric",
        "MonitoringSystem": "holdfast.telemetry._system",
        "OtlpPush": "holdfast.telemetry._otlp",
        "PerformanceDashboard": "holdfast.telemetry._performance",
        "PerformanceMonitor": "holdfast.telemetry._performance",
        "PrometheusBridge": "holdfast.telemetry._bridge",
        "QualityGate": "holdfast.telemetry._quality_gates",
        "Registry": "holdfast._core",
        "ResilienceStatus": "holdfast.telemetry._resources",
        "ResourceMetrics": "holdfast.telemetry._resources",
        "ResourceMonitor": "holdfast.telemetry._resources",
        "ResourceThresholds": "holdfast.telemetry._resources",
        "ResourceType": "holdfast.telemetry._resources",
        "Silence": "holdfast.telemetry._mute",
        "Span": "holdfast.telemetry._span",
        "SpanRecord": "holdfast.telemetry._span",
        "Summary": "holdfast._core",
        "TraceFilter": "holdfast.telemetry._log_handler",
        "WindowRule": "holdfast.telemetry._catalogue_rules",
        "add_check": "holdfast.telemetry._checks",
        "add_system_checks": "holdfast.telemetry._system_checks",
        "carry": "holdfast.telemetry._carry",
        "clustering_monitor": "holdfast.telemetry._clustering_monitor",
        "configure_logging": "holdfast.telemetry._log_setup",
        "configure_tracing": "holdfast.telemetry._span",
        "continue_trace": "holdfast.telemetry._traceparent",
        "counter": "holdfast.telemetry._registry",
        "current_trace_id": "holdfast.telemetry._traceparent",
        "export_spans": "holdfast.telemetry._span_export",
        "expose": "holdfast.telemetry._exposition",
        "gauge": "holdfast.telemetry._registry",
        "get_enhanced_metrics": "holdfast.telemetry._catalogue",
        "get_health": "holdfast.telemetry._checks",
        "get_health_summary": "holdfast.telemetry._system",
        "get_logger": "holdfast.telemetry._logger",
        "get_monitoring_system": "holdfast.telemetry._system",
        "get_performance_dashboard": "holdfast.telemetry._performance",
        "get_registry": "holdfast.telemetry._registry",
        "histogram": "holdfast.telemetry._registry",
        "inject": "holdfast.telemetry._traceparent",
        "log_fields": "holdfast.telemetry._fields",
        "monitor_clustering_operation": "holdfast.telemetry._clustering_decorator",
        "monitor_performance": "holdfast.telemetry._performance",
        "on_span": "holdfast.telemetry._span",
        "parse_traceparent": "holdfast.telemetry._traceparent",
        "parse_tracestate": "holdfast.telemetry._traceparent",
        "query": "holdfast.telemetry._query",
        "record_metric": "holdfast.telemetry._system",
        "record_spans": "holdfast.telemetry._span",
        "resource_monitor": "holdfast.telemetry._resources",
        "serve": "holdfast.telemetry._serve",
        "span": "holdfast.telemetry._span",
        "start_monitoring": "holdfast.telemetry._system",
        "stop_monitoring": "holdfast.telemetry._system",
        "summary": "holdfast.telemetry._registry",
        "traceparent": "holdfast.telemetry._traceparent",
    },
)
