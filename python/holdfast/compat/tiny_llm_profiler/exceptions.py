"""Older path of the profiler's exceptions, with those that nothing here raises itself.

All are `EdgeError`s, whose older name is `TinyLLMProfilerError`.
"""

from __future__ import annotations

from holdfast.compat.tiny_llm_profiler._checks import (
    handle_device_error,
    handle_model_error,
    safe_file_path,
    validate_input,
)
from holdfast.compat.tiny_llm_profiler._errors import (
    AnalysisError,
    BenchmarkError,
    ConfigurationError,
    DataCorruptionError,
    DiskSpaceError,
    EnvironmentError,  # noqa: A004 (the older name)
    InputValidationError,
    InsufficientResultsError,
    MissingDependencyError,
    ModelValidationError,
    NetworkError,
    PermissionError,  # noqa: A004 (the older name)
    ProfilerConfigurationError,
    SecurityError,
    UnsafePathError,
    ValidationError,
)
from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    DeviceNotSupportedError,
    DeviceTimeoutError,
    EdgeError,
    InsufficientDataError,
    InsufficientMemoryError,
    ModelCompatibilityError,
    ModelError,
    ModelFormatError,
    ModelLoadError,
    PlatformError,
    ProfilingError,
    ProfilingTimeoutError,
    ResourceError,
)

TinyLLMProfilerError = ProfilerError = EdgeError

__all__ = [
    "AnalysisError",
    "BenchmarkError",
    "ConfigurationError",
    "DataCorruptionError",
    "DeviceConnectionError",
    "DeviceError",
    "DeviceNotSupportedError",
    "DeviceTimeoutError",
    "DiskSpaceError",
    "EnvironmentError",
    "InputValidationError",
    "InsufficientDataError",
    "InsufficientMemoryError",
    "InsufficientResultsError",
    "MissingDependencyError",
    "ModelCompatibilityError",
    "ModelError",
    "ModelFormatError",
    "ModelLoadError",
    "ModelValidationError",
    "NetworkError",
    "PermissionError",
    "PlatformError",
    "ProfilerConfigurationError",
    "ProfilerError",
    "ProfilingError",
    "ProfilingTimeoutError",
    "ResourceError",
    "SecurityError",
    "TinyLLMProfilerError",
    "UnsafePathError",
    "ValidationError",
    "handle_device_error",
    "handle_model_error",
    "safe_file_path",
    "validate_input",
]
