"""One number as a small picture for a README."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from holdfast.edge._results.svg import short
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from holdfast.edge._results.findings import Findings

METRICS = {
    "tokens_per_second": "tok/s",
    "first_token_latency_ms": "ms to first token",
    "peak_memory_kb": "KB peak",
    "energy_per_token_mj": "mJ/token",
}
_CHARACTER = 6.6


def badge(results: Findings, metric: str = "tokens_per_second") -> str:
    """Platform on the left, number on the right, as SVG; modelled numbers say so.

    Raises
    ------
    InvalidParameterError
        When the metric is not known.
    """
    if metric not in METRICS:
        raise InvalidParameterError(
            f"metric must be one of {', '.join(METRICS)}, got {metric!r}"
        )
    value = getattr(results, metric)
    right = "not measured" if value is None else f"{short(value)} {METRICS[metric]}"
    timed = metric != "peak_memory_kb"
    if value is not None and timed and results.test_configuration.get("modelled"):
        right += " (modelled)"
    left = results.platform
    a, b = (round(len(text) * _CHARACTER) + 14 for text in (left, right))
    shade = "#777" if value is None else "#1f7a4d"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="20" role="img" '
        f'aria-label="{escape(left)}: {escape(right)}">'
        f'<rect width="{a + b}" height="20" rx="3" fill="#444"/>'
        f'<path fill="{shade}" d="M{a} 0h{b - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{a}z"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'text-anchor="middle"><text x="{a / 2}" y="14">{escape(left)}</text>'
        f'<text x="{a + b / 2}" y="14">{escape(right)}</text></g></svg>'
    )
