"""Springs that hair and skirts hang from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.choreography import DANCES, perform
from training.data.motion.skeleton import turn
from visualizer.dancer.sway import SWAY, start_sway, step_sway, sway_of, trace_sway


def make_body() -> NDArray[np.float32]:
    """One upright body (21, 3) in metres."""
    return perform(DANCES[2], 0.5).positions[0]


def follow(path: NDArray[np.floating], seconds: float) -> NDArray[np.float32]:
    """Sway (T, 7) of one body that is carried along `path` (T, 3)."""
    bodies = make_body()[None] + path[:, None]
    state = start_sway(bodies[:1])
    found = []
    for body in bodies[1:]:
        state = step_sway(state, body[None], seconds)
        found.append(sway_of(state)[0])
    return np.stack(found)


def test_nothing_sways_at_rest() -> None:
    assert np.abs(follow(np.zeros((20, 3)), 0.03)).max() < 1e-6


def test_hair_stays_behind_then_swings_past_and_comes_to_rest() -> None:
    path = np.zeros((120, 3))
    path[4:12, 0] = np.linspace(0, 0.3, 8)
    path[12:, 0] = 0.3
    x = follow(path, 1 / 30)[:, [0, 3]]
    assert (x[5:10] < -0.05).all()
    assert (x[12:40].max(axis=0) > 0.01).all()
    assert (np.abs(x[-1]) < 0.002).all()


def test_sway_is_the_same_at_any_rate_of_steps() -> None:
    time = np.linspace(0, 2, 481)
    path = np.stack([0.1 * np.sin(5 * time), 0.05 * np.cos(9 * time), 0 * time], axis=1)
    fine = follow(path, time[1])
    coarse = follow(path[::8], 8 * time[1])
    assert np.abs(fine[7::8] - coarse).max() < 0.006


def test_a_turn_twists_and_a_whole_turn_is_no_jump() -> None:
    body = make_body()
    bodies = np.stack([turn(body, degrees) for degrees in np.linspace(0, 720, 129)])
    yaw = trace_sway(bodies, 1 / 32)[:, 6]
    assert (yaw[24:] < -0.1).all()  # behind the turn all the time
    assert np.abs(np.diff(yaw)).max() < 0.25


def test_a_body_elsewhere_is_no_storm() -> None:
    path = np.zeros((10, 3))
    path[5:, 0] = 40.0
    assert np.abs(follow(path, 0.03)).max() <= 0.3


def test_a_body_on_its_side_faces_as_before() -> None:
    body = make_body()
    lying = body[:, [1, 0, 2]]
    state = step_sway(start_sway(body[None]), lying[None], 0.03)
    assert np.isfinite(state).all()
    assert np.abs(sway_of(state)[0, 6]) < 0.5


def test_dancers_do_not_touch_each_other() -> None:
    first, second = make_body(), turn(make_body(), 50) + np.array([0.1, 0, 0], np.float32)
    moved = np.stack([first + np.array([0.1, 0, 0], np.float32), second])
    both = step_sway(start_sway(np.stack([first, second])), moved, np.array([0.02, 0.05]))
    alone = step_sway(start_sway(first[None]), moved[:1], 0.02)
    assert both.shape == (2, 3 * SWAY)
    assert np.array_equal(both[:1], alone)


def test_a_loop_sways_as_it_does_once_it_has_run() -> None:
    time = np.arange(64) / 64 * 2 * np.pi
    bodies = make_body()[None] + np.stack([0.1 * np.sin(2 * time), 0 * time, 0 * time], axis=1)[:, None]
    sway = trace_sway(bodies.astype(np.float32), 1 / 32, loop=True)
    steps = np.abs(np.diff(np.concatenate([sway, sway[:1]]), axis=0)).max(axis=1)
    assert steps[-1] < 1.5 * steps[:-1].max()
