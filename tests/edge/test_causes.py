"""What a user reads when something is wrong, and what is left behind."""

import os
import shutil
import signal
import threading
import time

import pytest
from edge_peers import Agent, LineDevice, Proxy, PtyPeer, Silent, TcpPeer

from holdfast.edge import (
    DeviceConnectionError,
    EdgeProfiler,
    ProfilingConfig,
    UnknownProtocolError,
    profile_fleet,
    profile_in_turns,
)
from holdfast.edge._backends.inprocess import LocalEngine
from holdfast.errors import CircuitOpenError, InvalidParameterError


def quick(**changes):
    return ProfilingConfig(**{
        "measurement_iterations": 3, "warmup_iterations": 0, "max_new_tokens": 8,
        "max_retries": 0, "retry_delay": 0.0, "heartbeat_interval": 0.0,
        "max_cpu_percent": None, **changes,
    })  # fmt: skip


def test_an_open_breaker_says_what_the_device_failed_of():
    one = EdgeProfiler("esp32", "/dev/ttyUSB77", config=quick(failure_threshold=2))
    for _ in range(2):
        with pytest.raises(DeviceConnectionError, match="no such port"):
            one.connect()
    with pytest.raises(CircuitOpenError, match=r"last failure: .*ttyUSB77.*no such port"):
        one.connect()


def test_a_device_that_is_not_understood_leaves_the_breaker_closed(peer):
    device = peer(PtyPeer, Silent())
    config = quick(failure_threshold=1, boot_timeout=0.05, max_retries=3, retry_delay=5.0)
    one = EdgeProfiler("esp32", device.path, config=config)
    with pytest.raises(UnknownProtocolError, match=r"(?s)holdfast: .*mlperf-tiny: .*line: "):
        one.connect()
    assert one.connection_attempts == 1
    assert one.get_health_status()["circuit_breaker"]["state"] == "closed"


@pytest.mark.parametrize("path", ["/dev/ttyNOPE", "/dev/ttyUSB77", "/dev/tty.usbmodem1"])
def test_a_port_that_is_not_there_is_named(path):
    with pytest.raises(DeviceConnectionError, match=f"{path}.*no such port"):
        EdgeProfiler("esp32", path, config=quick()).connect()


@pytest.mark.parametrize(
    ("platform", "device", "said"),
    [
        ("sim-rv32", "sim://esp32-c4", "esp32-c3.*got 'esp32-c4'"),
        ("qemu", "qemu://nope?kernel=x", "mps2-an386 or netduinoplus2.{,90} got 'nope'"),
        ("qemu", "qemu://mps2-an386?kernel=/no/such.elf", "/no/such.elf"),
        ("esp32", "http://host:99999", "port of 1 to 65535"),
        ("esp32", "tcp://host:99999", "port of 1 to 65535"),
        ("esp32", "gopher://x", "device must be"),
    ],
)
def test_names_that_cannot_be_are_refused_with_those_that_can(platform, device, said):
    if "nope" in device and shutil.which("qemu-system-arm") is None:
        pytest.skip("the list comes from the emulator")
    with pytest.raises(InvalidParameterError, match=said):
        EdgeProfiler(platform, device, config=quick()).connect()


@pytest.mark.parametrize("rate", [0, -9600, 115_200.0, "9600", True])
@pytest.mark.parametrize("platform", ["sim-rv32", "host", "esp32"])
def test_a_speed_that_cannot_be_is_refused_by_every_platform(platform, rate):
    with pytest.raises(InvalidParameterError, match=f"baudrate must be .* got {rate!r}"):
        EdgeProfiler(platform, None, rate, config=quick())


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.gguf"):
        EdgeProfiler("host", config=quick()).profile_model(tmp_path / "none.gguf")


def test_one_bad_device_of_a_fleet_costs_the_others_nothing(tiny_model):
    found = profile_fleet(
        {
            "good": EdgeProfiler("host", config=quick()),
            "port": EdgeProfiler("esp32", "http://host:99999", config=quick()),
            "name": EdgeProfiler("esp32", "http://no.such.host.invalid", config=quick()),
        },
        tiny_model,
        ["abc"],
    )
    assert set(found.results) == {"good"}
    assert set(found.failures) == {"port", "name"}


