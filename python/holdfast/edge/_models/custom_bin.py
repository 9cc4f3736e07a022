"""The older custom container: a JSON header, then tensors."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

from holdfast.edge._errors import ModelFormatError

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_HEADER = 1 << 20


def write(path: Path, header: dict[str, Any], weights: dict[str, Any]) -> None:
    """u32 header length, compact JSON, then per tensor: name, dimensions, raw bytes.

    The header's `dtypes` name the element type of each tensor.
    """
    import numpy as np

    from holdfast.edge._files import write_whole

    arrays = {name: np.ascontiguousarray(value) for name, value in weights.items()}
    header = header | {"dtypes": {name: array.dtype.str for name, array in arrays.items()}}
    text = json.dumps(header, separators=(",", ":")).encode()
    parts = [struct.pack("<I", len(text)), text]
    for name, array in arrays.items():
        label = name.encode()
        shape = array.shape
        parts += [
            struct.pack("<I", len(label)), label,
            struct.pack(f"<I{len(shape)}I", len(shape), *shape),
            array.tobytes(),
        ]  # fmt: skip
    write_whole(path, b"".join(parts))


def _take(data: memoryview, at: int, count: int, path: Path) -> tuple[bytes, int]:
    if at + count > len(data):
        raise ModelFormatError(
            str(path), "custom_bin", f"a file that ends at {len(data)} bytes"
        )
    return bytes(data[at : at + count]), at + count


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and weights; the latter stay empty when the header has no `dtypes`.

    Raises
    ------
    ModelFormatError
        When lengths, header or tensors do not fit the file.
    """
    import numpy as np

    data = memoryview(path.read_bytes())
    raw, at = _take(data, 0, 4, path)
    (length,) = struct.unpack("<I", raw)
    if length > min(_LARGEST_HEADER, len(data) - 4):
        return {}, {}  # it begins with something else: no header
    raw, at = _take(data, at, length, path)
    try:
        header = json.loads(raw)
    except ValueError:
        return {}, {}
    if not isinstance(header, dict):
        raise ModelFormatError(str(path), "custom_bin", "a header that is no object")
    weights: dict[str, Any] = {}
    dtypes = header.get("dtypes")
    while isinstance(dtypes, dict) and at < len(data):
        raw, at = _take(data, at, 4, path)
        raw, at = _take(data, at, struct.unpack("<I", raw)[0], path)
        name = raw.decode("utf-8", "replace")
        raw, at = _take(data, at, 4, path)
        (axes,) = struct.unpack("<I", raw)
        raw, at = _take(data, at, 4 * axes, path)
        shape = struct.unpack(f"<{axes}I", raw)
        try:
            kind = np.dtype(dtypes[name])
        except (KeyError, TypeError) as error:
            raise ModelFormatError(str(path), "custom_bin", f"tensor {name!r}") from error
        raw, at = _take(data, at, math.prod(shape) * kind.itemsize, path)
        weights[name] = np.frombuffer(raw, kind).reshape(shape)
    return header, weights
