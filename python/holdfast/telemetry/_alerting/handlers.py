"""Who is told of alerts, and the handlers for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from holdfast import _events
from holdfast.telemetry._alerting.alert import AlertSeverity, AlertState
from holdfast.telemetry._logs.own_log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.telemetry._alerting.alert import Alert

_ICONS = {
    AlertSeverity.INFO: "i",
    AlertSeverity.WARNING: "!",
    AlertSeverity.ERROR: "✗",
    AlertSeverity.CRITICAL: "‼",
}
_LEVELS = {  # those of the standard library
    AlertSeverity.INFO: 20,
    AlertSeverity.WARNING: 30,
    AlertSeverity.ERROR: 40,
    AlertSeverity.CRITICAL: 50,
}


def console(alert: Alert) -> None:
    """Print two lines to standard output."""
    compared = "" if alert.threshold is None else f", threshold {alert.threshold:g}"
    text = (
        f"{_ICONS[alert.severity]} [{alert.severity.value.upper()}] {alert.state.value}: "
        f"{alert.description or alert.rule_name}\n"
        f"  {alert.metric_name} = {alert.current_value:g}{compared}\n"
    )
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))


def log(alert: Alert) -> None:
    """Log to `holdfast.telemetry`: what resolves at INFO, what fires at its severity."""
    resolved = alert.state is AlertState.RESOLVED
    logger().log(
        _LEVELS[AlertSeverity.INFO] if resolved else _LEVELS[alert.severity],
        "alert %s %s: %s is %g",
        alert.rule_name,
        alert.state.value,
        alert.metric_name,
        alert.current_value,
    )


def notify(handlers: Iterable[Callable[[Alert], object]], alert: Alert) -> None:
    """Tell those who listen to events, then the handlers; one that fails hides no other."""
    if _events.listening():
        kind = "alert.resolved" if alert.state is AlertState.RESOLVED else "alert.fired"
        facts = {
            "metric": alert.metric_name,
            "value": alert.current_value,
            "severity": alert.severity.value,
            **alert.labels,
        }
        _events.tell(_events.Event(kind, alert.rule_name, facts))
    for handler in handlers:
        try:
            handler(alert)
        except (Exception, SystemExit):  # noqa: BLE001 (it is logged)
            logger().exception("a handler failed on alert %s", alert.id)
