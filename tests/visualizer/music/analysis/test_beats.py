"""The tracker on made-up activations: tempo, beat, bar, confidence, and songs heard whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from visualizer.music.analysis.beat_pipeline import nothing_heard
from visualizer.music.analysis.beats import (
    Activations,
    BeatTracker,
    Flux,
    TrackerParams,
    find_beats,
    salience_tempi,
)
from visualizer.music.analysis.features import HOPS_A_SECOND, Floats, row_time

Times = NDArray[np.float64]


def steady_beats(bpm: float, seconds: float, first: float = 0.2) -> Times:
    return np.arange(first, seconds, 60 / bpm)


def activations(beats: Times, seconds: float, meter: int = 4, music: float = 1.0, seed: int = 0) -> Activations:
    """What a good network makes of such beats: a bump on each, some noise between, bars from the first beat on."""
    rng = np.random.default_rng(seed)
    rows = int(seconds * HOPS_A_SECOND)
    times = np.asarray(row_time(np.arange(rows)))

    def bumps(at: Times, height: float) -> Floats:
        out = rng.uniform(0.0, 0.06, rows)
        for time in at:
            out = np.maximum(out, height * rng.uniform(0.7, 1.0) * np.exp(-0.5 * ((times - time) / 0.012) ** 2))
        return out.astype(np.float32)

    beat, downbeat = bumps(beats, 0.9), bumps(beats[::meter], 0.7)
    return nothing_heard(rows)._replace(beat=beat, downbeat=downbeat, music=np.full(rows, music, np.float32))


def follow(rows: Activations, tracker: BeatTracker | None = None) -> tuple[BeatTracker, NDArray]:
    """The tracker after all rows, and what it said after each second row: (time, bpm, beat, steady)."""
    tracker = tracker or BeatTracker()
    said = []
    for i in range(0, len(rows.beat) - 1, 2):
        pair = Activations(*(part[i : i + 2] for part in rows))
        tracker.push(pair, pair.beat)
        said.append((float(row_time(i + 1)), tracker.bpm, tracker.beat, tracker.steady))
    return tracker, np.array(said)


def error(beats: Times, time: float, beat: float) -> float:
    """Seconds by which a place in the beat is off, at a tempo that does not change."""
    gap = beats[1] - beats[0]
    return abs(math.remainder((time - beats[0]) / gap - beat, 1.0)) * gap


@settings(deadline=None, max_examples=12)
@given(st.floats(75, 180), st.floats(0.0, 0.6))
def test_any_tempo_and_place_is_found_within_five_seconds(bpm: float, first: float) -> None:
    beats = steady_beats(bpm, 10, first)
    _, said = follow(activations(beats, 10))
    for time, heard, beat, steady in said[said[:, 0] > 5]:
        assert steady
        assert heard == pytest.approx(bpm, rel=0.03)
        assert error(beats, time, beat) < 0.02
    late = said[said[:, 0] > 5]
    assert np.mean([error(beats, time, beat) for time, _, beat, _ in late]) < 0.008


def test_the_same_for_any_number_of_rows_at_once() -> None:
    rows = activations(steady_beats(133, 6), 6)
    one, _ = follow(rows)
    other = BeatTracker()
    for cut in np.split(np.arange(600), [1, 2, 50, 51, 333]):
        part = Activations(*(column[cut] for column in rows))
        other.push(part, part.beat)
    assert (other.bpm, other.beat, other.confidence) == (one.bpm, one.beat, one.confidence)


def test_a_new_tempo_is_found() -> None:
    before, after = steady_beats(100, 12), 12.1 + steady_beats(132, 10, 0.0)
    _, said = follow(activations(np.concatenate([before, after]), 22))
    late = said[said[:, 0] > 18]
    np.testing.assert_allclose(late[:, 1], 132, rtol=0.03)
    assert max(error(after, time, beat) for time, _, beat, _ in late) < 0.03


def test_a_tempo_that_drifts_is_followed() -> None:
    beats = np.cumsum(60 / np.linspace(100, 125, 60))
    _, said = follow(activations(beats, float(beats[-1])))
    for time, bpm, beat, _ in said[said[:, 0] > 6]:
        i = np.searchsorted(beats, time) - 1
        place = i + (time - beats[i]) / (beats[i + 1] - beats[i]) if i + 1 < len(beats) else beat
        assert abs(math.remainder(place - beat, 1.0)) < 0.08
        assert bpm == pytest.approx(60 / (beats[i] - beats[i - 1]), rel=0.05)


def test_the_beat_runs_on_through_a_break() -> None:
    beats = steady_beats(120, 24)
    played = beats[(beats < 10) | (beats > 14)]
    _, said = follow(activations(played, 24))
    for time, bpm, beat, _ in said[(said[:, 0] > 6) & (said[:, 0] < 23)]:
        assert bpm == pytest.approx(120, rel=0.03)
        assert error(beats, time, beat) < 0.04


def test_two_loud_bars_do_not_double_the_tempo() -> None:
    beats = steady_beats(110, 20)
    between = (beats[:-1] + beats[1:]) / 2
    fill = between[(between > 10) & (between < 11)]
    _, said = follow(activations(np.sort(np.concatenate([beats, fill])), 20))
    np.testing.assert_allclose(said[said[:, 0] > 6][:, 1], 110, rtol=0.04)


@pytest.mark.parametrize("meter", [3, 4])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_the_bar_is_counted(meter: int, missing: int) -> None:
    """Also where the music is joined in the middle of a bar."""
    beats = steady_beats(120, 30)
    rows = activations(beats[missing:], 30)  # for the noise
    rows = rows._replace(downbeat=activations(beats, 30, meter).downbeat)
    tracker, said = follow(rows)
    assert tracker.meter == meter
    assert tracker.bar_confidence > 0.8
    time, _, beat, _ = said[-1]
    assert abs(math.remainder((time - beats[0]) * 2 - beat, meter)) < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_no_beat_it_is_not_steady(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.cumsum(rng.exponential(0.5, 60))  # events as many as beats, at any time
    rows = activations(at, 30)
    _, said = follow(rows)
    assert said[:, 3].mean() < 0.2
    _, said = follow(rows._replace(music=np.zeros(3000, np.float32)))
    assert not said[:, 3].any()


def test_silence_leaves_it_unsure() -> None:
    tracker = BeatTracker()
    nothing = np.zeros(3000, np.float32)
    tracker.push(nothing_heard(len(nothing))._replace(music=nothing + 1), nothing)
    assert tracker.confidence < 0.2
    assert not tracker.steady


def test_flux_is_between_nothing_and_one_whatever_the_scale() -> None:
    rng = np.random.default_rng(0)
    onset = rng.exponential(0.2, 2000).astype(np.float32)
    made = Flux().push(onset)
    assert 0 <= made.min() <= made.max() <= 1
    assert np.all(Flux().push(np.zeros(100, np.float32)) == 0)


# --- heard whole -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bpm", "meter"), [(72, 4), (120, 3), (174, 4)])
def test_a_song_heard_whole(bpm: float, meter: int) -> None:
    beats = steady_beats(bpm, 30)
    rows = activations(beats, 30, meter)
    found = find_beats(rows, rows.beat)
    inside = beats[(beats > 1) & (beats < 29)]
    near = np.abs(found.beats[:, None] - inside).min(axis=0)
    assert near.max() < 0.012
    assert len(found.beats) == pytest.approx(len(beats), abs=2)
    bars = beats[::meter]
    assert np.abs(found.downbeats[:, None] - bars[1:-1]).min(axis=0).max() < 0.012
    assert found.meter == meter
    assert found.confidence > 0.5


def test_a_song_whose_tempo_jumps() -> None:
    beats = np.concatenate([steady_beats(90, 15), 15.3 + steady_beats(150, 15, 0.0)])
    rows = activations(beats, 30)
    found = find_beats(rows, rows.beat)
    assert np.mean(np.abs(found.beats[:, None] - beats).min(axis=0) < 0.03) > 0.95


@pytest.mark.parametrize("rows", [0, 1, 150, 3000])
def test_a_song_without_a_beat(rows: int) -> None:
    nothing = np.zeros(rows, np.float32)
    found = find_beats(nothing_heard(len(nothing)), nothing)
    assert found.confidence == 0
    assert set(found.downbeats) <= set(found.beats)


def test_hits_between_beats_are_counted_as_the_network_counts() -> None:
    """What sounds half-way between beats is less likely one, but not by much; the network's phase makes it clear."""
    seconds, beats = 20.0, steady_beats(90, 20)
    every = activations(steady_beats(180, seconds), seconds)
    times = np.asarray(row_time(np.arange(len(every.beat))))
    turn = (times - beats[0]) * 90 / 60
    between = np.abs((turn % 1.0) - 0.5) < 0.25
    rows = every._replace(beat=np.where(between, 0.45 * every.beat, every.beat).astype(np.float32))
    phase = 0.9 * np.stack([np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)], axis=1).astype(np.float32)
    unsure, _ = follow(rows)
    assert unsure.bpm == pytest.approx(180, rel=0.02)
    sure, said = follow(rows._replace(phase=phase))
    assert sure.bpm == pytest.approx(90, rel=0.02)
    assert error(beats, said[-1, 0], sure.beat) < 0.02


@pytest.mark.parametrize("bpm", [75.0, 150.0])
def test_the_networks_tempo_decides_the_octave(bpm: float) -> None:
    """Hits in eighths, every other one weaker: what the network says of the tempo tells which of them are beats."""
    seconds, beats = 24.0, steady_beats(75, 24.0)
    rows = activations(steady_beats(150, seconds), seconds)
    turn = (np.asarray(row_time(np.arange(len(rows.beat)))) - beats[0]) * 75 / 60
    weaker = np.where(np.abs(turn % 1.0 - 0.5) < 0.25, 0.6, 1.0)
    tempo = np.exp(-0.5 * (np.log2(salience_tempi(48) / bpm) / 0.06) ** 2) + 1e-3
    tempo = np.tile((tempo / tempo.sum()).astype(np.float32), (len(rows.beat), 1))
    rows = rows._replace(beat=(weaker * rows.beat).astype(np.float32), tempo=tempo)
    heard, _ = follow(rows, BeatTracker(TrackerParams(salience=1.0)))
    assert heard.bpm == pytest.approx(bpm, rel=0.02)
    found = find_beats(rows, rows.beat)
    assert 60 / np.median(np.diff(found.beats)) == pytest.approx(bpm, rel=0.02)
