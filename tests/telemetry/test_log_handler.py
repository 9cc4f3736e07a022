"""The same records for the standard `logging` module."""

import io
import json
import logging
import os

import pytest

from holdfast.errors import InvalidParameterError
from holdfast.telemetry import (
    JsonFormatter,
    LogHandler,
    TraceFilter,
    get_logger,
    span,
)


@pytest.fixture
def standard():
    logger = logging.Logger("shop.cart", logging.DEBUG)  # noqa: LOG001 (in no hierarchy)
    yield logger
    for handler in logger.handlers:
        handler.close()


def through(logger, handler_of):
    stream = io.StringIO()
    logger.handlers = [handler_of(stream)]
    return stream


def with_formatter(stream):
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    return handler


def with_handler(stream):
    return LogHandler(stream, format="json")


@pytest.mark.parametrize("handler_of", [with_formatter, with_handler])
def test_records_of_the_standard_library_are_the_same_records(standard, handler_of, written):
    stream = through(standard, handler_of)
    with span("request"), written() as ours:
        extra = {"apples": 3, "password": "hunter2", "nested": {"a": [1, None]}}
        standard.info("sold %d", 3, extra={**extra, "category": "sales"})
        get_logger("shop.cart", category="sales").info("sold %d", 3, **extra)
        try:
            float("bad")
        except ValueError:
            standard.exception("failed")
            get_logger("shop.cart").exception("failed")
    theirs = [json.loads(line) for line in stream.getvalue().splitlines()]
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine) == list(other)
        for record in (mine, other):
            del record["timestamp"]
            record.get("exception", {}).pop("traceback", None)
        assert mine == other


def test_places_are_shown_when_asked_for(standard):
    stream = io.StringIO()
    include = ["function", "line", "module", "process_id", "thread_name"]
    standard.addHandler(LogHandler(stream, format="json", include=include))
    standard.warning("m", stack_info=True)
    record = json.loads(stream.getvalue())
    assert record["function"] == "test_places_are_shown_when_asked_for"
    assert record["process_id"] == os.getpid()
    assert record["thread_name"] == "MainThread"
    assert record["stack"].startswith("Stack")
    with pytest.raises(InvalidParameterError, match="include must be among function, line"):
        LogHandler(stream, include=["colour"])


def test_a_record_that_waited_in_a_queue_keeps_its_trace(standard):
    import logging.handlers
    import queue

    waiting = queue.SimpleQueue()
    sender = logging.handlers.QueueHandler(waiting)
    sender.addFilter(TraceFilter())
    standard.addHandler(sender)
    with span("request") as request:
        standard.info("m")
    stream = io.StringIO()
    with span("other"):
        LogHandler(stream, format="json").handle(waiting.get())
    record = json.loads(stream.getvalue())
    assert (record["trace_id"], record["span_id"]) == (request.trace_id, request.span_id)


def test_a_handler_keeps_filters_formatters_and_odd_records(standard):
    stream = io.StringIO()
    handler = LogHandler(stream, format="json")
    handler.addFilter(lambda record: record.msg != "hidden")
    standard.addHandler(handler)
    standard.info("hidden")
    standard.info("a %d", "b")
    standard.log(35, "odd level")
    handler.setFormatter(logging.Formatter("plain %(message)s"))
    standard.info("m")
    first, second, third = stream.getvalue().splitlines()
    assert json.loads(first)["message"] == "a %d ('b',)"
    assert json.loads(second)["level"] == "level 35"
    assert third == "plain m"
