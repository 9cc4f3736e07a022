import time

import pytest
from edge_peers import LineDevice, Printing, PtyPeer, Silent, TcpPeer, TinyDevice
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.edge import (
    DeviceError,
    DeviceTimeoutError,
    Generation,
    ProtocolError,
    request_metrics,
)
from holdfast.edge._backends.line_protocol import LineProtocol
from holdfast.edge._backends.mlperf_tiny import MLPerfTiny
from holdfast.edge._backends.regex_adapter import RegexAdapter, read_description
from holdfast.edge._links.channels import open_link
from holdfast.errors import InvalidDataError, InvalidParameterError


def opener(target):
    return lambda: open_link(target, baudrate=115_200)


@pytest.fixture
def tiny(peer):
    def make(**options):
        # Its time passes by inferences and nothing else.
        device = TinyDevice(**({"now_us": lambda: 5000} | options))
        client = MLPerfTiny(opener(peer(PtyPeer, device).path), timeout=60.0)
        return client, device, client.open()

    return make


def test_tiny_firmware_says_who_it_is(tiny):
    client, device, said = tiny()
    assert (said.board, said.model, said.tick_hz) == ("holdfast-peer", {"name": "kws01"}, 1e6)
    assert device.commands == ["", "name", "profile"]
    client.close()


def test_a_device_that_boots_when_its_port_opens_is_waited_for(tiny):
    client, _, said = tiny(boot=True)
    assert said.board == "holdfast-peer"
    client.close()


def test_every_command_of_the_protocol(tiny):
    client, device, _ = tiny()
    data = bytes(range(64))
    client.load_input(data)
    assert client.read_input() == data
    assert bytes(device.buffer) == data
    run = client.infer(5, 2)
    assert (run.iterations, run.results) == (5, [0.1, 0.9])
    assert run.throughput == pytest.approx(1000)
    assert client.results() == [0.1, 0.9]
    assert client.timestamp() > 0
    assert client.command("help")[0][0] == "anything"
    assert "infer 5 2" in device.commands
    client.close()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("infer 0 0", "iterations"), ("infer 1 -1", "warmup"), ("db 0", "Insufficent"),
        ("db zz", "Invalid hex digit"), ("nonsense", "Unknown command"),
    ],
)  # fmt: skip
def test_every_error_of_the_protocol_is_raised(tiny, command, said):
    client, _, _ = tiny()
    with pytest.raises(DeviceError, match=said) as caught:
        client.command(command)
    assert caught.value.error_code == "DEVICE_SAID_NO"
    assert client.command("name")
    client.close()


def test_what_would_harm_the_firmware_is_never_sent(tiny):
    client, device, _ = tiny()
    before = list(device.commands)
    with pytest.raises(InvalidDataError, match="%"):
        client.command("name%profile")
    with pytest.raises(InvalidDataError, match="79 bytes"):
        client.command("db " + "00" * 40)
    with pytest.raises(InvalidDataError, match="bytes"):
        client.load_input(b"")
    with pytest.raises(InvalidDataError, match="bytes"):
        MLPerfTiny(lambda: None, max_buffer=10).load_input(bytes(11))
    with pytest.raises(InvalidParameterError, match="iterations"):
        client.infer(0)
    assert device.commands == before
    client.close()


def test_firmware_in_energy_mode_is_named_as_such(tiny):
    client, _, _ = tiny(energy=True)
    with pytest.raises(ProtocolError, match="performance mode"):
        client.infer(1)
    client.close()


def test_the_clock_that_starts_over_every_71_minutes_keeps_growing(peer):
    device = TinyDevice(now_us=lambda: 2**32 - 2000, us_per_inference=5000)
    client = MLPerfTiny(opener(peer(PtyPeer, device).path))
    client.open()
    run = client.infer(1)
    assert run.end_us - run.start_us == 5000
    assert client.timestamp() - run.end_us == 0
    client.close()


def test_the_score_is_the_median_of_windows_that_are_long_enough(tiny):
    client, _, _ = tiny(us_per_inference=10_000)
    score, runs = client.benchmark([b"a", b"b", b"c", b"d", b"e"], seconds=1.0)
    assert score == pytest.approx(100)
    assert len(runs) == 5
    assert all((run.end_us - run.start_us) >= 1_000_000 for run in runs)
    client.close()


