"""Films by a stand-in dancer: what is drawn, what is refused, what is left behind."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.visualizer.fakes import picture
from tests.visualizer.test_features import beat_track
from tests.visualizer.test_song import write_song
from visualizer import film
from visualizer.dancer.dancer import Picture
from visualizer.errors import UserError
from visualizer.music.features import RATE
from visualizer.music.song import read_song

SIZE = (320, 180)
PACK: Any = None  # the stand-in needs none


class Waver:
    """Stands in for the dancer; one of 32 figures a bar, moved aside by the seed."""

    figures: dict[int, np.ndarray] = {}  # noqa: RUF012 (drawn once for all tests)
    made: list[Waver] = []  # noqa: RUF012 (the last one is the test's own)

    def __init__(self, pack: object, seed: int, style: str | None = None, *asked: object) -> None:
        self.aside, self.steps = (seed % 7) * 0.05, []
        self.asked: list[object] = [style, *asked]
        self.made.append(self)

    def set_formation(self, formation: str) -> None:
        self.asked.append(formation)

    def step_to(self, musical_time: float, energy: float) -> None:
        assert 0 <= energy <= 1
        self.steps.append(musical_time)
        assert self.steps == sorted(self.steps)

    def picture(self, musical_time: float) -> Picture:
        k = math.floor(musical_time * 8) % 32
        if k not in self.figures:
            self.figures[k] = picture(k / 8).frames
        return Picture(self.figures[k], None, np.array([self.aside], np.float32))


@pytest.fixture(autouse=True)
def _waver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "Dancer", Waver)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples, _ = beat_track(120, 6)
    samples += 0.03 * np.random.default_rng(5).standard_normal(len(samples)).astype(np.float32)
    return write_song(tmp_path_factory.mktemp("songs") / "song.flac", samples)


def make(song: Path | None, out: Path, **options: Any) -> tuple[film.FilmReport, list[str]]:
    hashes: list[str] = []
    options = {"size": SIZE, "fps": 25, "progress": False} | options
    report = film.make_film(
        song, out, pack=PACK, on_frame=lambda _, pixels: hashes.append(film.frame_hash(pixels)), **options
    )
    return report, hashes


def frames_of(path: Path) -> tuple[int, float]:
    """Frames that decode, and the brightness that changes from the first to the last, 0..255."""
    with av.open(str(path)) as container:
        grey = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
    return len(grey), max(float(np.abs(g - grey[0]).max()) for g in grey)


def assert_alone(path: Path) -> None:
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_picture_and_sound_of_a_film(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "dance.mp4"
    report, hashes = make(song, out)
    assert (report.path, report.frames, report.seconds, report.cancelled) == (out, 150, 6.0, False)
    assert len(set(hashes)) > 10
    count, change = frames_of(out)
    assert count == 150
    assert change > 100
    heard, original = (np.concatenate([b[:, 0] for b in read_song(p, RATE, 1)]) for p in (out, song))
    assert len(heard) == pytest.approx(len(original), abs=1100)  # AAC ends on a whole frame
    n = len(original)
    padded = np.zeros(n, np.float32)
    padded[: min(n, len(heard))] = heard[:n]
    correlation = np.fft.irfft(np.fft.rfft(padded, 2 * n) * np.conj(np.fft.rfft(original, 2 * n)))
    lag = (int(np.argmax(correlation)) + n) % (2 * n) - n
    assert abs(lag) <= 0.002 * RATE
    assert_alone(out)


def test_same_seed_same_frames(song: Path, tmp_path: Path) -> None:
    _, first = make(song, tmp_path / "a.mp4", seed=3, seconds=2.0)
    _, again = make(song, tmp_path / "b.mp4", seed=3, seconds=2.0)
    _, other = make(song, tmp_path / "c.mp4", seed=4, seconds=2.0)
    assert first == again
    assert first != other


def test_what_is_asked_for_reaches_the_dancer(tmp_path: Path) -> None:
    asked = {"style": "house", "troupe": 3, "temperature": 1.3, "dance": "jack", "formation": "canon"}
    make(None, tmp_path / "a.mp4", seconds=0.2, **asked)
    assert Waver.made[-1].asked == list(asked.values())


def test_seconds_cut_both(song: Path, tmp_path: Path) -> None:
    report, _ = make(song, tmp_path / "a.mkv", seconds=1.5)
    assert report.frames == 38
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert sum(f.samples for f in container.decode(audio=0)) / 48_000 == pytest.approx(38 / 25, abs=0.05)
    report, _ = make(song, tmp_path / "b.mp4", seconds=60)  # no longer than the song
    assert report.seconds == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize("bpm", [120, 97])
def test_without_a_song_to_our_own_music(bpm: float, tmp_path: Path) -> None:
    out = tmp_path / "own.mp4"
    report, _ = make(None, out, seconds=5, bpm=bpm)
    assert report.frames == 125
    sound = np.concatenate([b[:, 0] for b in read_song(out, RATE, 1)])
    hop = RATE // 100
    bass = np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, 1024)[::hop] * np.hanning(1024))[:, 1:5])
    kicks = np.maximum(np.diff(bass.sum(axis=1)), 0)
    rows = np.arange(len(kicks)) / 100 * bpm / 60
    on_beat = np.abs((rows + 0.5) % 1 - 0.5) < 0.1
    assert kicks[on_beat].mean() > 1.5 * kicks[~on_beat].mean()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": (321, 180)}, "even numbers, such as 320x180"),
        ({"size": (8, 8)}, "size 8x8"),
        ({"fps": 0}, "fps"),
        ({"seconds": 0.0}, "seconds"),
        ({"seconds": math.nan}, "seconds"),
        ({"bpm": 5.0}, "tempo"),
        ({"look": "no-such-look"}, "no-such-look"),
    ],
)
def test_refused(options: dict[str, Any], words: str, song: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        make(song, tmp_path / "a.mp4", **options)
    assert not list(tmp_path.iterdir())


def test_refused_places(song: Path, tmp_path: Path) -> None:
    for out, words in (
        (tmp_path / "a.gif", "must end in"),
        (tmp_path / "none" / "a.mp4", "there is no folder"),
        (Path("/proc/a.mp4"), "cannot be written into"),
    ):
        with pytest.raises(UserError, match=words):
            make(song, out)
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        make(song, tmp_path / "b.mp4")


def test_broken_song_leaves_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"\xff\xfb" + bytes(range(256)) * 20)
    with pytest.raises(UserError, match=r"broken\.mp3"):
        make(broken, tmp_path / "a.mp4")
    assert_alone(broken)


def test_nothing_is_overwritten_unless_asked(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.write_text("precious")
    with pytest.raises(UserError, match="--force"):
        make(song, out, seconds=1)
    assert out.read_text() == "precious"
    make(song, out, seconds=1, force=True)
    assert frames_of(out)[0] == 25
    assert_alone(out)


def test_a_file_that_appears_meanwhile_is_kept(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"

    def appear() -> None:
        out.write_text("theirs")

    with pytest.raises(UserError, match="meanwhile"):
        film.make_film(song, out, pack=PACK, size=SIZE, seconds=1, progress=False,
                       on_frame=lambda _k, _p: appear())  # fmt: skip
    assert out.read_text() == "theirs"
    parts = [p for p in tmp_path.iterdir() if p != out]
    assert len(parts) == 1
    assert frames_of(parts[0])[0] == 30


def test_interrupted_it_ends_whole(song: Path, tmp_path: Path) -> None:
    def stop(number: int, _pixels: memoryview) -> None:
        if number == 40:
            raise KeyboardInterrupt

    out = tmp_path / "a.mp4"
    report = film.make_film(song, out, pack=PACK, size=SIZE, progress=False, on_frame=stop)
    assert report.cancelled
    assert report.frames == 40
    assert frames_of(out)[0] == 40
    assert_alone(out)


def test_interrupted_before_the_first_frame_it_leaves_nothing(song: Path, tmp_path: Path) -> None:
    def stop(_number: int, _pixels: memoryview) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film.make_film(song, tmp_path / "a.mp4", pack=PACK, size=SIZE, progress=False, on_frame=stop)
    assert not list(tmp_path.iterdir())


def test_a_dancer_that_fails_leaves_nothing(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(self: Waver, musical_time: float) -> Picture:
        raise RuntimeError("fell")

    monkeypatch.setattr(Waver, "picture", fall)
    with pytest.raises(RuntimeError, match="fell"):
        make(song, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
    assert not [t for t in threading.enumerate() if t.name == "encoder"]


def test_a_disk_that_fills_up_is_told(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: film.Encoder, frame: object, number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(film.Encoder, "_encode", full)
    with pytest.raises(UserError, match="No space left"):
        make(song, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
