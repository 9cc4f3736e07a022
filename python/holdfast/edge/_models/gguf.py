"""What a GGUF file says about its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holdfast.edge._errors import ModelFormatError
from holdfast.edge._models.quantization import ModelFormat, ModelMetadata, QuantizationType
from holdfast.errors import InvalidDataError


def _number(metadata: dict[str, Any], key: str) -> int | None:
    value = metadata.get(key)
    return int(value) if isinstance(value, (int, float)) else None


def describe(name: str, data: bytes) -> ModelMetadata:
    """Header of a GGUF; `name` is for messages and for a model that has none.

    Raises
    ------
    ModelFormatError
        When it is not one, or cut short.
    """
    from holdfast._core import inspect_gguf

    try:
        said = inspect_gguf(data)
    except InvalidDataError as error:
        raise ModelFormatError(name, "gguf", str(error)) from error
    metadata, tensors = said["metadata"], said["tensors"]
    kind = str(metadata.get("general.architecture", "unknown"))
    heads = _number(metadata, f"{kind}.attention.head_count")
    kv_heads = _number(metadata, f"{kind}.attention.head_count_kv") or heads
    width = _number(metadata, f"{kind}.embedding_length")
    by_type: dict[str, int] = {}
    total = 0
    for tensor in tensors:
        count = 1
        for extent in tensor["shape"]:
            count *= int(extent)
        total += count
        name = str(tensor["type"]).lower()
        by_type[name] = by_type.get(name, 0) + count
    largest = max(by_type, key=by_type.__getitem__) if by_type else "f32"
    # One row per word; the list of words itself is not read.
    words = [one["shape"][1] for one in tensors if one["name"] == "token_embd.weight"]
    return ModelMetadata(
        str(metadata.get("general.name") or Path(name).stem),
        kind,
        int(words[0]) if words else _number(metadata, f"{kind}.vocab_size"),
        _number(metadata, f"{kind}.context_length"),
        total,
        _bits(largest),
        ModelFormat.GGUF,
        author=metadata.get("general.author"),
        license=metadata.get("general.license"),
        layers=_number(metadata, f"{kind}.block_count"),
        dimension=width,
        kv_dimension=width * kv_heads // heads if width and heads and kv_heads else None,
    )


_BITS = {
    "f32": 32, "f16": 16, "bf16": 16, "q8": 8, "q6": 8, "q5": 8, "q4": 4, "iq4": 4, "q3": 3,
    "iq3": 3, "q2": 2, "iq2": 2,
}  # fmt: skip


def _bits(name: str) -> QuantizationType:
    """The member nearest to a GGUF type: q4_k is 4bit, bf16 is fp16."""
    found = [bits for prefix, bits in _BITS.items() if name.startswith(prefix)]
    return QuantizationType.of(found[0] if found else 8)
