"""What comes next when nobody chooses: at phrase ends only, never the same, all in turn, bans and favourites heeded."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.auto import EARLY, FAVOUR, GRID, HOLD, KINDS, STAY, Auto, Kind, Preferences, draw
from visualizer.dancer.pack import PHRASE_BEATS

NAMES = st.lists(st.sampled_from("abcdefghijkl"), min_size=2, max_size=12, unique=True)


def evening(auto: Auto, beats: float, step: float, start: float = 0.0) -> list[tuple[float, Kind]]:
    """Musical times of all turns, asked each `step` beats; each is taken."""
    turns = []
    for k in range(round(beats / step)):
        beat = start + k * step
        for kind in auto.turns(beat):
            auto.choose(kind, "abcde", (), None)
            turns.append((beat, kind))
    return turns


@settings(deadline=None)  # of 30,000 steps
@given(seed=st.integers(0, 999), step=st.floats(0.01, 0.3), start=st.floats(0, 500))
def test_turns_come_at_phrase_ends_only_after_two_to_eight_phrases(seed: int, step: float, start: float) -> None:
    turns = evening(Auto(random.Random(seed)), 300, step, start)
    assert {kind for _, kind in turns} == set(KINDS)
    for beat, kind in turns:
        place = (beat + (0 if kind == "look" else EARLY)) % GRID[kind]
        assert place <= step + 1e-6  # the first that is asked in a phrase of the music, or half of one
    for kind in KINDS:
        times = [beat for beat, each in turns if each == kind]
        least, most = STAY[kind]
        assert all(least - step <= later - sooner <= most + step for sooner, later in pairwise(times))
        assert 16 <= least <= most <= 64


@given(names=NAMES, favourites=st.sets(st.sampled_from("abcdef")), seed=st.integers(0, 999))
def test_all_come_before_any_comes_again_but_favourites_and_never_twice_in_a_row(
    names: list[str], favourites: set[str], seed: int
) -> None:
    chance, deck, now, drawn = random.Random(seed), (), names[0], []
    for _ in range(6 * FAVOUR * len(names)):
        chosen, deck = draw(deck, names, favourites, now, chance)
        assert chosen is not None
        assert chosen != now
        now = chosen
        drawn.append(now)
    a_round = len(names) + (FAVOUR - 1) * len(favourites & set(names))
    for k in range(len(drawn) - 2 * a_round):  # wherever one looks, all are seen within two rounds
        assert set(drawn[k : k + 2 * a_round]) == set(names)
    if not favourites:
        counts = Counter(drawn[: len(names) - 1])
        assert max(counts.values()) == 1


def test_a_plain_deck_has_no_repeats_within_a_round() -> None:
    chance, deck, now, drawn = random.Random(5), (), None, []
    for _ in range(24):
        now, deck = draw(deck, "abcdefgh", (), now, chance)
        drawn.append(now)
    for k in (0, 8, 16):
        assert sorted(drawn[k : k + 8]) == list("abcdefgh")
    assert drawn[:8] != drawn[8:16] != drawn[16:]


def test_favourites_come_three_times_as_often() -> None:
    chance, deck, now, drawn = random.Random(2), (), None, []
    for _ in range(2000):
        now, deck = draw(deck, "abcdefgh", {"c"}, now, chance)
        drawn.append(now)
    counts = Counter(drawn)
    others = sum(counts[name] for name in "abdefgh") / 7
    assert counts["c"] / others == pytest.approx(FAVOUR, rel=0.15)


def test_what_is_not_allowed_now_waits_in_the_deck() -> None:
    chance, deck = random.Random(1), ("a", "b", "c", "d")
    card, deck = draw(deck, ("c", "d"), (), None, chance)
    assert (card, deck) == ("c", ("a", "b", "d"))
    card, deck = draw(deck, "abcd", (), "c", chance)
    assert (card, deck) == ("a", ("b", "d"))
    assert draw(deck, ("d",), (), "d", chance) == (None, deck)
    assert draw(deck, (), (), None, chance) == (None, deck)


@given(beat=st.floats(0, 1000), seed=st.integers(0, 99))
def test_what_a_person_chose_holds_and_then_gives_way_at_a_phrase_end(beat: float, seed: int) -> None:
    auto = Auto(random.Random(seed))
    auto.turns(beat)
    auto.hold("look")
    turns = [when for when, kind in evening(auto, HOLD + 3 * PHRASE_BEATS, 0.1, beat) if kind == "look"]
    assert HOLD <= turns[0] - beat <= HOLD + 2 * PHRASE_BEATS


def test_off_and_pinned_kinds_never_turn_and_switching_on_waits_for_the_phrase_end() -> None:
    auto = Auto(random.Random(3), on=False)
    assert evening(auto, 300, 0.1) == []
    auto.on = True
    turns = evening(auto, 16, 0.1, 300.0)
    assert {kind for _, kind in turns} == set(KINDS)  # all are overdue
    assert all(beat == pytest.approx(304 - (0 if kind == "look" else EARLY), abs=0.11) for beat, kind in turns[:4])
    auto = Auto(random.Random(3), pinned={"style", "dance", "figure"})
    assert {kind for _, kind in evening(auto, 600, 0.1)} == {"look"}
    auto.hold("style")  # a key says otherwise
    assert {kind for _, kind in evening(auto, 600, 0.1, 600.0)} == {"look", "style"}


def test_the_same_seed_is_the_same_evening() -> None:
    one, other, third = (evening(Auto(random.Random(seed)), 800, 0.1) for seed in (7, 7, 8))
    assert one == other != third


def test_over_an_evening_everything_comes_up_and_nothing_sticks() -> None:
    """Four hours at 120 BPM, asked sixty times a second… of which every tenth is enough."""
    auto, looks, now, seen = Auto(random.Random(0)), [f"look {k}" for k in range(12)], "look 0", []
    for frame in range(4 * 3600 * 6):
        for kind in auto.turns(frame / 3):
            if kind == "look":
                chosen = auto.choose("look", looks, ("look 3",), now)
                assert chosen is not None
                seen.append(now := chosen)
            else:
                auto.choose(kind, "ab", (), None)
    assert all(a != b for a, b in pairwise(seen))
    counts = Counter(seen)
    assert set(counts) == set(looks)
    assert min(counts.values()) > 0.5 * len(seen) / 14


def test_marks_are_taken_back_and_one_always_remains() -> None:
    preferences = Preferences()
    assert preferences.like({"look": "neon", "style": "salsa"})
    assert (preferences.favourite["look"], preferences.favourite["style"], preferences.favourite["dance"]) == (
        ("neon",),
        ("salsa",),
        (),
    )
    assert preferences.ban("look", "neon", ("neon", "paper", "ink"))
    assert (preferences.favourite["look"], preferences.never["look"]) == ((), ("neon",))
    assert preferences.take_back()
    assert (preferences.favourite["look"], preferences.never["look"]) == (("neon",), ())
    assert not preferences.take_back()
    assert not preferences.like({"look": "neon", "style": "salsa"})  # once more: no longer
    assert preferences.favourite["style"] == ()
    assert preferences.ban("look", "neon", ("neon", "paper"))
    assert not preferences.ban("look", "paper", ("neon", "paper"))
    assert preferences.allowed("look", ("neon", "paper")) == ("paper",)
    assert preferences.allowed("look", ("neon",)) == ("neon",)  # of a file that bans all: the show goes on
    assert preferences.allowed("style", ("a",)) == ("a",)


@given(names=NAMES, bans=st.lists(st.sampled_from("abcdefghijkl"), max_size=20), seed=st.integers(0, 99))
def test_banned_ones_never_come(names: list[str], bans: list[str], seed: int) -> None:
    preferences, auto, now = Preferences(), Auto(random.Random(seed)), names[0]
    for name in bans:
        if name in names:
            preferences.ban("look", name, names)
    allowed = preferences.allowed("look", names)
    assert allowed
    assert not set(allowed) & set(preferences.never["look"])
    for _ in range(30):
        chosen = auto.choose("look", allowed, (), now)
        assert chosen != now
        assert chosen in allowed or (chosen is None and set(allowed) <= {now})
        now = chosen or now
