import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import _core
from holdfast.clustering import EchoStateNetwork
from holdfast.errors import InvalidDataError, InvalidParameterError

ALL = (
    "mean",
    "std",
    "max",
    "min",
    "last",
    "trend",
    "stability",
    "ppv",
    "lspv",
    "crossings",
)


def stepped(esn, seq, bias=0.0):
    """The equation, one step and one sequence at a time."""
    x = np.zeros(esn.reservoir_size)
    a, states = esn.leaking_rate, []
    for u in np.asarray(seq, np.float64):
        x = (1 - a) * x + a * np.tanh(esn.W_in @ u + bias + esn.W_res @ x)
        states.append(x)
    return np.array(states).reshape(len(states), esn.reservoir_size)


def longest_run(above):
    best = run = 0
    for value in above:
        run = run + 1 if value else 0
        best = max(best, run)
    return best


def pooled(states, thresholds=0.0):
    """Every statistic from its definition."""
    above = states > thresholds
    onsets = above & ~np.vstack([np.zeros_like(above[:1]), above[:-1]])
    changes = np.diff(states, axis=0)
    none = np.zeros(states.shape[1])
    return {
        "mean": states.mean(0),
        "std": states.std(0),
        "max": states.max(0),
        "min": states.min(0),
        "last": states[-1],
        "trend": changes[-1] if len(changes) else none,
        "stability": np.abs(changes).mean(0) if len(changes) else none,
        "ppv": above.mean(0),
        "lspv": np.array([longest_run(unit) for unit in above.T]) / len(states),
        "crossings": onsets.sum(0) / len(states),
    }


def ragged(seed, lengths, channels=4):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((length, channels)) for length in lengths]


@pytest.fixture
def simd_level():
    yield _core.force_simd_level
    _core.force_simd_level(None)


@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("size", [1, 7, 50, 300])
def test_states_follow_the_equation(size, sparsity, dtype, within):
    esn = EchoStateNetwork(size, 3, sparsity=sparsity, bias=0.1, dtype=dtype)
    batch = ragged(0, [40, 1, 13], channels=3)
    for seq, states in zip(batch, esn.process_batch(batch), strict=True):
        assert states.dtype == dtype
        np.testing.assert_allclose(states, stepped(esn, seq, 0.1), rtol=0, atol=within)


@pytest.mark.parametrize("level", _core.simd_levels())
@pytest.mark.parametrize("sparsity", [0.1, 0.9])
@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 1e-5)])
def test_every_instruction_set_gives_the_same_states(
    level, sparsity, dtype, within, simd_level
):
    esn = EchoStateNetwork(150, sparsity=sparsity, dtype=dtype)
    batch = ragged(1, [30] * 70)
    simd_level("portable")
    portable = esn.transform(batch, ALL[:7])
    simd_level(level)
    np.testing.assert_allclose(esn.transform(batch, ALL[:7]), portable, rtol=0, atol=within)


def test_states_agree_with_reservoirpy():
    reservoirpy = pytest.importorskip("reservoirpy.nodes")
    esn = EchoStateNetwork(60, 2)
    node = reservoirpy.Reservoir(
        units=60, lr=esn.leaking_rate, W=esn.W_res, Win=esn.W_in, bias=np.zeros(60)
    )
    (seq,) = ragged(2, [50], channels=2)
    np.testing.assert_allclose(esn.process_sequence(seq), node.run(seq), atol=1e-10)


@pytest.mark.parametrize("size", [1, 2, 50, 201, 350])
@pytest.mark.parametrize("sparsity", [0.1, 0.8])
def test_the_spectral_radius_is_met(size, sparsity):
    esn = EchoStateNetwork(size, spectral_radius=0.7, sparsity=sparsity)
    radius = np.abs(np.linalg.eigvals(esn.W_res)).max()
    if esn.W_res.any():
        assert radius == pytest.approx(0.7, rel=1e-6)


def test_sparsity_is_the_share_of_weights_dropped():
    kept = np.count_nonzero(EchoStateNetwork(400, sparsity=0.1).W_res) / 400**2
    assert kept == pytest.approx(0.9, abs=0.01)


def test_updating_step_by_step_is_processing_the_sequence():
    esn = EchoStateNetwork(40)
    (seq,) = ragged(3, [9])
    states = esn.process_sequence(seq)
    assert len(esn.states_history) == 9
    np.testing.assert_array_equal(esn.states_history, states)
    np.testing.assert_array_equal(esn.state, states[-1])
    esn.state = np.zeros(40)
    for u, state in zip(seq, states, strict=True):
        after = esn.update_state(u)
        np.testing.assert_array_equal(after, state)
    after[:] = 7
    np.testing.assert_array_equal(esn.state, states[-1])


