"""Damaged answers, and links and servers that live in this process, in a time of their own."""

import io
import json
import math
from contextlib import contextmanager
from dataclasses import asdict, fields

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from holdfast.edge import request_metrics

NS_PER_BYTE = 10_000
# More than any reader may ask for before it gives up.
PATIENCE = 80 << 20


def budget(examples):
    """At least that many inputs; `make slow` tries more, and others each time."""
    return settings(max_examples=max(examples, settings.default.max_examples))


class Wire:
    """A link to `feed(bytes) -> bytes`; time passes with bytes and with waiting."""

    name, kind, baudrate = "wire", "virtual", 1_000_000

    def __init__(self, feed, hello=b"", piece=48):
        self.feed, self.piece, self.pending = feed, piece, bytearray(hello)
        self.time = 10**9
        self.delivered = 0

    def write(self, data):
        self.time += len(data) * NS_PER_BYTE
        self.pending += self.feed(data)

    def take(self):
        out = bytes(self.pending[: self.piece])
        del self.pending[: self.piece]
        return out

    def read(self, timeout):
        out = self.take()
        self.time += len(out) * NS_PER_BYTE if out else int(max(timeout, 0) * 1e9) + 1
        self.delivered += len(out)
        assert self.delivered < PATIENCE, "somebody reads and reads"
        return out

    def now_ns(self):
        return self.time

    def close(self):
        pass


class Babbling(Wire):
    """Says the same for ever."""

    def __init__(self, what):
        super().__init__(lambda _data: b"")
        self.what = what * (65_536 // len(what))

    def take(self):
        return self.what


NUMBERS = [
    b"9" * 400,
    b"9" * 5000,
    b"-1",
    b"nan",
    b"inf",
    b"1e999",
    b"0.5",
    b"4294967295",
    b"1_0",
    b"",
]
PIECES = [
    *NUMBERS, b"\0", b"\xff\xfe", b"\r", b"\n", b"%", b"m-ready\r\n", b"m-init-done\r\n", b"e-[no]\r\n",
    b"[dut]: ", b"]", b",", b":", b"null", b"[" * 100_000, b'"\\ud800"', b"data: [DONE]\n\n", b"x" * 70_000,
]  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "double", "insert", "number"]),
        st.floats(0, 1),
        st.integers(0, 64),
        st.integers(0, len(PIECES) - 1),  # short to print
        st.integers(0, len(NUMBERS) - 1),
    ),
    max_size=3,
)


def damaged(data, edits):
    """`data` with some of it changed, lost, doubled or put in."""
    out = bytearray(data)
    for kind, where, size, piece, number in edits:
        at = min(int(where * len(out)), max(len(out) - 1, 0))
        if kind == "flip" and out:
            out[at] ^= 1 << size % 8
        elif kind == "cut":
            del out[at:]
        elif kind == "drop":
            del out[at : at + size]
        elif kind == "double":
            out[at:at] = out[at : at + size]
        elif kind == "insert":
            out[at:at] = PIECES[piece]
        elif kind == "number":
            start = next((i for i in range(at, len(out)) if out[i : i + 1].isdigit()), len(out))
            end = next(
                (i for i in range(start, len(out)) if not out[i : i + 1].isdigit()), len(out)
            )
            out[start:end] = NUMBERS[number]
    return bytes(out)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10), st.just(10**30), st.just(-(10**400)),
    st.floats(), st.sampled_from(["", "x", "\ud800", "12", "NaN"]),
    st.just([]), st.just({}), st.just([[1]]), st.just({"a": {"b": 1}}), st.lists(st.integers(), max_size=3),
)  # fmt: skip


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    inside = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inside:
        yield from places(one, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


@st.composite
def altered(draw, value):
    """A JSON value with up to three things in it replaced by others."""
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(value))))
        value = replaced(value, path, draw(VALUES))
    return value


def finite(value):
    return value is None or (math.isfinite(value) and value >= 0)


def check_sound(out):
    """That a record, whole or partial, can be stored and computed with, and makes sense."""
    assert len(out.host_ns) == len(out.pieces) == len(out.counts)
    assert len(out.ticks) <= len(out.host_ns)
    assert out.ticks == sorted(out.ticks)
    assert out.host_ns == sorted(out.host_ns)
    assert out.token_count_source is None or out.token_count is not None
    for number in (*out.ticks, *out.token_ids, *out.counts, out.token_count or 0,
                   out.prompt_tokens or 0, out.cached_tokens or 0):  # fmt: skip
        assert type(number) is int
        assert 0 <= number < 1 << 63
    out.text.encode()
    stored = asdict(out)
    stored["reported"].pop("results", None)  # the outputs of a network may be anything
    json.dumps(stored, allow_nan=False)
    found = request_metrics(out)
    for one in fields(found):
        value = getattr(found, one.name)
        if isinstance(value, (int, float)) and one.name not in {"link_ms", "itl_slope_us"}:
            assert finite(value), (one.name, value)
    assert all(map(finite, found.itl_ms + found.icl_ms))


class Clock:
    """`time`, which passes only when somebody looks."""

    def __init__(self, step=5_000_000):
        self.now, self.step = 10**12, step

    def monotonic_ns(self):
        self.now += self.step
        return self.now

    def monotonic(self):
        return self.monotonic_ns() / 1e9


class Reply(io.RawIOBase):
    """Bytes of a server, some at a time, followed by `endless` for ever."""

    def __init__(self, data, piece, endless=b""):
        self.data, self.piece, self.endless, self.delivered = data, piece, endless, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.data:
            self.data = self.endless * (4096 // max(len(self.endless), 1))
        size = min(self.piece, len(buffer), len(self.data))
        buffer[:size] = self.data[:size]
        self.data = self.data[size:]
        self.delivered += size
        assert self.delivered < 4 * PATIENCE, "somebody reads and reads"
        return size


class Paced(io.RawIOBase):
    """Parts of an answer, each after its seconds of the clock that `served` sets."""

    def __init__(self, parts):
        self.parts, self.clock = list(parts), None

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.parts:
            return 0
        seconds, data = self.parts.pop(0)
        self.clock.now += round(seconds * 1e9)
        buffer[: len(data)] = data
        return len(data)


class Socket:
    def __init__(self, replies):
        self.replies = replies

    def makefile(self, _mode):
        return io.BufferedReader(next(self.replies))

    def setsockopt(self, *_options):
        pass

    sendall = settimeout = setsockopt

    def close(self):
        pass


@contextmanager
def served(*replies, look_ns=5_000_000):
    """HTTP requests get these answers, one each, and a closed connection after them."""
    from holdfast.edge._backends import http as http_client

    clock = Clock(look_ns)
    for one in replies:
        one.clock = clock
    waiting = iter([*replies, *(Reply(b"", 1) for _ in range(20))])

    class Connection(http_client.HTTPConnection):
        def connect(self):
            self.sock = Socket(waiting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_client, "HTTPConnection", Connection)
        patch.setattr(http_client, "time", clock)
        yield


def http(body, kind="application/json", status="200 OK"):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(*parts):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
