"""One clock in terms of another, and how wrong that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Ping:
    """Four times of one exchange: host ns, device ticks (received, sent), host ns."""

    sent_ns: int
    received_ticks: int
    replied_ticks: int
    arrived_ns: int


def unwrap(
    ticks: Sequence[int],
    bits: int,
    host_ns: Sequence[int] | None = None,
    tick_hz: float | None = None,
) -> list[int]:
    """Ticks of a counter of `bits` bits that started over, made to only grow.

    With the host's times of the same records and the tick rate, gaps longer than a whole
    turn are repaired too; without, each step is taken to be shorter than one turn.

    Raises
    ------
    InvalidDataError
        When a tick does not fit `bits`.
    """
    turn = 1 << bits
    out: list[int] = []
    for index, tick in enumerate(ticks):
        if not 0 <= tick < turn:
            raise InvalidDataError(f"tick {tick} does not fit {bits} bits")
        if not out:
            out.append(tick)
            continue
        step = (tick - out[-1]) % turn
        if host_ns is not None and tick_hz is not None:
            expected = (host_ns[index] - host_ns[index - 1]) * tick_hz / 1e9
            step += max(round((expected - step) / turn), 0) * turn
        out.append(out[-1] + step)
    return out


@dataclass(frozen=True)
class ClockFit:
    """`host_ns = offset_ns + ticks * ns_per_tick`, and how wrong it may be.

    Attributes
    ----------
    error_ns : float
        Largest possible error at the pings used, drift being linear: half the round trip
        plus the residual.
    drift_ppm : float
        Rate of the device's clock against the host's, relative to its nominal rate.
    rtt_ns : float
        Shortest round trip.
    n : int
        Pings used.
    """

    offset_ns: float
    ns_per_tick: float
    error_ns: float
    drift_ppm: float | None
    rtt_ns: float
    n: int


def fit_clock(pings: Sequence[Ping], tick_hz: float) -> ClockFit:
    """Line through the pings that were least delayed.

    Pings with a round trip above that of the fastest quarter are left out: their delay is
    the queue, not the clock. Drift is fitted from three pings on, otherwise the nominal rate
    is used.

    Raises
    ------
    InvalidDataError
        When there is no ping.
    """
    if not pings:
        raise InvalidDataError("a clock cannot be fitted without a ping")
    nominal = 1e9 / tick_hz

    def round_trip(ping: Ping) -> float:
        away = (ping.replied_ticks - ping.received_ticks) * nominal
        return max(ping.arrived_ns - ping.sent_ns - away, 0.0)

    trips = sorted(round_trip(ping) for ping in pings)
    limit = trips[max(len(trips) // 4 - 1, min(2, len(trips) - 1))] * 1.05
    kept = [ping for ping in pings if round_trip(ping) <= limit]
    zero_host, zero_device = kept[0].sent_ns, kept[0].received_ticks
    # Relative to the first ping: sums of nanoseconds since boot would lose digits.
    x = [(p.received_ticks + p.replied_ticks) / 2 - zero_device for p in kept]
    y = [(p.sent_ns + p.arrived_ns) / 2 - zero_host for p in kept]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    slope, drift = nominal, None
    if len(kept) >= 3 and spread > 0:  # noqa: PLR2004
        pairs = zip(x, y, strict=True)
        slope = sum((u - mean_x) * (v - mean_y) for u, v in pairs) / spread
        drift = (nominal / slope - 1) * 1e6 if slope > 0 else None
    intercept = mean_y - slope * mean_x
    error = max(
        abs(v - intercept - slope * u) + round_trip(ping) / 2
        for u, v, ping in zip(x, y, kept, strict=True)
    )
    offset = zero_host + intercept - slope * zero_device
    return ClockFit(offset, slope, error, drift, trips[0], len(kept))
