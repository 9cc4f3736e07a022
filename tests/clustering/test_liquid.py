import re

import numpy as np
import pytest

from holdfast.clustering import LiquidStateMachine
from holdfast.errors import InvalidDataError, InvalidParameterError


def stepped(lsm, seq, steps=50, dt=1.0):
    """The equation, one step at a time; the last of each input's `steps` states."""
    s, kept = np.zeros(lsm.liquid_size), []
    for u in np.asarray(seq, np.float64):
        for _ in range(steps):
            s = s + dt * (-s + np.tanh(lsm.W_input @ u + lsm.W_liquid @ s)) / lsm.tau_membrane
        kept.append(s)
    return np.array(kept)


def inputs(*shape):
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 1e-4)])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_states_follow_the_equation(probability, dtype, within):
    lsm = LiquidStateMachine(connection_prob=probability, dtype=dtype)
    seq = inputs(6, 4)
    states = lsm.process_temporal_sequence(seq)
    assert states.shape == (6, 64)
    assert states.dtype == dtype
    np.testing.assert_allclose(states, stepped(lsm, seq), rtol=0, atol=within)
    np.testing.assert_array_equal(lsm.state_history, states)
    np.testing.assert_array_equal(lsm.liquid_state, states[-1])


def test_parts_of_a_step_are_dropped():
    lsm, seq = LiquidStateMachine(), inputs(3, 4)
    states = lsm.process_temporal_sequence(seq, 7.9)
    np.testing.assert_allclose(states, stepped(lsm, seq, steps=7), atol=1e-12)


@pytest.mark.parametrize("dt", [0.5, 1.0, 3.0])
def test_single_updates_follow_the_equation(dt):
    lsm, seq = LiquidStateMachine(), inputs(5, 4)
    for u, expected in zip(seq, stepped(lsm, seq, steps=1, dt=dt), strict=True):
        np.testing.assert_allclose(lsm.update_liquid(u, dt=dt), expected, atol=1e-13)


def test_weights_follow_the_grid():
    lsm = LiquidStateMachine(liquid_size=200, connection_prob=0.3)
    k = np.arange(200)
    place = np.stack([k % 4, k // 4 % 4, k // 16], 1)
    strength = 0.5 * np.exp(-np.linalg.norm(place[:, None] - place, axis=2) / 2)
    share = lsm.W_liquid / strength
    off = ~np.eye(200, dtype=bool)
    assert not share.diagonal().any()
    assert set(np.unique(share[off].round(12))) == {-0.5, 0.0, 1.0}
    assert (share[off] != 0).mean() == pytest.approx(0.3, abs=0.01)
    assert (share[off] > 0).sum() / (share[off] != 0).sum() == pytest.approx(0.8, abs=0.02)
    assert LiquidStateMachine(5000).W_input.std() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("empty", [[], np.empty((0, 4))], ids=repr)
def test_an_empty_sequence_gives_no_state(empty):
    assert LiquidStateMachine().process_temporal_sequence(empty).shape == (0, 64)


def test_a_sequence_does_not_see_its_batch():
    lsm = LiquidStateMachine(20, duration_per_sample=5)
    batch = [inputs(length, 4) for length in (3, 0, 9, 1, 4)]
    for seq, states in zip(batch, lsm.process_batch(batch), strict=True):
        np.testing.assert_array_equal(states, lsm.process_temporal_sequence(seq, 5))
    alone = np.vstack([lsm.transform([seq]) for seq in batch])
    np.testing.assert_array_equal(lsm.transform(batch), alone)


@pytest.mark.parametrize(
    "parameters",
    [
        {"liquid_size": 0},
        {"input_size": 0},
        {"connection_prob": 1.5},
        {"connection_prob": -0.1},
        {"tau_membrane": 0.0},
        {"tau_membrane": -30.0},
        {"tau_membrane": float("nan")},
        {"random_state": -1},
        {"dtype": "float16"},
    ],
    ids=str,
)
def test_parameters_outside_their_domain_are_stored_and_refused_on_use(parameters):
    lsm = LiquidStateMachine(**parameters)
    ((name, value),) = parameters.items()
    assert getattr(lsm, name) is value
    with pytest.raises(InvalidParameterError, match=f"^{name} must be"):
        lsm.process_temporal_sequence(np.zeros((2, 4)))


@pytest.mark.parametrize("duration", [0.0, 0.9, -1.0, float("nan"), float("inf")])
def test_an_input_is_held_for_a_step_at_least(duration):
    with pytest.raises(
        InvalidParameterError, match="duration_per_sample must be a finite number >= 1"
    ):
        LiquidStateMachine().process_temporal_sequence(np.zeros((2, 4)), duration)


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan")])
def test_a_step_goes_forward(dt):
    with pytest.raises(InvalidParameterError, match="dt must be a finite number > 0"):
        LiquidStateMachine().update_liquid(np.zeros(4), dt)


def test_unusable_input_is_named():
    with pytest.raises(InvalidDataError, match=re.escape("seq must have shape (time, 4)")):
        LiquidStateMachine().process_temporal_sequence(np.zeros((2, 3)))
    with pytest.raises(InvalidDataError, match="seq must be finite"):
        LiquidStateMachine().process_temporal_sequence([[0, 0, 0, np.inf]])
