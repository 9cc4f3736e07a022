"""The pictures of a report."""

from __future__ import annotations

from html import escape
from statistics import median
from typing import TYPE_CHECKING

from holdfast.edge._measurement.metrics import request_metrics, theil_sen
from holdfast.edge._measurement.summary import PERCENTILES, measured
from holdfast.edge._results.svg import Axes, shares, short

if TYPE_CHECKING:
    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._results.findings import Findings


def _figure(title: str, picture: str, note: str = "") -> str:
    below = f"<figcaption>{escape(note)}</figcaption>" if note else ""
    return f"<figure><h3>{escape(title)}</h3>{picture}{below}</figure>"


def timeline(results: Findings) -> str:
    """When each token of the first request of each prompt was made."""
    seen: dict[int, int] = {}
    shown: list[Generation] = []
    for one in measured(results.records):
        if one.prompt_index not in seen and len(one.ticks or one.host_ns) > 1:
            seen[one.prompt_index] = len(shown)
            shown.append(one)
    shown = shown[:6]
    if not shown:
        return ""
    times = []
    for one in shown:
        if one.ticks:
            start = one.ticks[0] if one.start_ticks is None else one.start_ticks
            times.append([(tick - start) / (one.tick_hz or 1e9) * 1e3 for tick in one.ticks])
        else:
            times.append([(at - one.start_host_ns) / 1e6 for at in one.host_ns])
    axes = Axes(
        (0, max(row[-1] for row in times)), (0, max(len(row) for row in times)),
        "ms since the request was accepted", "tokens",
    )  # fmt: skip
    for index, row in enumerate(times):
        count = list(range(1, len(row) + 1))
        axes.line(row, count, index).points(row, count, index)
    if len(shown) > 1:
        names = [(repr(one.prompt[:28]), index) for index, one in enumerate(shown)]
        axes.legend(names)
    return _figure(
        "Tokens over time", axes.svg("Tokens over time"),
        "The first request of each prompt. Where a line begins is the time to the first token.",
    )  # fmt: skip


def over_context(results: Findings) -> str:
    """Gaps between tokens by position, their median, and the robust slope."""
    requests = [request_metrics(one) for one in measured(results.records)]
    gaps = [one.itl_ms for one in requests if len(one.itl_ms) > 1][:60]
    if not gaps:
        return ""
    every = [gap for row in gaps for gap in row]
    longest = max(len(row) for row in gaps)
    # A pause of the machine must not flatten everything else.
    usual = sorted(every)[int(0.95 * (len(every) - 1))]
    top = min(max(every), 3 * usual)
    axes = Axes(
        (1, longest), (min(every), top), "position after the first token", "ms between tokens"
    )
    for row in gaps:
        shown = [min(gap, top) for gap in row]
        axes.points(list(range(1, len(row) + 1)), shown, faint=len(gaps) > 1)
    beyond = sum(gap > top for gap in every)
    middle = [median(row[at] for row in gaps if len(row) > at) for at in range(longest)]
    place = list(range(1, longest + 1))
    slope = theil_sen(place, middle)
    note = f"{len(gaps)} requests."
    if slope is not None and longest >= 8:  # noqa: PLR2004
        base = median(v - slope * x for x, v in zip(place, middle, strict=True))
        axes.line([1, longest], [base + slope, base + slope * longest], 3, dashed=True)
        note = f"{len(gaps)} requests; Theil-Sen slope {short(slope * 1e3)} us per token."
    if beyond:
        note += f" {beyond} gaps above {short(top)} ms are drawn there."
    return _figure("Time between tokens over context", axes.svg("Time between tokens"), note)


def over_requests(results: Findings) -> str:
    """One point per request, in order of time: drift and warm-up show here."""
    columns = [
        (name, [value for value in results.raw_measurements.get(name, []) if value is not None])
        for name in ("ttft_ms", "tpot_ms")
    ]
    columns = [(name, values) for name, values in columns if len(values) > 5]  # noqa: PLR2004
    out = []
    for name, values in columns:
        axes = Axes((1, len(values)), (min(values), max(values)), "request", name)
        one = results.measurements.get(name)
        note = ""
        if one is not None and one.value is not None:
            axes.line([1, len(values)], [one.value, one.value], 3)
            if one.low is not None and one.high is not None and one.low != one.high:
                for edge in (one.low, one.high):
                    axes.line([1, len(values)], [edge, edge], 3, dashed=True)
                exact = bool(one.method) and str(one.method).startswith("range")
                kind = "range" if exact else "95 % interval"
                note = f"Line: median. Dashed: {kind} {short(one.low)} to {short(one.high)} ms."
        axes.points(list(range(1, len(values) + 1)), values)
        title = {"ttft_ms": "First token", "tpot_ms": "Time per token"}[name]
        out.append(_figure(f"{title}, request by request", axes.svg(title), note))
    return "".join(out)


def percentiles(results: Findings) -> str:
    """Percentiles of three times with upper bounds; those too rare for the sample are said."""
    out = []
    for name, title in (
        ("itl", "Time between tokens"), ("ttft", "First token"), ("e2e", "Whole answer"),
    ):  # fmt: skip
        every = [(at, results.measurements.get(f"{name}_p{at}_ms")) for at in PERCENTILES]
        known = [(at, one) for at, one in every if one is not None]
        found = [(at, one) for at, one in known if one.value is not None]
        if not found:
            continue
        top = max(max(one.high or 0, one.value or 0) for _, one in found)
        axes = Axes((0, len(known) + 1), (0, top), "", "ms")
        for place, (at, one) in enumerate(known, 1):
            axes.label(place, f"p{at}")
            if one.value is None:
                axes.text(place, "sample too small")
            else:
                axes.bar(place, one.value, None, one.high).value(place, one.value)
        lacking = "; ".join(f"p{at}: {one.cause}" for at, one in known if one.value is None)
        note = f"Whiskers: 99 % upper bounds. {lacking}"
        out.append(_figure(f"{title}: percentiles", axes.svg(title), note))
    return "".join(out)


def memory(results: Findings) -> str:
    """RAM and flash, part by part, on the scale of what the device has."""
    part = results.memory_profile
    if part is None or part.peak_memory_kb is None:
        return ""
    device = results.environment_info.get("device", {})
    named = [
        ("static", part.static_kb),
        ("heap", part.heap_usage_kb),
        ("stack", part.stack_usage_kb),
    ]  # fmt: skip
    known = [(name, size) for name, size in named if size is not None]
    rest = part.peak_memory_kb - sum(size for _, size in known)
    if not known:
        known = [("peak", part.peak_memory_kb)]
    elif rest > 0.5:  # noqa: PLR2004
        known.append(("other", rest))
    ram, flash = device.get("ram_bytes"), device.get("flash_bytes")
    rows: list[tuple[str, list[tuple[str, float]], float | None]] = [
        ("RAM", known, ram / 1024 if ram else None)
    ]
    if part.flash_kb is not None:
        used = [("program and model", part.flash_kb)]
        rows.append(("flash", used, flash / 1024 if flash else None))
    note = f"Peak {short(part.peak_memory_kb)} KB; {part.method or 'as reported'}."
    return _figure("Memory", shares(rows), note)
