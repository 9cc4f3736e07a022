"""Spans to any exporter of OpenTelemetry: the extra `otlp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.errors import _parameters as parameters
from holdfast.telemetry._tracing.span import SpanRecord, on_span

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = (bool, int, float, str)


def export_spans(exporter: Any, *, service_name: str = "holdfast") -> Callable[[], None]:
    """Hand every span that ends to an exporter, in batches, from a thread of its own.

    Parameters
    ----------
    exporter : opentelemetry.sdk.trace.export.SpanExporter
        As `OTLPSpanExporter()` of `opentelemetry-exporter-otlp-proto-http`.
    service_name : str
        The resource attribute `service.name`.

    Returns
    -------
    callable
        Sends what is left and stops.

    Raises
    ------
    ImportError
        If `opentelemetry-sdk` is not installed.
    """
    parameters.text("service_name", service_name)
    if not callable(getattr(exporter, "export", None)):
        parameters.refuse("exporter", "a span exporter with `export`", exporter)
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    processor: Any = BatchSpanProcessor(exporter)
    resource = Resource.create({"service.name": service_name})

    def forward(record: SpanRecord) -> None:
        processor.on_end(ReadableSpan(**_told(record), resource=resource))

    stop_listening = on_span(forward)

    def stop() -> None:
        stop_listening()
        processor.shutdown()

    return stop


def _told(record: SpanRecord) -> dict[str, Any]:
    from opentelemetry.sdk.trace import Event
    from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

    def context(span_id: str, *, remote: bool) -> SpanContext:
        flags = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(int(record.trace_id, 16), int(span_id, 16), remote, flags)

    start = int(record.start * 1e9)
    failed = record.status == "error"
    status = Status(StatusCode.ERROR, record.error) if failed else Status(StatusCode.UNSET)
    return {
        "name": record.name,
        "context": context(record.span_id, remote=False),
        "parent": context(record.parent_id, remote=False) if record.parent_id else None,
        "attributes": _plain(record.attributes),
        "events": [
            Event(name, _plain(attributes), start + int(at * 1e9))
            for at, name, attributes in record.events
        ],
        "status": status,
        "start_time": start,
        "end_time": start + int(record.duration * 1e9),
    }


def _plain(attributes: dict[str, object]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, _PLAIN) else str(value)
        for name, value in attributes.items()
    }
