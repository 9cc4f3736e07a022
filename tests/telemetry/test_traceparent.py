"""`traceparent` and `tracestate` against the examples and rules of W3C Trace Context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import _context
from holdfast.telemetry import (
    continue_trace,
    current_trace_id,
    inject,
    parse_traceparent,
    parse_tracestate,
    record_spans,
    span,
    traceparent,
)

# The example of the specification, section 3.2.3.
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (HEADER, (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-00", (TRACE, PARENT, False)),
        (f"00-{TRACE}-{PARENT}-03", (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-fe", (TRACE, PARENT, False)),
        # A later version is read as far as this one goes.
        (f"cc-{TRACE}-{PARENT}-01", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-brings", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01.no", None),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"0-{TRACE}-{PARENT}-01", None),
        (f"00-{TRACE[1:]}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT[1:]}-01", None),
        (f"00-{TRACE}-{PARENT}-1", None),
        (f"00-{TRACE}-{PARENT}-0x", None),
        (f"00_{TRACE}_{PARENT}_01", None),
        ("", None),
        (f" {HEADER} ", (TRACE, PARENT, True)),
        (f"{HEADER}\n", None),
    ],
)
def test_headers_are_read_as_the_specification_says(header, told):
    assert parse_traceparent(header) == told


@given(st.text())
def test_any_text_is_read_or_refused(text):
    assert parse_traceparent(text) is None or text.strip()[:2] != "ff"
    parse_tracestate([text])


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        ),
        (["foo=1", "bar=2"], "foo=1,bar=2"),
        (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (["foo=1,", ",bar=2"], "foo=1,bar=2"),
        ([""], ""),
        (["fw529a3039@dt=FfCe"], "fw529a3039@dt=FfCe"),
        (["foo=1,foo=2"], "foo=1"),
        (["foo"], ""),
        (["=1"], ""),
        (["FOO=1"], ""),
        (["foo =1"], ""),
        (["foo=1=2"], ""),
        (["foo@=1,bar=2"], ""),
        (["a" * 256 + "=1"], "a" * 256 + "=1"),
        (["a" * 257 + "=1"], ""),
        (["foo=" + "v" * 256], "foo=" + "v" * 256),
        (["foo=" + "v" * 257], ""),
        ([",".join(f"k{i}=1" for i in range(32))], ",".join(f"k{i}=1" for i in range(32))),
        ([",".join(f"k{i}=1" for i in range(33))], ""),
        (["foo=é"], ""),
    ],
)
def test_state_is_kept_whole_or_dropped(headers, told):
    assert parse_tracestate(headers) == told


def test_a_request_goes_on_with_a_child_of_the_caller_s_span():
    headers = [("TraceParent", HEADER), ("tracestate", "a=1"), ("TRACESTATE", "b=2")]
    out = {}
    with record_spans() as ended, continue_trace(headers), span("serve") as serve:
        inject(out)
    assert out == {"traceparent": f"00-{TRACE}-{serve.span_id}-01", "tracestate": "a=1,b=2"}
    assert (ended[0].trace_id, ended[0].parent_id) == (TRACE, PARENT)
    assert current_trace_id() == ""


def test_two_traceparents_are_none():
    with continue_trace([("traceparent", HEADER), ("traceparent", HEADER)]):
        assert traceparent() is None
        with span("x") as one:
            assert one.trace_id != TRACE


def test_state_does_not_follow_into_another_trace():
    out = {}
    with continue_trace({"traceparent": "nonsense", "tracestate": "a=1"}), span("x"):
        inject(out)
    assert set(out) == {"traceparent"}
    headers = {"traceparent": HEADER, "tracestate": "a=1"}
    with continue_trace(headers), continue_trace({}), span("y"):
        inject(out)
    assert "tracestate" not in out


def test_a_caller_that_does_not_record_is_followed():
    headers = {"traceparent": HEADER[:-2] + "00"}
    with record_spans() as ended, continue_trace(headers), span("x") as one:
        assert traceparent() == f"00-{TRACE}-{one.span_id}-00"
    assert ended == []


def test_nothing_is_injected_outside_a_trace_or_for_ids_of_another_kind():
    out = {}
    inject(out)
    with _context.use(_context.Context(trace_id="order-17")):
        inject(out)
    assert out == {}


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_what_is_written_reads_back(trace, parent, sampled):
    context = _context.Context(f"{trace:032x}", f"{parent:016x}", sampled)
    with _context.use(context):
        assert parse_traceparent(traceparent()) == (
            context.trace_id,
            context.span_id,
            sampled,
        )
