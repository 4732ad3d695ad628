"""What the planner is told of a pack's dances, out of their takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.made_bodies import some_bodies
from training.data.dances import LETTERS_PER_PHRASE, Dance
from training.data.motion.skeleton import INDEX
from training.entries import describe_planning, find_entries
from training.models.pose_basis import PoseBasis, pose_basis
from visualizer.dancer.body_space import BodySpace
from visualizer.dancer.entries import PLACES, read_entries
from visualizer.dancer.pack import FRAME_METRES, STEPS_PER_BEAT, STEPS_PER_LETTER


@pytest.fixture(scope="module")
def basis() -> PoseBasis:
    return pose_basis(some_bodies(600), 63)


def as_space(basis: PoseBasis) -> BodySpace:
    return BodySpace(basis.mean, basis.vectors, basis.scale, basis.std)


def take(basis: PoseBasis, number: int, phase: int, height: float) -> Dance:
    """A body that rises by a centimetre a step, from `height` on, and whose crop goes to the right at 0.5 a beat."""
    bodies = np.tile(some_bodies(10)[0], (20 * STEPS_PER_LETTER, 1, 1))
    bodies[..., 1] += height + 0.01 * np.arange(len(bodies))[:, None]
    travel = np.tile(np.array([0.5, 0], np.float32), (len(bodies), 1))
    return Dance("a take", basis.latents(bodies), travel, np.full(len(bodies), height, np.float32), 0, False,
                 np.zeros(20, np.int64), True, number, phase)  # fmt: skip


def test_a_dance_stands_at_each_beat_as_its_take_of_middle_energy_does(basis: PoseBasis) -> None:
    takes = [take(basis, 0, 6, height) for height in (0.0, 0.3, 0.7)] + [take(basis, 1, 0, 0.1)]
    made = find_entries(takes, 2)
    assert made is not None
    stance = read_entries(made, 2, as_space(basis)).stance
    pelvis = some_bodies(10)[0][0, 1]
    for place in range(PLACES):
        letter = (2 * place - 6) % LETTERS_PER_PHRASE or LETTERS_PER_PHRASE
        wanted = pelvis + 0.3 + 0.01 * (letter * STEPS_PER_LETTER - 1)
        assert stance.joints[0, place, 0, 1] == pytest.approx(wanted, abs=0.01)
    speed = 0.5 * FRAME_METRES * 2  # at 120 beats a minute
    np.testing.assert_allclose(stance.velocity[1, 2, 0], [speed, 0.01 * 2 * STEPS_PER_BEAT, 0], atol=0.1)


def test_where_a_dance_has_no_take_there_are_none(basis: PoseBasis) -> None:
    one = take(basis, 0, 0, 0.0)
    assert find_entries([one], 2) is None
    assert find_entries([], 0) is None


def test_of_a_short_take_the_nearest_beat_counts(basis: PoseBasis) -> None:
    short = replace(take(basis, 0, 0, 0.0), letters=np.zeros(5, np.int64))
    made = find_entries([short], 1)
    assert made is not None
    height = read_entries(made, 1, as_space(basis)).stance.joints[0, :, 0, 1]
    steps = (height - some_bodies(10)[0][0, 1]) / 0.01 + 1
    np.testing.assert_allclose(steps / STEPS_PER_LETTER, [1, 2, 4, 4, 4, 4, 1, 1], atol=0.2)


def test_hands_before_the_crotch_are_told_of_dances_and_letters(basis: PoseBasis) -> None:
    body = np.tile(some_bodies(10)[0], (2 * STEPS_PER_LETTER, 1, 1))
    rests = body.copy()
    middle = (body[:, INDEX["left_hip"]] + body[:, INDEX["right_hip"]]) / 2
    for joint, down in (("left_wrist", 0.1), ("left_hand", 0.2)):
        rests[:, INDEX[joint]] = middle - [0, down, 0]
    moves = np.stack([basis.latents(b[:STEPS_PER_LETTER]) for b in (body, rests)])
    still = replace(take(basis, 0, 0, 0.0), letters=np.zeros(2, np.int64))
    takes = [replace(still, latent=basis.latents(b), dance=k) for k, b in enumerate((body, rests))]
    told = describe_planning([{"name": "a"}, {"name": "b"}], takes, moves, basis)
    assert told["dances"] == [{"name": "a"}, {"name": "b", "crotch": 1.0}]
    assert told["crotch_letters"] == [1]
