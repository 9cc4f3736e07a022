"""Fields that every line written inside a block carries."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from holdfast import _core

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NONE: dict[str, object] = {}
variable: ContextVar[dict[str, object]] = ContextVar("holdfast_log_fields", default=_NONE)


@contextmanager
def log_fields(**fields: object) -> Iterator[Mapping[str, object]]:
    """Add `fields` to every line written in the block, by whichever logger.

    They follow the call into asyncio tasks, and into threads and executors as the trace
    does (see `carry`). A field given with the line itself, or bound to the logger, wins.

    Examples
    --------
    >>> with log_fields(request="r-1"):
    ...     get_logger("shop").info("sold")  # doctest: +SKIP
    """
    _core.use_log_fields()
    token = variable.set({**variable.get(), **fields})
    try:
        yield variable.get()
    finally:
        variable.reset(token)
