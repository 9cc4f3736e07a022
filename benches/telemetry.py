"""Series, exposition and the endpoint against prometheus_client; run as a script.

Every line of calls is a loop of the same shape around one bound method, the first around an
empty Python function.
"""

from __future__ import annotations

import ctypes
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

from harness import compare, one_thread

one_thread()

import prometheus_client as peer  # noqa: E402

from holdfast.telemetry import Registry, serve  # noqa: E402

CALLS = 200_000
PEER = "prometheus_client"


def bare(call):
    def run():
        for _ in range(CALLS):
            call()

    return run


def given(call, value):
    def run():
        for _ in range(CALLS):
            call(value)

    return run


def incremented(family):
    def run():
        for _ in range(CALLS):
            family.labels("GET", "200").inc()

    return run


def observed(family):
    def run():
        for _ in range(CALLS):
            family.labels("GET", "200").observe(0.03)

    return run


def empty():
    pass


def writes():
    ours, theirs = Registry(), peer.CollectorRegistry()
    labels = ("method", "status")
    print(f"{CALLS} calls a line: 1 ms is {1e6 / CALLS:g} ns a call, the loop included")
    lines = {
        "an empty Python function": (bare(empty), bare(empty), None),
        "counter.inc()": (
            bare(ours.counter("a").inc),
            bare(peer.Counter("a", "a", registry=theirs).inc),
            12,
        ),
        "gauge.set(v)": (
            given(ours.gauge("b").set, 2.5),
            given(peer.Gauge("b", "b", registry=theirs).set, 2.5),
            None,
        ),
        "histogram.observe(v), 14 buckets": (
            given(ours.histogram("c").observe, 0.03),
            given(peer.Histogram("c", "c", registry=theirs).observe, 0.03),
            13,
        ),
        "summary.observe(v), ours with quantiles": (
            given(ours.summary("d").observe, 0.03),
            given(peer.Summary("d", "d", registry=theirs).observe, 0.03),
            None,
        ),
        "counter.labels(a, b).inc()": (
            incremented(ours.counter("e", "", labels)),
            incremented(peer.Counter("e", "e", labels, registry=theirs)),
            9,
        ),
        "histogram.labels(a, b).observe(v)": (
            observed(ours.histogram("f", "", labels)),
            observed(peer.Histogram("f", "f", labels, registry=theirs)),
            None,
        ),
    }
    for work, (mine, other, goal) in lines.items():
        compare(work, mine, {PEER: other}, {} if goal is None else {PEER: goal}, repeat=9)


def exposition():
    ours, theirs = Registry(), peer.CollectorRegistry()
    mine = ours.counter("requests", "Requests.", ("path", "status"), limit=2000)
    other = peer.Counter("requests", "Requests.", ("path", "status"), registry=theirs)
    for i in range(1000):
        for family in (mine, other):
            family.labels(f"/item/{i}", "200").inc(i)

    def thousand():
        for _ in range(100):
            ours.expose()

    def their_thousand():
        for _ in range(100):
            peer.generate_latest(theirs)

    work = "exposition of 1000 series, 100 times"
    compare(work, thousand, {PEER: their_thousand}, {PEER: 140}, repeat=5)


ASKING = """
import sys, time, urllib.request
for url in sys.argv[1:]:
    for _ in range(5):
        start = time.perf_counter()
        urllib.request.urlopen(url, timeout=30).read()
        print(url, time.perf_counter() - start, flush=True)
"""


def under_the_gil():
    """Ask both from another process while this one holds its GIL for 2 s."""
    registry = Registry()
    registry.counter("jobs").inc()
    theirs = peer.CollectorRegistry()
    server, thread = peer.start_http_server(0, "127.0.0.1", theirs)
    with serve(registry=registry) as endpoint:
        for name, url in {
            "ours": endpoint.url + "/metrics",
            "ours, /health/live": endpoint.url + "/health/live",
            PEER: f"http://127.0.0.1:{server.server_port}/metrics",
        }.items():
            urllib.request.urlopen(url).read()  # noqa: S310
            asking = [sys.executable, "-c", ASKING, url]
            with subprocess.Popen(asking, stdout=subprocess.PIPE, text=True) as process:
                held = ctypes.PyDLL(None).usleep(2_000_000)  # PyDLL keeps the GIL
                assert held == 0
                taken = [float(line.split()[1]) for line in process.stdout]
            typical, worst = 1e3 * statistics.median(taken), 1e3 * max(taken)
            print(
                f"answer while the GIL is held for 2 s: {name:20} median {typical:8.2f} ms, "
                f"worst {worst:8.2f} ms"
            )
    server.shutdown()
    thread.join()
    assert threading.active_count() == 1, "nothing is left behind"


if __name__ == "__main__":
    started = time.perf_counter()
    writes()
    exposition()
    under_the_gil()
    print(f"{time.perf_counter() - started:.0f} s")
