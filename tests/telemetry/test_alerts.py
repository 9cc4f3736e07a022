import logging
import time
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast import _events
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    AlertManager,
    AlertRule,
    AlertSeverity,
    AlertState,
    ExpressionRule,
    Inhibition,
    Metric,
    MetricCollector,
    Silence,
)

START = 1_700_000_000.0


@pytest.fixture
def collector():
    return MetricCollector()


@pytest.fixture
def manager(collector):
    manager = AlertManager(collector)
    manager.alert_rules.clear()
    return manager


def heard_by(manager):
    heard = []
    manager.add_alert_handler(lambda alert: heard.append((alert.id, alert.state.value)))
    return heard


def rule(name="hot", *, metric="heat", duration=0.0, **more):
    return AlertRule(name, metric, "gt", 5.0, AlertSeverity.WARNING, duration, **more)


def record(collector, value, at=0.0, name="heat", **labels):
    collector.history.record(name, value, START + at, labels)


def test_a_threshold_fires_once_refreshes_and_resolves(manager, collector):
    heard = heard_by(manager)
    manager.add_rule(rule())
    for at, value in enumerate([9.0, 10.0, 1.0, 1.0]):
        record(collector, value, at)
        manager.evaluate(START + at)
        if value > 5:
            [alert] = manager.get_active_alerts()
            assert (alert.id, alert.current_value, alert.threshold) == ("hot_heat", value, 5.0)
    assert heard == [("hot_heat", "active"), ("hot_heat", "resolved")]
    assert manager.active_alerts == {}
    [alert] = manager.alert_history
    assert alert.resolved_at - alert.started_at == timedelta(seconds=2)
    assert alert.to_dict()["state"] == "resolved"


def test_one_fresh_sample_does_not_satisfy_a_duration(manager, collector):
    manager.add_rule(rule(duration=60))
    record(collector, 9.0)
    manager.evaluate(START)
    assert manager.get_active_alerts() == []
    manager.evaluate(START + 60)
    assert len(manager.get_active_alerts()) == 1


def test_a_dip_starts_the_duration_again(manager, collector):
    manager.add_rule(rule(duration=60))
    for at, value in [(0, 9.0), (30, 1.0), (40, 9.0)]:
        record(collector, value, at)
    manager.evaluate(START + 70)
    assert manager.get_active_alerts() == []
    manager.evaluate(START + 100)
    assert len(manager.get_active_alerts()) == 1


def test_each_label_set_has_its_own_alert_and_rules_may_choose(manager, collector):
    for host in "ab":
        record(collector, 9.0, host=host, rack="1")
    manager.add_rule(rule())
    manager.add_rule(rule("only_b", labels={"host": "b"}))
    manager.evaluate(START)
    assert set(manager.active_alerts) == {
        "hot_heat{host=a,rack=1}",
        "hot_heat{host=b,rack=1}",
        "only_b_heat{host=b,rack=1}",
    }


@pytest.mark.parametrize(
    ("condition", "true_for"),
    [
        ("gt", {6}),
        ("gte", {5, 6}),
        ("lt", {4}),
        ("lte", {4, 5}),
        ("eq", {5}),
        ("above", set()),
    ],
)
def test_conditions(manager, collector, condition, true_for):
    one = AlertRule("r", "heat", condition, 5.0, AlertSeverity.INFO, 0)
    manager.add_rule(one)
    for at, value in enumerate([4, 5, 6]):
        record(collector, value, at)
        manager.evaluate(START + at)
        assert bool(manager.active_alerts) is (value in true_for)
        assert manager._check_condition(one, value) is (value in true_for)  # noqa: SLF001


def test_an_expression_rule_fires_for_each_series_of_its_result(manager, collector):
    for i in range(10):
        for code, step in [("200", 100), ("500", 7), ("503", 0)]:
            record(collector, i * step, 30 * i, "requests_total", code=code)
    text = 'sum by (code) (rate(requests_total{code=~"5.."}[5m])) > 0.1'
    manager.add_rule(
        ExpressionRule(
            "errors",
            text,
            AlertSeverity.CRITICAL,
            description="{{ $value }} a second of {{ $labels.code }}",
            labels={"team": "web"},
        )
    )
    manager.evaluate(START + 270)
    [alert] = manager.get_active_alerts(AlertSeverity.CRITICAL)
    assert alert.labels == {"code": "500", "team": "web"}
    assert alert.description == "0.21 a second of 500"
    assert (alert.metric_name, alert.threshold) == ("requests_total", None)


