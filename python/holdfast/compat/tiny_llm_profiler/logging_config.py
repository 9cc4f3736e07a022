"""Older path of logging: loggers with context below `tiny_llm_profiler`.

New programs use `holdfast.telemetry.get_logger` and `configure_logging`. Importing this opens
nothing; `auto_configure_logging` reads the environment when it is called.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import sys
import time
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from holdfast.errors import HoldfastError, InvalidParameterError
from holdfast.telemetry import JsonFormatter, LogHandler

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    _Called = TypeVar("_Called", bound=Callable[..., Any])

__all__ = [
    "ContextAwareLogger",
    "JSONFormatter",
    "LoggingContextManager",
    "PerformanceLogger",
    "analysis_logger",
    "auto_configure_logging",
    "device_logger",
    "get_logger",
    "get_performance_logger",
    "log_function_call",
    "main_logger",
    "model_logger",
    "profiler_logger",
    "setup_logging",
]

_ROOT = "tiny_llm_profiler"
_PLAIN = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_NOTHING: dict[str, Any] = {}


class JSONFormatter(JsonFormatter):
    """One JSON object a record, with the place of the call.

    Parameters
    ----------
    include_extra : bool
        Whether fields are written.
    """

    def __init__(self, include_extra: bool = True) -> None:  # noqa: FBT001, FBT002
        super().__init__(include=["module", "function", "line", "thread_id", "process_id"])
        self.include_extra = include_extra

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        if not self.include_extra:
            bare = logging.makeLogRecord(
                {name: value for name, value in vars(record).items() if name in _RESERVED}
            )
            record = bare
        told = json.loads(super().format(record))
        told["level"] = record.levelname
        return json.dumps(told, ensure_ascii=False)


class ContextAwareLogger:
    """A logger whose lines carry fields; made by `get_logger`.

    Attributes
    ----------
    logger : logging.Logger
    context : dict
        Fields of every line that the running thread or task writes.
    """

    def __init__(self, name: str | logging.Logger) -> None:
        self.logger = name if isinstance(name, logging.Logger) else logging.getLogger(name)
        self._context: ContextVar[dict[str, Any]] = ContextVar(
            f"{name} context", default=_NOTHING
        )

    @property
    def context(self) -> dict[str, Any]:
        """See the class."""
        return dict(self._context.get())

    def set_context(self, **fields: Any) -> None:
        """Add fields."""
        self._context.set({**self._context.get(), **fields})

    def clear_context(self) -> None:
        """Forget all fields."""
        self._context.set(_NOTHING)

    def log(self, level: int | str, message: str, **fields: Any) -> None:
        """Write at any level."""
        self._write(_level(level), message, fields)

    def debug(self, message: str, **fields: Any) -> None:
        """Write at DEBUG."""
        self._write(logging.DEBUG, message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """Write at INFO."""
        self._write(logging.INFO, message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Write at WARNING."""
        self._write(logging.WARNING, message, fields)

    warn = warning

    def error(self, message: str, **fields: Any) -> None:
        """Write at ERROR."""
        self._write(logging.ERROR, message, fields)

    def critical(self, message: str, **fields: Any) -> None:
        """Write at CRITICAL."""
        self._write(logging.CRITICAL, message, fields)

    def exception(
        self, message: str, exception: BaseException | None = None, **fields: Any
    ) -> None:
        """Write at ERROR with an exception, by default the one being handled."""
        raised = sys.exc_info()[1] if exception is None else exception
        to_dict = getattr(raised, "to_dict", None)
        if isinstance(raised, HoldfastError) and callable(to_dict):
            fields["exception_details"] = to_dict()
        self._write(logging.ERROR, message, fields, raised)

    def _write(
        self,
        level: int,
        message: str,
        fields: dict[str, Any],
        raised: BaseException | None = None,
    ) -> None:
        if not self.logger.isEnabledFor(level):
            return
        given = {**self._context.get(), **fields}
        extra = {
            f"{name}_" if name in _RESERVED else name: value for name, value in given.items()
        }
        # The caller of the method that calls this.
        self.logger.log(level, message, extra=extra, exc_info=raised, stacklevel=3)


def _level(level: int | str) -> int:
    number = level if isinstance(level, int) else logging.getLevelName(str(level).upper())
    if not isinstance(number, int) or isinstance(level, bool):
        raise InvalidParameterError(f"log_level must be a level of logging, got {level!r}")
    return number


def get_logger(name: str) -> ContextAwareLogger:
    """A new logger on `tiny_llm_profiler.<name>`."""
    return ContextAwareLogger(f"{_ROOT}.{name}")


