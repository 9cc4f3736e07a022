"""How many requests kept every promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.edge._measurement.metrics import request_metrics
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.edge._measurement.records import Generation

_LIMITS = ("ttft_ms", "ttft_host_ms", "tpot_ms", "e2e_ms", "e2e_host_ms")


@dataclass(frozen=True)
class Goodput:
    """Share of the requests that kept all limits, and how many of them per second."""

    good: int
    requests: int
    share: float | None
    per_second: float | None


def goodput(records: Sequence[Generation], limits: Mapping[str, float]) -> Goodput:
    """Requests that end well within all `limits`; a time that is missing is not kept.

    Parameters
    ----------
    limits : mapping of str to float
        Highest `ttft_ms`, `ttft_host_ms`, `tpot_ms`, `e2e_ms` or `e2e_host_ms`.

    Raises
    ------
    InvalidParameterError
        When a limit is not known, or there is none.
    """
    if not limits or (unknown := set(limits) - set(_LIMITS)):
        given = ", ".join(sorted(unknown)) if limits else "none"
        raise InvalidParameterError(f"limits must be among {', '.join(_LIMITS)}, got {given}")
    kept = [one for one in records if not one.warm_up]
    good = 0
    for one in kept:
        found = request_metrics(one)
        values = [getattr(found, name) for name in limits]
        within = all(
            value is not None and value <= limit
            for value, limit in zip(values, limits.values(), strict=True)
        )
        good += one.status == "ok" and within
    ended = [one for one in kept if one.end_host_ns]
    span = 0
    if ended:
        span = max(one.end_host_ns for one in ended) - min(one.start_host_ns for one in ended)
    return Goodput(
        good, len(kept), good / len(kept) if kept else None, good / span * 1e9 if span else None
    )
