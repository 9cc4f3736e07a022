"""Power over time, and what it comes to per token."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median, stdev
from typing import TYPE_CHECKING

from holdfast.edge._results.profiles import PowerProfile
from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._measurement.records import Generation

# A hole of this many sample periods counts as not covered.
_HOLE = 5


@dataclass
class PowerTrace:
    """Samples of power by somebody's clock.

    Attributes
    ----------
    times_ns : list of int
        Growing; of the host's monotonic clock unless `aligned` is False.
    milliwatts : list of float
    source : str
        `ppk2`, `lpm01a`, `js220`, `ina`, `rapl`, `file` or `modelled(...)`.
    volts : float or None
        Supply, where it was constant and is known.
    marks_ns : list of (int, int)
        Windows that the recording itself marks, from a digital input or event lines.
    aligned : bool
        Whether the times are the host's.

    Raises
    ------
    InvalidDataError
        If the lists differ in length, or the times do not grow.
    """

    times_ns: list[int]
    milliwatts: list[float]
    source: str
    volts: float | None = None
    marks_ns: list[tuple[int, int]] = field(default_factory=list)
    aligned: bool = False

    def __post_init__(self) -> None:
        """Check that it is a trace."""
        if len(self.times_ns) != len(self.milliwatts):
            raise InvalidDataError(
                f"times and powers must have one length, got {len(self.times_ns)} and "
                f"{len(self.milliwatts)}"
            )
        if any(later < earlier for earlier, later in pairwise(self.times_ns)):
            raise InvalidDataError("times_ns must grow")

    @property
    def period_ns(self) -> float | None:
        """Median distance of samples."""
        gaps = [later - earlier for earlier, later in pairwise(self.times_ns)]
        return median(gaps) if gaps else None

    def _at(self, time: int) -> float:
        after = bisect_left(self.times_ns, time)
        if after == 0:
            return self.milliwatts[0]
        if after == len(self.times_ns):
            return self.milliwatts[-1]
        t0, t1 = self.times_ns[after - 1], self.times_ns[after]
        p0, p1 = self.milliwatts[after - 1], self.milliwatts[after]
        return p0 if t1 == t0 else p0 + (p1 - p0) * (time - t0) / (t1 - t0)

    def energy_mj(self, start_ns: int, end_ns: int) -> tuple[float, float]:
        """Integral by trapezoids over the covered part of a window, and the covered share.

        Holes longer than five sample periods add nothing to either.
        """
        if end_ns <= start_ns or len(self.times_ns) < 2:  # noqa: PLR2004
            return 0.0, 0.0
        start, end = max(start_ns, self.times_ns[0]), min(end_ns, self.times_ns[-1])
        if end <= start:
            return 0.0, 0.0
        inside = slice(bisect_right(self.times_ns, start), bisect_left(self.times_ns, end))
        times = [start, *self.times_ns[inside], end]
        powers = [self._at(start), *self.milliwatts[inside], self._at(end)]
        longest = _HOLE * (self.period_ns or 0)
        energy = covered = 0.0
        for (t0, t1), (p0, p1) in zip(pairwise(times), pairwise(powers), strict=True):
            if t1 - t0 <= longest:
                energy += (p0 + p1) / 2 * (t1 - t0) * 1e-9
                covered += t1 - t0
        return energy, covered / (end_ns - start_ns)


def _windows(
    trace: PowerTrace, records: Sequence[Generation]
) -> list[tuple[int, int, int, int, int]]:
    """(start, end, first token, last token, tokens after the first) of each request."""
    out = []
    good = [one for one in records if one.status == "ok" and not one.warm_up and one.host_ns]
    if trace.aligned:
        for one in good:
            after = (one.tokens or len(one.host_ns)) - 1
            out.append(
                (one.start_host_ns, one.end_host_ns, one.host_ns[0], one.host_ns[-1], after)
            )
    elif len(trace.marks_ns) == len(good):
        # The marks enclose whole requests: the share of their time between tokens is known.
        for (start, end), one in zip(trace.marks_ns, good, strict=True):
            span = max(one.end_host_ns - one.start_host_ns, 1)
            first = start + (end - start) * (one.host_ns[0] - one.start_host_ns) // span
            last = start + (end - start) * (one.host_ns[-1] - one.start_host_ns) // span
            out.append((start, end, first, last, (one.tokens or len(one.host_ns)) - 1))
    return out


def energy_per_request(trace: PowerTrace, records: Sequence[Generation]) -> list[float | None]:
    """Energy per token of each request that counts, mJ; None where too little is covered."""
    good = [one for one in records if one.status == "ok" and not one.warm_up and one.host_ns]
    found: dict[int, float] = {}
    for one, (_, _, first, last, after) in zip(good, _windows(trace, records), strict=False):
        energy, share = trace.energy_mj(first, last)
        if share > 0.5 and after > 0:  # noqa: PLR2004
            found[one.request] = energy / share / after
    kept = [one for one in records if not one.warm_up and one.status != "failed"]
    return [found.get(one.request) for one in kept]


def modelled_energy(
    milliwatts: float | None, records: Sequence[Generation]
) -> list[float | None]:
    """Energy per token of each request that counts at a stated power, mJ."""
    kept = [one for one in records if not one.warm_up and one.status != "failed"]
    return [
        milliwatts * (one.ticks[-1] - one.ticks[0]) / one.tick_hz / (len(one.ticks) - 1)
        if milliwatts is not None and one.tick_hz and len(one.ticks) > 1
        else None
        for one in kept
    ]


def power_profile(trace: PowerTrace, records: Sequence[Generation]) -> PowerProfile | None:
    """Power and energy of a run; None where trace and requests do not overlap.

    Energy per token is the integral between first and last token over the tokens between.
    """
    windows = _windows(trace, records)
    total = between = spent = covered = 0.0
    tokens = 0
    for start, end, first, last, after in windows:
        energy, share = trace.energy_mj(start, end)
        total += energy
        spent += end - start
        covered += share * (end - start)
        decode, decode_share = trace.energy_mj(first, last)
        if decode_share > 0.5 and after > 0:  # noqa: PLR2004
            between += decode / decode_share
            tokens += after
    if not covered:
        return None
    active = total / (covered * 1e-9)
    idle = _idle(trace, windows)
    inside = [
        power
        for start, end, *_ in windows
        for power in trace.milliwatts[
            bisect_left(trace.times_ns, start) : bisect_right(trace.times_ns, end)
        ]
    ]
    period = trace.period_ns
    return PowerProfile(
        idle_power_mw=idle,
        active_power_mw=active,
        peak_power_mw=max(inside) if inside else None,
        energy_per_token_mj=between / tokens if tokens else None,
        total_energy_mj=total,
        voltage_v=trace.volts,
        avg_voltage_v=trace.volts,
        avg_current_ma=active / trace.volts if trace.volts else None,
        measurement_duration_sec=covered * 1e-9,
        simulated=trace.source.startswith("modelled"),
        power_std_mw=stdev(inside) if len(inside) > 1 else None,
        sample_count=len(inside),
        duration_s=spent * 1e-9,
        source=trace.source,
        coverage=covered / spent,
        sample_rate_hz=1e9 / period if period else None,
    )


def _idle(trace: PowerTrace, windows: Sequence[tuple[int, ...]]) -> float | None:
    """Mean power outside all requests; None when there is nothing outside."""
    edges = [trace.times_ns[0]] if trace.times_ns else []
    edges += [time for window in sorted(windows) for time in window[:2]]
    edges += trace.times_ns[-1:]
    energy = covered = 0.0
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        part, share = trace.energy_mj(start, end)
        energy += part
        covered += share * (end - start)
    return energy / (covered * 1e-9) if covered else None
