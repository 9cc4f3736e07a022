"""Decorators that turn foreign errors into the older ones."""

from __future__ import annotations

import builtins
import functools
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from holdfast.compat.tiny_llm_profiler._errors import PermissionError as NoPermission
from holdfast.edge import (
    DeviceConnectionError,
    DeviceError,
    DeviceTimeoutError,
    EdgeError,
    ModelError,
    ModelFormatError,
    ModelLoadError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")
_SECONDS = 30.0


def handle_device_error(func: Callable[P, R]) -> Callable[P, R]:
    """Foreign errors become those of devices, by what they say; typed ones pass."""

    @functools.wraps(func)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return func(*args, **kwargs)
        except EdgeError:
            raise
        except Exception as error:
            text = str(error).lower()
            name = getattr(func, "__name__", repr(func))
            if isinstance(error, builtins.PermissionError) or "permission denied" in text:
                raise NoPermission("device", "access") from error
            if isinstance(error, builtins.TimeoutError) or "timeout" in text:
                raise DeviceTimeoutError(name, _SECONDS) from error
            if "connection" in text or "device" in text:
                device, platform = kwargs.get("device"), kwargs.get("platform")
                raise DeviceConnectionError(
                    str(device or "unknown"), str(platform or "unknown"), error
                ) from error
            raise DeviceError(f"{name}: {error}") from error

    return guarded


def handle_model_error(func: Callable[P, R]) -> Callable[P, R]:
    """Foreign errors become those of models, by what they say; typed ones pass."""

    @functools.wraps(func)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return func(*args, **kwargs)
        except (builtins.FileNotFoundError, builtins.PermissionError, NoPermission) as error:
            raise ModelLoadError("unknown", str(error), error) from error
        except EdgeError:
            raise
        except Exception as error:
            text = str(error).lower()
            if "format" in text or "corrupt" in text:
                raise ModelFormatError("unknown", None, str(error)) from error
            raise ModelError(str(error)) from error

    return guarded
