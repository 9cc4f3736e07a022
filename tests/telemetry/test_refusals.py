"""Every public class and function against hostile values, by its signature.

Each value is either accepted, and then listed here, or refused by parameter, rule and value.
"""

import inspect
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from holdfast import errors, telemetry
from holdfast.errors import InvalidDataError, InvalidParameterError
from holdfast.telemetry import (
    AlertManager,
    Check,
    HealthChecks,
    MetricCollector,
    MonitoringSystem,
    Registry,
)

HOSTILE = {
    "None": None,
    "x": "x",
    "nan": float("nan"),
    "inf": float("inf"),
    "-1": -1,
    "0": 0,
    "True": True,
    "object": object(),
}
ANY = frozenset(HOSTILE)
NOW = datetime(2026, 1, 1)  # noqa: DTZ001 (as the API has it)

# What is made by the package, never by a user; what takes nothing; enumerations.
NOT_MADE_BY_USERS = {
    "CheckResult", "ClusteringOperationMetrics", "ClusteringPerformanceBaseline", "Counter",
    "Endpoint", "ErrorDetails", "ErrorPattern", "Gauge", "Histogram", "Log",
    "PerformanceDashboard", "ResourceMetrics", "Span", "SpanRecord", "Summary",
    "clustering_monitor", "enhanced_error_handler",
}  # fmt: skip
# An error that refused its arguments would hide what it was raised for: only a category, a
# severity or a kind that is none is refused.
LENIENT = {"category", "severity", "error_type"}


class Exporter:
    def export(self, batch):
        return batch

    def shutdown(self):
        pass


def entered(manager):
    """The value of a context manager; what it refuses may come on entering."""
    with manager as value:
        return value


COLLECTOR = MetricCollector()
MANAGER = AlertManager(MetricCollector())
SYSTEM = MonitoringSystem()
RULE = {"name": "r", "severity": "error"}

