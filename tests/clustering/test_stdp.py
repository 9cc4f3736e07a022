import numpy as np
import pytest

from holdfast.clustering import SpikingNeuralCluster
from holdfast.errors import InvalidParameterError


def replayed(weights, trains, response, dt, gain, ratio, tau, bounds):
    """Event by event, every change a sum over all earlier spikes of the other side."""
    weights = np.clip(weights.copy(), -np.inf, np.inf)
    steps = response.shape[1]
    last = (steps - 1) * dt
    fired = [np.flatnonzero(row) * dt for row in response]
    events = [(s, 0, i) for i, train in enumerate(trains) for s in train if s <= last]
    events += [(t, 1, j) for j, times in enumerate(fired) for t in times]
    for now, kind, who in sorted(events):
        if kind == 0:
            for j, times in enumerate(fired):
                pairs = sum(np.exp(-(now - t) / tau[1]) for t in times if t < now)
                weights[who, j] -= ratio * gain * pairs
                weights[who, j] = min(max(weights[who, j], bounds[0]), bounds[1])
        else:
            for i, train in enumerate(trains):
                pairs = sum(np.exp(-(now - s) / tau[0]) for s in train if s <= now)
                weights[i, who] += gain * pairs
                weights[i, who] = min(max(weights[i, who], bounds[0]), bounds[1])
    return weights


@pytest.mark.parametrize("bounds", [(-10.0, 10.0), (-0.1, 0.15), (0.0, 1.0)])
@pytest.mark.parametrize(("duration", "dt"), [(100.0, 1.0), (80.0, 0.5)])
@pytest.mark.parametrize("tau", [(20.0, 20.0), (10.0, 35.0)])
def test_weights_change_by_every_pair_of_spikes(tau, duration, dt, bounds):
    snn = SpikingNeuralCluster(12, threshold=0.3, learning_rate=0.02)
    before = snn.synaptic_weights
    trains = snn.encode_input([3.0, 1.0, 2.0, 0.5], duration)
    trains[1].append(10.0)  # at the moment of a step
    response = snn.learn(
        trains,
        duration,
        dt,
        tau_plus=tau[0],
        tau_minus=tau[1],
        ratio=1.2,
        bounds=bounds,
    )
    assert response.any()
    expected = replayed(before, trains, response, dt, 0.02, 1.2, tau, bounds)
    np.testing.assert_allclose(snn.synaptic_weights, expected, rtol=0, atol=1e-12)
    assert (snn.synaptic_weights != before).any()


def test_without_a_learning_rate_it_is_a_simulation():
    snn = SpikingNeuralCluster(threshold=0.3, learning_rate=0.0)
    trains, before = snn.encode_input([3.0, 1.0, 2.0, 0.5]), snn.synaptic_weights
    simulated = snn.simulate_dynamics(trains)
    np.testing.assert_array_equal(snn.learn(trains), simulated)
    np.testing.assert_array_equal(snn.synaptic_weights, before)


def test_the_input_that_makes_a_neuron_fire_grows_beside_one_that_comes_late():
    snn = SpikingNeuralCluster(1, input_size=2)
    snn.synaptic_weights = [[0.9], [0.0]]
    for _ in range(20):
        snn.learn([[5.0], [30.0]], 60.0)
    early, late = snn.synaptic_weights[:, 0]
    assert early > 0.9
    assert late < 0.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tau_plus", 0.0),
        ("tau_minus", np.inf),
        ("ratio", -1.0),
        ("bounds", (1.0, 0.0)),
        ("bounds", 3),
        ("bounds", (0.0, np.nan)),
    ],
)
def test_unusable_rules_are_refused(name, value):
    snn = SpikingNeuralCluster()
    with pytest.raises(InvalidParameterError, match=name):
        snn.learn([[], [], [], []], **{name: value})


def test_an_unusable_learning_rate_is_refused_when_used():
    snn = SpikingNeuralCluster(learning_rate=-0.1)
    with pytest.raises(InvalidParameterError, match="learning_rate"):
        snn.learn([[], [], [], []])
