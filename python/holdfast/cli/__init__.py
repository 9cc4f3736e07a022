"""The command `holdfast`."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# command: module of this package with EPILOG, `configure(parser)` and `run(arguments)`, which
# gives the exit code
COMMANDS = {
    "profile": ("_profile", "profile a model on one or several devices"),
    "devices": ("_devices", "list ports and platforms, and ask who is there"),
    "flash": ("_flash", "write firmware to a board"),
    "agent": ("_agent", "serve the engine of this machine to a profiler"),
    "compare": ("_compare", "tell whether one result is worse than another"),
    "report": ("_report", "make a page, a badge or text from saved results"),
}

_EPILOG = """\
Answers go to standard output, everything else to standard error.

exit codes:
  0    done
  1    it failed, or `compare` found that something is worse
  2    wrong usage, or `compare` had nothing to compare
  130  interrupted

`holdfast COMMAND --help` has the options, exit codes and examples of a command.

examples:
  holdfast profile                      a simulated part; no hardware needed
  holdfast devices --ask                who is on which port
  holdfast profile -p esp32 -d /dev/ttyUSB0 -m model.gguf -o after.json
  holdfast compare before.json after.json
"""


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser; with `only`, just that command loads its module."""
    as_written = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser(
        "holdfast",
        description="Profiles small language models on devices.",
        epilog=_EPILOG,
        formatter_class=as_written,
    )
    made.add_argument("--version", action="store_true", help="print the version and exit")
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        one = commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.",
            formatter_class=as_written,
        )  # fmt: skip
        if only in (None, name):
            loaded = importlib.import_module(f"holdfast.cli.{module}")
            loaded.configure(one)
            one.epilog = loaded.EPILOG
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what it found goes to stdout, everything else to stderr.

    Returns
    -------
    int
        0: done, 1: it failed or the comparison found something worse, 2: wrong usage or
        nothing to compare, 130: interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    named = next((word for word in given if word in COMMANDS), None)
    made = parser(named)
    parsed = made.parse_args(given)
    if parsed.version:
        from importlib.metadata import version

        print(version("holdfast"))  # noqa: T201
        return 0
    if parsed.command is None:
        made.print_help(sys.stderr)
        return 2
    from holdfast.errors import HoldfastError

    try:
        module = importlib.import_module(f"holdfast.cli.{COMMANDS[parsed.command][0]}")
        code: int = module.run(parsed)
    except (HoldfastError, OSError) as error:
        print(f"holdfast {parsed.command}: {error}", file=sys.stderr)  # noqa: T201
        return 2 if parsed.command == "compare" else 1
    except KeyboardInterrupt:
        print(f"holdfast {parsed.command}: interrupted", file=sys.stderr)  # noqa: T201
        return 130
    return code
