"""Lines of text over a link, each with the time at which its end arrived."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from holdfast.edge._errors import DeviceTimeoutError, ProtocolError
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.edge._links.channels import Link

LONGEST = 65_536
# What a device may print unasked before it is taken for one that never stops.
_NOISE = 1 << 20
# What one answer may cost in memory, a line costing more than its characters.
_ANSWER, _LINE = 32 << 20, 64


def one_line(text: str, name: str = "prompt") -> str:
    """`text`, if a line protocol can carry it.

    Raises
    ------
    InvalidDataError
        When it holds control characters, because a line break would be a second command, or
        surrogates, which no bytes stand for.
    """
    for character in text:
        harmful = ord(character) < 32 or character in "\x7f\x85\u2028\u2029"  # noqa: PLR2004
        if harmful or "\ud800" <= character <= "\udfff":
            raise InvalidDataError(
                f"{name} must not hold {character!r}: this protocol ends commands by characters"
            )
    return text


class LineChannel:
    """Text commands out, lines in."""

    def __init__(self, link: Link, longest: int = LONGEST) -> None:
        self.link = link
        self._pending = bytearray()
        self._lines: deque[tuple[str, int]] = deque()
        self._longest = longest

    def send(self, text: str) -> int:
        """Write `text`; returns when its first byte was about to be written, ns."""
        now = self.link.now_ns()
        self.link.write(text.encode())
        return now

    def _feed(self, data: bytes, now: int) -> None:
        self._pending += data
        *whole, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        for line in whole:
            self._lines.append((line.rstrip(b"\r").decode("utf-8", "replace"), now))
        if len(self._pending) > self._longest:
            self._pending.clear()
            raise ProtocolError(
                "read", f"lines of at most {self._longest} bytes", "a longer one"
            )

    def line(self, timeout: float, operation: str = "read") -> tuple[str, int]:
        """The next line and when it arrived, ns.

        Raises
        ------
        DeviceTimeoutError
            When none came in time.
        """
        return self._line(self.link.now_ns() + int(timeout * 1e9), timeout, operation)

    def _line(self, until: int, timeout: float, operation: str) -> tuple[str, int]:
        while not self._lines:
            left = (until - self.link.now_ns()) / 1e9
            if left <= 0:
                raise DeviceTimeoutError(operation, timeout)
            self._feed(self.link.read(left), self.link.now_ns())
        return self._lines.popleft()

    def answer(self, timeout: float, operation: str) -> Iterator[tuple[str, int]]:
        """Lines as they come, all within `timeout` seconds, until the caller has enough.

        Raises
        ------
        DeviceTimeoutError
            When the next line did not come in time.
        ProtocolError
            When there is no end to them.
        """
        until = self.link.now_ns() + int(timeout * 1e9)
        size = 0
        while True:
            line, now = self._line(until, timeout, operation)
            if now > until:
                raise DeviceTimeoutError(operation, timeout)
            size += len(line) + _LINE
            if size > _ANSWER:
                raise ProtocolError(operation, "an answer that ends", "more and more lines")
            yield line, now

    def raw(self, timeout: float) -> tuple[bytes, int]:
        """Bytes as they come, whatever they are; nothing after `timeout` seconds."""
        if self._pending or self._lines:
            held = b"".join(line.encode() + b"\n" for line, _ in self._lines)
            held += bytes(self._pending)
            self._lines.clear()
            self._pending.clear()
            return held, self.link.now_ns()
        data = self.link.read(timeout)
        return data, self.link.now_ns()

    def drain(self, seconds: float = 0.0) -> list[str]:
        """Throw away what is waiting, and what still comes within `seconds`; returns it.

        Raises
        ------
        ProtocolError
            When the device does not stop talking.
        """
        until = self.link.now_ns() + int(seconds * 1e9)
        thrown = bytearray(self.raw(0)[0] if self._lines or self._pending else b"")
        while data := self.link.read(max((until - self.link.now_ns()) / 1e9, 0)):
            thrown += data
            if len(thrown) > _NOISE:
                raise ProtocolError("drain", f"at most {_NOISE} bytes unasked", "more")
        lines = bytes(thrown).split(b"\n")
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines if line]
