import copy
import pickle
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import _core
from holdfast.clustering import EchoStateNetwork, LIFNetwork
from holdfast.errors import InvalidDataError, InvalidParameterError

RESETS = ("subtract", "zero", "refractory", "none")


def stepped(net, seq):
    """The equations, one step and one sequence at a time, in the network's precision."""
    n, dtype = net.n_neurons, np.dtype(net.dtype)
    beta, threshold, bias = (
        np.broadcast_to(np.asarray(v, dtype), (n,)) for v in (net.beta, net.threshold, net.bias)
    )
    w_in = net.W_in.astype(dtype)
    w_rec = np.zeros((n, n), dtype) if net.W_rec is None else net.W_rec.astype(dtype)
    v, s = np.zeros(n, dtype), np.zeros(n, dtype)
    spikes, potentials = [], []
    for x in np.asarray(seq, dtype):
        current = bias + w_in @ x + w_rec @ s
        v = {
            "subtract": beta * v + current - s * threshold,
            "zero": beta * (v * (1 - s)) + current,
            "refractory": (beta * v + current) * (1 - s),
            "none": beta * v + current,
        }[net.reset]
        s = (v > threshold).astype(dtype)
        spikes.append(s.astype(np.int8))
        potentials.append(v)
    return np.array(spikes).reshape(-1, n), np.array(potentials).reshape(-1, n)


def exact(n=40, channels=3, seed=0, **parameters):
    """A network whose sums are exact in float32, so that spikes cannot differ by rounding."""
    rng = np.random.default_rng(seed)
    net = LIFNetwork(n, channels, **{"beta": 0.9} | parameters)
    net.W_in = rng.integers(-16, 17, (n, channels)) / 32
    if net.recurrent:
        net.W_rec = rng.integers(-8, 9, (n, n)) / 64
    return net


def ragged(seed, lengths, channels=3):
    rng = np.random.default_rng(seed)
    return [rng.integers(-8, 9, (length, channels)) / 4 for length in lengths]


