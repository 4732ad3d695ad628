"""The soak: its music has the beat that it says, and its figures tell a bad night from a good one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.soak import GAP, LOCKED, SONG, TEMPI, Music, beat_of
from bench.watch import FRAME, Soaked, Watch, figures, plot, read
from visualizer.music.analysis.features import RATE


def test_music_goes_on_whatever_the_blocks() -> None:
    music = Music(RATE)
    border = round(SONG * RATE)
    whole = music.samples(border - 3000, 9000)
    pieces = np.concatenate([music.samples(border - 3000 + a, 450) for a in range(0, 9000, 450)])
    assert np.array_equal(whole, pieces)
    assert np.abs(whole[:3000]).max() > 0.05
    assert not whole[3000:].any()


def test_kicks_are_on_the_beat_that_is_told() -> None:
    music, start = Music(RATE), SONG + GAP + LOCKED + 1
    t = start + np.arange(5 * RATE) / RATE
    beat, length = beat_of(t)
    assert length[0] == pytest.approx(60 / TEMPI[1])
    power = np.square(music.samples(round(start * RATE), len(t)))
    on, before = power[beat % 1 < 0.05].mean(), power[(beat % 1 > 0.85) & (beat % 1 < 0.95)].mean()
    assert on > 10 * before


def test_nobody_can_know_the_beat_in_gaps_and_at_once() -> None:
    beat, _ = beat_of(np.array([1.0, LOCKED + 1, SONG + 1, SONG + GAP + 1]))
    assert np.isnan(beat).tolist() == [True, False, True, True]


def night(folder: Path, drift: float = 0.0, stumble: float = 0.0, frozen: bool = False) -> Soaked:
    """Half an hour at 5 frames a second, 0.2 s after the music. `drift`: beats by which it is off at the end."""
    watch = Watch(folder)
    spent = 0.0
    for i in range(9000):
        at = i / 5
        spent += 0.004 + (stumble if i == 8000 else 0)
        beat = float(beat_of(np.array([max(at - 0.2, 0)]))[0][0])
        body = np.random.default_rng(0 if frozen else i).random((8, 8)) > 0.5
        watch.frame(at, spent, (0 if np.isnan(beat) else beat) + drift * i / 9000, body)
    watch.close()
    return read(folder, lambda t: beat_of(t))


def test_a_good_night(tmp_path: Path) -> None:
    said = "\n".join(figures(night(tmp_path), 300, 600))
    assert "0 of 7,500 later than 100" in said
    assert "100.0% within 70 ms in the first 10 minutes" in said
    assert "100.0% within 70 ms in the last" in said
    assert "3,000 to 3,000" in said
    plot(night(tmp_path), tmp_path / "night.png", "a night")
    assert (tmp_path / "night.png").stat().st_size > 10_000


def test_a_bad_night(tmp_path: Path) -> None:
    bad = night(tmp_path, drift=0.4, stumble=0.3, frozen=True)
    said = "\n".join(figures(bad, 300, 600))
    assert "1 of 7,500 later than 100" in said
    assert "1 to 1, in the last 1" in said
    early, late = (np.nanmedian(np.abs(bad.off[part])) for part in (slice(4000, 5000), slice(8000, None)))
    assert late > early + 0.02


def test_memory_that_comes_and_goes_is_told_from_memory_that_grows(tmp_path: Path) -> None:
    """By what is on stage it is 10 MB more or less from minute to minute; a leak of a quarter MB a minute is seen."""
    night(tmp_path)
    minutes = np.loadtxt(tmp_path / "memory.tsv")
    for leak, wanted in ((0.0, "+0.0 (goal: 5)"), (0.25, "+4.5 (goal: 5)")):
        minutes[:, 1] = 300 + 10 * (np.arange(30) % 2) + leak * np.arange(30)
        minutes[:6, 1] = 350
        np.savetxt(tmp_path / "memory.tsv", minutes)
        said = "\n".join(figures(read(tmp_path, lambda t: beat_of(t)), 360, 300))
        assert wanted in said
        assert "until then at most 350.0" in said


def test_watching_writes_memory_and_handles(tmp_path: Path) -> None:
    night(tmp_path)
    minutes = np.loadtxt(tmp_path / "memory.tsv")
    assert len(minutes) == 30
    assert (minutes[:, 1] > 10).all()
    assert (minutes[:, 2] > 2).all()
    assert (tmp_path / "frames.bin").stat().st_size == 9000 * FRAME.itemsize