@pytest.mark.parametrize("piece", [1, 3, None])
def test_answers_split_anywhere_are_understood(peer, piece):
    device = peer(TcpPeer, TinyDevice, piece=piece)
    client = MLPerfTiny(opener(device.url))
    assert client.open().board == "holdfast-peer"
    client.load_input(b"hello")
    assert client.read_input() == b"hello"
    client.close()


def test_inference_without_tokens_gives_a_time_and_no_token_rate(tiny):
    client, _, _ = tiny(us_per_inference=2000)
    out = Generation(0, "abc")
    client.generate(out, 8, 0, 60.0)
    found = request_metrics(out)
    assert out.end_ticks - out.start_ticks == 2000
    assert found.decode_tps is None
    assert found.tokens is None
    client.close()


def test_pings_carry_the_devices_clock(tiny):
    began = time.monotonic_ns()
    client, _, _ = tiny(now_us=lambda: (time.monotonic_ns() - began) // 1000)
    ping = client.ping(60.0)
    assert (ping.sent_ns - began) // 1000 <= ping.received_ticks
    assert ping.received_ticks <= (ping.arrived_ns - began) // 1000
    client.close()


def line_client(peer, **options):
    device = LineDevice(**options)
    return LineProtocol(opener(peer(PtyPeer, device).path), timeout=60), device


def test_the_older_protocol_measures_what_it_can_and_nothing_else(peer):
    client, device = line_client(peer, tokens=12)
    client.open()
    out = Generation(0, "Hello")
    client.generate(out, 8, 0, 60.0)
    found = request_metrics(out)
    assert (found.tokens, found.decode_tps, found.itl_ms) == (12, None, [])
    assert found.e2e_tps > 0
    assert found.ttft_ms == out.reported["first_token_ms"]
    assert client.memory(60.0).peak_bytes == round(123.5 * 1024)
    assert client.metrics(60.0) == {
        "cpu_percent": 10.5, "memory_kb": 200.0, "tokens_per_second": 7.5,
    }  # fmt: skip
    assert device.commands[:3] == ["PING", "FIRST_TOKEN:Hello", "INFER:Hello"]
    client.close()


def test_silence_to_ping_means_nobody_is_there(peer):
    client = LineProtocol(opener(peer(PtyPeer, Silent()).path), timeout=0.01)
    with pytest.raises(DeviceTimeoutError, match="PING"):
        client.open()


@pytest.mark.parametrize(
    ("answers", "call"),
    [
        ({"INFER": "twelve"}, "generate"), ({"MEM_STATUS": "MEM:"}, "memory"),
        ({"METRICS": "METRICS:1"}, "metrics"), ({"INFER": "TOKENS:-3"}, "generate"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_understood_is_never_a_number(peer, answers, call):
    client, _ = line_client(peer, answers=answers)
    client.open()
    arguments = (Generation(0, "x"), 8, 0, 60.0) if call == "generate" else (60.0,)
    with pytest.raises(ProtocolError):
        getattr(client, call)(*arguments)
    client.close()


@pytest.mark.parametrize("answers", [True, False])
def test_heartbeats_never_shift_later_answers(peer, answers):
    client, _ = line_client(peer, answer_heartbeat=answers)
    client.open()
    if not answers:
        client._timeout = 0.05
    assert client.heartbeat(60.0) is answers
    assert client.metrics(60.0)["memory_kb"] == 200
    client.close()


LLAMA2C = {
    "name": "llama2.c",
    "request": "{prompt} -n {tokens}\n",
    "summary": r"achieved tok/s: (?P<tokens_per_second>[\d.]+)",
}
STREAM = {
    "name": "stream",
    "request": "gen {tokens} {prompt}\n",
    "ready": "^ready$",
    "token": r"^tok (?P<index>\d+) (?P<id>\d+) (?P<us>\d+) '(?P<text>.*)'$",
    "end": "^done$",
    "error": "^panic",
}


def regex_client(peer, description, answer, hello=b""):
    device = Printing(answer, hello)
    path = peer(PtyPeer, device).path
    return RegexAdapter(opener(path), read_description(description), 60.0), device


def test_a_printed_summary_is_reported_and_marked_as_such(peer):
    client, device = regex_client(peer, LLAMA2C, b"Once upon\nachieved tok/s: 19.13\n")
    client.open()
    out = Generation(0, "Hi")
    client.generate(out, 16, 0, 60.0)
    found = request_metrics(out)
    assert found.decode_tps == 19.13
    assert "decode_tps" in found.reported
    assert device.commands == ["Hi -n 16\n"]
    client.close()


def test_printed_tokens_with_times_are_measured_by_the_devices_clock(peer):
    top = 2**32
    lines = [f"tok {i} {100 + i} {(top - 2500 + 1000 * i) % top} 't{i}'\n" for i in range(6)]
    client, _ = regex_client(
        peer, STREAM, ("".join(lines) + "done\n").encode(), b"boot\nready\n"
    )
    client.open()
    out = Generation(0, "Hi")
    client.generate(out, 6, 0, 60.0)
    found = request_metrics(out)
    assert found.itl_ms == pytest.approx([1.0] * 5)
    assert (found.clock, out.token_ids, out.text) == (
        "device",
        list(range(100, 106)),
        "t0t1t2t3t4t5",
    )
    client.close()


def test_a_printed_panic_is_an_error_and_keeps_what_came(peer):
    answer = b"tok 0 1 1000 'a'\ntok 1 2 2000 'b'\npanic: out of memory\n"
    client, _ = regex_client(peer, STREAM, answer, b"ready\n")
    client.open()
    out = Generation(0, "Hi")
    with pytest.raises(DeviceError, match="out of memory"):
        client.generate(out, 6, 0, 60.0)
    assert out.token_ids == [1, 2]
    client.close()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"request": "go\n"}, "request"), ({"summary": "("}, "summary"),
        ({"summary": "(?P<speed>.)"}, "speed"), ({"colour": "red"}, "colour"),
        ({"summary": [], "token": None}, "token"), ({"summary": [], "token": "x"}, "end"),
    ],
)  # fmt: skip
def test_a_wrong_description_names_its_entry(changes, named):
    with pytest.raises(InvalidParameterError, match=named):
        read_description(LLAMA2C | changes)


