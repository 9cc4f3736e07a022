"""A report as one HTML page that loads nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from holdfast.edge._files import write_whole
from holdfast.edge._results import advice
from holdfast.edge._results import html_plots as plots
from holdfast.edge._results.svg import STYLE, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from holdfast.edge._results.findings import Findings
    from holdfast.edge._results.profiles import Measurement

_PAGE = """
:root{color-scheme:light dark}
body{background:Canvas;color:CanvasText;font:15px/1.5 system-ui,sans-serif;max-width:900px;
margin:2rem auto;padding:0 1rem}
@media print{body{max-width:none}}
"""
_STYLE = (
    """
.holdfast h2{margin:.2rem 0}.holdfast h3{font-size:1rem;margin:1.6rem 0 .4rem}
.holdfast table{border-collapse:collapse;width:100%;font-size:13px}
.holdfast td,.holdfast th{border-bottom:1px solid rgba(128,128,128,.3);padding:.25rem .5rem;
text-align:left;vertical-align:top}
.holdfast .wide{overflow-x:auto}
.holdfast td.n,.holdfast th.n{text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}
.holdfast .cards{display:flex;flex-wrap:wrap;gap:.7rem;margin:.8rem 0}
.holdfast .card{flex:1 1 9rem;border:1px solid rgba(128,128,128,.35);border-radius:.6rem;
padding:.5rem .8rem}
.holdfast .card b{display:block;font-size:1.35rem;font-weight:600}
.holdfast .card small{opacity:.75;display:block}
.holdfast figure{margin:0}.holdfast figcaption,.holdfast .muted{opacity:.72;font-size:12.5px}
.holdfast .badge{display:inline-block;padding:0 .55rem;border-radius:1rem;font-size:12px;
background:rgba(128,128,128,.2)}
.holdfast .ok{background:rgba(34,160,84,.28)}.holdfast .partial{background:rgba(230,160,20,.32)}
.holdfast .failed{background:rgba(229,72,77,.32)}
.holdfast hr{border:0;border-top:1px solid rgba(128,128,128,.35);margin:2.5rem 0}
.holdfast summary{cursor:pointer;margin:1rem 0 .3rem}
.holdfast pre{font-size:12px;white-space:pre-wrap}
"""
    + STYLE
)


def number(value: float | None) -> str:
    """Four digits; a dash for what was not measured."""
    return "&ndash;" if value is None else short(value)


def _badge(text: str, kind: str = "") -> str:
    return f'<span class="badge {escape(kind)}">{escape(text)}</span>'


def _interval(one: Measurement | None) -> str:
    if one is None or (one.low is None and one.high is None) or one.low == one.high:
        return ""
    if one.low is None:
        return f"at most {number(one.high)}"
    return f"{number(one.low)} &hellip; {number(one.high)}"


def _row(one: Measurement) -> str:
    note = escape(one.cause or one.method or "")
    status = "" if one.status == "ok" else _badge(one.status, one.status)
    return (
        f"<tr><td>{escape(one.name)}</td><td class=n>{number(one.value)}</td>"
        f"<td>{escape(one.unit)}</td><td class=n>{_interval(one)}</td>"
        f"<td>{escape(one.clock or '')}</td><td>{escape(one.provenance)}</td>"
        f"<td class=n>{one.n or ''}</td><td>{status} <span class=muted>{note}</span></td></tr>"
    )


def _card(name: str, value: float | None, unit: str, below: str, cause: str | None) -> str:
    text = f"{number(value)} <small style='display:inline'>{unit}</small>"
    if value is None:
        text, below = "&ndash;", escape(cause or "not measured")
    return f'<div class="card"><small>{name}</small><b>{text}</b><small>{below}</small></div>'


def _cards(results: Findings) -> str:
    said = results.measurements
    causes = results.session_metadata.get("causes") or {}
    memory = results.memory_profile
    rate = said.get("decode_tps")
    if rate is None or rate.value is None:
        rate = said.get("e2e_tps")
    return "".join(
        _card(name, value, unit, below, causes.get(subject))
        for name, value, unit, below, subject in (
            ("rate", results.tokens_per_second, "tokens/s", _interval(rate), "latency"),
            ("first token", results.first_token_latency_ms, "ms",
             _interval(said.get("ttft_ms")), "latency"),
            ("peak memory", results.peak_memory_kb, "KB",
             escape(str(memory.method or "")) if memory else "", "memory"),
            ("energy per token", results.energy_per_token_mj, "mJ",
             escape(str(results.power_profile.source or "")) if results.power_profile else "",
             "power"),
        )
    )  # fmt: skip


def summary(results: Findings) -> str:
    """Badges and headline numbers."""
    clock = results.latency_profile.clock if results.latency_profile else None
    stopped = str(results.session_metadata.get("stopped", ""))
    badges = [_badge(results.platform), _badge(results.quantization or "unknown bits")]
    if clock:
        badges.append(_badge(f"{clock} clock"))
    if modelled := results.test_configuration.get("modelled"):
        badges.append(_badge(str(modelled), "partial"))
    if stopped:
        kind = "ok" if stopped in {"complete", "converged"} else "partial"
        badges.append(_badge(stopped, kind))
    failed = results.session_metadata.get("failed_metrics") or []
    badges += [_badge(f"{name} failed", "failed") for name in failed]
    return (
        f"<h2>{escape(results.model_name)}</h2><div>{' '.join(badges)}</div>"
        f'<div class="cards">{_cards(results)}</div>'
    )


def notebook(results: Findings) -> str:
    """What a notebook shows: the summary, styled without touching the page around it."""
    return f'<div class="holdfast"><style>{_STYLE}</style>{summary(results)}</div>'


def _table(rows: Sequence[Measurement]) -> str:
    heads = "".join(
        f"<th{' class=n' if head in {'value', 'interval', 'n'} else ''}>{head}</th>"
        for head in ("metric", "value", "unit", "interval", "clock", "from", "n", "")
    )
    body = "".join(_row(one) for one in rows)
    return f"<div class=wide><table><tr>{heads}</tr>{body}</table></div>"


def _outcome(results: Findings) -> str:
    said = results.session_metadata
    requests = said.get("requests") or {}
    parts = [f"{count} {status}" for status, count in requests.items() if count]
    lines = []
    if parts:
        warm = said.get("warm_up_requests") or 0
        more = f"; {warm} more to warm up" if warm else ""
        lines.append(f"Requests: {', '.join(parts)}{more}.")
    lines += [
        f"{name} was not measured: {why}" for name, why in (said.get("causes") or {}).items()
    ]
    lines += [
        f"{count} requests marked {mark}" for mark, count in (said.get("marks") or {}).items()
    ]
    lines += [str(text) for text in (said.get("failures") or [])[:10]]
    return "".join(f"<p class=muted>{escape(line)}</p>" for line in lines)


def _section(results: Findings) -> str:
    every = list(results.measurements.values())
    known = [one for one in every if one.value is not None]
    absent = [one for one in every if one.value is None]
    advised = "".join(f"<li>{escape(text)}</li>" for text in advice.recommendations(results))
    about = " &middot; ".join(
        escape(str(part))
        for part in (results.timestamp.isoformat(timespec="seconds"), results.session_id or "")
        if part
    )
    settings = {"settings": results.test_configuration, **results.environment_info}
    details = escape(json.dumps(settings, indent=1, default=str))
    tables = f"<h3>Every number</h3>{_table(known)}" if known else ""
    if absent:
        tables += (
            f"<details><summary>Not measured ({len(absent)}), and why</summary>"
            f"{_table(absent)}</details>"
        )
    pictures = "".join(
        draw(results)
        for draw in (
            plots.timeline, plots.over_context, plots.over_requests, plots.percentiles,
            plots.memory,
        )
    )  # fmt: skip
    return (
        f"<section>{summary(results)}<p class=muted>{about}</p>{_outcome(results)}{pictures}"
        f"{tables}{f'<h3>Suggestions</h3><ul>{advised}</ul>' if advised else ''}"
        f"<details><summary>Settings and environment</summary><pre>{details}</pre></details>"
        "</section>"
    )


def picture_page(title: str, picture: str) -> str:
    """One picture as a page."""
    return _document(title, f"<h1>{escape(title)}</h1>{picture}")


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_PAGE}{_STYLE}</style></head>"
        f'<body class="holdfast">{body}</body></html>'
    )


def page(results: Sequence[Findings]) -> str:
    """The whole report."""
    body = "<hr>".join(_section(one) for one in results)
    return _document("Device profile", f"<h1>Device profile</h1>{body}")


def write_report(results: Sequence[Findings], path: str | PathLike[str]) -> None:
    """Write the report."""
    write_whole(path, page(results).encode())
