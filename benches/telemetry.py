"""Series and exposition against prometheus_client; run as a script.

Times are per call, in loops of the same shape. `added` subtracts an empty Python call.
"""

from __future__ import annotations

from harness import compare, one_thread

one_thread()

import prometheus_client as peer  # noqa: E402

from holdfast.telemetry import Registry  # noqa: E402

CALLS = 200_000


def loop(call, *args):
    def run():
        for _ in range(CALLS):
            call(*args)

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


def main():
    ours, theirs = Registry(), peer.CollectorRegistry()
    labels = ("method", "status")
    print(f"{CALLS} calls a line; 1 ms = {1e6 / CALLS:g} ns a call")
    pairs = {
        "an empty Python function": (loop(empty), loop(empty), 0),
        "counter.inc()": (
            loop(ours.counter("a").inc),
            loop(peer.Counter("a", "a", registry=theirs).inc),
            12,
        ),
        "gauge.set(v)": (
            loop(ours.gauge("b").set, 2.5),
            loop(peer.Gauge("b", "b", registry=theirs).set, 2.5),
            None,
        ),
        "histogram.observe(v), 14 buckets": (
            loop(ours.histogram("c").observe, 0.03),
            loop(peer.Histogram("c", "c", registry=theirs).observe, 0.03),
            13,
        ),
        "summary.observe(v), ours with quantiles": (
            loop(ours.summary("d").observe, 0.03),
            loop(peer.Summary("d", "d", registry=theirs).observe, 0.03),
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
    for work, (mine, other, goal) in pairs.items():
        goals = {} if not goal else {"prometheus_client": goal}
        compare(work, mine, {"prometheus_client": other}, goals, repeat=7)

    ours, theirs = Registry(), peer.CollectorRegistry()
    mine = ours.counter("requests", "Requests.", ("path", "status"), limit=2000)
    other = peer.Counter("requests", "Requests.", ("path", "status"), registry=theirs)
    for i in range(1000):
        for family in (mine, other):
            family.labels(f"/item/{i}", "200").inc(i)

    def thousand():
        for _ in range(10):
            ours.expose()

    def their_thousand():
        for _ in range(10):
            peer.generate_latest(theirs)

    compare(
        "exposition of 1000 series, 10 times",
        thousand,
        {"prometheus_client": their_thousand},
        {"prometheus_client": 140},
        repeat=7,
    )


if __name__ == "__main__":
    main()
