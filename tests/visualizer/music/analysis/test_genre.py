"""Taste: the flavour of made music, the weights that ship, and when the style changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_sound import BACKBEAT, BPM, FOUR, HAT, KICK, RNG, SWUNG, drums
from training.data.choreography import DANCES as WRITTEN
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE, FeatureStream, Floats
from visualizer.music.analysis.genre import (
    DANCES,
    FLAVOUR,
    GenreClassifier,
    GenreFeatures,
    GenreScores,
    Strokes,
    Weights,
    load_weights,
    places_of,
    weights_file,
)
from visualizer.music.analysis.style_selector import PHRASE, STAY, TIRED, StyleSelector, words_of, worth

STYLES = ("house", "salsa", "hiphop", "charleston", "club", "freestyle")


def flavour_of(sound: Floats, cuts: tuple[int, ...] = ()) -> dict[str, float]:
    stream, strokes, flavour, pushed = FeatureStream(), Strokes(), GenreFeatures(), 0
    for block in np.split(sound, sorted(cuts)):
        pushed += len(block)
        values = strokes.push(stream.push(block).mel)
        beat = pushed // 240 * 240 / RATE * BPM / 60
        flavour.push(values, places_of(len(values), beat, BPM), BPM)
    return dict(zip(FLAVOUR, flavour.numbers().tolist(), strict=True))


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 4 * RATE), max_size=12))
def test_the_flavour_does_not_mind_the_blocks(cuts: list[int]) -> None:
    sound = drums(4, BACKBEAT)
    whole, cut = flavour_of(sound), flavour_of(sound, tuple(cuts))
    np.testing.assert_allclose(list(cut.values()), list(whole.values()), rtol=2e-3, atol=2e-3)


def test_the_flavour_does_not_mind_the_volume() -> None:
    room = RNG.standard_normal(6 * RATE) * 3e-3
    loud, soft = (flavour_of((gain * (drums(6, BACKBEAT) + room)).astype(np.float32)) for gain in (1.0, 0.1))
    np.testing.assert_allclose(list(soft.values()), list(loud.values()), atol=0.05)


def test_rhythms_are_told_apart() -> None:
    four, back, swung = (flavour_of(drums(8, pattern)) for pattern in (FOUR, BACKBEAT, SWUNG))
    assert four["bass on each beat"] > back["bass on each beat"] + 0.3
    assert back["middle backbeat"] > four["middle backbeat"] + 0.2
    assert back["bass against middle"] < -0.05  # kick here, snare there
    assert swung["treble at 8/12"] > back["treble at 8/12"] + 0.5
    assert back["treble at 6/12"] > swung["treble at 6/12"] + 0.5


def test_tempo_brightness_and_bass_are_in_the_flavour() -> None:
    dark, bright = flavour_of(drums(6, {0.0: KICK}, 1)), flavour_of(drums(6, {0.0: HAT}, 1))
    assert dark["near 122 BPM"] > 0.9 > 0.1 > dark["near 95 BPM"]
    assert dark["bass share"] > bright["bass share"] + 1
    assert bright["treble share"] > dark["treble share"] + 1


def heard_live(sound: Floats, weights: Weights, until: int) -> list[GenreScores]:
    taste, stream, said = GenreClassifier(weights), FeatureStream(), []
    for start in range(0, until, 480):
        rows = stream.push(sound[start : start + 480])
        taste.push(rows, (start + 480) / RATE * BPM / 60, BPM, True)
        said.append(taste.mix)
    return said


def made_weights() -> Weights:
    """Two genres told apart by the bass on each beat alone."""
    weight = np.zeros((2, len(FLAVOUR)))
    weight[:, FLAVOUR.index("bass on each beat")] = (5, -5)
    return Weights(("house", "rock"), np.full(len(FLAVOUR), 0.5), np.ones(len(FLAVOUR)), weight, np.zeros(2))


def test_nothing_is_said_too_soon_and_nothing_waits_for_the_future() -> None:
    sound = drums(14, FOUR)
    other = sound.copy()
    other[11 * RATE :] = np.random.default_rng(2).standard_normal(3 * RATE)
    ours, theirs = heard_live(sound, made_weights(), 14 * RATE), heard_live(other, made_weights(), 14 * RATE)
    assert ours[: 3 * 50] == [()] * 150
    assert ours[: 11 * 50] == theirs[: 11 * 50]
    assert ours[-1] != theirs[-1]
    assert dict(ours[-1])["house"] > 0.6
    assert sum(share for _, share in ours[-1]) == pytest.approx(1)


def test_without_a_beat_nothing_new_is_said() -> None:
    taste, stream = GenreClassifier(made_weights()), FeatureStream()
    for start in range(0, 10 * RATE, RATE):
        taste.push(stream.push(drums(1, FOUR)), start / RATE * 2, BPM, False)
    assert taste.mix == ()


def test_the_weights_that_ship_know_four_on_the_floor_from_a_swing() -> None:
    weights = load_weights(weights_file())
    assert set(weights.genres) <= set(DANCES)
    # A bass between the kicks and a bit of everything, so that it is music and no test tone.
    bass = np.sign(np.sin(2 * np.pi * 55 * np.arange(4000) / RATE)) * 0.2
    party = dict(heard_live(drums(14, {**FOUR, 0.25: HAT * 0.5, 0.52: bass, 1.52: bass}), weights, 14 * RATE)[-1])
    swing = dict(heard_live(drums(14, SWUNG), weights, 14 * RATE)[-1])
    floor = ("house", "techno", "disco")
    assert sum(party[g] for g in floor) > 0.6
    assert sum(party[g] for g in floor) > sum(swing[g] for g in floor) + 0.2


def broken(**changes: object) -> str:
    whole = {
        "genres": ["house", "rock"], "flavour": list(FLAVOUR), "mean": [0.0] * len(FLAVOUR),
        "spread": [1.0] * len(FLAVOUR), "weight": [[0.0] * len(FLAVOUR)] * 2, "bias": [0.0, 0.0],
    }  # fmt: skip
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "cannot be read"),
        ("[]", "genres"),
        (broken(genres=["house", "mystery"]), "genres"),
        (broken(flavour=["tempo"]), "another flavour"),
        (broken(bias=[0.0]), "bias"),
        (broken(bias=["a", "b"]), "bias"),
        (broken(mean=[float("nan")] * len(FLAVOUR)), "mean"),
        (broken(weight=[[0.0] * len(FLAVOUR)]), "weight"),
        (broken(spread=[0.0] * len(FLAVOUR)), "spread"),
    ],
)
def test_broken_weights_are_told_in_one_line(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "taste.json"
    path.write_text(text)
    with pytest.raises(UserError, match=word) as caught:
        load_weights(path)
    assert str(path) in str(caught.value)
    path.write_text(broken())
    assert load_weights(path).genres == ("house", "rock")


# --- the choice ------------------------------------------------------------------------------------------------------

HOUSE: GenreScores = (("house", 0.8), ("latin", 0.2))
LATIN: GenreScores = (("house", 0.1), ("latin", 0.9))


def changes(
    stylist: StyleSelector, style: str, mixes: list[GenreScores], until: int, start: float = 0.3
) -> list[tuple[float, str]]:
    """(musical time, new style) of all changes, asked sixteen times a beat; a mix for each phrase, then the last."""
    out = []
    for beat in np.arange(start, until, 1 / 16):
        choice = stylist.choose(style, float(beat), mixes[min(int(beat // PHRASE), len(mixes) - 1)])
        if choice:
            style = choice.style
            out.append((float(beat), style))
    return out


def test_the_style_follows_the_music_at_a_phrase_end() -> None:
    ((beat, style),) = changes(StyleSelector(STYLES), "salsa", [(), (), HOUSE], 64)
    assert style == "house"
    assert PHRASE * 2 <= beat < PHRASE * 2 + 1 / 16


def test_what_suits_is_left_alone_until_it_is_tiring() -> None:
    stylist = StyleSelector(STYLES)
    assert changes(stylist, "club", [HOUSE], TIRED - STAY) == []
    ((beat, style),) = changes(stylist, "club", [HOUSE], TIRED, start=TIRED - STAY + 0.1)
    assert style == "house"
    assert beat % PHRASE < 1 / 16


def test_music_that_wavers_does_not_make_the_dance_waver() -> None:
    made = changes(StyleSelector(STYLES), "salsa", [HOUSE, LATIN] * 40, 600)
    times = np.array([beat for beat, _ in made])
    assert len(made) > 3
    assert np.all(np.diff(times) >= STAY)
    assert np.all(times % PHRASE < 1 / 16)
    unsure: list[GenreScores] = [(("house", 0.5), ("latin", 0.5)), (("house", 0.45), ("latin", 0.55))]
    assert changes(StyleSelector(STYLES), "salsa", unsure * 20, TIRED - STAY) == []


def test_what_somebody_chose_stays_a_while() -> None:
    stylist = StyleSelector(STYLES)
    changes(stylist, "house", [HOUSE], 70)
    ((beat, _),) = changes(stylist, "salsa", [HOUSE], 70 + STAY + 2 * PHRASE, start=70.1)
    assert beat >= 70 + STAY


def test_nothing_heard_nothing_changed() -> None:
    assert changes(StyleSelector(STYLES), "salsa", [()], 2000) == []


def test_a_pack_of_unknown_styles_is_told_once_and_left_alone() -> None:
    stylist = StyleSelector(("gavotte", "x"))
    assert stylist.note is not None
    assert changes(stylist, "x", [HOUSE], 2000) == []
    assert stylist.best(HOUSE) is None
    assert StyleSelector(STYLES).note is None


def test_a_genre_that_no_style_knows_is_danced_freely() -> None:
    ((_, style),) = changes(StyleSelector(STYLES), "salsa", [(("metal", 1.0),)], 100)
    assert style == "freestyle"
    assert StyleSelector(STYLES).best(LATIN) == "salsa"


@pytest.mark.parametrize("name", ["hiphop", "Hip-Hop", "hip hop, old school", "HIPHOP", "LA_hiphop"])
def test_styles_are_known_by_their_words(name: str) -> None:
    assert "hiphop" in words_of(name)
    assert worth("hiphop", name) == worth("hiphop", "hiphop") == 1
    assert worth("ballad", name) == 0


def test_each_written_style_has_its_music() -> None:
    for style in sorted({dance.style for dance in WRITTEN}):
        assert max(worth(genre, style) for genre in DANCES) >= 0.5, style


def test_what_suits_and_what_nobody_wants_to_see() -> None:
    stylist = StyleSelector(STYLES)
    suited = stylist.suited(HOUSE)
    assert stylist.best(HOUSE) in suited
    assert 0 < len(suited) < len(STYLES)
    assert stylist.suited(()) == ()
    stylist.never = frozenset(suited)
    assert not set(stylist.suited(HOUSE)) & set(suited)
    assert stylist.best(HOUSE) not in suited
    assert not {style for _, style in changes(stylist, "salsa", [HOUSE], 600)} & set(suited)
    stylist.never = frozenset(STYLES)
    assert stylist.best(HOUSE) is None
