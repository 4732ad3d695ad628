"""`visualizer film` as a user runs it, with the pack that ships."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.figure import assert_dances, figures
from tests.support.made_sound import write_song
from tests.support.needs import needs
from visualizer import paths
from visualizer.music.analysis.features import RATE
from visualizer.music.song_file import read_song

OWN = paths.assets() / "own_music.ogg"


@pytest.fixture(autouse=True)
def _pack() -> None:
    needs(list(paths.models().glob("*/pack.json")), "a trained pack")


def visualizer(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "visualizer", *map(str, arguments), "--device", "cpu"]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def visualizer_says(*arguments: object, cwd: Path) -> list[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "visualizer", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def grey_frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def test_a_film_of_our_own_music(tmp_path: Path) -> None:
    words = ["film", OWN, "-o", "dance.mp4", "--size", "640x360", "--seconds", 4, "--seed", 5, "--look", "paper"]
    done = visualizer(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "x real time" in done.stderr
    out = tmp_path / "dance.mp4"
    with av.open(str(out)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height, video.average_rate) == ("h264", 640, 360, 30)
        assert video.pix_fmt == "yuv420p"
        assert audio.codec_context.name == "aac"
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(4, abs=0.05)
    frames = grey_frames(out)
    assert len(frames) == 120
    assert_dances(figures(frames[::10]))
    film, song = (np.concatenate([b[:, 0] for b in read_song(p, RATE, 1)])[: 3 * RATE] for p in (out, OWN))
    n = len(song)
    correlation = np.fft.irfft(np.fft.rfft(film, 2 * n) * np.conj(np.fft.rfft(song, 2 * n)))
    lag = (int(np.argmax(correlation)) + n) % (2 * n) - n
    assert abs(lag) <= 0.002 * RATE
    assert [p.name for p in tmp_path.iterdir()] == ["dance.mp4"]


def test_the_same_seed_makes_the_same_film(tmp_path: Path) -> None:
    for name, seed in (("a.mp4", 1), ("b.mp4", 1), ("c.mp4", 2)):
        done = visualizer("film", OWN, "-o", name, "--size", "320x180", "--seconds", 2, "--seed", seed, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    a, b, c = (grey_frames(tmp_path / name) for name in ("a.mp4", "b.mp4", "c.mp4"))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a.astype(float) - c).max() > 50


def test_a_named_dance_by_a_troupe_is_another_film_and_dances_are_listed(tmp_path: Path) -> None:
    listed = visualizer_says("dances", cwd=tmp_path)
    styles = [line for line in listed if not line.startswith("  ")]
    dances = [line.strip() for line in listed if line.startswith("  ") and not line.strip().startswith("(")]
    assert len(styles) > 1
    assert len(dances) > 1
    words = ["--size", "640x180", "--seconds", 2, "--look", "paper", "--dance", dances[0]]
    for name, more in (("one.mp4", []), ("four.mp4", ["--troupe", 4, "--sync", "canon", "--temperature", "wild"])):
        done = visualizer("film", OWN, "-o", name, *words, *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, four = (grey_frames(tmp_path / name)[-1] < 60 for name in ("one.mp4", "four.mp4"))
    assert four.sum() > 2.5 * one.sum()
    assert four[:, :240].any()
    assert not one[:, :160].any()


@pytest.mark.parametrize("kind", ["missing", "text", "silent folder"])
def test_a_bad_song(kind: str, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    if kind == "text":
        song.write_text("no music\n" * 1000)
    elif kind == "silent folder":
        song.mkdir()
    done = visualizer("film", song, "-o", "a.mp4", cwd=tmp_path)
    assert done.returncode == 2
    assert str(song) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "a.mp4").exists()


def test_a_song_without_a_beat_is_danced_at_the_tempo_asked_for(tmp_path: Path) -> None:
    bang = 0.3 * np.random.default_rng(0).standard_normal(RATE // 2)  # too short to hold a beat
    song = write_song(tmp_path / "bang.flac", bang)
    done = visualizer("film", song, "-o", "a.mp4", "--size", "320x180", "--bpm", 97, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no beat found in bang.flac: danced at 97 BPM" in done.stderr
    assert len(grey_frames(tmp_path / "a.mp4")) == 15


def test_a_film_that_exists_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.write_text("precious")
    done = visualizer("film", OWN, "-o", out, cwd=tmp_path)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--size", "641x360"),
        ("--fps", "0"),
        ("--look", "none-such"),
        ("--style", "none-such"),
        ("--dance", "none-such"),
        ("--troupe", "12"),
        ("--sync", "heap"),
        ("--temperature", "hot"),
        ("--bpm", "5"),
        ("--beats", "1"),
        ("--start", "1000"),
    ],
)
def test_bad_options(arguments: tuple[str, str], tmp_path: Path) -> None:
    done = visualizer("film", OWN, "-o", "a.mp4", "--seconds", 1, *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_stops_a_film_is_left_one_that_plays(how: signal.Signals, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-m", "visualizer", "film", str(OWN), "-o", "a.mp4", "--size", "1280x720"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    part = None
    while process.poll() is None and part is None:  # until the first bytes of picture are on disk
        part = next((p for p in tmp_path.glob(".a.*.mp4") if p.stat().st_size > 50_000), None)
    assert part is not None, process.communicate()
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + how
    assert "stopped early" in said
    assert "a.mp4" in said
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert 10 < len(grey_frames(tmp_path / "a.mp4")) < 960


def test_a_loop_of_eight_beats_goes_round(tmp_path: Path) -> None:
    done = visualizer("film", "-o", "dance.gif", "--beats", 8, "--size", "240x240", "--bpm", 97, "--look", "paper",
                      cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "8 beats, 4.95 s" in done.stderr
    frames = grey_frames(tmp_path / "dance.gif").astype(float)
    assert len(frames) == 124
    with av.open(str(tmp_path / "dance.gif")) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(8 * 60 / 97, abs=0.006)
    steps = np.abs(np.roll(frames, -1, axis=0) - frames).mean(axis=(1, 2))
    assert steps[-1] <= steps[:-1].max()
    assert np.median(steps) > 0
    assert_dances(figures(frames[::12].astype(np.uint8)))


def test_a_dancer_on_nothing_for_other_films(tmp_path: Path) -> None:
    done = visualizer("film", OWN, "-o", "take.1/", "--transparent", "--seconds", 0.5, "--portrait", "--size",
                      "320x180", "--look", "paper", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    paths = sorted((tmp_path / "take.1").iterdir())
    assert [p.name for p in paths] == [f"take.1_{k:05}.png" for k in range(1, 16)]
    with av.open(str(paths[-1])) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgba")
    assert picture.shape == (320, 180, 4)
    body = picture[:, :, 3] == 255
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    assert 120 < np.ptp(rows) < 300, "a phone is filled, and head and feet are seen"
    assert 0 < columns[0] <= columns[-1] < 179
    assert (picture[:, :, 3] == 0).mean() > 0.5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)]
    allowed = shutil.which("mount") and not subprocess.run(command, capture_output=True, check=False).returncode
    needs(allowed, "the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("name", ["dance.mp4", "dance.webm", "frames/"])
def test_a_full_disk_is_one_line_and_left_as_it_was(name: str, small_disk: Path) -> None:
    done = visualizer("film", OWN, "-o", small_disk / name if name != "frames/" else f"{small_disk}/frames/", "--size",
                      "640x360", "--seconds", 4, "--look", "neon", cwd=small_disk)  # fmt: skip
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "%, " not in line]  # how far it is, where films take long
    assert len(lines) == 1
    assert f"{small_disk}: no room left for the film" in lines[0]
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("way", ["pipe", "url", "name"])
def test_a_song_comes_from_a_pipe_a_url_or_a_file_of_any_name(way: str, tmp_path: Path) -> None:
    """And the film gets the name that was asked for, even one that looks like a protocol."""
    song, out = tmp_path / "Live: Berlin.ogg", "http:dance.mp4"
    shutil.copy(OWN, song)
    named = {"pipe": "-", "url": song.as_uri(), "name": song.name}[way]
    command = [sys.executable, "-m", "visualizer", "film", named, "-o", out, "--device", "cpu", "--size", "160x96",
               "--seconds", "1", "--fps", "10"]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with song.open("rb") as piped:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, stdin=piped
        )
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [song.name, out]
    film, sound = (
        np.concatenate([b[:, 0] for b in read_song(p, RATE, 1)])[: RATE // 2] for p in (tmp_path / out, song)
    )
    assert np.corrcoef(film, sound)[0, 1] > 0.95


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n{name}\n",
                                  "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nsong.ogg\n",
                                  "ffconcat version 1.0\nfile 'song.ogg'\n"])  # fmt: skip
@pytest.mark.parametrize("suffix", [".m3u8", ".mp3"])
def test_a_list_of_songs_is_one_line_at_once(text: str, suffix: str, tmp_path: Path) -> None:
    shutil.copy(OWN, tmp_path / "song.ogg")
    path = tmp_path / f"list{suffix}"
    path.write_text(text.format(name=path.name))
    done = visualizer("film", path, "-o", "dance.mp4", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip() == f"visualizer: {path}: is a list of songs; name one"
    assert not (tmp_path / "dance.mp4").exists()
