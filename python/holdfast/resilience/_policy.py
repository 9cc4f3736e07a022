"""What all policies have in common."""

from __future__ import annotations

import itertools

from holdfast import _sources
from holdfast.errors._parameters import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, ClassVar

_numbers: dict[str, itertools.count[int]] = {}


def name_of(kind: str, name: str | None) -> str:
    """`name`, or the kind and a number."""
    if name is not None:
        return text("name", name, empty=True)
    return f"{kind}-{next(_numbers.setdefault(kind, itertools.count(1)))}"


class Policy:
    """What stands in a pipeline."""

    kind: ClassVar[str] = "policy"

    def __init__(self, name: str | None, core: Any, options: dict[str, Any]) -> None:
        self.name = name_of(self.kind, name)
        self._core = core
        self._options = options
        _sources.register(self)

    def _check(self, function: Callable[..., Any], *, asynchronous: bool) -> None:
        """Refuse a function this policy cannot guard."""

    def __repr__(self) -> str:
        """Show what differs from nothing."""
        shown = ", ".join(f"{k}={v!r}" for k, v in self._options.items() if v is not None)
        return f"{type(self).__name__}({shown})"

    def __reduce__(self) -> tuple[Callable[..., Policy], tuple[Any, ...]]:
        """Pickle the parameters: what was counted belongs to a process."""
        return _rebuild, (type(self), self._options)

    def samples(self) -> Iterable[_sources.Sample]:
        """Everything it counts, now."""
        return ()

    def _totals(
        self, name: str, text: str, totals: Mapping[str, float]
    ) -> Iterable[_sources.Sample]:
        for outcome, value in totals.items():
            labels = {"name": self.name, "outcome": outcome}
            yield _sources.Sample(f"holdfast_{name}_total", "counter", text, labels, value)

    def _gauge(self, name: str, text: str, value: float) -> _sources.Sample:
        return _sources.Sample(f"holdfast_{name}", "gauge", text, {"name": self.name}, value)


def _rebuild(kind: type[Policy], options: dict[str, Any]) -> Policy:
    return kind(**options)