class PerformanceLogger:
    """Lines about profiling sessions, with their numbers."""

    def __init__(self, name: str = f"{_ROOT}.performance") -> None:
        self.logger = ContextAwareLogger(name)

    def log_profiling_start(
        self, platform: str, model_name: str, session_id: str, **fields: Any
    ) -> None:
        """A session begins."""
        self.logger.info(
            "Profiling started",
            platform=platform,
            model_name=model_name,
            profiling_session_id=session_id,
            operation="profiling_start",
            **fields,
        )

    def log_profiling_end(
        self, session_id: str, duration_seconds: float, results_summary: dict[str, Any]
    ) -> None:
        """A session has ended."""
        self.logger.info(
            "Profiling ended",
            profiling_session_id=session_id,
            duration_seconds=duration_seconds,
            results_summary=results_summary,
            operation="profiling_end",
        )

    def log_metric(self, metric_name: str, value: float, unit: str, **fields: Any) -> None:
        """One number."""
        self.logger.info(
            "Metric", metric_name=metric_name, value=value, unit=unit, operation="metric",
            **fields,
        )  # fmt: skip

    def log_device_event(
        self, event_type: str, platform: str, device_path: str, **fields: Any
    ) -> None:
        """Something happened to a device."""
        self.logger.info(
            "Device event",
            event_type=event_type,
            platform=platform,
            device_path=device_path,
            operation="device_event",
            **fields,
        )


def setup_logging(
    log_level: int | str = logging.INFO,
    log_dir: str | PathLike[str] | None = None,
    console_output: bool = True,  # noqa: FBT001, FBT002 (as scripts pass it)
    json_format: bool = True,  # noqa: FBT001, FBT002
    max_file_size_mb: float = 10,
    backup_count: int = 5,
) -> None:
    """Write the lines below `tiny_llm_profiler` to standard output and to three files.

    Handlers of an earlier call are closed. With `log_dir`: `tiny_llm_profiler.log` has every
    line, `performance.log` those of PerformanceLogger, `errors.log` those from ERROR on.

    Raises
    ------
    InvalidParameterError
        A level, size or number of files that is none.
    OSError
        A file cannot be opened.
    """
    level = _level(log_level)
    if isinstance(max_file_size_mb, bool) or not max_file_size_mb > 0:
        raise InvalidParameterError(f"max_file_size_mb must be > 0, got {max_file_size_mb!r}")
    package = logging.getLogger(_ROOT)
    performance = logging.getLogger(f"{_ROOT}.performance")
    made: list[tuple[logging.Logger, logging.Handler]] = []
    if console_output:
        made.append((package, logging.StreamHandler(sys.stdout)))
    if log_dir is not None:
        folder = Path(log_dir)
        folder.mkdir(parents=True, exist_ok=True)

        def rotating(name: str, least: int) -> LogHandler:
            size = int(max_file_size_mb * 2**20)
            path = folder / name
            return LogHandler(path, level=least, max_bytes=size, backup_count=backup_count)

        made += [
            (package, rotating("tiny_llm_profiler.log", logging.NOTSET)),
            (package, rotating("errors.log", logging.ERROR)),
            (performance, rotating("performance.log", logging.NOTSET)),
        ]
    for logger in (package, performance):
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
    package.setLevel(level)
    for logger, handler in made:
        handler.setFormatter(JSONFormatter() if json_format else logging.Formatter(_PLAIN))
        logger.addHandler(handler)


class LoggingContextManager:
    """Fields of a logger inside a block."""

    def __init__(self, logger: ContextAwareLogger, **context: Any) -> None:
        self.logger = logger
        self._fields = context
        self._before: dict[str, Any] = {}

    def __enter__(self) -> ContextAwareLogger:
        """Add the fields."""
        self._before = self.logger.context
        self.logger.set_context(**self._fields)
        return self.logger

    def __exit__(self, *raised: object) -> None:
        """Go back to those before."""
        self.logger.clear_context()
        self.logger.set_context(**self._before)


def log_function_call(
    logger: ContextAwareLogger | None = None,
) -> Callable[[_Called], _Called]:
    """Decorate a function: each call and its duration at DEBUG, what it raises at ERROR."""

    def decorate(function: _Called) -> _Called:
        channel = get_logger(function.__module__) if logger is None else logger
        name = function.__name__

        @functools.wraps(function)
        def logged(*args: Any, **kwargs: Any) -> Any:
            begun = time.perf_counter()
            channel.debug(f"Calling {name}", operation=name)
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                duration = time.perf_counter() - begun
                channel.exception(f"{name} failed", error, operation=name, duration=duration)
                raise
            duration = time.perf_counter() - begun
            channel.debug(f"{name} returned", operation=name, duration=duration)
            return result

        return logged  # type: ignore[return-value]

    return decorate


_performance = PerformanceLogger()


def get_performance_logger() -> PerformanceLogger:
    """The one of this process."""
    return _performance


def auto_configure_logging() -> None:
    """`setup_logging` as TINY_LLM_LOG_LEVEL, _DIR, _CONSOLE and _JSON say.

    Of the last two only `true` is true. A level that is none is told of and counts as INFO.
    """
    asked = os.environ.get("TINY_LLM_LOG_LEVEL", "INFO")
    try:
        level = _level(asked)
    except InvalidParameterError:
        logging.getLogger("holdfast").warning("TINY_LLM_LOG_LEVEL is no level: %r", asked)
        level = logging.INFO
    setup_logging(
        level,
        os.environ.get("TINY_LLM_LOG_DIR") or None,
        os.environ.get("TINY_LLM_LOG_CONSOLE", "true").lower() == "true",
        os.environ.get("TINY_LLM_LOG_JSON", "true").lower() == "true",
    )


main_logger = get_logger("main")
device_logger = get_logger("device")
model_logger = get_logger("model")
profiler_logger = get_logger("profiler")
analysis_logger = get_logger("analysis")
