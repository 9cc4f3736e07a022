"""Questions to the history of this process."""

from __future__ import annotations

import time

from holdfast._core import Expression
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._series.collector import MetricCollector
from holdfast.telemetry._system import get_monitoring_system


def query(
    expression: str, *, at: float | None = None, collector: MetricCollector | None = None
) -> float | list[tuple[dict[str, str], float]]:
    """Evaluate an expression in the subset of PromQL of the manual.

    Parameters
    ----------
    at : float, optional
        Seconds since 1970; by default now.
    collector : MetricCollector, optional
        Whose history is asked; by default that of the process, which holds what was recorded
        and, while monitoring is active, the samples of the registry.

    Returns
    -------
    float or list of (labels, value)
        A scalar, or one value per label set.

    Raises
    ------
    InvalidParameterError
        The expression is not understood; the message names the place.
    InvalidDataError
        It cannot be evaluated on the series it meets.
    """
    parameters.text("expression", expression)
    parameters.instance("collector", collector, MetricCollector, optional=True)
    if at is not None:
        parameters.real("at", at)
    asked = get_monitoring_system().metric_collector if collector is None else collector
    return Expression(expression).evaluate(asked.history, time.time() if at is None else at)
