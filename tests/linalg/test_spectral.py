import numpy as np
import pytest
from scipy import linalg

from holdfast import _core

ALL_THREADS = (0, None, None)


def radius(matrix):
    return _core.spectral_radius(np.ascontiguousarray(matrix, float), ALL_THREADS)


def reference(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


def normal(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, n))


def sparse(n):
    return normal(n) * (np.random.default_rng(1).random((n, n)) < 10 / n)


def rotations(n):
    """Complex pairs, the leading one just ahead."""
    turns = [
        r * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        for a, r in zip(
            np.linspace(0.3, 2.8, n // 2), np.linspace(0.5, 1.0, n // 2), strict=True
        )
    ]
    q = np.linalg.qr(normal(n))[0]
    return q @ linalg.block_diag(*turns) @ q.T


@pytest.mark.parametrize("n", [1, 2, 3, 10, 50, 199, 200, 201, 300, 500])
def test_a_dense_random_matrix(n):
    assert radius(normal(n)) == pytest.approx(reference(normal(n)), rel=1e-6)


@pytest.mark.parametrize("n", [50, 250, 500])
@pytest.mark.parametrize(
    "make",
    [
        sparse,
        rotations,
        lambda n: normal(n) + normal(n).T,
        lambda n: -normal(n) @ normal(n).T,
        lambda n: np.abs(normal(n)),
        lambda n: np.diag(np.arange(n) - n + 0.5),
        lambda n: 1e-200 * normal(n),
        lambda n: 1e150 * normal(n),
        np.eye,
        lambda n: np.roll(np.eye(n), 1, axis=0),
        lambda n: np.triu(normal(n), 1) * 0.05 + np.diag(np.linspace(0, 1, n)),
        lambda n: linalg.block_diag(normal(n // 2), 1.5 * normal(n - n // 2, 3)),
    ],
    ids=[
        "sparse",
        "complex pairs",
        "symmetric",
        "leading eigenvalue negative",
        "positive",
        "diagonal",
        "tiny",
        "huge",
        "identity",
        "permutation",
        "non-normal",
        "two blocks",
    ],
)
def test_a_matrix_of_its_kind(make, n):
    matrix = make(n)
    assert radius(matrix) == pytest.approx(reference(matrix), rel=1e-6)


@pytest.mark.parametrize("n", [0, 1, 30, 400])
def test_nilpotent_matrices_have_none(n):
    order = np.random.default_rng(0).permutation(n)
    assert radius(np.zeros((n, n))) == 0
    assert radius(np.triu(normal(n), 1)) == 0
    assert radius(np.tril(normal(n), -1)[order][:, order]) == 0


def test_threads_cannot_be_seen():
    matrix = normal(400)
    one, three = (_core.spectral_radius(matrix, (n, None, None)) for n in (1, 3))
    assert one == three
