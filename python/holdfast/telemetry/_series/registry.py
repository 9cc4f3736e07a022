"""The registry of the process, and series declared in it."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from holdfast._core import Registry, hold_reads, release_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast._core import Counter, Gauge, Histogram, Summary

_registry = Registry()
# What the endpoint counts of itself: apart, so that a program may declare its names.
_served = Registry()

if hasattr(os, "register_at_fork"):
    # No thread of Rust may hold a lock of the series at that moment.
    os.register_at_fork(
        before=hold_reads,
        after_in_parent=partial(release_reads, in_child=False),
        after_in_child=partial(release_reads, in_child=True),
    )


def get_registry() -> Registry:
    """The registry that the functions of this package declare their series in."""
    return _registry


def get_served() -> Registry:
    """What the endpoints of this process answered."""
    return _served


def counter(
    name: str,
    help: str = "",  # noqa: A002 (the word of the format)
    labels: Sequence[str] = (),
    *,
    limit: int = 1000,
) -> Counter:
    """A number that only goes up.

    Parameters
    ----------
    name : str
        `_total` is appended where it is missing. The same declaration again gives the same
        counter.
    help : str
        One sentence for whoever reads the exposition.
    labels : sequence of str
        With labels, `counter.labels("GET").inc()`; without, `counter.inc()`.
    limit : int
        Label sets that are kept apart; all further ones share the series whose label
        values are `__overflow__`.

    Raises
    ------
    InvalidParameterError
        A name the formats forbid, or one that is declared differently.
    """
    return _registry.counter(name, help, labels, limit=limit)


def gauge(
    name: str,
    help: str = "",  # noqa: A002 (the word of the format)
    labels: Sequence[str] = (),
    *,
    limit: int = 1000,
) -> Gauge:
    """A number that goes up and down. Parameters as of `counter`."""
    return _registry.gauge(name, help, labels, limit=limit)


def histogram(
    name: str,
    help: str = "",  # noqa: A002 (the word of the format)
    labels: Sequence[str] = (),
    *,
    buckets: Sequence[float] | None = None,
    limit: int = 1000,
) -> Histogram:
    """Observations counted in buckets; other parameters as of `counter`.

    Parameters
    ----------
    buckets : sequence of float, optional
        Upper bounds in increasing order. By default 5 ms to 10 s, for seconds.
    """
    return _registry.histogram(name, help, labels, buckets=buckets, limit=limit)


def summary(
    name: str,
    help: str = "",  # noqa: A002 (the word of the format)
    labels: Sequence[str] = (),
    *,
    quantiles: Sequence[float] = (0.5, 0.9, 0.99),
    window: float = 600.0,
    limit: int = 1000,
) -> Summary:
    """Quantiles of the last minutes; other parameters as of `counter`.

    They are within 1 % of an observed value (DDSketch; Masson, Rim & Lee, 2019). Choose a
    histogram where processes are to be added up: quantiles cannot be.

    Parameters
    ----------
    quantiles : sequence of float
        Which are exposed, each in [0, 1].
    window : float
        Seconds; it moves in steps of a fifth.
    """
    return _registry.summary(
        name, help, labels, quantiles=quantiles, window=window, limit=limit
    )
