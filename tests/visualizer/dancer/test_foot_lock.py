"""Feet that stand: where they are held, when they are let go, and that bones keep their lengths meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_space import made_space, standing_body
from visualizer.dancer.body_space import BodySpace
from visualizer.dancer.foot_lock import FARTHEST, FootLock
from visualizer.dancer.legs import ANKLES, HIPS, KNEES, STEPS_PER_SECOND, TOES

FEET = [*ANKLES, *TOES]


@pytest.fixture
def space() -> BodySpace:
    return made_space()


def show(space: BodySpace, lock: FootLock, dance: np.ndarray, moved: np.ndarray | None = None) -> np.ndarray:
    """A dance (S, N, 21, 3) about the crop as it is shown in the room, the crop going by `moved` (S, N, 2)."""
    moved = np.zeros((*dance.shape[:2], 2)) if moved is None else moved
    shown = np.stack([space.joints(lock.step(space.latents(b), m)) for b, m in zip(dance, moved, strict=True)])
    shown[..., [0, 2]] += np.cumsum(moved, axis=0)[:, :, None]
    return shown


def find_lengths(joints: np.ndarray) -> np.ndarray:
    chain = joints[..., [HIPS, KNEES, ANKLES, TOES], :]
    return np.linalg.norm(np.diff(chain, axis=-3), axis=-1)


def stand(steps: int, troupe: int = 1) -> np.ndarray:
    return np.tile(standing_body(), (steps, troupe, 1, 1))


def test_a_body_that_stands_still_is_left_as_it_is(space: BodySpace) -> None:
    dance = stand(10)
    np.testing.assert_allclose(show(space, FootLock(space, 1), dance), dance, atol=1e-5)


@pytest.mark.parametrize("by_the_crop", [False, True])
def test_feet_that_slide_are_held_on_exact_bones(space: BodySpace, by_the_crop: bool) -> None:
    slide = 0.07 * np.linspace(0, 1, 40)  # 6 cm/s
    dance, moved = stand(40), np.zeros((40, 1, 2))
    if by_the_crop:
        moved[1:, 0, 0] = np.diff(slide)
    else:
        dance[..., 2] += slide[:, None, None]
    lock = FootLock(space, 1)
    shown = show(space, lock, dance, moved)
    assert lock.held.all()
    np.testing.assert_allclose(shown[:, 0, FEET], np.tile(shown[0, 0, FEET], (40, 1, 1)), atol=2e-4)
    np.testing.assert_allclose(find_lengths(shown), find_lengths(dance), atol=1e-4)
    assert np.linalg.norm(shown[-1, 0, 0] - shown[0, 0, 0]) > 0.06  # the body goes on


def test_a_lifted_foot_goes_back_to_the_dance_within_a_few_steps_and_without_a_jump(space: BodySpace) -> None:
    dance = stand(50)
    dance[:, :, FEET, 0] += 0.06 * np.minimum(np.arange(50) / 30, 1)[:, None, None]
    dance[32:, :, [ANKLES[0], TOES[0]], 1] += 0.15
    shown = show(space, FootLock(space, 1), dance)
    off = np.linalg.norm(shown[:, 0, TOES[0]] - dance[:, 0, TOES[0]], axis=-1)
    assert off[31] > 0.05
    assert off[31 + 12] < 0.01  # three quarters of a beat
    assert np.abs(np.diff(off[31:])).max() * STEPS_PER_SECOND < 0.5
    held = shown[31:, 0, TOES[1]]
    np.testing.assert_allclose(held, np.tile(held[0], (len(held), 1)), atol=1e-3)  # the other one stands on


def test_a_foot_that_is_dragged_off_or_thrown_is_let_go(space: BodySpace) -> None:
    dance = stand(120)
    dance[:, :, FEET, 0] += 0.2 * np.linspace(0, 1, 120)[:, None, None]
    lock = FootLock(space, 1)
    off = np.abs(show(space, lock, dance) - dance)[:, 0, FEET, 0]
    assert FARTHEST - 0.01 < off.max() < FARTHEST + 0.01
    fast = stand(20)
    fast[:, :, FEET, 0] += np.arange(20)[:, None, None] * 1.0 / STEPS_PER_SECOND
    lock = FootLock(space, 1)
    np.testing.assert_allclose(show(space, lock, fast)[2:], fast[2:], atol=0.02)
    assert not lock.held.any()


def test_hysteresis_holds_what_stands_at_a_speed_at_which_nothing_lands(space: BodySpace) -> None:
    """At 0.35 m/s."""
    slide = np.concatenate([np.zeros(5), np.arange(1, 6) * 0.35 / STEPS_PER_SECOND])
    dance = stand(10)
    dance[:, :, FEET, 0] += slide[:, None, None]
    stood, came = FootLock(space, 1), FootLock(space, 1)
    show(space, stood, dance)
    show(space, came, dance[5:])
    assert stood.held.all()
    assert not came.held.any()


def test_the_pelvis_sinks_where_a_leg_is_too_short(space: BodySpace) -> None:
    dance = stand(40)
    dance[..., 1] += 0.13  # nearly straight,
    dance[:, :, FEET] = stand(40)[:, :, FEET]
    dance[:, :, KNEES] = (dance[:, :, HIPS] + dance[:, :, ANKLES]) / 2
    moved = np.zeros((40, 1, 2))
    moved[1:, 0, 0] = 0.07 / 39
    shown = show(space, FootLock(space, 1), dance, moved)
    assert shown[-1, 0, 0, 1] < dance[-1, 0, 0, 1] - 0.001
    np.testing.assert_allclose(find_lengths(shown[5:]), find_lengths(dance[5:]), atol=1e-3)
    assert np.linalg.norm(shown[-1, 0, FEET] - shown[0, 0, FEET], axis=-1).max() < 0.01


def test_dancers_do_not_depend_on_one_another_and_those_who_stay_go_on(space: BodySpace) -> None:
    rng = np.random.default_rng(1)
    sway = np.cumsum(rng.normal(0, 0.002, (60, 3, 1, 3)), axis=0) * (1, 0, 1)
    dance = stand(60, 3) + sway
    together, alone = FootLock(space, 3), FootLock(space, 1)
    shown = show(space, together, dance[:30])
    np.testing.assert_allclose(shown[:, 1:2], show(space, alone, dance[:30, 1:2]), atol=1e-5)
    together.resize(2)
    np.testing.assert_allclose(
        show(space, together, dance[30:, :2])[:, 1:], show(space, alone, dance[30:, 1:2]), atol=1e-5
    )
    together.resize(4)
    assert together.held.sum(axis=1).tolist() == [4, 4, 0, 0]
    together.forget(np.array([True, False, False, False]))
    assert together.held.sum(axis=1).tolist() == [0, 4, 0, 0]
    elsewhere = stand(1, 4) + np.array([0.5, 0, 0.5])
    shown = show(space, together, elsewhere)
    np.testing.assert_allclose(shown[0, 0], elsewhere[0, 0], atol=1e-4)  # who begins again is not pulled back
