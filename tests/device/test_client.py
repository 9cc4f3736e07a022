"""The host's side of the protocol against the agent on this machine."""

import re
from pathlib import Path

import pytest
from gguf_files import tiny_llama

from holdfast import _core
from holdfast.errors import InvalidDataError, InvalidParameterError


def converse(client, device, rounds=200):
    events = []
    for round_ in range(rounds):
        now = round_ * 1_000_000
        device.write(client.take())
        device.step()
        events += client.feed(device.read(), now)
        events += client.poll(now)
    return events


def test_a_generation_over_the_in_process_link():
    client, device = _core.ProtocolClient(), _core.LocalAgent(tiny_llama())
    client.hello(0)
    client.generate(7, "the", 0, max_tokens=5, ignore_eos=True)
    client.memory(0)
    events = converse(client, device)
    kinds = [event["event"] for event in events]
    assert kinds == ["hello", "hello", "started", "memory", *["token"] * 5, "end"]
    end = events[-1]
    assert end["reason"] == "length"
    assert end["digest_matches"]
    assert end["start_ticks"] <= end["prefill_ticks"] <= end["end_ticks"]
    stamps = [event["ticks"] for event in events if event["event"] == "token"]
    assert stamps == sorted(stamps)
    assert client.statistics()["crc_errors"] == 0


def test_the_protocol_and_the_engine_agree():
    client, device = _core.ProtocolClient(), _core.LocalAgent(tiny_llama())
    engine = _core.HostEngine(tiny_llama())
    ids = engine.tokenize("the")
    client.generate(7, ids, 0, max_tokens=12, ignore_eos=True)
    end = converse(client, device)[-1]
    assert end["digest"] == engine.generate(ids, 12, ignore_eos=True)["digest"]


def test_an_upload_replaces_nothing_until_it_is_checked():
    client, device = _core.ProtocolClient(), _core.LocalAgent()
    client.upload(tiny_llama(), 0)
    events = converse(client, device, 400)
    assert events[-1]["event"] == "model"
    assert events[-1]["quantisation"] == "Q8_0"


def test_errors_name_their_command():
    client, device = _core.ProtocolClient(), _core.LocalAgent()
    client.generate(1, "x", 0, max_tokens=1)
    error = converse(client, device)[-1]
    assert (error["event"], error["command"], error["code"]) == (
        "error",
        "generate",
        "no_model",
    )


def test_a_prompt_too_long_for_a_frame_is_refused_at_once():
    client = _core.ProtocolClient()
    with pytest.raises(InvalidParameterError, match="at most 1011 bytes"):
        client.generate(1, "x" * 2000, 0, max_tokens=1)


@pytest.mark.parametrize("settings", [{"attempts": 0}, {"reply_timeout_ns": 0}], ids=str)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InvalidParameterError, match="at least 1"):
        _core.ProtocolClient(**settings)


def test_a_file_that_is_no_model_is_refused_by_name():
    with pytest.raises(InvalidDataError, match="GGUF"):
        _core.HostEngine(b"PK\x03\x04")


def test_the_frame_on_the_page_of_the_protocol_is_understood():
    page = (Path(__file__).parents[2] / "docs/protocol.md").read_text()
    wire = bytes.fromhex(re.search(r"becomes `([0-9A-F ]+)` on the wire", page)[1])
    device, client = _core.LocalAgent(), _core.ProtocolClient()
    device.read()
    client.ping(0)
    assert client.take()[1:5] == wire[1:5]
    device.write(wire)
    # Length of a block of two: the nonce comes back as it went.
    assert b"\x22\x11" in device.read()
