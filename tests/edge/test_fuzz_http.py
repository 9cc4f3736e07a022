"""Whatever a model server sends, it is understood rightly or refused by name."""

import json
import re

import pytest
from fuzzing import EDITS, Reply, altered, budget, check_sound, chunked, damaged, http, served
from http_peers import ndjson, sse
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import (
    DeviceError,
    DeviceTimeoutError,
    Generation,
    ProtocolError,
    request_metrics,
)
from holdfast.edge._backends.http import EventDecoder
from holdfast.edge._backends.servers import LlamaServer, OllamaServer, OpenAIServer, detect

URL = "http://server:80"
TIMINGS = [
    {"cache_n": 0, "prompt_n": 7, "prompt_ms": 40.0, "predicted_n": i + 1, "predicted_ms": 10.0 * i + 0.001}
    for i in range(3)
]  # fmt: skip
USAGE = {
    "completion_tokens": 3,
    "prompt_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 0},
}
SERVERS = {
    "openai": (
        lambda: OpenAIServer(URL),
        [{"data": [{"id": "m"}]}],
        [{"choices": [{"text": word, "finish_reason": None}]} for word in "abc"]
        + [{"choices": [{"text": "", "finish_reason": "stop"}], "usage": USAGE, "timings": TIMINGS[2]}],
        sse,
    ),
    "chat": (
        lambda: OpenAIServer(URL, chat=True),
        [{"data": [{"id": "m"}]}],
        [{"choices": [{"delta": {"role": "assistant", "content": None}}]}]
        + [{"choices": [{"delta": {"content": word}}]} for word in "abc"]
        + [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": USAGE}],
        sse,
    ),
    "llama-server": (
        lambda: LlamaServer(URL),
        [{"default_generation_settings": {"n_ctx": 512}, "model_path": "/m.gguf", "build_info": "b1"}],
        [{"content": "", "tokens": [0], "stop": False}]
        + [{"content": word, "tokens": [i], "stop": False, "timings": TIMINGS[i]} for i, word in enumerate("abc")]
        + [{"content": "", "tokens": [], "stop": True, "tokens_evaluated": 7, "timings": TIMINGS[2]}],
        sse,
    ),
    "ollama": (
        lambda: OllamaServer(URL),
        [{"version": "0.5"}, {"models": [{"name": "tiny"}]}],
        [{"response": word, "done": False} for word in "abc"]
        + [{"response": "", "done": True, "load_duration": 2_000_000, "prompt_eval_count": 7, "eval_count": 3,
            "prompt_eval_duration": 50_000_000, "eval_duration": 30_000_000, "total_duration": 90_000_000}],
        ndjson,
    ),
}  # fmt: skip
KINDS = st.sampled_from(sorted(SERVERS))


def ask(make, replies):
    """Open and generate; returns the record and whether it was whole."""
    out = Generation(0, "Hello")
    with served(*replies):
        client = make()
        try:
            client.open()
            client.generate(out, 8, 0, 5.0)
        except DeviceError:
            out.status = "partial"
        finally:
            client.close()
    return out


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_an_undamaged_stream_is_understood(kind):
    make, opening, events, write = SERVERS[kind]
    stream = chunked(*(write(event) for event in events))
    out = ask(
        make,
        [*(Reply(http(json.dumps(one).encode()), 100) for one in opening), Reply(stream, 9)],
    )
    assert (out.status, out.text, out.tokens, out.prompt_tokens) == ("ok", "abc", 3, 7)
    check_sound(out)


@budget(400)
@given(st.data(), KINDS)
def test_whatever_stands_in_a_servers_json_is_a_sound_record_or_refused(data, kind):
    make, opening, events, write = SERVERS[kind]
    opening, events = data.draw(altered(opening)), data.draw(altered(events))
    events = events if isinstance(events, list) else [events]
    parts = [write(json.dumps(one) if isinstance(one, str) else one) for one in events]
    opening = opening if isinstance(opening, list) else [opening]
    replies = [http(json.dumps(one).encode()) for one in opening]
    out = ask(make, [Reply(one, 4096) for one in (*replies, chunked(*parts))])
    check_sound(out)


@budget(400)
@given(KINDS, st.lists(EDITS, min_size=3, max_size=3), st.integers(1, 4096))
def test_damaged_bytes_of_a_server_are_a_sound_record_or_refused(kind, edits, piece):
    make, opening, events, write = SERVERS[kind]
    replies = [http(json.dumps(one).encode()) for one in opening]
    replies.append(chunked(*(write(event) for event in events)))
    broken = [damaged(one, edit) for one, edit in zip(replies, edits, strict=False)]
    check_sound(ask(make, [Reply(one, piece) for one in broken]))


@budget(150)
@given(EDITS, st.sampled_from([0, 2]))
def test_a_damaged_answer_never_fools_detection_or_counters(edits, which):
    kind = ["openai", "chat", "llama-server", "ollama"][which]
    reply = damaged(http(json.dumps(SERVERS[kind][1][0]).encode()), edits)
    metrics = damaged(http(b'# HELP x y\nllamacpp:n 12\nllamacpp:x{a="b"} 1.5e3\n'), edits)
    with served(Reply(reply, 100), Reply(metrics, 100), Reply(metrics, 100)):
        try:
            client = detect(URL, connection_timeout=2)
            found = LlamaServer(URL).metrics()
            client.heartbeat(1.0)
        except DeviceError:
            return
    assert all(isinstance(value, float) for value in found.values())


ENDLESS = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"6\r\ndata:x\r\n",
    b"HTTP/1.1 200 OK\r\n\r\ndata: x\n",
    b"HTTP/1.1 200 OK\r\n\r\ndata: {}\n\n",
    b"HTTP/1.1 200 OK\r\n\r\n: comment\n",
    b'HTTP/1.1 200 OK\r\n\r\n{"response":"a"}\n',
    b"HTTP/1.1 200 OK\r\n\r\nx",
    b"x",
]


