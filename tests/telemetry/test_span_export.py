"""Spans through the SDK of OpenTelemetry into an exporter of its own."""

import pytest

from holdfast.telemetry import export_spans, span


def test_an_exporter_gets_every_span_as_it_was():
    pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    stop = export_spans(exporter, service_name="shop")
    with span("outer", n=1, where={"a": 1}) as outer:
        outer.event("half", m=2)
        with pytest.raises(ValueError, match="bad"), span("inner") as inner:
            raise ValueError("bad")
    stop()
    with span("after"):
        pass
    first, second = exporter.get_finished_spans()
    assert (first.name, second.name) == ("inner", "outer")
    assert f"{first.context.trace_id:032x}" == outer.trace_id
    assert f"{first.context.span_id:016x}" == inner.span_id
    assert first.parent.span_id == second.context.span_id
    assert second.parent is None
    assert first.status.status_code.name == "ERROR"
    assert first.status.description == "ValueError: bad"
    assert dict(second.attributes) == {"n": 1, "where": "{'a': 1}"}
    assert second.resource.attributes["service.name"] == "shop"
    assert second.events[0].name == "half"
    assert second.end_time - second.start_time == pytest.approx(outer.duration * 1e9, abs=1)
