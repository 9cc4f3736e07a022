"""Rules written as expressions, and what every rule looks like to the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast._core import Expression, RuleState
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._alerting.alert import AlertRule, AlertSeverity

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPARISONS = ("gt", "gte", "lt", "lte", "eq")


@dataclass
class ExpressionRule:
    """An alert for every series an expression results in.

    Parameters
    ----------
    expression : str
        In the subset of PromQL of the manual, such as
        `rate(requests_total{status="500"}[5m]) > 0.1`.
    duration_seconds : float
        How long a series must be in the result at every evaluation (`for`).
    keep_firing_seconds : float
        How long an alert outlasts its series (`keep_firing_for`).
    description : str
        `{{ $value }}` and `{{ $labels.name }}` are filled in.
    labels : dict
        Added to those of the series.

    Raises
    ------
    InvalidParameterError
        A field is outside its domain, or the expression cannot be read.
    """

    name: str
    expression: str
    severity: AlertSeverity = AlertSeverity.WARNING
    duration_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    description: str = ""
    enabled: bool = True
    labels: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the expression, so that a wrong one is found where it is written."""
        for name in ("name", "expression"):
            parameters.text(name, getattr(self, name))
        self.severity = parameters.member("severity", self.severity, AlertSeverity)
        for name in ("duration_seconds", "keep_firing_seconds"):
            parameters.real(name, getattr(self, name), least=0)
        parameters.text("description", self.description, empty=True)
        parameters.flag("enabled", self.enabled)
        parameters.labels("labels", self.labels)
        self.state()

    def state(self) -> RuleState:
        """A state machine for this rule."""
        expression = Expression(self.expression)
        return RuleState.expression(expression, self.duration_seconds, self.keep_firing_seconds)

    def metric(self) -> str:
        """The first metric the expression reads."""
        return next(iter(Expression(self.expression).metrics), "")


Rule = AlertRule | ExpressionRule


def state_of(rule: Rule) -> RuleState | None:
    """A state machine for any rule; None for a condition that is never true."""
    if isinstance(rule, ExpressionRule):
        return rule.state()
    if rule.condition not in COMPARISONS:
        return None
    return RuleState.threshold(
        rule.metric_name, rule.condition, rule.threshold, rule.labels, rule.duration_seconds
    )


def metric_of(rule: Rule) -> str:
    """The metric an alert of this rule is about."""
    return rule.metric() if isinstance(rule, ExpressionRule) else rule.metric_name


def labels_of(rule: Rule, labels: Mapping[str, str]) -> dict[str, str]:
    """What silences and inhibitions see."""
    severity = AlertSeverity(rule.severity).value
    return {**labels, "severity": severity, **rule.labels, "alertname": rule.name}


def described(rule: Rule, labels: Mapping[str, str], value: float) -> str:
    """The description with value and labels filled in."""

    def fill(found: re.Match[str]) -> str:
        return f"{value:g}" if found[1] == "value" else labels.get(found[2], "")

    return re.sub(r"\{\{\s*\$(value|labels\.(\w+))\s*\}\}", fill, rule.description)
