"""Correlation ids by hand; the errors that carry them."""

import contextvars
import io
import json

import pytest

from holdfast import compat, errors
from holdfast.telemetry import configure_logging, current_trace_id, get_logger, span


def alone(function):
    return contextvars.Context().run(function)


def test_a_correlation_id_is_made_once_and_stays():
    def script():
        first = compat.get_correlation_id()
        assert compat.get_correlation_id() == first == current_trace_id()
        with span("inside") as one:
            assert one.trace_id == first

    alone(script)
    assert current_trace_id() == ""


def test_a_correlation_id_of_any_form_is_in_lines_and_errors():
    stream = io.StringIO()

    def script():
        compat.set_correlation_id("order-17")
        get_logger("x").info("m")
        return errors.NeuromorphicException("m").correlation_id

    log = configure_logging(stream, format="json")
    try:
        assert alone(script) == "order-17"
    finally:
        log.restore()
    assert json.loads(stream.getvalue())["trace_id"] == "order-17"


def test_older_names_are_the_same_objects():
    assert compat.ObserverCoordinatorError is errors.CategorizedError
    assert compat.error_handler is errors.enhanced_error_handler
    with pytest.raises(TimeoutError):
        raise compat.TimeoutError("m", timeout_seconds=3, operation="load")
