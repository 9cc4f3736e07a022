"""Pushing series to a collector of OpenTelemetry, through its own exporter."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._series.exposition import expose
from holdfast.telemetry._ticker import Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class OtlpPush:
    """Sends everything that is measured to an OTLP endpoint, again and again.

    Needs `opentelemetry-exporter-otlp-proto-http` (`pip install holdfast[otlp]`).

    Parameters
    ----------
    endpoint : str, optional
        Such as `http://localhost:4318/v1/metrics`; by default as the exporter finds it in its
        environment variables.
    interval : float
        Seconds between two pushes after `start`.
    resource : mapping, optional
        Attributes of the process, such as `service.name`.
    exporter : object, optional
        A metric exporter of the OpenTelemetry SDK, in place of the one for HTTP.
    registry : Registry, optional
        Only this registry; by default all that `expose` gives.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    ImportError
        No exporter is given, and that of the extra `otlp` is not installed.

    Notes
    -----
    A summary, which the SDK cannot say, goes out as a gauge with the attribute `quantile` and
    two sums, `<name>_sum` and `<name>_count`.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        interval: float = 60.0,
        resource: Mapping[str, str] | None = None,
        exporter: Any = None,
        registry: Registry | None = None,
    ) -> None:
        if endpoint is not None:
            parameters.text("endpoint", endpoint)
        parameters.real("interval", interval, above=0)
        attributes = parameters.mapping("resource", resource)
        parameters.instance("registry", registry, Registry, optional=True)
        if exporter is not None and not callable(getattr(exporter, "export", None)):
            parameters.refuse("exporter", "a metric exporter with `export`", exporter)
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
                OTLPMetricExporter,
            )

            exporter = OTLPMetricExporter(endpoint=endpoint)
        self._exporter = exporter
        self._registry = registry
        self._resource = attributes
        self._began = time.time_ns()
        self._ticker = Ticker("holdfast-otlp", self.push, lambda: interval)

    def start(self) -> None:
        """Push now and then every `interval` seconds."""
        self._ticker.start()

    def stop(self) -> None:
        """Push a last time and no more."""
        if self._ticker.running:
            self._ticker.stop()
            self.push()
        self._exporter.shutdown()

    def push(self) -> bool:
        """Push once; whether the endpoint took it."""
        result = self._exporter.export(self._data())
        return getattr(result, "name", "") == "SUCCESS"

    def _data(self) -> Any:
        from opentelemetry.sdk.metrics import export
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        families = json.loads(expose("json", self._registry))
        now = time.time_ns()
        metrics = [metric for family in families for metric in self._metrics(family, now)]
        scope = export.ScopeMetrics(InstrumentationScope("holdfast"), metrics, "")
        resource = Resource.create(dict(self._resource))
        return export.MetricsData([export.ResourceMetrics(resource, [scope], "")])

    def _metrics(self, family: dict[str, Any], now: int) -> Iterator[Any]:
        from opentelemetry.sdk.metrics import export

        def point(labels: dict[str, str], value: Any) -> Any:
            return export.NumberDataPoint(labels, self._began, now, float(value))

        def total(name: str, points: list[Any]) -> Any:
            cumulative = export.AggregationTemporality.CUMULATIVE
            data = export.Sum(points, cumulative, is_monotonic=True)
            return export.Metric(name, family["help"], "", data)

        name, rows = family["name"], family["series"]
        if family["type"] == "histogram":
            yield self._histogram(family, now)
        elif family["type"] == "summary":
            levels = [
                point({**row["labels"], "quantile": q}, value)
                for row in rows
                for q, value in row["quantiles"].items()
            ]
            yield export.Metric(name, family["help"], "", export.Gauge(levels))
            for part in ("sum", "count"):
                points = [point(row["labels"], row[part]) for row in rows]
                yield total(f"{name}_{part}", points)
        else:
            points = [point(row["labels"], row["value"]) for row in rows]
            if family["type"] == "counter":
                yield total(name, points)
            else:
                yield export.Metric(name, family["help"], "", export.Gauge(points))

    def _histogram(self, family: dict[str, Any], now: int) -> Any:
        from opentelemetry.sdk.metrics import export

        points = []
        for row in family["series"]:
            cumulative = list(row["buckets"].values())
            counts = [b - a for a, b in zip([0, *cumulative], cumulative, strict=False)]
            points.append(
                export.HistogramDataPoint(
                    attributes=row["labels"],
                    start_time_unix_nano=self._began,
                    time_unix_nano=now,
                    count=row["count"],
                    sum=float(row["sum"]),
                    bucket_counts=counts,
                    explicit_bounds=[float(le) for le in row["buckets"]][:-1],
                    min=float("nan"),  # the buckets do not tell
                    max=float("nan"),
                )
            )
        data = export.Histogram(points, export.AggregationTemporality.CUMULATIVE)
        return export.Metric(family["name"], family["help"], "", data)
