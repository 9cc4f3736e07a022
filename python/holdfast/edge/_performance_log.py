"""What a profiler reports to the log, with its numbers as fields of the record."""

from __future__ import annotations

import logging
from typing import Any

# Names that a log record has for itself.
_TAKEN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class PerformanceLog:
    """Writes to `holdfast.edge.performance`; nothing is shown unless logging is set up."""

    def __init__(self, name: str = "holdfast.edge.performance") -> None:
        self.logger = logging.getLogger(name)

    def _write(self, message: str, fields: dict[str, Any]) -> None:
        extra = {f"{key}_" if key in _TAKEN else key: value for key, value in fields.items()}
        self.logger.info(message, extra=extra)

    def log_profiling_start(
        self, platform: str, model_name: str, session_id: str, **fields: Any
    ) -> None:
        """A profile begins."""
        self._write(
            f"profiling of {model_name} on {platform} began",
            {"platform": platform, "model_name": model_name,
             "profiling_session_id": session_id, **fields},
        )  # fmt: skip

    def log_profiling_end(
        self, session_id: str, duration_seconds: float, results_summary: dict[str, Any]
    ) -> None:
        """A profile ended."""
        self._write(
            f"profiling ended after {duration_seconds:.2f} s",
            {"profiling_session_id": session_id, "duration": duration_seconds,
             "metrics": results_summary},
        )  # fmt: skip

    def log_metric(self, metric_name: str, value: float, unit: str, **fields: Any) -> None:
        """One number."""
        self._write(
            f"{metric_name}: {value} {unit}",
            {"metric_name": metric_name, "value": value, "unit": unit, **fields},
        )

    def log_device_event(
        self, event_type: str, platform: str, device_path: str | None, **fields: Any
    ) -> None:
        """Something happened to a device."""
        self._write(
            f"{event_type}: {platform} at {device_path}",
            {"event_type": event_type, "platform": platform, "device_path": device_path,
             **fields},
        )  # fmt: skip
