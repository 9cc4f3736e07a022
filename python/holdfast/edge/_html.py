"""A report as one HTML page that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from holdfast.edge._metrics import request_metrics
from holdfast.edge._results_io import write_whole
from holdfast.edge._summary import PERCENTILES, measured
from holdfast.edge._svg import Axes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from holdfast.edge._profiles import Measurement
    from holdfast.edge._results import ProfileResults

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:880px;margin:2rem auto;padding:0 1rem;
color:#111}
table{border-collapse:collapse;width:100%;font-size:13px}td,th{border-bottom:1px solid #ddd;
padding:.25rem .5rem;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;font:11px system-ui,sans-serif}
svg .grid{stroke:#e5e7eb}
.badge{display:inline-block;
padding:0 .5rem;border-radius:1rem;font-size:12px;background:#e5e7eb}
.ok{background:#bbf7d0}.partial{background:#fde68a}
.failed,.absent{background:#fecaca}
.muted{color:#6b7280}
"""


def number(value: float | None) -> str:
    """Four digits; a dash for what was not measured."""
    if value is None:
        return "&ndash;"
    return f"{value:.4g}"


def _badge(text: str, kind: str = "") -> str:
    return f'<span class="badge {escape(kind)}">{escape(text)}</span>'


def _row(one: Measurement) -> str:
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{number(one.low)} to {number(one.high)}"
    elif one.high is not None:
        interval = f"below {number(one.high)}"
    note = escape(one.cause or one.method or "")
    return (
        f"<tr><td>{escape(one.name)}</td><td class=n>{number(one.value)}</td>"
        f"<td>{escape(one.unit)}</td><td class=n>{interval}</td>"
        f"<td>{escape(one.clock or '')}</td><td>{escape(one.provenance)}</td>"
        f"<td class=n>{one.n or ''}</td><td>{_badge(one.status, one.status)}</td>"
        f"<td class=muted>{note}</td></tr>"
    )


def _timeline(results: ProfileResults) -> str:
    """When each token of the first requests was made."""
    shown = [one for one in measured(results.records) if len(one.ticks) > 1][:6]
    if not shown:
        return ""
    times = [
        [
            (tick - (one.start_ticks or one.ticks[0])) / (one.tick_hz or 1e9) * 1e3
            for tick in one.ticks
        ]
        for one in shown
    ]
    axes = Axes(
        (0, max(row[-1] for row in times)), (0, max(len(row) for row in times)),
        "ms since the request was accepted", "tokens",
    )  # fmt: skip
    for index, row in enumerate(times):
        axes.line(row, list(range(1, len(row) + 1)), index)
    return f"<h3>Tokens over time</h3>{axes.svg('Tokens over time')}"


def _over_context(results: ProfileResults) -> str:
    requests = [request_metrics(one) for one in measured(results.records)]
    gaps = [one.itl_ms for one in requests if len(one.itl_ms) > 1][:40]
    if not gaps:
        return ""
    every = [gap for row in gaps for gap in row]
    axes = Axes(
        (1, max(len(row) for row in gaps)), (min(every), max(every)),
        "position after the first token", "ms between tokens",
    )  # fmt: skip
    for row in gaps:
        axes.points(list(range(1, len(row) + 1)), row)
    return f"<h3>Time between tokens over context</h3>{axes.svg('Time between tokens')}"


def _memory(results: ProfileResults) -> str:
    part = results.memory_profile
    if part is None:
        return ""
    named = {
        "static": part.static_kb, "heap": part.heap_usage_kb, "stack": part.stack_usage_kb,
        "peak": part.peak_memory_kb,
    }  # fmt: skip
    known = {name: value for name, value in named.items() if value is not None}
    if not known:
        return ""
    axes = Axes((0, len(known) + 1), (0, max(known.values())), "", "KB")
    for index, (name, value) in enumerate(known.items(), 1):
        axes.bar(index, value, None, None).label(index, f"{name} {value:.0f}")
    return f"<h3>Memory ({escape(part.method or 'reported')})</h3>{axes.svg('Memory')}"


def _percentiles(results: ProfileResults) -> str:
    found = [
        (at, one)
        for at in PERCENTILES
        if (one := results.measurements.get(f"itl_p{at}_ms")) is not None
        and one.value is not None
    ]
    if not found:
        return ""
    top = max(one.high or one.value or 0 for _, one in found)
    axes = Axes((0, len(found) + 1), (0, top), "", "ms between tokens")
    for index, (at, one) in enumerate(found, 1):
        axes.bar(index, one.value or 0, one.low, one.high).label(index, f"p{at}")
    return f"<h3>Percentiles, with 99 % upper bounds</h3>{axes.svg('Percentiles')}"


def summary(results: ProfileResults) -> str:
    """Badges and headline numbers: what a notebook shows."""
    clock = results.latency_profile.clock if results.latency_profile else None
    stopped = str(results.session_metadata.get("stopped", ""))
    badges = [_badge(results.platform), _badge(results.quantization or "unknown bits")]
    if clock:
        badges.append(_badge(f"{clock} clock"))
    if stopped:
        kind = "ok" if stopped in {"complete", "converged"} else "partial"
        badges.append(_badge(stopped, kind))
    failed = results.session_metadata.get("failed_metrics") or []
    badges += [_badge(f"{name} failed", "failed") for name in failed]
    rows = [
        ("tokens per second", results.tokens_per_second, ""),
        ("first token", results.first_token_latency_ms, "ms"),
        ("peak memory", results.peak_memory_kb, "KB"),
        ("energy per token", results.energy_per_token_mj, "mJ"),
    ]
    cells = "".join(
        f"<tr><td>{name}</td><td class=n>{number(value)}</td><td>{unit}</td></tr>"
        for name, value, unit in rows
    )
    return (
        f"<h2>{escape(results.model_name)}</h2><p>{' '.join(badges)}</p><table>{cells}</table>"
    )


def _section(results: ProfileResults) -> str:
    rows = "".join(_row(one) for one in results.measurements.values())
    heads = "".join(
        f"<th>{head}</th>"
        for head in ("metric", "value", "unit", "95 %", "clock", "from", "n", "", "")
    )
    advice = "".join(f"<li>{escape(text)}</li>" for text in results.get_recommendations())
    about = " &middot; ".join(
        escape(str(part))
        for part in (results.timestamp.isoformat(timespec="seconds"), results.session_id or "")
        if part
    )
    return (
        f"<section>{summary(results)}<p class=muted>{about}</p>"
        f"{_timeline(results)}{_over_context(results)}{_percentiles(results)}{_memory(results)}"
        f"<h3>Every number</h3><table><tr>{heads}</tr>{rows}</table>"
        f"{f'<h3>Suggestions</h3><ul>{advice}</ul>' if advice else ''}</section>"
    )


def page(results: Sequence[ProfileResults]) -> str:
    """The whole report."""
    body = "<hr>".join(_section(one) for one in results)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Device profile</title><style>{_STYLE}</style></head><body>"
        f"<h1>Device profile</h1>{body}</body></html>"
    )


def write_report(results: Sequence[ProfileResults], path: str | PathLike[str]) -> None:
    """Write the report."""
    write_whole(path, page(results).encode())