@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 2e-5)])
def test_pooling_is_what_it_says(dtype, within):
    esn = EchoStateNetwork(30, dtype=dtype)
    thresholds = np.linspace(-0.05, 0.05, 30).astype(np.float32)
    batch = ragged(4, [25, 1, 60, 2])
    features = esn.transform(batch, ALL, thresholds=thresholds)
    assert features.dtype == dtype
    for states, row in zip(esn.process_batch(batch), features, strict=True):
        expected = pooled(states.astype(np.float64), thresholds)
        for name, got in zip(ALL, row.reshape(len(ALL), 30), strict=True):
            np.testing.assert_allclose(got, expected[name], atol=within, err_msg=name)


def test_extracted_features_are_the_pooled_ones():
    esn = EchoStateNetwork(20)
    (seq,) = ragged(5, [12])
    features = esn.extract_features(esn.process_sequence(seq))
    assert list(features) == [
        "mean_activation",
        "std_activation",
        "max_activation",
        "final_state",
        "activation_trend",
        "stability_measure",
    ]
    names = ("mean", "std", "max", "last", "trend", "stability")
    np.testing.assert_allclose(
        np.concatenate(list(features.values())),
        esn.transform([seq], names)[0],
        atol=1e-14,
    )


def test_one_state_has_no_change():
    features = EchoStateNetwork(5).extract_features(np.ones((1, 5), np.float32))
    assert all(value.dtype == np.float64 for value in features.values())
    assert not features["activation_trend"].any()
    assert not features["stability_measure"].any()


@pytest.mark.parametrize("empty", [[], np.empty((0, 4)), np.empty(0)], ids=repr)
def test_an_empty_sequence_gives_zeros(empty):
    esn = EchoStateNetwork(15)
    states = esn.process_sequence(empty)
    assert states.shape == (0, 15)
    for value in esn.extract_features(states).values():
        np.testing.assert_array_equal(value, np.zeros(15))
    np.testing.assert_array_equal(esn.transform([empty], ALL), np.zeros((1, 150)))


@pytest.mark.parametrize(
    ("X", "shape"), [([], (0, 60)), (np.empty((0, 5, 4)), (0, 60))], ids=repr
)
def test_no_sequence_gives_no_row(X, shape):
    esn = EchoStateNetwork(15)
    assert esn.transform(X).shape == shape
    assert len(esn.process_batch(X)) == 0


lengths = st.lists(st.integers(0, 30), min_size=1, max_size=90)


@settings(max_examples=25, deadline=None)
@given(
    lengths,
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([0.1, 0.9]),
    st.randoms(),
)
def test_a_sequence_does_not_see_its_batch(lengths, dtype, sparsity, order):
    esn = EchoStateNetwork(23, 2, sparsity=sparsity, dtype=dtype)
    batch = ragged(len(lengths), lengths, channels=2)
    alone = np.vstack([esn.transform([seq], ALL) for seq in batch])
    np.testing.assert_array_equal(esn.transform(batch, ALL), alone)
    for seq, states in zip(batch, esn.process_batch(batch), strict=True):
        np.testing.assert_array_equal(states, esn.process_sequence(seq))
    shuffled = list(range(len(batch)))
    order.shuffle(shuffled)
    again = esn.transform([batch[i] for i in shuffled], ALL)
    np.testing.assert_array_equal(again, alone[shuffled])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(0, 12))
def test_no_input_leaves_the_state_at_zero(size, length):
    states = EchoStateNetwork(size).process_sequence(np.zeros((length, 4)))
    assert not states.any()


@settings(max_examples=20, deadline=None)
@given(st.floats(-100, 100))
def test_input_and_input_weights_scale_alike(factor):
    (seq,) = ragged(6, [10])
    esn = EchoStateNetwork(20)
    scaled = EchoStateNetwork(20, input_scaling=0.1 * factor)
    np.testing.assert_allclose(
        scaled.process_sequence(seq), esn.process_sequence(seq * factor), atol=1e-9
    )


def test_threads_cannot_be_seen():
    one, three = (EchoStateNetwork(250, n_jobs=n) for n in (1, 3))
    np.testing.assert_array_equal(one.W_res, three.W_res)
    batch = ragged(7, [40] * 200)
    np.testing.assert_array_equal(one.transform(batch), three.transform(batch))


def test_arrays_and_lists_mean_the_same():
    esn = EchoStateNetwork(20)
    X = np.stack(ragged(8, [6] * 5))
    states = esn.process_batch(X)
    assert states.shape == (5, 6, 20)
    np.testing.assert_array_equal(states, np.stack(esn.process_batch(list(X))))
    np.testing.assert_array_equal(esn.transform(np.asfortranarray(X)), esn.transform(X))
    np.testing.assert_array_equal(esn.transform(X[:, ::-1]), esn.transform(list(X[:, ::-1])))
    np.testing.assert_array_equal(esn.transform(X.astype(">f8")), esn.transform(X))


