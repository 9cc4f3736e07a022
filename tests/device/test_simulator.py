"""The shipped firmware on the simulated board, over the real protocol."""

from pathlib import Path

import pytest
from gguf_files import tiny_llama

from holdfast import _core
from holdfast.errors import InvalidDataError, InvalidParameterError

IMAGES = Path(_core.__file__).parent / "edge" / "images"
FIRMWARE = (IMAGES / "sim-rv32.elf").read_bytes()
MODEL = (IMAGES / "fables-279k-q8_0.gguf").read_bytes()
PROMPT = "Once upon a time"


def now(device):
    return device.ticks * 10**9 // device.clock_hz


def converse(client, device, *, until=("idle",), limit=100):
    """Carries bytes to and fro until nothing moves."""
    events = []
    for _ in range(limit):
        out = client.take()
        device.write(out)
        state = device.run(20_000_000)
        data = device.read()
        events += client.feed(data, now(device))
        if state in until and not out and not data:
            return events
        assert state != "fault", device.fault
    return events


def generate(device, count, prompt=PROMPT, request=1):
    client = _core.ProtocolClient()
    client.generate(request, prompt, now(device), max_tokens=count, ignore_eos=True)
    return converse(client, device)


def tokens(events):
    return [event["id"] for event in events if event["event"] == "token"]


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "F16", "F32"])
def test_the_board_and_this_machine_write_the_same_text_bit_by_bit(kind):
    model = tiny_llama(kind)
    device = _core.SimulatedDevice(FIRMWARE, model)
    engine = _core.HostEngine(model)
    ids = engine.tokenize("the a")
    end = generate(device, 20, ids)[-1]
    assert end["digest"] == engine.generate(ids, 20, ignore_eos=True)["digest"]
    assert end["digest_matches"]


def test_the_shipped_model_runs_and_every_run_is_the_same():
    runs = []
    for _ in range(2):
        device = _core.SimulatedDevice(FIRMWARE, MODEL, profile="esp32-c3")
        events = generate(device, 8)
        runs.append(
            ([(e["id"], e["ticks"]) for e in events if e["event"] == "token"], device.report())
        )
    assert runs[0] == runs[1]
    assert len(runs[0][0]) == 8


def test_chance_with_a_seed_is_the_same_on_both_machines():
    device, engine = _core.SimulatedDevice(FIRMWARE, MODEL), _core.HostEngine(MODEL)
    client, ids = _core.ProtocolClient(), engine.tokenize(PROMPT)
    client.generate(1, PROMPT, 0, max_tokens=10, temperature_milli=800, seed=7, ignore_eos=True)
    events = converse(client, device)
    made = engine.generate(ids, 10, temperature_milli=800, seed=7, ignore_eos=True)
    assert tokens(events) == made["tokens"]


def test_counts_add_up():
    device = _core.SimulatedDevice(FIRMWARE, MODEL)
    end = generate(device, 4)[-1]
    report = device.report()
    assert sum(report["classes"].values()) == report["instructions"]
    assert 0 < end["instructions"] < end["cycles"] < report["cycles"]
    assert report["flash_used_bytes"] > len(MODEL)


def test_memory_as_the_device_tells_it_is_memory_as_it_was_used():
    device = _core.SimulatedDevice(FIRMWARE, MODEL)
    generate(device, 4)
    client = _core.ProtocolClient()
    client.memory(0)
    memory = converse(client, device)[-1]
    report = device.report()
    assert memory["ram_bytes"] == report["ram_bytes"] == 256 << 10
    assert memory["flash_used_bytes"] == report["flash_used_bytes"]
    assert memory["model_bytes"] == len(MODEL)
    # Paint shows the deepest word written; the stack pointer also counts what was reserved
    # below it, such as the unused part of a frame's buffer.
    assert 0 < memory["stack_high_water_bytes"] <= report["stack_high_water_bytes"] < 10 << 10
    arena = _core.HostEngine(MODEL, context=memory_context(device)).info()["arena_bytes"]
    assert memory["arena_used_bytes"] == arena
    stack = 10 << 10
    assert stack + memory["static_bytes"] + memory["arena_bytes"] <= memory["ram_bytes"]


def memory_context(device):
    client = _core.ProtocolClient()
    client.model_info(0)
    return converse(client, device)[-1]["context"]


