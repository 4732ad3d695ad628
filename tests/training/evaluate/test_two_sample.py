"""A test that finds nothing between equals, and everything between what differs: in movement, in bones, in feet."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.motion.skeleton import INDEX
from training.evaluate.two_sample import (
    FOLDS,
    WINDOW,
    all_features,
    assign_folds,
    bone_features,
    features_without_bones_and_feet,
    foot_features,
    two_sample_test,
)
from visualizer.dancer.pack import FLOOR, FRAME_METRES

COUNT, GROUPS = 150, 15


def groups() -> np.ndarray:
    return np.array([f"dance {k % GROUPS}" for k in range(COUNT)])


def swaying(seed: int, axes: int = 2) -> np.ndarray:
    """Windows of a body that sways: (COUNT, WINDOW, 21, axes), each group about a pose of its own."""
    rng = np.random.default_rng(seed)
    poses = np.random.default_rng(0).normal(1.2, 0.3, (GROUPS, 1, 21, axes))
    turn = 2 * np.pi * (np.arange(WINDOW) / WINDOW + rng.random((COUNT, 1)))
    sway = rng.uniform(0.02, 0.1, (COUNT, 1, 1, 1)) * np.sin(turn)[..., None, None]
    noise = rng.normal(0, 0.01, (COUNT, 1, 21, axes))
    return (poses[np.arange(COUNT) % GROUPS] + sway + noise).astype(np.float32)


def area(one: np.ndarray, other: np.ndarray, features=all_features) -> float:
    return two_sample_test(features(one), features(other), groups(), groups(), 0).area


def test_equals_cannot_be_told_apart() -> None:
    found = two_sample_test(all_features(swaying(1)), all_features(swaying(2)), groups(), groups(), 0)
    assert 0.35 < found.area < 0.65
    assert 0.35 < found.accuracy < 0.65
    again = two_sample_test(all_features(swaying(1)), all_features(swaying(2)), groups(), groups(), 0)
    assert again == found


@pytest.mark.parametrize("features", [all_features, features_without_bones_and_feet])
def test_who_moves_otherwise_is_told_apart(features) -> None:
    shaking = swaying(2) + np.random.default_rng(3).normal(0, 0.01, (COUNT, WINDOW, 21, 2)).astype(np.float32)
    assert area(swaying(1), shaking, features) > 0.9


def test_what_is_left_out_is_not_seen() -> None:
    sliding = swaying(2)
    sliding[:, :, [INDEX[f"{s}_{n}"] for s in ("left", "right") for n in ("ankle", "toe")], 0] += np.linspace(
        0, 0.5, WINDOW
    )[:, None]
    assert area(swaying(1), sliding) > 0.9
    assert 0.3 < area(swaying(1), sliding, features_without_bones_and_feet) < 0.7


def test_a_dance_that_is_recognised_does_not_help() -> None:
    """Sets of other dances are not told apart by their poses: a fold's dances are in neither set that was learned."""
    found = two_sample_test(all_features(swaying(1)), all_features(swaying(1)), groups(), groups(), 0)
    assert found.area < 0.6


def test_features_of_bones_and_feet() -> None:
    bodies = swaying(1, 3)
    assert bone_features(bodies).shape == (COUNT, 60)
    floor = FLOOR * FRAME_METRES
    for side in ("left", "right"):
        bodies[:, :, [INDEX[f"{side}_ankle"], INDEX[f"{side}_toe"]]] = [0, floor - 0.05, 0]
    lowest, mean, highest, planted, slide, fastest = foot_features(bodies)[0, :6]
    assert (lowest, mean, highest) == pytest.approx((0.05, 0.05, 0.05), abs=1e-4)
    assert (planted, slide, fastest) == (1, 0, 0)
    assert np.isfinite(all_features(bodies)).all()


def test_groups_stay_in_one_fold_and_folds_are_even() -> None:
    names = groups()
    fold = assign_folds(names, FOLDS, 3)
    assert all(len(set(fold[names == name])) == 1 for name in set(names))
    assert np.bincount(fold).tolist() == [COUNT // FOLDS] * FOLDS
    few = np.array(["a", "b"] * 20)
    with pytest.raises(ValueError, match="at least"):
        two_sample_test(np.zeros((40, 2)), np.zeros((40, 2)), few, few, 0)