def test_one_channel_needs_no_axis():
    esn = EchoStateNetwork(20, 1)
    np.testing.assert_array_equal(
        esn.process_sequence([1, 2, 3]), esn.process_sequence([[1], [2], [3]])
    )
    assert esn.transform(np.ones((5, 7))).shape == (5, 80)


def test_the_same_seed_gives_the_same_weights_and_another_others():
    first, second = EchoStateNetwork(30), EchoStateNetwork(30)
    np.testing.assert_array_equal(first.W_res, second.W_res)
    second.random_state = 43
    assert (first.W_res != second.W_res).any()
    assert (first.W_in != second.W_in).all()


def test_assigned_weights_are_used_and_cannot_be_changed_unseen():
    esn = EchoStateNetwork(10)
    esn.W_res = np.zeros((10, 10))
    esn.W_in = np.ones((10, 4))
    np.testing.assert_allclose(esn.update_state([1, 0, 0, 0]), 0.3 * np.tanh(1), atol=1e-15)
    with pytest.raises(ValueError, match="read-only"):
        esn.W_res[0, 0] = 1.0
    with pytest.raises(InvalidParameterError, match=re.escape("shape (10, 10)")):
        esn.W_res = np.zeros((3, 3))


def test_it_survives_pickling_and_copying():
    esn = EchoStateNetwork(10)
    (seq,) = ragged(9, [5])
    states = esn.process_sequence(seq)
    for other in (pickle.loads(pickle.dumps(esn)), copy.deepcopy(esn)):
        np.testing.assert_array_equal(other.process_sequence(seq), states)


@pytest.mark.parametrize(
    "parameters",
    [
        {"reservoir_size": 0},
        {"reservoir_size": -3},
        {"reservoir_size": 2.5},
        {"input_size": 0},
        {"spectral_radius": -0.5},
        {"spectral_radius": float("nan")},
        {"sparsity": 1.5},
        {"sparsity": -0.1},
        {"leaking_rate": 0},
        {"leaking_rate": 2},
        {"leaking_rate": float("nan")},
        {"leaking_rate": "fast"},
        {"random_state": -1},
        {"random_state": None},
        {"input_scaling": float("inf")},
        {"bias": float("nan")},
        {"dtype": "int32"},
        {"n_jobs": 0},
    ],
    ids=str,
)
def test_parameters_outside_their_domain_are_stored_and_refused_on_use(parameters):
    esn = EchoStateNetwork(**parameters)
    ((name, value),) = parameters.items()
    assert getattr(esn, name) is value
    with pytest.raises(InvalidParameterError, match=f"^{name} must be"):
        esn.process_sequence(np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((3, 5, 2)), "X must have shape (n, time, 4)"),
        (np.zeros((3, 5)), "X must have shape (n, time, 4)"),
        (
            [np.zeros((5, 4)), np.zeros((5, 3))],
            "X[1] must have shape (time, 4), got (5, 3)",
        ),
        (
            [np.full((5, 4), np.nan)],
            "X must be finite, got NaN in sequence 0 at step 0",
        ),
        (
            [np.zeros((2, 4)), np.array([[0] * 4, [0, 0, np.inf, 0]])],
            "X must be finite, got inf in sequence 1 at step 1",
        ),
        ([[["a"] * 4]], "X[0] must be numeric"),
        (
            [np.zeros((2, 4), complex)],
            "X[0] must be real, got dtype complex128",
        ),
        (5, "X must be sequences, got int"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("method", ["transform", "process_batch"])
def test_unusable_batches_are_refused(method, X, message):
    with pytest.raises(InvalidDataError, match=re.escape(message)):
        getattr(EchoStateNetwork(10), method)(X)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda e: e.process_sequence(np.zeros((5, 3))),
            "seq must have shape (time, 4)",
        ),
        (lambda e: e.process_sequence([[0, 0, 0, np.nan]]), "seq must be finite"),
        (lambda e: e.update_state([1, 2]), "u must be 4 finite numbers"),
        (lambda e: e.update_state([1, 2, 3, np.inf]), "u must be 4 finite numbers"),
        (
            lambda e: e.extract_features(np.zeros((5, 3))),
            "states must have shape (time, 10)",
        ),
        (
            lambda e: e.extract_features(np.full((5, 10), np.nan)),
            "states must be finite",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unusable_input_is_named(call, message):
    with pytest.raises(InvalidDataError, match=re.escape(message)):
        call(EchoStateNetwork(10))


def test_numbers_too_large_for_single_precision_are_refused():
    with pytest.raises(InvalidDataError, match="X must be finite"):
        EchoStateNetwork(10, 1, dtype="float32").transform([[1e300]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": ["median"]}, "pooling must be among"),
        ({"pooling": []}, "pooling must name at least one"),
        ({"thresholds": [1.0]}, "thresholds must be 10 finite numbers"),
    ],
    ids=str,
)
def test_unknown_pooling_is_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        EchoStateNetwork(10).transform([np.zeros((2, 4))], **arguments)
