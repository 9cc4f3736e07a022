"""Whatever a device says in a text protocol, it is understood rightly or refused by name."""

import pytest
from edge_peers import LineDevice, TinyDevice
from fuzzing import (
    EDITS,
    VALUES,
    Babbling,
    Wire,
    budget,
    check_sound,
    damaged,
    places,
    replaced,
)
from hypothesis import given
from hypothesis import strategies as st

from holdfast.edge import (
    DeviceError,
    DeviceRebootError,
    DeviceTimeoutError,
    Generation,
    ProtocolError,
)
from holdfast.edge._backends.line_protocol import LineProtocol
from holdfast.edge._backends.mlperf_tiny import MLPerfTiny
from holdfast.edge._backends.regex_adapter import RegexAdapter, read_description
from holdfast.errors import InvalidDataError, InvalidParameterError


class Damaging:
    """A device one of whose answers is damaged, and comes a command late if asked to."""

    def __init__(self, device, which, edits, *, late=False):
        self.device, self.which, self.edits, self.late = device, which, edits, late
        self.answers, self.held = 0, b""

    def __call__(self, data):
        answer = self.device.feed(data)
        out, self.held = self.held + answer, b""
        if answer:
            self.answers += 1
        if answer and self.answers == self.which:
            out = damaged(out, self.edits)
            if self.late:
                out, self.held = b"", out
        return out


def tiny(feed_of):
    device = TinyDevice(now_us=lambda: wire.time // 1000)
    feed = feed_of(device)
    wire = Wire(feed)
    return MLPerfTiny(lambda: wire, timeout=1.0), device, feed


# A long line is refused while it is read: the rest of it is still to come then.
AWAY = st.tuples(st.integers(1, 8), EDITS, st.booleans())


@budget(300)
@given(AWAY, st.integers(1, 48))
def test_a_damaged_answer_of_tiny_firmware_never_shifts_the_next(damage, piece):
    which, edits, late = damage
    client, device, feed = tiny(lambda one: Damaging(one, which, edits, late=late))
    out = Generation(0, "abc")
    calls = [
        client.open,
        lambda: client.load_input(b"hello"),
        client.timestamp,
        lambda: client.infer(3, 1),
        lambda: client.generate(out, 4, 0, 1.0),
    ]
    for call in calls:
        try:
            found = call()
        except DeviceError:
            continue
        if isinstance(found, int):
            assert found >= 0
    check_sound(out)
    if out.start_ticks is not None:
        assert out.end_ticks >= out.start_ticks
    if feed.answers < which or feed.held or client._channel is None:
        return
    # From here on nothing is damaged any more.
    client._channel.link.piece = piece
    client._last = None
    assert client.command("name")[0][0] == "m-name-dut-[holdfast-peer]"
    run = client.infer(5, 2)
    assert (run.iterations, run.results) == (5, [0.1, 0.9])
    assert run.end_us - run.start_us == 5 * device.cost
    client.load_input(b"again")
    assert client.read_input() == b"again"


@budget(150)
@given(st.integers(2, 6), EDITS, st.booleans())
def test_a_damaged_answer_of_the_older_protocol_never_shifts_the_next(which, edits, late):
    feed = Damaging(LineDevice(tokens=12), which, edits, late=late)
    client = LineProtocol(lambda: Wire(feed), timeout=0.2)
    client.open()
    out = Generation(0, "abc")
    for call in (lambda: client.generate(out, 4, 0, 1.0), lambda: client.memory(1.0),
                 lambda: client.heartbeat(1.0), lambda: client.metrics(1.0)):  # fmt: skip
        try:
            call()
        except DeviceError:
            continue
    check_sound(out)
    if feed.answers < which or feed.held:
        return
    after = Generation(1, "abc")
    for _ in range(2):
        try:
            client.generate(after, 4, 0, 1.0)
        except DeviceError:
            continue
        break
    assert (after.token_count, client.memory(1.0).total_bytes) == (12, 126_464)
    assert client.metrics(1.0)["memory_kb"] == 200


DESCRIPTIONS = [
    {"name": "llama2.c", "request": "{prompt}\n", "end": "^bye",
     "summary": [r"achieved tok/s: (?P<tokens_per_second>\S*)", r"(?P<tokens>\S+) tokens"]},
    {"name": "stream", "request": "{prompt}\n", "ready": "^ready$", "end": "^done$", "error": "^panic",
     "token": r"^tok (?P<index>\S+) (?P<id>\S+) (?P<us>\S+) '(?P<text>.*)'$", "summary": r"rate (?P<ms_per_token>\S+)"},
    {"name": "slow clock", "request": "{prompt}\n", "end": "done", "clock_bits": 16,
     "token": r"(?P<ms>\d*) (?P<id>\w*)"},
]  # fmt: skip
SAID = [
    b"Once\nachieved tok/s: 19.13\n12 tokens\nbye\n",
    b"".join(
        b"tok %d %d %d 't%d'\n" % (i, 100 + i, 4_294_966_000 + 500 * i, i) for i in range(6)
    )
    + b"rate 0.5\ndone\n",
    b"".join(b"%d %d\n" % ((65_000 + 300 * i) % 65_536, i) for i in range(5)) + b"done\n",
]


@budget(400)
@given(st.sampled_from(range(3)), EDITS, st.binary(max_size=200))
def test_whatever_ad_hoc_firmware_prints_is_a_sound_record_or_refused(which, edits, noise):
    said = damaged(SAID[which], edits) if edits else noise
    client = RegexAdapter(
        lambda: Wire(lambda _data: said, hello=b"boot\nready\n"),
        read_description(DESCRIPTIONS[which]),
        0.5,
    )
    out = Generation(0, "abc")
    try:
        client.open()
        client.generate(out, 8, 0, 0.5)
    except DeviceError:
        out.status = "partial"
    check_sound(out)


@budget(200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["lose", "double", "swap"]), st.integers(1, 4)),
        min_size=1,
        max_size=3,
    )
)
def test_lines_that_were_lost_doubled_or_swapped_are_noticed_by_their_index(edits):
    lines = SAID[1].splitlines(keepends=True)
    whole = list(lines)
    for kind, at in edits:
        if kind == "lose":
            lines[at] = b""
        elif kind == "double":
            lines[at] *= 2
        else:
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    client = RegexAdapter(
        lambda: Wire(lambda _data: b"".join(lines), hello=b"ready\n"),
        read_description(DESCRIPTIONS[1]),
    )
    out = Generation(0, "abc")
    client.open()
    if b"".join(lines) == b"".join(whole):
        client.generate(out, 6, 0, 1.0)
        assert out.token_ids == list(range(100, 106))
        return
    try:
        client.generate(out, 6, 0, 1.0)
    except ProtocolError:
        assert out.token_ids == list(range(100, 100 + len(out.token_ids)))
    else:
        # Only the last may be missing: nothing came after it.
        assert out.token_ids == list(range(100, 105))


