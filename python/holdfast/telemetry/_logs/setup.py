"""Where lines go, from which level on, in which form, and when a new file begins."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, Protocol

from holdfast import _core
from holdfast._sources import Sample, register
from holdfast.errors import _parameters as parameters
from holdfast.telemetry._logs.logger import LEVELS, level_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    class Stream(Protocol):
        """What lines can be written to."""

        def write(self, text: str, /) -> object: ...

    Target = str | os.PathLike[str] | int | Stream | None
    Format = Literal["json", "console"]

_LONGEST = 1e9  # seconds until a file is renamed: 30 years
_MOST_BACKUPS = 9999
INCLUDABLE = frozenset(
    {
        "function",
        "line",
        "module",
        "path",
        "process_id",
        "process_name",
        "task_name",
        "thread_id",
        "thread_name",
    }
)


class Log:
    """A destination in use; made by `configure_logging`.

    Attributes
    ----------
    lost : int
        Lines that could not be written: the disk was full, the file closed. The next line
        that can be written is preceded by one that says how many are missing.
    """

    def __init__(
        self,
        outputs: Mapping[str, _core.LogOutput],
        state: _Configuration,
        previous: _Configuration,
    ) -> None:
        self._outputs = outputs
        self._state = state
        self._previous = previous

    @property
    def lost(self) -> int:
        """See the class."""
        return sum(
            output.lost for output in {id(o): o for o in self._outputs.values()}.values()
        )

    def reopen(self) -> None:
        """Open the files by their names again, as after `logrotate` has moved them."""
        for output in self._outputs.values():
            output.reopen()

    def close(self) -> None:
        """Close the files; lines written after that are lost, and counted."""
        for output in self._outputs.values():
            output.close()

    def restore(self) -> None:
        """Go back to what was configured before, and close."""
        _install(self._previous)
        self.close()


_Configuration = tuple[
    _core.LogOutput,
    int,
    list[tuple[str, int]],
    list[tuple[str, int | None, _core.LogOutput | None]],
]
_current: _Configuration | None = None


class _Lines:
    """Counts of lines, for whoever collects metrics."""

    def __init__(self) -> None:
        self.lost: dict[int, _core.LogOutput] = {}

    def samples(self) -> Iterable[Sample]:
        """Lines by level, and those that were lost."""
        for level, lines in zip(LEVELS, _core.log_counts(), strict=True):
            labels = {"level": level}
            yield Sample("holdfast_log_lines_total", "counter", "Log lines.", labels, lines)
        lost = sum(output.lost for output in self.lost.values())
        yield Sample("holdfast_log_lines_lost_total", "counter", "Lines not written.", {}, lost)


_lines = _Lines()


def _install(configuration: _Configuration) -> None:
    global _current  # noqa: PLW0603
    _current = configuration
    _core.configure_logs(*configuration)


def configure_logging(
    target: Target = None,
    *,
    level: int | str = "info",
    format: Format | None = None,  # noqa: A002 (its name everywhere)
    colour: bool | None = None,
    levels: Mapping[str, int | str] | None = None,
    categories: Mapping[str, Target | int] | None = None,
    category_levels: Mapping[str, int | str] | None = None,
    redact: Iterable[str] = (),
    max_bytes: int | None = None,
    rotate_seconds: float | None = None,
    backup_count: int = 5,
    mode: int = 0o640,
) -> Log:
    """Say where the lines of all loggers of `get_logger` go. Takes effect at once.

    Parameters
    ----------
    target : path, int, stream or None
        A file, to which lines are appended; a file descriptor, as 1 for standard output
        (the fastest way to a pipe); anything with `write`; None for `sys.stderr`.
    level : str or int
        The least level that is written.
    format : {'json', 'console'}, optional
        By default a line to read on a terminal, JSON everywhere else.
    colour : bool, optional
        Colours in the console format; by default on a terminal, unless NO_COLOR is set.
    levels : mapping, optional
        Levels of loggers by dotted prefix of their names.
    categories : mapping, optional
        Targets of categories that go elsewhere.
    category_levels : mapping, optional
        Levels of categories; they outrank `levels`.
    redact : iterable of str
        Names of fields to hide besides those that are known (passwords, tokens, keys,
        cookies, ...), however they are spelt.
    max_bytes : int, optional
        Size at which a file is renamed to `.1` and a new one begun.
    rotate_seconds : float, optional
        Age at which that happens.
    backup_count : int
        Renamed files that are kept.
    mode : int
        Permissions of new files.

    Returns
    -------
    Log
        Counts lost lines; `reopen`, `close` and `restore` what was before.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its domain.
    OSError
        If a file cannot be opened.
    """
    check_output(target, format, colour, (max_bytes, rotate_seconds, backup_count), mode)
    number = level_number(level)
    rotation = (max_bytes, rotate_seconds, backup_count)
    hidden = listed("redact", redact)

    def output(to: Target) -> _core.LogOutput:
        return make_output(to, format, colour, hidden, [], rotation, mode)

    names = list(_levels("levels", levels).items())
    minima = _levels("category_levels", category_levels)
    others = _by_name("categories", categories)
    for to in others.values():
        check_target("categories", to)
    opened = {"": output(target)}
    opened |= {name: output(to) for name, to in others.items()}
    special = sorted({*minima, *opened} - {""})
    configuration = (
        opened[""],
        number,
        names,
        [(name, minima.get(name), opened.get(name)) for name in special],
    )
    plain = _core.LogOutput(
        "console", None, hidden=[], included=[], rotation=(None, None, 0), mode=mode
    )
    previous = _current or (plain, LEVELS["info"], [], [])
    _install(configuration)
    _lines.lost |= {id(out): out for out in opened.values()}
    register(_lines)
    return Log(opened, configuration, previous)


def make_output(
    target: Target,
    format: Format | None,  # noqa: A002
    colour: bool | None,  # noqa: FBT001
    hidden: list[str],
    included: list[str],
    rotation: tuple[int | None, float | None, int],
    mode: int,
) -> _core.LogOutput:
    """An output of the extension for a target as users give it."""
    terminal = _is_terminal(target)
    if format is None:
        format = "console" if terminal else "json"  # noqa: A001
    if colour is None:
        colour = terminal and "NO_COLOR" not in os.environ
    style = "colour" if format == "console" and colour else format
    if isinstance(target, int):
        target = os.dup(target)
    elif isinstance(target, (str, os.PathLike)):
        target = os.path.abspath(os.fspath(target))  # noqa: PTH100 (pathlib is not loaded for it)
    return _core.LogOutput(
        style, target, hidden=hidden, included=included, rotation=rotation, mode=mode
    )


def _is_terminal(target: Target) -> bool:
    if isinstance(target, int):
        return os.isatty(target)
    if isinstance(target, (str, os.PathLike)):
        return False
    stream = sys.stderr if target is None else target
    try:
        return bool(getattr(stream, "isatty", bool)())
    except ValueError:  # a closed stream
        return False


def listed(parameter: str, names: Iterable[str]) -> list[str]:
    """Names; here a single one may stand alone."""
    return [names] if isinstance(names, str) else parameters.names(parameter, names)


def _by_name(parameter: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    found = parameters.mapping(parameter, given)
    for name in found:
        parameters.text(f"each name of {parameter}", name)
    return found


def _levels(parameter: str, given: Mapping[str, int | str] | None) -> dict[str, int]:
    return {name: level_number(least) for name, least in _by_name(parameter, given).items()}


def check_target(parameter: str, target: object) -> None:
    """A path, a descriptor, something with `write`, or None."""
    descriptor = isinstance(target, int) and not isinstance(target, bool) and target >= 0
    path = isinstance(target, os.PathLike) or (isinstance(target, str) and target)
    if not (target is None or descriptor or path or callable(getattr(target, "write", None))):
        rule = "a path, a file descriptor, something with `write`, or None"
        parameters.refuse(parameter, rule, target)


def check_output(
    target: object,
    format: object,  # noqa: A002
    colour: object,
    rotation: tuple[object, object, object],
    mode: object,
) -> None:
    """What `configure_logging` and the handler take alike."""
    max_bytes, rotate_seconds, backup_count = rotation
    check_target("target", target)
    if format not in (None, "json", "console"):
        parameters.refuse("format", "'json', 'console' or None", format)
    if colour is not None:
        parameters.flag("colour", colour)
    if max_bytes is not None:
        parameters.count("max_bytes", max_bytes, 1, 2**63 - 1)
    if rotate_seconds is not None:
        parameters.real("rotate_seconds", rotate_seconds, above=0, most=_LONGEST)
    parameters.count("backup_count", backup_count, 0, _MOST_BACKUPS)
    parameters.count("mode", mode, 0, 0o7777)
