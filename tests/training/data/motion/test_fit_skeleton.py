"""The fit on our bones: nothing changes where they are right, and feet stay where they stood where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.choreography import DANCES, perform
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.kinematics import fix_bones
from training.data.motion.legs import ANKLES
from training.data.motion.skeleton import BONES, INDEX, JOINTS, LENGTHS, PARENT


@pytest.fixture(scope="module")
def dance() -> np.ndarray:
    return perform(DANCES[3], energy=0.7, steps_per_beat=16, seed=0).positions


def find_lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, BONES[:, 1]] - positions[:, BONES[:, 0]], axis=-1)


def test_a_written_dance_comes_back_as_it_was(dance: np.ndarray) -> None:
    fitted = fit_skeleton(dance)
    assert fitted.mean_cm < 0.01
    np.testing.assert_allclose(find_lengths(fitted.positions), np.tile(LENGTHS, (len(dance), 1)), atol=1e-5)


def test_wide_shoulders_are_all_that_is_moved(dance: np.ndarray) -> None:
    wide = fix_bones(dance)
    for side in ("left", "right"):
        offset = 0.25 * (wide[:, INDEX[f"{side}_shoulder"]] - wide[:, INDEX["chest"]])
        for part in ("shoulder", "elbow", "wrist", "hand"):
            wide[:, INDEX[f"{side}_{part}"]] += offset
    fitted = fit_skeleton(wide)
    np.testing.assert_allclose(fitted.positions, fix_bones(dance), atol=1e-5)
    np.testing.assert_allclose(fitted.worst_cm, 5, atol=0.01)
    np.testing.assert_allclose(fitted.mean_cm, 5 * 8 / 21, atol=0.01)
    assert fitted.foot_cm < 1e-6
    assert "shoulder" in fitted.worst_joint or "elbow" in fitted.worst_joint or "hand" in fitted.worst_joint


@pytest.mark.parametrize("scale", [0.97, 1.06])
def test_feet_stay_on_legs_of_another_length(dance: np.ndarray, scale: float) -> None:
    other = fix_bones(dance)
    moved = np.zeros_like(other)
    for joint, parent in PARENT.items():
        bone = other[:, INDEX[joint]] - other[:, INDEX[parent]]
        moved[:, INDEX[joint]] = moved[:, INDEX[parent]] + bone * (scale if "knee" in joint or "ankle" in joint else 1)
    moved += other[:, :1] + [0, (scale - 1) * 0.86, 0]
    fitted = fit_skeleton(moved)
    low = moved[:, ANKLES, 1] < 0.13
    assert low.any()
    np.testing.assert_allclose(fitted.positions[:, ANKLES][low], moved[:, ANKLES][low], atol=1e-4)
    assert fitted.foot_cm < 0.01
    np.testing.assert_allclose(find_lengths(fitted.positions), np.tile(LENGTHS, (len(dance), 1)), atol=1e-5)


def test_all_joints_are_named() -> None:
    assert fit_skeleton(np.random.default_rng(0).normal(size=(3, 21, 3))).worst_joint in JOINTS
