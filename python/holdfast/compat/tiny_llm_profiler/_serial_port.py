"""A serial port by the names of pyserial, and whatever a test puts in its place as a link."""

from __future__ import annotations

import importlib.util
import time
from types import SimpleNamespace
from typing import Any

from holdfast.edge._links.serial import open_serial

_PAUSE_SECONDS = 0.005
_PYSERIAL = importlib.util.find_spec("serial") is not None


class Serial:
    """An open port, as pyserial's `Serial` is; only what the older line protocol needs.

    Parameters
    ----------
    port : str
    baudrate : int
    timeout, write_timeout : float
        Seconds a line is waited for, and a write may take.

    Raises
    ------
    DeviceConnectionError
        When it cannot be opened.
    """

    def __init__(
        self,
        port: str,
        baudrate: int = 9600,
        timeout: float = 1.0,
        write_timeout: float = 30.0,
    ) -> None:
        self._link = open_serial(port, baudrate, write_timeout=write_timeout)
        self.port, self.baudrate, self.timeout = port, baudrate, timeout
        self.is_open = True
        self._pending = b""

    def write(self, data: bytes) -> int:
        """Send; the number of bytes."""
        self._link.write(data)
        return len(data)

    def readline(self) -> bytes:
        """The next line, or what came of it in time."""
        until = time.monotonic() + self.timeout
        while b"\n" not in self._pending and time.monotonic() < until:
            self._pending += self._link.read(max(until - time.monotonic(), 0.0))
        line, end, self._pending = self._pending.partition(b"\n")
        return line + end

    def close(self) -> None:
        """Let go of it."""
        self._link.close()
        self.is_open = False


_own = SimpleNamespace(Serial=Serial)


def serial_module() -> Any:
    """Pyserial where it is installed, else what stands in for it here."""
    if not _PYSERIAL:
        return _own
    return importlib.import_module("serial")


def is_replaced(kind: Any) -> bool:
    """Whether a test put something in the place of `Serial`."""
    home = getattr(kind, "__module__", "") if isinstance(kind, type) else ""
    return not str(home).startswith(("serial", "holdfast"))


class PortLink:
    """A link over whatever has `write`, `readline` and `close`: one answer to one command."""

    kind = "serial"

    def __init__(self, port: Any, name: str, baudrate: int) -> None:
        self.port, self.name = port, name
        self.baudrate: int | None = baudrate
        self._owed = False

    def now_ns(self) -> int:
        """`time.monotonic_ns`."""
        return time.monotonic_ns()

    def write(self, data: bytes) -> None:
        """To the port."""
        self.port.write(data)
        self._owed = data.endswith(b"\n")

    def read(self, timeout: float) -> bytes:
        """The answer to the last command; what is no bytes, as its text."""
        if not self._owed:
            time.sleep(min(max(timeout, 0.0), _PAUSE_SECONDS))
            return b""
        self._owed = False
        answer = self.port.readline()
        return answer if isinstance(answer, bytes) else f"{answer}\n".encode()

    def close(self) -> None:
        """Close the port."""
        self.port.close()