def test_an_upload_survives_a_lost_link(peer, tiny_model):
    cut = [9000]

    def up(data, total):
        if cut and total >= cut[0]:
            cut.pop()
            return None
        return data

    agent = peer(Agent)
    proxy = peer(Proxy, agent.url, up=up)
    config = quick(max_retries=1)
    with EdgeProfiler("generic", proxy.url, config=config, protocol="holdfast") as profiler:
        results = profiler.profile_model(tiny_model, ["abc"], ["latency"])
    assert cut == []
    assert proxy.connections == 2
    assert results.session_metadata["requests"] == {"ok": 3, "partial": 0, "failed": 0}


def test_an_upload_that_is_cut_off_for_good_says_so(peer, tiny_model):
    def up(data, total):
        return None if total >= 9000 else data

    agent = peer(Agent)
    proxy = peer(Proxy, agent.url, up=up)
    config = quick(connection_timeout=0.2)
    profiler = EdgeProfiler("generic", proxy.url, config=config, protocol="holdfast")
    with profiler:
        proxy.server.close()
        with pytest.raises(DeviceConnectionError, match="cannot reach"):
            profiler.profile_model(tiny_model, ["abc"], ["latency"])


class Interrupting(LocalEngine):
    """Presses Ctrl-C in the middle of a call."""

    at = "generate"
    after = 2

    def pressed(self, name):
        if name == self.at:
            self.after -= 1
            if self.after == -1:
                os.kill(os.getpid(), signal.SIGINT)
                # The main thread raises here; a worker goes on for a moment.
                time.sleep(0.3)

    def open(self):
        self.pressed("open")
        return super().open()

    def load(self, model):
        self.pressed("load")
        super().load(model)

    def generate(self, *arguments):
        self.pressed("generate")
        super().generate(*arguments)

    def memory(self, timeout):
        self.pressed("memory")
        return super().memory(timeout)


@pytest.mark.parametrize(
    ("phase", "after", "requests"),
    [
        ("open", 0, None),
        ("load", 0, None),
        ("memory", 0, 0),
        ("generate", 2, 2),
        ("memory", 1, 3),
    ],
)
def test_ctrl_c_closes_the_link_and_keeps_what_was_measured(
    tiny_model, monkeypatch, phase, after, requests
):
    monkeypatch.setattr("holdfast.edge._backends.inprocess.LocalEngine", Interrupting)
    monkeypatch.setattr(Interrupting, "at", phase)
    monkeypatch.setattr(Interrupting, "after", after)
    profiler = EdgeProfiler("host", config=quick())
    with pytest.raises(KeyboardInterrupt) as caught:
        profiler.profile_model(tiny_model, ["abc"], ["latency", "memory"])
    assert not profiler.is_connected
    assert profiler.serial_conn is None
    assert not profiler.profiling_active
    if requests is None:
        assert profiler.last_results is None
        return
    partial = profiler.last_results
    assert partial is caught.value.partial_results
    assert partial.session_metadata["stopped"] == "interrupted"
    assert sum(not one.warm_up for one in partial.records) == requests
    assert (partial.tokens_per_second is not None) == (requests > 0)


def test_a_profile_can_be_ended_from_another_thread(peer):
    device = peer(TcpPeer, LineDevice)
    config = quick(measurement_iterations=500)
    with EdgeProfiler("esp32", device.url, config=config, protocol="line") as profiler:
        seen = []

        def progress(done, planned, last):
            seen.append(done)
            if done == 3:
                other = threading.Thread(target=profiler.stop)
                other.start()
                other.join()

        results = profiler.profile_model(None, ["abc"], ["latency"], progress=progress)
    assert results.session_metadata["stopped"] == "interrupted"
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("turns", [False, True])
def test_ctrl_c_keeps_what_a_fleet_measured(tiny_model, monkeypatch, turns):
    monkeypatch.setattr("holdfast.edge._backends.inprocess.LocalEngine", Interrupting)
    monkeypatch.setattr(Interrupting, "after", 2)
    profilers = {"one": EdgeProfiler("host", config=quick(measurement_iterations=500))}

    def work():
        if turns:
            return profile_in_turns(profilers, {"one": tiny_model}, ["abc"], rounds=500)
        return profile_fleet(profilers, tiny_model, ["abc"])

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    partial = caught.value.partial_results.results["one"]
    assert 0 < len(partial.records) < 500
    assert not profilers["one"].is_connected
