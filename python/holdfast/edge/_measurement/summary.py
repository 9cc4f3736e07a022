"""From the records of a run to its numbers, live or read back from a file."""

from __future__ import annotations

from statistics import stdev
from typing import TYPE_CHECKING, TypeVar

from holdfast.edge._measurement.metrics import RequestMetrics, request_metrics
from holdfast.edge._measurement.statistics import Percentile, median_interval, percentile
from holdfast.edge._results.findings import Findings
from holdfast.edge._results.profiles import LatencyProfile, Measurement, ThroughputProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.edge._measurement.records import Generation

Found = TypeVar("Found", bound=Findings)

# name: (unit, attribute of RequestMetrics, on the host's clock whatever the device has)
HEADLINES = {
    "ttft_ms": ("ms", "ttft_ms", False),
    "ttft_host_ms": ("ms", "ttft_host_ms", True),
    "link_ms": ("ms", "link_ms", True),
    "prefill_tps": ("tokens/s", "prefill_tps", False),
    "itl_ms": ("ms", "itl_median_ms", False),
    "tpot_ms": ("ms", "tpot_ms", False),
    "decode_tps": ("tokens/s", "decode_tps", False),
    "e2e_tps": ("tokens/s", "e2e_tps", False),
    "e2e_ms": ("ms", "e2e_ms", False),
    "e2e_host_ms": ("ms", "e2e_host_ms", True),
    "itl_slope_us": ("us/token/token", "itl_slope_us", False),
}
PERCENTILES = (50, 90, 95, 99)
_FOR_PERCENTILES = ("ttft_ms", "itl_ms", "e2e_ms")


def _provenance(clock: str, reported: bool, modelled: str | None) -> str:  # noqa: FBT001
    if reported:
        return "reported"
    if clock == "virtual":
        return modelled or "modelled(instruction count)"
    return "measured"


def _headline(
    name: str,
    requests: list[RequestMetrics],
    prompts: list[int],
    planned: int,
    *,
    deterministic: bool,
    modelled: str | None,
) -> Measurement:
    unit, attribute, on_host = HEADLINES[name]
    pairs = [
        (value, prompt)
        for one, prompt in zip(requests, prompts, strict=True)
        if (value := getattr(one, attribute)) is not None
    ]
    values = [value for value, _ in pairs]
    if not values:
        causes = [one.missing[name] for one in requests if name in one.missing]
        return Measurement.absent(name, unit, causes[0] if causes else "no record supports it")
    clock = "host" if on_host else requests[0].clock
    reported = any(name in one.reported for one in requests)
    found = median_interval(values, strata=[prompt for _, prompt in pairs])
    exact = deterministic and clock == "virtual"
    note = None if exact else found.note
    coverage = min(len(values) / planned, 1.0) if planned else None
    complete = coverage is None or coverage >= 1
    return Measurement(
        name,
        found.value,
        unit,
        clock,
        _provenance(clock, reported, modelled),
        min(values) if exact else found.low,
        max(values) if exact else found.high,
        n=len(values),
        status="ok" if complete else "partial",
        cause=note if complete else f"{planned - len(values)} of {planned} requests lack it",
        coverage=coverage,
        method="range of all prompts: the device is deterministic"
        if exact
        else "median of requests; order statistics with correlated neighbours",
    )


def _groups(name: str, requests: list[RequestMetrics]) -> list[list[float]]:
    if name == "itl_ms":
        return [one.itl_ms for one in requests if one.itl_ms]
    values = (getattr(one, HEADLINES[name][1]) for one in requests)
    return [[value] for value in values if value is not None]


def _percentile(name: str, found: Percentile, clock: str, provenance: str) -> Measurement:
    short = name.removesuffix("_ms")
    label = f"{short}_p{found.percentile:g}_ms"
    if found.value is None:
        cause = (
            f"{found.effective:.0f} independent samples of {found.n}: need {found.need} more"
        )
        return Measurement(
            label, None, "ms", clock, "absent", n=found.n, status="absent", cause=cause
        )
    return Measurement(
        label, found.value, "ms", clock, provenance, high=found.bound, confidence=0.99,
        n=found.n, method="order statistic; upper bound by the binomial rule of LoadGen",
    )  # fmt: skip


def measured(records: Sequence[Generation]) -> list[Generation]:
    """Those that count: not warm-up, not failed."""
    return [one for one in records if not one.warm_up and one.status != "failed"]


