"""What hair and skirts lag behind a body."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.motion.skeleton import INDEX, turn
from visualizer.dancer import sway as sw
from visualizer.dancer.sway import SwayState, begin_sway, step_sway, turn_sway


def standing(count: int = 1) -> np.ndarray:
    body = np.zeros((count, 21, 3))
    body[:, INDEX["head"], 1] = 1.7
    body[:, INDEX["pelvis"], 1] = 0.94
    body[:, INDEX["left_hip"]] = (0.1, 0.94, 0)
    body[:, INDEX["right_hip"]] = (-0.1, 0.94, 0)
    return body


def test_joints_are_those_of_the_skeleton():
    assert (INDEX["head"], INDEX["pelvis"]) == (sw._HEAD_JOINT, sw._PELVIS_JOINT)
    assert (INDEX["left_hip"], INDEX["right_hip"]) == (sw._LEFT_HIP, sw._RIGHT_HIP)


def test_a_body_that_stands_has_no_sway():
    state = begin_sway(standing(2))
    for _ in range(20):
        state = step_sway(state, standing(2), 1 / 32)
    assert np.abs(state.sway).max() == 0


def test_what_hangs_lags_behind_and_comes_to_rest():
    state = begin_sway(standing())
    body = standing()
    for _ in range(8):
        body[..., 0] += 0.05
        state = step_sway(state, body, 1 / 32)
    assert state.sway[0, 0] < -0.03
    assert state.sway[0, 3] < -0.03
    for _ in range(200):
        state = step_sway(state, body, 1 / 32)
    assert np.abs(state.sway).max() < 1e-4


def test_steps_of_any_length_agree():
    """Two short steps are one long one, for a body that moves evenly."""
    once, twice = begin_sway(standing()), begin_sway(standing())
    body, half = standing(), standing()
    for k in range(1, 30):
        body[..., 0], half[..., 0] = 0.02 * k, 0.02 * (k - 0.5)
        once = step_sway(once, body, 1 / 16)
        twice = step_sway(step_sway(twice, half, 1 / 32), body, 1 / 32)
    assert once.lag == pytest.approx(twice.lag, abs=1e-9)


def test_a_crop_that_moves_counts_like_a_body_that_does():
    walking = begin_sway(standing())
    followed = begin_sway(standing())
    body = standing()
    for _ in range(10):
        body[..., [0, 2]] += (0.03, -0.02)
        walking = step_sway(walking, body, 1 / 32)
        followed = step_sway(followed, standing(), 1 / 32, np.array([[0.03, -0.02]]))
    assert walking.lag == pytest.approx(followed.lag)


def test_turning_lags_and_half_turns_do_not_jump():
    state = begin_sway(standing())
    found = []
    for k in range(1, 80):
        body = turn(standing(), 10.0 * k)  # more than two whole turns
        state = step_sway(state, body, 1 / 32)
        found.append(state.sway[0, 6])
    assert found[-1] < -0.1
    assert np.abs(np.diff(found)).max() < 0.2


def test_a_jump_begins_at_rest():
    body = standing()
    state = begin_sway(body)
    body[..., 0] += 0.2
    state = step_sway(state, body, 1 / 32)
    assert state.sway[0, 0] != 0
    body[..., 0] += 5
    assert np.abs(step_sway(state, body, 1 / 32).sway).max() == 0


def test_sway_stays_within_bounds():
    state = SwayState(np.full((1, 7), 9.0), np.zeros((1, 7)), np.zeros((1, 7)))
    assert np.linalg.norm(state.sway[0, :3]) <= 0.26
    assert state.sway[0, 6] <= 1.21


def test_turned_as_bodies_are():
    rng = np.random.default_rng(3)
    sway = rng.standard_normal((4, 7)).astype(np.float32)
    yaw = np.array([0.0, 30, -45, 90])
    turned = turn_sway(sway, yaw)
    for k in range(4):
        assert turned[k, :3] == pytest.approx(turn(sway[k : k + 1, :3], yaw[k])[0], abs=1e-6)
        assert turned[k, 3:6] == pytest.approx(turn(sway[k : k + 1, 3:6], yaw[k])[0], abs=1e-6)
    assert turned[:, 6] == pytest.approx(sway[:, 6])
