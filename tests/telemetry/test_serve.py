"""The endpoint, asked by other processes so that our own GIL may be held."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from holdfast import _sources
from holdfast.errors import InvalidParameterError
from holdfast.telemetry import Check, HealthChecks, Registry, expose, serve


@pytest.fixture
def registry():
    registry = Registry()
    registry.counter("jobs", "Jobs.", ("kind",)).labels("a").inc(3)
    return registry


@pytest.fixture
def health():
    return HealthChecks()


@pytest.fixture
def endpoint(registry, health):
    with serve(registry=registry, health=health, refresh=60) as endpoint:
        yield endpoint


def ask(url, **headers):
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_are_read_at_the_time_of_the_request(endpoint, registry):
    jobs = registry.counter("jobs", "Jobs.", ("kind",)).labels("a")
    for _ in range(2):
        status, kind, text = ask(endpoint.url + "/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert f'jobs_total{{kind="a"}} {jobs.value:g}\n' in text
        jobs.inc()


def test_a_scraper_may_prefer_openmetrics(endpoint):
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1"
    status, kind, text = ask(endpoint.url + "/metrics", Accept=accept)
    assert status == 200
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")


def test_probes_answer_from_the_last_result_with_its_age(endpoint, health):
    health.add(Check("database", lambda: (False, "refused")))
    health.add(Check("loop", lambda: True, probes=("live",)))
    health.run()
    found = {path: ask(f"{endpoint.url}/health{path}") for path in ("", "/live", "/ready")}
    assert {path: answer[0] for path, answer in found.items()} == {
        "": 503,
        "/live": 200,
        "/ready": 503,
    }
    status, kind, text = ask(endpoint.url + "/health/detailed")
    assert (status, kind) == (503, "application/json")
    answer = json.loads(text)
    assert answer["checks"]["database"]["message"] == "refused"
    assert 0 <= answer["checks"]["database"]["age_seconds"] < 60
    assert answer["heartbeat_age_seconds"] >= 0


def test_what_is_not_there_is_not_found(endpoint):
    assert ask(endpoint.url + "/")[0] == 404
    request = urllib.request.Request(endpoint.url + "/metrics", method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError, match="405") as caught:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310
    caught.value.close()


def test_a_head_has_no_body_and_nonsense_is_refused(endpoint):
    for request, first, body in [
        (b"HEAD /metrics HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", b""),
        (b"x" * 9000, b"HTTP/1.1 400 Bad Request", b"bad request\n"),
    ]:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=10) as peer:
            peer.sendall(request)
            received = b""
            try:
                while chunk := peer.recv(4096):
                    received += chunk
            except ConnectionResetError:
                pass  # it did not wait for all of the nonsense
        assert received.startswith(first)
        assert received.partition(b"\r\n\r\n")[2] == body


def counted(text, name):
    rows = (line.rpartition(" ") for line in text.splitlines())
    return {row[0]: float(row[2]) for row in rows if row[0].startswith(name + "{")}


def test_requests_are_counted_and_timed(endpoint):
    def totals():
        text = ask(endpoint.url + "/metrics")[2]
        return (
            counted(text, "http_requests_total"),
            counted(text, "http_request_duration_seconds_count"),
        )

    before, timed_before = totals()
    for path in ("/health", "/health", "/nowhere", "/else?where"):
        ask(endpoint.url + path)
    after, timed = totals()
    rises = {key: after[key] - before.get(key, 0) for key in after}
    name = "http_requests_total"
    for method, handler, code, times in [
        ("GET", "/health", 200, 2),
        ("GET", "other", 404, 2),
        ("GET", "/metrics", 200, 1),
    ]:
        key = f'{name}{{method="{method}",handler="{handler}",code="{code}"}}'
        assert rises[key] == times
    key = 'http_request_duration_seconds_count{handler="/health"}'
    assert timed[key] - timed_before.get(key, 0) == 2
    assert key.encode() in expose()


def test_a_program_may_declare_the_names_of_the_endpoint_itself(endpoint, registry):
    ask(endpoint.url + "/health")
    registry.counter("http_requests", "Mine.", ("route",)).labels("/buy").inc(9)
    text = ask(endpoint.url + "/metrics")[2]
    assert counted(text, "http_requests_total") == {'http_requests_total{route="/buy"}': 9}
    assert text.count("# TYPE http_requests_total") == 1


def test_slow_clients_keep_no_one_waiting(endpoint):
    idle = [socket.create_connection((endpoint.host, endpoint.port)) for _ in range(20)]
    try:
        assert ask(endpoint.url + "/health")[0] == 200
    finally:
        for peer in idle:
            peer.close()


def test_what_only_python_can_count_is_as_of_the_last_refresh(endpoint):
    class Guard:
        def samples(self):
            return [_sources.Sample("served_calls", "counter", "", {}, 5.0)]

    guard = Guard()
    _sources.register(guard)
    assert "served_calls" not in ask(endpoint.url + "/metrics")[2]
    endpoint.refresh()
    assert "served_calls_total 5\n" in ask(endpoint.url + "/metrics")[2]
    del guard


def test_after_stop_the_port_is_free(registry, health):
    endpoint = serve(registry=registry, health=health)
    assert endpoint.serving
    endpoint.stop()
    endpoint.stop()
    assert not endpoint.serving
    serve(port=endpoint.port, registry=registry, health=health).stop()


@pytest.mark.parametrize("wrong", [{"port": -1}, {"port": 65536}, {"refresh": 0}])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(InvalidParameterError, match=next(iter(wrong))):
        serve(**wrong)


def test_a_port_that_is_taken_is_an_error(endpoint):
    with pytest.raises(OSError, match="cannot serve at"):
        serve(port=endpoint.port)


HOLDING = """
import ctypes, sys, time
from holdfast import telemetry
telemetry.add_check("database", lambda: True, probes=("live", "ready"))
telemetry.counter("jobs").inc(7)
endpoint = telemetry.serve()
print(endpoint.url, flush=True)
sys.stdin.readline()
print("holding", flush=True)
before = time.monotonic()
ctypes.PyDLL(None).usleep(int(float(sys.argv[1]) * 1e6))  # PyDLL keeps the GIL
print(time.monotonic() - before, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def holding():
    """A process that holds its GIL for two seconds on demand."""
    command = [sys.executable, "-c", HOLDING, "2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_it_answers_while_the_gil_is_held(holding):
    url = holding.stdout.readline().strip()
    holding.stdin.write("\n")
    holding.stdin.flush()
    assert holding.stdout.readline() == "holding\n"
    os.set_blocking(holding.stdout.fileno(), False)
    assert "jobs_total 7\n" in ask(url + "/metrics")[2]
    assert ask(url + "/health/live")[0] == 200
    status, _, text = ask(url + "/health/detailed")
    assert (status, json.loads(text)["checks"]["database"]["status"]) == (200, "healthy")
    # It has not let go in the meantime, or it would have said so.
    assert holding.stdout.readline() == ""


def test_a_real_prometheus_scrapes_it_while_the_gil_is_held(holding, tmp_path):
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        pytest.skip("prometheus is not installed (tools/install_servers.sh)")
    url = holding.stdout.readline().strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    target = url.removeprefix("http://")
    config = {
        "global": {"scrape_interval": "100ms", "scrape_timeout": "100ms"},
        "scrape_configs": [{"job_name": "ours", "static_configs": [{"targets": [target]}]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    command = [
        prometheus,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]

    def samples():
        query = f"http://{address}/api/v1/query?query=jobs_total%5B1m%5D"
        try:
            result = json.loads(ask(query)[2])["data"]["result"]
        except (OSError, ValueError):
            return []
        return [float(time) for time, _ in result[0]["values"]] if result else []

    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as peer:
        try:
            while not samples():
                assert peer.poll() is None
                time.sleep(0.05)
            holding.stdin.write("\n")
            holding.stdin.flush()
            assert holding.stdout.readline() == "holding\n"
            began = time.time()
            held = float(holding.stdout.readline())
            assert held >= 2
            inside = [at for at in samples() if began + 0.1 < at < began + held - 0.1]
            assert len(inside) >= 3
        finally:
            peer.send_signal(signal.SIGTERM)


FORKING = """
import os, sys, urllib.request
from holdfast import telemetry
jobs = telemetry.counter("jobs")
endpoint = telemetry.serve(refresh=0.001)
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        jobs.inc()
        assert not endpoint.serving
        telemetry.expose()
        telemetry.get_health().answer("live")
        other = telemetry.serve()
        body = urllib.request.urlopen(other.url + "/metrics", timeout=10).read()
        os._exit(0 if b"jobs_total 1\\n" in body else 1)
    assert os.waitpid(pid, 0)[1] == 0
body = urllib.request.urlopen(endpoint.url + "/metrics", timeout=10).read()
assert b"jobs_total 0\\n" in body
endpoint.stop()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_lets_go_of_the_port_and_may_serve_itself():
    command = [sys.executable, "-W", "ignore", "-c", FORKING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
