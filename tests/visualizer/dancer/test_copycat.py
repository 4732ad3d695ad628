"""Copycat: the last eight beats as letters, on the beats on which they were danced."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from tests.support.made_space import made_space, some_joints
from visualizer.dancer.copycat import LENGTH, LETTERS, OWN, Copycat
from visualizer.dancer.letter_poses import LetterPoses
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER
from visualizer.errors import UserError

COUNT = 40


class Network:
    """Dances letter k as the k-th of some bodies, whatever came before."""

    def __init__(self, latents: np.ndarray) -> None:
        self._latents = latents

    def run(self, names: list[str], given: dict[str, Any]) -> list[np.ndarray]:
        return [self._latents[given["letter"]], given["state"]]


def make_pack() -> Any:
    space = made_space()
    latents = space.latents(some_joints(COUNT).astype(np.float32))
    return types.SimpleNamespace(
        name="made", body=space, letters=COUNT, styles=("a",), dances=(), latent_size=latents.shape[1],
        latent_mean=latents.mean(axis=0), dancer_state=(1, 2), dancer=Network(latents),
    )  # fmt: skip


def dance(cat: Copycat, letters: np.ndarray, begin: int = 0) -> None:
    """Show the bodies of letters, half a beat each, from step `begin` on."""
    bodies = some_joints(COUNT)
    for step in range(begin, begin + len(letters) * STEPS_PER_LETTER):
        cat.record(step / STEPS_PER_BEAT, bodies[letters[(step - begin) // STEPS_PER_LETTER]])


def test_each_letter_is_nearest_to_itself() -> None:
    poses = LetterPoses(make_pack())
    wanted = np.array([3, 0, 39, 17])
    np.testing.assert_array_equal(poses.nearest(poses.of(wanted)), wanted)


def test_the_choreographer_is_given_what_was_danced_where_it_was_danced() -> None:
    cat, letters = Copycat(make_pack()), np.random.default_rng(2).permutation(COUNT)[: LETTERS + 4]
    dance(cat, letters)
    cat.begin()
    cat.wait()
    first = len(letters) * STEPS_PER_LETTER
    told = [cat.letter_at(first + k * STEPS_PER_LETTER) for k in range(2 * LETTERS + 1)]
    assert told[:LETTERS] == list(letters[4:])
    assert told[-1] is None
    varied = told[LETTERS:-1]
    own = [k for k, letter in enumerate(varied) if letter is None]
    assert own == list(range(OWN - 1, LETTERS, OWN))
    assert [letter for letter in varied if letter is not None] == [
        letter for k, letter in enumerate(letters[4:]) if k not in own
    ]


def test_it_takes_eight_beats_of_a_guest() -> None:
    cat = Copycat(make_pack())
    with pytest.raises(UserError, match="eight beats"):
        cat.begin()
    dance(cat, np.arange(LETTERS // 2))
    with pytest.raises(UserError, match="eight beats"):
        cat.begin()
    dance(cat, np.arange(LETTERS), LETTERS // 2 * STEPS_PER_LETTER)
    cat.begin()
    assert cat.on


def test_a_guest_who_was_lost_for_a_moment_is_repeated_without_a_gap() -> None:
    cat, body = Copycat(make_pack()), some_joints(1)[0]
    for step in range(LENGTH):
        cat.record(step / STEPS_PER_BEAT, None if 40 <= step < 60 else body)
    cat.begin()
    cat.follow((LENGTH + 50) / STEPS_PER_BEAT)
    np.testing.assert_allclose(cat.body((LENGTH + 50) / STEPS_PER_BEAT), body)


def test_it_ends_after_repeating_and_varying_or_when_asked() -> None:
    cat = Copycat(make_pack())
    dance(cat, np.arange(LETTERS))
    cat.begin()
    assert cat.follow(10.0)
    assert cat.share == 1
    assert cat.follow(20.0)
    assert cat.share == 0
    assert not cat.follow(24.5)
    assert not cat.on
    dance(cat, np.arange(LETTERS), 25 * STEPS_PER_BEAT)
    cat.begin()
    cat.end()
    assert not cat.on
    assert cat.letter_at(40 * STEPS_PER_BEAT) is None


def test_a_network_that_fails_leaves_the_letters_to_the_choreographer() -> None:
    pack = make_pack()
    pack.dancer = types.SimpleNamespace()
    cat = Copycat(pack)
    dance(cat, np.arange(LETTERS))
    cat.begin()
    cat.wait()
    assert cat.on
    assert cat.letter_at(LENGTH) is None
