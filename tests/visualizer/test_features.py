"""Streaming features: block size is of no consequence, nor is the volume to onsets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.music.features import HOP, RATE, Features, FeatureStream, Floats, Leveller, Levels, row_time


def beat_track(bpm: float, seconds: float, first: float = 0.3, gain: float = 0.5) -> tuple[Floats, np.ndarray]:
    """Kicks in faint noise, float32 at RATE; and their times."""
    rng = np.random.default_rng(1)
    y = rng.standard_normal(int(seconds * RATE)) * 1e-3
    times = np.arange(first, seconds - 0.2, 60 / bpm)
    t = np.arange(int(0.12 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.04) * np.minimum(t / 0.001, 1)
    for time in times:
        k = round(time * RATE)
        y[k : k + len(kick)] += kick
    return (gain * y).astype(np.float32), times


def in_blocks(samples: Floats, cuts: list[int]) -> Features:
    stream = FeatureStream()
    parts = [stream.push(block) for block in np.split(samples, sorted(cuts))]
    return Features(*(np.concatenate([getattr(p, name) for p in parts]) for name in Features.__dataclass_fields__))


NOISE = np.random.default_rng(0).standard_normal(6000).astype(np.float32) * 0.1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 6000), max_size=40))
def test_same_numbers_for_any_blocks(cuts: list[int]) -> None:
    whole, cut = FeatureStream().push(NOISE), in_blocks(NOISE, cuts)
    assert len(whole.mel) == 6000 // HOP
    for name in Features.__dataclass_fields__:
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), rtol=2e-4, atol=2e-5, err_msg=name)


def test_nothing_waits_for_the_future() -> None:
    other = NOISE.copy()
    other[3000:] = 0.9
    ours, theirs = FeatureStream().push(NOISE), FeatureStream().push(other)
    rows = 3000 // HOP
    np.testing.assert_array_equal(ours.mel[:rows], theirs.mel[:rows])
    assert not np.allclose(ours.mel[rows + 1], theirs.mel[rows + 1])


def test_onsets_do_not_mind_the_volume() -> None:
    loud, _ = beat_track(120, 4)
    loud += 0.01 * np.random.default_rng(3).standard_normal(len(loud)).astype(np.float32)  # a room is never silent
    quiet = FeatureStream().push(loud * np.float32(0.1)).onset
    np.testing.assert_allclose(quiet[20:], FeatureStream().push(loud).onset[20:], atol=0.02)


def test_onsets_sound_when_row_time_says() -> None:
    samples, times = beat_track(100, 6)
    onset = FeatureStream().push(samples).onset
    for time in times:
        near = slice(round(time * 100) - 5, round(time * 100) + 9)
        peak = near.start + int(np.argmax(onset[near]))
        assert abs(float(row_time(peak)) - time) < 0.02


def test_power_is_the_mean_square() -> None:
    t = np.arange(RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    features = FeatureStream().push(tone)
    assert features.power[50] == pytest.approx(0.125, rel=0.01)
    assert features.bands[50, 1] == pytest.approx(0.125, rel=0.01)
    assert features.bands[50, 0] < 1e-4 > features.bands[50, 2]


def levels_of(samples: Floats, leveller: Leveller) -> Levels:
    levels = leveller.push(FeatureStream().push(samples))
    assert levels is not None
    return levels


@pytest.mark.parametrize("gain", [0.005, 0.05, 0.5])
def test_levels_do_not_mind_the_gain_of_the_microphone(gain: float) -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE).astype(np.float32)
    levels = levels_of(noise * np.float32(gain), Leveller())
    assert 0.8 < levels.loudness <= 1
    assert all(0 <= value <= 1 for value in levels)


def test_silence_is_not_turned_up() -> None:
    hiss = np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32) * np.float32(1e-4)
    levels = levels_of(hiss, Leveller())
    assert levels.loudness == levels.bass == levels.treble == 0
    assert levels.energy < 0.15


def test_energy_rises_with_the_music() -> None:
    quiet, _ = beat_track(60, 30, gain=0.05)
    loud, _ = beat_track(180, 12, gain=0.5)
    leveller = Leveller()
    before = levels_of(quiet, leveller).energy
    after = levels_of(loud, leveller).energy
    assert after > before + 0.2