def test_an_alert_is_kept_firing(manager, collector):
    heard = heard_by(manager)
    manager.add_rule(ExpressionRule("hot", "heat > 5", keep_firing_seconds=60))
    for at, value in [(0, 9.0), (10, 1.0), (20, 9.0), (30, 1.0), (60, 1.0), (90, 1.0)]:
        record(collector, value, at)
        manager.evaluate(START + at)
        assert bool(manager.active_alerts) is (at < 90)
    assert [state for _, state in heard] == ["active", "resolved"]


def test_a_changed_rule_and_a_removed_one_take_effect(manager, collector):
    heard = heard_by(manager)
    record(collector, 9.0)
    manager.add_rule(rule())
    manager.evaluate(START)
    manager.alert_rules["hot"].threshold = 50.0
    manager.evaluate(START + 1)
    assert manager.active_alerts == {}
    manager.alert_rules["hot"].threshold = 5.0
    manager.evaluate(START + 2)
    manager.alert_rules["hot"].description = "said better"
    manager.evaluate(START + 2)
    assert manager.active_alerts["hot_heat"].description == "said better"
    manager.remove_rule("hot")
    manager.remove_rule("unknown")
    manager.evaluate(START + 3)
    assert manager.active_alerts == {}
    assert [state for _, state in heard] == ["active", "resolved"] * 2


def test_a_disabled_rule_is_not_evaluated(manager, collector):
    record(collector, 9.0)
    manager.add_rule(rule(enabled=False))
    manager.evaluate(START)
    assert manager.active_alerts == {}


def test_a_muted_alert_fires_on_but_nobody_hears_until_it_is_not(manager, collector):
    heard = heard_by(manager)
    record(collector, 9.0, host="a")
    record(collector, 9.0, host="b")
    manager.add_rule(rule())
    silence = manager.add_silence('alertname="hot", host=~"a|z"', created_by="me")
    now = time.time()
    manager.evaluate(now)
    assert heard == [("hot_heat{host=b}", "active")]
    states = {alert.labels["host"]: alert.state for alert in manager.get_active_alerts()}
    assert states == {"a": AlertState.SILENCED, "b": AlertState.ACTIVE}
    manager.remove_silence(silence.id)
    manager.evaluate(now + 1)
    assert heard[1:] == [("hot_heat{host=a}", "active")]


def test_one_alert_can_be_silenced_and_ends_silently(manager, collector):
    heard = heard_by(manager)
    record(collector, 9.0)
    manager.add_rule(rule())
    manager.evaluate(time.time())
    manager.silence_alert("hot_heat", 10)
    manager.silence_alert("unknown", 10)
    assert manager.active_alerts["hot_heat"].state is AlertState.SILENCED
    manager.evaluate(time.time() + 700)
    assert manager.active_alerts["hot_heat"].state is AlertState.ACTIVE
    manager.silence_alert("hot_heat", 10)
    record(collector, 1.0, 1)
    manager.evaluate(time.time())
    assert [state for _, state in heard] == ["active"]


def test_an_alert_inhibits_others_of_its_host(manager, collector):
    heard = heard_by(manager)
    for host, name in [("a", "down"), ("a", "heat"), ("b", "heat")]:
        record(collector, 9.0, 0, name, host=host)
    manager.add_rule(rule())
    manager.add_rule(AlertRule("dead", "down", "gt", 5.0, AlertSeverity.CRITICAL, 0))
    manager.add_inhibition('severity="critical"', 'severity="warning"', ["host"])
    manager.evaluate(START)
    assert sorted(heard) == [("dead_down{host=a}", "active"), ("hot_heat{host=b}", "active")]


words = st.sampled_from(["", "x", "y"])
label_sets = st.fixed_dictionaries({"a": words, "b": words, "c": words})
conditions = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from(["", "x", "y"]), max_size=2
)


def written(wanted):
    return ", ".join(f'{name}="{value}"' for name, value in wanted.items())


def carries(labels, wanted):
    return all(labels.get(name, "") == value for name, value in wanted.items())


@given(
    st.lists(label_sets, min_size=1, max_size=5),
    conditions,
    conditions,
    st.sets(st.sampled_from("abc")),
)
def test_inhibition_is_as_alertmanager_documents(alerts, source, target, equal):
    inhibition = Inhibition(written(source), written(target), sorted(equal))
    for i, alert in enumerate(alerts):
        others = alerts[:i] + alerts[i + 1 :]
        expected = carries(alert, target) and any(
            carries(other, source)
            and all(alert[name] == other[name] for name in equal)
            and not (carries(alert, source) and carries(other, target))
            for other in others
        )
        assert inhibition.mutes(alert, others) is expected


@given(label_sets, conditions, st.integers(-2, 12))
def test_a_silence_holds_for_its_labels_and_its_time(labels, wanted, now):
    assume(any(wanted.values()))
    silence = Silence(written(wanted), 0, 10)
    assert silence.mutes(labels, now) is (carries(labels, wanted) and 0 <= now < 10)


