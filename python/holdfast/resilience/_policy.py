"""What all policies have in common."""

from __future__ import annotations

import itertools

from holdfast import _sources
from holdfast.errors._parameters import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, ClassVar

    from typing_extensions import Self

    from holdfast.resilience._pipeline import F, Pipeline

_numbers: dict[str, itertools.count[int]] = {}


def name_of(kind: str, name: str | None) -> str:
    """`name`, or the kind and a number."""
    if name is not None:
        return text("name", name, empty=True)
    return f"{kind}-{next(_numbers.setdefault(kind, itertools.count(1)))}"


class Policy:
    """One guard. As a decorator or a `with` block it is a pipeline of itself."""

    kind: ClassVar[str] = "policy"

    def __init__(self, name: str | None, core: Any, options: dict[str, Any]) -> None:
        self.name = name_of(self.kind, name)
        self._core = core
        self._options = options
        _sources.register(self)

    def _pipeline(self) -> Pipeline:
        alone: Pipeline | None = self.__dict__.get("_alone")
        if alone is None:
            from holdfast.resilience._pipeline import Pipeline  # noqa: PLC0415

            alone = self.__dict__["_alone"] = Pipeline(self, name=self.name)
        return alone

    def _check(self, function: Callable[..., Any], *, asynchronous: bool) -> None:
        """Refuse a function this policy cannot guard."""

    def __call__(self, function: F) -> F:
        """Guard `function` by this policy alone."""
        return self._pipeline()(function)

    def __enter__(self) -> Self:
        """Begin a guarded block."""
        self._pipeline().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._pipeline().__exit__(kind, error, traceback)

    async def __aenter__(self) -> Self:
        """Begin a guarded block in a coroutine."""
        await self._pipeline().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        await self._pipeline().__aexit__(kind, error, traceback)

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
