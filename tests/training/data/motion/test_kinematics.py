"""Rotations of bodies and back: exact on bodies with our bones, and proper rotations on any."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.motion.kinematics import (
    ROTATIONS,
    find_rotations,
    fix_bones,
    from_vectors,
    place_joints,
    to_vectors,
    turn_about_y,
)
from training.data.motion.skeleton import BONES, INDEX, LENGTHS, turn


def find_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, BONES[:, 1]] - positions[:, BONES[:, 0]], axis=-1)


def make_bodies(count: int = 200) -> np.ndarray:
    """Bodies with our bones in random directions."""
    return fix_bones(np.random.default_rng(0).normal(size=(count, 21, 3)))


def dance(number: int = 0) -> np.ndarray:
    return perform(DANCES[number], energy=0.7, steps_per_beat=16, seed=0).positions


def test_fixed_bones_are_exact_and_keep_their_directions() -> None:
    wild = np.random.default_rng(1).normal(size=(20, 21, 3))
    fixed = fix_bones(wild)
    np.testing.assert_allclose(find_lengths(fixed), np.tile(LENGTHS, (20, 1)), atol=1e-12)
    np.testing.assert_array_equal(fixed[:, 0], wild[:, 0])
    np.testing.assert_allclose(fix_bones(fixed), fixed, atol=1e-12)


@pytest.mark.parametrize("positions", [make_bodies(), fix_bones(dance())], ids=["random", "written"])
def test_positions_come_back(positions: np.ndarray) -> None:
    pelvis, rotations = find_rotations(positions)
    assert rotations.shape == (len(positions), ROTATIONS, 3, 3)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-9)
    np.testing.assert_allclose(rotations @ np.swapaxes(rotations, -1, -2), np.broadcast_to(np.eye(3), rotations.shape),
                               atol=1e-9)  # fmt: skip
    np.testing.assert_allclose(place_joints(pelvis, rotations), positions, atol=1e-7)


def test_any_rotations_give_our_bones() -> None:
    rotations = from_vectors(np.random.default_rng(2).normal(size=(30, ROTATIONS, 3)))
    np.testing.assert_allclose(find_lengths(place_joints(np.zeros((30, 3)), rotations)), np.tile(LENGTHS, (30, 1)),
                               atol=1e-9)  # fmt: skip


def test_a_turned_body_differs_in_its_pelvis_alone() -> None:
    """Rotations are local: nothing but the frame of the pelvis knows where the front of the room is."""
    positions = fix_bones(dance()).astype(np.float32)
    _, before = find_rotations(positions)
    _, after = find_rotations(turn(positions, 70))
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-4)
    np.testing.assert_allclose(after[:, 0], turn_about_y(np.radians(70)) @ before[:, 0], atol=1e-4)


def test_a_bone_opposite_to_its_rest_direction_comes_back() -> None:
    positions = fix_bones(dance())[:1]
    thigh = positions[0, INDEX["left_knee"]] - positions[0, INDEX["left_hip"]]
    _, rotations = find_rotations(positions)
    up = rotations[0, 0] @ [0, 1, 0]
    for joint in ("left_knee", "left_ankle", "left_toe"):
        positions[0, INDEX[joint]] += 0.43 * up - thigh
    np.testing.assert_allclose(place_joints(*find_rotations(positions)), positions, atol=1e-6)


def test_vectors_are_the_inverse_of_themselves() -> None:
    vectors = np.random.default_rng(3).uniform(-1.5, 1.5, (10, 4, 3))
    np.testing.assert_allclose(to_vectors(from_vectors(vectors)), vectors, atol=1e-12)
