"""Fallbacks by the name of an operation."""

from __future__ import annotations

import functools
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from holdfast.errors import InvalidParameterError
from holdfast.resilience import Fallback

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class GracefulDegradation:
    """Fallbacks by the name of an operation, found when it fails.

    When all have failed, what the first exception carries as `partial_result` or
    `partial_results` is the result; without that, the first exception is raised.

    Attributes
    ----------
    fallback_functions : dict
        By operation a list of `func` and `priority`, in the order in which they are tried.
    """

    def __init__(self) -> None:
        self.fallback_functions: dict[str, list[dict[str, Any]]] = {}

    def register_fallback(
        self, operation_name: str, fallback_func: Callable[..., Any], priority: int = 0
    ) -> None:
        """Add a fallback; lower priorities come first, equal ones in order."""
        if not callable(fallback_func):
            raise InvalidParameterError(
                f"fallback_func must be callable, got {fallback_func!r}"
            )
        had = self.fallback_functions.get(operation_name, [])
        added = [*had, {"func": fallback_func, "priority": priority}]
        self.fallback_functions[operation_name] = sorted(added, key=lambda f: f["priority"])

    def with_fallback(
        self, operation_name: str, *fallback_funcs: Callable[..., Any]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate: the function, then what is registered, then these."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            if iscoroutinefunction(function):

                @functools.wraps(function)
                async def degraded_async(*args: Any, **kwargs: Any) -> Any:
                    return await self._execute_with_fallback(
                        operation_name, function, args, kwargs, fallback_funcs
                    )

                return degraded_async

            @functools.wraps(function)
            def degraded(*args: Any, **kwargs: Any) -> Any:
                return self._execute_with_fallback(
                    operation_name, function, args, kwargs, fallback_funcs
                )

            return degraded

        return decorate

    def _execute_with_fallback(
        self,
        operation_name: str,
        primary: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        additional: Sequence[Callable[..., Any]] = (),
    ) -> Any:
        registered = [f["func"] for f in self.fallback_functions.get(operation_name, ())]
        fallback = Fallback(*registered, *additional, partial=True, name=operation_name)
        return fallback(primary)(*args, **kwargs)