@pytest.mark.parametrize(
    ("says", "named"),
    [
        ("tok 0 7 1.5 'a'", "whole number for us"), ("tok 0 7 -3 'a'", "whole number for us"),
        ("tok 0 x 10 'a'", "whole number for id"), ("tok 0 7 " + "9" * 5000 + " 'a'", "for us"),
        ("rate nan", "number for ms_per_token"), ("rate -1", "number for ms_per_token"),
        ("rate " + "9" * 400, "number for ms_per_token"), ("rate 1.2.3", "number for ms_per_token"),
        ("tok 0 7 900 'a'\ntok 1 8 800 'b'", "times that grow"),
        ("tok 0 7 900 'a'\ntok 2 8 990 'b'", "expected token 1"),
    ],
)  # fmt: skip
def test_numbers_that_are_none_are_refused_with_their_name(says, named):
    client = RegexAdapter(
        lambda: Wire(lambda _data: f"{says}\ndone\n".encode(), hello=b"ready\n"),
        read_description(DESCRIPTIONS[1]),
    )
    client.open()
    with pytest.raises(ProtocolError, match=named):
        client.generate(Generation(0, "x"), 4, 0, 1.0)


@budget(300)
@given(st.data())
def test_a_description_of_anything_is_read_or_refused(data):
    said = data.draw(st.sampled_from(DESCRIPTIONS))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([one for one in places(said) if one]))
        value = data.draw(
            VALUES | st.sampled_from(["(", "a{99999999999}", "(?P<us>.", "(?P<x>.)"])
        )
        said = replaced(said, path, value)
    try:
        found = read_description(said)
    except InvalidParameterError:
        return
    assert "{prompt}" in found.request


