"""Ctrl-C in the middle of a request: nobody waits for the request's end."""

import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest
from edge_peers import LineDevice, PtyPeer, TcpPeer
from http_peers import HttpPeer

from holdfast.edge import EdgeProfiler, ProfilingConfig, profile_fleet
from holdfast.edge._interrupt import Interrupt, check, readable, woken_by

# The command line, which says when the first token of a request came and then waits for the
# signal: what is left of the request must not be waited for.
TELLING = """
import json, sys, time
from holdfast.cli import main
from holdfast.edge import _interrupt
from holdfast.edge._backends import native

take, told = native.FramedDevice._take, []

def telling(self, out, event, request):
    over = take(self, out, event, request)
    if event["event"] == "tokens" and id(out) not in told:
        told.append(id(out))
        print("a token came", flush=True)
        current = _interrupt._CURRENT.get()
        # The main thread leaves the loop by its own KeyboardInterrupt.
        while current is None or not current.is_asked:
            time.sleep(0.01)
    return over

native.FramedDevice._take = telling
sys.exit(main(sys.argv[1:]))
"""
SIM, PART = "sim://generic-rv32", "sim://esp32-c3"


@pytest.mark.parametrize(
    "devices",
    [[], ["-p", "host"], ["-d", SIM, "-d", PART], ["-d", SIM, "-d", PART, "--in-turns"],
     ["-p", "qemu", "-d", "qemu://mps2-an386"]],
)  # fmt: skip
@pytest.mark.timeout(300)
def test_a_long_request_is_left_in_the_middle(devices):
    if "qemu" in devices and shutil.which("qemu-system-arm") is None:
        pytest.skip("needs tools/install_servers.sh")
    command = [sys.executable, "-c", TELLING, "profile", *devices, "--tokens", "200",
               "--warmup", "0", "--prompt", "Once upon a time"]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as work:
        assert work.stdout.readline() == "a token came\n"
        work.send_signal(signal.SIGINT)
        out, said = work.communicate(timeout=240)
    assert work.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    # No request came to its end.
    assert "0 requests, interrupted" in out
    assert " 1 requests" not in out


class Pressing(LineDevice):
    """Whose user presses Ctrl-C when it is asked for tokens; it never gives any."""

    def feed(self, data):
        if b"FIRST_TOKEN" in data:
            os.kill(os.getpid(), signal.SIGINT)
            return b""
        return super().feed(data)


def endless(**changes):
    return ProfilingConfig(**{
        "operation_timeout": 3000.0, "timeout_seconds": 3000.0, "heartbeat_interval": 0.0,
        "max_cpu_percent": None, "warmup_iterations": 0, **changes,
    })  # fmt: skip


@pytest.mark.parametrize("link", ["pty", "tcp", "http"])
def test_devices_that_never_answer_are_left_and_closed(peer, link):
    pressing = EdgeProfiler(
        "esp32", peer(PtyPeer, Pressing()).path, config=endless(), protocol="line"
    )
    asked, never = threading.Event(), threading.Event()
    if link == "http":

        def stall(body):
            asked.set()
            never.wait()
            return []

        url = peer(HttpPeer, {"/v1/models": {}, "/v1/completions": stall}).url
        other = EdgeProfiler("rpi_zero", url, config=endless(), protocol="openai")
    else:
        silent = LineDevice(answers={"FIRST_TOKEN": None})
        made = peer(PtyPeer, silent) if link == "pty" else peer(TcpPeer, lambda: silent)
        where = made.path if link == "pty" else made.url
        other = EdgeProfiler("esp32", where, config=endless(), protocol="line")
    profilers = {"pressing": pressing, "other": other}
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            profile_fleet(profilers, None, ["abc"], ["latency"])
    finally:
        never.set()
    assert not any(one.is_connected for one in profilers.values())
    for one in caught.value.partial_results.results.values():
        assert one.session_metadata["stopped"] == "interrupted"


def test_one_device_is_measured_by_the_thread_that_hears_ctrl_c(peer):
    path = peer(PtyPeer, Pressing()).path
    profiler = EdgeProfiler("esp32", path, config=endless(), protocol="line")
    with pytest.raises(KeyboardInterrupt) as caught:
        profile_fleet({"one": profiler}, None, ["abc"], ["latency"])
    partial = caught.value.partial_results.results["one"]
    assert partial.session_metadata["stopped"] == "interrupted"
    assert not profiler.is_connected


def test_tokens_of_the_request_that_was_left_are_kept(tiny_model, monkeypatch):
    from holdfast.edge._backends.native import FramedDevice

    take, came = FramedDevice._take, []

    def pressed(self, out, event, request):
        over = take(self, out, event, request)
        if out.token_ids:
            came.append(len(out.token_ids))
            raise KeyboardInterrupt
        return over

    monkeypatch.setattr(FramedDevice, "_take", pressed)
    profiler = EdgeProfiler("sim-rv32", config=endless(max_new_tokens=8))
    with pytest.raises(KeyboardInterrupt) as caught:
        profiler.profile_model(tiny_model, ["abc"], ["latency"])
    (one,) = caught.value.partial_results.records
    assert (one.status, one.cause, len(one.token_ids)) == ("partial", "interrupted", *came)
    assert caught.value.partial_results.tokens_per_second is None


def test_an_interrupt_is_raised_once_and_only_where_it_is_heard():
    asked = Interrupt()
    asked.ask()
    check()
    with asked.heard():
        with pytest.raises(KeyboardInterrupt):
            check()
        check()
    check()


def test_waits_end_with_bytes_with_time_or_with_an_interrupt():
    ours, theirs = os.pipe()
    asked = Interrupt()
    with asked.heard():
        assert not readable(ours, 0.0)
        os.write(theirs, b"x")
        assert readable(ours, 3000.0)
        os.read(ours, 1)
        threading.Timer(0.0, asked.ask).start()
        with pytest.raises(KeyboardInterrupt):
            readable(ours, 3000.0)
    os.close(ours)
    os.close(theirs)


def test_who_waits_elsewhere_is_woken():
    asked, woken = Interrupt(), []
    with asked.heard(), woken_by(lambda: woken.append(1)):
        asked.ask()
    assert woken == [1]
    asked.ask()
    assert woken == [1]
    with asked.heard(), pytest.raises(KeyboardInterrupt), woken_by(lambda: woken.append(2)):
        pass
    assert woken == [1]
