"""llama-server itself: `make slow` builds it and runs this.

Its binary is named by LLAMA_SERVER.
"""

import os
import socket
import subprocess
import time

import pytest

from holdfast.edge import EdgeProfiler, ProfilingConfig, request_metrics
from holdfast.edge._backends.http import HttpClient
from holdfast.errors import HoldfastError

SERVER = os.environ.get("LLAMA_SERVER", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isfile(SERVER), reason="needs LLAMA_SERVER"),  # noqa: PTH113
    pytest.mark.timeout(300),
]

PROMPTS = ["the the a", "a the", "the"]
PLAIN = list(range(3, 131))  # the bytes of ASCII: one token is one character


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The same weights twice: one writes ASCII only, one writes broken characters too."""
    from gguf_files import quantise, weights, write

    folder = tmp_path_factory.mktemp("models")
    metadata, tensors, matrices = weights(layers=4, dimension=128, hidden=256)
    metadata |= {"llama.context_length": 512}
    (folder / "any.gguf").write_bytes(write(metadata, tensors))
    # The output matrix is the embedding: tokens of length zero are never the likeliest.
    matrix = matrices["token_embd"].copy()
    for row in range(len(matrix)):
        if row not in PLAIN:
            matrix[row] = 0
    shape, kind, _ = tensors["token_embd.weight"]
    data, _ = quantise(matrix, kind)
    tensors |= {"token_embd.weight": (shape, kind, data)}
    (folder / "ascii.gguf").write_bytes(write(metadata, tensors))
    return folder


class Server:
    def __init__(self, model):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [SERVER, "-m", model, "--port", str(port), "--metrics", "-c", "512", "-np", "1",
             "-t", "1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            client = HttpClient(self.url)
            try:
                if client.json("GET", "/health")[0] == 200:
                    return
            except HoldfastError:
                pass
            finally:
                client.close()
            assert time.monotonic() < until
            time.sleep(0.1)

    def close(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module", params=["ascii", "any"])
def server(request, models):
    one = Server(models / f"{request.param}.gguf")
    yield request.param, one
    one.close()


def profile(server, **changes):
    settings = {
        "max_new_tokens": 48, "measurement_iterations": 10, "warmup_iterations": 1,
        "heartbeat_interval": 0.0, "confidence_target": None, "max_cpu_percent": None,
    }  # fmt: skip
    config = ProfilingConfig(**(settings | changes.pop("config", {})))
    with EdgeProfiler("rpi_zero", server.url, config=config, **changes) as profiler:
        return profiler.profile_model(None, PROMPTS, ["latency"]), profiler.description


def counters(server):
    from holdfast.edge._backends.servers import LlamaServer

    backend = LlamaServer(server.url)
    found = backend.metrics()
    backend.close()
    return found


def test_rates_agree_with_the_servers_own_within_one_percent(server):
    kind, one = server
    results, said = profile(one)
    assert (said.protocol, said.clock) == ("llama-server", "server")
    assert said.extra["n_ctx"] == 512
    assert results.measurements["decode_tps"].clock == "server"
    assert results.measurements["decode_tps"].provenance == "measured"
    for record in results.records:
        theirs, ours = record.reported, request_metrics(record)
        assert record.status == "ok"
        assert record.tokens == theirs["predicted_n"] == 48
        assert record.cached_tokens == 0
        gaps = theirs["predicted_n"] - record.counts[0]
        assert ours.decode_tps == pytest.approx(gaps / theirs["predicted_ms"] * 1e3, rel=0.01)
        assert ours.prefill_tps == pytest.approx(theirs["prompt_per_second"], rel=0.01)
        if record.counts[0] == 1:
            assert ours.decode_tps == pytest.approx(theirs["predicted_per_second"], rel=0.01)
            assert ours.ttft_ms == pytest.approx(theirs["prompt_ms"], rel=0.01, abs=0.01)
        assert ours.e2e_host_ms >= ours.e2e_ms
    if kind == "ascii":
        assert all(len(r.ticks) == len(request_metrics(r).itl_ms) + 1 for r in results.records)
    else:
        assert any(count > 1 for record in results.records for count in record.counts)
        assert all(not request_metrics(r).itl_ms for r in results.records if max(r.counts) > 1)


def test_its_counters_count_what_we_counted(server):
    _, one = server
    before = counters(one)
    results, _ = profile(one, config={"measurement_iterations": 5})
    after = counters(one)

    def grown(name):
        return after[f"llamacpp:{name}"] - before[f"llamacpp:{name}"]

    records = results.records
    assert grown("tokens_predicted_total") == sum(r.tokens for r in records)
    assert grown("prompt_tokens_total") == sum(r.prompt_tokens for r in records)
    spent = sum(r.reported["predicted_ms"] for r in records) / 1e3
    assert grown("tokens_predicted_seconds_total") == pytest.approx(spent, rel=0.01)


@pytest.mark.parametrize("protocol", ["openai", "chat"])
def test_the_generic_routes_never_take_a_chunk_for_a_token(server, protocol):
    _, one = server
    results, _ = profile(one, protocol=protocol)
    for record in results.records:
        theirs, ours = record.reported, request_metrics(record)
        assert record.tokens == theirs["predicted_n"]
        assert record.token_count_source == "usage"  # noqa: S105
        if record.tokens > 1:
            fastest = (record.tokens - 1) / theirs["predicted_ms"] * 1e3
            assert ours.decode_tps == pytest.approx(fastest, rel=0.01)
            assert "decode_tps" in ours.reported
