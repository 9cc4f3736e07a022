"""`holdfast report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import check_readable, check_writable, note, say

if TYPE_CHECKING:
    import argparse

    from holdfast.edge import ProfileResults

EPILOG = """\
Results are the JSON files of `holdfast profile -o`, or raw token records (.jsonl, .npz), of
which every time is computed anew. Pictures of tokens need the records: give them as --records
beside a JSON file, or instead of it.

exit codes:
  0  done
  1  a file cannot be read or written
  2  wrong usage

examples:
  holdfast report run.json
  holdfast report run.json --records run.jsonl -o run.html
  holdfast report run.jsonl -o run.html
  holdfast report before.json after.json -o both.html
  holdfast report run.json --badge speed.svg
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument(
        "results", type=Path, nargs="+", metavar="FILE", help=".json, .jsonl or .npz"
    )
    parser.add_argument(
        "--records", type=Path, metavar="FILE",
        help="raw records of the one result: its numbers are computed anew",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="HTML page; otherwise text is printed",
    )  # fmt: skip
    parser.add_argument(
        "--badge", type=Path, metavar="FILE", help="tokens per second of the one result as SVG"
    )


def _read(path: Path) -> ProfileResults:
    from holdfast.edge import ProfileResults

    check_readable("results", path)
    if path.suffix in {".jsonl", ".npz"}:
        return ProfileResults.from_records(path)
    return ProfileResults.from_json(path)


def run(arguments: argparse.Namespace) -> int:
    """Make the page and the badge, or print the headlines."""
    from holdfast.edge import load_records, recompute, write_report

    check_writable("output", arguments.output, (".html",))
    check_writable("badge", arguments.badge, (".svg",))
    check_readable("records", arguments.records)
    for option, given in (("--records", arguments.records), ("--badge", arguments.badge)):
        if given is not None and len(arguments.results) != 1:
            note(f"holdfast report: {option} goes with one result")
            return 2
    results = [_read(path) for path in arguments.results]
    if arguments.records is not None:
        recompute(results[0], load_records(arguments.records))
    if arguments.badge is not None:
        results[0].export_badge(arguments.badge)
        say(str(arguments.badge))
    if arguments.output is not None:
        write_report(results, arguments.output)
        say(str(arguments.output))
    elif arguments.badge is None:
        for one in results:
            say(repr(one))
    return 0