def summarize(
    records: Sequence[Generation],
    *,
    planned: int | None = None,
    deterministic: bool = False,
    modelled: str | None = None,
) -> dict[str, Measurement]:
    """Every metric of a run, absent ones included with the reason.

    Parameters
    ----------
    records : sequence of Generation
        In order of time.
    planned : int, optional
        Requests there should have been; the coverage refers to it.
    deterministic : bool
        Whether the device says that it always does the same.
    modelled : str, optional
        Provenance of the times of a virtual clock.
    """
    kept = measured(records)
    requests = [request_metrics(one) for one in kept]
    prompts = [one.prompt_index for one in kept]
    planned = sum(1 for one in records if not one.warm_up) if planned is None else planned
    out = {
        name: _headline(
            name, requests, prompts, planned, deterministic=deterministic, modelled=modelled
        )
        for name in HEADLINES
    }
    for name in _FOR_PERCENTILES:
        groups = _groups(name, requests)
        clock = requests[0].clock if requests else "host"
        provenance = out[name].provenance
        for at in PERCENTILES:
            one = _percentile(name, percentile(groups, at), clock, provenance)
            out[one.name] = one
    return out


def columns(records: Sequence[Generation]) -> dict[str, list[float | None]]:
    """One column per metric, one entry per request that counts: what `compare` pairs."""
    kept = measured(records)
    requests = [request_metrics(one) for one in kept]
    table: dict[str, list[float | None]] = {
        "prompt_index": [one.prompt_index for one in kept],
        "repetition": [one.repetition for one in kept],
        "tokens": [one.tokens for one in requests],
    }
    for name, (_, attribute, _) in HEADLINES.items():
        column = [getattr(one, attribute) for one in requests]
        if any(value is not None for value in column):
            table[name] = column
    return table


def _rate(found: dict[str, Measurement]) -> float | None:
    """The decode rate, or that of whole answers where tokens cannot be told apart."""
    decode = found["decode_tps"].value
    return found["e2e_tps"].value if decode is None else decode


def latency_profile(
    found: dict[str, Measurement], records: Sequence[Generation]
) -> LatencyProfile | None:
    """The headline times as older scripts read them; None when there are none."""
    kept = [one for one in records if not one.warm_up]
    good = measured(records)
    totals = [v for one in good if (v := request_metrics(one).e2e_ms) is not None]
    if not totals and found["decode_tps"].value is None:
        return None
    return LatencyProfile(
        found["ttft_ms"].value,
        found["tpot_ms"].value,
        found["e2e_ms"].value,
        _rate(found),
        stdev(totals) if len(totals) > 1 else None,
        found["e2e_p50_ms"].value,
        found["e2e_p90_ms"].value,
        found["e2e_p95_ms"].value,
        found["e2e_p99_ms"].value,
        sample_count=len(good),
        success_rate=sum(one.status == "ok" for one in kept) / len(kept) if kept else None,
        clock=found["e2e_ms"].clock,
    )


def throughput_profile(
    found: dict[str, Measurement], records: Sequence[Generation]
) -> ThroughputProfile:
    """Rates over the whole run."""
    good = [one for one in records if one.status == "ok" and not one.warm_up]
    rate = None
    if good:
        span = max(one.end_host_ns for one in good) - min(one.start_host_ns for one in good)
        if span > 0:
            rate = len(good) / span * 1e9
    return ThroughputProfile(_rate(found), rate, processing_time_ms=found["e2e_ms"].value)


def fill(results: Findings, *, planned: int | None = None) -> None:
    """Compute everything about time in `results` from its records."""
    settings = results.test_configuration
    found = summarize(
        results.records,
        planned=planned,
        deterministic=bool(settings.get("deterministic")),
        modelled=settings.get("modelled"),
    )
    results.measurements |= found
    results.raw_measurements |= columns(results.records)
    digests = [one.digest for one in measured(results.records)]
    if any(digests):
        results.raw_measurements["digest"] = digests
    latency = latency_profile(found, results.records)
    if latency is not None:
        results.add_latency_profile(latency)
        results.throughput_profile = throughput_profile(found, results.records)


def recompute(results: Found, records: Sequence[Generation]) -> Found:
    """The times of a saved result anew from its saved records."""
    results.records = list(records)
    fill(results, planned=results.test_configuration.get("planned_requests"))
    return results
