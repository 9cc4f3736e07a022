from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

FOLDER = files("holdfast.datasets")
LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Generic[T]):
    """Data with its true groups, and where it comes from.

    Attributes
    ----------
    X : ndarray of shape (n, columns), or list of n ndarrays of shape (time, channels)
        A table or a set of series, float64.
    y : ndarray of shape (n,), int64
        The true group of each sample, from 0.
    names : list of str
        The columns or channels.
    source : str
        Who made the data and where it was published.
    licence : str
        The terms under which it ships.
    """

    X: T
    y: NDArray[np.int64]
    names: list[str]
    source: str
    licence: str


def load_japanese_vowels() -> Dataset[list[NDArray[np.float64]]]:
    """640 utterances of two Japanese vowels by nine speakers.

    Each is a series of 7 to 29 frames (6.4 ms apart) of 12 cepstrum coefficients. The
    groups are the speakers, 54 to 118 utterances each.

    Returns
    -------
    Dataset
        `X` is a list of 640 arrays of shape (time, 12).

    References
    ----------
    Kudo, Toyama and Shimbo (1999), "Multidimensional curve classification using
    passing-through regions", Pattern Recognition Letters 20.

    Examples
    --------
    >>> from holdfast.datasets import load_japanese_vowels
    >>> vowels = load_japanese_vowels()
    >>> len(vowels.X), vowels.X[0].shape, vowels.X[1].shape
    (640, (20, 12), (26, 12))
    """
    with (FOLDER / "japanese_vowels.npz").open("rb") as file:
        archive = np.load(file)
        values = archive["millionths"] / 1e6
        lengths, y = archive["lengths"], archive["y"]
    return Dataset(
        X=np.split(values, np.cumsum(lengths[:-1], dtype=np.int64)),
        y=y.astype(np.int64),
        names=[f"cepstrum_{i}" for i in range(1, 13)],
        source="Kudo, Toyama and Shimbo (1999), Japanese Vowels. UCI Machine Learning "
        "Repository, https://doi.org/10.24432/C5NS47",
        licence=LICENCE,
    )


def load_wine() -> Dataset[NDArray[np.float64]]:
    """178 Italian wines of three cultivars, 13 chemical measurements each.

    Returns
    -------
    Dataset
        `X` has shape (178, 13); the columns differ in unit and scale by a thousand.

    References
    ----------
    Aeberhard and Forina (1992), "Wine", UCI Machine Learning Repository.

    Examples
    --------
    >>> from holdfast.datasets import load_wine
    >>> wine = load_wine()
    >>> wine.X.shape, wine.names[:2]
    ((178, 13), ['alcohol', 'malic_acid'])
    """
    with (FOLDER / "wine.csv").open(encoding="ascii") as file:
        *names, _ = file.readline().strip().split(",")
        rows = np.loadtxt(file, delimiter=",")
    return Dataset(
        X=rows[:, :-1],
        y=rows[:, -1].astype(np.int64),
        names=names,
        source="Aeberhard and Forina (1992), Wine. UCI Machine Learning Repository, "
        "https://doi.org/10.24432/C5PC7J",
        licence=LICENCE,
    )
