"""Feet between two dances: those that stand stay, those in the air get there, those too far off take a step."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.dances_to_splice import make_sources
from training.data.footing import FARTHEST, FOOT_RATE, STEP, find_footing
from training.data.inertia import decay
from training.data.motion.legs import ANKLES, TOES
from training.data.motion.skeleton import BONE

STOOD = np.array([True, True])


@pytest.fixture
def standing() -> np.ndarray:
    """A body that stands still on both feet, (62, 21, 3)."""
    body = make_sources(1)[0].steps(0, 1, False)
    body[:, ANKLES, 1], body[:, TOES, 1] = 0.08, 0.02
    return np.repeat(body, 62, axis=0)


def test_feet_that_are_right_stay_where_they_are(standing: np.ndarray) -> None:
    footing = find_footing(standing[:2], standing, STOOD, np.ones((62, 2), bool))
    np.testing.assert_allclose((footing.ankles + footing.feet), standing[2:, TOES], atol=1e-9)
    assert footing.steps == 0


def test_a_foot_a_little_off_does_not_slide(standing: np.ndarray) -> None:
    before = standing[:2] + np.array([0.6 * FARTHEST, 0, 0])
    footing = find_footing(before, standing, STOOD, np.ones((62, 2), bool))
    np.testing.assert_allclose(footing.ankles + footing.feet, np.tile(before[:1, TOES], (60, 1, 1)), atol=1e-9)
    assert footing.steps == 0


def test_feet_too_far_off_step_one_after_the_other(standing: np.ndarray) -> None:
    before = standing[:2] + np.array([0.2, 0, 0.1])
    footing = find_footing(before, standing, STOOD, np.ones((62, 2), bool))
    assert footing.steps == 2
    toes = footing.ankles + footing.feet
    np.testing.assert_allclose(toes[-1], standing[-1, TOES], atol=1e-9)
    moving = np.linalg.norm(np.diff(toes[..., [0, 2]], axis=0), axis=-1) > 1e-4
    assert not moving.all(axis=1).any()
    assert (moving.sum(axis=0) <= STEP).all()
    lifted = toes[..., 1] > standing[0, TOES[0], 1] + 1e-6
    assert (lifted[1:] | ~moving)[2 * STEP :].all()
    assert toes[..., 1].max() > 0.05


def test_a_foot_in_the_air_gets_there_by_a_spring(standing: np.ndarray) -> None:
    before = standing[:2] + np.array([0.2, 0.1, 0])
    footing = find_footing(before, standing, ~STOOD, np.zeros((62, 2), bool))
    off = (footing.ankles + footing.feet - standing[2:, TOES])[:, 0, 0]
    np.testing.assert_allclose(off, 0.2 * decay(np.ones(1), np.zeros(1), FOOT_RATE, 60)[:, 0], atol=1e-9)


def test_a_foot_turns_with_its_length_kept_and_never_sinks(standing: np.ndarray) -> None:
    before = standing[:2] @ np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], float).T - (0, 0.1, 0)
    footing = find_footing(before, standing, ~STOOD, np.zeros((62, 2), bool))
    np.testing.assert_allclose(np.linalg.norm(footing.feet, axis=-1), BONE["toe"], atol=1e-9)
    assert (footing.ankles + footing.feet)[..., 1].min() >= -1e-9
    first, last = footing.feet[0, 0], footing.feet[-1, 0]
    assert np.arctan2(first[0], first[2]) - np.arctan2(last[0], last[2]) > 1


def test_a_foot_that_goes_far_is_lifted_and_lands(standing: np.ndarray) -> None:
    before = standing[:2] + np.array([0.2, 0, 0])
    stands = np.ones((62, 2), bool)
    stands[:, 0] = False
    stands[30:, 0] = True
    footing = find_footing(before, standing, ~STOOD, stands)
    height = (footing.ankles + footing.feet)[:, 0, 1] - standing[0, TOES[0], 1]
    assert height.max() > 0.03
    assert height[30:].max() < 0.02
    assert np.abs(np.diff(height)).max() < 0.02
