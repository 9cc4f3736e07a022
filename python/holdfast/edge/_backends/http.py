"""A small HTTP client whose streams come with the time of each arrival."""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from holdfast.edge._errors import DeviceConnectionError, DeviceTimeoutError, ProtocolError
from holdfast.edge._interrupt import check, woken_by
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST_EVENT = 4 << 20
_LONGEST_BODY = 16 << 20
_LONGEST_STREAM = 128 << 20
_LINE_ENDS = {True: re.compile(b"\n"), False: re.compile(b"\r\n|\n|\r")}


class EventDecoder:
    """Bytes to events: `data:` fields of server-sent events, or lines of JSON.

    Fed in any pieces, it gives the same events (WHATWG HTML, section 9.2; NDJSON).
    """

    def __init__(self, *, lines: bool = False) -> None:
        self._lines = lines
        self._ends = _LINE_ENDS[lines]
        self._pending = bytearray()
        self._half = False
        self._begun = False
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> list[str]:
        """The events that `data` completes.

        Raises
        ------
        ProtocolError
            When one is too long.
        """
        if self._half and data:
            data = data.removeprefix(b"\n")
            self._half = False
        self._half = self._half or (not self._lines and data.endswith(b"\r"))
        first, *others = self._ends.split(data)
        self._pending += first
        out: list[str] = []
        for rest in others:
            self._take(self._pending.decode("utf-8", "replace"), out)
            self._pending = bytearray(rest)
        if len(self._pending) + self._size > _LONGEST_EVENT:
            raise ProtocolError("stream", f"events of at most {_LONGEST_EVENT} bytes", "more")
        return out

    def _take(self, line: str, out: list[str]) -> None:
        if not self._begun:
            self._begun, line = True, line.removeprefix("\ufeff")
        name, _, value = line.partition(":")
        if self._lines:
            if line.strip():
                out.append(line)
        elif name == "data":
            self._data.append(value.removeprefix(" "))
            self._size += len(line) + 1
        elif not line and self._data:
            out.append("\n".join(self._data))
            self._data, self._size = [], 0


class _Timely(io.RawIOBase):
    """Reads a socket up to a moment, however slowly its bytes drip."""

    def __init__(
        self, raw: io.RawIOBase, sock: socket.socket, left: Callable[[], float]
    ) -> None:
        self._raw, self._sock, self._left = raw, sock, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._left()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class HttpClient:
    """Requests to one server, one at a time."""

    def __init__(self, base: str, *, connection_timeout: float = 10.0) -> None:
        try:
            parts = urlsplit(base)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = urlsplit(""), None, None
        if parts.scheme not in {"http", "https"} or not host or port == 0:
            raise InvalidParameterError(
                f"device must be http://host:port with a port of 1 to 65535, got {base!r}"
            )
        self.base = base.rstrip("/")
        self._host, self._port = host, port
        self._secure = parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        self._timeout = connection_timeout
        self._connection: HTTPConnection | None = None
        self._until = 0.0
        self._socket: socket.socket | None = None

    def _left(self) -> float:
        return self._until - time.monotonic()

    def connect(self) -> int:
        """Open a connection if there is none; returns what the handshake took, ns."""
        if self._connection is not None and self._connection.sock is not None:
            return 0
        kind = HTTPSConnection if self._secure else HTTPConnection
        made = kind(self._host, self._port, timeout=self._timeout)
        left = self._left

        class Response(HTTPResponse):
            def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
                super().__init__(sock, *arguments, **options)
                self.fp = io.BufferedReader(_Timely(self.fp.detach(), sock, left))

        made.response_class = Response
        began = time.monotonic_ns()
        try:
            made.connect()
        except TimeoutError as error:
            raise DeviceTimeoutError(f"connect to {self.base}", self._timeout) from error
        except (OSError, ssl.SSLError) as error:
            raise DeviceConnectionError(self.base, "http", error) from error
        if made.sock is not None:
            made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection, self._socket = made, made.sock
        return time.monotonic_ns() - began

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _wake(self) -> None:
        """End a wait for the server, from another thread."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self, read: Callable[[int], bytes], most: int) -> bytes:
        """What `read` gives; leaves when this thread is interrupted meanwhile."""
        try:
            with woken_by(self._wake):
                data = read(most)
        except (OSError, HTTPException):
            check()
            raise
        if not data:
            check()
        return data

    def _send(self, method: str, path: str, body: Any, timeout: float) -> tuple[Any, int]:
        self.connect()
        assert self._connection is not None  # noqa: S101 (connect made it)
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        with self._named(method, path, timeout):
            if self._connection.sock is not None:
                self._connection.sock.settimeout(timeout)
            began = time.monotonic_ns()
            self._until = time.monotonic() + timeout
            with woken_by(self._wake):
                self._connection.request(method, self._prefix + path, content, headers)
                response = self._connection.getresponse()
        return response, began

    @contextlib.contextmanager
    def _named(self, method: str, path: str, timeout: float) -> Iterator[None]:
        """What goes wrong within closes the connection and is told by the device's errors."""
        try:
            yield
        except KeyboardInterrupt:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise DeviceTimeoutError(f"{method} {path}", timeout) from error
        except (OSError, HTTPException) as error:
            self.close()
            check()
            raise DeviceConnectionError(self.base, "http", repr(error)) from error

    def text(
        self, method: str, path: str, body: Any = None, timeout: float = 5.0
    ) -> tuple[int, str]:
        """Status and body."""
        response, _ = self._send(method, path, body, timeout)
        with self._named(method, path, timeout):
            raw = self._read(response.read, _LONGEST_BODY)
        if response.length:
            # Read in one piece, an answer that was cut off is no error to `http.client`.
            self.close()
            check()
            cause = f"{response.length} bytes of the answer are missing"
            raise DeviceConnectionError(self.base, "http", cause)
        if response.will_close or not response.isclosed():
            self.close()
        return response.status, raw.decode("utf-8", "replace")

    def json(
        self, method: str, path: str, body: Any = None, timeout: float = 5.0
    ) -> tuple[int, Any]:
        """Status and decoded body; None when it is no JSON."""
        status, text = self.text(method, path, body, timeout)
        try:
            return status, json.loads(text)
        except (ValueError, RecursionError):
            return status, None

    def stream(
        self, path: str, body: Any, *, lines: bool, timeout: float
    ) -> Iterator[tuple[str, int]]:
        """POST, then events with their times of arrival.

        The first has text "" and the time at which the request began to be written.
        Everything that one read of the socket delivers has one time: bursts stay visible.

        Raises
        ------
        ProtocolError
            When the answer is no stream of events.
        """
        response, began = self._send("POST", path, body, timeout)
        try:
            if response.status != 200:  # noqa: PLR2004
                said = self._read(response.read, 2000).decode("utf-8", "replace")
                raise ProtocolError(f"POST {path}", "status 200", f"{response.status}: {said}")
            yield "", began
            decoder, size = EventDecoder(lines=lines), 0
            while data := self._read(response.read1, _LONGEST_EVENT):
                now = time.monotonic_ns()
                size += len(data)
                if size > _LONGEST_STREAM:
                    raise ProtocolError(f"POST {path}", "a stream that ends", "more and more")
                for event in decoder.feed(data):
                    yield event, now
        except TimeoutError as error:
            if isinstance(error, DeviceTimeoutError):
                raise
            raise DeviceTimeoutError(f"POST {path}", timeout) from error
        except (OSError, HTTPException) as error:
            raise DeviceConnectionError(self.base, "http", repr(error)) from error
        finally:
            # Half-read answers would be taken for the next one.
            if response.will_close or not response.isclosed():
                self.close()
