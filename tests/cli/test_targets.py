"""Servers, agents and fleets from the command line."""

import json
import sys
from pathlib import Path

import pytest

from holdfast.cli import main
from holdfast.edge import ProfileResults

sys.path.insert(0, str(Path(__file__).parent.parent / "edge"))
from http_peers import HttpPeer, sse


@pytest.fixture
def server():
    chunks = [{"choices": [{"text": text, "finish_reason": None}]} for text in ("a", "b", "c")]
    usage = {"usage": {"completion_tokens": 3, "prompt_tokens": 2}, "choices": []}
    script = [(0.02, sse(chunk)) for chunk in chunks]
    script += [(0, sse(usage)), (0, sse("[DONE]"))]
    made_of = {"/v1/models": {"data": [{"id": "tiny"}]}, "/v1/completions": script}
    made = HttpPeer(made_of)
    yield made
    made.close()


def test_a_model_server_is_profiled(server, capsys, tmp_path):
    arguments = ["profile", "-p", "rpi_zero", "-d", server.url, "--tokens", "3",
                 "--iterations", "2", "--warmup", "0", "--prompt", "Hi", "--metrics", "latency",
                 "-o", str(tmp_path / "r.html"), "--json"]  # fmt: skip
    assert main(arguments) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["measurements"]["ttft_ms"]["clock"] == "host"
    assert said["profiles"]["latency"]["tokens_per_second"] > 0
    assert "Tokens over time" in (tmp_path / "r.html").read_text()


def test_devices_in_turns_are_joined_round_by_round(tmp_path, tiny_model_path, capsys):
    arguments = ["profile", "-p", "host", "-d", "host://", "-d", "sim://generic-rv32",
                 "--tokens", "4", "--prompt", "abc", "-m", str(tiny_model_path), "--in-turns",
                 "--iterations", "7", "-o", str(tmp_path / "r.json")]  # fmt: skip
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "7 requests" in out
    assert "1 requests" in out
    host, sim = (ProfileResults.from_json(one) for one in sorted(tmp_path.iterdir()))
    assert host.session_metadata["turns"] == sim.session_metadata["turns"]
    assert (host.measurements["ttft_ms"].n, sim.measurements["ttft_ms"].n) == (7, 1)


@pytest.mark.parametrize("where", ["127.0.0.1:99999", "nowhere", ":80", "127.0.0.1:x"])
def test_an_agent_is_told_where_it_cannot_listen(where, capsys):
    assert main(["agent", "--listen", where]) == 1
    assert "where must be host:port" in capsys.readouterr().err


def test_missing_files_of_a_comparison_are_named(tmp_path, capsys):
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 2
    assert "before: there is no file" in capsys.readouterr().err
