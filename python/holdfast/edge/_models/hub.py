"""Models on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.edge._errors import ModelLoadError

if TYPE_CHECKING:
    from holdfast.edge._models.quantization import QuantizationType

_TAGS = {
    "2bit": ("q2", "iq2"), "3bit": ("q3", "iq3"), "4bit": ("q4", "iq4"), "8bit": ("q8",),
    "fp16": ("f16", "fp16"), "fp32": ("f32", "fp32"),
}  # fmt: skip


def fetch(model_id: str, quantization: QuantizationType, filename: str | None) -> Path:
    """See `QuantizedModel.from_huggingface`."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            "from_huggingface() needs huggingface_hub: pip install huggingface_hub"
        ) from error
    if filename is None:
        names = huggingface_hub.HfApi().list_repo_files(model_id)
        files = [name for name in names if name.lower().endswith(".gguf")]
        tags = _TAGS[quantization.value]
        fitting = [name for name in files if any(tag in name.lower() for tag in tags)]
        chosen = files if len(files) == 1 else fitting
        if len(chosen) != 1:
            listed = ", ".join(files) or "none"
            raise ModelLoadError(
                model_id,
                f"{len(chosen)} GGUF files fit {quantization.value}: name one as filename "
                f"({listed})",
            )
        filename = chosen[0]
    return Path(huggingface_hub.hf_hub_download(model_id, filename))
