"""Older path of quantised models."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from holdfast import edge
from holdfast.edge import ModelFormat, ModelMetadata, QuantizationType

__all__ = ["ModelFormat", "ModelMetadata", "QuantizationType", "QuantizedModel"]


class QuantizedModel(edge.QuantizedModel):
    """`holdfast.edge.QuantizedModel`, whose file may still be missing when it is made."""

    _repository: tuple[str, str | None] | None = None

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        quantization: QuantizationType | str | int = QuantizationType.INT4,
        vocab_size: int = 32_000,
        **config: Any,
    ) -> QuantizedModel:
        """The model in a file, named after it; a missing one is noticed by `load`."""
        return cls(Path(path).stem, path, quantization, vocab_size, **config)

    @classmethod
    def from_huggingface(
        cls,
        model_id: str,
        quantization: QuantizationType | str | int = QuantizationType.INT4,
        *,
        filename: str | None = None,
        **config: Any,
    ) -> QuantizedModel:
        """The GGUF of a repository on the hub; `load` and `data` fetch it."""
        model = cls(model_id.replace("/", "_"), None, quantization, **config)
        model._repository = model_id, filename
        return model

    def load(self) -> None:
        """Read what the file says; see `holdfast.edge.QuantizedModel.load`."""
        if self._repository is not None and self.model_path is None:
            model_id, filename = self._repository
            fetched = edge.QuantizedModel.from_huggingface(
                model_id, self.quantization, filename=filename
            )
            self.model_path = fetched.model_path
        super().load()

    def data(self) -> bytes:
        """The file's content, fetched where it must be."""
        if self._repository is not None and self.model_path is None:
            self.load()
        return super().data()

    def export(
        self,
        output_path: str | Path,
        format: ModelFormat = ModelFormat.CUSTOM_BIN,  # noqa: A002 (as scripts pass it)
    ) -> None:
        """Write it; see `holdfast.edge.QuantizedModel.export`. What warned there is logged."""
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            super().export(output_path, format)
        for one in told:
            logging.getLogger("holdfast.compat").warning("%s", one.message)

    def optimize_for_platform(
        self, platform: str, constraints: dict[str, Any] | None = None
    ) -> QuantizedModel:
        """A copy for a platform; where only a size is known, in the bits it asks for."""
        copy = super().optimize_for_platform(platform, constraints)
        wanted = copy.config.get("requantize_to")
        if wanted is not None and self._counted_bytes() is None:
            del copy.config["requantize_to"]
            bits = copy.quantization.bits
            copy.quantization = QuantizationType.of(wanted)
            copy._size_mb = self.size_mb * min(1.0, copy.quantization.bits / bits)  # noqa: SLF001
        copy.__class__ = type(self)
        return copy  # type: ignore[return-value]
