"""Bars: what the network cannot tell apart, kick and harmony do."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.music.analysis.beat_pipeline import nothing_heard
from visualizer.music.analysis.beats import BeatTracker, TrackerParams
from visualizer.music.analysis.downbeat import COLOUR_ROWS, LOW, BarCounter, DownbeatFeatures, DownbeatScorer
from visualizer.music.analysis.features import HOPS_A_SECOND

ROWS_A_BEAT = 50  # 120 BPM


def band(beats: int, first: int, seed: int = 1) -> DownbeatFeatures:
    """A kick on the beats that open a bar of four and on the third, louder on the first; a chord a bar; a snare."""
    rng = np.random.default_rng(seed)
    rows = beats * ROWS_A_BEAT
    low = rng.normal(-8, 0.3, (rows, LOW)).astype(np.float32)
    bands = np.full((rows, 2), 1e-4, np.float32)
    chord = rng.choice(LOW, 5, replace=False)
    for beat in range(beats):
        at, place = beat * ROWS_A_BEAT, (beat - first) % 4
        if place == 0:
            chord = rng.choice(LOW, 5, replace=False)
        low[at : at + ROWS_A_BEAT, chord] += 4
        kick = slice(at, at + 12)
        bands[kick, 0] *= (30, 1, 12, 1)[place]
        bands[kick, 1] *= (1, 20, 1, 20)[place]
    return DownbeatFeatures(low, bands)


def signs(clues: DownbeatFeatures) -> np.ndarray:
    found = DownbeatScorer()
    starts = range(0, len(clues.low) - COLOUR_ROWS, ROWS_A_BEAT)
    return np.array([found.push(DownbeatFeatures(*(part[at : at + COLOUR_ROWS] for part in clues))) for at in starts])


@pytest.mark.parametrize("first", range(4))
def test_kick_and_harmony_speak_for_the_first_of_the_bar(first: int) -> None:
    said = signs(band(64, first))[8:]
    places = [said[(first - 8 + k) % 4 :: 4].mean() for k in range(4)]
    assert int(np.argmax(places)) == 0, places
    assert places[0] > 0.3
    assert max(places[1:]) < 0.1


def test_loudness_is_of_no_consequence() -> None:
    quiet = band(32, 0)
    loud = DownbeatFeatures(quiet.low + np.float32(3), quiet.bands * np.float32(100))
    assert signs(loud) == pytest.approx(signs(quiet), abs=1e-3)


def test_silence_says_nothing() -> None:
    rows = 40 * ROWS_A_BEAT
    nothing = DownbeatFeatures(np.full((rows, LOW), -23.0, np.float32), np.zeros((rows, 2), np.float32))
    assert np.abs(signs(nothing)).max() == 0


def heard(first: int, with_clues: bool) -> float:
    """Share of the last beats' bars that begin where they should; the network takes the first for the third."""
    beats = 64
    rows = beats * ROWS_A_BEAT
    beat, downbeat, music = np.full((3, rows), 0.02, np.float32)
    music[:] = 1
    for n in range(beats):
        at = slice(n * ROWS_A_BEAT + 1, n * ROWS_A_BEAT + 3)
        beat[at] = 0.9
        downbeat[at] = 0.5 if (n - first) % 2 == 0 else 0.05
    tracker, clues, right = BeatTracker(), band(beats, first), []
    for i in range(0, rows, 2):
        pair = slice(i, i + 2)
        told = DownbeatFeatures(*(part[pair] for part in clues)) if with_clues else None
        heard = nothing_heard(2)._replace(beat=beat[pair], downbeat=downbeat[pair], music=music[pair])
        tracker.push(heard, beat[pair], told)
        if i > 40 * ROWS_A_BEAT and i % ROWS_A_BEAT == 20:
            right.append((round(tracker.beat - 0.4) - (i // ROWS_A_BEAT - first)) % tracker.meter == 0)
    return float(np.mean(right))


@pytest.mark.parametrize("first", range(4))
def test_the_tracker_finds_the_first_that_the_network_cannot_tell_from_the_third(first: int) -> None:
    assert heard(first, with_clues=True) == 1.0


def test_without_clues_it_cannot() -> None:
    """The test above would tell."""
    assert min(heard(first, with_clues=False) for first in range(4)) < 0.5


def test_a_sign_counts_for_no_beat_that_was_not_listened_to() -> None:
    bar, other = (BarCounter(TrackerParams().bar_weight, TrackerParams().bar_slip) for _ in range(2))
    for n in range(1, 20):
        bar.beat(n, None, 1.0 if n % 4 == 1 else 0.0)
        other.beat(n, None)
    assert bar.confidence == other.confidence
    assert HOPS_A_SECOND * 60 / 120 == ROWS_A_BEAT
