"""Which alerts nobody is told of: silences and inhibition, as Alertmanager has them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast._core import Matchers
from holdfast.errors import InvalidParameterError
from holdfast.errors import _parameters as parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def _matchers(parameter: str, text: str, *, empty: bool = False) -> Matchers:
    try:
        return Matchers(parameters.text(parameter, text, empty=empty))
    except InvalidParameterError as error:
        if not isinstance(text, str) or not text:
            raise
        said = str(error).removeprefix("expression, ")
        parameters.refuse(parameter, f'matchers such as name="value" ({said})', text)


@dataclass
class Silence:
    """Alerts with these labels are muted for a time; they go on firing.

    Parameters
    ----------
    matchers : str
        Such as `alertname="disk_full", host=~"web.*"`; all of them hold. At least one must
        ask for more than that a label be missing, as Alertmanager demands.
    starts_at, ends_at : float
        Seconds since 1970.

    Raises
    ------
    InvalidParameterError
        The matchers cannot be read or match everything, or it ends before it begins.
    """

    matchers: str
    starts_at: float
    ends_at: float
    created_by: str = ""
    comment: str = ""
    id: str = field(default_factory=lambda: os.urandom(16).hex())

    def __post_init__(self) -> None:
        """Check matchers and times."""
        self._matchers = _matchers("matchers", self.matchers)
        if not self._matchers.selective:
            rule = "such that one of them does not hold for a missing label"
            parameters.refuse("matchers", rule, self.matchers)
        parameters.real("starts_at", self.starts_at)
        parameters.real("ends_at", self.ends_at, finite=False)
        if not self.starts_at < self.ends_at:
            parameters.refuse("ends_at", f"after starts_at={self.starts_at}", self.ends_at)
        for name in ("created_by", "comment", "id"):
            parameters.text(name, getattr(self, name), empty=name != "id")

    def mutes(self, labels: Mapping[str, str], now: float) -> bool:
        """Whether an alert with these labels is muted at `now`."""
        return self.starts_at <= now < self.ends_at and self._matchers.matches(labels)


@dataclass
class Inhibition:
    """While an alert that matches `source` fires, those that match `target` are muted.

    Parameters
    ----------
    source, target : str
        Matchers, such as `severity="critical"`.
    equal : sequence of str
        Labels that both alerts must have alike; a missing one is empty.

    Raises
    ------
    InvalidParameterError
        The matchers cannot be read, or `equal` are no label names.

    Notes
    -----
    An alert that matches both sides is not muted by one that does too, so that none mutes
    itself.
    """

    source: str
    target: str
    equal: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Check the matchers."""
        self._source = _matchers("source", self.source, empty=True)
        self._target = _matchers("target", self.target, empty=True)
        self.equal = tuple(parameters.names("equal", self.equal))

    def mutes(self, labels: Mapping[str, str], firing: Iterable[Mapping[str, str]]) -> bool:
        """Whether one of the `firing` alerts mutes the one with these labels."""
        if not self._target.matches(labels):
            return False
        two_sided = self._source.matches(labels)
        return any(
            self._source.matches(other)
            and not (two_sided and self._target.matches(other))
            and all(labels.get(name, "") == other.get(name, "") for name in self.equal)
            for other in firing
        )
