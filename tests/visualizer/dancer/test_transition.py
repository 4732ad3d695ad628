"""What a way over costs: nothing to oneself, more for what is farther, faster or on another foot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from visualizer.dancer.transition import ANKLES, FOOT, TOES, Stance, find_stance, find_transition_cost

STEP = 1 / 32


@pytest.fixture
def body() -> np.ndarray:
    body = np.random.default_rng(0).uniform(0.3, 1.5, (21, 3))
    body[[*ANKLES], 1], body[[*TOES], 1] = 0.08, 0.02
    return body


def stance(body: np.ndarray) -> Stance:
    return find_stance(body, body, STEP)


def test_staying_costs_nothing_wherever_in_the_room(body: np.ndarray) -> None:
    assert find_transition_cost(stance(body), stance(body)) == 0
    assert find_transition_cost(stance(body), stance(body + np.array([3, 0, -2]))) == pytest.approx(0, abs=1e-12)
    assert find_transition_cost(stance(body), stance(body + np.array([0, 0.1, 0]))) > 1  # higher is elsewhere


def test_the_units_of_the_cost(body: np.ndarray) -> None:
    here = stance(body)
    foot = replace(here, stands=here.stands ^ [True, False])
    assert find_transition_cost(here, foot) == pytest.approx(FOOT)
    faster = replace(here, velocity=here.velocity + np.array([0.6, 0, 0]))
    assert find_transition_cost(here, faster) == pytest.approx(1)
    ankles = here.joints.copy()
    ankles[[*ANKLES]] += (0.1, 0, 0)
    assert find_transition_cost(here, replace(here, joints=ankles)) == pytest.approx(1 + 2 / 21)


def test_a_foot_stands_where_it_is_low_and_slow(body: np.ndarray) -> None:
    assert stance(body).stands.all()
    assert find_stance(body - (0.3 * STEP, 0, 0), body, STEP).stands.tolist() == [False, False]
    lifted = body.copy()
    lifted[[ANKLES[0], TOES[0]], 1] += 0.2
    assert stance(lifted).stands.tolist() == [False, True]


def test_many_moments_are_compared_at_once(body: np.ndarray) -> None:
    entries = np.stack([body, body + np.array([0, 0.02, 0]), body + np.array([0, 0.1, 0])])
    costs = find_transition_cost(stance(body), stance(entries))
    assert costs.shape == (3,)
    assert (np.diff(costs) > 0).all()
