"""Samples as they were recorded, for as long as they are kept."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from datetime import datetime
from typing import TYPE_CHECKING
from weakref import finalize

from holdfast._core import History, Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._fork import Locked
from holdfast.telemetry._series.metric import Metric, MetricType
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

_CAPACITY = 10_000
_PURGE_EVERY = 300.0  # seconds
_LONGEST = 1e8  # hours


class MetricCollector(Locked):
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

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.

    Notes
    -----
    A series keeps its last 10,000 samples. `labels=None` means every label set of the name;
    given labels must be carried by a series, which may have more. Every five minutes, the
    first time at once, a thread drops what is older than the retention, until `stop` or
    until nobody refers to the collector any more.
    """

    def __init__(
        self,
        max_retention_hours: float = 24,
        *,
        max_series: int = 1000,
        scraped_retention_hours: float = 1.0,
    ) -> None:
        parameters.real("max_retention_hours", max_retention_hours, above=0, most=_LONGEST)
        parameters.count("max_series", max_series)
        scraped = scraped_retention_hours
        parameters.real("scraped_retention_hours", scraped, above=0, most=_LONGEST)
        super().__init__()
        self.max_retention_hours = max_retention_hours
        history = History(3600.0 * max_retention_hours, 3600.0 * scraped, _CAPACITY, max_series)
        self.history = history
        # The thread knows the history only: it must not keep the collector alive.
        self._cleaner = Ticker(
            "holdfast-cleanup", lambda: history.purge(time.time()), lambda: _PURGE_EVERY
        )
        finalize(self, self._cleaner.stop, 0.0).atexit = False
        self._cleaner.start()

    @property
    def lock(self) -> threading.RLock:
        """Held while a sample is recorded: whoever holds it sees no sample come."""
        return self._lock

    @property
    def cleanup_running(self) -> bool:
        """Until `stop`."""
        return self._cleaner.running

    @property
    def cleanup_thread(self) -> threading.Thread | None:
        """The thread that drops what is too old, while there is one."""
        return self._cleaner.thread

    def record(self, metric: Metric) -> None:
        """Append a sample.

        Raises
        ------
        InvalidParameterError
            A name, or that of a label, that no exposition format allows.
        """
        parameters.instance("metric", metric, Metric)
        when = metric.timestamp.timestamp()
        kind = MetricType(metric.metric_type).value
        self.record_value(metric.name, metric.value, when, metric.labels, kind)

    def record_value(
        self,
        name: str,
        value: float,
        when: float,
        labels: Mapping[str, object] | None = None,
        kind: str = "gauge",
    ) -> None:
        """Append a sample, stamped `when` (s since 1970); label values become texts.

        Raises
        ------
        InvalidParameterError
            `name` is no text or empty.
        NotNumbersError
            `value` is no number.
        """
        if type(value) is not float:
            parameters.number("value", value)
        carried = None if labels is None else _wanted(labels)
        for label in carried or ():
            # One that no format allows would make the whole exposition unreadable.
            if not (label.isascii() and label.isidentifier()) or label.startswith("__"):
                rule = "keyed by names that match [a-zA-Z_][a-zA-Z0-9_]*, not beginning with __"
                parameters.refuse("labels", rule, labels)
        with self._lock:
            self.history.record(parameters.text("name", name), value, when, carried, kind)

    def scrape(self, registry: Registry, now: float) -> None:
        """Append the present value of every series of `registry`, at `now` (s since 1970).

        Raises
        ------
        InvalidParameterError
            `registry` is no Registry, or `now` no finite number.
        """
        parameters.instance("registry", registry, Registry)
        parameters.real("now", now)
        with self._lock:
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

        Raises
        ------
        InvalidParameterError
            `metric_name` is no text or empty, or a moment is no datetime.
        """
        parameters.text("metric_name", metric_name)
        parameters.instance("start_time", start_time, datetime, optional=True)
        parameters.instance("end_time", end_time, datetime, optional=True)
        labels = _wanted(labels)
        start = None if start_time is None else start_time.timestamp()
        end = None if end_time is None else end_time.timestamp()
        rows = self.history.samples(metric_name, labels, start, end)
        return [_metric(metric_name, *row) for row in rows]

    def get_latest(
        self, metric_name: str, labels: Mapping[str, str] | None = None
    ) -> Metric | None:
        """The sample recorded last.

        Raises
        ------
        InvalidParameterError
            `metric_name` is no text or empty.
        """
        row = self.history.latest(parameters.text("metric_name", metric_name), _wanted(labels))
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
            `avg`, `sum`, `min`, `max`, `count`, or a percentile such as `p95`: of the numbers,
            without NaN; `nan_count`: how many samples are NaN.

        Raises
        ------
        InvalidParameterError
            There are samples and the aggregation is none of these.
        """
        parameters.text("metric_name", metric_name)
        parameters.text("aggregation", aggregation, empty=True)
        minutes = parameters.real("duration_minutes", duration_minutes, above=0, most=1e9)
        start = time.time() - 60.0 * minutes
        return self.history.aggregate(metric_name, aggregation, _wanted(labels), start)

    def recorded(self) -> list[tuple[str, str, str, Mapping[str, str], float]]:
        """Name, kind, help, labels and last value of what was recorded sample by sample."""
        help_ = "The last sample recorded."
        rows = self.history.recorded()
        return [(name, kind, help_, labels, value) for name, kind, _, labels, value in rows]

    @property
    def metrics(self) -> dict[str, deque[Metric]]:
        """A copy of every series: `name`, or `name{k=v,...}`, and its samples."""
        found: defaultdict[str, deque[Metric]] = defaultdict(lambda: deque(maxlen=_CAPACITY))
        for name in self.history.names():
            for row in self.history.samples(name):
                found[self._get_metric_key(name, row[0])].append(_metric(name, *row))
        return found

    def stop(self) -> None:
        """Drop nothing any more but the oldest of a full series."""
        self._cleaner.stop()

    def resume(self) -> None:
        """Drop again what is older than the retention."""
        self._cleaner.start()

    def _get_metric_key(self, name: str, labels: Mapping[str, str] | None) -> str:
        if not labels:
            return name
        return name + "{" + ",".join(f"{k}={v}" for k, v in sorted(labels.items())) + "}"

    def _cleanup_old_metrics(self) -> None:
        self.history.purge(time.time())


def _wanted(labels: Mapping[str, object] | None) -> dict[str, str] | None:
    if labels is None:
        return None
    given = parameters.mapping("labels", labels)
    return {str(key): str(value) for key, value in given.items()}


def _metric(
    name: str, labels: dict[str, str], kind: str, seconds: float, value: float
) -> Metric:
    when = datetime.fromtimestamp(seconds)  # noqa: DTZ006 (local time, as it was given)
    metric = Metric.__new__(Metric)  # as recorded: it was checked then
    metric.name, metric.value, metric.timestamp = name, value, when
    metric.labels, metric.metric_type = labels, MetricType(kind)
    return metric
