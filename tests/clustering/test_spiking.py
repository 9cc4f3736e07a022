import pickle

import numpy as np
import pytest

from holdfast.clustering import SpikingNeuralCluster
from holdfast.errors import InvalidDataError, InvalidParameterError


def stepped(snn, trains, duration=100.0, dt=1.0):
    """The equations, one step and one neuron at a time."""
    N, steps = snn.n_neurons, int(duration / dt)
    w, lateral = snn.synaptic_weights, snn.lateral_weights
    V, fired = np.zeros(N), [[] for _ in range(N)]
    response = np.zeros((N, steps))
    for step in range(steps):
        t = step * dt
        current = np.zeros(N)
        for j in range(N):
            if any(t - 5 <= s for s in fired[j]):
                current += -0.5 * lateral[j]
        for i, train in enumerate(trains):
            recent = [s for s in train if t - 10 <= s <= t]
            if recent:
                current += w[i] * np.exp(-(t - max(recent)) / snn.tau_synapse)
        V = V + dt * (-V / snn.tau_membrane + current)
        for j in np.flatnonzero(snn.threshold <= V):
            V[j] = 0
            fired[j].append(t)
            response[j, step] = 1
    return response, V, fired


ENERGY = [0.9, 0.2, 0.55, 0.4]


@pytest.mark.parametrize(("duration", "dt"), [(100.0, 1.0), (60.5, 0.5), (33.3, 0.7)])
@pytest.mark.parametrize("neurons", [1, 7, 50])
def test_dynamics_follow_the_equations(neurons, duration, dt):
    snn = SpikingNeuralCluster(neurons, threshold=0.3)
    trains = snn.encode_input([5 * e for e in ENERGY], duration)
    response = snn.simulate_dynamics(trains, duration, dt)
    expected, potential, fired = stepped(snn, trains, duration, dt)
    np.testing.assert_array_equal(response, expected)
    np.testing.assert_allclose(snn.membrane_potential, potential, atol=1e-12)
    assert snn.spike_times == fired
    assert neurons == 1 or response.any()


def test_a_batch_gives_what_each_sample_gives_alone():
    snn = SpikingNeuralCluster(threshold=0.3, n_jobs=2)
    energies = np.random.default_rng(0).uniform(0, 3, (20, 4))
    trains = [snn.encode_input(row) for row in energies]
    batch = snn.simulate_batch(trains)
    assert batch.shape == (20, 50, 100)
    alone = [snn.simulate_dynamics(train) for train in trains]
    np.testing.assert_array_equal(batch, alone)
    features = snn.transform(energies)
    np.testing.assert_array_equal(
        features, [snn.extract_spike_features(response) for response in alone]
    )


def test_an_empty_batch_gives_empty_results():
    snn = SpikingNeuralCluster(3)
    assert snn.simulate_batch([]).shape == (0, 3, 100)
    assert snn.transform(np.empty((0, 4))).shape == (0, 6)


def test_codes_hold_as_many_sorted_times_as_the_rate_gives():
    trains = SpikingNeuralCluster().encode_input([0.0, 0.55, 1.0, -2.0], 100.0)
    assert [len(train) for train in trains] == [0, 5, 10, 0]
    for train in trains:
        assert train == sorted(train)
        assert all(0 <= t < 100 for t in train)


def test_codes_depend_on_seed_and_content_alone():
    snn = SpikingNeuralCluster()
    first = snn.encode_input(ENERGY)
    snn.encode_input([0.1, 0.2, 0.3, 0.4])
    assert snn.encode_input(ENERGY) == first
    assert SpikingNeuralCluster(n_neurons=3).encode_input(ENERGY) == first
    assert SpikingNeuralCluster(random_state=1).encode_input(ENERGY) != first


def test_features_are_rate_and_bursts_per_neuron():
    response = np.zeros((3, 50))
    response[0, [0, 5, 11]] = 1
    response[2, 7] = 1
    features = SpikingNeuralCluster(3).extract_spike_features(response)
    np.testing.assert_array_equal(features, [60, 1, 0, 0, 20, 0])


def test_weights_are_drawn_as_documented():
    snn = SpikingNeuralCluster(200, input_size=30)
    assert snn.synaptic_weights.shape == (30, 200)
    assert snn.synaptic_weights.std() == pytest.approx(0.1, rel=0.05)
    assert snn.lateral_weights.std() == pytest.approx(0.05, rel=0.05)
    assert not np.diag(snn.lateral_weights).any()
    again = SpikingNeuralCluster(200, input_size=30)
    np.testing.assert_array_equal(snn.synaptic_weights, again.synaptic_weights)


def test_assigned_weights_are_used():
    snn = SpikingNeuralCluster(2, input_size=1)
    snn.synaptic_weights = [[2.0, 0.0]]
    response = snn.simulate_dynamics([[0.0]], 3.0)
    np.testing.assert_array_equal(response[:, 0], [1, 0])
    with pytest.raises(InvalidParameterError, match="synaptic_weights"):
        snn.synaptic_weights = [[2.0]]


def test_a_pickled_copy_does_the_same():
    snn = SpikingNeuralCluster(threshold=0.3)
    snn.synaptic_weights = snn.synaptic_weights * 2
    copy = pickle.loads(pickle.dumps(snn))
    np.testing.assert_array_equal(copy.transform([ENERGY]), snn.transform([ENERGY]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_neurons", 0),
        ("n_neurons", 2.5),
        ("threshold", np.nan),
        ("tau_membrane", 0.0),
        ("tau_synapse", -1.0),
        ("random_state", -1),
        ("input_size", "four"),
        ("n_jobs", 0),
    ],
)
def test_parameters_are_checked_when_used_not_when_stored(name, value):
    snn = SpikingNeuralCluster(**{name: value})
    with pytest.raises(InvalidParameterError, match=name):
        snn.transform([ENERGY])


@pytest.mark.parametrize("trains", [[[]], [[], [], [], [np.nan]], [[], [], [], ["x"]]])
def test_unusable_spikes_are_refused(trains):
    with pytest.raises(InvalidDataError, match="input_spikes"):
        SpikingNeuralCluster().simulate_dynamics(trains)


@pytest.mark.parametrize("energy", [[0.5], [0.1, 0.2, 0.3, np.nan], [1e300, 0, 0, 0], "abcd"])
def test_unusable_energies_are_refused(energy):
    with pytest.raises(InvalidDataError, match="energy"):
        SpikingNeuralCluster().encode_input(energy)


@pytest.mark.parametrize(
    ("duration", "dt", "name"),
    [(-1.0, 1.0, "duration"), (1.0, 0.0, "dt"), (100.0, 1e-9, "dt")],
)
def test_unusable_times_are_refused(duration, dt, name):
    with pytest.raises(InvalidParameterError, match=name):
        SpikingNeuralCluster().simulate_dynamics([[], [], [], []], duration, dt)
