"""Series of the catalogue that are read where they are counted: guards, errors, the process."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from holdfast import _sources
from holdfast.telemetry._health.checks import get_health
from holdfast.telemetry._health.machine import Machine
from holdfast.telemetry._series.catalogue_names import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Loose = tuple[str, str, str, "Mapping[str, str]", float]

# By the name of a source's series: which of them, and how the catalogue calls it. Texts in
# braces are labels of the source.
_Only = tuple[str, str] | None
_VIEWS: dict[str, tuple[tuple[_Only, str, dict[str, str]], ...]] = {
    "holdfast_breaker_state": ((None, "circuit_breaker_state", {"component": "{name}"}),),
    "holdfast_breaker_calls_total": (
        (
            ("outcome", "failure"),
            "circuit_breaker_failures_total",
            {"component": "{name}"},
        ),
    ),
    "holdfast_fallbacks_total": (
        (
            ("outcome", "used"),
            "fallback_operations_total",
            {
                "primary_method": "{name}",
                "fallback_method": "handler",
                "reason": "exception",
            },
        ),
        (
            ("outcome", "used"),
            "error_recovery_attempts_total",
            {"error_type": "any", "recovery_method": "{name}", "success": "true"},
        ),
        (
            ("outcome", "exhausted"),
            "error_recovery_attempts_total",
            {"error_type": "any", "recovery_method": "{name}", "success": "false"},
        ),
    ),
    "holdfast_bulkhead_waiting": (
        (None, "data_processing_queue_size", {"component": "{name}"}),
    ),
    "holdfast_limiter_calls_total": (
        (
            ("outcome", "locked_out"),
            "unauthorized_access_attempts_total",
            {"component": "{name}"},
        ),
    ),
    "holdfast_errors_total": (
        (
            None,
            "processing_errors_total",
            {
                "component": "{category}",
                "error_type": "{error_type}",
                "recoverable": "{recoverable}",
            },
        ),
        *(
            (("category", "data_validation"), name, {"error_type": "{error_type}"})
            for name in ("validation_errors_total", "data_validation_failures_total")
        ),
    ),
    "holdfast_error_recoveries_total": (
        (
            None,
            "error_recovery_attempts_total",
            {
                "error_type": "{category}",
                "recovery_method": "reported",
                "success": "{success}",
            },
        ),
    ),
    **{
        f"holdfast_shared_{what}_total": (
            (
                ("outcome", "unreachable"),
                "database_connection_failures_total",
                {"database": "redis", "component": "{name}"},
            ),
        )
        for what in ("limiter_calls", "breaker")
    },
}
# As the process collectors of Prometheus call them.
PROCESS = {
    "process_cpu_seconds_total": "Processor time of this process, user and system.",
    "process_resident_memory_bytes": "Memory that is resident.",
    "process_virtual_memory_bytes": "Memory that is mapped.",
    "process_start_time_seconds": "When it was started, in seconds since 1970.",
    "process_open_fds": "Descriptors that are open.",
    "process_max_fds": "Descriptors that may be open.",
}
_SCORES = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0}
_OPEN = 2.0
_SHORTEST = 0.1  # seconds of which a share of processor time says something


def of_guards(samples: Iterable[_sources.Sample]) -> list[Loose]:
    """What guards and the handler of errors count, as the catalogue calls it."""
    found: dict[tuple[str, tuple[str, ...]], Loose] = {}
    for sample in samples:
        for only, name, labels in _VIEWS.get(sample.name, ()):
            if only is not None and sample.labels.get(only[0]) != only[1]:
                continue
            kind, _, help_ = CATALOGUE[name]
            told = {ours: said.format_map(sample.labels) for ours, said in labels.items()}
            key = name, tuple(told.values())
            # What the source keeps apart by a label that the catalogue has not.
            before = found[key][4] if key in found else 0.0
            found[key] = name, kind, help_, told, before + sample.value
    return list(found.values())


def of_checks() -> Iterator[Loose]:
    """1 for what is healthy, 0.5 degraded, 0 unhealthy; `overall` is the worst that counts."""
    scores = {}
    overall = 1.0
    for name, (status, critical) in get_health().standing().items():
        scores[name] = score = _SCORES[status]
        overall = min(overall, score if critical else max(score, 0.5))
    if scores:
        scores.setdefault("overall", overall)
    kind, _, help_ = CATALOGUE["system_health_score"]
    for name, score in scores.items():
        yield "system_health_score", kind, help_, {"component": name}, score


class _Process:
    """What the system tells of this process, and the share of time it computes."""

    def __init__(self) -> None:
        self._machine = Machine()
        self._read: tuple[int, float, float] | None = None
        self._share: float | None = None

    def samples(self) -> Iterator[Loose]:
        """Everything that can be read here."""
        found = self._machine.process()
        for name, help_ in PROCESS.items():
            if name in found:
                kind = "counter" if name.endswith("_total") else "gauge"
                yield name, kind, help_, {}, found[name]
        resident, share = found.get("process_resident_memory_bytes"), self._percent(found)
        if resident is not None:
            labels = {"component": "process", "process_id": str(os.getpid())}
            yield _gauge("memory_usage_bytes", labels, resident)
        if share is not None:
            labels = {"process_name": self._machine.process_name()}
            yield _gauge("cpu_usage_percent", labels, share)
        for mount, used in self._machine.disks_used().items():
            yield _gauge("disk_usage_bytes", {"mount_point": mount}, used)

    def _percent(self, found: Mapping[str, float]) -> float | None:
        """Since the last reading; at first, since the process was started."""
        now, used, pid = time.monotonic(), time.process_time(), os.getpid()
        before = self._read
        if before is None or before[0] != pid:
            self._read = pid, now, used
            begun = found.get("process_start_time_seconds")
            lived = 0.0 if begun is None else time.time() - begun
            self._share = 100.0 * used / lived if lived >= _SHORTEST else None
        elif now - before[1] >= _SHORTEST:
            self._read = pid, now, used
            self._share = 100.0 * (used - before[2]) / (now - before[1])
        return self._share


_process = _Process()


def of_process() -> Iterator[Loose]:
    """Memory, processor, disk and descriptors of this process, as of now."""
    return _process.samples()


def _open_now(samples: Iterable[_sources.Sample]) -> list[Loose]:
    """How many breakers are open, for the rule of that name: those that live, and no others."""
    name, states, told = "circuit_breaker_open", [], False
    for sample in samples:
        told |= sample.name == name
        if sample.name == "holdfast_breaker_state":
            states.append(sample.value)
    is_open = float(sum(state == _OPEN for state in states))
    row: Loose = (name, "gauge", "Breakers that are open now.", {}, is_open)
    return [row] if states or told else []


def everything() -> list[Loose]:
    """What guards and other sources count, under their own names and those of the catalogue.

    Of one name and labels, what is derived.
    """
    counted = _sources.samples()
    rows = {
        (row[0], frozenset(row[3].items())): row
        for row in (*counted, *derived(counted), *_open_now(counted))
    }
    return list(rows.values())


def derived(samples: Iterable[_sources.Sample] | None = None) -> list[Loose]:
    """The series of the catalogue that are read; `samples` of the guards if they are known."""
    counted = _sources.samples() if samples is None else samples
    return [*of_guards(counted), *of_checks(), *of_process()]


def _gauge(name: str, labels: dict[str, str], value: float) -> Loose:
    kind, _, help_ = CATALOGUE[name]
    return name, kind, help_, labels, value
