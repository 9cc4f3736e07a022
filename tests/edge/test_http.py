import json
import threading

import pytest
from fuzzing import Paced, http, served
from http_peers import HttpPeer, ndjson, sse
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    Generation,
    ProtocolError,
    request_metrics,
)
from holdfast.edge._backends.http import EventDecoder, HttpClient
from holdfast.edge._backends.servers import LlamaServer, OllamaServer, OpenAIServer, detect
from holdfast.errors import InvalidParameterError


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))), st.data())
def test_events_are_the_same_however_the_stream_is_cut(texts, data):
    stream = b"".join(b"data: " + text.encode() + b"\r\n\r\n: comment\n" for text in texts)
    decoder, out, at = EventDecoder(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, 20))
        out += decoder.feed(stream[at : at + step])
        at += step
    assert out == texts


def test_an_endless_event_is_refused():
    with pytest.raises(ProtocolError, match="events of at most"):
        EventDecoder().feed(b"x" * (5 << 20))


def text_chunk(text, finish=None):
    return {"choices": [{"text": text, "finish_reason": finish}]}


def run(client, prompt="Hello"):
    out = Generation(0, prompt)
    client.open()
    try:
        client.generate(out, 8, 0, 120.0)
    finally:
        client.close()
    return out


USAGE = {"usage": {"completion_tokens": 4, "prompt_tokens": 3}, "choices": []}


def openai(peer, script, **options):
    server = peer(HttpPeer, {"/v1/models": {"data": [{"id": "m"}]}, "/v1/completions": script,
                             "/v1/chat/completions": script})  # fmt: skip
    return OpenAIServer(server.url, **options), server


