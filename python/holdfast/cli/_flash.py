"""`holdfast flash`."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import check_readable, note, say

if TYPE_CHECKING:
    import argparse

EPILOG = """\
The tool of the platform (esptool.py, st-flash, picotool, nrfjprog, kflash, blflash) is started
with an argument list, never through a shell. It must be installed.

exit codes:
  0  written, or --dry-run
  1  not confirmed, the tool or the port is missing, or a file cannot be read
  2  wrong usage
  otherwise that of the tool

examples:
  holdfast flash -p esp32 -d /dev/ttyUSB0 --firmware agent.bin --dry-run
  holdfast flash -p rp2040 --firmware agent.uf2 --yes
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "-p", "--platform", required=True, metavar="ID", help="`holdfast devices --platforms`"
    )
    parser.add_argument(
        "-d", "--device", metavar="PORT",
        help="serial port, for tools that write through one (esptool.py, kflash, blflash)",
    )  # fmt: skip
    parser.add_argument(
        "--firmware", type=Path, required=True, metavar="FILE", help="image for the board"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the command only")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Run the tool of the platform with an argument list; never through a shell."""
    from holdfast.edge import PlatformManager
    from holdfast.edge._links.serial import check_port

    check_readable("firmware", arguments.firmware)
    if arguments.device is not None:
        check_port(arguments.device)
    command = PlatformManager(arguments.platform).flash_arguments(
        str(arguments.firmware), arguments.device
    )
    if arguments.device is not None and arguments.device not in command:
        note(f"{command[0]} finds the board itself: {arguments.device} is not used")
    say(shlex.join(command))
    if arguments.dry_run:
        return 0
    if why := _hindrance(command, confirmed=arguments.yes):
        note(why)
        return 1
    code = subprocess.run(command, check=False).returncode  # noqa: S603
    if code < 0:
        note(f"{command[0]} was ended by signal {-code}")
        return 1
    return code


def _hindrance(command: list[str], *, confirmed: bool) -> str | None:
    """Why the tool is not to be started; asks the user, if nothing else is in the way."""
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed"
    for port in command[1:]:
        if port.startswith("/dev/tty") and not Path(port).exists():
            return f"there is no port {port}: name the one of the board with -d"
    if confirmed:
        return None
    if not sys.stdin.isatty():
        return "not confirmed: answer on a terminal, or give --yes"
    note("write it? [y/N]")
    agreed = sys.stdin.readline().strip().lower() in {"y", "yes"}
    return None if agreed else "not confirmed"
