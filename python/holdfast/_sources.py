"""Objects that count for themselves and are read when someone collects metrics."""

from __future__ import annotations

from collections import namedtuple
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import NamedTuple, Protocol

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

else:
    Sample = namedtuple("Sample", "name kind help labels value")  # noqa: PYI024


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
            import logging  # noqa: PLC0415

            logging.getLogger("holdfast").warning("a source failed", exc_info=True)
    return found
