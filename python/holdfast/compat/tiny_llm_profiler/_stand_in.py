"""What runs where no board, or no file of a model, is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast.edge import PlatformManager, QuantizedModel
from holdfast.errors import InvalidParameterError

_PARTS = {"esp32": "esp32-c3", "esp32s3": "esp32-c3", "bl602": "bl602"}
_OTHER = "generic-rv32"


def simulated_part(platform: str) -> str | None:
    """The simulated part nearest to a board; None: it has an operating system, or is none."""
    name = platform.lower()
    boards = PlatformManager.list_supported_platforms()
    if name not in boards or PlatformManager(name).config.memory.has_mmu:
        return None
    return _PARTS.get(name, _OTHER)


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
