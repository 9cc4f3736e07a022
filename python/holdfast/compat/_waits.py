"""Attempts whose waits are `time.sleep`, which older tests replace."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from holdfast.resilience import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.resilience import Attempt, Retry


class _Waits(Attempts):
    def __next__(self) -> Attempt:
        """The next attempt, when its time has come."""
        wait = self._wait()
        if wait is None:
            raise StopIteration
        if wait:
            time.sleep(wait)
        return self._begin()


def call_again(retry: Retry, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` until it succeeds, or the last exception is raised as it is."""
    for attempt in _Waits(retry):
        with attempt:
            attempt.result = function(*args, **kwargs)
    return attempt.result


def tried_again(retry: Retry, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` under `retry`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_again(retry, function, *args, **kwargs)

    return call
