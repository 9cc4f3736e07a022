"""Two small real data sets that ship with the package."""

from __future__ import annotations

from holdfast._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.datasets._loaders import Dataset as Dataset
    from holdfast.datasets._loaders import load_japanese_vowels as load_japanese_vowels
    from holdfast.datasets._loaders import load_wine as load_wine

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Dataset": "holdfast.datasets._loaders",
        "load_japanese_vowels": "holdfast.datasets._loaders",
        "load_wine": "holdfast.datasets._loaders",
    },
)
