"""Splices: exact bones, no jump, feet that stand, and ways over that are the cheapest there are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.dances_to_splice import make_sources
from training.data.motion.legs import ANKLES, STEPS_PER_SECOND, TOES
from training.data.motion.skeleton import BONES, LENGTHS
from training.data.splices import AFTER, EXITS, LETTERS_PER_PHRASE, Source, Way, find_exits, find_ways, splice
from visualizer.dancer.pack import STEPS_PER_LETTER
from visualizer.dancer.transition import Stance, find_stance, find_transition_cost


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return make_sources()


def find_all_ways(source: Source, other: Source, letter: int) -> dict[tuple[int, bool], float]:
    """Costs of all entries at the same place of the phrase, one by one."""

    def find(of: Source, at: int, mirrored: bool) -> Stance:
        pair = of.steps(at * STEPS_PER_LETTER - 2, 2, mirrored)
        return find_stance(pair[0], pair[1], 1 / STEPS_PER_SECOND)

    place = (letter + source.phase) % LETTERS_PER_PHRASE
    return {
        (entry, flipped): float(find_transition_cost(find(source, letter, False), find(other, entry, flipped)))
        for entry in range(other.letters)
        for flipped in (False, True)
        if (entry + other.phase) % LETTERS_PER_PHRASE == place
    }


def test_the_cheapest_entry_at_the_same_place_of_the_phrase_is_found(sources: list[Source]) -> None:
    for source, other in ((sources[0], sources[5]), (sources[2], sources[3])):
        for way in find_ways(source, other, find_exits(source, 9), mirrored=False):
            costs = find_all_ways(source, other, way.leave)
            assert way.cost == pytest.approx(min(costs.values()))
            assert costs[way.enter, way.enter_mirrored] == pytest.approx(way.cost)


def test_a_dance_that_goes_on_is_no_way_over(sources: list[Source]) -> None:
    for way in find_ways(sources[0], sources[0], find_exits(sources[0], 9), mirrored=True):
        assert (way.enter, way.enter_mirrored) != (way.leave % sources[0].letters, True)
        assert way.cost > 0


def test_a_dance_is_left_within_four_beats_and_not_after_its_end(sources: list[Source]) -> None:
    assert find_exits(sources[0], 3) == list(range(3, 3 + EXITS))
    captured = Source("c", "s", sources[0].positions, 0, loops=False)
    assert find_exits(captured, captured.letters - 2) == [captured.letters - k for k in (2, 1, 0)]


def test_a_captured_dance_is_entered_where_enough_of_it_is_left(sources: list[Source]) -> None:
    long = Source("c", "s", np.tile(sources[0].positions, (3, 1, 1)), 5, loops=False)
    for place in range(LETTERS_PER_PHRASE):
        entries = long.entries(place)
        assert ((entries + 5) % LETTERS_PER_PHRASE == place).all()
        assert (entries > 0).all()
        assert (entries * STEPS_PER_LETTER + AFTER <= len(long.positions)).all()
        assert len(entries)


@pytest.mark.parametrize(("first", "second"), [(0, 4), (3, 8), (6, 1), (9, 2)])
def test_a_splice_is_a_body_without_a_jump(sources: list[Source], first: int, second: int) -> None:
    source, other = sources[first], sources[second]
    for way in find_ways(source, other, find_exits(source, 10), mirrored=True)[:3]:
        found = splice(source, other, way)
        assert found.shape == (AFTER, 21, 3)
        lengths = np.linalg.norm(found[:, BONES[:, 1]] - found[:, BONES[:, 0]], axis=-1)
        np.testing.assert_allclose(lengths, np.tile(LENGTHS, (AFTER, 1)), atol=1e-5)
        assert found[:, [*ANKLES, *TOES], 1].min() > -0.03
        before = source.steps(way.leave * STEPS_PER_LETTER - 2, 2, True)
        step = np.linalg.norm(np.diff(np.concatenate([before, found]), axis=0), axis=-1)
        steady = np.linalg.norm(np.diff(np.concatenate([source.positions, other.positions]), axis=0), axis=-1)
        assert step[1:4].max() < steady.max() + 0.03


def test_a_splice_ends_in_the_other_dance_but_for_the_place_of_its_feet(sources: list[Source]) -> None:
    source, other = sources[0], sources[7]
    (way, *_) = find_ways(source, other, find_exits(source, 8), mirrored=False)
    found = splice(source, other, way)
    target = other.steps(way.enter * STEPS_PER_LETTER, AFTER, way.enter_mirrored)
    about = found - found[:, :1] * (1, 0, 1), target - target[:, :1] * (1, 0, 1)
    far = np.linalg.norm(about[0] - about[1], axis=-1)
    assert far[40:, :13].mean() < 0.01
    assert far[40:].mean() < 0.05


def test_feet_that_stand_in_both_dances_stay(sources: list[Source]) -> None:
    """A body that stands still, and goes over to the same one whose arms are elsewhere and whose place is another."""
    still = np.repeat(sources[0].positions[:1], 160, axis=0)
    still[:, ANKLES, 1], still[:, TOES, 1] = 0.08, 0.02
    moved = still + np.array([0.5, 0, -0.3], np.float32)
    a, b = Source("a", "s", still, 0, True), Source("b", "s", moved, 0, True)
    found = splice(a, b, Way(4, 4, False, False, 0.0))
    np.testing.assert_allclose(found[:, TOES], np.tile(still[:1, TOES], (AFTER, 1, 1)), atol=1e-3)
