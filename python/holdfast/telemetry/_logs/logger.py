"""Loggers of our own: one call writes one line of JSON, or one line to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from holdfast import _core

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class Write(Protocol):
    """Writes a line at one level."""

    def __call__(self, message: object, /, *arguments: object, **fields: object) -> None:
        """Write `message % arguments` with `fields`."""
        ...


class Logger:
    """Writes records with fields; made by `get_logger`.

    Attributes
    ----------
    name : str
    category : str or None
        Which kind of matter it reports on; `configure_logging` can send categories to
        files of their own.
    debug, info, warning, error, critical : callable
        `(message, /, *arguments, **fields)`. Arguments are put in with `%`. `exc_info=True`
        (or an exception) adds type, message and traceback. A field that has the name of
        one that every record has gets a `_` behind it. Values may be anything: numbers,
        texts, booleans, None, lists and dicts become JSON, everything else its `str`.
        None of them raises for a value or a destination that fails.
    """

    __slots__ = (
        "_channel",
        "_fields",
        "category",
        "critical",
        "debug",
        "error",
        "info",
        "name",
        "warning",
    )

    debug: Write
    info: Write
    warning: Write
    error: Write
    critical: Write

    def __init__(self, name: str, category: str | None, fields: Mapping[str, object]) -> None:
        if not isinstance(name, str) or not (category is None or isinstance(category, str)):
            _refuse(name, category)
        self.name = name
        self.category = category
        if type(fields) is not dict:
            _refuse_fields(fields)
        self._fields = dict(fields)
        self._channel = _core.LogChannel(name, category, self._fields)
        for level in LEVELS:
            setattr(self, level, self._channel.writer(level))

    def bind(self, **fields: object) -> Logger:
        """A logger of the same name whose lines carry `fields` too."""
        return Logger(self.name, self.category, {**self._fields, **fields})

    def exception(self, message: object, /, *arguments: object, **fields: object) -> None:
        """`error`, with the exception being handled."""
        fields.setdefault("exc_info", True)
        self.error(message, *arguments, **fields)

    def log(
        self, level: int | str, message: object, /, *arguments: object, **fields: object
    ) -> None:
        """Write at a level by name or number; a number between two counts as the lower."""
        number = level_number(level)
        names = [name for name, least in LEVELS.items() if least <= number]
        write: Write = getattr(self, names[-1] if names else "debug")
        write(message, *arguments, **fields)

    def is_enabled_for(self, level: int | str) -> bool:
        """Whether a line of that level would be written."""
        return level_number(level) >= self._channel.threshold

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name and fields: where lines go is a matter of the process."""
        return Logger, (self.name, self.category, self._fields)

    def __repr__(self) -> str:
        """Name, category and fields."""
        category = "" if self.category is None else f", category={self.category!r}"
        fields = "".join(f", {name}={value!r}" for name, value in self._fields.items())
        return f"get_logger({self.name!r}{category}{fields})"


def _refuse_fields(fields: Mapping[str, object]) -> None:
    from holdfast.errors import _parameters as parameters  # not on the way to a line

    if fields is None or parameters.mapping("fields", fields) is None:
        parameters.refuse("fields", "a mapping", fields)


def _refuse(name: object, category: object) -> None:
    from holdfast.errors import _parameters as parameters  # not on the way to a line

    parameters.text("name", name, empty=True)
    parameters.refuse("category", "a str or None", category)


def level_number(level: int | str) -> int:
    """The number of a level, as in the standard library."""
    from holdfast.errors import _parameters as parameters  # not on the way to a line

    if isinstance(level, int) and not isinstance(level, bool) and 0 <= level < 256:  # noqa: PLR2004
        return level
    number = LEVELS.get(level.lower()) if isinstance(level, str) else None
    if number is None:
        rule = f"one of {', '.join(LEVELS)}, or a number from 0 to 255"
        parameters.refuse("level", rule, level)
    return number


def get_logger(name: str = "", /, *, category: str | None = None, **fields: object) -> Logger:
    r"""A logger whose lines carry the trace of the running call.

    Parameters
    ----------
    name : str
        Usually `__name__`; levels can be set by its dotted prefixes.
    category : str, optional
        As `security` or `performance`.
    **fields
        Carried by each of its lines.

    Notes
    -----
    Before `configure_logging`, lines from `info` on go to `sys.stderr` in a form to read.

    Examples
    --------
    >>> import io
    >>> from holdfast.telemetry import configure_logging, get_logger
    >>> stream = io.StringIO()
    >>> log = configure_logging(stream, format="json")
    >>> get_logger("shop", branch="north").info("sold", apples=3)
    >>> stream.getvalue()[43:]
    '"level":"info","logger":"shop","message":"sold","apples":3,"branch":"north"}\n'
    >>> log.restore()
    """
    return Logger(name, category, fields)
