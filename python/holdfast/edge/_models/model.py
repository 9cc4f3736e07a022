"""A quantised model: its file, what the file says, and what it needs."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from holdfast.edge._errors import ModelFormatError, ModelLoadError
from holdfast.edge._models import custom_bin
from holdfast.edge._models.quantization import ModelFormat, ModelMetadata, QuantizationType
from holdfast.errors import InvalidParameterError

_OVERHEAD_KB = {"esp32": 50, "stm32f4": 20, "stm32f7": 30, "rp2040": 15, "nrf52840": 10}
# What is still read into memory to look at; anything larger never goes to a small device.
_LARGEST = 1 << 30


def _container(given: ModelFormat | str) -> ModelFormat:
    try:
        return ModelFormat(given)
    except ValueError as error:
        known = ", ".join(one.value for one in ModelFormat)
        raise InvalidParameterError(f"format must be one of {known}, got {given!r}") from error


class QuantizedModel:
    """A model for a device.

    Parameters
    ----------
    name : str
    model_path : path, optional
        Loaded at once when it exists.
    quantization : QuantizationType, str or int
        A member, `4bit` or 4. A GGUF knows its own, which is then used.
    vocab_size, context_length : int
    **config
        Kept in `config`; `size_mb` stands in for a model without file or weights.

    Attributes
    ----------
    weights : dict or None
        Arrays by name.
    metadata : ModelMetadata or None
        What the file says.
    estimated_tokens_per_second : None
        Speed is measured, see `EdgeProfiler`.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its domain.
    """

    def __init__(
        self,
        name: str,
        model_path: str | Path | None = None,
        quantization: QuantizationType | str | int = QuantizationType.INT4,
        vocab_size: int = 32_000,
        context_length: int = 2048,
        **config: Any,
    ) -> None:
        self.name = name
        self.model_path = None if model_path is None else Path(model_path)
        self.quantization = QuantizationType.of(quantization)
        self.vocab_size = vocab_size
        self.context_length = context_length
        self.weights: dict[str, Any] | None = None
        self.metadata: ModelMetadata | None = None
        self.estimated_tokens_per_second: float | None = None
        self._data: bytes | None = None
        self._size_mb = config.pop("size_mb", None)
        if self._size_mb is not None and not self._size_mb >= 0:
            raise InvalidParameterError(f"size_mb must be at least 0, got {self._size_mb!r}")
        self.config = config
        if self.model_path is not None and self.model_path.exists():
            self.load()

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        quantization: QuantizationType | str | int = QuantizationType.INT4,
        vocab_size: int = 32_000,
        **config: Any,
    ) -> QuantizedModel:
        """The model in a file, named after it.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        """
        if not Path(path).exists():
            raise FileNotFoundError(path)
        return cls(Path(path).stem, path, quantization, vocab_size, **config)

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> QuantizedModel:
        """A GGUF that is in memory.

        Raises
        ------
        ModelFormatError
            When it is none.
        """
        model = cls(name)
        model._data = data
        model._take_gguf(name, data)
        return model

    @classmethod
    def from_huggingface(
        cls,
        model_id: str,
        quantization: QuantizationType | str | int = QuantizationType.INT4,
        *,
        filename: str | None = None,
        **config: Any,
    ) -> QuantizedModel:
        """The GGUF of a repository on the Hugging Face hub, fetched by `huggingface_hub`.

        Parameters
        ----------
        model_id : str
            `owner/name`.
        quantization : QuantizationType, str or int
            Chooses among several files.
        filename : str, optional
            The file itself, instead.

        Raises
        ------
        ImportError
            When `huggingface_hub` is not installed.
        ModelLoadError
            When the repository has no such GGUF, or several.
        """
        from holdfast.edge._models.hub import fetch

        path = fetch(model_id, QuantizationType.of(quantization), filename)
        return cls(model_id.replace("/", "_"), path, quantization, **config)

    def load(self) -> None:
        """Read what the file says.

        Raises
        ------
        FileNotFoundError, ModelFormatError, ModelLoadError
            When it is missing, not what its suffix says, or too large to look at.
        """
        path = self.model_path
        if path is None or not path.exists():
            raise FileNotFoundError(f"{self.name}: no file at {path}")
        size = path.stat().st_size
        if size > _LARGEST:
            raise ModelLoadError(str(path), f"{size} bytes are more than {_LARGEST}")
        suffix = path.suffix.lower()
        if suffix in {".safetensors", ".pt", ".pth"}:
            raise ModelFormatError(str(path), "gguf, ggml or custom_bin", suffix[1:])
        if suffix == ".gguf":
            self._take_gguf(str(path), path.read_bytes())
        elif suffix == ".ggml":
            with path.open("rb") as file:
                magic = file.read(4)
            if magic not in {b"ggml", b"lmgg"}:
                raise ModelFormatError(str(path), "ggml", repr(magic))
        else:
            self._load_custom(path)

    def _take_gguf(self, name: str, data: bytes) -> None:
        from holdfast.edge._models.gguf import describe

        said = describe(name, data)
        if not said.parameter_count:  # no tensors: nothing says in how many bits they are
            said = replace(said, quantization=self.quantization)
        self.metadata, self.quantization = said, said.quantization
        self.vocab_size = self.metadata.vocab_size or self.vocab_size
        self.context_length = self.metadata.context_length or self.context_length

    def _load_custom(self, path: Path) -> None:
        header, weights = custom_bin.read(path)
        self.weights = weights or None
        try:
            self.name = header.get("name", self.name)
            self.quantization = QuantizationType.of(
                header.get("quantization", self.quantization)
            )
            self.vocab_size = int(header.get("vocab_size", self.vocab_size))
            self.context_length = int(header.get("context_length", self.context_length))
        except (TypeError, ValueError) as error:
            raise ModelFormatError(str(path), "custom_bin", f"header: {error}") from error
        self.metadata = ModelMetadata(
            self.name,
            str(header.get("architecture", "unknown")),
            self.vocab_size,
            self.context_length,
            header.get("parameter_count"),
            self.quantization,
            ModelFormat.CUSTOM_BIN,
        )

    def _counted_bytes(self) -> int | None:
        if self._data is not None:
            return len(self._data)
        if self.model_path is not None and self.model_path.exists():
            return self.model_path.stat().st_size
        if self.weights:
            return int(sum(array.nbytes for array in self.weights.values()))
        return None

    @property
    def size_mb(self) -> float:
        """Size in MiB: of the file, else of the weights, else as given, else 0."""
        counted = self._counted_bytes()
        return float(self._size_mb or 0) if counted is None else counted / 1024 / 1024

    @property
    def parameter_count(self) -> int:
        """Weights: counted, else as the file says, else from its size and bits."""
        if self.weights:
            return int(sum(array.size for array in self.weights.values()))
        if self.metadata is not None and self.metadata.parameter_count:
            return self.metadata.parameter_count
        counted = self._counted_bytes()
        size = int((self._size_mb or 0) * 1024 * 1024) if counted is None else counted
        return size * 8 // self.quantization.bits

    def data(self) -> bytes:
        """The file's content.

        Raises
        ------
        ModelLoadError
            When there is no file.
        """
        if self._data is not None:
            return self._data
        if self.model_path is None or not self.model_path.exists():
            raise ModelLoadError(str(self.model_path), f"{self.name} has no file")
        return self.model_path.read_bytes()

    def get_memory_requirements(self, platform: str) -> dict[str, float]:
        """Kilobytes by purpose; the cache from the model's own layers where they are known."""
        weights = self.size_mb * 1024
        context = self.context_length * 4 / 1024
        cache = self.context_length * self._cache_bytes_per_token() / 1024
        overhead = _OVERHEAD_KB.get(platform.lower(), 30)
        return {
            "model_weights_kb": weights,
            "context_buffer_kb": context,
            "kv_cache_kb": cache,
            "system_overhead_kb": overhead,
            "total_estimated_kb": weights + context + cache + overhead,
        }

    def _cache_bytes_per_token(self) -> int:
        known = self.metadata
        if known is None or not known.layers or not known.kv_dimension:
            return 2048
        return 2 * 4 * known.layers * known.kv_dimension

    def optimize_for_platform(
        self, platform: str, constraints: dict[str, Any] | None = None
    ) -> QuantizedModel:
        """A copy with the context cut to what the platform holds.

        The same file stands behind it: weights are not quantised anew, and `config` says
        `requantize_to` when fewer bits would be needed.
        """
        name, given = platform.lower(), constraints or {}
        limit = given.get("max_memory_kb", 400 if name == "esp32" else 200)
        longest = {"stm32f4": 512, "stm32f7": 512, "rp2040": 1024}.get(
            name, self.context_length
        )
        if name == "esp32" and not given.get("use_psram", True) and limit < 300:  # noqa: PLR2004
            longest = 1024
        copy = QuantizedModel(
            f"{self.name}_optimized_{platform}",
            None,
            self.quantization,
            self.vocab_size,
            min(self.context_length, longest),
            **self.config,
        )
        copy.model_path, copy.weights = self.model_path, self.weights
        copy._size_mb, copy._data = self._size_mb, self._data
        copy.metadata = None if self.metadata is None else replace(self.metadata)
        small = name == "esp32" or name.startswith("stm32")
        if small and self.size_mb * 1024 > limit:
            copy.config["requantize_to"] = QuantizationType.INT2.value
        return copy

    def export(
        self,
        output_path: str | Path,
        format: ModelFormat = ModelFormat.CUSTOM_BIN,  # noqa: A002
    ) -> None:
        """Write header and weights in the custom container, or a GGUF as it is.

        A model without weights (only a size is known) gives a file without weights: its header
        says `"weights": "absent"`, and a UserWarning does.

        Raises
        ------
        InvalidParameterError
            For any other container, and for a GGUF model in the custom one: its tensors stay
            in their own blocks.
        """
        kind = _container(format)
        if kind is ModelFormat.GGUF and self._is_gguf:
            from holdfast.edge._files import write_whole

            write_whole(output_path, self.data())
            return
        if kind is not ModelFormat.CUSTOM_BIN or self._is_gguf:
            only = "gguf" if self._is_gguf else "custom_bin"
            raise InvalidParameterError(
                f"format must be {only} for {self.name}, got {format!r}"
            )
        if not self.weights:
            warnings.warn(
                f"{self.name} has no weights: {output_path} holds its header only",
                stacklevel=2,
            )
        header = {
            "name": self.name,
            "architecture": self.metadata.architecture if self.metadata else "unknown",
            "quantization": self.quantization.value,
            "vocab_size": self.vocab_size,
            "context_length": self.context_length,
            "parameter_count": self.parameter_count,
            "format_version": "1.0",
            "weights": "present" if self.weights else "absent",
        }
        custom_bin.write(Path(output_path), header, self.weights or {})

    @property
    def _is_gguf(self) -> bool:
        known = self.metadata
        return known is not None and known.model_format is ModelFormat.GGUF

    def validate(self) -> tuple[bool, list[str]]:
        """Whether nothing speaks against a small device, and what does."""
        issues = []
        if self.model_path is not None and not self.model_path.exists():
            issues.append(f"no file at {self.model_path}")
        if self.size_mb > 10:  # noqa: PLR2004
            issues.append(f"{self.size_mb:.1f} MB are more than 10 MB")
        if self.quantization.bits > 4:  # noqa: PLR2004
            issues.append(f"{self.quantization.value} is more than 4 bits")
        if self.context_length > 2048:  # noqa: PLR2004
            issues.append(f"a context of {self.context_length} is more than 2048")
        return not issues, issues

    def __repr__(self) -> str:
        """Name, quantisation, size and parameters."""
        return (
            f"QuantizedModel({self.name!r}, {self.quantization.value}, "
            f"{self.size_mb:.1f}MB, {self.parameter_count:,} params)"
        )
