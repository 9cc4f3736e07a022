import itertools
import random
import time

import pytest
from edge_peers import Agent, Proxy, PtyPeer, Silent, SimulatedBoard

from holdfast._core import SimulatedDevice
from holdfast.edge import (
    DeviceError,
    DeviceRebootError,
    DeviceTimeoutError,
    Generation,
    ModelLoadError,
    QuantizedModel,
    fit_clock,
    identify,
    request_metrics,
)
from holdfast.edge._backends.images import simulator_firmware
from holdfast.edge._backends.inprocess import AgentLink, LocalEngine
from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._links.channels import open_link


def device(url, **options):
    return FramedDevice(lambda: open_link(url, connection_timeout=5), **options)


def generate(one, prompt="abc", tokens=12, timeout=120.0):
    out = Generation(0, prompt)
    one.generate(out, tokens, 0, timeout)
    return out


@pytest.fixture
def reference(tiny_model):
    """What the engine writes without any link between."""
    engine = LocalEngine()
    engine.load(tiny_model)
    return generate(engine)


def test_the_engine_in_this_process_is_a_device(reference):
    found = request_metrics(reference)
    assert len(reference.token_ids) == len(found.itl_ms) + 1 == reference.tokens
    assert found.ttft_ms > 0
    assert found.decode_tps > 0
    assert found.prefill_tps > 0
    assert found.clock == "host"
    assert reference.digest


def test_a_device_behind_tcp_says_the_same(peer, tiny_model, reference):
    one = device(peer(Agent).url)
    said = one.open()
    assert said.protocol == "holdfast"
    assert said.tick_hz == 1e9
    one.load(tiny_model)
    out = generate(one)
    assert (out.token_ids, out.digest) == (reference.token_ids, reference.digest)
    memory = one.memory(5.0)
    assert memory.peak_bytes > 0
    assert memory.model_bytes == len(tiny_model.data())
    one.close()


def test_pings_fit_the_devices_clock(peer):
    one = device(peer(Agent).url)
    said = one.open()
    pings = [one.ping(60.0) for _ in range(20)]
    fit = fit_clock(pings, said.tick_hz)
    # The quickest is among those that were used, for which the bound is given.
    best = min(pings, key=lambda one: one.arrived_ns - one.sent_ns)
    theirs = fit.offset_ns + (best.received_ticks + best.replied_ticks) / 2 * fit.ns_per_tick
    assert abs(theirs - (best.sent_ns + best.arrived_ns) / 2) <= fit.error_ns
    one.close()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_slow_link_changes_the_hosts_times_only(peer, tiny_model, delay):
    def down(data, total):
        time.sleep(delay)
        return data

    agent = peer(Agent, tiny_model.data())
    one = device(peer(Proxy, agent.url, down=down).url)
    one.open()
    found = request_metrics(generate(one, tokens=8))
    # However long the engine needs on a busy machine, its clock leaves the delay out.
    assert found.link_ms >= delay * 1e3 - 1
    one.close()


class SlowLink:
    """A simulated board at the end of a link that takes its time, in a time of its own."""

    name, kind, baudrate = "slow", "virtual", None

    def __init__(self, model, delays):
        self.board = SimulatedDevice(simulator_firmware(), model)
        self.delays, self.time, self.coming = delays, 10**9, []

    def write(self, data):
        self.board.write(data)
        alive = True
        while alive:
            alive = self.board.run(200_000) == "running"
            if out := self.board.read():
                ready = self.time + round(next(self.delays) * 1e9)
                # Bytes never overtake one another.
                self.coming.append((max(ready, self.coming[-1][0] if self.coming else 0), out))

    def read(self, timeout):
        due = self.time + int(max(timeout, 0) * 1e9)
        if not self.coming or self.coming[0][0] > due:
            self.time = due + 1
            return b""
        ready, out = self.coming.pop(0)
        self.time = max(self.time, ready)
        return out

    def now_ns(self):
        return self.time

    def close(self):
        pass


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("longest", [0.01, 0.05, 0.2])
def test_delays_change_nothing_on_the_devices_clock(tiny_model, longest, seed):
    noise, found = random.Random(seed), []
    for delays in (
        itertools.repeat(0.0),
        iter(lambda: noise.uniform(longest / 2, longest), None),
    ):
        one = FramedDevice(lambda delays=delays: SlowLink(tiny_model.data(), delays))
        one.open()
        found.append(request_metrics(generate(one, tokens=8)))
        one.close()
    plain, late = found
    assert len(plain.itl_ms) == 7
    assert late.ttft_ms == pytest.approx(plain.ttft_ms, rel=0.01)
    assert late.itl_ms == pytest.approx(plain.itl_ms, rel=0.01)
    assert late.ttft_host_ms >= longest / 2 * 1e3


