"""`holdfast agent`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import check_readable, note

if TYPE_CHECKING:
    import argparse

EPILOG = """\
One profiler at a time is served; it may upload another model. A profiler that lost its
connection and comes back finds its request still running.

exit codes:
  0    the first connection ended (--once)
  1    the address or port cannot be served, or the model cannot be read
  2    wrong usage
  130  interrupted

examples:
  holdfast agent                             on the board
  holdfast profile -p rpi_zero -d tcp://board:7070     elsewhere
  holdfast agent --listen 0.0.0.0:7070 -m model.gguf
  holdfast agent -d /dev/ttyGS0 -b 115200
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--listen", default="127.0.0.1:7070", metavar="HOST:PORT",
        help="default: %(default)s; port 0: any free one. Anyone who reaches it can use the "
        "engine",
    )  # fmt: skip
    parser.add_argument("-d", "--device", metavar="PORT", help="serve a serial port instead")
    parser.add_argument(
        "-b", "--baudrate", type=int, default=921_600, metavar="RATE",
        help="of the serial port (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("-m", "--model", type=Path, metavar="FILE", help="GGUF to start with")
    parser.add_argument("--once", action="store_true", help="end after the first connection")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from holdfast.edge import serve_agent

    check_readable("model", arguments.model)
    model = None if arguments.model is None else arguments.model.read_bytes()
    serve_agent(
        arguments.device or arguments.listen,
        model=model,
        baudrate=arguments.baudrate,
        once=arguments.once,
        ready=lambda where: note(f"serving {where}"),
    )
    return 0
