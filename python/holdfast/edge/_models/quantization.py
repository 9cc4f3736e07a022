"""How many bits a weight takes, and which container holds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from holdfast.errors import InvalidParameterError


class QuantizationType(str, Enum):
    """Bits per weight."""

    INT2 = "2bit"
    INT3 = "3bit"
    INT4 = "4bit"
    INT8 = "8bit"
    FLOAT16 = "fp16"
    FLOAT32 = "fp32"

    @property
    def bits(self) -> int:
        """Bits of one weight, scales left out."""
        return {"2bit": 2, "3bit": 3, "4bit": 4, "8bit": 8, "fp16": 16, "fp32": 32}[self.value]

    @classmethod
    def of(cls, value: QuantizationType | str | int) -> QuantizationType:
        """From a member, its text (`4bit`) or a number of bits.

        Raises
        ------
        InvalidParameterError
            When there is no such quantisation.
        """
        if isinstance(value, int):
            for one in cls:
                if one.bits == value:
                    return one
        elif not isinstance(value, cls):
            short = {"q8_0": "8bit", "q4_0": "4bit", "f16": "fp16", "f32": "fp32"}
            text = str(value).lower()
            try:
                return cls(short.get(text, text))
            except ValueError:
                pass
        else:
            return value
        known = ", ".join(one.value for one in cls)
        raise InvalidParameterError(f"quantization must be one of {known}, got {value!r}")


class ModelFormat(str, Enum):
    """Container of a model."""

    GGUF = "gguf"
    GGML = "ggml"
    SAFETENSORS = "safetensors"
    PYTORCH = "pytorch"
    CUSTOM_BIN = "custom_bin"


@dataclass
class ModelMetadata:
    """What a file says about its model; None where it does not."""

    name: str
    architecture: str
    vocab_size: int | None
    context_length: int | None
    parameter_count: int | None
    quantization: QuantizationType
    model_format: ModelFormat
    creation_date: str | None = None
    author: str | None = None
    license: str | None = None
    layers: int | None = None
    dimension: int | None = None
    kv_dimension: int | None = None
