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
    from holdfast.telemetry._alerting.alert import Alert as Alert
    from holdfast.telemetry._alerting.alert import AlertRule as AlertRule
    from holdfast.telemetry._alerting.alert import AlertSeverity as AlertSeverity
    from holdfast.telemetry._alerting.alert import AlertState as AlertState
    from holdfast.telemetry._alerting.catalogue_rules import WindowRule as WindowRule
    from holdfast.telemetry._alerting.engine import AlertManager as AlertManager
    from holdfast.telemetry._alerting.mute import Inhibition as Inhibition
    from holdfast.telemetry._alerting.mute import Silence as Silence
    from holdfast.telemetry._alerting.rule import ExpressionRule as ExpressionRule
    from holdfast.telemetry._clusterings.decorator import (
        monitor_clustering_operation as monitor_clustering_operation,
    )
    from holdfast.telemetry._clusterings.monitor import ClusteringMonitor as ClusteringMonitor
    from holdfast.telemetry._clusterings.monitor import clustering_monitor as clustering_monitor
    from holdfast.telemetry._clusterings.operation import (
        ClusteringOperationMetrics as ClusteringOperationMetrics,
    )
    from holdfast.telemetry._clusterings.operation import (
        ClusteringPerformanceBaseline as ClusteringPerformanceBaseline,
    )
    from holdfast.telemetry._clusterings.operation import ClusteringPhase as ClusteringPhase
    from holdfast.telemetry._clusterings.quality_gates import (
        ClusteringQualityGates as ClusteringQualityGates,
    )
    from holdfast.telemetry._clusterings.quality_gates import QualityGate as QualityGate
    from holdfast.telemetry._health.checks import Check as Check
    from holdfast.telemetry._health.checks import CheckResult as CheckResult
    from holdfast.telemetry._health.checks import HealthChecks as HealthChecks
    from holdfast.telemetry._health.checks import HealthStatus as HealthStatus
    from holdfast.telemetry._health.checks import add_check as add_check
    from holdfast.telemetry._health.checks import get_health as get_health
    from holdfast.telemetry._health.machine import Machine as Machine
    from holdfast.telemetry._health.resources import ResilienceStatus as ResilienceStatus
    from holdfast.telemetry._health.resources import ResourceMetrics as ResourceMetrics
    from holdfast.telemetry._health.resources import ResourceMonitor as ResourceMonitor
    from holdfast.telemetry._health.resources import ResourceThresholds as ResourceThresholds
    from holdfast.telemetry._health.resources import ResourceType as ResourceType
    from holdfast.telemetry._health.resources import resource_monitor as resource_monitor
    from holdfast.telemetry._health.system_checks import add_system_checks as add_system_checks
    from holdfast.telemetry._logs.fields import log_fields as log_fields
    from holdfast.telemetry._logs.handler import JsonFormatter as JsonFormatter
    from holdfast.telemetry._logs.handler import LogHandler as LogHandler
    from holdfast.telemetry._logs.handler import TraceFilter as TraceFilter
    from holdfast.telemetry._logs.logger import Logger as Logger
    from holdfast.telemetry._logs.logger import get_logger as get_logger
    from holdfast.telemetry._logs.setup import Log as Log
    from holdfast.telemetry._logs.setup import configure_logging as configure_logging
    from holdfast.telemetry._series.bridge import PrometheusBridge as PrometheusBridge
    from holdfast.telemetry._series.catalogue import (
        EnhancedMetricsCollector as EnhancedMetricsCollector,
    )
    from holdfast.telemetry._series.catalogue import (
        get_enhanced_metrics as get_enhanced_metrics,
    )
    from holdfast.telemetry._series.collector import MetricCollector as MetricCollector
    from holdfast.telemetry._series.exposition import expose as expose
    from holdfast.telemetry._series.metric import Metric as Metric
    from holdfast.telemetry._series.metric import MetricType as MetricType
    from holdfast.telemetry._series.otlp import OtlpPush as OtlpPush
    from holdfast.telemetry._series.performance import (
        PerformanceDashboard as PerformanceDashboard,
    )
    from holdfast.telemetry._series.performance import PerformanceMonitor as PerformanceMonitor
    from holdfast.telemetry._series.performance import (
        get_performance_dashboard as get_performance_dashboard,
    )
    from holdfast.telemetry._series.performance import (
        monitor_performance as monitor_performance,
    )
    from holdfast.telemetry._series.query import query as query
    from holdfast.telemetry._series.registry import counter as counter
    from holdfast.telemetry._series.registry import gauge as gauge
    from holdfast.telemetry._series.registry import get_registry as get_registry
    from holdfast.telemetry._series.registry import histogram as histogram
    from holdfast.telemetry._series.registry import summary as summary
    from holdfast.telemetry._serve import Endpoint as Endpoint
    from holdfast.telemetry._serve import serve as serve
    from holdfast.telemetry._system import MonitoringSystem as MonitoringSystem
    from holdfast.telemetry._system import get_health_summary as get_health_summary
    from holdfast.telemetry._system import get_monitoring_system as get_monitoring_system
    from holdfast.telemetry._system import record_metric as record_metric
    from holdfast.telemetry._system import start_monitoring as start_monitoring
    from holdfast.telemetry._system import stop_monitoring as stop_monitoring
    from holdfast.telemetry._tracing.carry import CarryingExecutor as CarryingExecutor
    from holdfast.telemetry._tracing.carry import carry as carry
    from holdfast.telemetry._tracing.span import Span as Span
    from holdfast.telemetry._tracing.span import SpanRecord as SpanRecord
    from holdfast.telemetry._tracing.span import configure_tracing as configure_tracing
    from holdfast.telemetry._tracing.span import on_span as on_span
    from holdfast.telemetry._tracing.span import record_spans as record_spans
    from holdfast.telemetry._tracing.span import span as span
    from holdfast.telemetry._tracing.span_export import export_spans as export_spans
    from holdfast.telemetry._tracing.traceparent import continue_trace as continue_trace
    from holdfast.telemetry._tracing.traceparent import current_trace_id as current_trace_id
    from holdfast.telemetry._tracing.traceparent import inject as inject
    from holdfast.telemetry._tracing.traceparent import parse_traceparent as parse_traceparent
    from holdfast.telemetry._tracing.traceparent import parse_tracestate as parse_tracestate
    from holdfast.telemetry._tracing.traceparent import traceparent as traceparent

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alert": "holdfast.telemetry._alerting.alert",
        "AlertManager": "holdfast.telemetry._alerting.engine",
        "AlertRule": "holdfast.telemetry._alerting.alert",
        "AlertSeverity": "holdfast.telemetry._alerting.alert",
        "AlertState": "holdfast.telemetry._alerting.alert",
        "CarryingExecutor": "holdfast.telemetry._tracing.carry",
        "Check": "holdfast.telemetry._health.checks",
        "CheckResult": "holdfast.telemetry._health.checks",
        "ClusteringMonitor": "holdfast.telemetry._clusterings.monitor",
        "ClusteringOperationMetrics": "holdfast.telemetry._clusterings.operation",
        "ClusteringPerformanceBaseline": "holdfast.telemetry._clusterings.operation",
        "ClusteringPhase": "holdfast.telemetry._clusterings.operation",
        "ClusteringQualityGates": "holdfast.telemetry._clusterings.quality_gates",
        "Counter": "holdfast._core",
        "Endpoint": "holdfast.telemetry._serve",
        "EnhancedMetricsCollector": "holdfast.telemetry._series.catalogue",
        "ExpressionRule": "holdfast.telemetry._alerting.rule",
        "Gauge": "holdfast._core",
        "HealthChecks": "holdfast.telemetry._health.checks",
        "HealthStatus": "holdfast.telemetry._health.checks",
        "Histogram": "holdfast._core",
        "Inhibition": "holdfast.telemetry._alerting.mute",
        "JsonFormatter": "holdfast.telemetry._logs.handler",
        "Log": "holdfast.telemetry._logs.setup",
        "LogHandler": "holdfast.telemetry._logs.handler",
        "Logger": "holdfast.telemetry._logs.logger",
        "Machine": "holdfast.telemetry._health.machine",
        "Metric": "holdfast.telemetry._series.metric",
        "MetricCollector": "holdfast.telemetry._series.collector",
        "MetricType": "holdfast.telemetry._series.metric",
        "MonitoringSystem": "holdfast.telemetry._system",
        "OtlpPush": "holdfast.telemetry._series.otlp",
        "PerformanceDashboard": "holdfast.telemetry._series.performance",
        "PerformanceMonitor": "holdfast.telemetry._series.performance",
        "PrometheusBridge": "holdfast.telemetry._series.bridge",
        "QualityGate": "holdfast.telemetry._clusterings.quality_gates",
        "Registry": "holdfast._core",
        "ResilienceStatus": "holdfast.telemetry._health.resources",
        "ResourceMetrics": "holdfast.telemetry._health.resources",
        "ResourceMonitor": "holdfast.telemetry._health.resources",
        "ResourceThresholds": "holdfast.telemetry._health.resources",
        "ResourceType": "holdfast.telemetry._health.resources",
        "Silence": "holdfast.telemetry._alerting.mute",
        "Span": "holdfast.telemetry._tracing.span",
        "SpanRecord": "holdfast.telemetry._tracing.span",
        "Summary": "holdfast._core",
        "TraceFilter": "holdfast.telemetry._logs.handler",
        "WindowRule": "holdfast.telemetry._alerting.catalogue_rules",
        "add_check": "holdfast.telemetry._health.checks",
        "add_system_checks": "holdfast.telemetry._health.system_checks",
        "carry": "holdfast.telemetry._tracing.carry",
        "clustering_monitor": "holdfast.telemetry._clusterings.monitor",
        "configure_logging": "holdfast.telemetry._logs.setup",
        "configure_tracing": "holdfast.telemetry._tracing.span",
        "continue_trace": "holdfast.telemetry._tracing.traceparent",
        "counter": "holdfast.telemetry._series.registry",
        "current_trace_id": "holdfast.telemetry._tracing.traceparent",
        "export_spans": "holdfast.telemetry._tracing.span_export",
        "expose": "holdfast.telemetry._series.exposition",
        "gauge": "holdfast.telemetry._series.registry",
        "get_enhanced_metrics": "holdfast.telemetry._series.catalogue",
        "get_health": "holdfast.telemetry._health.checks",
        "get_health_summary": "holdfast.telemetry._system",
        "get_logger": "holdfast.telemetry._logs.logger",
        "get_monitoring_system": "holdfast.telemetry._system",
        "get_performance_dashboard": "holdfast.telemetry._series.performance",
        "get_registry": "holdfast.telemetry._series.registry",
        "histogram": "holdfast.telemetry._series.registry",
        "inject": "holdfast.telemetry._tracing.traceparent",
        "log_fields": "holdfast.telemetry._logs.fields",
        "monitor_clustering_operation": "holdfast.telemetry._clusterings.decorator",
        "monitor_performance": "holdfast.telemetry._series.performance",
        "on_span": "holdfast.telemetry._tracing.span",
        "parse_traceparent": "holdfast.telemetry._tracing.traceparent",
        "parse_tracestate": "holdfast.telemetry._tracing.traceparent",
        "query": "holdfast.telemetry._series.query",
        "record_metric": "holdfast.telemetry._system",
        "record_spans": "holdfast.telemetry._tracing.span",
        "resource_monitor": "holdfast.telemetry._health.resources",
        "serve": "holdfast.telemetry._serve",
        "span": "holdfast.telemetry._tracing.span",
        "start_monitoring": "holdfast.telemetry._system",
        "stop_monitoring": "holdfast.telemetry._system",
        "summary": "holdfast.telemetry._series.registry",
        "traceparent": "holdfast.telemetry._tracing.traceparent",
    },
)
