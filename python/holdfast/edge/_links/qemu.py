"""Emulated boards: QEMU started with firmware and model, spoken to through its serial port."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from holdfast.edge._backends.native import FramedDevice
from holdfast.edge._errors import DeviceConnectionError
from holdfast.edge._links.channels import ProcessLink
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from holdfast.edge._links.channels import Link
    from holdfast.edge._models.model import QuantizedModel

# Where the firmware of a board looks for the model, and for the number it boots with.
_EMULATOR = "qemu-system-arm"
_ADDRESSES = {
    "mps2-an386": (0x20_0000, 0x3F_FFF0),
    "netduinoplus2": (0x0808_0000, 0x080F_FFF0),
}


@lru_cache(maxsize=1)
def emulated_boards() -> tuple[str, ...]:
    """Boards of the emulator that is installed; empty without one."""
    program = shutil.which(_EMULATOR)
    if program is None:
        return ()
    said = subprocess.run(  # noqa: S603 (an argument list, never a shell)
        [program, "-M", "help"], capture_output=True, text=True, check=False, timeout=20
    )
    names = (line.split()[0] for line in said.stdout.splitlines()[1:] if line.strip())
    return tuple(sorted(names))


class Emulated(FramedDevice):
    """A board of QEMU.

    With `icount` in the target one instruction takes 2**icount ns of virtual time, whatever
    this machine is busy with; without, the board's clock follows the load.

    Parameters
    ----------
    target : str
        `qemu://board?icount=6`; boards whose image does not ship, and images of one's own,
        take `kernel=image.elf` too.

    Raises
    ------
    InvalidParameterError
        When board or image are missing or unusable.
    """

    kind = "qemu"

    def __init__(self, target: str, *, seed: int = 0) -> None:
        parts = urlsplit(target)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if unknown := set(options) - {"kernel", "icount"}:
            raise InvalidParameterError(
                f"device may carry kernel and icount, got {', '.join(sorted(unknown))}"
            )
        self._board, self._kernel = parts.netloc, options.get("kernel", "")
        self._shift = options.get("icount", "")
        boards = emulated_boards()
        if boards and self._board not in boards:
            raise InvalidParameterError(
                f"device must name {' or '.join(_ADDRESSES)}, or with ?kernel=path another "
                f"board that `{_EMULATOR} -M help` lists, got {self._board!r}"
            )
        if not self._kernel and self._board in _ADDRESSES:
            self._kernel = str(files("holdfast.edge") / "images" / f"{self._board}.elf")
        if not self._kernel:
            raise InvalidParameterError(
                f"device must be qemu://board with a board of {', '.join(_ADDRESSES)}, or "
                f"qemu://board?kernel=path, got {target!r}"
            )
        if not Path(self._kernel).is_file():
            raise InvalidParameterError(
                f"kernel must be the firmware's file, and there is none at {self._kernel!r}"
            )
        if self._shift and not self._shift.isdigit():
            raise InvalidParameterError(f"icount must be a number, got {self._shift!r}")
        self._seed = seed
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._data: bytes | None = None
        super().__init__(
            self._opened,
            timeout=5.0,
            clock="virtual" if self._shift else "device",
            modelled="modelled(instructions of QEMU)" if self._shift else None,
            first_request=1,
        )

    def arguments(self) -> list[str]:
        """The command line; never given to a shell."""
        command = [_EMULATOR, "-M", self._board, "-kernel", self._kernel]
        command += ["-display", "none", "-monitor", "none", "-serial", "stdio"]
        if self._shift:
            command += ["-icount", f"shift={self._shift},sleep=off"]
        if self._folder is not None:
            at, boot = _ADDRESSES[self._board]
            # QEMU splits the option at commas and takes a doubled one for itself.
            path = str(Path(self._folder.name) / "model.bin").replace(",", ",,")
            command += ["-device", f"loader,file={path},addr={at:#x},force-raw=on"]
            command += ["-device", f"loader,addr={boot:#x},data={self._seed + 1},data-len=4"]
        return command

    def _opened(self) -> Link:
        if shutil.which(_EMULATOR) is None:
            raise DeviceConnectionError(
                f"qemu://{self._board}", "qemu", f"{_EMULATOR} is not installed"
            )
        if self._data is not None and self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="holdfast-")
            (Path(self._folder.name) / "model.bin").write_bytes(self._data)
        return ProcessLink(self.arguments())

    def close(self) -> None:
        """End the emulator and remove its files."""
        super().close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def load(self, model: QuantizedModel) -> None:
        """Start the board anew with the model in its memory, or send it over the line."""
        if self._board not in _ADDRESSES:
            super().load(model)
            return
        data = model.data()
        self.close()
        self._count_requests_anew()
        self._data = b"HFM1" + struct.pack("<I", len(data)) + bytes(8) + data
        self.open()
