"""Secrets, exceptions, and the line to read."""

import io
import json
import re

from holdfast.telemetry import configure_logging, get_logger, span


def test_secrets_are_left_out_wherever_they_stand(written):
    with written(redact=["shoe size"]) as records:
        get_logger("x", api_key="k").info(
            "login with password=hunter2",
            password="hunter2",  # noqa: S106
            nested={"auth": [{"access_token": "hunter2", "n": 1}]},
            shoeSize=44,
            url="https://u:hunter2@host/",
            tokens_per_second=31.5,
        )
        get_logger("x").error("failed", exc_info=ValueError("secret: hunter2"))
    assert "hunter2" not in json.dumps(records)
    assert records[0]["tokens_per_second"] == 31.5
    assert records[0]["nested"] == {"auth": [{"access_token": "[redacted]", "n": 1}]}
    assert records[0]["shoeSize"] == records[0]["api_key"] == "[redacted]"


def test_an_exception_is_an_object_with_type_message_and_traceback(written):
    from holdfast.errors import NeuromorphicException

    with written() as records:
        try:
            {}["k"]
        except KeyError:
            get_logger("x").exception("failed", n=1)
        get_logger("x").error(
            "failed", exc_info=NeuromorphicException("m", context={"rows": 2})
        )
        get_logger("x").error("fine", exc_info=False)
    key, ours, none = records
    assert (key["level"], key["n"]) == ("error", 1)
    assert key["exception"]["type"] == "KeyError"
    assert key["exception"]["traceback"].startswith("Traceback")
    assert ours["exception"]["type"] == "holdfast.errors.NeuromorphicException"
    assert ours["exception"]["error_type"] == "resource_error"
    assert ours["exception"]["context"] == {"rows": 2}
    assert ours["exception"]["error_id"].startswith("ERR_")
    assert "exception" not in none


def test_a_console_line_names_everything_and_commands_nothing():
    stream = io.StringIO()
    log = configure_logging(stream, format="console")
    with span("request") as request:
        get_logger("shop").warning("sold\x1b[2J", apples=3, to="a b", n=None)
    try:
        float("no\x1b[2J")
    except ValueError:
        get_logger("shop").exception("failed")
    log.restore()
    first, second, *traceback = stream.getvalue().splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING  shop  sold\\u\{1b\}\[2J  "
        rf'apples=3 to="a b" n=null trace_id={request.trace_id} span_id={request.span_id}',
        first,
    )
    assert second.endswith("ERROR    shop  failed")
    assert traceback[0] == "  Traceback (most recent call last):"
    assert "\x1b" not in stream.getvalue()


def test_colours_are_for_terminals(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def shown():
        stream = Terminal()
        log = configure_logging(stream)
        get_logger("x").info("m")
        log.restore()
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32mINFO" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()
    assert " INFO " in shown()
