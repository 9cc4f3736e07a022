"""The same records for the standard `logging` module."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from holdfast import _context
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._logs import setup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.telemetry._logs.setup import Format, Target


def _included(include: Iterable[str]) -> list[str]:
    names = setup.listed("include", include)
    if not setup.INCLUDABLE.issuperset(names):
        known = ", ".join(sorted(setup.INCLUDABLE))
        parameters.refuse("include", f"among {known}", include)
    return names


class JsonFormatter(logging.Formatter):
    """Writes records as `get_logger` does: for any handler of the standard library.

    Parameters
    ----------
    format : {'json', 'console'}
    colour : bool
        Colours in the console format.
    include : iterable of str
        Facts about the place of the call: `module`, `function`, `line`, `path`,
        `process_id`, `process_name`, `task_name`, `thread_id`, `thread_name`.
    redact : iterable of str
        See `configure_logging`.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.

    Notes
    -----
    What is passed as `extra=` becomes fields. The trace is that of the call that formats;
    where that is another thread (`QueueHandler`), add `TraceFilter` to the logger or handler
    that sees the record first.
    """

    def __init__(
        self,
        *,
        format: Format = "json",  # noqa: A002
        colour: bool = False,
        include: Iterable[str] = (),
        redact: Iterable[str] = (),
    ) -> None:
        super().__init__()
        if format not in ("json", "console"):
            parameters.refuse("format", "'json' or 'console'", format)
        parameters.flag("colour", colour)
        hidden = setup.listed("redact", redact)
        self._output = setup.make_output(
            None, format, colour, hidden, _included(include), (None, None, 0), 0
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        return self._output.format(record)


class LogHandler(logging.Handler):
    """Writes records of the standard library to a target of ours.

    Parameters
    ----------
    target, format, colour, redact, max_bytes, rotate_seconds, backup_count, mode
        See `configure_logging`.
    include
        See `JsonFormatter`.
    level : int or str
        As of any handler.

    Attributes
    ----------
    lost : int
        Lines that could not be written; nothing is raised for them.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its domain.
    """

    def __init__(
        self,
        target: Target = None,
        *,
        level: int | str = logging.NOTSET,
        format: Format | None = None,  # noqa: A002
        colour: bool | None = None,
        include: Iterable[str] = (),
        redact: Iterable[str] = (),
        max_bytes: int | None = None,
        rotate_seconds: float | None = None,
        backup_count: int = 5,
        mode: int = 0o640,
    ) -> None:
        rotation = (max_bytes, rotate_seconds, backup_count)
        setup.check_output(target, format, colour, rotation, mode)
        hidden = setup.listed("redact", redact)
        try:
            super().__init__(level)
        except (TypeError, ValueError):
            parameters.refuse("level", "a level of the logging module", level)
        self._output = setup.make_output(
            target, format, colour, hidden, _included(include), rotation, mode
        )
        self._emit = self._output.emit
        # Unless a subclass has an `emit` of its own.
        self._direct = type(self).emit is LogHandler.emit

    @property
    def lost(self) -> int:
        """See the class."""
        return self._output.lost

    def createLock(self) -> None:  # noqa: N802 (the name of the base class)
        """None is needed: lines are written whole."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the record unless a filter drops it."""
        if self.filters:
            passed: Any = self.filter(record)
            if not passed:
                return False
            if isinstance(passed, logging.LogRecord):  # Python 3.12: a filter may replace it
                record = passed
        if self._direct and self.formatter is None:
            self._emit(record)
        else:
            self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a formatter that was set is asked for its text."""
        if self.formatter is None:
            self._emit(record)
        else:
            self._output.write(self.format(record) + "\n")

    def reopen(self) -> None:
        """Open the file by its name again, as after `logrotate` has moved it."""
        self._output.reopen()

    def close(self) -> None:
        """Close the file."""
        self._output.close()
        super().close()


class TraceFilter(logging.Filter):
    """Notes the trace of the running call in the record, for a handler in another thread.

    Raises
    ------
    InvalidParameterError
        `name` is no text.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(parameters.text("name", name, empty=True))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, with `trace_id` and `span_id`."""
        context = _context.current()
        if context.trace_id and not hasattr(record, "trace_id"):
            record.trace_id = context.trace_id
            record.span_id = context.span_id or None
        return True
