"""What is danced when nobody asks: whole phrases, all dances in their turn, none for too long."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest

from tests.support.made_space import standing_body
from tests.support.standins import DANCES
from visualizer.dancer.entries import PLACES, Entries
from visualizer.dancer.pack import PHRASE_BEATS, NamedDance
from visualizer.dancer.planner import IMPROVISE, MOST_PHRASES, Planner
from visualizer.dancer.transition import Stance

CALM, HIGH = 0.4, 0.9


def planned(planner: Planner, beats: int, style: int = 0, energy: float = CALM, start: float = 0.0) -> list[int | None]:
    """The plan of every half beat."""
    return [planner.ask(start + k / 2, style, energy) for k in range(2 * beats)]


def runs(plan: list[int | None]) -> list[tuple[int | None, int, int]]:
    """(dance, first half beat, half beats) of each stretch of one dance."""
    out, at = [], 0
    for dance, group in groupby(plan):
        count = len(list(group))
        out.append((dance, at, count))
        at += count
    return out


@pytest.mark.parametrize("seed", range(5))
def test_calm_plans_change_where_phrases_begin(seed: int) -> None:
    for dance, at, count in runs(planned(Planner(DANCES, [seed]), 2000))[:-1]:  # the last is cut off
        if dance is None:
            assert at % PHRASE_BEATS == 0  # half a phrase may answer a repeated dance
        else:
            assert at % (2 * PHRASE_BEATS) == 0
            assert DANCES[dance].style == 0
            assert DANCES[dance].beats / 2 <= count <= 2 * PHRASE_BEATS * MOST_PHRASES
            assert count >= 2 * DANCES[dance].beats or count == 2 * PHRASE_BEATS * MOST_PHRASES  # the loop is whole


def test_high_energy_allows_half_phrases_of_dances_that_are_over_by_then() -> None:
    stretches = runs(planned(Planner(DANCES, [1]), 4000, energy=HIGH))
    lengths = Counter(count for dance, _, count in stretches if dance is not None and DANCES[dance].beats == 4)
    assert lengths[8] > 20
    for dance, at, count in stretches:
        assert at % 8 == 0
        if dance is not None and DANCES[dance].beats > 4:
            assert at % 16 == 0
            assert count % 16 == 0


def test_every_dance_has_its_turn_and_some_phrases_are_improvised() -> None:
    plan = planned(Planner(DANCES, [2]), 8000)
    shares = {dance: n / len(plan) for dance, n in Counter(plan).items()}
    assert set(shares) == {None, 0, 1, 2, 3, 4}
    phrases = plan[:: 2 * PHRASE_BEATS]
    assert phrases.count(None) / len(phrases) == pytest.approx(IMPROVISE, abs=0.06)
    assert shares[None] > phrases.count(None) / len(phrases)
    named = [dance for dance, _, _ in runs(plan) if dance is not None]
    assert min(Counter(named).values()) > 0.7 * max(Counter(named).values())
    since: dict[int | None, int] = {}
    for k, dance in enumerate(named):  # those danced longest ago come first: nobody waits for ever
        assert k - since.get(dance, k) <= 20
        since[dance] = k


def test_some_repeats_are_answered_by_half_a_phrase_of_improvisation() -> None:
    repeats = Counter()
    for (dance, at, count), (following, _, answer) in pairwise(runs(planned(Planner(DANCES, [2]), 8000))):
        if dance is not None and DANCES[dance].beats <= PHRASE_BEATS and count > 2 * PHRASE_BEATS:
            repeats[count] += 1
            assert (count == 32) or (count == 24 and following is None and answer >= 8 and at % 16 == 0)
    assert 0.4 < repeats[24] / repeats.total() < 0.8


def test_a_style_without_dances_improvises_and_one_with_a_single_dance_does_not_repeat_it_for_ever() -> None:
    assert set(planned(Planner(DANCES, [3]), 100, style=2)) == {None}
    only = Planner((NamedDance("sway", 0, 8),), [3])
    plan = planned(only, 1000)
    assert set(plan) == {None, 0}
    assert max(count for dance, _, count in runs(plan) if dance == 0) <= 2 * PHRASE_BEATS * MOST_PHRASES


def test_a_new_style_is_planned_at_once_and_until_the_phrase_ends() -> None:
    for seed in range(20):
        planner = Planner(DANCES, [seed])
        planned(planner, 11)
        after = planned(planner, 40, style=1, start=11.0)
        assert all(dance is None or DANCES[dance].style == 1 for dance in after)
        assert all((at + 22) % 16 == 0 for dance, at, _ in runs(after)[1:] if dance is not None)


def test_renewing_leaves_the_dance_and_a_leap_of_time_does_not() -> None:
    for seed in range(20):
        planner = Planner(DANCES, [seed])
        planned(planner, 3)
        planner.renew(4)
        assert planner.ask(3.0, 0, CALM) != 4
        before = planner.dance
        planner.shift(800)
        assert planner.ask(803.5, 0, CALM) == before


def test_the_seed_decides() -> None:
    one, same, other = (planned(Planner(DANCES, seed), 400) for seed in ([5, 0], [5, 0], [5, 1]))
    assert one == same != other


LIVELY = tuple(NamedDance(f"dance {k}", 0, 8, energy=k / 7) for k in range(8))


def test_quiet_music_gets_the_quieter_dances_and_loud_music_the_livelier() -> None:
    danced = {
        energy: Counter(d for d in planned(Planner(LIVELY, [4]), 4000, energy=energy) if d is not None)
        for energy in (0.1, 0.5, 1.0)
    }
    assert set(danced[0.1]) <= {0, 1, 2, 3, 4}
    assert set(danced[1.0]) <= {3, 4, 5, 6, 7}
    assert set(danced[0.5]) == set(range(8))  # steady music sees all of them, if not all as often
    assert {0, 7}.isdisjoint(dance for dance, _ in danced[0.5].most_common(2))


@pytest.mark.parametrize("seed", range(5))
def test_a_drop_does_not_wait_for_the_end_of_a_quiet_dance(seed: int) -> None:
    planner = Planner(LIVELY, [seed])
    quiet = planned(planner, 16, energy=0.05)
    lively = planned(planner, 48, energy=0.95, start=16.0)
    assert quiet[0] is None or quiet[0] != lively[0]
    assert all(d is None or d >= 3 for d in lively)


def test_after_a_leap_by_less_than_a_phrase_another_dance_begins_where_it_lands() -> None:
    for seed in range(20):
        planner = Planner(DANCES, [seed])
        planned(planner, 4)
        before = planner.dance
        planner.shift(4)
        after = planner.ask(8.0, 0, CALM)
        assert after is None or after != before


# --- the way over

ALIKE = tuple(NamedDance(f"dance {k}", 0, 8) for k in range(8))


def made_entries(metres: np.ndarray) -> Entries:
    """Bodies that stand still, as far in front of the pelvis with both hands as `metres` (G, PLACES) says."""
    joints = np.tile(standing_body().astype(float), (*metres.shape, 1, 1))
    joints[..., [8, 12], 2] += metres[..., None]
    return Entries(Stance(joints, np.zeros_like(joints), np.ones((*metres.shape, 2), bool)))


def count_turns(planner: Planner, beats: int) -> list[int]:
    return [dance for dance, _, _ in runs(planned(planner, beats)) if dance is not None]


def test_dances_that_are_easy_to_go_over_to_come_more_often_and_each_has_its_turn() -> None:
    away = np.zeros((8, PLACES))
    away[5:] = np.linspace(1, 3, 3)[:, None]  # costs of 1 to 9, and no way to get there cheaply
    long = tuple(replace(dance, beats=16) for dance in ALIKE)  # never answered, so one is left for another always
    turns = count_turns(Planner(long, [6], made_entries(away)), 30_000)
    count = Counter(turns)
    assert set(count) == set(range(8))
    assert min(count[k] for k in range(5)) > 1.5 * count[7]
    assert count[7] > 0.25 * len(turns) / 8  # the farthest one is rare, and comes
    at = [0, *(k for k, dance in enumerate(turns) if dance == 7), len(turns)]
    assert np.diff(at).max() < 12 * 8


@pytest.mark.parametrize("seed", range(3))
def test_a_dance_is_left_where_it_is_easiest_within_four_beats(seed: int) -> None:
    away = np.arange(8)[:, None] * np.ones(PLACES)
    away[:, 6] = 0  # on the seventh beat of a phrase all stand alike
    plan = planned(Planner(ALIKE, [seed], made_entries(away)), 2000)
    early = late = 0
    for (dance, _, _), (following, at, _) in pairwise(runs(plan)):
        assert at % 16 in (0, 12) or (following is None and at % 16 == 8)
        if dance is not None and following is not None:
            early, late = early + (at % 16 == 12), late + (at % 16 == 0)
    assert early > 20 * late
    same = planned(Planner(ALIKE, [seed], made_entries(np.zeros((8, PLACES)))), 2000)
    # Where nothing is gained a phrase is whole.
    assert all(at % 16 == 0 for dance, at, _ in runs(same) if dance is not None)


def test_a_body_out_of_no_dance_goes_to_what_is_near_it() -> None:
    entries = made_entries(np.arange(8)[:, None] * 2 * np.ones(PLACES))
    drawn = Counter()
    for seed in range(300):
        body = Stance(entries.stance.joints[6, 0], entries.stance.velocity[6, 0], entries.stance.stands[6, 0])
        drawn[Planner(ALIKE, [seed], entries).ask(0.0, 0, CALM, body)] += 1
    named = sum(n for dance, n in drawn.items() if dance is not None)
    assert drawn[6] > 0.4 * named


def test_a_hand_that_is_misread_counts_against_a_dance_that_comes_all_the_same() -> None:
    dances = (*ALIKE[:7], NamedDance("dance 7", 0, 8, crotch=0.25))
    turns = Counter(count_turns(Planner(dances, [6]), 30_000))
    assert 0.25 < turns[7] / np.mean([turns[k] for k in range(7)]) < 0.8
