"""What goes wrong between a host and a device, each with a code and its facts.

* EdgeError (a HoldfastError)
  - PlatformError (also a ValueError)
    - DeviceNotSupportedError (also a DeviceError)
  - DeviceError
    - DeviceConnectionError (also a ConnectionError)
      - UnknownProtocolError
    - DeviceTimeoutError (also a TimeoutError)
    - ProtocolError
    - DeviceRebootError
  - ModelError
    - ModelFormatError, ModelCompatibilityError (also ValueErrors)
    - ModelLoadError
  - ProfilingError
    - ProfilingTimeoutError (also a TimeoutError), carries the partial results
    - InsufficientDataError
  - ResourceError
    - InsufficientMemoryError
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Sequence


def _rebuild(kind: type[EdgeError], arguments: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *arguments)
    error.args = arguments  # those that are OSErrors too have none by then
    error.__dict__.update(state)
    return error


class EdgeError(HoldfastError):
    """A failure of profiling.

    Attributes
    ----------
    message : str
    error_code : str or None
        Stable, upper-case; for programs.
    details : dict
        The facts of the failure.
    """

    code: str | None = None

    def __init__(
        self,
        message: str,
        error_code: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code or self.code
        self.details = dict(details or {})

    def to_dict(self) -> dict[str, Any]:
        """Type, message, code and details."""
        return {
            "error_type": type(self).__name__,
            "message": self.message,
            "error_code": self.error_code,
            "details": self.details,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with every attribute, whatever the constructor takes."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _text(error: BaseException | None) -> str | None:
    return None if error is None else str(error)


class PlatformError(EdgeError, ValueError):
    """A platform cannot do what is asked."""


class DeviceError(EdgeError):
    """A device, or the way to it, failed."""


class DeviceNotSupportedError(PlatformError, DeviceError):
    """No platform of that name."""

    code = "DEVICE_NOT_SUPPORTED"

    def __init__(self, platform: str, supported_platforms: Sequence[str] | None = None) -> None:
        supported = list(supported_platforms or ())
        near = get_close_matches(platform.lower(), supported, 1)
        known = f" (did you mean {near[0]!r}?)" if near else ""
        known += f"; known: {', '.join(supported)}" if supported else ""
        super().__init__(
            f"platform={platform!r} is not known{known}",
            details={"platform": platform, "supported_platforms": supported},
        )


class DeviceConnectionError(DeviceError, ConnectionError):
    """A device cannot be reached, or was lost."""

    code = "DEVICE_CONNECTION_FAILED"

    def __init__(
        self,
        device_path: str,
        platform: str,
        original_error: BaseException | str | None = None,
    ) -> None:
        why = f": {original_error}" if original_error else ""
        super().__init__(
            f"cannot reach {platform} at {device_path}{why}",
            details={
                "device_path": device_path,
                "platform": platform,
                "original_error": None if original_error is None else str(original_error),
            },
        )


class UnknownProtocolError(DeviceConnectionError):
    """The way to a device is open, but it speaks no language that was tried."""

    code = "PROTOCOL_UNKNOWN"


class DeviceTimeoutError(DeviceError, TimeoutError):
    """A device stayed silent for longer than allowed."""

    code = "DEVICE_TIMEOUT"

    def __init__(self, operation: str, timeout_seconds: float) -> None:
        super().__init__(
            f"{operation}: no answer within {timeout_seconds:g} s",
            details={"operation": operation, "timeout_seconds": timeout_seconds},
        )


class ProtocolError(DeviceError):
    """A device said something that its protocol does not allow."""

    code = "PROTOCOL_ERROR"

    def __init__(self, operation: str, expected: str, received: str) -> None:
        shown = received if len(received) <= 120 else received[:117] + "..."  # noqa: PLR2004
        super().__init__(
            f"{operation}: expected {expected}, received {shown!r}",
            details={"operation": operation, "expected": expected, "received": received},
        )


class DeviceRebootError(DeviceError):
    """A device started anew in the middle of something."""

    code = "DEVICE_REBOOTED"

    def __init__(self, operation: str, evidence: str) -> None:
        super().__init__(
            f"{operation}: the device restarted ({evidence})",
            details={"operation": operation, "evidence": evidence},
        )


class ModelError(EdgeError):
    """A model cannot be used."""


class ModelLoadError(ModelError):
    """A model cannot be read or loaded onto a device."""

    code = "MODEL_LOAD_FAILED"

    def __init__(
        self, model_path: str, reason: str, original_error: BaseException | None = None
    ) -> None:
        super().__init__(
            f"cannot load {model_path}: {reason}",
            details={
                "model_path": model_path,
                "reason": reason,
                "original_error": _text(original_error),
            },
        )


class ModelFormatError(ModelError, ValueError):
    """A file is not what its name or header says."""

    code = "MODEL_FORMAT_ERROR"

    def __init__(
        self,
        model_path: str,
        expected_format: str | None = None,
        detected_format: str | None = None,
    ) -> None:
        super().__init__(
            f"{model_path}: expected {expected_format}, found {detected_format}",
            details={
                "model_path": model_path,
                "expected_format": expected_format,
                "detected_format": detected_format,
            },
        )


class ModelCompatibilityError(ModelError, ValueError):
    """A model cannot run on a platform."""

    code = "MODEL_COMPATIBILITY_FAILED"

    def __init__(
        self, model_name: str, platform: str, compatibility_issues: Sequence[str]
    ) -> None:
        super().__init__(
            f"{model_name} cannot run on {platform}: {'; '.join(compatibility_issues)}",
            details={
                "model_name": model_name,
                "platform": platform,
                "compatibility_issues": list(compatibility_issues),
            },
        )


class ProfilingError(EdgeError):
    """A profile could not be taken."""


class ProfilingTimeoutError(ProfilingError, TimeoutError):
    """A profile took longer than allowed; `partial_results` holds what there is."""

    code = "PROFILING_TIMEOUT"

    def __init__(
        self, operation: str, timeout_seconds: float, partial_results: object | None = None
    ) -> None:
        super().__init__(
            f"{operation}: not finished within {timeout_seconds:g} s",
            details={
                "operation": operation,
                "timeout_seconds": timeout_seconds,
                "partial_results_available": partial_results is not None,
            },
        )
        self.partial_results = partial_results


class InsufficientDataError(ProfilingError):
    """Too few samples for a statement."""

    code = "INSUFFICIENT_DATA"

    def __init__(self, metric: str, collected_samples: int, required_samples: int) -> None:
        super().__init__(
            f"{metric} needs {required_samples} samples, there are {collected_samples}",
            details={
                "metric": metric,
                "collected_samples": collected_samples,
                "required_samples": required_samples,
            },
        )


class ResourceError(EdgeError):
    """The host has too little of something."""


class InsufficientMemoryError(ResourceError):
    """The profiler's process uses more memory than it may."""

    code = "INSUFFICIENT_MEMORY"

    def __init__(self, required_mb: float, available_mb: float, operation: str) -> None:
        super().__init__(
            f"{operation} uses {required_mb:.1f} MB, {available_mb:.1f} MB are allowed",
            details={
                "required_mb": required_mb,
                "available_mb": available_mb,
                "operation": operation,
            },
        )
