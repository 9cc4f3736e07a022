"""The specification is enough: a device written from it in C99 talks to our host side."""

import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from holdfast import _core

SOURCE = Path(__file__).parent.parent.parent / "examples/agent_c99/main.c"


@pytest.fixture
def device(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    program = tmp_path / "agent"
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
    subprocess.run([compiler, *flags, "-o", program, SOURCE], check=True)
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        yield process
        process.stdin.close()


def converse(client, device, until, harm=lambda data: data):
    events = []
    for _ in range(500):
        device.stdin.write(harm(client.take()))
        data = b""
        while select.select([device.stdout], [], [], 0.01)[0]:
            data += device.stdout.read(4096)
        events += client.feed(harm(data), time.monotonic_ns())
        events += client.poll(time.monotonic_ns())
        if any(event["event"] == until for event in events):
            return events
    raise AssertionError(events)


def test_hello_tells_a_narrow_clock(device):
    client = _core.ProtocolClient()
    client.hello(time.monotonic_ns())
    hello = converse(client, device, "hello")[0]
    assert (hello["board"], hello["clock_bits"], hello["clock_hz"]) == (
        "c99-letters",
        32,
        10**6,
    )


def test_a_request_longer_than_the_ring(device):
    client = _core.ProtocolClient()
    client.generate(1, "a", time.monotonic_ns(), max_tokens=400)
    events = converse(client, device, "end")
    text = b"".join(event["piece"] for event in events if event["event"] == "token")
    start = (ord("a") + 1) % 26
    assert text == bytes(97 + (start + i) % 26 for i in range(400))
    assert events[-1]["digest_matches"]
    assert events[-1]["prompt_tokens"] == 2


def test_records_lost_on_the_way_are_sent_again(device):
    client = _core.ProtocolClient(reply_timeout_ns=30_000_000, stall_ns=30_000_000, attempts=20)
    client.hello(time.monotonic_ns())
    converse(client, device, "hello")
    client.generate(1, "x", time.monotonic_ns(), max_tokens=60)
    bursts = iter(range(10**6))

    def harm(data):
        # The first three bursts of records lose their middle.
        third = len(data) // 3
        harmed = len(data) > 200 and next(bursts) < 3
        return data[:third] + data[2 * third :] if harmed else data

    events = converse(client, device, "end", harm)
    assert [e["index"] for e in events if e["event"] == "token"] == list(range(60))
    assert client.statistics()["resumes"] > 0


def test_what_it_lacks_is_an_error_and_not_silence(device):
    client = _core.ProtocolClient()
    client.power(time.monotonic_ns())
    error = converse(client, device, "error")[-1]
    assert (error["command"], error["code"]) == ("power", "unsupported")


def test_cancelling_ends_a_request(device):
    client = _core.ProtocolClient()
    client.generate(1, [5], time.monotonic_ns(), max_tokens=0)
    assert converse(client, device, "end")[-1]["reason"] == "length"
    client.cancel(1, time.monotonic_ns())
    client.ping(time.monotonic_ns())
    assert converse(client, device, "pong")[-1]["event"] == "pong"
