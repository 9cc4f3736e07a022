from __future__ import annotations

from collections import namedtuple

from holdfast import _core, _events, _sources
from holdfast.errors import InvalidParameterError
from holdfast.errors._parameters import hook, instance, real, refuse, seconds, text
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar

    from typing_extensions import Self

    from holdfast.errors._parameters import Clock, Seconds


class Level(namedtuple("_Level", "name enter leave without")):  # noqa: PYI024 (no typing)
    """A level of degradation.

    Parameters
    ----------
    name : str
    enter : float
        Load at or above which it begins.
    leave : float
        Load below which it may end; less than `enter`.
    without : frozenset of str
        Features that are given up from this level on.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    __slots__ = ()

    def __new__(
        cls, name: str, enter: float, leave: float, without: frozenset[str] = frozenset()
    ) -> Self:
        """Check the parameters."""
        text("name", name, empty=True)
        real("enter", enter)
        real("leave", leave, below=enter)
        if not isinstance(without, (frozenset, set)):
            refuse("without", "a set of names", without)
        for feature in without:
            text("without", feature, empty=True)
        return super().__new__(cls, name, enter, leave, frozenset(without))


class Degradation:
    """Which features to give up under load, without flapping.

    A level begins as soon as its load is reached; it ends, one level at a time, when the
    load has been below its `leave` for `hold`. The load is whatever is observed: a share of
    memory in use, a queue length, a failure rate.

    Parameters
    ----------
    *levels : Level
        From mild to severe.
    hold : seconds or timedelta, default 30
    on_change : callable, optional
        Called with the names of the level before and after ("normal" for none).
    name : str, optional
    clock : {"coarse", "precise"} or VirtualClock, default "coarse"

    Raises
    ------
    InvalidParameterError
        There is no level, one is no `Level`, one begins at a lower load than the one before
        it, or another parameter is outside its domain.

    Examples
    --------
    >>> degradation = Degradation(
    ...     Level("lean", enter=0.8, leave=0.6, without=frozenset({"previews"}))
    ... )
    >>> degradation.observe(0.85)
    'lean'
    >>> degradation.offers("previews")
    False
    """

    kind: ClassVar[str] = "degradation"

    def __init__(
        self,
        *levels: Level,
        hold: Seconds = 30.0,
        on_change: Callable[[str, str], object] | None = None,
        name: str | None = None,
        clock: Clock = "coarse",
    ) -> None:
        if not levels:
            raise InvalidParameterError("levels must be at least one, got none")
        for level in levels:
            instance("levels", level, Level)
        self.name = name_of(self.kind, name)
        self.levels = levels
        self._on_change = hook("on_change", on_change, optional=True)
        bounds = [(level.enter, level.leave) for level in levels]
        self._core = _core.Degradation(bounds, seconds("hold", hold), clock)
        _sources.register(self)

    def observe(self, load: float) -> str:
        """Take note of the load; the name of the level in force.

        Raises
        ------
        InvalidParameterError
            The load is no finite number.
        """
        change = self._core.observe(real("load", load))
        if change is not None:
            before, after = map(self._name, change)
            told = {"from": before, "to": after, "load": load}
            if _events.listening():
                _events.tell(_events.Event("degradation.changed", self.name, told))
            if self._on_change is not None:
                try:
                    self._on_change(before, after)
                except Exception:
                    import logging

                    logger = logging.getLogger("holdfast.resilience")
                    logger.warning("on_change failed", exc_info=True)
        return self.level

    @property
    def level(self) -> str:
        """The name of the level in force; "normal" for none."""
        return self._name(self._core.level)

    def offers(self, feature: str) -> bool:
        """Whether no level in force gives `feature` up."""
        held = self.levels[: self._core.level]
        return not any(feature in level.without for level in held)

    def samples(self) -> Iterable[_sources.Sample]:
        """The number of the level in force."""
        labels = {"name": self.name}
        text = "Level of degradation, 0 for none"
        level = float(self._core.level)
        yield _sources.Sample("holdfast_degradation_level", "gauge", text, labels, level)

    def _name(self, level: int) -> str:
        return self.levels[level - 1].name if level else "normal"
