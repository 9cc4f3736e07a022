"""`holdfast compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli._output import as_json, say

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("before", type=Path, help="result saved as JSON")
    parser.add_argument("after", type=Path)
    parser.add_argument(
        "--metric", action="append", default=[], help="default: tpot_ms, ttft_ms"
    )
    parser.add_argument("--alpha", type=float, default=0.05, help="share of false alarms")
    parser.add_argument(
        "--tolerance", type=float, default=1e-4, help="for deterministic results"
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """0: not slower, 1: slower in any metric, 2: a metric could not be compared."""
    from holdfast.edge import ProfileResults, compare  # noqa: PLC0415

    before = ProfileResults.from_json(arguments.before)
    after = ProfileResults.from_json(arguments.after)
    metrics = arguments.metric or ["tpot_ms", "ttft_ms"]
    # The false alarms of all metrics together stay at alpha (Bonferroni).
    found = [
        compare(
            before, after, metric, alpha=arguments.alpha / len(metrics),
            tolerance=arguments.tolerance,
        )
        for metric in metrics
    ]  # fmt: skip
    if arguments.json:
        as_json([one.to_dict() for one in found])
    else:
        for one in found:
            if one.ratio is None:
                say(f"{one.metric}: {one.verdict}: {one.reason}")
            else:
                say(
                    f"{one.metric}: {one.verdict}, takes {one.ratio:.4f} times as long "
                    f"({one.low:.4f} to {one.high:.4f}; {one.method}, n={one.n})"
                )
    codes = [one.exit_code for one in found]
    return 1 if 1 in codes else max(codes)
