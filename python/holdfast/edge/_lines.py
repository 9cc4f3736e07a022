"""Lines of text over a link, each with the time at which its end arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.edge._errors import DeviceTimeoutError, ProtocolError
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from holdfast.edge._links import Link

LONGEST = 65_536


def one_line(text: str, name: str = "prompt") -> str:
    """`text`, if a line protocol can carry it.

    Raises
    ------
    InvalidDataError
        When it holds control characters: a line break would be a second command.
    """
    for character in text:
        if ord(character) < 32 or character in "\x7f\x85\u2028\u2029":  # noqa: PLR2004
            raise InvalidDataError(
                f"{name} must not hold {character!r}: this protocol ends commands by characters"
            )
    return text


class LineChannel:
    """Text commands out, lines in."""

    def __init__(self, link: Link, longest: int = LONGEST) -> None:
        self.link = link
        self._pending = bytearray()
        self._lines: list[tuple[str, int]] = []
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
        until = self.link.now_ns() + int(timeout * 1e9)
        while not self._lines:
            left = (until - self.link.now_ns()) / 1e9
            if left <= 0:
                raise DeviceTimeoutError(operation, timeout)
            self._feed(self.link.read(left), self.link.now_ns())
        return self._lines.pop(0)

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
        """Throw away what is waiting, and what still comes within `seconds`; returns it."""
        until = self.link.now_ns() + int(seconds * 1e9)
        while data := self.link.read(max((until - self.link.now_ns()) / 1e9, 0)):
            self._feed(data, self.link.now_ns())
        thrown = [line for line, _ in self._lines]
        if self._pending:
            thrown.append(self._pending.decode("utf-8", "replace"))
        self._lines.clear()
        self._pending.clear()
        return thrown
