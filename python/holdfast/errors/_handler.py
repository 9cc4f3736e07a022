"""Where errors are kept, counted, tied to their calls, and answered with advice."""

from __future__ import annotations

import os
from collections import deque
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from holdfast import _context, _core, _sources
from holdfast.errors import InvalidParameterError
from holdfast.errors import _advice as advice
from holdfast.errors import _parameters as parameters
from holdfast.errors._base import new_correlation_id, new_error_id, utc_now
from holdfast.errors._categories import (
    ErrorCategory,
    ErrorDetails,
    ErrorPattern,
    ErrorSeverity,
    default_thresholds,
)
from holdfast.errors._categorized import CategorizedError
from holdfast.errors._classify import SPECIFIC, category_of, is_recoverable, severity_of
from holdfast.errors._summary import as_json, as_text, summarize
from holdfast.errors._tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_IDS = 100  # of a pattern
_LEVELS = {  # those of the standard library
    ErrorSeverity.CRITICAL: 50,
    ErrorSeverity.HIGH: 40,
    ErrorSeverity.MEDIUM: 30,
    ErrorSeverity.LOW: 20,
}


class ErrorHandler:
    """Keeps the last errors of a process.

    Parameters
    ----------
    max_history_size : int
        Errors that are kept; older ones are forgotten with all that refers to them.
    clock : callable
        UTC without a time zone; another one makes time pass at will in tests.

    Attributes
    ----------
    error_history : deque of ErrorDetails
    error_patterns : dict
        ErrorPattern by `<category>_<severity>`; counts since the beginning.
    alert_thresholds : list of AlertThreshold
    correlation_errors : dict
        Ids of errors by correlation id.
    performance_stats : dict
        `total_errors`, `errors_by_category`, `errors_by_severity`, `recovery_success_rate`
        and `avg_resolution_time` in seconds: the last two from `mark_resolved`, None before.
    tally : Tally
        Totals for whoever collects metrics: of `enhanced_error_handler` by itself.

    Raises
    ------
    InvalidParameterError
        `max_history_size` is no integer of at least 1, or `clock` cannot be called.
    """

    def __init__(
        self, max_history_size: int = 10_000, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        parameters.count("max_history_size", max_history_size)
        parameters.hook("clock", clock)
        self.error_history: deque[ErrorDetails] = deque()
        self.error_patterns: dict[str, ErrorPattern] = {}
        self.alert_thresholds = default_thresholds()
        self.correlation_errors: dict[str, list[str]] = {}
        self.performance_stats: dict[str, Any] = {
            "total_errors": 0,
            "errors_by_category": {},
            "errors_by_severity": {},
            "recovery_success_rate": None,
            "avg_resolution_time": None,
        }
        self._max = max_history_size
        self._clock = clock
        self._by_id: dict[str, ErrorDetails] = {}
        self._resolved: list[float | None] = []
        self.tally = Tally()
        self._lock = Lock()

    # --- taking errors in ------------------------------------------------------------------
    def handle_error(
        self,
        error: BaseException,
        context: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> ErrorDetails:
        """Keep `error`, log it by its severity, and say what is known of it.

        Parameters
        ----------
        context : mapping, optional
            Facts about the call, as `retry_count`; they win over those of the error.
        correlation_id : str, optional
            By default `context['correlation_id']`, that of the error, the running trace, or
            a new one.

        Raises
        ------
        InvalidParameterError
            `error` is no exception, or `context` no mapping.
        """
        details = self.register(error, context, correlation_id)
        extra = {
            "error_id": details.error_id,
            "correlation_id": details.correlation_id,
            "category": details.category.value,
            "severity": details.severity.value,
            "recoverable": details.recoverable,
            "retry_count": details.retry_count,
            "tags": sorted(details.tags),
        }
        import logging  # the first error loads it

        log = logging.getLogger("holdfast.errors")
        log.log(_LEVELS[details.severity], details.technical_details, extra=extra)
        if "alert_triggered" in details.tags:
            log.critical("too many errors: %s", self._reached(details), extra=extra)
        return details

    def register(
        self,
        error: BaseException,
        context: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> ErrorDetails:
        """Keep `error` without a word: for those who raise it themselves.

        Raises
        ------
        InvalidParameterError
            `error` is no exception, or `context` no mapping.
        """
        parameters.instance("error", error, BaseException)
        context = parameters.mapping("context", context)
        own = getattr(error, "context", None)
        facts = {**(own if isinstance(own, dict) else {}), **context}
        correlation = (
            correlation_id
            or facts.get("correlation_id")
            or getattr(error, "correlation_id", None)
            or _context.current().trace_id
            or new_correlation_id()
        )
        category = category_of(error)
        message = _core.scrub_secrets(str(error))
        retries = facts.get("retry_count", 0)
        details = ErrorDetails(
            error_id=getattr(error, "error_id", None) or new_error_id(),
            timestamp=self._clock(),
            category=category,
            severity=severity_of(error),
            message=message,
            technical_details=f"{type(error).__name__}: {message}",
            user_message=f"{advice.LEAD[category]}: {message}",
            suggestions=_suggestions(error, category),
            context={name: _visible(name, value) for name, value in facts.items()},
            correlation_id=str(correlation),
            recoverable=is_recoverable(error),
            retry_count=retries if isinstance(retries, int) else 0,
        )
        with self._lock:
            known = self._by_id.get(details.error_id)
            if known is not None:
                # The same error on its way up through several who handle it.
                known.context.update(details.context)
                return known
            self._keep(details)
            self._alert(details)
            self.tally.count(details, type(error).__name__)
        return details

    def _keep(self, details: ErrorDetails) -> None:
        self.error_history.append(details)
        self._by_id[details.error_id] = details
        self.correlation_errors.setdefault(details.correlation_id, []).append(details.error_id)
        while len(self.error_history) > self._max:
            old = self.error_history.popleft()
            del self._by_id[old.error_id]
            ids = self.correlation_errors[old.correlation_id]
            ids.remove(old.error_id)
            if not ids:
                del self.correlation_errors[old.correlation_id]
        stats = self.performance_stats
        stats["total_errors"] += 1
        for table, key in (
            (stats["errors_by_category"], details.category.value),
            (stats["errors_by_severity"], details.severity.value),
        ):
            table[key] = table.get(key, 0) + 1
        name = f"{details.category.value}_{details.severity.value}"
        pattern = self.error_patterns.get(name)
        if pattern is None:
            now = details.timestamp
            pattern = self.error_patterns[name] = ErrorPattern(
                details.category, 0, now, now, []
            )
        pattern.count += 1
        pattern.last_occurrence = details.timestamp
        pattern.error_ids = [*pattern.error_ids[1 - _IDS :], details.error_id]
        pattern.recovery_attempts += details.retry_count

    def _alert(self, details: ErrorDetails) -> None:
        for threshold in self.alert_thresholds:
            kind = threshold.category, threshold.severity
            if not threshold.enabled or kind != (details.category, details.severity):
                continue
            since = details.timestamp - timedelta(minutes=threshold.time_window_minutes)
            count = 0
            for other in reversed(self.error_history):
                if other.timestamp < since or count >= threshold.count_threshold:
                    break
                count += (other.category, other.severity) == kind
            if count >= threshold.count_threshold:
                details.tags |= {"alert_triggered", f"threshold_{threshold.count_threshold}"}

    def _reached(self, details: ErrorDetails) -> str:
        number = next(tag for tag in details.tags if tag.startswith("threshold_"))
        return (
            f"{number.removeprefix('threshold_')} of {details.category.value}, "
            f"{details.severity.value}"
        )

    def mark_resolved(self, error_id: str, *, success: bool = True) -> None:
        """Note that the operation behind an error went on, or that it was given up.

        Raises
        ------
        InvalidParameterError
            If there is no such error.
        """
        with self._lock:
            details = self._by_id.get(error_id)
            if details is None:
                raise InvalidParameterError(
                    f"error_id must be that of a kept error, got {error_id!r}"
                )
            took = (self._clock() - details.timestamp).total_seconds()
            self.tally.recovered(details, success=success)
            self._resolved = [*self._resolved[1 - self._max :], took if success else None]
            times = [took for took in self._resolved if took is not None]
            stats = self.performance_stats
            stats["recovery_success_rate"] = len(times) / len(self._resolved)
            stats["avg_resolution_time"] = sum(times) / len(times) if times else None

    # --- asking ----------------------------------------------------------------------------
    def get_error(self, error_id: str) -> ErrorDetails | None:
        """What is kept of an error."""
        with self._lock:
            return self._by_id.get(error_id)

    def suggest_recovery_actions(self, error_id: str) -> list[str]:
        """What may help against an error, the most specific first."""
        with self._lock:
            details = self._by_id.get(error_id)
            if details is None:
                return [f"Error {error_id} was not found: it is unknown or too old"]
            actions = list(details.suggestions)
            category = details.category
            if category is ErrorCategory.NEUROMORPHIC_CLUSTERING and details.retry_count:
                actions += advice.AFTER_RETRIES
            elif category is ErrorCategory.CIRCUIT_BREAKER:
                actions += advice.AFTER_BREAKER
            elif category is ErrorCategory.RESOURCE_EXHAUSTION:
                actions += advice.AFTER_EXHAUSTION
            if len(self.correlation_errors[details.correlation_id]) > 1:
                actions += advice.AFTER_SEVERAL
        return list(dict.fromkeys(actions))

    def get_correlation_timeline(self, correlation_id: str) -> dict[str, Any]:
        """The errors of one call in the order in which they came."""
        with self._lock:
            ids = self.correlation_errors.get(correlation_id, [])
            timeline = [self._by_id[error_id].to_dict() for error_id in ids]
        told: dict[str, Any] = {
            "correlation_id": correlation_id,
            "error_count": len(timeline),
            "timeline": timeline,
        }
        if timeline:
            told["first_error"] = timeline[0]["timestamp"]
            told["last_error"] = timeline[-1]["timestamp"]
        return told

    def get_comprehensive_error_summary(self, hours: float = 24) -> dict[str, Any]:
        """Counts, rates and the most frequent kinds of the last hours.

        Raises
        ------
        InvalidParameterError
            `hours` is not above 0 and at most 1e6.
        """
        parameters.real("hours", hours, above=0, most=1e6)
        since = self._clock() - timedelta(hours=hours)
        with self._lock:
            recent = [details for details in self.error_history if details.timestamp >= since]
            return summarize(recent, hours, self.error_patterns, self.performance_stats)

    def get_error_summary(self, hours: float = 24) -> dict[str, Any]:
        """The older name of `get_comprehensive_error_summary`."""
        return self.get_comprehensive_error_summary(hours)

    def export_error_report(self, format_type: str = "json") -> str:
        """A report of the last week: JSON, or text for any other format."""
        summary = self.get_comprehensive_error_summary(hours=168)
        with self._lock:
            if format_type == "json":
                patterns = self.error_patterns
                return as_json(self._clock(), summary, self.alert_thresholds, patterns)
        return as_text(self._clock(), summary)

    def renew(self) -> None:
        """Take a new lock."""
        self._lock = Lock()

    def clear(self) -> None:
        """Forget all errors; thresholds stay, and so do the totals for metrics."""
        with self._lock:
            fresh = ErrorHandler(self._max, clock=self._clock)
            thresholds = self.alert_thresholds
            for name, value in vars(fresh).items():
                if name not in ("_lock", "tally"):
                    setattr(self, name, value)
            self.alert_thresholds = thresholds


def _visible(name: str, value: object) -> object:
    if _core.hides_secret(str(name)):
        return "[redacted]"
    return _core.scrub_secrets(value) if isinstance(value, str) else value


def _suggestions(error: BaseException, category: ErrorCategory) -> list[str]:
    own = getattr(error, "suggestions", None)
    if isinstance(error, CategorizedError) and own:
        return list(own)
    if type(error).__module__ == "builtins":
        for kind, texts in SPECIFIC:
            if isinstance(error, kind):
                return list(texts)
    return list(advice.SUGGESTIONS[category])


enhanced_error_handler = ErrorHandler()
_sources.register(enhanced_error_handler.tally)
if hasattr(os, "register_at_fork"):
    # Another thread may hold the lock at that moment, and is not in the child.
    os.register_at_fork(after_in_child=enhanced_error_handler.renew)
