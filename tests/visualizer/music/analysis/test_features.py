"""Streaming features: block size is of no consequence, nor is the volume to onsets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_sound import beat_track
from visualizer.music.analysis.features import (
    HOP,
    MELS,
    RATE,
    WINDOW,
    Features,
    FeatureStream,
    Floats,
    Leveller,
    Levels,
    make_mel_filters,
    row_time,
    spread_by_mel,
)


@pytest.mark.parametrize("count", [8, 40, MELS])
@pytest.mark.parametrize(("low", "high"), [(30.0, 11_000.0), (0.0, 12_000.0), (200.0, 2500.0)])
def test_mel_filters_are_those_of_librosa_to_the_last_bit(count: int, low: float, high: float) -> None:
    import librosa

    theirs = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=count, fmin=low, fmax=high, norm=None)
    np.testing.assert_array_equal(make_mel_filters(count, low, high), theirs)
    np.testing.assert_array_equal(spread_by_mel(count, low, high), librosa.mel_frequencies(count, fmin=low, fmax=high))


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


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 6000), max_size=20))
def test_same_levels_for_any_blocks(cuts: list[int]) -> None:
    stream, whole, cut = FeatureStream(), Leveller(), Leveller()
    expected, levels = whole.push(FeatureStream().push(NOISE)), None
    for block in np.split(NOISE, sorted(cuts)):
        levels = cut.push(stream.push(block))
    assert levels == pytest.approx(expected, abs=1e-4)
    assert (cut.short, cut.long) == pytest.approx((whole.short, whole.long), abs=1e-3)


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


def test_a_kick_is_an_onset_of_the_bass_and_a_hat_of_the_treble() -> None:
    rng = np.random.default_rng(4)
    room = rng.standard_normal(RATE).astype(np.float32) * 1e-3
    t = np.arange(RATE // 10) / RATE
    kick, hat = room.copy(), room.copy()
    kick[RATE // 2 :][: len(t)] += np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.03) * np.minimum(t / 0.01, 1)
    splash = np.diff(rng.standard_normal(len(t) + 1), n=1)  # a difference: little below 2.5 kHz
    hat[RATE // 2 :][: len(t)] += 0.01 * splash * np.exp(-t / 0.02)
    near = slice(45, 60)
    onsets = FeatureStream().push(kick).onsets[near].max(axis=0)
    assert onsets[0] > 2 * onsets[1:].max()
    onsets = FeatureStream().push(hat).onsets[near].max(axis=0)
    assert onsets[2] > 1.2 * onsets[:2].max()


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


@pytest.mark.parametrize("change", [0.03, 30.0])
def test_the_gain_settles_in_three_seconds(change: float) -> None:
    """Whether the volume falls or rises by 30 dB."""
    noise = np.random.default_rng(0).standard_normal(12 * RATE).astype(np.float32) * np.float32(0.2 / max(change, 1))
    noise[6 * RATE :] *= np.float32(change)
    stream, leveller = FeatureStream(), Leveller()
    before = leveller.push(stream.push(noise[: 6 * RATE]))
    at_once = leveller.push(stream.push(noise[6 * RATE :][: RATE // 2]))
    settled = leveller.push(stream.push(noise[6 * RATE :][RATE // 2 : 3 * RATE]))
    assert before is not None and at_once is not None and settled is not None  # noqa: PT018
    assert settled.loudness == pytest.approx(before.loudness, abs=0.1)
    assert settled.treble == pytest.approx(before.treble, abs=0.1)
    if change < 1:
        assert at_once.loudness < 0.2  # until then a fall is a fall


def test_a_break_leaves_the_gain_alone() -> None:
    noise = np.random.default_rng(0).standard_normal(20 * RATE).astype(np.float32) * np.float32(0.2)
    noise[5 * RATE : 15 * RATE] *= np.float32(1e-4)
    noise[15 * RATE :] *= np.float32(0.1)  # what comes after the break is 20 dB down, and that is seen
    stream, leveller = FeatureStream(), Leveller()
    leveller.push(stream.push(noise[: 15 * RATE]))
    after = leveller.push(stream.push(noise[15 * RATE :][: RATE // 2]))
    assert after is not None
    assert 0.05 < after.loudness < 0.4


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
