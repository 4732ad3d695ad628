"""The camera: where it stands, how it sets out, and that flat bodies are seen as they are."""

from __future__ import annotations

import numpy as np

from tests.support.made_space import made_space, some_joints
from visualizer.dancer.camera import FARTHEST, OWN, WIDEST, Camera
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT

PHRASE = PHRASE_BEATS * STEPS_PER_BEAT


def walk(camera: Camera, phrases: int, together: bool = False) -> np.ndarray:
    """Yaws (steps, N)."""
    made = []
    for number in range(phrases * PHRASE):
        camera.step(number, together)
        made.append(camera.yaw)
    return np.array(made)


def test_it_stands_still_unless_it_is_told_to_move() -> None:
    assert (walk(Camera(1, 3), 6) == 0).all()


def test_it_sets_out_at_phrase_ends_alone_and_goes_gently() -> None:
    camera = Camera(1, 1)
    camera.moves = True
    yaw = walk(camera, 40)[:, 0]
    speed = np.diff(yaw)
    assert 10 < np.abs(yaw).max() <= FARTHEST
    assert np.abs(speed).max() < 1.5  # degrees a step
    assert np.abs(np.diff(speed)).max() < 0.12
    ends = yaw[PHRASE - 1 :: PHRASE]
    assert len(np.unique(np.round(ends))) > 5  # it goes to several places,
    still = np.abs(np.diff(ends)) < 0.5
    assert 0.2 < still.mean() < 0.8  # and often stays where it is


def test_a_troupe_faces_its_own_ways_and_in_unison_the_same() -> None:
    camera = Camera(3, 5)
    camera.moves = True
    apart = walk(camera, 30)
    assert np.ptp(apart, axis=1).max() > OWN / 2
    assert np.abs(apart).max() <= WIDEST
    together = walk(camera, 6, together=True)
    assert np.ptp(together[-1]) < 1e-3


def test_it_comes_from_where_it_was_asked_and_stays_when_held() -> None:
    camera = Camera(1, 2)
    camera.asked = 30.0
    np.testing.assert_allclose(walk(camera, 2)[-1], 30, atol=1e-2)
    camera.asked = 80.0
    np.testing.assert_allclose(walk(camera, 2)[-1], WIDEST, atol=1e-2)
    camera.asked, camera.moves, camera.held = 0.0, True, True
    assert np.abs(walk(camera, 20)[-1]).max() < 1e-2


def test_the_same_seed_makes_the_same_moves_for_any_troupe() -> None:
    made = []
    for troupe in (1, 4):
        camera = Camera(9, troupe)
        camera.moves = True
        made.append(walk(camera, 12, together=True)[:, 0])
    np.testing.assert_array_equal(*made)
    other = Camera(10, 1)
    other.moves = True
    assert (walk(other, 12)[:, 0] != made[0]).any()


def test_it_turns_bodies_in_space_alone() -> None:
    space = made_space()
    latent, travel = space.latents(some_joints(2)), np.array([[0.1, 0.3], [0.0, 0.2]], np.float32)
    camera = Camera(1, 2)
    camera.asked = 40.0
    walk(camera, 2)
    seen, moved = camera.see(space, latent, travel)
    np.testing.assert_allclose(seen, space.turn(latent, camera.yaw), atol=1e-6)
    assert np.abs(moved - travel).max() > 0.1
    flat, same = camera.see(None, latent, travel)
    assert flat is latent
    assert same is travel
