"""Rules under evaluation, and who is told."""

from __future__ import annotations

import operator
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.telemetry._alerting.alert import (
    Alert,
    AlertRule,
    AlertSeverity,
    AlertState,
    default_rules,
)
from holdfast.telemetry._alerting.handlers import notify
from holdfast.telemetry._alerting.mute import Inhibition, Silence
from holdfast.telemetry._alerting.rule import (
    ExpressionRule,
    described,
    labels_of,
    metric_of,
    state_of,
)
from holdfast.telemetry._fork import Locked
from holdfast.telemetry._logs.own_log import logger
from holdfast.telemetry._series.looked_at import history_of
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from holdfast._core import RuleState
    from holdfast.telemetry._series.collector import MetricCollector

_LONGEST_HISTORY = 10_000
_COMPARISONS: dict[str, Callable[[float, float], Any]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
    "eq": operator.eq}  # fmt: skip


class AlertManager(Locked):
    """Evaluates rules over a collector's history and tells handlers of alerts.

    Parameters
    ----------
    metric_collector : MetricCollector
        Whose samples are looked at, or whatever has its `get_metrics` and `get_latest`.
    evaluation_interval : float
        Seconds between two evaluations after `start`; the first comes at once.

    Raises
    ------
    InvalidParameterError
        `metric_collector` is no MetricCollector, or `evaluation_interval` not above 0.

    Notes
    -----
    A handler is called when an alert fires and when it resolves. An alert that is silenced or
    inhibited goes on firing with the state `SILENCED`; its handlers hear of it once it is
    neither, and of its end only if they heard of its beginning. What a handler raises is
    logged. It is called by whoever evaluates, so one that blocks keeps all rules waiting.
    """

    def __init__(
        self, metric_collector: MetricCollector, *, evaluation_interval: float = 30.0
    ) -> None:
        asked = (
            getattr(metric_collector, name, None) for name in ("get_metrics", "get_latest")
        )
        if not all(callable(method) for method in asked):
            parameters.refuse("metric_collector", "a MetricCollector", metric_collector)
        parameters.real("evaluation_interval", evaluation_interval, above=0)
        super().__init__()
        self.metric_collector = metric_collector
        self.evaluation_interval = evaluation_interval
        self.alert_rules: dict[str, AlertRule | ExpressionRule] = {}
        self.active_alerts: dict[str, Alert] = {}
        self.alert_history: list[Alert] = []
        self.alert_handlers: list[Callable[[Alert], object]] = []
        self.silences: dict[str, Silence] = {}
        self.inhibitions: list[Inhibition] = []
        self._states: dict[str, tuple[tuple[object, ...], RuleState | None]] = {}
        self._labels: dict[str, dict[str, str]] = {}
        self._told: set[str] = set()
        self._muted_until: dict[str, float] = {}
        self._ticker = Ticker(
            "holdfast-alerts", self.evaluate, lambda: self.evaluation_interval
        )
        for rule in default_rules():
            self.add_rule(rule)

    @property
    def evaluation_running(self) -> bool:
        """Between `start` and `stop`."""
        return self._ticker.running

    @property
    def evaluation_thread(self) -> threading.Thread | None:
        """The thread that evaluates, while one does."""
        return self._ticker.thread

    def add_rule(self, rule: AlertRule | ExpressionRule) -> None:
        """Watch `rule` from now on; it replaces one of the same name.

        Raises
        ------
        InvalidParameterError
            `rule` is no rule.
        """
        parameters.instance("rule", rule, (AlertRule, ExpressionRule))
        with self._lock:
            self.alert_rules[rule.name] = rule

    def remove_rule(self, name: str) -> None:
        """Watch a rule no longer; its alerts resolve at the next evaluation."""
        with self._lock:
            self.alert_rules.pop(name, None)

    def add_alert_handler(self, handler: Callable[[Alert], object]) -> None:
        """Call `handler(alert)` when an alert fires and when it resolves.

        Raises
        ------
        InvalidParameterError
            `handler` cannot be called.
        """
        self.alert_handlers.append(parameters.hook("handler", handler))

    def start(self) -> None:
        """Evaluate now and then every `evaluation_interval` seconds."""
        self._ticker.start()

    def stop(self) -> None:
        """Evaluate no more."""
        self._ticker.stop()

    def get_active_alerts(self, severity: AlertSeverity | None = None) -> list[Alert]:
        """What fires, also what is muted.

        Raises
        ------
        InvalidParameterError
            `severity` is unknown.
        """
        if severity is not None:
            parameters.member("severity", severity, AlertSeverity)
        with self._lock:
            alerts = list(self.active_alerts.values())
        return [a for a in alerts if severity is None or a.severity == severity]

    def get_alert_history(self, hours: float = 24) -> list[Alert]:
        """What began to fire within the last hours.

        Raises
        ------
        InvalidParameterError
            `hours` is negative or no number.
        """
        oldest = time.time() - 3600.0 * parameters.real("hours", hours, least=0, finite=False)
        with self._lock:
            return [a for a in self.alert_history if a.started_at.timestamp() >= oldest]

    def silence_alert(self, alert_id: str, duration_minutes: float = 60) -> None:
        """Mute one alert for a time; an id that is not active is ignored.

        Raises
        ------
        InvalidParameterError
            `duration_minutes` is not above 0.
        """
        minutes = parameters.real("duration_minutes", duration_minutes, above=0, finite=False)
        with self._lock:
            if alert_id in self.active_alerts:
                self._muted_until[alert_id] = time.time() + 60.0 * minutes
                self.active_alerts[alert_id].state = AlertState.SILENCED

    def add_silence(
        self,
        matchers: str,
        duration_minutes: float = 60,
        *,
        created_by: str = "",
        comment: str = "",
    ) -> Silence:
        """Mute every alert with these labels for a time, also those to come.

        Besides the labels of its series and rule an alert has `alertname` and `severity`.

        Raises
        ------
        InvalidParameterError
            `duration_minutes` is not above 0, or the matchers cannot be read.
        """
        minutes = parameters.real("duration_minutes", duration_minutes, above=0, finite=False)
        now = time.time()
        end = now + 60.0 * minutes
        silence = Silence(matchers, now, end, created_by, comment)
        with self._lock:
            self.silences[silence.id] = silence
        return silence

    def remove_silence(self, silence_id: str) -> None:
        """End a silence; an unknown id is ignored."""
        with self._lock:
            self.silences.pop(silence_id, None)

    def add_inhibition(self, source: str, target: str, equal: Sequence[str] = ()) -> Inhibition:
        """Mute alerts that match `target` while one that matches `source` fires.

        Parameters
        ----------
        equal : sequence of str
            Labels that both must have alike.
        """
        inhibition = Inhibition(source, target, equal)
        with self._lock:
            self.inhibitions.append(inhibition)
        return inhibition

    def evaluate(self, now: float | None = None) -> None:
        """Evaluate every rule as of `now` (seconds since 1970) and tell the handlers.

        Raises
        ------
        InvalidParameterError
            `now` is no finite number.
        """
        when = time.time() if now is None else parameters.real("now", now)
        with self._lock:
            rules = list(self.alert_rules.values())
            gone = self._states.keys() - {rule.name for rule in rules}
            ended = [a for name in gone for a in self._drop(name, when)]
            changed = [*ended, *(a for rule in rules for a in self._advanced(rule, when))]
            tell = self._mute(when, changed)
        for alert in tell:
            self._notify_handlers(alert)

    def save(self) -> dict[str, list[tuple[dict[str, str], float, float, bool, float | None]]]:
        """Which rule is pending or firing since when, in plain values, for `restore`."""
        with self._lock:
            states = {name: state for name, (_, state) in self._states.items() if state}
            return {name: state.active() for name, state in states.items()}

    def restore(
        self,
        saved: dict[str, list[tuple[dict[str, str], float, float, bool, float | None]]],
    ) -> None:
        """Go on from what `save` gave before a restart; rules that are gone are left out.

        Raises
        ------
        InvalidParameterError
            `saved` is no dict.
        """
        parameters.instance("saved", saved, dict)
        with self._lock:
            for name, active in saved.items():
                rule = self.alert_rules.get(name)
                state = None if rule is None else self._state(rule)
                if rule is None or state is None:
                    continue
                rows = [(dict(row[0]), *row[1:]) for row in active]
                state.restore(rows)
                for labels, value, since, firing, _ in rows:
                    if firing:
                        alert = self._fire(rule, labels, value, since)
                        self._told.add(alert.id)

    def _state(self, rule: AlertRule | ExpressionRule) -> RuleState | None:
        """The state machine of a rule, a new one when the rule was changed."""
        said = tuple(str(part) for part in vars(rule).values())
        known = self._states.get(rule.name)
        if known is None or known[0] != said:
            known = (said, state_of(rule))
            self._states[rule.name] = known
        return known[1]

    def _evaluate_rule(self, rule: AlertRule | ExpressionRule) -> None:
        when = time.time()
        with self._lock:
            tell = self._mute(when, self._advanced(rule, when))
        for alert in tell:
            self._notify_handlers(alert)

    def _check_condition(self, rule: AlertRule, value: float) -> bool:
        holds = _COMPARISONS.get(rule.condition)
        return holds is not None and bool(holds(value, rule.threshold))

    def _advanced(self, rule: AlertRule | ExpressionRule, now: float) -> list[Alert]:
        """Evaluate one rule; what fired or resolved. A rule that fails hides no other."""
        try:
            return self._advance(rule, now)
        except Exception:  # noqa: BLE001 (it is logged)
            logger().exception("rule %s failed", rule.name)
            return []

    def _advance(self, rule: AlertRule | ExpressionRule, now: float) -> list[Alert]:
        if not rule.enabled:
            return self._drop(rule.name, now)
        state = self._state(rule)
        if state is None:
            return []
        changes = state.evaluate(history_of(self.metric_collector, metric_of(rule)), now)
        changed = []
        for step, labels, value, since in changes:
            if step == "fired":
                changed.append(self._fire(rule, labels, value, since))
        firing = {
            self._id(rule, labels): value
            for labels, value, _, fires, _ in state.active()
            if fires
        }
        mine = [a for a in self.active_alerts.values() if a.rule_name == rule.name]
        for alert in mine:
            if alert.id in firing:
                alert.current_value = firing[alert.id]
            else:
                changed += self._resolve(alert.id, now)
        return changed

    def _id(self, rule: AlertRule | ExpressionRule, labels: dict[str, str]) -> str:
        series = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        return f"{rule.name}_{metric_of(rule)}" + ("{" + series + "}" if series else "")

    def _fire(
        self,
        rule: AlertRule | ExpressionRule,
        labels: dict[str, str],
        value: float,
        since: float,
    ) -> Alert:
        alert = self.active_alerts.get(self._id(rule, labels))
        new = alert is None
        if alert is None:
            started = datetime.fromtimestamp(since)  # noqa: DTZ006 (local, as the API has it)
            alert = Alert(
                id=self._id(rule, labels),
                rule_name=rule.name,
                metric_name=metric_of(rule),
                current_value=value,
                threshold=None,
                severity=AlertSeverity.INFO,
                state=AlertState.ACTIVE,
                started_at=started,
            )
        alert.threshold = rule.threshold if isinstance(rule, AlertRule) else None
        alert.severity = AlertSeverity(rule.severity)
        alert.description = described(rule, labels, value)
        alert.labels = {**labels, **rule.labels}
        self.active_alerts[alert.id] = alert
        self._labels[alert.id] = labels_of(rule, labels)
        if new:
            self.alert_history.append(alert)
            del self.alert_history[:-_LONGEST_HISTORY]
        return alert

    def _resolve(self, alert_id: str, now: float) -> list[Alert]:
        alert = self.active_alerts.pop(alert_id, None)
        self._labels.pop(alert_id, None)
        self._muted_until.pop(alert_id, None)
        if alert is None:
            return []
        if alert.state is AlertState.SILENCED:
            self._told.discard(alert.id)
        alert.state = AlertState.RESOLVED
        alert.resolved_at = datetime.fromtimestamp(now)  # noqa: DTZ006
        return [alert]

    def _drop(self, name: str, now: float) -> list[Alert]:
        """Forget the state of a rule; its alerts resolve."""
        self._states.pop(name, None)
        mine = [a.id for a in self.active_alerts.values() if a.rule_name == name]
        return [alert for alert_id in mine for alert in self._resolve(alert_id, now)]

    def _mute(self, now: float, changed: list[Alert]) -> list[Alert]:
        """Settle which alerts are muted; those whose news the handlers should hear."""
        tell = [a for a in changed if a.state is AlertState.RESOLVED and a.id in self._told]
        self._told -= {alert.id for alert in tell}
        self.silences = {k: s for k, s in self.silences.items() if now < s.ends_at}
        self._muted_until = {k: end for k, end in self._muted_until.items() if now < end}
        for alert in self.active_alerts.values():
            labels = self._labels.get(alert.id, alert.labels)  # those put in by hand
            others = [row for key, row in self._labels.items() if key != alert.id]
            muted = (
                alert.id in self._muted_until
                or any(silence.mutes(labels, now) for silence in self.silences.values())
                or any(inhibition.mutes(labels, others) for inhibition in self.inhibitions)
            )
            alert.state = AlertState.SILENCED if muted else AlertState.ACTIVE
            if not muted and alert.id not in self._told:
                self._told.add(alert.id)
                tell.append(alert)
        return tell

    def _notify_handlers(self, alert: Alert) -> None:
        notify(list(self.alert_handlers), alert)
