"""Several devices in turns, so that what disturbs the host disturbs all of them."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.edge._fleet import FleetResults
from holdfast.edge._measurement.summary import fill
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from holdfast.edge._measurement.records import Generation
    from holdfast.edge._models.model import QuantizedModel
    from holdfast.edge._profiler import EdgeProfiler
    from holdfast.edge._results.results import ProfileResults

_BYTES = ("ram_peak", "stack_peak", "heap_peak", "flash")


def profile_in_turns(
    profilers: Mapping[str, EdgeProfiler],
    models: Mapping[str, QuantizedModel | str | Path | None] | None = None,
    test_prompts: Sequence[str] = ("Once upon a time",),
    metrics: Sequence[str] = ("latency", "memory"),
    *,
    rounds: int = 10,
    progress: Callable[[str], Callable[[int, int, Generation], object]] | None = None,
) -> dict[str, ProfileResults]:
    """Profile each device once per round, one after the other, and join the rounds.

    Give the results to `compare` or `compare_profiles`: the same request of the same round is
    a pair, and what disturbs both cancels.

    Parameters
    ----------
    profilers : mapping of str to EdgeProfiler
        By a name of your choice; each is connected and disconnected. Two of them may be of one
        platform, with two models.
    models : mapping of str to model, optional
        By the same names; None, or a name that is missing: the model in the package.
    metrics : sequence of str
        Without `power`: a meter sees all devices at once.
    rounds : int
        Requests per prompt and device.
    progress : callable, optional
        As of `profile_fleet`.

    Raises
    ------
    InvalidParameterError
        When there is no profiler, a model has a name that no profiler has, `power` is asked
        for or `rounds` is below 1.
    HoldfastError
        When a device cannot be measured.
    KeyboardInterrupt
        After every link was closed; its `partial_results` hold the rounds that were complete.
    """
    chosen = dict(models or {})
    if not profilers or (unknown := set(chosen) - set(profilers)):
        given = ", ".join(sorted(unknown)) if profilers else "no profiler"
        raise InvalidParameterError(f"models must have the names of profilers, got {given}")
    if "power" in metrics:
        raise InvalidParameterError("metrics must not hold 'power' in turns")
    if rounds < 1:
        raise InvalidParameterError(f"rounds must be at least 1, got {rounds!r}")
    parts: dict[str, list[ProfileResults]] = {name: [] for name in profilers}
    turns = secrets.token_hex(8)
    try:
        _go_round(profilers, chosen, test_prompts, metrics, parts, rounds, progress)
    except KeyboardInterrupt as interrupt:
        _add_partial(interrupt, profilers, parts)
        done = {name: _joined(some, turns) for name, some in parts.items() if some}
        interrupt.partial_results = FleetResults(done)  # type: ignore[attr-defined]
        raise
    return {name: _joined(some, turns) for name, some in parts.items()}


def _go_round(
    profilers: Mapping[str, EdgeProfiler],
    chosen: Mapping[str, QuantizedModel | str | Path | None],
    test_prompts: Sequence[str],
    metrics: Sequence[str],
    parts: dict[str, list[ProfileResults]],
    rounds: int,
    progress: Callable[[str], Callable[[int, int, Generation], object]] | None,
) -> None:
    with ExitStack() as stack:
        for profiler in profilers.values():
            stack.enter_context(profiler)
        for turn in range(rounds):
            # Who is first changes: the second of a pair may find a warmer machine.
            names = list(profilers)[:: 1 if turn % 2 == 0 else -1]
            for name in names:
                profiler = profilers[name]
                said = profiler.description
                once = said is not None and said.deterministic
                if turn and once:
                    continue
                warm = profiler.config.warmup_iterations if turn == 0 else 0
                config = replace(
                    profiler.config, measurement_iterations=1, warmup_iterations=warm
                )
                part = profiler.profile_model(chosen.get(name), test_prompts, metrics, config)
                parts[name].append(part)
                # A round whose requests were all refused has nothing to show.
                if progress is not None and part.records:
                    progress(name)(len(parts[name]), 1 if once else rounds, part.records[-1])


def _add_partial(
    interrupt: KeyboardInterrupt,
    profilers: Mapping[str, EdgeProfiler],
    parts: dict[str, list[ProfileResults]],
) -> None:
    """The round that was interrupted, if its device had answered anything."""
    partial: ProfileResults | None = getattr(interrupt, "partial_results", None)
    for name, profiler in profilers.items():
        if partial is not None and partial.records and profiler.last_results is partial:
            parts[name].append(partial)


def _joined(parts: list[ProfileResults], turns: str) -> ProfileResults:
    """One result of all rounds; memory is that of the last."""
    whole = parts[0]
    # An interrupted round was not asked for its memory.
    last = next((part for part in reversed(parts) if part.memory_profile), parts[-1])
    records: list[Generation] = []
    for turn, part in enumerate(parts):
        for one in part.records:
            # Only the declared warm-up: rounds are too short to look for more.
            one.warm_up = one.repetition < 0
            one.repetition = one.repetition if one.warm_up else turn
            one.request = len(records)
            records.append(one)
    whole.records = records
    whole.memory_profile = last.memory_profile
    for name in _BYTES:
        if name in last.measurements:
            whole.measurements[name] = last.measurements[name]
    planned = sum(part.test_configuration["planned_requests"] for part in parts)
    planned = max(planned, sum(not one.warm_up for one in records))
    whole.test_configuration |= {
        "planned_requests": planned, "measurement_iterations": len(parts),
    }  # fmt: skip
    whole.session_metadata |= {
        "turns": turns,
        "planned_requests": planned,
        "failures": [text for part in parts for text in part.session_metadata["failures"]][
            :100
        ],
        "requests": _summed(parts, "requests"),
        "marks": _summed(parts, "marks"),
        "retries": sum(part.session_metadata["retries"] for part in parts),
        "warm_up_requests": sum(one.warm_up for one in records),
        "stopped": next(
            (why for part in parts if (why := part.session_metadata["stopped"]) != "complete"),
            "complete",
        ),
    } | _metrics_of(parts)
    if records:
        fill(whole, planned=planned)
    return whole


def _metrics_of(parts: list[ProfileResults]) -> dict[str, Any]:
    """A metric failed that no round could measure; its cause is that of the last."""
    said = [part.session_metadata for part in parts]
    every = dict.fromkeys(
        name for one in said for name in (*one["successful_metrics"], *one["failed_metrics"])
    )
    done = [name for name in every if any(name in one["successful_metrics"] for one in said)]
    failed = [name for name in every if name not in done]
    causes = {name: text for one in said for name, text in one["causes"].items()}
    return {
        "successful_metrics": done,
        "failed_metrics": failed,
        "causes": {name: causes[name] for name in failed if name in causes},
    }


def _summed(parts: list[ProfileResults], name: str) -> dict[str, Any]:
    out: dict[str, int] = {}
    for part in parts:
        for key, count in part.session_metadata[name].items():
            out[key] = out.get(key, 0) + count
    return out
