"""Kinds of errors that older scripts raise and catch, each with a code and its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.edge import EdgeError, ModelError, ProfilingError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Sequence


class NetworkError(EdgeError):
    """A network failed."""


class BenchmarkError(EdgeError):
    """A benchmark failed."""


class ValidationError(EdgeError):
    """Something is not valid."""


class SecurityError(EdgeError):
    """Something was refused for security."""


class ConfigurationError(EdgeError):
    """A configuration cannot be used."""


class AnalysisError(EdgeError):
    """An analysis failed."""


class ModelValidationError(ModelError):
    """A model is not valid."""

    code = "MODEL_VALIDATION_FAILED"

    def __init__(self, model_name: str, validation_issues: Sequence[str]) -> None:
        issues = list(validation_issues)
        super().__init__(
            f"{model_name} is not valid: {'; '.join(map(str, issues))}",
            details={"model_name": model_name, "validation_issues": issues},
        )


class ProfilerConfigurationError(ProfilingError, ValueError):
    """A parameter of a profile is outside its domain."""

    code = "PROFILER_CONFIG_ERROR"

    def __init__(self, parameter: str, value: Any, reason: str) -> None:
        super().__init__(
            f"{parameter} {reason}, got {value!r}",
            details={"parameter": parameter, "value": value, "reason": reason},
        )


class DiskSpaceError(ResourceError):
    """A disk has too little room."""

    code = "INSUFFICIENT_DISK_SPACE"

    def __init__(self, required_mb: float, available_mb: float, path: str) -> None:
        super().__init__(
            f"{path} needs {required_mb:.1f} MB of room, there are {available_mb:.1f} MB",
            details={"required_mb": required_mb, "available_mb": available_mb, "path": path},
        )


class PermissionError(ResourceError):  # noqa: A001 (the older name; not the built-in)
    """Access was denied."""

    code = "PERMISSION_DENIED"

    def __init__(self, resource: str, operation: str) -> None:
        super().__init__(
            f"{operation} of {resource} is not permitted",
            details={"resource": resource, "operation": operation},
        )


class UnsafePathError(SecurityError, ValueError):
    """A path leads where it must not."""

    code = "UNSAFE_PATH"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"path {path!r} {reason}", details={"path": path, "reason": reason})


class InputValidationError(SecurityError, ValueError):
    """An input breaks a rule."""

    code = "INPUT_VALIDATION_FAILED"

    def __init__(self, parameter: str, value: Any, validation_rule: str) -> None:
        super().__init__(
            f"{parameter} {validation_rule}, got {value!r}",
            details={
                "parameter": parameter,
                "value": str(value),
                "validation_rule": validation_rule,
            },
        )


class MissingDependencyError(ConfigurationError):
    """A package is not installed."""

    code = "MISSING_DEPENDENCY"

    def __init__(self, dependency: str, install_command: str | None = None) -> None:
        how = f": {install_command}" if install_command else ""
        super().__init__(
            f"{dependency} is not installed{how}",
            details={"dependency": dependency, "install_command": install_command},
        )


class EnvironmentError(ConfigurationError):  # noqa: A001 (the older name; not the built-in)
    """Something about this machine is in the way."""

    code = "ENVIRONMENT_ERROR"

    def __init__(self, environment_issue: str, suggested_fix: str | None = None) -> None:
        how = f": {suggested_fix}" if suggested_fix else ""
        super().__init__(
            f"{environment_issue}{how}",
            details={"environment_issue": environment_issue, "suggested_fix": suggested_fix},
        )


class InsufficientResultsError(AnalysisError):
    """Too few results for an analysis."""

    code = "INSUFFICIENT_RESULTS"

    def __init__(
        self, analysis_type: str, available_results: int, required_results: int
    ) -> None:
        super().__init__(
            f"{analysis_type} needs {required_results} results, there are {available_results}",
            details={
                "analysis_type": analysis_type,
                "available_results": available_results,
                "required_results": required_results,
            },
        )


class DataCorruptionError(AnalysisError):
    """Data is damaged."""

    code = "DATA_CORRUPTION"

    def __init__(self, data_type: str, corruption_details: str) -> None:
        super().__init__(
            f"{data_type} is damaged: {corruption_details}",
            details={"data_type": data_type, "corruption_details": corruption_details},
        )
