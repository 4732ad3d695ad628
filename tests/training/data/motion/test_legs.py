"""Legs: two-bone inverse kinematics that is exact, and which feet stand."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.motion.kinematics import fix_bones
from training.data.motion.legs import (
    ANKLES,
    HIPS,
    KNEES,
    LEG,
    TOES,
    bend_legs,
    find_contacts,
    find_excess,
    place_foot,
    smooth_above,
)
from training.data.motion.skeleton import BONE, BONES, LENGTHS


@pytest.fixture(scope="module")
def dance() -> np.ndarray:
    return fix_bones(perform(DANCES[0], energy=0.7, steps_per_beat=16, seed=0).positions)


def find_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, BONES[:, 1]] - positions[:, BONES[:, 0]], axis=-1)


def test_legs_that_stay_where_they_are_do_not_change(dance: np.ndarray) -> None:
    found = bend_legs(dance, dance[:, ANKLES], dance[:, TOES] - dance[:, ANKLES], LEG, straight=1e-3)
    np.testing.assert_allclose(found, dance, atol=1e-6)


def test_feet_get_where_they_are_wanted_on_exact_bones(dance: np.ndarray) -> None:
    wanted = dance[:, ANKLES] + np.random.default_rng(0).uniform(0, 0.1, (len(dance), 2, 3)) * (1, 3, 1)
    found = bend_legs(dance, wanted, dance[:, TOES] - dance[:, ANKLES], LEG)
    near = np.linalg.norm(wanted - dance[:, HIPS], axis=-1) < LEG
    assert near.mean() > 0.5
    np.testing.assert_allclose(found[:, ANKLES][near], wanted[near], atol=1e-9)
    np.testing.assert_allclose(find_lengths(found), np.tile(LENGTHS, (len(dance), 1)), atol=1e-6)


def test_knees_bend_to_their_own_side(dance: np.ndarray) -> None:
    lower = dance - np.array([0, 0.1, 0])
    found = bend_legs(lower, dance[:, ANKLES], dance[:, TOES] - dance[:, ANKLES], LEG)
    line = (dance[:, ANKLES] - lower[:, HIPS]) / np.linalg.norm(dance[:, ANKLES] - lower[:, HIPS], axis=-1)[..., None]

    def find_side(positions: np.ndarray) -> np.ndarray:
        thigh = positions[:, KNEES] - positions[:, HIPS]
        return thigh - line * (thigh * line).sum(-1, keepdims=True)

    assert ((find_side(found) * find_side(dance)).sum(-1) > 0).mean() > 0.99


def test_a_foot_out_of_reach_is_pulled_to_the_hip(dance: np.ndarray) -> None:
    found = bend_legs(dance, dance[:, ANKLES] - (0, 1, 0), dance[:, TOES] - dance[:, ANKLES], 0.98 * LEG)
    np.testing.assert_allclose(np.linalg.norm(found[:, ANKLES] - found[:, HIPS], axis=-1), 0.98 * LEG, atol=1e-9)


def test_a_pelvis_lowered_by_the_excess_is_within_reach(dance: np.ndarray) -> None:
    high = dance[:, HIPS] + (0, 0.2, 0)
    excess = find_excess(high, dance[:, ANKLES], LEG)
    assert excess.max() > 0.1
    high[..., 1] -= excess
    assert np.linalg.norm(dance[:, ANKLES] - high, axis=-1).max() < LEG + 1e-9


def test_a_smooth_curve_stays_above() -> None:
    curve = np.zeros(80)
    curve[[0, 30, 31, 50, 79]] = 0.1, 0.2, 0.05, 0.1, 0.3
    smooth = smooth_above(curve, 4)
    assert smooth.shape == curve.shape
    assert (smooth >= curve - 1e-12).all()
    assert np.abs(np.diff(smooth)).max() < 0.5 * np.abs(np.diff(curve)).max()
    np.testing.assert_array_equal(smooth_above(np.zeros(5), 4), np.zeros(5))


def test_feet_of_any_length_become_ours_and_keep_height_and_heading() -> None:
    foot = place_foot(np.array([[0.1, -0.05, 0.0], [0, -0.5, 0.01]]))
    np.testing.assert_allclose(np.linalg.norm(foot, axis=-1), BONE["toe"])
    assert foot[0, 1] == -0.05
    assert foot[0, 0] > 0
    assert foot[0, 2] == foot[1, 0] == 0


def test_a_standing_body_stands_on_both_feet(dance: np.ndarray) -> None:
    still = np.repeat(dance[:1], 40, axis=0)
    still[..., 1] -= still[:, TOES, 1].min()
    assert find_contacts(still).all()
    moved = still.copy()
    moved[:, [ANKLES[0], TOES[0]], 0] += np.linspace(0, 1, 40)[:, None]  # slides at 0.8 m/s
    contacts = find_contacts(moved)
    assert not contacts[:, 0].any()
    assert contacts[:, 1].all()
    lifted = still.copy()
    lifted[10:12, [ANKLES[0], TOES[0]], 1] += 0.2
    lifted[20:30, [ANKLES[1], TOES[1]], 1] += 0.2
    contacts = find_contacts(lifted)
    assert contacts[5].all()
    assert not contacts[21:29, 1].any()


def test_short_gaps_between_contacts_are_closed() -> None:
    motion = np.zeros((40, 21, 3))
    motion[:, ANKLES, 1], motion[:, TOES, 1] = 0.129, 0.069
    motion[10:12, [ANKLES[0], TOES[0]], 1] += 0.002
    motion[20:25, [ANKLES[0], TOES[0]], 1] += 0.002
    contacts = find_contacts(motion)
    assert contacts[:20].all()
    np.testing.assert_array_equal(np.flatnonzero(~contacts[:, 0]), np.arange(20, 25))
    assert find_contacts(motion[:1]).all()
