"""`holdfast compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import as_json, check_readable, say

if TYPE_CHECKING:
    import argparse

EPILOG = """\
Compared are, unless --metric names others, the time per token (tpot_ms), the first token
(ttft_ms), the highest memory (ram_peak), flash, and energy per token, as far as measured.
Bytes and deterministic devices are compared exactly, times and measured energy by rank tests.
Two devices, models or settings that are not the same are said below the table.

exit codes:
  0  worse in nothing
  1  worse in at least one metric
  2  something cannot be compared, or wrong usage

examples:
  holdfast compare before.json after.json
  holdfast compare before.json after.json --metric ttft_ms --metric ram_peak
  holdfast compare before.json after.json --json | jq .verdict
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("before", type=Path, help="result saved as JSON")
    parser.add_argument("after", type=Path, help="result saved as JSON")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME",
        help="repeat, or join by commas: tpot_ms ttft_ms e2e_ms itl_ms decode_tps e2e_tps "
        "prefill_tps energy_per_token ram_peak stack_peak heap_peak flash",
    )  # fmt: skip
    parser.add_argument(
        "--alpha", type=float, default=0.05, metavar="SHARE",
        help="false alarms of all metrics together (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, default=1e-4, metavar="SHARE",
        help="difference accepted in exact comparisons (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0: not worse, 1: worse in any metric, 2: a metric could not be compared."""
    from holdfast.edge import ProfileResults, compare_profiles

    check_readable("before", arguments.before)
    check_readable("after", arguments.after)
    metrics = [name for joined in arguments.metric for name in joined.split(",") if name]
    found = compare_profiles(
        ProfileResults.from_json(arguments.before),
        ProfileResults.from_json(arguments.after),
        metrics,
        alpha=arguments.alpha,
        tolerance=arguments.tolerance,
    )
    if arguments.json:
        as_json(found.to_dict())
    else:
        say(str(found))
    return found.exit_code
