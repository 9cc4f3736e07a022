"""What this process measures, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from holdfast import _sources
from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry import _system
from holdfast.telemetry._registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Mapping

Loose = tuple[str, str, str, "Mapping[str, str]", float]


def uncounted() -> list[Loose]:
    """Samples that are not counted in a registry: of sources, and recorded one by one."""
    rows: list[Loose] = list(_sources.samples())
    if _system.monitoring_system is not None:
        rows += _system.monitoring_system.metric_collector.recorded()
    return rows


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
        themselves, and the last value of everything recorded by `record_metric`.

    Raises
    ------
    InvalidParameterError
        `format` is unknown, or `registry` is no Registry.
    """
    parameters.instance("registry", registry, Registry, optional=True)
    if registry is not None:
        return registry.expose(format)
    return get_registry().expose(format, uncounted())
