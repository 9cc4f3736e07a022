"""`holdfast flash`."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import note, say
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("-p", "--platform", required=True)
    parser.add_argument("-d", "--device", help="serial port")
    parser.add_argument("--firmware", type=Path, required=True, help="image for the board")
    parser.add_argument("--dry-run", action="store_true", help="print the command only")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Run the tool of the platform with an argument list; never through a shell."""
    from holdfast.edge import PlatformManager  # noqa: PLC0415
    from holdfast.edge._serial import check_port  # noqa: PLC0415

    if not arguments.firmware.is_file():
        raise InvalidParameterError(f"firmware must be a file, got {str(arguments.firmware)!r}")
    if arguments.device is not None:
        check_port(arguments.device)
    command = PlatformManager(arguments.platform).flash_arguments(
        str(arguments.firmware), arguments.device
    )
    say(shlex.join(command))
    if arguments.dry_run:
        return 0
    program = shutil.which(command[0])
    if program is None:
        note(f"{command[0]} is not installed")
        return 1
    if not arguments.yes:
        if not sys.stdin.isatty():
            note("not confirmed: answer on a terminal, or give --yes")
            return 1
        note("write it? [y/N]")
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            return 1
    return subprocess.run([program, *command[1:]], check=False).returncode  # noqa: S603