def test_descriptions_are_read_from_toml(tmp_path):
    pytest.importorskip("tomllib")
    file = tmp_path / "d.toml"
    file.write_text(
        "name = 'x'\nrequest = \"{prompt}\\n\"\nsummary = 'tps (?P<tokens_per_second>.+)'\n"
    )
    assert read_description(file).name == "x"
    file.write_text("name = ")
    with pytest.raises(InvalidParameterError, match=r"d\.toml"):
        read_description(file)


class Recording:
    """A link that delivers given bytes and swallows what is written."""

    name, kind, baudrate = "recording", "test", None

    def __init__(self, data):
        self.data, self.time = data, 0

    def write(self, data):
        pass

    def read(self, timeout):
        self.time += int(timeout * 1e9) + 1 if not self.data else 1
        out, self.data = self.data[:7], self.data[7:]
        return out

    def now_ns(self):
        return self.time

    def close(self):
        pass


NOISE = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.sampled_from([
            b"m-ready\r\n", b"m-name-dut-[x]\r\n", b"m-lap-us-99999999999999999999\r\n", b"e-[x]\r\n",
            b"m-results-[1,,x]\r\n", b"m-buffer-zz\r\n", b"\xff\n", b"TOKENS:99999999999\n", b"MEM:1\n",
            b"tok 0 1 2 'x'\n", b"done\n", b"m-init-done\r\n", b"achieved tok/s: 1.2.3\n",
        ]),
        max_size=12,
    ).map(b"".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(NOISE)
def test_no_bytes_make_an_adapter_fail_in_an_unknown_way(data):
    clients = [
        MLPerfTiny(lambda: Recording(data), timeout=0.1),
        LineProtocol(lambda: Recording(data), timeout=0.1),
        RegexAdapter(lambda: Recording(data), read_description(STREAM), 0.1),
        RegexAdapter(lambda: Recording(data), read_description(LLAMA2C), 0.1),
    ]
    for client in clients:
        try:
            client.open()
            client.generate(Generation(0, "x"), 4, 0, 0.1)
            client.memory(0.1)
        except DeviceError:
            continue
