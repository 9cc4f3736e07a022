"""The monitoring of this process: one system, made on first use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from holdfast.telemetry._collector import MetricCollector

if TYPE_CHECKING:
    from collections.abc import Mapping


class MonitoringSystem:
    """Collects, evaluates rules and samples the machine."""

    def __init__(self) -> None:
        self.metric_collector = MetricCollector()

    def record_metric(
        self, name: str, value: float, labels: Mapping[str, str] | None = None
    ) -> None:
        """Record a sample, stamped now."""
        self.metric_collector.history.record(name, value, time.time(), labels)


monitoring_system: MonitoringSystem | None = None


def get_monitoring_system() -> MonitoringSystem:
    """The system of this process."""
    global monitoring_system  # noqa: PLW0603
    if monitoring_system is None:
        monitoring_system = MonitoringSystem()
    return monitoring_system


def record_metric(name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
    """Record a sample in the system of this process, stamped now."""
    get_monitoring_system().record_metric(name, value, labels)
