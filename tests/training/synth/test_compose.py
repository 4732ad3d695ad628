"""Tunes know when their beats fall, and sound when they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.needs import needs, needs_program
from training.synth.compose import Sound, Tune, compose
from training.synth.genres import GENRES, MACHINES, VOICES
from training.synth.plan import Part
from training.synth.render import SOUNDFONTS, check_synthesiser, drum, play
from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE


@pytest.mark.parametrize("genre", list(GENRES))
def test_every_genre_keeps_its_bars(genre: str) -> None:
    style = GENRES[genre]
    for seed in range(3):
        tune = compose(seed, 20, genre)
        assert tune.genre == genre
        gaps = np.diff(tune.beats)
        assert gaps.min() > 60 / 206
        assert gaps.max() < 60 / 41
        assert tune.bars.sum() == len(tune.beats)
        np.testing.assert_allclose(tune.downbeats, tune.beats[np.cumsum(tune.bars) - tune.bars])
        assert abs(tune.seconds - 20) < 12
        if genre != "anything":
            assert np.isin(tune.bars, [style.meter, 2, 3, 6]).all()
        assert all(0 <= s.pitch < 128 and 0 <= s.loud <= 1 and s.seconds > 0 for s in tune.sounds)


def test_grooves_fill_whole_bars() -> None:
    for name, genre in GENRES.items():
        bar = genre.meter * genre.steps
        for groove in genre.grooves:
            words = groove.split()
            assert set(words[::2]) <= set(VOICES), (name, groove)
            for signs in words[1::2]:
                assert len(signs) % bar == 0 or bar % len(signs) == 0, (name, groove, signs)


def test_the_seed_decides() -> None:
    one, same, other = compose(5), compose(5), compose(6)
    assert one.sounds == same.sounds
    np.testing.assert_array_equal(one.beats, same.beats)
    assert one.sounds != other.sounds


def test_a_house_kick_is_on_the_beat_and_a_reggae_kick_mostly_not() -> None:
    def share_of_beats_kicked(genre: str) -> float:
        shares = []
        for seed in range(12):
            tune = compose(seed, 30, genre)
            kicks = np.array([s.time for s in tune.sounds if s.part == "drums" and s.pitch == VOICES["K"]])
            if len(kicks) < 8:
                continue
            within = tune.beats[(tune.beats > kicks[0]) & (tune.beats < kicks[-1])]
            shares.append(np.mean([np.abs(kicks - b).min() < 0.04 for b in within]))
        return float(np.median(shares))

    assert share_of_beats_kicked("house") > 0.7
    assert share_of_beats_kicked("reggae") < 0.6


def test_the_many_forms_of_music_are_there() -> None:
    tunes = [compose(seed) for seed in range(120)]
    assert len({t.genre for t in tunes}) > 25
    tempi = [60 / np.median(np.diff(t.beats)) for t in tunes]
    assert min(tempi) < 70
    assert max(tempi) > 165
    assert any(np.diff(t.beats).std() > 0.01 for t in tunes)
    assert any(np.diff(t.beats).std() < 1e-6 for t in tunes)
    silent = [not any(s.part == "drums" and s.time < t.seconds / 4 for s in t.sounds) for t in tunes]
    assert 0.05 < np.mean(silent) < 0.6  # begins without drums


def clicks(machine: str, times: np.ndarray) -> Tune:
    part = Part(program=0, machine=machine)
    sounds = [Sound(float(t), 0.1, "drums", VOICES["R"], 1.0) for t in times]
    return Tune("clicks", sounds, {"drums": part}, times, times[::4], np.full(len(times[::4]), 4), float(times[-1]) + 1)


def onsets(samples: np.ndarray) -> np.ndarray:
    """Seconds at which the sound first passes a tenth of its peak after a silence."""
    loud = np.abs(samples) > 0.1 * np.abs(samples).max()
    at = np.flatnonzero(loud) / RATE
    return at[np.concatenate([[True], np.diff(at) > 0.2])]


def test_machine_drums_sound_when_the_score_says() -> None:
    times = 0.3 + np.arange(8) * 0.5137
    found = onsets(play(clicks("909", times), 1))
    assert len(found) == len(times)
    np.testing.assert_allclose(found, times, atol=0.003)


def test_fluidsynth_sounds_when_the_score_says() -> None:
    needs_program("fluidsynth")
    needs(SOUNDFONTS[0].is_file(), str(SOUNDFONTS[0]))
    times = 0.3 + np.arange(8) * 0.5137
    found = onsets(play(clicks("", times), 1))
    assert len(found) == len(times)
    np.testing.assert_allclose(found, times, atol=0.008)


def test_a_drummer_may_be_early_for_the_first_beat() -> None:
    needs_program("fluidsynth")
    needs(SOUNDFONTS[0].is_file(), str(SOUNDFONTS[0]))
    kicks = [Sound(time, 0.2, "drums", VOICES["K"], 0.9) for time in (-0.02, 0.5, 1.0)]
    tune = replace(clicks("909", np.array([0.5, 1.0])), sounds=kicks, pump=0.7)
    assert np.isfinite(play(tune, 1)).all()


@pytest.mark.parametrize("machine", MACHINES)
def test_every_drum_has_a_sound(machine: str) -> None:
    for key in VOICES.values():
        sound = drum(key, machine, np.random.default_rng(key))
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() > 0.05
        early = np.square(sound[: RATE // 20]).sum()
        assert early > 0.1 * np.square(sound).sum()  # it starts at once


def test_a_missing_soundfont_is_one_line(tmp_path: Path) -> None:
    needs_program("fluidsynth")
    with pytest.raises(UserError, match="no such soundfont"):
        check_synthesiser((tmp_path / "none.sf2",))