@budget(100)
@given(EDITS)
def test_a_damaged_description_file_is_read_or_refused(tmp_path_factory, edits):
    pytest.importorskip("tomllib")
    text = b"name = 'x'\nrequest = \"{prompt}\\n\"\nclock_bits = 32\nsummary = ['tps (?P<tokens_per_second>.+)']\n"
    path = tmp_path_factory.getbasetemp() / "fuzzed.toml"
    path.write_bytes(damaged(text, edits))
    try:
        read_description(path)
    except InvalidParameterError:
        return


def asked(client):
    client.open()
    client.generate(Generation(0, "x"), 4, 0, 0.5)


@pytest.mark.parametrize(
    "what",
    [b"x", b"line\n", b"\n", b"m-lap-us-1\r\n", b"TOKENS:1\n", b"\0\xff", b"m-init-done\n"],
)
def test_a_device_that_never_stops_talking_is_given_up(what):
    clients = [
        MLPerfTiny(lambda: Babbling(what), timeout=0.5),
        LineProtocol(lambda: Babbling(what), timeout=0.5),
        RegexAdapter(lambda: Babbling(what), read_description(DESCRIPTIONS[0])),
        RegexAdapter(lambda: Babbling(what), read_description(DESCRIPTIONS[1])),
    ]
    for client in clients:
        with pytest.raises((ProtocolError, DeviceTimeoutError)):
            asked(client)


def test_an_answer_without_end_is_given_up_long_before_memory_is():
    link = Wire(lambda _data: b"", piece=65_536)
    link.take = lambda: b"a\n" * 32_768
    link.read = lambda _timeout: link.take()  # faster than any clock
    client = RegexAdapter(lambda: link, read_description(DESCRIPTIONS[1]))
    with pytest.raises(ProtocolError, match="an answer that ends"):
        client.open()


def test_a_restart_in_the_middle_of_an_inference_is_called_one():
    device = TinyDevice()

    def feed(data):
        answer = device.feed(data)
        cut = answer.find(b"m-infer-done")
        return answer if cut < 0 else answer[:cut] + device.banner()

    client = MLPerfTiny(lambda: Wire(feed))
    client.open()
    with pytest.raises(DeviceRebootError, match="restarted"):
        client.infer(1)
    assert client.boots == 1


def test_a_restart_between_two_commands_starts_the_clock_anew():
    device = TinyDevice(now_us=lambda: 10**9)
    wire = Wire(device.feed)
    client = MLPerfTiny(lambda: wire)
    client.open()
    assert client.timestamp() == 10**9
    device.now_us = lambda: 500
    wire.pending += device.banner()
    assert client.timestamp() == 500
    assert client.boots == 1


@pytest.mark.parametrize("laps", [(5000, 4000), (5, 4_294_967_290), (10**10, 10), (10**17, 3)])
def test_a_clock_that_steps_back_gives_no_time(laps):
    answer = "".join(f"m-lap-us-{lap}\r\n" for lap in laps) + "m-results-[1]\r\nm-ready\r\n"

    def feed(data):
        return answer.encode() if data.startswith(b"infer") else TinyDevice().feed(data)

    client = MLPerfTiny(lambda: Wire(feed))
    client.open()
    with pytest.raises(ProtocolError, match="a clock that grows"):
        client.infer(1)


@pytest.mark.parametrize("said", ["1,,2", "1,x", "1_0", "--1", "1e"])
def test_outputs_with_a_number_missing_are_refused(said):
    def feed(data):
        answer = f"m-results-[{said}]\r\nm-ready\r\n".encode()
        return answer if data.startswith(b"results") else TinyDevice().feed(data)

    client = MLPerfTiny(lambda: Wire(feed))
    client.open()
    with pytest.raises(ProtocolError, match="numbers"):
        client.results()


def test_halves_of_characters_are_refused_before_anything_is_sent():
    client = LineProtocol(lambda: Wire(LineDevice().feed), timeout=0.2)
    client.open()
    with pytest.raises(InvalidDataError, match="must not hold"):
        client.generate(Generation(0, "a\ud800"), 4, 0, 1.0)


@pytest.mark.parametrize(
    ("inputs", "seconds"), [([], 1.0), ([b"a"], 0.0), ([b"a"], float("nan"))]
)
def test_a_benchmark_of_nothing_is_refused(inputs, seconds):
    with pytest.raises(InvalidParameterError, match="inputs"):
        MLPerfTiny(lambda: None).benchmark(inputs, seconds=seconds)
