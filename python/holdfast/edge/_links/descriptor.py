"""A link over file descriptors: serial ports, sockets, pipes."""

from __future__ import annotations

import os
import select
import time

from holdfast.edge._errors import DeviceConnectionError, DeviceTimeoutError
from holdfast.edge._interrupt import check, readable

_AT_ONCE = 65_536


class DescriptorLink:
    """Reads one descriptor and writes one, which may be the same."""

    def __init__(
        self,
        reader: int,
        writer: int,
        name: str,
        kind: str,
        *,
        baudrate: int | None = None,
        write_timeout: float = 30.0,
    ) -> None:
        self.name, self.kind, self.baudrate = name, kind, baudrate
        self._reader, self._writer = reader, writer
        self._write_timeout = write_timeout
        self._open = True
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)

    def now_ns(self) -> int:
        """`time.monotonic_ns`."""
        return time.monotonic_ns()

    def _lost(self, error: OSError | str) -> DeviceConnectionError:
        return DeviceConnectionError(self.name, self.kind, error)

    def write(self, data: bytes) -> None:
        """Send everything; waits while the other side is not ready."""
        if not self._open:
            raise self._lost("the link is closed")
        view = memoryview(data)
        until = time.monotonic() + self._write_timeout
        while view:
            try:
                view = view[os.write(self._writer, view) :]
            except BlockingIOError:
                check()
                left = until - time.monotonic()
                if left <= 0:
                    raise DeviceTimeoutError("write", self._write_timeout) from None
                select.select([], [self._writer], [], min(left, 0.05))
            except OSError as error:
                raise self._lost(error) from error

    def read(self, timeout: float) -> bytes:
        """What is there; an end or an error means the device is gone."""
        if not self._open:
            raise self._lost("the link is closed")
        try:
            if not readable(self._reader, timeout):
                return b""
            data = os.read(self._reader, _AT_ONCE)
        except BlockingIOError:
            return b""
        except (OSError, ValueError) as error:
            raise self._lost(str(error)) from error
        if not data:
            raise self._lost("the other side closed it")
        return data

    def close(self) -> None:
        """Close the descriptors."""
        if self._open:
            self._open = False
            for descriptor in {self._reader, self._writer}:
                os.close(descriptor)
