"""Lines of JSON, records of the standard library, and spans, against what they replace.

Every line has four fields and ends in a write(2) to /dev/null.
"""

from __future__ import annotations

import json
import logging
from statistics import median

import harness

from holdfast import telemetry

N = 20_000
FIELDS = {"user": "alice", "status": 200, "seconds": 0.25, "path": "/items/17"}
MESSAGE = "request handled"


def many(call):
    def run():
        for _ in range(N):
            call()

    return run


def ours(level="info"):
    telemetry.configure_logging("/dev/null", format="json", level=level)
    log = telemetry.get_logger("bench")
    return lambda: log.info(MESSAGE, user="alice", status=200, seconds=0.25, path="/items/17")


def with_structlog(serializer, *, level=logging.INFO):
    import structlog  # noqa: PLC0415

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
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415
    from pythonjsonlogger.orjson import OrjsonFormatter  # noqa: PLC0415

    kind = OrjsonFormatter if serializer == "orjson" else JsonFormatter
    return kind("%(asctime)s %(levelname)s %(name)s %(message)s")


def each(name, call, repeat=7):
    """Print nanoseconds per call, the loop taken off."""
    run, empty = many(call), many(lambda: None)
    run()
    nanos = 1e9 / N
    times = [(harness.seconds(run) - harness.seconds(empty)) * nanos for _ in range(repeat)]
    print(f"{name:58} {median(times):9.0f} ns  [{min(times):.0f}-{max(times):.0f}]", flush=True)
    return median(times)


def lines():
    import orjson  # noqa: PLC0415

    each("a line of JSON through get_logger", ours())
    each("a line that is below the level", ours("warning"))
    harness.compare(
        f"{N} lines of JSON",
        many(ours()),
        {"structlog, orjson": many(with_structlog(orjson.dumps))},
        {"structlog, orjson": 4.8},
    )
    harness.compare(
        f"{N} lines of JSON",
        many(ours()),
        {"structlog, json": many(with_structlog(None))},
        {},
    )
    harness.compare(
        f"{N} lines below the level",
        many(ours("warning")),
        {"structlog": many(with_structlog(orjson.dumps, level=logging.WARNING))},
        {},
    )


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
    harness.compare(
        f"{N} records of logging",
        many(standard("handler", telemetry.LogHandler("/dev/null"))),
        {
            "python-json-logger": many(standard("a", to_null(json_logger("json")))),
            "  with orjson": many(standard("b", to_null(json_logger("orjson")))),
            "json.dumps by hand": many(standard("c", to_null(Handmade()))),
        },
        {},
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


if __name__ == "__main__":
    lines()
    records()
    spans()
