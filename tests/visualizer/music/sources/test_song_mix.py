"""The sound of a line of songs: every sample of each in its place, and two that fade as loud as one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.made_songs import make_heard
from visualizer.errors import UserError
from visualizer.music.sources.song_mix import MixSound, SongMix, find_gains
from visualizer.music.sources.timeline import Timeline

RATE = 1000


def counted(path: Path, rate: int, channels: int) -> Iterator[np.ndarray]:
    """Sample k of a song is k / 100000; in blocks of odd sizes."""
    samples = np.arange(10 * rate, dtype=np.float32)[:, None] / 100_000 * np.ones((1, channels), np.float32)
    at = 0
    for size in (1, 700, 333, 0, 4000, 10 * rate):
        yield samples[at : at + size]
        at += size


def make_timeline(fade: float) -> Timeline:
    timeline = Timeline(fade)
    timeline.append(0, make_heard("a", 10), 0.0)
    timeline.append(1, make_heard("b", 10), 0.0)
    return timeline


def test_songs_follow_sample_by_sample() -> None:
    mix = SongMix(make_timeline(0.0), RATE, 2, counted)
    blocks = [mix.read(first, 250) for first in range(9000, 11_000, 250)]
    sound = np.concatenate(blocks)[:, 0]
    np.testing.assert_allclose(sound, np.concatenate([np.arange(9000, 10_000), np.arange(1000)]) / 100_000, atol=1e-7)
    assert not mix.read(25_000, 10).any()
    np.testing.assert_allclose(mix.read(10, 5)[:, 1], np.arange(10, 15) / 100_000, atol=1e-7)  # and back


def test_two_that_fade_are_as_loud_as_one() -> None:
    timeline = make_timeline(4.0)
    before, after = timeline.segments
    places = np.linspace(after.begin, before.end, 50)
    power = find_gains(before, places) ** 2 + find_gains(after, places) ** 2
    np.testing.assert_allclose(power, 1, atol=1e-5)
    first, last = round(after.begin * RATE), round(before.end * RATE)
    mixed = SongMix(timeline, RATE, 1, counted).read(first, last - first)[:, 0]
    at = np.arange(first, last)
    wanted = (
        at / 100_000 * find_gains(before, at / RATE)[:, 0] + (at - first) / 100_000 * find_gains(after, at / RATE)[:, 0]
    )
    np.testing.assert_allclose(mixed, wanted, atol=1e-5)


def test_a_file_that_is_gone_is_silent() -> None:
    def gone(path: Path, rate: int, channels: int) -> Iterator[np.ndarray]:
        yield np.ones((100, channels), np.float32)
        raise UserError("gone")

    sound = SongMix(make_timeline(0.0), RATE, 1, gone).read(0, 200)[:, 0]
    assert sound.tolist() == [1.0] * 100 + [0.0] * 100


def test_a_video_hears_what_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = make_timeline(0.0)
    drift = {"by": 0.0}
    sound = MixSound(100.0, lambda time: time - 99 + drift["by"], timeline)
    sound._mix = SongMix(timeline, 48_000, 2, counted)
    a, b = sound.read(480), sound.read(480)
    np.testing.assert_allclose(np.concatenate([a, b])[:, 0], np.arange(48_000, 48_960) / 100_000, rtol=1e-5)
    drift["by"] = 0.01  # a device's clock is not ours: no cut for that
    np.testing.assert_allclose(sound.read(480)[0, 0], 48_960 / 100_000, rtol=1e-5)
    drift["by"] = 2.0
    np.testing.assert_allclose(sound.read(480)[0, 0], (48_000 + 3 * 480 + 96_000) / 100_000, rtol=1e-5)
    assert not MixSound(0.0, lambda time: None, timeline).read(10).any()