def test_a_restart_goes_on_where_it_was(collector):
    rules = [ExpressionRule("hot", "heat > 5", duration_seconds=60)]
    record(collector, 9.0)
    before, after = AlertManager(collector), AlertManager(collector)
    for manager in (before, after):
        manager.alert_rules = {one.name: one for one in rules}
    before.evaluate(START)
    heard = heard_by(after)
    after.restore({**before.save(), "gone": []})
    after.evaluate(START + 60)
    assert heard == [("hot_heat", "active")]
    third = AlertManager(collector)
    third.alert_rules = {one.name: one for one in rules}
    heard = heard_by(third)
    third.restore(after.save())
    third.evaluate(START + 61)
    assert heard == []
    assert list(third.active_alerts) == ["hot_heat"]


def test_what_a_handler_raises_reaches_no_one(manager, collector, caplog):
    def broken(alert):
        raise OSError("pager is gone")

    def leaving(alert):
        raise SystemExit("not from here")

    manager.add_alert_handler(broken)
    manager.add_alert_handler(leaving)
    heard = heard_by(manager)
    record(collector, 9.0)
    manager.add_rule(rule())
    manager.add_rule(ExpressionRule("twice", "abs({host=~'.*', __name__=~'heat|cold'})"))
    record(collector, 1.0, 0, "cold")
    manager.evaluate(START)
    assert heard == [("hot_heat", "active")]
    assert "pager is gone" in caplog.text
    assert "not from here" in caplog.text
    assert "rule twice failed" in caplog.text


def test_alerts_are_events(manager, collector):
    events = []
    stop = _events.subscribe(events.append)
    try:
        record(collector, 9.0, host="a")
        manager.add_rule(rule())
        manager.evaluate(START)
        manager.remove_rule("hot")
        manager.evaluate(START + 1)
    finally:
        stop()
    assert [event.kind for event in events] == ["alert.fired", "alert.resolved"]
    assert events[0].attributes["host"] == "a"


def test_the_default_handlers_print_and_log(collector, capsys, caplog):
    from holdfast.telemetry import MonitoringSystem

    system = MonitoringSystem()
    manager = system.alert_manager
    manager.alert_rules = {"hot": rule(description="too hot")}
    system.record_metric("heat", 9)
    with caplog.at_level(logging.INFO, "holdfast.telemetry"):
        manager.evaluate()
        system.record_metric("heat", 1)
        manager.evaluate()
    out = capsys.readouterr().out
    assert "[WARNING] active: too hot" in out
    assert "heat = 9, threshold 5" in out
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_the_older_way_of_evaluating_one_rule(manager, collector):
    hot = rule(duration=1)
    for age in (2.0, 0.0):
        when = datetime.now() - timedelta(seconds=age)  # noqa: DTZ005
        collector.record(Metric("heat", 9.0, when))
    manager._evaluate_rule(hot)  # noqa: SLF001
    assert list(manager.active_alerts) == ["hot_heat"]
    assert manager.get_alert_history(hours=1) == list(manager.active_alerts.values())


def test_the_default_rules_are_those_of_the_contract(collector):
    rules = AlertManager(collector).alert_rules
    assert {
        name: (r.metric_name, r.threshold, r.duration_seconds) for name, r in rules.items()
    } == {
        "high_memory_usage": ("system_memory_percent", 85, 120),
        "critical_memory_usage": ("system_memory_percent", 95, 60),
        "high_cpu_usage": ("system_cpu_percent", 90, 180),
        "device_connection_failed": ("device_connection_failures", 3, 60),
        "profiling_timeout": ("profiling_timeouts", 0, 0),
        "circuit_breaker_open": ("circuit_breaker_open", 0, 0),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ExpressionRule("r", "heat >"), "at character 6"),
        (lambda: ExpressionRule("", "heat"), "name must be a non-empty str"),
        (lambda: ExpressionRule("r", "heat", duration_seconds=-1), "duration_seconds must be"),
        (lambda: ExpressionRule("r", "heat", severity="loud"), "loud"),
        (lambda: Silence('a="', 0, 1), "no end"),
        (lambda: Silence('a=~"("', 0, 1), "pattern of a"),
        (lambda: Silence("a='1'", 1, 1), "ends_at must be after"),
        (lambda: Silence("", 0, 1), "matchers must be a non-empty str"),
        (lambda: Silence('a=~".*"', 0, 1), "does not hold for a missing label"),
        (lambda: Inhibition("", "", "host"), "equal must be a sequence"),
        (lambda: AlertManager(MetricCollector(), evaluation_interval=0), "evaluation_interval"),
    ],
)
def test_wrong_parameters_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_invalid_parameters_are_our_errors():
    with pytest.raises(InvalidParameterError):
        ExpressionRule("r", "heat >")
