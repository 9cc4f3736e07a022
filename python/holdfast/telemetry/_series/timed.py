"""A function whose calls are observed by a histogram or a summary."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast._core import Histogram, Summary


def timed(instrument: Histogram | Summary, function: Callable[..., Any]) -> Callable[..., Any]:
    """Make what `@instrument.time()` returns; each call, also a coroutine's, has its timer."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with instrument.time():
                return await function(*args, **kwargs)

        return cast("Callable[..., Any]", awaited)

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with instrument.time():
            return function(*args, **kwargs)

    return called
