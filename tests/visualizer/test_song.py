"""A song heard whole, from real files of several kinds."""

from __future__ import annotations

import dataclasses
import math
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.needs import needs_program
from tests.visualizer.test_features import beat_track
from visualizer import paths
from visualizer.errors import UserError
from visualizer.music.features import RATE
from visualizer.music.song import check_song, hear_song, read_song

OWN = paths.assets() / "own_music.ogg"


def write_song(path: Path, samples: np.ndarray, rate: int = RATE, codec: str = "flac") -> Path:
    """Mono or stereo float (n,) or (n, 2) into a file."""
    layout = "mono" if samples.ndim == 1 else "stereo"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        data = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = 0, Fraction(1, rate)
        fifo = av.AudioFifo()
        fifo.write(frame)
        for piece in fifo.read_many(1024, partial=True):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("bpm", [70, 93, 120, 133, 180])
def test_known_beats_are_found(bpm: float, tmp_path: Path) -> None:
    samples, times = beat_track(bpm, 24)
    song = hear_song(write_song(tmp_path / "beat.flac", samples))
    found = song.beats[(song.beats > times[0] - 0.2) & (song.beats < times[-1] + 0.2)]
    error = np.abs(found[:, None] - times).min(axis=1)
    assert np.mean(error < 0.035) > 0.9
    assert abs(len(found) - len(times)) <= 2
    assert song.bpm == pytest.approx(bpm, rel=0.02)
    assert 80 <= song.pace(10.0) <= 160
    assert song.confidence > 0.5


def test_our_own_music_is_heard_right() -> None:
    song = hear_song(OWN)
    assert song.seconds == pytest.approx(32, abs=0.01)
    assert song.bpm == pytest.approx(120, rel=0.005)
    inside = song.beats[(song.beats > 0.3) & (song.beats < 31)]
    assert np.mean(np.abs((inside + 0.25) % 0.5 - 0.25) < 0.035) > 0.95
    calm, full = song.energy[200:700].mean(), song.energy[1700:2300].mean()
    assert full > calm + 0.05  # hats and tune come in at 16 s


def test_musical_time_runs_on_from_before_to_after_the_song(tmp_path: Path) -> None:
    samples, _ = beat_track(70, 20)
    song = hear_song(write_song(tmp_path / "slow.flac", samples))
    times = [song.musical_time(t) for t in np.arange(-2, 30, 0.05)]
    steps = np.diff(times)
    assert np.all(steps > 0)
    np.testing.assert_allclose(steps, 140 / 60 * 0.05, rtol=0.08)  # danced at the double
    assert song.musical_time(0.0) >= 0
    assert song.hearing(25.0).loudness == 0  # after the end
    for name in ("loudness", "bass", "mid", "treble", "energy"):
        curve = getattr(song, name)
        assert curve.min() >= 0
        assert curve.max() <= 1


def test_the_bar_begins_where_the_bass_and_the_harmony_say(tmp_path: Path) -> None:
    samples, times = beat_track(120, 24)
    t = np.arange(int(0.1 * RATE)) / RATE
    snare = np.random.default_rng(2).standard_normal(len(t)) * np.exp(-t / 0.03) * 0.4
    for i, time in enumerate(times):
        k = round(time * RATE)
        if i % 2:  # the third kick from the start opens the bars
            samples[k : k + len(snare)] += snare.astype(np.float32)
        note = np.sin(2 * np.pi * (110 if (i - 2) // 4 % 2 else 147) * np.arange(RATE // 2) / RATE) * 0.1
        samples[k : k + len(note)] += note[: len(samples) - k].astype(np.float32)
    song = hear_song(write_song(tmp_path / "bars.flac", samples))
    assert math.remainder(song.musical_time(float(times[2])), 4) == pytest.approx(0, abs=0.1)


def test_no_beat_is_danced_at_the_tempo_given(tmp_path: Path) -> None:
    bang = 0.3 * np.random.default_rng(0).standard_normal(RATE // 2)  # too short to hold a beat
    song = hear_song(write_song(tmp_path / "bang.flac", bang), bpm=100)
    assert song.confidence == 0
    assert song.musical_time(3.0) - song.musical_time(0.0) == pytest.approx(5)


@pytest.mark.parametrize(
    ("suffix", "codec", "rate"),
    [("mp3", "libmp3lame", 44100), ("wav", "pcm_s16le", 48000), ("m4a", "aac", 44100), ("opus", "libopus", 48000)],
)
def test_formats_are_read_in_time(suffix: str, codec: str, rate: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE * 2) * 0.1
    click = round(1.0 * RATE)
    noise[click : click + 200] += 0.8
    up = np.interp(np.arange(2 * rate) / rate, np.arange(2 * RATE) / RATE, noise)
    path = write_song(tmp_path / f"song.{suffix}", np.stack([up, up], axis=1), rate, codec)
    mono = np.concatenate([block[:, 0] for block in read_song(path, RATE, 1)])
    smooth = np.convolve(np.abs(mono), np.ones(200), "valid")
    assert abs(int(np.argmax(smooth)) - click) < 0.005 * RATE


def error_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        hear_song(path)
    with pytest.raises(UserError) as also:
        check_song(path)
    assert str(caught.value) == str(also.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_bad_songs_are_told_in_one_line(tmp_path: Path) -> None:
    assert "no such song" in error_of(tmp_path / "none.mp3")
    assert "not a file" in error_of(tmp_path)
    text = tmp_path / "text.mp3"
    text.write_text("this is no music " * 500)
    assert "cannot be read as sound" in error_of(text)
    empty = tmp_path / "empty.ogg"
    empty.touch()
    assert "cannot be read as sound" in error_of(empty)
    assert "silent" in error_of(write_song(tmp_path / "silent.flac", np.zeros(RATE)))


def test_a_film_without_sound_is_no_song(tmp_path: Path) -> None:
    needs_program("ffmpeg")
    path = tmp_path / "mute.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1", str(path)], check=True)
    assert "holds no sound" in error_of(path)


def test_a_scratched_song_plays_on(tmp_path: Path) -> None:
    samples, _ = beat_track(120, 30)
    path = write_song(tmp_path / "scratched.mp3", samples, codec="libmp3lame")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(range(250)) * 12
    path.write_bytes(bytes(data))
    song = hear_song(path)
    assert 29 < song.seconds < 30.5
    assert song.bpm == pytest.approx(120, rel=0.03)


def test_a_song_cut_short_is_danced_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.ogg"
    path.write_bytes(OWN.read_bytes()[:120_000])
    assert 5 < hear_song(path).seconds < 30


def test_heard_once_is_remembered(tmp_path: Path) -> None:
    samples, _ = beat_track(120, 5)
    path = write_song(tmp_path / "a.flac", samples)
    first = hear_song(path)
    assert hear_song(path) is first
    write_song(path, beat_track(120, 6)[0])
    assert hear_song(path) is not first
    assert dataclasses.is_dataclass(first)
