"""What runs where no board, or no file of a model, is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast.edge import PlatformManager, QuantizedModel
from holdfast.errors import InvalidParameterError

# The simulated part whose maker states its power.
_PART = "esp32-c3"


def simulated_part(platform: str) -> str | None:
    """The part that stands in for a board; None: it has an operating system, or is none."""
    name = platform.lower()
    boards = PlatformManager.list_supported_platforms()
    if name not in boards or PlatformManager(name).config.memory.has_mmu:
        return None
    return _PART


def stand_in(model: object) -> Any:
    """`model`; where it is only like one, a model of the same name, size and quantization."""
    if model is None or isinstance(model, (str, Path)):
        return model
    if issubclass(type(model), QuantizedModel):
        return model
    name = getattr(model, "name", "model" if isinstance(model, QuantizedModel) else None)
    if name is None:
        return model
    size: Any = getattr(model, "size_mb", None)
    size = size if isinstance(size, (int, float)) else None
    bits: Any = getattr(model, "quantization", None)
    try:
        return QuantizedModel(str(name), quantization=bits, size_mb=size)
    except InvalidParameterError:
        return QuantizedModel(str(name), size_mb=size)
