"""Policies that need no pipeline to be written around them."""

from __future__ import annotations

from holdfast.resilience._pipeline import Pipeline
from holdfast.resilience._policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from holdfast.resilience._pipeline import F


class Guard(Policy):
    """A policy that as a decorator, or a `with` block, is a pipeline of itself."""

    def _pipeline(self) -> Pipeline:
        alone: Pipeline | None = self.__dict__.get("_alone")
        if alone is None:
            alone = self.__dict__["_alone"] = Pipeline(self, name=self.name)
        return alone

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
