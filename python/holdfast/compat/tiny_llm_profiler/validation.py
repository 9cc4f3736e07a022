"""Older path of the checks before a profile: the machine, the platform, the model."""

from __future__ import annotations

from holdfast.compat.tiny_llm_profiler._before_profiling import RobustProfilingWrapper
from holdfast.compat.tiny_llm_profiler._issues import (
    ValidationCategory,
    ValidationIssue,
    ValidationLevel,
    ValidationResult,
)
from holdfast.compat.tiny_llm_profiler._validators import (
    ModelValidator,
    PlatformValidator,
    SystemValidator,
)

__all__ = [
    "ModelValidator",
    "PlatformValidator",
    "RobustProfilingWrapper",
    "SystemValidator",
    "ValidationCategory",
    "ValidationIssue",
    "ValidationLevel",
    "ValidationResult",
]