@pytest.mark.parametrize("seed", range(12))
def test_drops_at_any_byte_lose_no_token(peer, tiny_model, reference, seed):
    rng = random.Random(seed)
    cuts = [rng.randrange(80, 700) for _ in range(2)]

    def down(data, total):
        if cuts and total >= cuts[0]:
            cuts.pop(0)
            return None
        return data

    agent = peer(Agent, tiny_model.data())
    proxy = peer(Proxy, agent.url, down=down)
    one = device(proxy.url, timeout=2.0, recoveries=5)
    try:
        one.open()
    except DeviceError:
        one.open()
    out = generate(one)
    assert out.token_ids == reference.token_ids
    assert out.digest == reference.digest
    assert one.reconnects == out.marks.count("reconnect")
    one.close()


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bits_never_give_a_wrong_token(peer, tiny_model, reference, seed):
    rng = random.Random(seed)
    flips = [3]

    def down(data, total):
        if total > 60 and flips[0] > 0 and rng.random() < 0.5:
            flips[0] -= 1
            data = bytearray(data)
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            return bytes(data)
        return data

    agent = peer(Agent, tiny_model.data())
    one = device(peer(Proxy, agent.url, down=down).url, timeout=2.0)
    try:
        one.open()
    except DeviceError:
        one.open()
    out = generate(one)
    assert out.token_ids == reference.token_ids
    assert out.digest == reference.digest
    one.close()


def test_a_bad_model_is_refused_by_the_device(peer, tmp_path):
    (tmp_path / "bad.bin").write_bytes(b"\0" * 100)
    one = device(peer(Agent).url)
    one.open()
    bad = QuantizedModel("bad")
    bad._data = b"GGUF" + b"\0" * 60
    with pytest.raises(ModelLoadError, match="bad"):
        one.load(bad)
    with pytest.raises(DeviceError, match=r"bad_model|no_model"):
        generate(one)
    one.close()


def test_a_silent_port_is_a_timeout(peer):
    one = device(peer(PtyPeer, Silent()).path, timeout=0.01)
    with pytest.raises(DeviceTimeoutError):
        one.open()


def test_a_serial_line_changes_its_speed_with_both_ends_agreeing(peer, tiny_model, reference):
    path = peer(PtyPeer, SimulatedBoard(tiny_model.data())).path
    one = FramedDevice(lambda: open_link(path, baudrate=921_600), timeout=60)
    one.open()
    assert one.set_baudrate(115_200)
    assert one.baudrate == 115_200
    out = generate(one)
    assert (out.token_ids, out.digest) == (reference.token_ids, reference.digest)
    one.close()


def test_the_speed_of_a_port_is_found_by_asking(peer, tiny_model):
    path = peer(PtyPeer, SimulatedBoard(tiny_model.data())).path
    found = identify(path, [115_200, 921_600])
    assert (found.baudrate, found.protocol, found.board) == (921_600, "holdfast", "sim-rv32")


class Resetting(AgentLink):
    """Presses the reset button after so many answers."""

    def __init__(self, agent, countdown):
        super().__init__(agent)
        self.countdown = countdown

    def read(self, timeout):
        data = super().read(timeout)
        self.countdown -= bool(data)
        if self.countdown == 0:
            self.agent.reset()
        return data


def test_a_reset_in_the_middle_is_told_from_a_lost_link(tiny_model):
    from holdfast._core import LocalAgent

    link = Resetting(LocalAgent(tiny_model.data()), 8)
    one = FramedDevice(lambda: link, timeout=60.0)
    one.open()
    out = Generation(0, "abc")
    with pytest.raises(DeviceRebootError, match="restarted"):
        one.generate(out, 30, 0, 10)
    assert 0 < len(out.token_ids) < 30
    assert one.reboots == 1
    assert one.reconnects == 0
