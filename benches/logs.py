"""Lines of JSON, records of the standard library, and spans, against what they replace.

Every line has four fields and ends in a write(2) to /dev/null.
"""

from __future__ import annotations

import json
import logging
import timeit

from holdfast import telemetry

FIELDS = {"user": "alice", "status": 200, "seconds": 0.25, "path": "/items/17"}
MESSAGE = "request handled"


def ours(level="info"):
    telemetry.configure_logging("/dev/null", format="json", level=level)
    log = telemetry.get_logger("bench")
    return lambda: log.info(MESSAGE, user="alice", status=200, seconds=0.25, path="/items/17")


def with_structlog(serializer, *, level=logging.INFO):
    import structlog

    binary = serializer is not None
    output = open("/dev/null", "wb", buffering=0) if binary else open("/dev/null", "w")  # noqa: PTH123, SIM115
    renderer = (
        structlog.processors.JSONRenderer(serializer=serializer)
        if binary
        else structlog.processors.JSONRenderer()
    )
    factory = structlog.BytesLoggerFactory if binary else structlog.WriteLoggerFactory
    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=factory(output),
    )
    log = structlog.get_logger("bench").bind()
    return lambda: log.info(MESSAGE, user="alice", status=200, seconds=0.25, path="/items/17")


def standard(name, handler):
    logger = logging.Logger(name, logging.INFO)  # noqa: LOG001
    logger.addHandler(handler)
    return lambda: logger.info(MESSAGE, extra=FIELDS)


def to_null(formatter):
    handler = logging.StreamHandler(open("/dev/null", "w"))  # noqa: PTH123, SIM115
    handler.setFormatter(formatter)
    return handler


class Handmade(logging.Formatter):
    """What a service without a library writes."""

    def format(self, record):
        told = {name: getattr(record, name) for name in FIELDS}
        told |= {"level": record.levelname, "message": record.getMessage()}
        return json.dumps({"time": self.formatTime(record), **told})


def json_logger(serializer):
    from pythonjsonlogger.json import JsonFormatter
    from pythonjsonlogger.orjson import OrjsonFormatter

    kind = OrjsonFormatter if serializer == "orjson" else JsonFormatter
    return kind("%(asctime)s %(levelname)s %(name)s %(message)s")


def least(*calls):
    """The least nanoseconds of each call over many short runs, in turns; the loop taken off.

    A run of 200 calls fits between two interruptions even on a busy machine.
    """
    works = (lambda: None, *calls)
    best = [float("inf")] * len(works)
    for _ in range(300):
        for i, work in enumerate(works):
            best[i] = min(best[i], timeit.timeit(work, number=200))
    loop, *times = (seconds * 1e9 / 200 for seconds in best)
    return [nanos - loop for nanos in times]


def each(name, call):
    (nanos,) = least(call)
    print(f"{name:58} {nanos:9.0f} ns", flush=True)
    return nanos


def against(work, call, peers, goals=None):
    """Print how many times longer each peer takes."""
    mine, *theirs = least(call, *peers.values())
    for peer, nanos in zip(peers, theirs, strict=True):
        goal = (goals or {}).get(peer)
        verdict = "" if goal is None else f"  goal {goal:g}x"
        verdict += "  below goal" if goal is not None and nanos / mine < goal else ""
        both = f"{mine:8.0f} ns  {peer:20} {nanos:8.0f} ns  {nanos / mine:6.2f}x"
        print(f"{work:30} {both}{verdict}", flush=True)


def lines():
    import orjson

    bytes_, text = with_structlog(orjson.dumps), with_structlog(None)
    filtered = with_structlog(orjson.dumps, level=logging.WARNING)
    peers = {"structlog, orjson": bytes_, "structlog, json": text}
    against("a line of JSON", ours(), peers, {"structlog, orjson": 4.8})
    against("a line below the level", ours("warning"), {"structlog": filtered})


def records():
    bare = each("a record of logging to NullHandler", standard("bare", logging.NullHandler()))
    formatted = each(
        "  with JsonFormatter under StreamHandler",
        standard("formatter", to_null(telemetry.JsonFormatter())),
    )
    handled = each("  with LogHandler", standard("handler", telemetry.LogHandler("/dev/null")))
    plain = each(
        "  with logging.Formatter under StreamHandler",
        standard("plain", to_null(logging.Formatter("%(message)s"))),
    )
    print(f"{'added by LogHandler to logging':58} {handled - bare:9.0f} ns  goal 1000 ns")
    print(f"{'added by JsonFormatter to a plain formatter':58} {formatted - plain:9.0f} ns")
    against(
        "a record of logging, whole",
        standard("ours", telemetry.LogHandler("/dev/null")),
        {
            "python-json-logger": standard("a", to_null(json_logger("json"))),
            "  with orjson": standard("b", to_null(json_logger("orjson"))),
            "json.dumps by hand": standard("c", to_null(Handmade())),
        },
    )


def spans():
    def recorded():
        with telemetry.span("work"):
            pass

    each("a span nobody listens to", recorded)
    stop = telemetry.on_span(id)
    each("a span with a listener", recorded)
    stop()

    def measured():
        with telemetry.monitor_performance("work"):
            pass

    each("monitor_performance", measured)


def fit():
    """What a fit pays for its guards where nobody looks: retry, breaker, watch."""
    from holdfast.clustering._guard import Guard
    from holdfast.clustering._watch import watch

    guard = Guard(None)

    def guarded():
        with watch("esn", 4) as watched:
            for name in ("initialization", "feature_extraction", "clustering", "validation"):
                with watched.phase(name):
                    pass
            guard.call(int, None)

    each("guards and watch of a fit nobody looks at", guarded)


if __name__ == "__main__":
    lines()
    records()
    spans()
    fit()
