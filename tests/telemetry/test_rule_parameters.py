"""A rule that could never be evaluated is refused where it is written and hides no other."""

from datetime import datetime, timezone

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    AlertManager,
    AlertRule,
    AlertSeverity,
    ExpressionRule,
    Metric,
    MetricCollector,
    MetricType,
)

GOOD = {
    "name": "r", "metric_name": "m", "condition": "gt", "threshold": 1.0,
    "severity": "error", "duration_seconds": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("name", ""),
        ("metric_name", 3),
        ("threshold", "90"),
        ("threshold", float("nan")),
        ("severity", "bogus"),
        ("duration_seconds", -5),
        ("duration_seconds", float("inf")),
        ("labels", {"d": 3}),
    ],
)
def test_a_parameter_out_of_its_domain_is_named(parameter, value):
    with pytest.raises(InvalidParameterError, match=parameter):
        AlertRule(**{**GOOD, parameter: value})


def test_an_expression_names_its_severity():
    with pytest.raises(InvalidParameterError, match="severity must be one of info"):
        ExpressionRule("r", "m > 1", severity="bogus")


def test_a_rule_spoilt_later_hides_no_other(caplog):
    collector = MetricCollector()
    manager = AlertManager(collector)
    bad = AlertRule(**{**GOOD, "name": "bad"})
    manager.add_rule(bad)
    manager.add_rule(AlertRule(**GOOD))
    bad.threshold = "90"
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    collector.record(Metric("m", 5.0, now, {}, MetricType.GAUGE))
    manager.evaluate(now.timestamp())
    assert [alert.rule_name for alert in manager.get_active_alerts()] == ["r"]
    assert manager.get_active_alerts()[0].severity is AlertSeverity.ERROR
    assert "rule bad failed" in caplog.text
