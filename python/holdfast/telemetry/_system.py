"""The monitoring of this process: one system, made on first use."""

from __future__ import annotations

import time
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Any

from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._alerting import handlers
from holdfast.telemetry._alerting.alert import AlertSeverity
from holdfast.telemetry._alerting.engine import AlertManager
from holdfast.telemetry._health.machine import Machine
from holdfast.telemetry._series.collector import MetricCollector
from holdfast.telemetry._series.derived import PROCESS, everything
from holdfast.telemetry._series.registry import get_registry, get_served
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from holdfast.telemetry._series.metric import Metric


class MonitoringSystem:
    """Samples the machine and the registry, keeps the history and evaluates the rules.

    Parameters
    ----------
    config : object, optional
        Kept as `config` for whoever reads it.
    monitor_interval : float
        Seconds between two samples.
    evaluation_interval : float
        Seconds between two evaluations of the rules.
    registry : Registry, optional
        Whose series are sampled; by default those of the process.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self,
        config: Any = None,
        *,
        monitor_interval: float = 10.0,
        evaluation_interval: float = 30.0,
        registry: Registry | None = None,
    ) -> None:
        parameters.real("monitor_interval", monitor_interval, above=0)
        parameters.instance("registry", registry, Registry, optional=True)
        self.config = config
        self.monitor_interval = monitor_interval
        self.metric_collector = MetricCollector()
        self.alert_manager = AlertManager(
            self.metric_collector, evaluation_interval=evaluation_interval
        )
        self.alert_manager.add_alert_handler(handlers.console)
        self.alert_manager.add_alert_handler(handlers.log)
        self._registry = get_registry() if registry is None else registry
        self._machine = Machine()
        self._ticker = Ticker("holdfast-monitor", self._tick, lambda: self.monitor_interval)

    @property
    def monitoring_active(self) -> bool:
        """Between `start` and `stop`."""
        return self._ticker.running

    @property
    def system_monitor_thread(self) -> threading.Thread | None:
        """The thread that samples, while one does."""
        return self._ticker.thread

    def start(self) -> None:
        """Sample and evaluate from now on."""
        self.metric_collector.resume()
        self._ticker.start()
        self.alert_manager.start()

    def stop(self) -> None:
        """Sample and evaluate no more; what was recorded stays."""
        self._ticker.stop()
        self.alert_manager.stop()
        self.metric_collector.stop()

    def _tick(self) -> None:
        self.sample()
        if self._latest("system_cpu_percent") is None:
            self._machine.settle()
            for name, value in self._machine.cpu().items():
                self.metric_collector.history.record(name, value, time.time(), None, "gauge")

    def sample(self) -> None:
        """Record the machine, the registry and what the guards count, now."""
        now = time.time()
        for name, value in self._machine.sample().items():
            kind = "counter" if name.endswith("_total") else "gauge"
            self.metric_collector.history.record(name, value, now, None, kind)
        for registry in (self._registry, get_served()):
            self.metric_collector.scrape(registry, now)
        history = self.metric_collector.history
        for name, kind, _, labels, value in everything():
            # What was recorded by hand stands in place of what is read.
            if name not in PROCESS and not history.samples(name, labels, now, now):
                history.record(name, value, now, labels, kind, scraped=True)

    def record_metric(
        self, name: str, value: float, labels: Mapping[str, str] | None = None
    ) -> None:
        """Record a sample, stamped now."""
        self.metric_collector.record_value(name, value, time.time(), labels)

    def get_metrics(self, name: str, **kwargs: Any) -> list[Metric]:
        """As `metric_collector.get_metrics`."""
        return self.metric_collector.get_metrics(name, **kwargs)

    def get_health_summary(self) -> dict[str, Any]:
        """How things are, in one dict.

        `overall_health` is `critical` with an active alert of that severity, `warning` with
        one that warns or reports an error, else `healthy`.
        """
        alerts = self.alert_manager.get_active_alerts()
        count = dict.fromkeys(AlertSeverity, 0)
        for alert in alerts:
            count[alert.severity] += 1
        bad = count[AlertSeverity.WARNING] + count[AlertSeverity.ERROR]
        health = "warning" if bad else "healthy"
        return {
            "timestamp": datetime.now().isoformat(),  # noqa: DTZ005 (local, as the API has it)
            "overall_health": "critical" if count[AlertSeverity.CRITICAL] else health,
            "active_alerts": len(alerts),
            "critical_alerts": count[AlertSeverity.CRITICAL],
            "error_alerts": count[AlertSeverity.ERROR],
            "warning_alerts": count[AlertSeverity.WARNING],
            "system_metrics": {
                "memory_percent": self._latest("system_memory_percent"),
                "cpu_percent": self._latest("system_cpu_percent"),
            },
            "monitoring_active": self.monitoring_active,
            "alert_rules_count": len(self.alert_manager.alert_rules),
        }

    def export_metrics(self, output_path: str | PathLike[str], format: str = "json") -> None:  # noqa: A002
        """Write every series with its samples to a file.

        Raises
        ------
        InvalidParameterError
            `format` is not `json`.
        """
        if format != "json":
            parameters.refuse("format", "'json'", format)
        parameters.instance("output_path", output_path, (str, PathLike))
        found = {
            key: [
                {
                    "name": metric.name,
                    "value": metric.value,
                    "timestamp": metric.timestamp.isoformat(),
                    "labels": metric.labels,
                }
                for metric in series
            ]
            for key, series in self.metric_collector.metrics.items()
        }
        import json  # loaded for whoever exports

        with open(output_path, "w", encoding="utf-8") as file:  # noqa: PTH123 (as pathlib)
            json.dump(found, file, indent=2)

    def _latest(self, name: str) -> float | None:
        metric = self.metric_collector.get_latest(name)
        return None if metric is None else metric.value


monitoring_system: MonitoringSystem | None = None


def get_monitoring_system() -> MonitoringSystem:
    """The system of this process, made on first use; it does nothing until it is started."""
    global monitoring_system  # noqa: PLW0603
    if monitoring_system is None:
        monitoring_system = MonitoringSystem()
    return monitoring_system


def start_monitoring() -> None:
    """Sample the machine and evaluate the rules from now on."""
    get_monitoring_system().start()


def stop_monitoring() -> None:
    """Stop what `start_monitoring` started; nothing where it was not."""
    if monitoring_system is not None:
        monitoring_system.stop()


def record_metric(name: str, value: float, labels: Mapping[str, str] | None = None) -> None:
    """Record a sample in the system of this process, stamped now."""
    get_monitoring_system().record_metric(name, value, labels)


def get_health_summary() -> dict[str, Any]:
    """How this process is, in one dict; see `MonitoringSystem.get_health_summary`."""
    return get_monitoring_system().get_health_summary()