def paced(script, **options):
    """The record of a stream whose parts come after so many seconds of a clock of its own."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [(seconds, b"%x\r\n%s\r\n" % (len(data), data)) for seconds, data in script]
    models = http(json.dumps({"data": [{"id": "m"}]}).encode())
    stream = Paced([(0, head), *parts, (0, b"0\r\n\r\n")])
    with served(Paced([(0, models)]), stream, look_ns=1000):
        return run(OpenAIServer("http://server", **options))


def test_one_chunk_per_token_is_measured_by_arrival():
    script = [(0.02, sse(text_chunk(word))) for word in "abcd"]
    found = request_metrics(paced([*script, (0, sse(USAGE, "[DONE]"))]))
    assert found.tokens == 4
    assert found.itl_ms == pytest.approx([20] * 3, rel=0.01)
    assert found.decode_tps == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize("seconds", [0.0, 0.05])
@pytest.mark.parametrize("together", [2, 3, 4, 6])
def test_chunks_that_a_server_gathers_never_give_a_rate_above_the_true_one(together, seconds):
    words = [sse(text_chunk(word)) for word in "abcdefghijkl"]
    groups = [b"".join(words[at : at + together]) for at in range(0, 12, together)]
    script = [(0.02 * together, group) for group in groups]
    script[-1] = (script[-1][0] + seconds, script[-1][1])
    counted = {"usage": {"completion_tokens": 12, "prompt_tokens": 3}, "choices": []}
    found = request_metrics(paced([*script, (0, sse(counted, "[DONE]"))]))
    assert found.itl_ms == []
    assert found.decode_tps is not None
    assert found.decode_tps <= 50 * 1.01


def test_what_is_asked_for_is_sent(peer):
    client, server = openai(peer, [(0, sse(text_chunk("a"), USAGE, "[DONE]"))])
    run(client)
    body = server.requests[-1][2]
    assert (body["model"], body["max_tokens"], body["stream_options"]) == (
        "m", 8, {"include_usage": True},
    )  # fmt: skip


def test_a_server_that_holds_everything_back_yields_no_rate():
    burst = b"".join(sse(text_chunk(word)) for word in "abcd")
    found = request_metrics(paced([(0.05, burst), (0, sse(USAGE, "[DONE]"))]))
    assert found.decode_tps is None
    assert found.e2e_tps is not None


def test_without_usage_no_token_is_counted():
    script = [(0.01, sse(text_chunk(word))) for word in ("a b", "c")]
    out = paced([*script, (0, sse(text_chunk("", "stop"), "[DONE]"))])
    found = request_metrics(out)
    assert (out.tokens, found.decode_tps, found.e2e_tps) == (None, None, None)
    assert found.icl_ms == pytest.approx([10.0], rel=0.01)


def test_the_role_chunk_of_a_chat_is_no_token():
    def chunk(**delta):
        return {"choices": [{"delta": delta, "finish_reason": None}]}

    script = [
        (0.0, sse(chunk(role="assistant"))), (0.03, sse(chunk(content="a"))),
        (0.01, sse(chunk(content="b"))), (0, sse("[DONE]")),
    ]  # fmt: skip
    out = paced(script, chat=True)
    assert out.pieces == ["a", "b"]
    assert request_metrics(out).ttft_host_ms >= 30


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([(0, sse(text_chunk("a"))), (0, None)], DeviceConnectionError),
        ([(0, sse(text_chunk("a")))], DeviceConnectionError),
        ([(0, sse({"error": "out of memory"}))], DeviceError),
        ([(0, sse("no json"))], ProtocolError),
        ([(0, sse("[1]"))], ProtocolError),
    ],
)
def test_a_broken_stream_is_an_error_and_keeps_what_came(peer, script, error):
    client, _ = openai(peer, script)
    out = Generation(0, "x")
    client.open()
    with pytest.raises(error):
        client.generate(out, 8, 0, 120.0)
    assert out.pieces in (["a"], [])
    client.close()


def test_a_stalled_stream_times_out(peer):
    gone = threading.Event()

    class Stalled(list):
        def __iter__(self):
            yield 0, sse(text_chunk("a"))
            gone.wait(60)

    client, _ = openai(peer, Stalled())
    client.open()
    with pytest.raises(DeviceTimeoutError):
        client.generate(Generation(0, "x"), 8, 0, 0.05)
    client.close()
    gone.set()


def llama_events(n=5, prompt_ms=40.0, ms=10.0, *, hold=1):
    """Chunks of llama-server: its clock starts at the first token."""

    def timings(i):
        return {"cache_n": 0, "prompt_n": 7, "prompt_ms": prompt_ms, "predicted_n": i + 1,
                "predicted_ms": max(i * ms, 0.001)}  # fmt: skip

    events = [{"content": "", "tokens": [0], "stop": False, "prompt_progress": {"total": 7}}]
    for i in range(hold - 1, n, hold):
        if i >= 0:
            events.append({"content": f"t{i}", "tokens": list(range(i, i + hold)), "stop": False,
                           "timings": timings(i)})  # fmt: skip
    events.append({"content": "", "tokens": [], "stop": True, "tokens_evaluated": 7,
                   "timings": timings(n - 1)})  # fmt: skip
    return events


def llama(peer, script, **routes):
    props = {
        "default_generation_settings": {"n_ctx": 512},
        "model_path": "m.gguf",
        "build_info": "b1",
    }
    return peer(HttpPeer, {"/props": props, "/completion": script, **routes})


@pytest.mark.parametrize("delay", [0.0, 0.02])
@pytest.mark.parametrize("coalesce", [False, True])
def test_llama_servers_own_clock_dates_every_token(peer, delay, coalesce):
    events = llama_events()
    pieces = (
        [b"".join(sse(event) for event in events)] if coalesce else [sse(e) for e in events]
    )
    server = llama(peer, [(delay, piece) for piece in pieces])
    out = run(LlamaServer(server.url))
    found = request_metrics(out)
    assert (found.clock, out.token_ids) == ("server", [0, 1, 2, 3, 4])
    assert found.itl_ms == pytest.approx([10.0] * 4, abs=0.01)
    assert found.decode_tps == pytest.approx(100, rel=0.01)
    assert found.ttft_ms == pytest.approx(40, abs=0.01)
    assert found.prefill_tps == pytest.approx(7 / 0.040)
    assert server.requests[-1][2]["cache_prompt"] is False


def test_held_back_tokens_are_counted_on_the_servers_clock(peer):
    server = llama(peer, [(0, sse(event)) for event in llama_events(6, hold=3)])
    found = request_metrics(run(LlamaServer(server.url)))
    assert found.itl_ms == []
    assert found.decode_tps == pytest.approx(5 / 0.050)
    assert (found.clock, found.ttft_ms) == ("server", None)
    assert "several tokens" in found.missing["ttft_ms"]


def test_prometheus_metrics_of_the_server(peer):
    text = '# HELP x y\nllamacpp:tokens_predicted_total 12\nllamacpp:x{a="b"} 1.5e3\nbad line\n'
    client = LlamaServer(llama(peer, [], **{"/metrics": text}).url)
    assert client.metrics() == {"llamacpp:tokens_predicted_total": 12.0, "llamacpp:x": 1500.0}
    client.close()
    without = LlamaServer(llama(peer, []).url)
    assert without.metrics() == {}
    without.close()


def test_ollama_reports_totals_and_tells_loading_from_evaluating(peer):
    final = {
        "response": "", "done": True, "load_duration": 2_000_000_000, "prompt_eval_count": 5,
        "prompt_eval_duration": 50_000_000, "eval_count": 10, "eval_duration": 100_000_000,
    }  # fmt: skip
    script = [(0, ndjson({"response": "a", "done": False})), (0.01, ndjson(final))]
    server = peer(HttpPeer, {"/api/version": {"version": "0.5"}, "/api/generate": script,
                             "/api/tags": {"models": [{"name": "tiny"}]}})  # fmt: skip
    out = run(OllamaServer(server.url))
    found = request_metrics(out)
    assert found.decode_tps == pytest.approx(100)
    assert found.prefill_tps == pytest.approx(100)
    assert out.reported["load_ms"] == 2000
    assert found.reported >= {"decode_tps", "prefill_tps"}
    assert server.requests[-1][2]["model"] == "tiny"


def test_servers_are_told_apart_by_asking(peer):
    assert type(detect(llama(peer, []).url, connection_timeout=60)) is LlamaServer
    other = peer(HttpPeer, {"/api/version": {"version": "1"}})
    assert type(detect(other.url, connection_timeout=60)) is OllamaServer
    plain = peer(HttpPeer, {"/v1/models": {"data": []}})
    assert type(detect(plain.url, connection_timeout=60)) is OpenAIServer


def test_an_error_status_shows_what_the_server_said(peer):
    server = peer(HttpPeer, {"/v1/models": {}, "/v1/completions": {"error": "no"}},
                  {"/v1/completions": 500})  # fmt: skip
    client = OpenAIServer(server.url)
    client.open()
    with pytest.raises(ProtocolError, match="500"):
        client.generate(Generation(0, "x"), 8, 0, 120.0)
    client.close()


def test_prompts_travel_as_data(peer):
    hostile = 'x", "max_tokens": 9999}\n\ndata: [DONE]'
    client, server = openai(peer, [(0, sse(text_chunk("a", "stop"), "[DONE]"))])
    run(client, hostile)
    assert server.requests[-1][2]["prompt"] == hostile
    assert json.dumps(server.requests[-1][2])


@pytest.mark.parametrize("url", ["http://", "ftp://x", "x:80", ""])
def test_addresses_are_checked(url):
    with pytest.raises(InvalidParameterError, match="http://"):
        HttpClient(url)


def test_nobody_listening_is_a_connection_error():
    with pytest.raises(DeviceConnectionError):
        detect("http://127.0.0.1:1", connection_timeout=1)


def test_an_answer_that_was_cut_off_is_no_answer():
    whole = http(b'{"data": [{"id": "m"}]}')
    with served(Paced([(0, whole[:-5])])):
        client = HttpClient("http://server")
        with pytest.raises(DeviceConnectionError, match="5 bytes of the answer are missing"):
            client.text("GET", "/v1/models")
