"""Objects that count for themselves and are read when someone collects metrics."""

from __future__ import annotations

from collections import namedtuple
from weakref import ref

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

    Key = tuple[str, frozenset[tuple[str, str]]]

else:
    Sample = namedtuple("Sample", "name kind help labels value")  # noqa: PYI024


# What each living source counted when it was last asked, and what those said last that live
# no more: a total never goes back.
_living: dict[ref[Source], dict[Key, Sample]] = {}
_gone: dict[Key, Sample] = {}
_MOST = 10_000  # totals of the gone; the oldest are forgotten first


def register(source: Source) -> None:
    """Have `source` read at each collection for as long as it lives."""
    _living[ref(source, _bury)] = {}


def _bury(source: ref[Source]) -> None:
    for key, sample in _living.pop(source, {}).items():
        before = _gone.pop(key, None)
        _gone[key] = sample if before is None else _together(before, sample)
    while len(_gone) > _MOST:
        del _gone[next(iter(_gone))]


def _together(one: Sample, other: Sample) -> Sample:
    """Totals of the same name and labels add up; of two levels the higher one is shown."""
    values = one.value, other.value
    return one._replace(value=sum(values) if one.kind == "counter" else max(values))


def samples() -> list[Sample]:
    """The samples of every living source; a source that raises is logged and left out.

    Sources may share name and labels, as guards of one name do: there is one sample of each.
    """
    found: dict[Key, Sample] = {}
    # The collector of garbage may bury a source at any allocation: those that live are held
    # until the end, so that none counts among the living and the gone at once.
    living = [(source(), totals) for source, totals in _living.copy().items()]
    gone = _gone.copy()
    for alive, totals in living:
        if alive is None:
            continue
        try:
            told = list(alive.samples())
        except Exception:
            import logging

            logging.getLogger("holdfast").warning("a source failed", exc_info=True)
            continue
        for sample in told:
            key = sample.name, frozenset(sample.labels.items())
            found[key] = _together(found[key], sample) if key in found else sample
            if sample.kind == "counter":
                totals[key] = sample
    for key, sample in gone.items():
        found[key] = _together(found[key], sample) if key in found else sample
    return list(found.values())