@pytest.fixture
def simd_level():
    yield _core.force_simd_level
    _core.force_simd_level(None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("recurrent", [True, False])
@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("n", [1, 40, 300])
def test_every_spike_and_potential_follows_the_equations(n, reset, recurrent, dtype):
    net = exact(n, reset=reset, recurrent=recurrent, dtype=dtype, bias=0.125)
    batch = ragged(1, [60, 1, 25])
    spikes, potentials = net.simulate(batch, potentials=True)
    for seq, ours, volts in zip(batch, spikes, potentials, strict=True):
        expected, expected_volts = stepped(net, seq)
        np.testing.assert_array_equal(ours, expected)
        np.testing.assert_array_equal(volts, expected_volts)
        assert volts.dtype == dtype
    assert n == 1 or 0 < np.concatenate(spikes).mean() < 1


@pytest.mark.parametrize("level", _core.simd_levels())
def test_every_instruction_set_gives_the_same_spikes(level, simd_level):
    net = exact(150, threshold=0.5)
    batch = ragged(2, [40] * 70)
    simd_level("portable")
    portable = net.simulate(batch)
    simd_level(level)
    np.testing.assert_array_equal(net.simulate(batch), portable)


def test_each_neuron_may_have_its_own_parameters():
    n = 20
    own = {
        "beta": np.linspace(0, 1, n),
        "threshold": np.linspace(0.25, 2, n),
        "bias": np.arange(n) / 32,
    }
    net = exact(n, dtype="float64", **own)
    (seq,) = ragged(3, [50])
    np.testing.assert_array_equal(net.simulate([seq])[0], stepped(net, seq)[0])


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
def test_a_feed_forward_layer_is_the_leaky_of_snntorch(reset):
    torch = pytest.importorskip("torch")
    snn = pytest.importorskip("snntorch")
    net = exact(30, reset=reset, recurrent=False, threshold=0.75)
    leaky = snn.Leaky(beta=0.9, threshold=0.75, reset_mechanism=reset)
    X = np.stack(ragged(4, [50] * 5)).astype(np.float32)
    weights = torch.tensor(net.W_in, dtype=torch.float32)
    mem, fired, volts = leaky.reset_mem(), [], []
    with torch.no_grad():
        for t in range(X.shape[1]):
            spk, mem = leaky(torch.tensor(X[:, t]) @ weights.T, mem)
            fired.append(spk.numpy().copy())
            volts.append(mem.numpy().copy())
    spikes, potentials = net.simulate(X, potentials=True)
    np.testing.assert_array_equal(spikes, np.stack(fired, axis=1))
    np.testing.assert_array_equal(potentials, np.stack(volts, axis=1))


@pytest.mark.parametrize(
    ("reset", "theirs"),
    [("subtract", "subtract"), ("refractory", "zero"), ("none", "none")],
)
def test_a_recurrent_layer_is_the_rleaky_of_snntorch(reset, theirs):
    torch = pytest.importorskip("torch")
    snn = pytest.importorskip("snntorch")
    net = exact(30, reset=reset)
    # Unlike Leaky, RLeaky loses the current of a step that resets to zero.
    leaky = snn.RLeaky(beta=0.9, linear_features=30, reset_mechanism=theirs)
    X = np.stack(ragged(5, [40] * 4)).astype(np.float32)
    with torch.no_grad():
        leaky.recurrent.weight.copy_(torch.tensor(net.W_rec, dtype=torch.float32))
        leaky.recurrent.bias.zero_()
        weights = torch.tensor(net.W_in, dtype=torch.float32)
        (spk, mem), fired = leaky.reset_mem(), []
        for t in range(X.shape[1]):
            spk, mem = leaky(torch.tensor(X[:, t]) @ weights.T, spk, mem)
            fired.append(spk.numpy().copy())
    np.testing.assert_array_equal(net.simulate(X), np.stack(fired, axis=1))


def test_statistics_are_what_they_say():
    net = exact(25, threshold=1.5, dtype="float64")
    batch = ragged(6, [40, 1, 17])
    spikes, potentials = net.simulate(batch, potentials=True)
    features = net.transform(batch, ("rate", "latency", "potential"))
    for fired, volts, row in zip(spikes, potentials, features, strict=True):
        rate, latency, potential = row.reshape(3, 25)
        first = np.where(fired.any(axis=0), fired.argmax(axis=0) / len(fired), 1.0)
        np.testing.assert_allclose(rate, fired.mean(axis=0), atol=1e-15)
        np.testing.assert_allclose(latency, first, atol=1e-15)
        np.testing.assert_allclose(potential, volts.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(net.transform(batch, "potential"), features[:, 50:])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=70),
    st.sampled_from([0.25, 1.0, 4.0]),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
)
def test_a_sequence_does_not_see_its_batch(lengths, threshold, dtype, seed):
    # Weights that do not sum exactly: the bits must be the same all the same.
    net = LIFNetwork(23, 2, threshold=threshold, dtype=dtype, random_state=seed)
    rng = np.random.default_rng(seed)
    batch = [rng.standard_normal((length, 2)) for length in lengths]
    spikes, potentials = net.simulate(batch, potentials=True)
    for i, seq in enumerate(batch):
        alone, volts = net.simulate([seq], potentials=True)
        np.testing.assert_array_equal(spikes[i], alone[0])
        np.testing.assert_array_equal(potentials[i], volts[0])


def test_threads_cannot_be_seen():
    batch = np.random.default_rng(0).standard_normal((100, 30, 4))
    one, three = (LIFNetwork(200, n_jobs=n).transform(batch, RATES) for n in (1, 3))
    np.testing.assert_array_equal(one, three)


RATES = ("rate", "latency", "potential")


def test_the_same_seed_draws_the_same_weights_within_their_bounds():
    net, same, other = LIFNetwork(60, 9), LIFNetwork(60, 9), LIFNetwork(60, 9, random_state=1)
    np.testing.assert_array_equal(net.W_rec, same.W_rec)
    assert (net.W_in != other.W_in).any()
    assert np.abs(net.W_in).max() <= 1 / 3
    assert net.W_in.std() == pytest.approx(1 / 3 / np.sqrt(3), rel=0.1)
    scaled = LIFNetwork(60, 9, input_scaling=2.0, recurrent_scaling=0.5)
    np.testing.assert_array_equal(scaled.W_in, 2 * net.W_in)
    np.testing.assert_array_equal(scaled.W_rec, 0.5 * net.W_rec)


def test_changed_parameters_and_weights_count_at_once():
    net = LIFNetwork(10, 2)
    X = np.ones((1, 20, 2))
    before = net.transform(X)
    net.threshold = 5.0
    assert (net.transform(X) <= before).all()
    assert (net.transform(X) != before).any()
    for scale in (0.0, 9.0, 1.0):
        net.W_in = np.full((10, 2), scale)
        np.testing.assert_array_equal(net.simulate(X)[0], stepped(net, X[0])[0])


def test_weights_assigned_one_after_another_are_not_taken_for_each_other():
    esn = EchoStateNetwork(5, 1)
    states = []
    for scale in (1.0, 2.0, 3.0, 4.0):
        esn.W_in = np.zeros((5, 1))
        esn.W_in = np.full((5, 1), scale)
        states.append(esn.process_sequence([[1.0]]).tobytes())
    assert len(set(states)) == 4