def test_the_context_shrinks_to_the_memory_and_then_the_model_is_refused():
    sizes = (256 << 10, 160 << 10, 96 << 10)
    boards = [_core.SimulatedDevice(FIRMWARE, MODEL, ram_bytes=ram) for ram in sizes]
    contexts = [memory_context(board) for board in boards]
    assert contexts == sorted(contexts, reverse=True)
    assert contexts[0] > contexts[-1]
    device = _core.SimulatedDevice(FIRMWARE, MODEL, ram_bytes=32 << 10)
    error = generate(device, 1)[-1]
    assert (error["event"], error["code"]) == ("error", "out_of_memory")
    assert error["value"] > 0


def test_memory_too_small_for_the_firmware_is_a_fault_with_an_address():
    device = _core.SimulatedDevice(FIRMWARE, MODEL, ram_bytes=8 << 10)
    assert device.run() == "fault"
    assert device.fault["kind"] in {"store_fault", "load_fault"}


def test_a_model_that_exceeds_the_flash_is_refused_by_how_much():
    with pytest.raises(InvalidDataError, match="too many"):
        _core.SimulatedDevice(FIRMWARE, MODEL, flash_bytes=256 << 10)


def test_a_model_is_uploaded_into_flash_and_survives_a_reset():
    device, client = _core.SimulatedDevice(FIRMWARE), _core.ProtocolClient()
    client.upload(tiny_llama(), 0)
    assert converse(client, device, limit=1000)[-1]["event"] == "model"
    before = tokens(generate(device, 5, "the"))
    device.reset()
    assert tokens(generate(device, 5, "the")) == before


def test_a_reset_is_seen_as_a_reboot():
    device, client = _core.SimulatedDevice(FIRMWARE, MODEL), _core.ProtocolClient()
    converse(client, device)
    client.generate(3, PROMPT, 0, max_tokens=50)
    device.write(client.take())
    device.run(5_000_000)
    device.read()
    device.reset()
    events = converse(client, device)
    assert events[0]["event"] == "reboot"
    assert events[0]["lost_requests"] == [3]


def test_the_baud_rate_changes_on_both_ends():
    device, client = _core.SimulatedDevice(FIRMWARE, MODEL), _core.ProtocolClient()
    converse(client, device)
    client.set_baud(115_200, now(device))
    assert converse(client, device)[-1]["event"] == "baud_switch"
    device.set_host_baud(115_200)
    client.baud_switched(now(device))
    assert converse(client, device)[-1]["event"] == "baud_kept"


def test_a_baud_rate_nobody_confirms_is_given_up():
    device, client = _core.SimulatedDevice(FIRMWARE, MODEL), _core.ProtocolClient()
    converse(client, device)
    client.set_baud(115_200, now(device))
    converse(client, device)
    client.hello(now(device))
    assert converse(client, device) == []
    device.advance(0.6)
    device.run()
    client.hello(now(device))
    assert converse(client, device)[-1]["event"] == "hello"


def test_a_ping_between_tokens_tells_the_device_clock():
    device, client = _core.SimulatedDevice(FIRMWARE, MODEL), _core.ProtocolClient()
    client.generate(1, PROMPT, 0, max_tokens=8, ignore_eos=True)
    device.write(client.take())
    device.run(20_000_000)
    client.feed(device.read(), now(device))
    client.ping(now(device))
    events = converse(client, device)
    kinds = [event["event"] for event in events]
    assert "pong" in kinds[:-2]
    pong = events[kinds.index("pong")]
    assert pong["device_received"] <= pong["device_sent"] <= device.ticks


def test_a_slower_wire_takes_longer_on_the_virtual_clock():
    ticks = {}
    for rate in (115_200, 3_000_000):
        device, client = _core.SimulatedDevice(FIRMWARE, MODEL), _core.ProtocolClient()
        converse(client, device)
        client.set_baud(rate, now(device))
        converse(client, device)
        device.set_host_baud(rate)
        client.baud_switched(now(device))
        converse(client, device)
        start = device.ticks
        client.hello(now(device))
        converse(client, device)
        ticks[rate] = device.ticks - start
    # Nineteen bytes out: 16 commands and their zeros; the answer is queued, not waited for.
    assert ticks[115_200] > ticks[3_000_000] + 100_000


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"profile": "esp32"}, "generic-rv32"),
        ({"ram_bytes": -1}, "ram_bytes"),
        ({"ram_bytes": 1000}, "ram_bytes"),
        ({"clock_hz": 0}, "clock_hz"),
    ],
    ids=str,
)
def test_impossible_boards_are_refused(parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        _core.SimulatedDevice(FIRMWARE, MODEL, **parameters)


def test_profiles_say_where_their_numbers_come_from():
    for name, profile in _core.simulated_profiles().items():
        assert profile["source"], name
        assert _core.SimulatedDevice(FIRMWARE, profile=name).clock_hz == profile["clock_hz"]
