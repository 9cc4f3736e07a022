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
    from holdfast.telemetry._metric import Metric as Metric
    from holdfast.telemetry._metric import MetricType as MetricType

    # Logs.
    from holdfast.telemetry._fields import log_fields as log_fields
    from holdfast.telemetry._log_handler import JsonFormatter as JsonFormatter
    from holdfast.telemetry._log_handler import LogHandler as LogHandler
    from holdfast.telemetry._log_handler import TraceFilter as TraceFilter
    from holdfast.telemetry._log_setup import Log as Log
    from holdfast.telemetry._log_setup import configure_logging as configure_logging
    from holdfast.telemetry._logger import Logger as Logger
    from holdfast.telemetry._logger import get_logger as get_logger

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
    },
)
