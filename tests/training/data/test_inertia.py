"""Inertialisation: it begins as the body would go on, ends in the new motion, and stretches no bone."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.dances_to_splice import make_sources
from training.data.inertia import BODY_RATE, decay, inertialise
from training.data.motion.legs import STEPS_PER_SECOND
from training.data.motion.skeleton import BONES, LENGTHS


def test_an_offset_decays_as_a_critically_damped_spring_does() -> None:
    """Against its differential equation x'' + 2 r x' + r² x = 0, in steps of a thousandth of a second."""
    x, v, rate = np.array([0.4, -1.0]), np.array([2.0, 0.0]), 5.0
    wanted, at = [], 1 / STEPS_PER_SECOND
    dt = at / 1000
    position, speed = x.copy(), v.copy()
    for n in range(20_000):
        speed = speed + dt * (-2 * rate * speed - rate**2 * position)
        position = position + dt * speed
        if (n + 1) % 1000 == 0:
            wanted.append(position.copy())
    np.testing.assert_allclose(decay(x, v, rate, 20), wanted, atol=2e-3)


def test_a_body_that_stays_in_its_dance_just_goes_on() -> None:
    dance = make_sources(1)[0].steps(0, 60, False)
    np.testing.assert_allclose(inertialise(dance[8:10], dance[8:]), dance[10:], atol=1e-5)


@pytest.mark.parametrize("pair", [(0, 3), (2, 9), (7, 4)])
def test_the_way_over_has_no_jump_and_ends_in_the_other_dance(pair: tuple[int, int]) -> None:
    sources = make_sources()
    before = sources[pair[0]].steps(20, 10, False)
    target = sources[pair[1]].steps(30, 82, True)
    found = inertialise(before[-2:], target)
    lengths = np.linalg.norm(found[:, BONES[:, 1]] - found[:, BONES[:, 0]], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(LENGTHS, (80, 1)), atol=1e-9)
    np.testing.assert_allclose(found[-1], target[-1], atol=1e-3)
    # The first step is nearly the step that the old dance was taking.
    went, goes = before[-1] - before[-2], found[0] - before[-1]
    assert np.linalg.norm(goes - went, axis=-1).mean() < 0.02
    assert np.linalg.norm(found[0] - target[2], axis=-1).mean() > 0.05


def test_what_is_left_after_a_beat_is_little() -> None:
    left = decay(np.ones(1), np.zeros(1), BODY_RATE, 16)
    assert 0 < left[-1, 0] < 0.1
    assert (np.diff(left[:, 0]) < 0).all()
