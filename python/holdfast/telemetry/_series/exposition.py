"""What this process measures, as text."""

from __future__ import annotations

from typing import Literal

from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry import _system
from holdfast.telemetry._series.derived import PROCESS, Loose, everything
from holdfast.telemetry._series.registry import get_registry, get_served


def uncounted() -> list[Loose]:
    """Samples that are not counted in a registry: of sources, and recorded one by one."""
    rows = everything()
    if _system.monitoring_system is not None:
        # What was recorded of something that can be read is older than what is read.
        read = {(row[0], frozenset(row[3].items())) for row in rows}
        recorded = _system.monitoring_system.metric_collector.recorded()
        rows += [row for row in recorded if (row[0], frozenset(row[3].items())) not in read]
    return rows


def beside_another() -> bytes:
    """The text for an exposition that tells of the process and its own endpoint by itself."""
    rows = [row for row in uncounted() if row[0] not in PROCESS]
    return get_registry().expose("prometheus", rows)


def expose(
    format: Literal["prometheus", "openmetrics", "json"] = "prometheus",  # noqa: A002
    registry: Registry | None = None,
) -> bytes:
    """Everything that is measured, in UTF-8.

    Parameters
    ----------
    format : str
        `prometheus` (text format 0.0.4), `openmetrics` (1.0.0) or `json`.
    registry : Registry, optional
        Only this registry. By default the one of the process, what the guards count for
        themselves, what the system tells of the process, what `serve` answered, and the
        last value of everything recorded by `record_metric`.

    Raises
    ------
    InvalidParameterError
        `format` is unknown, or `registry` is no Registry.
    """
    parameters.instance("registry", registry, Registry, optional=True)
    if registry is not None:
        return registry.expose(format)
    return get_registry().expose(format, uncounted(), get_served())