@pytest.mark.parametrize("start", ENDLESS)
@pytest.mark.parametrize("piece", [1, 4096])
@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_a_server_that_never_ends_is_given_up(start, piece, kind):
    begin, end = start.rfind(b"\r\n\r\n"), start.rstrip().rfind(b"\n") + 1
    repeated = start if start.startswith((b"x", b"HTTP/1.1 100")) else start[end:]
    assert begin <= len(start)
    _, opening, _, _ = SERVERS[kind]
    replies = [Reply(http(json.dumps(one).encode()), 100) for one in opening]
    out = ask(SERVERS[kind][0], [*replies, Reply(start, piece, repeated)])
    assert out.status == "partial"
    assert len(out.pieces) < 10_000_000


def test_bytes_that_drip_for_ever_end_with_the_time_that_was_given():
    with served(Reply(b"", 1, b"HTTP/1.1 100 Continue\r\n\r\n")):
        client = OpenAIServer(URL).client
        with pytest.raises(DeviceTimeoutError):
            client.text("GET", "/", timeout=1.0)
    with served(Reply(b"HTTP/1.1 200 OK\r\n\r\n", 1, b"x")), pytest.raises(DeviceTimeoutError):
        OpenAIServer(URL).client.text("GET", "/", timeout=1.0)


def by_the_book(stream):
    """Events of a stream, after WHATWG HTML 9.2.6: the whole of it at once."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    out, data = [], []
    lines = re.split("\r\n|\n|\r", text)
    for line in lines[:-1]:  # what follows the last line end is no line yet
        if line == "":
            if data:
                out.append("\n".join(data))
            data = []
            continue
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
    return out


PARTS = [b"data", b":", b" ", b"x", b"\r", b"\n", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"\xff", "é".encode(),
         b"event: a", b"data: {}", b"data:y\r\n\r\n", b"id", b"\0"]  # fmt: skip


@budget(400)
@given(st.lists(st.sampled_from(PARTS), max_size=40), st.data())
def test_events_are_those_of_the_standard_however_they_are_cut(parts, data):
    stream, decoder, out, at = b"".join(parts), EventDecoder(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(0, 9))
        out += decoder.feed(stream[at : at + step])
        at += step
    assert out == by_the_book(stream)


@pytest.mark.parametrize("unit", [b"data: x\n", b"data\r", b"x"])
def test_an_event_that_never_ends_is_refused_before_it_fills_memory(unit):
    decoder = EventDecoder()
    with pytest.raises(ProtocolError, match="events of at most"):
        list(map(decoder.feed, [unit * 65_536] * 100))


@pytest.mark.parametrize(
    ("timings", "metric"),
    [
        ({"predicted_n": 1}, "ttft_ms"), ({"predicted_n": 1, "prompt_ms": "40"}, "ttft_ms"),
        ({"predicted_n": 1, "prompt_ms": -1.0, "predicted_ms": 1.0}, "ttft_ms"),
        ({"predicted_n": 1, "prompt_ms": float("nan"), "predicted_ms": 1.0}, "prefill_tps"),
    ],
)  # fmt: skip
def test_a_time_that_is_missing_or_none_is_absent_not_zero(timings, metric):
    events = [{"content": "a", "tokens": [1], "timings": timings},
              {"content": "", "stop": True, "timings": timings}]  # fmt: skip
    make, opening, _, _ = SERVERS["llama-server"]
    replies = [http(json.dumps(one).encode()) for one in opening]
    replies.append(chunked(*(sse(event) for event in events)))
    out = ask(make, [Reply(one, 100) for one in replies])
    found = request_metrics(out)
    assert out.ticks == []
    assert out.status == "ok"
    if metric == "ttft_ms":
        assert found.clock == "host"
    else:
        assert found.prefill_tps is None


def llama(events):
    make, opening, _, _ = SERVERS["llama-server"]
    replies = [http(json.dumps(one).encode()) for one in opening]
    replies.append(chunked(*(sse(event) for event in events)))
    out = Generation(0, "Hello")
    with served(*(Reply(one, 4096) for one in replies)):
        client = make()
        client.open()
        client.generate(out, 8, 0, 5.0)
    return out


@pytest.mark.parametrize("name", ["predicted_ms", "predicted_n"])
def test_a_servers_clock_or_count_that_steps_back_is_refused(name):
    second = {**TIMINGS[2], name: 0 if name == "predicted_n" else 1.0}
    events = [{"content": "a", "tokens": [1], "timings": TIMINGS[1]},
              {"content": "b", "tokens": [2], "timings": second}]  # fmt: skip
    with pytest.raises(ProtocolError, match=r"timings that grow|at least 2 tokens"):
        llama(events)


def test_of_tokens_sent_together_no_id_is_told_for_all():
    events = [{"content": "a", "tokens": [1], "timings": TIMINGS[0]},
              {"content": "bc", "tokens": [3], "timings": TIMINGS[2]},
              {"content": "!", "stop": True, "timings": TIMINGS[2]}]  # fmt: skip
    out = llama(events)
    assert (out.text, out.counts, out.tokens, out.token_ids) == ("abc!", [1, 2], 3, [])
