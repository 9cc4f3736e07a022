"""Our series in the registry of a process that already uses prometheus_client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast._core import Registry
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._series.exposition import beside_another

if TYPE_CHECKING:
    from collections.abc import Iterator


class PrometheusBridge:
    """A collector for `prometheus_client`: its exposition then holds our series too.

    Parameters
    ----------
    registry : Registry, optional
        Which of our registries; by default all that `expose` gives, but for `process_*` and
        `http_*`, which are theirs to tell.

    Raises
    ------
    InvalidParameterError
        `registry` is no Registry.

    Examples
    --------
    `prometheus_client.REGISTRY.register(PrometheusBridge())`
    """

    def __init__(self, registry: Registry | None = None) -> None:
        parameters.instance("registry", registry, Registry, optional=True)
        self._registry = registry

    def collect(self) -> Iterator[Any]:
        """Their families of our samples."""
        from prometheus_client.parser import text_string_to_metric_families

        own = self._registry
        text = beside_another() if own is None else own.expose()
        return iter(text_string_to_metric_families(text.decode()))

    def describe(self) -> list[Any]:
        """Nothing: our names are known only when they are read."""
        return []
