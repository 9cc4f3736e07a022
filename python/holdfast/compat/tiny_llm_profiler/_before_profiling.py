"""All checks at once, and a function tried again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from holdfast.compat.tiny_llm_profiler._issues import ValidationLevel, ValidationResult
from holdfast.compat.tiny_llm_profiler._stages import TimeoutManager
from holdfast.compat.tiny_llm_profiler._validators import (
    ModelValidator,
    PlatformValidator,
    SystemValidator,
)
from holdfast.edge import ProfilingError
from holdfast.errors import InvalidParameterError

if TYPE_CHECKING:
    from collections.abc import Callable


class RobustProfilingWrapper:
    """Checks before a profile, and tries again while it fails.

    Parameters
    ----------
    max_retries : int
        Attempts, at least 1.
    timeout_seconds : float
        Limit of one attempt.
    validation_level : ValidationLevel
    """

    def __init__(
        self,
        max_retries: int = 3,
        timeout_seconds: float = 300,
        validation_level: ValidationLevel = ValidationLevel.MODERATE,
    ) -> None:
        if isinstance(max_retries, bool) or not max_retries >= 1:
            raise InvalidParameterError(f"max_retries must be at least 1, got {max_retries!r}")
        if not timeout_seconds > 0:
            raise InvalidParameterError(
                f"timeout_seconds must be above 0, got {timeout_seconds!r}"
            )
        self.max_retries = max_retries
        self.timeout_seconds = timeout_seconds
        self.validation_level = ValidationLevel(validation_level)
        self.system_validator = SystemValidator(self.validation_level)
        self.model_validator = ModelValidator(self.validation_level)

    def validate_before_profiling(
        self, model: Any, platform: str, device_path: str | None = None
    ) -> ValidationResult:
        """The issues of machine, platform and model together."""
        parts = (
            self.system_validator.validate_system(),
            PlatformValidator(platform, self.validation_level).validate_platform(device_path),
            self.model_validator.validate_model(model, platform),
        )
        issues = [issue for part in parts for issue in part.issues]
        return ValidationResult(all(part.is_valid for part in parts), issues)

    def robust_profile(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call until something other than None comes back, after waits of 1, 2, 4, ... s.

        Returns
        -------
        object
            The result; after the last attempt, the exception it ended with.
        """
        last: Exception = ProfilingError("nothing was returned")
        for attempt in range(self.max_retries):
            if attempt:
                time.sleep(2.0 ** (attempt - 1))
            try:
                bounded = TimeoutManager().with_timeout(self.timeout_seconds)(function)
                result = bounded(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 (it is what comes back)
                last = error
                continue
            if result is not None:
                return result
            last = ProfilingError("nothing was returned")
        return last
