"""Totals of errors, for whoever collects metrics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast._sources import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.errors._categories import ErrorDetails

_KINDS = 1000  # counted apart
_HELP = {
    "holdfast_errors_total": "Errors that were handled",
    "holdfast_error_recoveries_total": "Errors marked as resolved, or as given up",
}


class Tally:
    """Errors by category, type and whether they pass; recoveries by category and success."""

    def __init__(self) -> None:
        self._errors: Counter[tuple[str, str, str]] = Counter()
        self._recoveries: Counter[tuple[str, str]] = Counter()

    def count(self, details: ErrorDetails, kind: str) -> None:
        """One more, of the type named `kind`; whoever calls holds the lock of the handler."""
        key = details.category.value, kind, str(details.recoverable).lower()
        if len(self._errors) >= _KINDS and key not in self._errors:
            key = key[0], "other", key[2]
        self._errors[key] += 1

    def recovered(self, details: ErrorDetails, *, success: bool) -> None:
        """The operation behind an error went on, or was given up."""
        self._recoveries[details.category.value, str(success).lower()] += 1

    def samples(self) -> Iterator[Sample]:
        """Every total, now."""
        for name, labels, totals in (
            ("holdfast_errors_total", ("category", "error_type", "recoverable"), self._errors),
            ("holdfast_error_recoveries_total", ("category", "success"), self._recoveries),
        ):
            for said, total in totals.copy().items():
                told = dict(zip(labels, said, strict=True))
                yield Sample(name, "counter", _HELP[name], told, total)
