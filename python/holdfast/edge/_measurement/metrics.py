"""From the records of one request to its metrics. Every time names its clock."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._measurement.records import Generation

# Arrivals closer than this share of the mean time per token cannot be told from one burst
# that the link cut in two.
BURST_SHARE = 0.1


@dataclass
class RequestMetrics:
    """Metrics of one request; None is what its records cannot support.

    Attributes
    ----------
    clock : str
        Of the times without a `host` in their name.
    ttft_ms, ttft_host_ms : float or None
        First non-empty record since the device accepted the request, and, by the host's
        clock, since its first byte was written.
    link_ms : float or None
        Their difference: what the way there and back added.
    prefill_tps : float or None
        Prompt tokens evaluated (cached ones left out) over the time for them.
    itl_ms : list of float
        Gaps between tokens; only when every record is one token.
    icl_ms : list of float
        Gaps between arrivals; never mixed with the former.
    tpot_ms : float or None
        (last - first) / (n - 1).
    decode_tps : float or None
        (n - 1) / (last - first).
    e2e_tps, e2e_ms, e2e_host_ms : float or None
        All tokens over, and the, time from acceptance to end.
    itl_slope_us : float or None
        Theil-Sen slope of the gaps over the position, microseconds per token of context.
    tokens : int or None
    missing : dict
        Why a metric is None.
    """

    clock: str
    ttft_ms: float | None = None
    ttft_host_ms: float | None = None
    link_ms: float | None = None
    prefill_tps: float | None = None
    itl_ms: list[float] = field(default_factory=list)
    icl_ms: list[float] = field(default_factory=list)
    tpot_ms: float | None = None
    decode_tps: float | None = None
    e2e_tps: float | None = None
    e2e_ms: float | None = None
    e2e_host_ms: float | None = None
    itl_slope_us: float | None = None
    tokens: int | None = None
    missing: dict[str, str] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)

    @property
    def itl_median_ms(self) -> float | None:
        """Median gap between tokens."""
        return median(self.itl_ms) if self.itl_ms else None


def theil_sen(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Median of the slopes of all pairs (Theil 1950, Sen 1968).

    Above 128 points every k-th is used, which keeps it below 33,000 pairs.
    """
    step = max(1, len(x) // 128)
    points = list(zip(x[::step], y[::step], strict=True))
    slopes = [
        (v - u) / (t - s)
        for i, (s, u) in enumerate(points)
        for t, v in points[i + 1 :]
        if t != s
    ]
    return median(slopes) if slopes else None


def arrivals(
    host_ns: Sequence[int], counts: Sequence[int], resolution_ns: float
) -> list[tuple[int, int]]:
    """Records that came together, as (time, tokens); tokens is 0 when any count is unknown.

    Times closer than `resolution_ns` to the previous record are one burst.
    """
    groups: list[tuple[int, int]] = []
    known = all(count > 0 for count in counts)
    previous = None
    for time, count in zip(host_ns, counts, strict=True):
        if previous is not None and time - previous <= resolution_ns:
            groups[-1] = (time, groups[-1][1] + (count if known else 0))
        else:
            groups.append((time, count if known else 0))
        previous = time
    return groups


def _first_with_text(generation: Generation) -> int | None:
    """Index of the first record that holds something: role and progress chunks do not."""
    for index, piece in enumerate(generation.pieces):
        if piece or index < len(generation.token_ids):
            return index
    return None


def _gaps(times: Sequence[int], hz: float) -> list[float]:
    return [(later - earlier) / hz * 1e3 for earlier, later in itertools.pairwise(times)]


def _by_ticks(generation: Generation, out: RequestMetrics) -> None:
    """One record per token, with the maker's own times: exact, whatever the link does."""
    hz = generation.tick_hz or 1e9
    ticks, start = generation.ticks, generation.start_ticks
    end = generation.end_ticks if generation.end_ticks is not None else ticks[-1]
    if start is not None:
        out.ttft_ms = (ticks[0] - start) / hz * 1e3
        out.e2e_ms = (end - start) / hz * 1e3
        if out.e2e_ms > 0 and generation.status == "ok":
            out.e2e_tps = len(ticks) / out.e2e_ms * 1e3
    out.itl_ms = _gaps(ticks, hz)
    _rates(len(ticks) - 1, (ticks[-1] - ticks[0]) / hz * 1e3, out)
    if generation.prefill_ticks is not None and start is not None:
        _prefill(generation, (generation.prefill_ticks - start) / hz * 1e3, out)


def _by_chunk_ticks(generation: Generation, out: RequestMetrics) -> None:
    """Records of several tokens each, with the maker's own times and counts."""
    hz = generation.tick_hz or 1e9
    ticks, counts, start = generation.ticks, generation.counts, generation.start_ticks
    end = generation.end_ticks if generation.end_ticks is not None else ticks[-1]
    if start is not None:
        out.e2e_ms = (end - start) / hz * 1e3
        if out.e2e_ms > 0 and generation.status == "ok":
            out.e2e_tps = sum(counts) / out.e2e_ms * 1e3
        if counts[0] == 1:
            out.ttft_ms = (ticks[0] - start) / hz * 1e3
        else:
            out.missing["ttft_ms"] = "the first record holds several tokens"
    out.icl_ms = _gaps(ticks, hz)
    _rates(sum(counts[1:]), (ticks[-1] - ticks[0]) / hz * 1e3, out)
    if generation.prefill_ticks is not None and start is not None:
        _prefill(generation, (generation.prefill_ticks - start) / hz * 1e3, out)


def _rates(after_first: int, window_ms: float, out: RequestMetrics) -> None:
    if after_first >= 1 and window_ms > 0:
        out.tpot_ms = window_ms / after_first
        out.decode_tps = after_first / window_ms * 1e3
    else:
        out.missing["decode_tps"] = "fewer than two tokens"


def _prefill(generation: Generation, prefill_ms: float, out: RequestMetrics) -> None:
    if generation.prompt_tokens is None:
        out.missing["prefill_tps"] = "the number of prompt tokens is not known"
        return
    evaluated = generation.prompt_tokens - (generation.cached_tokens or 0)
    if evaluated > 0 and prefill_ms > 0:
        out.prefill_tps = evaluated / prefill_ms * 1e3
    else:
        out.missing["prefill_tps"] = "the whole prompt came from a cache"


def _by_arrival(generation: Generation, first: int, out: RequestMetrics) -> None:
    """Only the host's clock: trust it no further than arrivals can be told apart."""
    host, counts = generation.host_ns[first:], list(generation.counts[first:])
    tokens = generation.tokens
    elapsed = generation.end_host_ns - generation.start_host_ns
    if tokens is not None and tokens == len(host):
        counts = [1] * len(host)
    elif generation.granularity != "token" and sum(counts) != tokens:
        counts = [0] * len(host)
    per_token = elapsed / max(tokens or len(host), 1)
    groups = arrivals(host, counts, per_token * BURST_SHARE)
    out.ttft_ms = out.ttft_host_ms
    out.e2e_ms = out.e2e_host_ms
    if tokens and elapsed > 0 and generation.status == "ok":
        out.e2e_tps = tokens / elapsed * 1e9
    gaps = _gaps([time for time, _ in groups], 1e9)
    if {"predicted_ms", "tokens_per_second"} & set(generation.reported):
        # The server's own totals do not depend on how it sends its chunks.
        out.icl_ms = gaps
    elif any(count == 0 for _, count in groups):
        out.icl_ms = gaps
        out.missing["decode_tps"] = "how many tokens each chunk holds is not known"
    elif len(groups) == 1 and sum(count for _, count in groups) > 1:
        out.missing["decode_tps"] = "all tokens arrived in one burst"
    else:
        _rates(sum(count for _, count in groups[1:]), sum(gaps), out)
        if all(count == 1 for _, count in groups):
            out.itl_ms = gaps
        else:
            out.icl_ms = gaps


def _by_report(generation: Generation, out: RequestMetrics) -> None:
    """The device's own totals, used only where nothing was measured."""
    said = generation.reported
    made, made_ms = said.get("predicted_n"), said.get("predicted_ms")
    for name, value in (
        ("decode_tps", said.get("tokens_per_second")),
        ("ttft_ms", said.get("first_token_ms")),
        ("tpot_ms", said.get("ms_per_token")),
    ):
        if value is not None and getattr(out, name) is None:
            setattr(out, name, float(value))
            out.reported.add(name)
    if made is not None and made_ms and out.decode_tps is None and made > 1:
        # Clocks of servers start at the first token in one version, before it in another:
        # only (n - 1) gaps are certain to lie inside.
        out.tpot_ms = made_ms / (made - 1)
        out.decode_tps = (made - 1) / made_ms * 1e3
        out.reported |= {"tpot_ms", "decode_tps"}
    if out.prefill_tps is None and said.get("prompt_n") and said.get("prompt_ms"):
        out.prefill_tps = said["prompt_n"] / said["prompt_ms"] * 1e3
        out.reported.add("prefill_tps")
    if out.decode_tps is not None:
        out.missing.pop("decode_tps", None)
        if out.tpot_ms is None:
            out.tpot_ms = 1e3 / out.decode_tps
            out.reported.add("tpot_ms")


def _by_total(generation: Generation, out: RequestMetrics) -> None:
    """Only begin and end, by the device's clock if it has one."""
    out.e2e_ms = out.e2e_host_ms
    hz, start, end = generation.tick_hz, generation.start_ticks, generation.end_ticks
    if hz and start is not None and end is not None and generation.clock:
        out.clock, out.e2e_ms = generation.clock, (end - start) / hz * 1e3
    if out.tokens and out.e2e_ms and generation.status == "ok":
        out.e2e_tps = out.tokens / out.e2e_ms * 1e3


def request_metrics(generation: Generation) -> RequestMetrics:
    """The metrics that the records of one request support."""
    first = _first_with_text(generation)
    ticked = len(generation.ticks) == len(generation.host_ns) and generation.ticks
    out = RequestMetrics(generation.clock if ticked and generation.clock else "host")
    out.tokens = generation.tokens
    # In virtual time the reader's clock is the device's own: there is no host to speak of.
    virtual = generation.clock == "virtual"
    if generation.end_host_ns > generation.start_host_ns and not virtual:
        out.e2e_host_ms = (generation.end_host_ns - generation.start_host_ns) / 1e6
    if first is not None and generation.start_host_ns and not virtual:
        out.ttft_host_ms = (generation.host_ns[first] - generation.start_host_ns) / 1e6
    if ticked and generation.granularity == "token":
        _by_ticks(generation, out)
    elif ticked and all(generation.counts):
        _by_chunk_ticks(generation, out)
    elif first is not None:
        _by_arrival(generation, first, out)
    if generation.reported:
        _by_report(generation, out)
    if generation.granularity == "summary" and out.e2e_ms is None:
        _by_total(generation, out)
    if (
        out.clock not in {"host", "virtual"}
        and out.ttft_ms is not None
        and out.ttft_host_ms is not None
    ):
        out.link_ms = out.ttft_host_ms - out.ttft_ms
    if len(out.itl_ms) >= 8:  # noqa: PLR2004
        slope = theil_sen(range(len(out.itl_ms)), out.itl_ms)
        out.itl_slope_us = None if slope is None else slope * 1e3
    return out
