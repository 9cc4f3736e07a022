"""`holdfast devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.cli._output import as_json, note, say, table

if TYPE_CHECKING:
    import argparse

EPILOG = """\
Without options the serial ports with a board are listed and nothing is opened.
--ask opens each of them: some boards restart when that happens.

exit codes:
  0  done
  1  devices were asked and none answered
  2  wrong usage

examples:
  holdfast devices
  holdfast devices --ask
  holdfast devices -d /dev/ttyUSB0 -b 115200
  holdfast devices -d tcp://board:7070 --json
  holdfast devices --platforms
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "--ask", action="store_true", help="open each port and ask who is there"
    )
    parser.add_argument(
        "-d", "--device", action="append", default=[], metavar="PORT", help="ask these instead"
    )
    parser.add_argument(
        "-b", "--baudrate", type=int, metavar="RATE", help="otherwise the usual ones are tried"
    )
    parser.add_argument("--platforms", action="store_true", help="list platforms instead")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def _platforms() -> list[dict[str, Any]]:
    from holdfast.edge import PlatformManager

    names = PlatformManager.list_supported_platforms(include_virtual=True)
    return [info for name in names if (info := PlatformManager.get_platform_info(name))]


def run(arguments: argparse.Namespace) -> int:
    """List; 1 when devices were asked and none answered."""
    from holdfast.edge import identify, list_ports

    if arguments.platforms:
        found = _platforms()
        if arguments.json:
            as_json(found)
        else:
            heads = (
                "name",
                "display_name",
                "architecture",
                "ram_kb",
                "flash_kb",
                "max_freq_mhz",
            )
            table(heads, ([one[head] for head in heads] for one in found))
        return 0
    ports: list[dict[str, Any]] = [
        {"path": one.path, "vendor": one.vendor, "product": one.product,
         "description": one.description}
        for one in list_ports()
    ]  # fmt: skip
    if arguments.device:
        ports = [{"path": device} for device in arguments.device]
    answered = 0
    for port in ports if arguments.ask or arguments.device else ():
        rates = None if arguments.baudrate is None else [arguments.baudrate]
        said = identify(port["path"], rates)
        port |= {"baudrate": said.baudrate, "protocol": said.protocol, "board": said.board,
                 "answer": said.cause}  # fmt: skip
        answered += said.protocol is not None
    if arguments.json:
        as_json(ports)
    elif not ports:
        note("no serial port with a board; 'sim-rv32' and 'host' need none")
    for port in () if arguments.json else ports:
        say("  ".join(f"{key}={value}" for key, value in port.items() if value is not None))
    asked = arguments.ask or arguments.device
    return 1 if asked and not answered else 0
