from __future__ import annotations

from holdfast import _core
from holdfast.errors import InvalidParameterError
from holdfast.errors._parameters import MOST, count, flag, hook, kinds
from holdfast.resilience._guard import Guard
from holdfast.resilience._pipeline import is_coroutine_function
from holdfast.resilience._policy import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

    from holdfast._sources import Sample
    from holdfast.errors._parameters import Kinds

_NOTHING = object()


class Fallback(Guard):
    """Give another answer when a call fails.

    Each handler gets the arguments of the call, in order of priority; the first result
    wins. When all have failed, what the exception carries as `partial_result` is
    returned if `partial` is set, else `value` if there is one, and else the first
    exception is raised.

    Parameters
    ----------
    *handlers : callable
        Coroutine functions among them are awaited under `async def`.
    value : object, optional
        The last resort.
    on : exception class or classes, default Exception
        What is answered; refusals by other guards are among them.
    partial : bool, default False
        Accept the `partial_result` or `partial_results` of the exception.
    name : str, optional

    Raises
    ------
    InvalidParameterError
        There is nothing to fall back on, or a handler cannot be called.
    """

    kind: ClassVar[str] = "fallback"

    def __init__(
        self,
        *handlers: Callable[..., Any],
        value: Any = _NOTHING,
        on: Kinds = Exception,
        partial: bool = False,
        name: str | None = None,
    ) -> None:
        if not flag("partial", partial) and not handlers and value is _NOTHING:
            raise InvalidParameterError(
                "handlers must be given, or value, or partial; got none"
            )
        self._name = name_of(self.kind, name)
        self._handlers = [(0, hook("handlers", handler)) for handler in handlers]
        self._rest = (kinds("on", on), partial, None if value is _NOTHING else (value,))
        options = {"on": on, "partial": partial, "name": self._name}
        if value is not _NOTHING:
            options["value"] = value
        super().__init__(self._name, self._compile(), options)

    def _compile(self) -> _core.FallbackPolicy:
        on, partial, value = self._rest
        ordered = [handler for _, handler in sorted(self._handlers, key=lambda pair: pair[0])]
        return _core.FallbackPolicy(self._name, on, ordered, partial, value)

    def add(self, handler: Callable[..., Any], priority: int = 0) -> None:
        """Add a handler for functions decorated from now on.

        Lower numbers come first; equal ones in the order they were added.

        Raises
        ------
        InvalidParameterError
            The handler cannot be called, or the priority is no integer.
        """
        place = count("priority", priority, -MOST)
        self._handlers.append((place, hook("handler", handler)))
        self._core = self._compile()
        self.__dict__.pop("_alone", None)

    def _check(self, function: Callable[..., Any], *, asynchronous: bool) -> None:
        if asynchronous:
            return
        for _, handler in self._handlers:
            if is_coroutine_function(handler):
                raise InvalidParameterError(
                    f"handlers must not be coroutine functions, got {handler!r} for the plain "
                    f"function {function!r}, which could not await them"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parameters and the handlers."""
        return _rebuild, (self._handlers, self._options)

    def samples(self) -> Iterable[Sample]:
        """Results that came from it, and calls for which all failed."""
        used, exhausted = self._core.tally()
        text = "Fallbacks that gave a result, and those that could not"
        return self._totals("fallbacks", text, {"used": used, "exhausted": exhausted})


def _rebuild(handlers: list[tuple[int, Any]], options: dict[str, Any]) -> Fallback:
    fallback = Fallback(*(handler for _, handler in handlers), **options)
    fallback._handlers = handlers  # noqa: SLF001
    fallback._core = fallback._compile()  # noqa: SLF001
    return fallback
