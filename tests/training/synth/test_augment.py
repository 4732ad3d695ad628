"""A party spoils the sound, but leaves the beats where they were."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.needs import needs_program
from training.synth.augment import Harm, clicks, crowd, degrade, harm, harm_at_once, room, speak, without_music
from visualizer.music.analysis.features import HOPS_A_SECOND, RATE, FeatureStream

SPEAKERS = [np.random.default_rng(3).standard_normal(RATE * 2).astype(np.float32) * 0.1]


def hits(seconds: float = 6.0) -> np.ndarray:
    """Noise bursts half a second apart, in faint noise."""
    rng = np.random.default_rng(1)
    out = 1e-3 * rng.standard_normal(int(seconds * RATE))
    burst = rng.standard_normal(2400) * np.exp(-np.arange(2400) / 400)
    for k in range(1, int(seconds * 2)):
        out[k * RATE // 2 : k * RATE // 2 + 2400] += 0.3 * burst
    return out.astype(np.float32)


def test_beats_stay_where_they_were() -> None:
    clean = FeatureStream().push(hits()).onset
    for seed in range(12):
        rng = np.random.default_rng(seed)
        how = harm(rng)
        spoiled = FeatureStream().push(degrade(hits(), how, rng, SPEAKERS)).onset
        start = int(HOPS_A_SECOND)
        likeness = [np.dot(clean[start:-20], np.roll(spoiled, -lag)[start:-20]) for lag in range(-10, 11)]
        assert abs(int(np.argmax(likeness)) - 10) <= 1, how


def test_spoiled_sound_is_sound_of_the_same_length() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        how = harm(rng)
        out = degrade(hits(2), how, rng, SPEAKERS)
        assert out.dtype == np.float32
        assert len(out) == 2 * RATE
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 1
        assert np.abs(out).max() > 0
        np.testing.assert_allclose(20 * np.log10(np.abs(out).max()), how.gain, atol=0.3)
    one, same = (degrade(hits(2), harm(np.random.default_rng(2)), np.random.default_rng(9), SPEAKERS) for _ in range(2))
    np.testing.assert_array_equal(one, same)


def test_nothing_done_is_nothing_changed() -> None:
    clean = hits(1)
    out = degrade(clean, Harm(), np.random.default_rng(0), SPEAKERS)
    np.testing.assert_allclose(out, clean / np.abs(clean).max(), atol=1e-4)


def test_a_crowd_is_as_loud_as_asked() -> None:
    rng = np.random.default_rng(4)
    assert abs(float(np.sqrt(np.square(crowd(rng, RATE, SPEAKERS)).mean())) - 1) < 1e-3
    quiet = degrade(hits(2), Harm(crowd=30.0), np.random.default_rng(5), SPEAKERS)
    loud = degrade(hits(2), Harm(crowd=-3.0), np.random.default_rng(5), SPEAKERS)
    gap = slice(RATE // 2 + 6000, RATE - 100)  # between two hits
    assert np.square(loud[gap]).mean() > 30 * np.square(quiet[gap]).mean()


def test_a_room_begins_with_the_direct_sound() -> None:
    for direct in (-3.0, 10.0):
        answer = room(np.random.default_rng(6), 0.6, direct)
        assert answer[0] == 1
        np.testing.assert_allclose(-10 * np.log10(np.square(answer[1:]).sum()), direct, atol=0.2)
    early, late = answer[: len(answer) // 2], answer[len(answer) // 2 :]
    assert np.square(early).sum() > 30 * np.square(late).sum()


def test_what_is_not_music_is_bounded_and_varied() -> None:
    sounds = [without_music(np.random.default_rng(seed), 1.0, SPEAKERS) for seed in range(30)]
    assert all(len(s) == RATE and np.isfinite(s).all() for s in sounds)
    levels = [float(np.abs(s).max()) for s in sounds]
    assert min(levels) < 1e-3 < max(levels)


def test_speakers_speak() -> None:
    needs_program("espeak-ng")
    one, other = (speak(np.random.default_rng(seed)) for seed in (1, 2))
    assert len(one) > 3 * RATE
    assert len(one) != len(other)
    assert np.abs(one).max() == pytest.approx(1)
    assert (np.abs(one) > 0.05).mean() > 0.1


def test_a_party_at_its_worst_is_all_of_it_at_once() -> None:
    for seed in range(20):
        how = harm_at_once(np.random.default_rng(seed))
        assert how.crowd is not None
        assert 0 <= how.crowd <= 7
        assert None not in (how.echo, how.noise, how.low, how.high)
        assert how.gain <= -12
    rng = np.random.default_rng(1)
    spoiled = degrade(hits(), harm_at_once(rng), rng, [rng.uniform(-1, 1, RATE).astype(np.float32)])
    assert len(spoiled) == len(hits())
    assert np.abs(spoiled).max() <= 1


def test_clicks_keep_no_tempo() -> None:
    spreads = []
    for seed in range(8):
        made = clicks(np.random.default_rng(seed), 20 * RATE)
        assert np.sqrt(np.mean(made**2)) == pytest.approx(1, rel=1e-3)
        onset = FeatureStream().push(made * 0.1).onset
        at = np.flatnonzero((onset[1:-1] > onset[:-2]) & (onset[1:-1] >= onset[2:]) & (onset[1:-1] > 0.3 * onset.max()))
        spreads.append(np.diff(at).std() / np.diff(at).mean() if len(at) > 5 else 1.0)
    assert np.median(spreads) > 0.35
