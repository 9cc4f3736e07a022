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

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Alert": "holdfast.telemetry._alert",
        "AlertRule": "holdfast.telemetry._alert",
        "AlertSeverity": "holdfast.telemetry._alert",
        "AlertState": "holdfast.telemetry._alert",
        "Metric": "holdfast.telemetry._metric",
        "MetricType": "holdfast.telemetry._metric",
    },
)
