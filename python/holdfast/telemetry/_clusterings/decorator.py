"""Functions whose calls are watched as clusterings."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast import _context
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._clusterings.monitor import (
    QUALITY,
    ClusteringMonitor,
    clustering_monitor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    _Called = TypeVar("_Called", bound=Callable[..., Any])


def monitor_clustering_operation(
    method: str, monitor: ClusteringMonitor = clustering_monitor, **defaults: Any
) -> Callable[[_Called], _Called]:
    """Decorate a clustering: each call is watched.

    `correlation_id`, `dataset_size` and `target_clusters` are taken out of the keywords of
    the call (or of the decorator) unless the function has parameters of these names. If the
    result has `get_clustering_metrics()`, its scores are recorded.

    Raises
    ------
    InvalidParameterError
        `method` is no text or empty, or `monitor` is no ClusteringMonitor.
    """
    parameters.text("method", method)
    parameters.instance("monitor", monitor, ClusteringMonitor)
    own = ("correlation_id", "dataset_size", "target_clusters")

    def decorate(function: _Called) -> _Called:
        wanted = set(inspect.signature(function).parameters)

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            told = {name: defaults[name] for name in own if name in defaults}
            for name in own:
                if name in kwargs:
                    told[name] = kwargs[name] if name in wanted else kwargs.pop(name)
            told.setdefault("correlation_id", _context.current().trace_id or None)
            with monitor.monitor_operation(method, **told) as operation:
                result = function(*args, **kwargs)
                metrics = getattr(result, "get_clustering_metrics", None)
                if metrics is not None:
                    scores = metrics()
                    found = {name: getattr(scores, name, None) for name in QUALITY}
                    monitor.record_quality_metrics(operation.operation_id, found)
                return result

        return watched  # type: ignore[return-value]

    return decorate
