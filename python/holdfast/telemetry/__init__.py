"""What a process measures, watches and tells: series, rules, checks, traces and logs.

Importing it starts nothing and loads nothing; a name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast._lazy import attach

if TYPE_CHECKING:
    from holdfast.telemetry._alert import Alert as Alert
    from holdfast.telemetry._alert import AlertRule as AlertRule
    from holdfast.telemetry._alert import AlertSeverity as AlertSeverity
    from holdfast.telemetry._alert import AlertState as AlertState

    # Traces.
    from holdfast.telemetry._carry import CarryingExecutor as CarryingExecutor
    from holdfast.telemetry._carry import carry as carry

    # Logs.
    from holdfast.telemetry._fields import log_fields as log_fields
    from holdfast.telemetry._log_handler import JsonFormatter as JsonFormatter
    from holdfast.telemetry._log_handler import LogHandler as LogHandler
    from holdfast.telemetry._log_handler import TraceFilter as TraceFilter
    from holdfast.telemetry._log_setup import Log as Log
    from holdfast.telemetry._log_setup import configure_logging as configure_logging
    from holdfast.telemetry._logger import Logger as Logger
    from holdfast.telemetry._logger import get_logger as get_logger
    from holdfast.telemetry._metric import Metric as Metric
    from holdfast.telemetry._metric import MetricType as MetricType
    from holdfast.telemetry._performance import PerformanceDashboard as PerformanceDashboard
    from holdfast.telemetry._performance import PerformanceMonitor as PerformanceMonitor
    from holdfast.telemetry._performance import (
        get_performance_dashboard as get_performance_dashboard,
    )
    from holdfast.telemetry._performance import monitor_performance as monitor_performance
    from holdfast.telemetry._span import Span as Span
    from holdfast.telemetry._span import SpanRecord as SpanRecord
    from holdfast.telemetry._span import configure_tracing as configure_tracing
    from holdfast.telemetry._span import on_span as on_span
    from holdfast.telemetry._span import record_spans as record_spans
    from holdfast.telemetry._span import span as span
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
        "AlertRule": "holdfast.telemetry._alert",
        "AlertSeverity": "holdfast.telemetry._alert",
        "AlertState": "holdfast.telemetry._alert",
        "Metric": "holdfast.telemetry._metric",
        "MetricType": "holdfast.telemetry._metric",
        # Logs.
        "JsonFormatter": "holdfast.telemetry._log_handler",
        "Log": "holdfast.telemetry._log_setup",
        "LogHandler": "holdfast.telemetry._log_handler",
        "Logger": "holdfast.telemetry._logger",
        "TraceFilter": "holdfast.telemetry._log_handler",
        "configure_logging": "holdfast.telemetry._log_setup",
        "get_logger": "holdfast.telemetry._logger",
        "log_fields": "holdfast.telemetry._fields",
        # Traces.
        "CarryingExecutor": "holdfast.telemetry._carry",
        "PerformanceDashboard": "holdfast.telemetry._performance",
        "PerformanceMonitor": "holdfast.telemetry._performance",
        "Span": "holdfast.telemetry._span",
        "SpanRecord": "holdfast.telemetry._span",
        "carry": "holdfast.telemetry._carry",
        "configure_tracing": "holdfast.telemetry._span",
        "continue_trace": "holdfast.telemetry._traceparent",
        "current_trace_id": "holdfast.telemetry._traceparent",
        "get_performance_dashboard": "holdfast.telemetry._performance",
        "inject": "holdfast.telemetry._traceparent",
        "monitor_performance": "holdfast.telemetry._performance",
        "on_span": "holdfast.telemetry._span",
        "parse_traceparent": "holdfast.telemetry._traceparent",
        "parse_tracestate": "holdfast.telemetry._traceparent",
        "record_spans": "holdfast.telemetry._span",
        "span": "holdfast.telemetry._span",
        "traceparent": "holdfast.telemetry._traceparent",
    },
)
