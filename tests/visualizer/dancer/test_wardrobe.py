"""Who is which figure: all different to begin with, by seed, and blends that sum to one on the way to another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.dancer.wardrobe import MORPH_BEATS, Wardrobe, figure_names, split_figures
from visualizer.errors import UserError

NAMES = ("ada", "bo", "cy", "di")


@given(seed=st.integers(0, 99), count=st.integers(1, 9))
def test_dancers_begin_as_different_figures_as_far_as_there_are_so_many(seed: int, count: int) -> None:
    worn = Wardrobe(NAMES, seed, count).worn
    assert len(set(worn)) == min(count, len(NAMES))
    assert worn == Wardrobe(NAMES, seed, count).worn


def test_a_silhouette_comes_after_all_people() -> None:
    for seed in range(8):
        worn = Wardrobe(NAMES, seed, len(NAMES), NAMES[:1]).worn
        assert worn[-1] == NAMES[0]
        assert set(worn) == set(NAMES)


def test_other_seeds_begin_with_other_figures() -> None:
    assert len({Wardrobe(NAMES, seed, 1).worn for seed in range(20)}) == len(NAMES)


def test_a_change_is_a_blend_over_a_beat_and_a_change_meanwhile_does_not_jump() -> None:
    wardrobe = Wardrobe(NAMES, 0, 2)
    wardrobe.wear(("ada", "ada"), 0.0)
    wardrobe.wear(("bo", "ada"), 8.0)
    before, middle, after = (wardrobe.weights(beat) for beat in (8.0, 8.0 + MORPH_BEATS / 2, 8.0 + MORPH_BEATS))
    assert before.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert middle[0].tolist() == [0.5, 0.5, 0, 0]
    assert after.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    wardrobe.wear(("cy", "ada"), 8.0 + MORPH_BEATS / 2)
    assert wardrobe.weights(8.0 + MORPH_BEATS / 2) == pytest.approx(middle)
    assert wardrobe.weights(20.0)[0].tolist() == [0, 0, 1, 0]


@given(st.lists(st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), st.floats(0, 3)), max_size=6))
def test_weights_are_shares(changes: list[tuple[list[str], float]]) -> None:
    wardrobe, beat = Wardrobe(NAMES, 1, 3), 0.0
    for names, gap in changes:
        beat += gap
        wardrobe.wear(names, beat)
        weights = wardrobe.weights(beat + 0.3)
        assert weights.min() >= 0
        assert weights.sum(axis=1) == pytest.approx(np.ones(3))
    last = wardrobe.weights(beat + 9)
    assert tuple(NAMES[k] for k in last.argmax(axis=1)) == wardrobe.worn
    assert last.max(axis=1).tolist() == [1, 1, 1]


def test_those_who_come_take_their_turn_and_those_who_stay_are_as_they_were() -> None:
    wardrobe = Wardrobe(NAMES, 3, 2)
    wardrobe.wear(("di", "bo"), 4.0)
    wardrobe.resize(5)
    assert wardrobe.worn == ("di", "bo", "di", "bo", "di")
    assert wardrobe.weights(4.5).shape == (5, 4)
    wardrobe.resize(1)
    assert wardrobe.worn == ("di",)


def test_names_are_found_as_people_type_them_and_unknown_ones_are_told() -> None:
    wardrobe = Wardrobe(("long hair", "bo"), 0, 1)
    wardrobe.wear(split_figures("Long-Hair, bo"), 0.0)
    assert wardrobe.worn == ("long hair",)
    with pytest.raises(UserError, match="no figure 'zed' in this pack; it has long hair, bo"):
        wardrobe.wear(("zed",), 0.0)
    assert wardrobe.worn == ("long hair",)


def test_a_flat_pack_has_none_and_says_so() -> None:
    assert figure_names({}) == ()
    assert figure_names({"figures": [{"name": "ada"}, {"name": "bo"}]}) == ("ada", "bo")
    wardrobe = Wardrobe((), 0, 3)
    assert wardrobe.worn == ()
    assert wardrobe.weights(1.0).shape == (3, 0)
    with pytest.raises(UserError, match="flat"):
        wardrobe.wear(("ada",), 0.0)


def test_another_pack_keeps_the_figures_that_it_has_too() -> None:
    wardrobe = Wardrobe(NAMES, 0, 2)
    wardrobe.wear(("di", "ada"), 0.0)
    assert wardrobe.follow(("ada", "eve"), 5).worn == ("ada", "ada")
    assert wardrobe.follow((), 5).worn == ()
    assert Wardrobe((), 0, 2).follow(NAMES, 5).worn == Wardrobe(NAMES, 5, 2).worn