# Subject: what a good call is given, and what each parameter accepts of the hostile values.
# None is the default.
DECLARED = {"name": "x", "help": "x None", "labels": "None", "limit": "None"}
SUBJECTS = {
    telemetry.Alert: (
        {"id": "a", "rule_name": "r", "metric_name": "m", "current_value": 1.0,
         "threshold": 1.0, "severity": "error", "state": "active", "started_at": NOW},
        dict.fromkeys(
            ["id", "rule_name", "metric_name", "current_value", "threshold", "started_at",
             "resolved_at", "description", "labels"], ANY
        ),
    ),
    AlertManager: ({"metric_collector": COLLECTOR}, {}),
    telemetry.AlertRule: (
        {**RULE, "metric_name": "m", "condition": "gt", "threshold": 1.0},
        {"name": "x", "metric_name": "x", "condition": "x", "threshold": "inf -1 0",
         "duration_seconds": "0", "description": "x", "enabled": "True"},
    ),
    telemetry.CarryingExecutor: ({"executor": ThreadPoolExecutor()}, {}),
    Check: (
        {"name": "c", "probe": bool},
        {"name": "x", "critical": "True", "remedy": "None"},
    ),
    telemetry.ClusteringMonitor: ({}, {"metrics": "None"}),
    telemetry.ClusteringQualityGates: ({}, {"gates": "None"}),
    telemetry.EnhancedMetricsCollector: ({"registry": Registry()}, {"registry": "None"}),
    telemetry.ExpressionRule: (
        {**RULE, "expression": "m > 1"},
        {"name": "x", "expression": "x", "duration_seconds": "0", "keep_firing_seconds": "0",
         "description": "x", "enabled": "True"},
    ),
    HealthChecks: ({}, {"registry": "None"}),
    telemetry.Inhibition: ({"source": 'a="1"', "target": 'b="1"'}, {}),
    telemetry.JsonFormatter: ({}, {"colour": "True", "redact": "x"}),
    telemetry.LogHandler: (
        {"target": io.StringIO()},
        {"target": "x None 0", "level": "-1 0 True", "format": "None", "colour": "None True",
         "redact": "x", "max_bytes": "None", "rotate_seconds": "None", "backup_count": "0",
         "mode": "0"},
    ),
    telemetry.Logger: (
        {"name": "l", "category": None, "fields": {}}, {"name": "x", "category": "x None"}
    ),
    telemetry.Machine: ({}, {"root": "x"}),
    telemetry.Metric: (
        {"name": "m", "value": 1.0, "timestamp": NOW},
        {"name": "x", "value": "nan inf -1 0 True"},
    ),
    MetricCollector: ({}, {}),
    MonitoringSystem: ({}, {"config": ANY, "registry": "None"}),
    telemetry.OtlpPush: (
        {"exporter": Exporter()},
        {"endpoint": "x None", "resource": "None", "exporter": "None", "registry": "None"},
    ),
    telemetry.PerformanceMonitor: ({}, {}),
    telemetry.PrometheusBridge: ({}, {"registry": "None"}),
    telemetry.QualityGate: (
        {"name": "g", "metric_type": "silhouette", "min_threshold": 0.5},
        {"name": "x", "metric_type": "x", "min_threshold": "inf -1 0",
         "max_threshold": "None inf", "weight": "0", "enabled": "True"},
    ),
    Registry: ({}, {}),
    telemetry.ResourceMonitor: ({}, {"thresholds": "None", "read": "None"}),
    telemetry.ResourceThresholds: (
        {"warning_threshold": -5.0, "critical_threshold": float("inf")},
        {"warning_threshold": "inf -1 0", "critical_threshold": "inf -1 0", "unit": "x"},
    ),
    telemetry.Silence: (
        {"matchers": 'a="1"', "starts_at": -9.0, "ends_at": 9.0},
        {"starts_at": "-1 0", "ends_at": "inf -1 0", "created_by": "x", "comment": "x",
         "id": "x"},
    ),
    telemetry.TraceFilter: ({}, {"name": "x"}),
    telemetry.WindowRule: (
        {"name": "r", "metric_name": "m", "threshold": 1.0, "operator": ">",
         "severity": "error", "time_window_minutes": 5},
        {"name": "x", "metric_name": "x", "threshold": "-1 0", "enabled": "True"},
    ),
    telemetry.add_check: (
        {"name": "c", "probe": bool},
        {"name": "x", "critical": "True", "remedy": "None"},
    ),
    telemetry.carry: ({"function": bool}, {}),
    telemetry.configure_logging: (
        {"target": io.StringIO()},
        {"target": "x None 0", "level": "0", "format": "None", "colour": "None True",
         "levels": "None", "categories": "None", "category_levels": "None", "redact": "x",
         "max_bytes": "None", "rotate_seconds": "None", "backup_count": "0", "mode": "0"},
    ),
    telemetry.configure_tracing: ({}, {"sample_ratio": "0"}),
    telemetry.continue_trace: ({"headers": {}}, {}),
    telemetry.counter: ({"name": "refusals"}, DECLARED),
    telemetry.gauge: ({"name": "refusals_now"}, DECLARED),
    telemetry.histogram: (
        {"name": "refusals_seconds"}, {**DECLARED, "buckets": "None"}
    ),
    telemetry.summary: (
        {"name": "refusals_size"}, {**DECLARED, "quantiles": "None", "window": "None"}
    ),
    telemetry.export_spans: ({"exporter": Exporter()}, {"service_name": "x"}),
    telemetry.expose: ({}, {"format": "None", "registry": "None"}),
    telemetry.get_logger: ({}, {"name": "x", "category": "x None"}),
    telemetry.get_performance_dashboard: ({}, {}),
    telemetry.inject: ({"headers": {}}, {}),
    telemetry.monitor_clustering_operation: ({"method": "esn"}, {"method": "x"}),
    telemetry.monitor_performance: ({}, {"name": "x None"}),
    telemetry.on_span: ({"listener": bool}, {}),
    telemetry.parse_traceparent: ({"header": ""}, {"header": "x None"}),
    telemetry.parse_tracestate: ({"headers": []}, {"headers": "x"}),
    telemetry.query: (
        {"expression": "1"}, {"expression": "x", "at": "None -1 0", "collector": "None"}
    ),
    telemetry.record_metric: (
        {"name": "m", "value": 1.0},
        {"name": "x", "value": "nan inf -1 0 True", "labels": "None"},
    ),
    telemetry.resource_monitor: (
        {}, {"operation": "x", "max_memory_mb": "inf 0", "max_seconds": "inf 0"}
    ),
    telemetry.serve: ({}, {"host": "x", "port": "0", "registry": "None", "health": "None"}),
    telemetry.span: ({"name": "s"}, {"name": "x"}),
    errors.AlertThreshold: (
        {"category": "api", "severity": "high", "count_threshold": 1, "time_window_minutes": 1},
        {"enabled": "True"},
    ),
    errors.ErrorHandler: ({}, {}),
    errors.handle_exceptions: ({}, {"correlation_id": "x None"}),
    # Methods that say how something shall work from now on, or ask for something.
    MANAGER.add_rule: ({}, {}),
    MANAGER.add_alert_handler: ({}, {}),
    MANAGER.get_active_alerts: ({}, {"severity": "None"}),
    MANAGER.get_alert_history: ({}, {"hours": "inf 0"}),
    MANAGER.silence_alert: ({"alert_id": "a"}, {"alert_id": ANY, "duration_minutes": "inf"}),
    MANAGER.add_silence: (
        {"matchers": 'a="1"'}, {"duration_minutes": "inf", "created_by": "x", "comment": "x"}
    ),
    MANAGER.add_inhibition: ({"source": 'a="1"', "target": 'b="1"'}, {}),
    MANAGER.restore: ({}, {}),
    telemetry.clustering_monitor.monitor_phase: (
        {"operation_id": "o", "phase": "fallback"}, {"operation_id": ANY}
    ),
    telemetry.clustering_monitor.get_performance_dashboard: ({}, {}),
    telemetry.ClusteringQualityGates().get_quality_trends: ({}, {}),
    errors.ErrorHandler().get_comprehensive_error_summary: ({}, {}),
    MANAGER.evaluate: ({}, {"now": "None -1 0"}),
    COLLECTOR.record: ({}, {}),
    COLLECTOR.get_metrics: (
        {"metric_name": "m"},
        {"metric_name": "x", "labels": "None", "start_time": "None", "end_time": "None"},
    ),
    COLLECTOR.get_latest: ({"metric_name": "m"}, {"metric_name": "x", "labels": "None"}),
    COLLECTOR.get_aggregated: (
        {"metric_name": "m", "aggregation": "avg"},
        # What an aggregation is called matters once there is something to aggregate.
        {"metric_name": "x", "aggregation": "x", "labels": "None"},
    ),
    SYSTEM.record_metric: (
        {"name": "m", "value": 1.0},
        {"name": "x", "value": "nan inf -1 0 True", "labels": "None"},
    ),
    SYSTEM.export_metrics: ({"output_path": os.devnull}, {"output_path": "x"}),
    HealthChecks().add: ({}, {}),
    telemetry.add_system_checks: (
        {"health": HealthChecks(), "machine": telemetry.Machine()},
        {"thresholds": "None", "critical": "True", "health": "None", "machine": "None"},
    ),
    HealthChecks().run: ({}, {"names": "None"}),
    HealthChecks().answer: ({}, {}),
    Registry().counter: ({"name": "a"}, DECLARED),
    Registry().gauge: ({"name": "a"}, DECLARED),
    Registry().histogram: ({"name": "a"}, {**DECLARED, "buckets": "None"}),
    Registry().summary: ({"name": "a"}, {**DECLARED, "quantiles": "None", "window": "None"}),
    errors.ErrorHandler().handle_error: (
        {"error": ValueError()}, {"context": "None", "correlation_id": ANY}
    ),
}  # fmt: skip


