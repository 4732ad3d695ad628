"""How dances stand at each beat: what is described is read, is checked, and tells what the way over costs."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from tests.support.made_space import made_space, standing_body
from visualizer.dancer.body_space import BodySpace
from visualizer.dancer.entries import PLACES, Entries, describe_entries, find_body, mirror, read_entries
from visualizer.dancer.legs import STEPS_PER_SECOND
from visualizer.dancer.transition import find_transition_cost

WAYS = np.zeros((2, PLACES, 2))


@pytest.fixture
def space() -> BodySpace:
    return made_space()


def made(space: BodySpace) -> tuple[np.ndarray, np.ndarray]:
    """Latents (2, PLACES, D) of two dances a step before each beat and then: the second lifts its left foot and goes
    to its left by 1 m/s on beat 3."""
    before = np.tile(standing_body(), (2, PLACES, 1, 1))
    before[1, 3, [15, 16], 1] += 0.3
    now = before.copy()
    now[1, 3, :, 0] += 1 / STEPS_PER_SECOND
    return space.latents(before), space.latents(now)


def entries(space: BodySpace) -> Entries:
    return read_entries(describe_entries(*made(space), WAYS), 2, space)


def test_what_is_described_is_read(space: BodySpace) -> None:
    before, now = made(space)
    found = entries(space).stance
    wanted = find_body(space, before, now, WAYS)
    np.testing.assert_allclose(found.joints, wanted.joints, atol=0.005)
    np.testing.assert_allclose(found.velocity, wanted.velocity, atol=0.2)
    assert found.velocity[1, 3, :, 0] == pytest.approx(1, abs=0.2)


def test_the_way_of_the_crop_is_speed(space: BodySpace) -> None:
    before, now = made(space)
    found = find_body(space, before[0, 0], now[0, 0], np.array([0.5, 0.25]) / STEPS_PER_SECOND)
    np.testing.assert_allclose(found.velocity, np.tile([0.5, 0, 0.25], (21, 1)), atol=1e-3)
    assert not found.stands.any()


def test_costs_are_those_of_the_nearer_image(space: BodySpace) -> None:
    known = entries(space)
    costs = known.cost_between(0, [0, 1], 8 + 3.5)
    assert costs[0] == pytest.approx(0, abs=1e-3)
    assert costs[1] > 1
    np.testing.assert_allclose(known.cost_between(0, [0, 1], 2.0), 0, atol=1e-3)
    there = known.stance.split()[1].split()[3]
    for body in (there, mirror(there)):
        near, far = known.cost_from(body, [1, 0], 3.0)
        assert near == pytest.approx(0, abs=1e-3)
        assert far == pytest.approx(find_transition_cost(there, known.stance.split()[0].split()[3]), abs=0.05)


def test_twice_mirrored_is_as_it_was(space: BodySpace) -> None:
    there = entries(space).stance
    again = mirror(mirror(there))
    np.testing.assert_array_equal(again.joints, there.joints)
    np.testing.assert_array_equal(again.stands, there.stands)
    assert mirror(there).joints[0, 0, 14, 0] == -there.joints[0, 0, 18, 0]


@pytest.mark.parametrize("spoiled", [None, 7, "", "no base64!", "AAAA", ["AAAA"], b"\xff"])
def test_what_is_no_entries_is_refused(space: BodySpace, spoiled: Any) -> None:
    with pytest.raises(ValueError, match="entries must be 2 times 8 times 128 numbers in base64"):
        read_entries(spoiled, 2, space)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e4])
def test_numbers_that_no_body_has_are_refused(space: BodySpace, number: float) -> None:
    numbers = np.zeros((2, PLACES, 128), "<f2")
    numbers[0, 0, 0] = number
    with pytest.raises(ValueError, match="entries must be"):
        read_entries(base64.b64encode(numbers.tobytes()).decode(), 2, space)
