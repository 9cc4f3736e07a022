"""The samples that a rule looks at, whoever collected them."""

from __future__ import annotations

from typing import Any

from holdfast._core import History
from holdfast.telemetry._series.metric import Metric, MetricType

_EVER = 1e9  # seconds
_CAPACITY = 10_000


def history_of(collector: Any, metric_name: str) -> History:
    """The history of a `MetricCollector`; of one of one's own, the samples of the metric."""
    history = getattr(collector, "history", None)
    if isinstance(history, History):
        return history
    found = History(_EVER, _EVER, _CAPACITY, 1000)
    listed = collector.get_metrics(metric_name)
    samples = list(listed) if isinstance(listed, (list, tuple)) else []
    latest = collector.get_latest(metric_name)
    if isinstance(latest, Metric) and latest not in samples:
        samples.append(latest)
    for one in samples:
        kind, when = MetricType(one.metric_type).value, one.timestamp.timestamp()
        found.record(metric_name, one.value, when, one.labels or None, kind)
    return found
