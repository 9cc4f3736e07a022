"""Older path of quantised models."""

from holdfast.edge import ModelFormat, ModelMetadata, QuantizationType, QuantizedModel

__all__ = ["ModelFormat", "ModelMetadata", "QuantizationType", "QuantizedModel"]
