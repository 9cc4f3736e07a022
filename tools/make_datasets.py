"""Write the data files of `holdfast.datasets` from the copies in two PyPI packages.

Usage: python tools/make_datasets.py        (needs aeon and scikit-learn)
"""

from pathlib import Path

import numpy as np
from aeon.datasets import load_japanese_vowels
from sklearn.datasets import load_wine

FOLDER = Path(__file__).parent.parent / "python/holdfast/datasets"


def write_japanese_vowels() -> None:
    """The published values have six decimals, so whole millionths hold them exactly."""
    series, speaker = load_japanese_vowels()
    values = np.concatenate([channels.T for channels in series])
    millionths = np.round(values * 1e6).astype(np.int32)
    np.testing.assert_allclose(millionths / 1e6, values, rtol=0, atol=1e-9)
    np.savez_compressed(
        FOLDER / "japanese_vowels.npz",
        millionths=millionths,
        lengths=np.array([channels.shape[1] for channels in series], np.int32),
        y=speaker.astype(np.int32) - 1,
    )


def write_wine() -> None:
    wine = load_wine()
    names = [name.split("/")[0] for name in wine.feature_names]
    rows = np.column_stack([wine.data, wine.target])
    lines = [",".join([*names, "cultivar"])]
    lines += [",".join(f"{value:.12g}" for value in row) for row in rows]
    (FOLDER / "wine.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
    back = np.loadtxt(FOLDER / "wine.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(back, rows)


write_japanese_vowels()
write_wine()
