"""What other libraries make of our series."""

import http.server
import math
import threading

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import OtlpPush, PrometheusBridge, Registry


@pytest.fixture
def registry():
    registry = Registry()
    registry.counter("jobs", "Jobs.", ("kind",)).labels("a").inc(3)
    registry.gauge("load", "Load.").set(1.5)
    registry.histogram("wait", "Wait.", buckets=[1.0, 2.0]).observe(1.5)
    registry.summary("size", "Size.", quantiles=[0.5]).observe(4)
    return registry


def test_prometheus_client_exposes_ours_beside_its_own(registry):
    peer = pytest.importorskip("prometheus_client")
    theirs = peer.CollectorRegistry()
    peer.Counter("their_jobs", "Theirs.", registry=theirs).inc()
    theirs.register(PrometheusBridge(registry))
    text = peer.generate_latest(theirs).decode()
    for line in ['jobs_total{kind="a"} 3.0', "load 1.5", 'wait_bucket{le="2.0"} 1.0']:
        assert line + "\n" in text
    assert "their_jobs_total 1.0\n" in text
    assert "# TYPE wait histogram\n" in text


def test_a_collector_of_opentelemetry_gets_what_we_measure(registry):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    received = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            received.append(ExportMetricsServiceRequest.FromString(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/v1/metrics"
        push = OtlpPush(url, registry=registry, resource={"service.name": "ours"})
        assert push.push()
        push.stop()
        server.shutdown()
        thread.join()
    [resource] = received[0].resource_metrics
    names = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert names["service.name"] == "ours"
    metrics = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    [jobs] = metrics["jobs_total"].sum.data_points
    assert (jobs.as_double, jobs.attributes[0].value.string_value) == (3.0, "a")
    assert metrics["jobs_total"].sum.is_monotonic
    assert metrics["load"].gauge.data_points[0].as_double == 1.5
    [wait] = metrics["wait"].histogram.data_points
    assert (list(wait.bucket_counts), list(wait.explicit_bounds)) == ([0, 1, 0], [1.0, 2.0])
    assert math.isclose(metrics["size"].gauge.data_points[0].as_double, 4, rel_tol=0.01)
    assert metrics["size_count"].sum.data_points[0].as_double == 1


def test_an_interval_must_be_positive():
    with pytest.raises(
        InvalidParameterError, match="interval must be a finite number > 0, got 0"
    ):
        OtlpPush(interval=0, exporter=object())
