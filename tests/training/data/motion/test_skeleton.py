"""The skeleton: a mirror that is its own inverse, a turn that keeps lengths, tables that agree with one another."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.motion.skeleton import BONE, INDEX, JOINTS, MIRROR, PARENT, mirror, turn


def some_motion(frames: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(frames, 21, 3)).astype(np.float32)


def test_tables_agree() -> None:
    assert len(JOINTS) == len(set(JOINTS)) == 21
    assert set(PARENT) == set(JOINTS) - {"pelvis"}
    for joint in PARENT:  # every joint hangs on the pelvis in the end, and its bone has a length
        assert BONE[joint.split("_")[-1]] > 0
        seen = {joint}
        while joint != "pelvis":
            joint = PARENT[joint]
            assert joint not in seen
            seen.add(joint)


def test_mirror_swaps_left_and_right() -> None:
    motion = some_motion()
    image = mirror(motion)
    np.testing.assert_array_equal(mirror(image), motion)
    np.testing.assert_array_equal(image[:, INDEX["left_hand"], 0], -motion[:, INDEX["right_hand"], 0])
    np.testing.assert_array_equal(image[:, INDEX["left_hand"], 1:], motion[:, INDEX["right_hand"], 1:])
    np.testing.assert_array_equal(image[:, INDEX["head"], 1:], motion[:, INDEX["head"], 1:])
    assert sorted(MIRROR.tolist()) == list(range(21))


@pytest.mark.parametrize("degrees", [-40.0, 12.0, 90.0])
def test_turn_is_about_the_vertical(degrees: float) -> None:
    motion = some_motion()
    turned = turn(motion, degrees)
    assert turned.dtype == np.float32
    np.testing.assert_allclose(turned[..., 1], motion[..., 1], atol=1e-6)
    radius = np.hypot(motion[..., 0], motion[..., 2])
    np.testing.assert_allclose(np.hypot(turned[..., 0], turned[..., 2]), radius, atol=1e-5)
    angle = np.angle(
        np.exp(1j * (np.arctan2(turned[..., 0], turned[..., 2]) - np.arctan2(motion[..., 0], motion[..., 2])))
    )
    np.testing.assert_allclose(np.degrees(angle), degrees, atol=1e-2)
    np.testing.assert_allclose(turn(turned, -degrees), motion, atol=1e-5)
