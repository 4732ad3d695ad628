"""Ears without a sound card: own tempo, a song in silence, a machine without PortAudio, the ring."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.waiting import wait_for
from tests.support.made_sound import beat_track, write_song
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.music.sources import MusicSource, is_song, open_source
from visualizer.music.sources.free_run import course
from visualizer.music.sources.ring import Ring


@pytest.fixture
def no_portaudio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`import sounddevice` fails as it does where the library is missing."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(str(folder))


def test_own_tempo_keeps_it() -> None:
    said = Said()
    ear = open_source("none", bpm=100, clock=lambda: 5.0, notify=said)
    assert ear.musical_time(65.0) == pytest.approx(100)
    hearing = ear.hearing(65.0)
    assert (hearing.bpm, hearing.beat, hearing.confidence) == (100, pytest.approx(100), 0)
    assert said == []
    ear.close()


@pytest.mark.parametrize(("bpm", "pace"), [(60, 120), (180, 90), (120, 120)])
def test_own_tempo_is_folded(bpm: float, pace: float) -> None:
    assert open_source("none", bpm=bpm, clock=lambda: 0.0, notify=Said()).hearing(1.0).bpm == pace


@pytest.mark.parametrize("bpm", [0, -5, 5, 1000, math.nan])
def test_tempo_out_of_reach(bpm: float) -> None:
    with pytest.raises(UserError, match="30 to 300 BPM"):
        open_source("none", bpm=bpm, clock=lambda: 0.0, notify=Said())


@given(st.floats(0, 1e5))
def test_course_stays_within_bounds_and_is_smooth(beat: float) -> None:
    assert 0 <= course(beat) <= 1
    assert abs(course(beat + 0.1) - course(beat)) < 0.06


def test_course_has_highs_and_lows_and_does_not_repeat() -> None:
    curve = np.array([course(b / 4) for b in range(32 * 4 * 8)]).reshape(8, -1)
    assert np.ptp(curve, axis=1).min() > 0.2
    peaks = curve.max(axis=1)
    assert np.abs(np.diff(peaks)).min() > 0.05


def test_a_song_that_cannot_be_played(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such song"):
        open_source(str(tmp_path / "none.mp3"), bpm=120, clock=time.monotonic, notify=Said())
    with pytest.raises(UserError, match=r"--audio microphone: no such song; .* link, none or mic:NAME"):
        open_source("microphone", bpm=120, clock=time.monotonic, notify=Said())


@pytest.mark.parametrize(
    ("audio", "song"),
    [("auto", False), ("mic", False), ("mic:Studio", False), ("loopback", False), ("link", False), ("none", False),
     ("mic.mp3", True), ("a/b.flac", True)],
)  # fmt: skip
def test_what_is_a_song(audio: str, song: bool) -> None:
    assert is_song(audio) == song


def test_loopback_on_macos_is_refused_with_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UserError, match="mic:BlackHole"):
        open_source("loopback", bpm=120, clock=time.monotonic, notify=Said())


@pytest.mark.parametrize("audio", ["mic", "mic:Studio", "auto", "loopback"])
@pytest.mark.usefixtures("no_portaudio")
def test_without_portaudio_it_dances_on(audio: str) -> None:
    said = Said()
    ear = open_source(audio, bpm=110, clock=time.monotonic, notify=said)
    try:
        wait_for(lambda: any("PortAudio" in text for text in said))
        what = "loopback" if audio == "loopback" else "microphone"
        assert said[-1] == f"no {what}: PortAudio is not installed. Dancing on at 110 BPM"
        now = time.monotonic()
        start = ear.musical_time(now)
        assert ear.musical_time(now + 6) - start == pytest.approx(11)
        assert ear.hearing(now + 6).energy > 0.2
        assert ear.name == "own tempo"
    finally:
        ear.close()


def dance(ear: MusicSource, until: Callable[[], bool], seconds: float = 40) -> np.ndarray:
    """Ask as the show does, until all is as wanted; rows of (time, beat, bpm, confidence)."""
    rows: list[tuple[float, float, float, float]] = []

    def look() -> bool:
        now = time.monotonic()
        beat, hearing = ear.musical_time(now), ear.hearing(now)
        rows.append((now, beat, hearing.bpm, hearing.confidence))
        return until()

    wait_for(look, seconds)
    return np.array(rows)


def assert_no_jump(rows: np.ndarray) -> None:
    passed, moved, bpm = np.diff(rows[:, 0]), np.diff(rows[:, 1]), np.maximum(rows[1:, 2], rows[:-1, 2])
    assert np.all(moved >= 0)
    assert np.all(moved <= bpm / 60 * 1.08 * passed + 1e-6)


@pytest.mark.usefixtures("no_portaudio")
def test_a_song_without_portaudio_is_danced_in_silence(tmp_path: Path) -> None:
    samples, times = beat_track(100, 4.0)
    said = Said()
    ear = open_source(str(write_song(tmp_path / "short.flac", samples)), bpm=120, clock=time.monotonic, notify=said)
    try:
        rows = dance(ear, lambda: len(said) == 3)
        assert said[0] == "listening ahead to short.flac"
        assert said[1] == "no sound output: PortAudio is not installed. Dancing to short.flac in silence"
        assert said[2] == "short.flac is over. Dancing on at 100 BPM"
        assert_no_jump(rows)
        in_song = rows[rows[:, 3] > 0]
        assert in_song[-1, 0] - in_song[0, 0] == pytest.approx(4.0, abs=1)
        # The song was counted in: its first kick falls on a beat of the dance.
        first_kick = in_song[0, 0] + times[0]
        beat = np.interp(first_kick, rows[:, 0], rows[:, 1])
        assert abs(math.remainder(beat, 1)) < 0.15
        now = time.monotonic()
        start = ear.musical_time(now)
        assert ear.musical_time(now + 60) - start == pytest.approx(100, abs=1)
    finally:
        ear.close()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60))
def test_ring_gives_back_what_went_in(steps: list[tuple[bool, int]]) -> None:
    ring, queue, counter = Ring(8, 2), [], 0
    for writing, n in steps:
        if writing:
            block = np.repeat(np.arange(counter, counter + n, dtype=np.float32)[:, None], 2, axis=1)
            written = ring.write(block)
            assert written == min(n, 8 - len(queue))
            queue += block[:written, 0].tolist()
            counter += n
        else:
            out = np.full((n, 2), -1, np.float32)
            got = ring.read(out)
            assert got == min(n, len(queue))
            assert out[:got, 1].tolist() == queue[:got]
            assert np.all(out[got:] == -1)
            queue = queue[got:]
        assert (ring.filled, ring.free) == (len(queue), 8 - len(queue))