@pytest.mark.parametrize(
    ("X", "shape"),
    [
        (np.zeros((2, 5, 4)), (2, 5, 7)),
        (np.zeros((0, 5, 4)), (0, 0, 7)),
        (np.zeros((2, 0, 4)), (2, 0, 7)),
        (np.zeros((2, 5, 4), np.int8), (2, 5, 7)),
        (np.asfortranarray(np.zeros((2, 5, 4))), (2, 5, 7)),
    ],
    ids=["array", "no sequence", "no step", "spikes", "fortran"],
)
def test_an_array_gives_an_array(X, shape):
    spikes = LIFNetwork(7).simulate(X)
    assert (spikes.shape, spikes.dtype) == (shape, np.int8)


def test_a_list_gives_a_list_and_an_empty_sequence_zeros():
    net = LIFNetwork(7, 1)
    assert [len(s) for s in net.simulate([[1.0, 2.0], []])] == [2, 0]
    assert net.simulate([]) == []
    assert not net.transform([[]], RATES).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_neurons": 0}, "n_neurons must be an integer >= 1, got 0"),
        ({"input_size": 2.5}, "input_size must be an integer >= 1, got 2.5"),
        ({"beta": 1.5}, "beta must be between 0 and 1, got 1.5"),
        ({"beta": [0.5, -0.1, 0.5]}, "beta must be between 0 and 1, got -0.1"),
        ({"beta": [0.5, 0.5]}, "beta must be a number or have shape (3,), got shape (2,)"),
        ({"beta": "slow"}, "beta must be numeric, got text 'slow'"),
        ({"threshold": np.nan}, "threshold must be finite in dtype, got nan"),
        ({"bias": 1e300}, "bias must be finite in dtype, got 1e+300"),
        ({"input_scaling": np.inf}, "input_scaling must be a finite number, got inf"),
        ({"input_scaling": 1e300}, "W_in must be finite in dtype, got"),
        ({"reset": "hard"}, 'reset must be among ["subtract", "zero", "refractory", "none"], '),
        ({"reset": None}, "reset must be a str, got None"),
        ({"random_state": -1}, "random_state must be an integer >= 0 and <= "),
        ({"dtype": "int8"}, "dtype must be float32 or float64, got 'int8'"),
        ({"n_jobs": 0}, "n_jobs must be None or not 0, got 0"),
    ],
    ids=str,
)
def test_refuses_parameters_outside_their_domain(parameters, message):
    net = LIFNetwork(**{"n_neurons": 3} | parameters)
    with pytest.raises(InvalidParameterError, match=re.escape(message)):
        net.simulate(np.zeros((1, 2, 4)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((2, 3)), "X must have shape (n, time, 2) or be a list of (time, 2) arrays"),
        ([[[1.0, 2.0, 3.0]]], "X[0] must have shape (time, 2), got (1, 3)"),
        ([[[0, 1]], [[0, 1], [0, np.nan]]], "got [ 0. nan] at step 1 of sequence 1"),
        ([["a"]], "X[0] must be numeric, got text 'a'"),
        (np.full((1, 1, 2), 1e300), "X must be finite, got [inf inf] at step 0 of sequence 0"),
        (7, "X must be sequences, got int"),
    ],
    ids=["two-dimensional", "channels", "NaN", "words", "float32 overflow", "a number"],
)
def test_refuses_data_it_cannot_use(X, message):
    with pytest.raises(InvalidDataError, match=re.escape(message)):
        LIFNetwork(3, 2).simulate(X)


@pytest.mark.parametrize("pooling", [["mean"], []], ids=str)
def test_refuses_statistics_it_does_not_know(pooling):
    with pytest.raises(InvalidParameterError, match="pooling must"):
        LIFNetwork(3).transform(np.zeros((1, 2, 4)), pooling)


def test_refuses_weights_of_another_shape():
    net = LIFNetwork(3)
    with pytest.raises(
        InvalidParameterError, match=re.escape("W_rec must be finite with shape")
    ):
        net.W_rec = np.zeros((2, 2))


def test_copies_and_pickles_compute_the_same():
    net, X = LIFNetwork(20), np.ones((2, 30, 4))
    expected = net.simulate(X)
    for again in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(again.simulate(X), expected)


LONG = """
import numpy as np
from holdfast.clustering import LIFNetwork
X = np.ones((2, 2_000_000, 1), np.float32)
net = LIFNetwork(400, 1)
net.transform(X[:, :9])
print("ready", flush=True)
net.transform(X)
"""


def test_ctrl_c_ends_a_long_simulation():
    process = subprocess.Popen(
        [sys.executable, "-c", LONG], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
