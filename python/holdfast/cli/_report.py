"""`holdfast report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import note, say

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("results", type=Path, nargs="+", help="results saved as JSON")
    parser.add_argument("--records", type=Path, help="raw records: numbers are computed anew")
    parser.add_argument(
        "-o", "--output", type=Path, help="HTML page; otherwise text is printed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the page, or print the headlines."""
    from holdfast.edge import (  # noqa: PLC0415
        ProfileResults,
        load_records,
        recompute,
        write_report,
    )

    results = [ProfileResults.from_json(path) for path in arguments.results]
    if arguments.records is not None:
        if len(results) != 1:
            note("--records goes with one result")
            return 2
        recompute(results[0], load_records(arguments.records))
    if arguments.output is None:
        for one in results:
            say(repr(one))
    else:
        write_report(results, arguments.output)
        say(str(arguments.output))
    return 0
