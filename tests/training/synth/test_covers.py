"""Human drummers play over songs and over rule-written bands, and everybody keeps the same beats."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_scores import make_groove, make_pop909
from training.synth.covers import GROOVE_FILE, POP_FILE, Library, cover, jam


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("scores")
    make_groove(folder / GROOVE_FILE)
    make_pop909(folder / POP_FILE)
    return Library.open(folder)


def far_from_beats(times: list[float], beats: np.ndarray) -> np.ndarray:
    gap = np.median(np.diff(beats))
    grid = np.concatenate([beats, [beats[-1] + gap]])
    return np.abs(np.array(times)[:, None] - grid).min(axis=1) / gap


@pytest.mark.parametrize("seed", range(6))
def test_the_beats_of_a_cover_are_the_drummers_and_the_songs(seed: int, library: Library) -> None:
    tune = cover(seed, library, 24.0)
    bpm = 60 / np.median(np.diff(tune.beats))
    assert 60 < bpm < 105  # the song is at 70, the drummers at 75 and 100
    assert tune.seconds == pytest.approx(24, abs=4)
    np.testing.assert_array_equal(tune.downbeats, tune.beats[::4])
    kicks = [s.time for s in tune.sounds if s.part == "drums" and s.pitch == 36]
    song = [s.time for s in tune.sounds if s.part == "chords"]
    assert len(kicks) + len(song) > 10
    for times in (kicks, song):
        if times:
            assert np.median(far_from_beats(times, tune.beats)) < 0.03


def test_the_seed_decides_a_cover(library: Library) -> None:
    one, again, other = cover(1, library), cover(1, library), cover(2, library)
    assert one.sounds == again.sounds
    assert one.sounds != other.sounds
    assert {"drums", "bass", "chords", "lead", "bridge"} == set(one.parts)


@pytest.mark.parametrize("seed", range(4))
def test_a_jam_has_a_human_drummer(seed: int, library: Library) -> None:
    tune = jam(seed, library, 20.0)
    assert set(tune.bars.tolist()) == {4}
    drums = [s for s in tune.sounds if s.part == "drums"]
    assert {s.pitch for s in drums} <= {36, 38, 42}
    assert np.median(far_from_beats([s.time for s in drums if s.pitch == 36], tune.beats)) < 0.01
    assert 65 < 60 / np.median(np.diff(tune.beats)) < 115
