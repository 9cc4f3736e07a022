"""Serial ports of POSIX systems: opening, speed, control lines, and finding them."""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.edge._errors import DeviceConnectionError
from holdfast.edge._links.descriptor import DescriptorLink
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

RATES_TO_SCAN = (115_200, 9600, 921_600, 460_800, 230_400)
_PORT = re.compile(
    r"/dev/(tty(USB|ACM|AMA|S|THS|GS|XRUSB|mxc)\d+|serial/by-(id|path)/[\w.:+@-]+"
    r"|cu\.[\w.-]+|tty\.[\w.-]+|rfcomm\d+|pts/\d+|ttys\d+)"
)
_RESET_SECONDS = 0.1


def check_port(path: str) -> str:
    """`path`, if it names a serial port and nothing else.

    Raises
    ------
    InvalidParameterError
        For any other file, relative paths and anything with shell characters.
    """
    if _PORT.fullmatch(path) or (re.fullmatch(r"/tmp/[\w./-]+", path) and ".." not in path):  # noqa: S108
        return path
    if re.fullmatch(r"/dev/tty[\w.-]+", path) and not Path(path).exists():
        # Opening it says that nothing is plugged in there.
        return path
    raise InvalidParameterError(
        "device must be a serial port such as /dev/ttyUSB0, /dev/ttyACM0 or "
        f"/dev/serial/by-id/..., got {path!r}"
    )


def check_baudrate(baudrate: int) -> int:
    """`baudrate`, if it can be one, whether or not the device has a serial port.

    Raises
    ------
    InvalidParameterError
        When it is no whole number from 1 on.
    """
    if isinstance(baudrate, bool) or not isinstance(baudrate, int) or baudrate < 1:
        raise InvalidParameterError(
            f"baudrate must be a whole number of at least 1, got {baudrate!r}"
        )
    return baudrate


def _speed(baudrate: int) -> int:
    import termios

    code = getattr(termios, f"B{check_baudrate(baudrate)}", None)
    if code is None:
        known = sorted(
            int(name[1:]) for name in dir(termios) if re.fullmatch(r"B[1-9]\d*", name)
        )
        listed = ", ".join(str(rate) for rate in known)
        raise InvalidParameterError(
            f"baudrate must be one the system knows ({listed}), got {baudrate!r}"
        )
    return int(code)


class SerialLink(DescriptorLink):
    """A serial port or pty: 8 bits, no parity, 1 stop bit, no flow control, no echo."""

    def __init__(self, path: str, baudrate: int, *, write_timeout: float) -> None:
        speed = _speed(baudrate)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except FileNotFoundError as error:
            there = ", ".join(port.path for port in list_ports()) or "none"
            raise DeviceConnectionError(
                path, "serial", f"there is no such port; ports with a board: {there}"
            ) from error
        except PermissionError as error:
            raise DeviceConnectionError(
                path, "serial", f"{error.strerror}: the user must be in the group of the port"
            ) from error
        except OSError as error:
            raise DeviceConnectionError(path, "serial", error) from error
        try:
            self._configure(descriptor, speed)
        except OSError as error:
            os.close(descriptor)
            raise DeviceConnectionError(path, "serial", error) from error
        super().__init__(
            descriptor, descriptor, path, "serial", baudrate=baudrate,
            write_timeout=write_timeout,
        )  # fmt: skip

    @staticmethod
    def _configure(descriptor: int, speed: int) -> None:
        import fcntl
        import termios

        try:
            settings = termios.tcgetattr(descriptor)
            settings[0] = termios.IGNBRK
            settings[1] = 0
            # Without HUPCL the lines stay as they are when the port is closed.
            settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            settings[3] = 0
            settings[4] = settings[5] = speed
            settings[6][termios.VMIN], settings[6][termios.VTIME] = 0, 0
            termios.tcsetattr(descriptor, termios.TCSANOW, settings)
            # A second program on the same port would steal bytes.
            fcntl.ioctl(descriptor, termios.TIOCEXCL)
        except termios.error as error:
            raise OSError(*error.args) from error

    def set_baudrate(self, baudrate: int) -> None:
        """Change the speed once everything written has left."""
        import termios

        speed = _speed(baudrate)
        try:
            termios.tcdrain(self._writer)
            settings = termios.tcgetattr(self._writer)
            settings[4] = settings[5] = speed
            termios.tcsetattr(self._writer, termios.TCSADRAIN, settings)
        except termios.error as error:
            raise self._lost(str(error)) from error
        self.baudrate = baudrate

    def control(self, policy: str) -> None:
        """Set DTR and RTS: `keep` leaves them, `none` drops both, `reset` pulses RTS.

        On many boards RTS pulls the reset pin. A pty has no such lines, which is no error.
        """
        import fcntl
        import struct
        import termios

        if policy == "keep":
            return
        dtr, rts = (struct.pack("I", bit) for bit in (termios.TIOCM_DTR, termios.TIOCM_RTS))
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._writer, termios.TIOCMBIC, dtr)
            if policy == "reset":
                fcntl.ioctl(self._writer, termios.TIOCMBIS, rts)
                time.sleep(_RESET_SECONDS)
            fcntl.ioctl(self._writer, termios.TIOCMBIC, rts)


def open_serial(
    path: str, baudrate: int, *, write_timeout: float, control_lines: str = "keep"
) -> SerialLink:
    """Open a port.

    Raises
    ------
    InvalidParameterError
        When `path` names no serial port, or the speed is not known to the system.
    DeviceConnectionError
        When it cannot be opened.
    """
    if os.name != "posix":
        raise InvalidParameterError(
            f"device must be tcp:// or http:// on this system, got {path!r}: "
            "serial ports are opened through POSIX"
        )
    link = SerialLink(check_port(path), baudrate, write_timeout=write_timeout)
    link.control(control_lines)
    return link


@dataclass(frozen=True)
class Port:
    """A serial port and the USB ids of what is plugged in; None where it is no USB device."""

    path: str
    vendor: str | None = None
    product: str | None = None
    serial: str | None = None
    description: str | None = None


def _usb(name: str, root: Path) -> dict[str, str | None]:
    """Identity of the USB device behind a tty: the nearest folder above that has one."""
    folder = (root / name / "device").resolve()
    for above in (folder, *list(folder.parents)[:4]):
        if (above / "idVendor").is_file():
            return {
                key: (above / file).read_text().strip() if (above / file).is_file() else None
                for key, file in (
                    ("vendor", "idVendor"), ("product", "idProduct"), ("serial", "serial"),
                    ("description", "product"),
                )
            }  # fmt: skip
    return {}


def list_ports(
    root: str | Path = "/sys/class/tty",
    patterns: Sequence[str] = ("ttyUSB", "ttyACM", "ttyAMA"),
) -> list[Port]:
    """Serial ports that may have a board on them."""
    folder = Path(root)
    if not folder.is_dir():
        return []
    names = sorted(one.name for one in folder.iterdir() if one.name.startswith(tuple(patterns)))
    return [Port(f"/dev/{name}", **_usb(name, folder)) for name in names]
