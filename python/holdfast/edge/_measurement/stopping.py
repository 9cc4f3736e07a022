"""When enough has been measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.edge._measurement.statistics import ENOUGH, median_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class StopRule:
    """Stop at a precision, a number of requests or a time, whichever comes first.

    Attributes
    ----------
    requests : int
        Budget of requests.
    seconds : float
        Budget of time, s.
    target : float or None
        Half-width of the 95 % intervals, as a share of the medians.
    minimum : int
        Requests before the target is looked at; looking early and often would stop at
        intervals that are narrow by luck.
    """

    requests: int
    seconds: float
    target: float | None = 0.02
    minimum: int = ENOUGH

    def decide(
        self,
        values: Mapping[str, Sequence[float]],
        done: int,
        elapsed: float,
        strata: Mapping[str, Sequence[object]] | None = None,
    ) -> str | None:
        """`converged`, `budget` (requests), `timeout`, or None: go on.

        `strata` says for each column which prompt its values belong to.
        """
        if elapsed >= self.seconds:
            return "timeout"
        if self.target is not None and done >= self.minimum and done % 5 == 0:
            widths = [
                median_interval(column, strata=(strata or {}).get(name)).half_width
                for name, column in values.items()
                if len(column) >= self.minimum
            ]
            if widths and all(w is not None and w <= self.target for w in widths):
                return "converged"
        return "budget" if done >= self.requests else None
