"""Beats found in movement, against dances whose beats are known because they were written in musical time."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from tests.training.made_clips import FPS, dance_motion
from training.choreography import DANCES, perform
from training.motion.beats import Beats, deceleration, find_beats, to_musical_time
from visualizer.dancer.pack import STEPS_PER_BEAT

NEAR = 0.060  # seconds


@functools.cache
def found(name: str, bpm: float) -> tuple[np.ndarray, np.ndarray, Beats]:
    """Positions, true beat times and found beats of a written dance at `bpm`."""
    positions, true = dance_motion(name, bpm, 32, lead_in=0.3)
    return positions, true, find_beats(positions, FPS)


def misses(times: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Signed seconds from each found beat to the nearest true one."""
    gap = times[:, None] - true[None]
    return gap[np.arange(len(times)), np.abs(gap).argmin(axis=1)]


def standing() -> np.ndarray:
    return perform(DANCES[0]).positions[:1]


@pytest.mark.parametrize("name", ["jack", "sidewalk stomp", "bounce and rock"])
@pytest.mark.parametrize("bpm", [100, 120, 140])
def test_beats_are_found_where_they_are(name: str, bpm: int) -> None:
    _, true, beats = found(name, bpm)
    assert beats.steady
    assert beats.accent > 1.25
    assert beats.bpm == pytest.approx(bpm, rel=0.04)
    gap = misses(beats.times, true)
    assert np.mean(np.abs(gap) <= NEAR) >= 0.9
    assert abs(np.median(gap)) < 0.03  # no lag either
    assert len(beats.times) >= 24  # of 32, less up to three before the first bar and the ends


@pytest.mark.parametrize("name", ["sidewalk stomp", "bounce and rock"])
def test_a_slow_song_is_danced_twice_as_fast(name: str) -> None:
    _, true, beats = found(name, 70)
    assert beats.bpm == pytest.approx(140, rel=0.04)
    halves = np.sort(np.concatenate([true, (true[1:] + true[:-1]) / 2]))
    assert np.mean(np.abs(misses(beats.times, halves)) <= NEAR) >= 0.9


@pytest.mark.parametrize("name", ["jack", "bounce and rock"])
def test_a_fast_song_is_danced_half_as_fast(name: str) -> None:
    _, true, beats = found(name, 180)
    assert beats.bpm == pytest.approx(90, rel=0.04)
    assert np.mean(np.abs(misses(beats.times, true)) <= NEAR) >= 0.9


def test_all_paces_fold_into_the_dancing_range() -> None:
    for name, bpm in (("sidewalk stomp", 70), ("jack", 100), ("jack", 140), ("jack", 180)):
        assert 80 <= found(name, bpm)[2].bpm <= 160


def test_a_body_that_drifts_has_no_beat() -> None:
    t = np.arange(0, 20, 1 / FPS)
    path = np.stack([0.2 * t, 0 * t, 0.1 * np.sin(2 * np.pi * t / 13)], axis=-1)[:, None]
    assert not find_beats((standing() + path).astype(np.float32), FPS).steady


def test_a_frozen_body_has_no_beat() -> None:
    beats = find_beats(np.repeat(standing(), 900, axis=0), FPS)
    assert not beats.steady
    assert len(beats.times) == 0


def test_a_clip_that_is_too_short_has_no_beat() -> None:
    positions, _ = dance_motion("jack", 120, 8)
    assert not find_beats(positions, FPS).steady


def test_aimless_movement_is_less_on_the_beat_than_any_dance() -> None:
    noise = np.random.default_rng(1).normal(size=(1200, 21, 3))
    beats = find_beats((standing() + 0.5 * gaussian_filter1d(noise, 30, axis=0)).astype(np.float32), FPS)
    assert not beats.steady


def test_braking_is_in_metres_a_second_squared() -> None:
    # All joints slow down from 3 to 0 m/s within one second: 3 m/s² in the middle of it, nothing after.
    t = np.arange(0, 2, 1 / FPS)
    x = np.where(t < 1, 3 * t - 1.5 * t**2, 1.5)
    positions = np.zeros((len(t), 21, 3), dtype=np.float32)
    positions[:, :, 0] = x[:, None]
    braking = deceleration(positions, FPS)
    assert braking[30] == pytest.approx(3.0, rel=0.02)
    assert braking[90:110].max() < 0.01


@pytest.mark.parametrize("bpm", [100, 140])
def test_musical_time_puts_accents_on_the_beat(bpm: int) -> None:
    positions, _, beats = found("bounce and rock", bpm)
    motion = to_musical_time(positions, FPS, beats.times)
    assert motion.dtype == np.float32
    assert len(motion) == (len(beats.times) - 1) * STEPS_PER_BEAT + 1
    # Braking in musical time, folded onto one beat, peaks within two sixteenths of a beat before the line.
    folded = deceleration(motion, STEPS_PER_BEAT)[: len(beats.times[:-1]) * STEPS_PER_BEAT]
    profile = folded.reshape(-1, STEPS_PER_BEAT)[1:-1].mean(axis=0)
    peak = (int(profile.argmax()) + STEPS_PER_BEAT // 2) % STEPS_PER_BEAT - STEPS_PER_BEAT // 2
    assert -3 <= peak <= 1
    assert profile.max() > 1.5 * profile.mean()


def test_musical_time_undoes_an_uneven_pace() -> None:
    # A point that moves one metre a beat while the beats come at an uneven pace.
    beats = np.cumsum([0.4, 0.5, 0.52, 0.48, 0.5, 0.55, 0.5, 0.47])
    t = np.arange(0, 4.4, 1 / FPS)
    musical = np.interp(t, beats, np.arange(len(beats)))
    positions = np.repeat(musical[:, None, None], 21, axis=1) * np.ones(3)
    motion = to_musical_time(positions.astype(np.float32), FPS, beats)
    on_lines = motion[::STEPS_PER_BEAT, 0, 0]
    np.testing.assert_allclose(on_lines, np.arange(len(beats)), atol=0.03)
