"""`holdfast agent`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import note

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--listen", default="127.0.0.1:7070",
        help="host:port (default: %(default)s); anyone who reaches it can use the engine",
    )  # fmt: skip
    parser.add_argument("-d", "--device", help="serve a serial port instead")
    parser.add_argument("-b", "--baudrate", type=int, default=921_600)
    parser.add_argument("-m", "--model", type=Path, help="GGUF to start with")
    parser.add_argument("--once", action="store_true", help="end after the first connection")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from holdfast.edge import serve_agent  # noqa: PLC0415

    model = None if arguments.model is None else arguments.model.read_bytes()
    serve_agent(
        arguments.device or arguments.listen,
        model=model,
        baudrate=arguments.baudrate,
        once=arguments.once,
        ready=lambda where: note(f"serving {where}"),
    )
    return 0
