"""Two-bone inverse kinematics: exact bones, knees that stay on their side, feet that keep their length."""

from __future__ import annotations

import numpy as np

from visualizer.dancer.legs import bend_knees, place_foot, unit


def some_legs(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thighs, ways from hip to ankle and feet, (N, 3) each, of legs of 0.43 and 0.41 metres."""
    rng = np.random.default_rng(2)
    thighs = 0.43 * unit(rng.normal(0, 0.3, (count, 3)) + np.array([0, -1, 0.4]))
    shins = 0.41 * unit(rng.normal(0, 0.3, (count, 3)) + np.array([0, -1, -0.3]))
    return thighs, thighs + shins, rng.normal(0, 0.1, (count, 3)) + np.array([0, 0, 0.2])


def test_legs_that_stay_do_not_change() -> None:
    thighs, legs, feet = some_legs(50)
    np.testing.assert_allclose(bend_knees(thighs, legs, feet, (0.43, 0.41), straight=1e-3), thighs, atol=1e-9)


def test_bones_keep_their_lengths_and_knees_their_side() -> None:
    thighs, legs, feet = some_legs(200)
    shorter = 0.9 * legs
    found = bend_knees(thighs, shorter, feet, (0.43, 0.41))
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 0.43, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(shorter - found, axis=-1), 0.41, atol=1e-9)
    line = unit(legs)
    before, after = (v - line * (v * line).sum(-1, keepdims=True) for v in (thighs, found))
    bent = np.linalg.norm(before, axis=-1) > 0.04
    assert ((before * after).sum(-1) > 0)[bent].all()


def test_a_straight_leg_bends_to_where_its_foot_points() -> None:
    down = np.array([[0, -0.43, 0]])
    found = bend_knees(down, np.array([[0, -0.8, 0]]), np.array([[0.2, 0, 0]]), (0.43, 0.43))
    assert found[0, 0] > 0.1
    assert abs(found[0, 2]) < 1e-9


def test_feet_keep_height_and_heading() -> None:
    foot = place_foot(np.array([[0.3, -0.05, 0.4], [0.0, -0.5, 0.01]]), 0.2)
    np.testing.assert_allclose(np.linalg.norm(foot, axis=-1), 0.2)
    np.testing.assert_allclose(foot[0, 0] / foot[0, 2], 0.75)
    assert foot[0, 1] == -0.05
