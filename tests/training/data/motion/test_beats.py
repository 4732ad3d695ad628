"""Beats found in movement, against dances whose beats are known because they were written in musical time."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from tests.support.made_clips import FPS, dance_motion
from training.data.choreography import DANCES, perform
from training.data.motion.beats import (
    Beats,
    dancing_part,
    deceleration,
    find_beats,
    find_tempo,
    phrase_novelty,
    tempo_is_sure,
    to_musical_time,
)
from training.data.motion.skeleton import INDEX, mirror
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT

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


FINE = 48  # steps a beat


def medley(names: list[str], skip: float = 0.0) -> np.ndarray:
    """Eight beats of each of the named dances in turn, `FINE` steps a beat, from beat `skip` on.

    A dancer needs half a beat from one to the next, as in life: a cut would be an accent of its own.
    """
    parts = [perform(next(d for d in DANCES if d.name == n), 0.7, FINE, seed=k).positions[: 8 * FINE]
             for k, n in enumerate(names)]  # fmt: skip
    half = FINE // 2
    blend = np.linspace(0, np.pi, half)[:, None, None]
    for one, other in itertools.pairwise(parts):
        one[-half:] += (0.5 - 0.5 * np.cos(blend)).astype(np.float32) * (other[-half:] - one[-half:])
    return np.concatenate(parts)[round(skip * FINE) :]


def at_pace(motion: np.ndarray, bpm: float) -> np.ndarray:
    """Motion in `FINE` steps a beat -> positions at `FPS` when danced at `bpm`."""
    seconds = np.arange(0, (len(motion) - 1) / FINE * 60 / bpm, 1 / FPS)
    return CubicSpline(np.arange(len(motion)) / FINE, motion, axis=0)(seconds * bpm / 60).astype(np.float32)


PAIRS = [
    ("classic twist", "star jumps"), ("jack", "fist pump"), ("crowd wave", "knee swap"),
    ("box arms", "salsa side"), ("horse rider", "mirror ball arms"), ("bounce and rock", "two-arm wave"),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_a_new_dance_is_new_where_it_begins(pair: tuple[str, str]) -> None:
    motion = medley([*pair] * 3)[:: FINE // STEPS_PER_BEAT]
    novelty = phrase_novelty(motion)
    assert len(novelty) == 48
    assert np.isnan(novelty[[0, 3, 45, 47]]).all()
    seen = [np.nanmean(novelty[k::PHRASE_BEATS]) for k in range(PHRASE_BEATS)]
    assert np.argmax(seen) in (0, 1, 7)
    assert seen[0] > seen[4] + 0.02


def test_what_is_danced_mirrored_is_not_new() -> None:
    same = medley(["side lunge reach"])[:: FINE // STEPS_PER_BEAT]
    turns = np.concatenate([same, mirror(same)] * 3)
    other = medley(["side lunge reach", "star jumps"] * 3)[:: FINE // STEPS_PER_BEAT]
    assert np.nanmax(phrase_novelty(turns)[8::8]) < 0.3 * np.nanmin(phrase_novelty(other)[8:40:8])


def test_phrases_begin_where_new_dances_do() -> None:
    """Two dances that take turns every eight beats, joined on any beat: by luck one of eight would be right."""
    right, trials = 0, 0
    for number, pair in enumerate(PAIRS):
        for skip in (1.4, 4.6, 6.4):
            bpm = 100 + 9 * number
            beats = find_beats(at_pace(medley([*pair] * 3, skip), bpm), FPS)
            assert beats.phrase in (0, 4)
            true = beats.times[beats.phrase] * bpm / 60 + skip  # in beats; a whole phrase if it was found
            right += abs((true + 4) % 8 - 4) < 0.35
            trials += 1
    assert right >= 0.6 * trials, f"{right} of {trials}"


def test_the_pattern_of_the_steps_tells_the_tempo_where_brakes_mislead() -> None:
    """Legs that come back every four beats of 84; arms that brake about every beat of 105, a little early or late."""
    rng = np.random.default_rng(4)
    t = np.arange(0, 40, 1 / FPS)
    positions = np.repeat(standing(), len(t), axis=0).astype(np.float64)
    phase = 2 * np.pi * t / (4 * 60 / 84)
    for joint in ("left_knee", "right_knee", "left_ankle", "right_ankle"):
        for k in (1, 2, 3):
            wave = rng.normal(size=3) * np.sin(k * phase + rng.uniform(0, 6.3))[:, None]
            positions[:, INDEX[joint]] += 0.05 * wave / k
    stops = np.arange(1, 68) * 60 / 105 + rng.normal(0, 0.04, 67)
    for joint in ("left_wrist", "right_wrist", "left_elbow", "right_elbow", "head"):
        there = np.interp(t, np.sort([*(stops - 0.3), *stops]), np.repeat(np.arange(68) % 2, 2)[1:-1])
        positions[:, INDEX[joint], 0] += 0.2 * there
    positions = positions.astype(np.float32)
    assert find_tempo(positions, FPS, shortest=1e9) == pytest.approx(105, rel=0.03)  # by its brakes alone
    assert find_tempo(positions, FPS) == pytest.approx(84, rel=0.03)


def test_a_tempo_that_changes_is_not_sure() -> None:
    slow, fast = (dance_motion("bounce and rock", bpm, 32)[0] for bpm in (96, 132))
    assert tempo_is_sure(slow, FPS)
    assert tempo_is_sure(fast, FPS)
    assert not tempo_is_sure(np.concatenate([slow, fast]), FPS)


def test_the_pose_a_capture_was_calibrated_in_is_no_beat() -> None:
    """Some captures begin in a pose with spread arms and are in the dance a few frames later: the hardest brake."""
    clean, _ = dance_motion("bounce and rock", 120, 32, lead_in=0.3)
    spread = clean.copy()
    spread[:5, 5:13] += np.linspace(0.6, 0, 5, dtype=np.float32)[:, None, None]
    assert deceleration(spread, FPS)[:10].max() > 3 * deceleration(clean, FPS).max()
    found_clean, found_spread = find_beats(clean, FPS), find_beats(spread, FPS)
    assert found_spread.times[0] > 0.15
    np.testing.assert_allclose(found_spread.times, found_clean.times, atol=0.02)


def test_standing_about_is_not_danced() -> None:
    danced, true = dance_motion("bounce and rock", 120, 32)
    before, after = np.repeat(danced[:1], 180, axis=0), np.repeat(danced[-1:], 240, axis=0)
    whole = np.concatenate([before, danced, after])
    begin, end = dancing_part(whole, FPS)
    assert abs(begin - 180) < 30
    assert abs(end - (180 + len(danced))) < 30
    beats = find_beats(whole, FPS)
    assert beats.times[0] > 2.5
    assert beats.times[-1] < 3.0 + len(danced) / FPS + 0.6
    assert np.mean(np.abs(misses(beats.times, true + 3.0)) <= NEAR) >= 0.9
    assert dancing_part(np.repeat(danced[:1], 600, axis=0), FPS) == (0, 0)
