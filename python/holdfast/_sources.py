"""Objects that count for themselves and are read when someone collects metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Sample(NamedTuple):
    """One value of one series at the time of asking."""

    name: str
    kind: str  # "counter" or "gauge"
    help: str
    labels: Mapping[str, str]
    value: float


class Source(Protocol):
    """What can be asked for its samples."""

    def samples(self) -> Iterable[Sample]:
        """Everything it counts, now."""
        ...


_sources: WeakSet[Source] = WeakSet()


def register(source: Source) -> None:
    """Have `source` read at each collection for as long as it lives."""
    _sources.add(source)


def samples() -> list[Sample]:
    """The samples of every living source; a source that raises is logged and left out."""
    found: list[Sample] = []
    for source in list(_sources):
        try:
            found += source.samples()
        except Exception:
            logging.getLogger("holdfast").warning("a source failed", exc_info=True)
    return found
