"""Samples as they were recorded, for as long as they are kept."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast._core import History
from holdfast.telemetry._metric import Metric, MetricType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast._core import Registry

_CAPACITY = 10_000
_PURGE_EVERY = 300.0  # seconds


class MetricCollector:
    """The history of every series.

    Parameters
    ----------
    max_retention_hours : float
        Samples older than this are dropped.
    max_series : int
        Label sets kept apart for one name; further ones share the series whose label values
        are `__overflow__`.
    scraped_retention_hours : float
        For samples that are read from a registry at intervals.

    Notes
    -----
    A series keeps its last 10,000 samples. `labels=None` means every label set of the name;
    given labels must be carried by a series, which may have more.
    """

    def __init__(
        self,
        max_retention_hours: float = 24,
        *,
        max_series: int = 1000,
        scraped_retention_hours: float = 1.0,
    ) -> None:
        self.max_retention_hours = max_retention_hours
        self.history = History(
            3600.0 * max_retention_hours,
            3600.0 * scraped_retention_hours,
            _CAPACITY,
            max_series,
        )
        self.cleanup_running = True
        self._purge_at = time.monotonic() + _PURGE_EVERY

    def record(self, metric: Metric) -> None:
        """Append a sample.

        Raises
        ------
        InvalidParameterError
            A name that no exposition format allows.
        """
        self.history.record(
            metric.name,
            metric.value,
            metric.timestamp.timestamp(),
            metric.labels,
            MetricType(metric.metric_type).value,
        )
        if self.cleanup_running and time.monotonic() >= self._purge_at:
            self._cleanup_old_metrics()

    def scrape(self, registry: Registry, now: float) -> None:
        """Append the present value of every series of `registry`, at `now` (s since 1970)."""
        self.history.scrape(registry, now)

    def get_metrics(
        self,
        metric_name: str,
        labels: Mapping[str, str] | None = None,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
    ) -> list[Metric]:
        """The samples between two moments, both included.

        One series comes in the order it was recorded, several by time.
        """
        start = None if start_time is None else start_time.timestamp()
        end = None if end_time is None else end_time.timestamp()
        rows = self.history.samples(metric_name, labels, start, end)
        return [_metric(metric_name, *row) for row in rows]

    def get_latest(
        self, metric_name: str, labels: Mapping[str, str] | None = None
    ) -> Metric | None:
        """The sample recorded last."""
        row = self.history.latest(metric_name, labels)
        return None if row is None else _metric(metric_name, *row)

    def get_aggregated(
        self,
        metric_name: str,
        aggregation: str,
        labels: Mapping[str, str] | None = None,
        duration_minutes: float = 10,
    ) -> float | None:
        """One number for the last minutes, None without a sample.

        Parameters
        ----------
        aggregation : str
            `avg`, `sum`, `min`, `max`, `count`, or a percentile such as `p95`.

        Raises
        ------
        InvalidParameterError
            There are samples and the aggregation is none of these.
        """
        start = time.time() - 60.0 * duration_minutes
        return self.history.aggregate(metric_name, aggregation, labels, start)

    def recorded(self) -> list[tuple[str, str, str, Mapping[str, str], float]]:
        """Name, kind, help, labels and last value of what was recorded sample by sample."""
        return self.history.recorded()

    @property
    def metrics(self) -> dict[str, deque[Metric]]:
        """A copy of every series: `name`, or `name{k=v,...}`, and its samples."""
        found: defaultdict[str, deque[Metric]] = defaultdict(lambda: deque(maxlen=_CAPACITY))
        for name in self.history.names():
            for row in self.history.samples(name):
                found[self._get_metric_key(name, row[0])].append(_metric(name, *row))
        return found

    def stop(self) -> None:
        """Drop nothing any more."""
        self.cleanup_running = False

    def resume(self) -> None:
        """Drop again what is older than the retention."""
        self.cleanup_running = True

    def _get_metric_key(self, name: str, labels: Mapping[str, str] | None) -> str:
        if not labels:
            return name
        return name + "{" + ",".join(f"{k}={v}" for k, v in sorted(labels.items())) + "}"

    def _cleanup_old_metrics(self) -> None:
        self._purge_at = time.monotonic() + _PURGE_EVERY
        self.history.purge(time.time())


def _metric(
    name: str, labels: dict[str, str], kind: str, seconds: float, value: float
) -> Metric:
    when = datetime.fromtimestamp(seconds)  # noqa: DTZ006 (local time, as it was given)
    return Metric(name, value, when, labels, MetricType(kind))