def public():
    for package in (telemetry, errors):
        for name in package.__all__:
            value = getattr(package, name)
            warning = isinstance(value, type) and issubclass(value, Warning)
            enumeration = isinstance(value, type) and hasattr(value, "__members__")
            if name not in NOT_MADE_BY_USERS and not warning and not enumeration:
                yield name, value


def parameters(subject):
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    try:
        found = inspect.signature(subject).parameters.values()
    except ValueError:
        return []
    return [parameter for parameter in found if parameter.kind not in kinds]


def called(subject, parameter, given):
    for registry in (telemetry.get_registry(), getattr(subject, "__self__", None)):
        if isinstance(registry, Registry):
            for name in ("x", "x_total", given.get("name"), f"{given.get('name')}_total"):
                registry.remove(str(name))
    positional = [
        given.pop(p.name)
        for p in parameters(subject)
        if p.kind is p.POSITIONAL_ONLY and p.name in given
    ]
    result = subject(*positional, **given)
    if hasattr(result, "__enter__") and subject is not telemetry.monitor_performance:
        entered(result)
    for end in ("restore", "stop", "close"):
        if hasattr(result, end) and not isinstance(result, AlertManager):
            getattr(result, end)()
    return parameter


def test_every_public_name_has_a_row():
    missing = {
        name
        for name, value in public()
        if parameters(value)
        and value not in SUBJECTS
        and not (isinstance(value, type) and issubclass(value, Exception))
    }
    assert missing == set()


CASES = [
    pytest.param(subject, parameter.name, id=f"{subject.__qualname__}-{parameter.name}")
    for subject in SUBJECTS
    for parameter in parameters(subject)
]


@pytest.mark.parametrize(("subject", "parameter"), CASES)
def test_a_hostile_value_is_accepted_meaningfully_or_named(
    subject, parameter, tmp_path, monkeypatch, recwarn
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(telemetry._system, "monitoring_system", None)  # noqa: SLF001
    monkeypatch.setattr(telemetry._health.checks, "_health", HealthChecks())  # noqa: SLF001
    good, accepted = SUBJECTS[subject]
    allowed = accepted.get(parameter, "")
    allowed = set(allowed.split()) if isinstance(allowed, str) else set(allowed)
    found = set()
    for label, value in HOSTILE.items():
        try:
            called(subject, parameter, {**good, parameter: value})
            found.add(label)
        except OSError:  # no such host: that is for the network to say
            found.add(label)
        except (InvalidParameterError, InvalidDataError) as error:
            said = str(error)
            assert re.search(rf"\b{parameter}\b.* must .*, got ", said), said
            assert repr(value) in said.lower() + said or "object at 0x" in said, said
    telemetry.configure_tracing()
    assert found == allowed


RAISED = [
    value for _, value in public() if isinstance(value, type) and issubclass(value, Exception)
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: error.__name__)
def test_an_error_can_be_made_of_anything_but_a_kind_that_is_none(error):
    for parameter in parameters(error):
        for label, value in HOSTILE.items():
            given = {"message": "m", parameter.name: value}
            if parameter.name in LENIENT and label != "None":
                with pytest.raises(InvalidParameterError, match=f"{parameter.name} must be"):
                    error(**given)
