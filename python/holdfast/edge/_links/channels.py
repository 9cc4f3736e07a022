"""Ways to a device that carry bytes: ports, sockets, programs."""

from __future__ import annotations

import shlex
import socket
import subprocess
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from holdfast.edge._errors import DeviceConnectionError, DeviceTimeoutError
from holdfast.edge._links.descriptor import DescriptorLink
from holdfast.edge._links.serial import open_serial
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Link(Protocol):
    """Bytes to a device and back, and the clock that dates them."""

    name: str
    kind: str
    baudrate: int | None

    def write(self, data: bytes) -> None:
        """Send everything, or raise DeviceConnectionError or DeviceTimeoutError."""
        ...

    def read(self, timeout: float) -> bytes:
        """What is there, waiting up to `timeout` seconds for the first byte; else nothing."""
        ...

    def now_ns(self) -> int:
        """Monotonic clock of the reader."""
        ...

    def close(self) -> None:
        """Let go of it; closing twice is fine."""
        ...


class SocketLink(DescriptorLink):
    """A TCP connection with small packets sent at once."""

    def __init__(self, host: str, port: int, *, timeout: float, write_timeout: float) -> None:
        name = f"tcp://{host}:{port}"
        try:
            made = socket.create_connection((host, port), timeout=timeout)
        except TimeoutError as error:
            raise DeviceTimeoutError(f"connect to {name}", timeout) from error
        except OSError as error:
            raise DeviceConnectionError(name, "tcp", error) from error
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)  # noqa: FBT003
        self._socket = made
        super().__init__(made.fileno(), made.fileno(), name, "tcp", write_timeout=write_timeout)

    def close(self) -> None:
        """Close the connection."""
        self._open = False
        self._socket.close()


class ProcessLink(DescriptorLink):
    """Standard input and output of a program, started without a shell."""

    def __init__(self, arguments: Sequence[str], *, write_timeout: float = 30.0) -> None:
        if not arguments:
            raise InvalidParameterError("process:// must name a program, got nothing")
        name = "process://" + shlex.join(arguments)
        try:
            self.process = subprocess.Popen(  # noqa: S603 (an argument list, never a shell)
                list(arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        except OSError as error:
            raise DeviceConnectionError(name, "process", error) from error
        assert self.process.stdout is not None  # noqa: S101 (both were asked for)
        assert self.process.stdin is not None  # noqa: S101
        super().__init__(
            self.process.stdout.fileno(),
            self.process.stdin.fileno(),
            name,
            "process",
            write_timeout=write_timeout,
        )

    def close(self) -> None:
        """End the program: its input first, then politely, then by force."""
        if not self._open:
            return
        self._open = False
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _address(target: str) -> tuple[str, int]:
    parts = urlsplit(target)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None:
        raise InvalidParameterError(
            f"device must be tcp://host:port with a port of 1 to 65535, got {target!r}"
        )
    return host, port


def open_link(
    target: str,
    *,
    baudrate: int = 115_200,
    connection_timeout: float = 10.0,
    write_timeout: float = 30.0,
    control_lines: str = "keep",
) -> Link:
    """Open the link a target names.

    Parameters
    ----------
    target : str
        A device file or COM port, `serial:///dev/...`, `pty:///dev/pts/3`, `tcp://host:port`,
        or `process://program arguments`.

    Raises
    ------
    InvalidParameterError
        When the target names no link.
    DeviceConnectionError, DeviceTimeoutError
        When it cannot be opened.
    """
    scheme, separator, rest = target.partition("://")
    if separator and scheme == "tcp":
        host, port = _address(target)
        return SocketLink(host, port, timeout=connection_timeout, write_timeout=write_timeout)
    if separator and scheme == "process":
        return ProcessLink(shlex.split(rest), write_timeout=write_timeout)
    if separator and scheme not in {"serial", "pty"}:
        raise InvalidParameterError(
            "device must be a serial port or serial://, pty://, tcp://, process://, qemu://, "
            f"http://, got {target!r}"
        )
    path = rest if separator else target
    return open_serial(path, baudrate, write_timeout=write_timeout, control_lines=control_lines)
