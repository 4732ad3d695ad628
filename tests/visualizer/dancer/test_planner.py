"""What is danced when nobody asks: whole phrases, all dances in their turn, none for too long."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest

from tests.support.standins import DANCES
from visualizer.dancer.pack import PHRASE_BEATS, NamedDance
from visualizer.dancer.planner import IMPROVISE, MOST_PHRASES, Planner

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
    for dance, at, count in runs(planned(Planner(DANCES, [seed]), 2000)):
        assert at % (2 * PHRASE_BEATS) == 0
        if dance is not None:
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
    assert shares[None] == pytest.approx(IMPROVISE, abs=0.06)
    named = [dance for dance, _, _ in runs(plan) if dance is not None]
    assert min(Counter(named).values()) > 0.7 * max(Counter(named).values())
    since: dict[int | None, int] = {}
    for k, dance in enumerate(named):  # those danced longest ago come first: nobody waits for ever
        assert k - since.get(dance, k) <= 20
        since[dance] = k


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
        assert all((at + 22) % 16 == 0 for _, at, _ in runs(after)[1:])


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
    assert quiet[0] != lively[0]
    assert all(d is None or d >= 3 for d in lively)


def test_after_a_leap_by_less_than_a_phrase_another_dance_begins_where_it_lands() -> None:
    for seed in range(20):
        planner = Planner(DANCES, [seed])
        planned(planner, 4)
        before = planner.dance
        planner.shift(4)
        after = planner.ask(8.0, 0, CALM)
        assert after is None or after != before
