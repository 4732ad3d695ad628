"""Films by a stand-in dancer: what is drawn, what is refused, what is left behind."""

from __future__ import annotations

import math
import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pygame
import pytest

from tests.support import standins
from tests.support.fakes import hearing, picture
from tests.support.films import film
from tests.support.made_sound import beat_track, write_song
from visualizer.auto import EARLY, STAY, Auto
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.errors import UserError
from visualizer.film import encoder, reel, render, video
from visualizer.film.convert import Box
from visualizer.film.output_path import find_paths
from visualizer.film.score import OwnScore
from visualizer.messages import discard
from visualizer.moment import Bodies, Moment
from visualizer.music.analysis.features import RATE
from visualizer.music.analysis.song import hear_song
from visualizer.music.song_file import read_song
from visualizer.options import FilmOptions
from visualizer.show import Show, ShowPlan
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.looks import find_look
from visualizer.stage.shots import pixels_of

SIZE = (320, 180)
PACK: Any = None  # the stand-in needs none


class Waver:
    """Stands in for the dancer; one of 32 figures a bar, moved aside by the seed."""

    figures: dict[int, np.ndarray] = {}  # noqa: RUF012 (drawn once for all tests)
    made: list[Waver] = []  # noqa: RUF012 (the last one is the test's own)
    style, dance, dances, danced, known_styles = "salsa", None, (), (None,), ("salsa",)
    wants_inside = False

    def __init__(self, pack: object, seed: int, *asked: object) -> None:
        self.aside, self.steps = (seed % 7) * 0.05, []
        *wishes, notify = asked
        assert callable(notify)
        self.asked: list[object] = wishes
        self.made.append(self)

    def set_sync(self, sync: str) -> None:
        self.asked.append(sync)

    def set_camera(self, moves: bool, yaw: float = 0.0) -> None:
        self.camera = moves

    def set_never(self, dances: tuple[str, ...]) -> None:
        assert dances == ()

    def step_to(self, musical_time: float, energy: float) -> None:
        assert 0 <= energy <= 1
        self.steps.append(musical_time)
        assert self.steps == sorted(self.steps)

    def picture(self, musical_time: float) -> Bodies:
        k = math.floor(musical_time * 8) % 32
        if k not in self.figures:
            self.figures[k] = picture(k / 8).frames
        return Bodies(self.figures[k], None, np.array([self.aside], np.float32))


@pytest.fixture(autouse=True)
def _waver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "Dancer", Waver)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples, _ = beat_track(120, 6)
    samples += 0.03 * np.random.default_rng(5).standard_normal(len(samples)).astype(np.float32)
    return write_song(tmp_path_factory.mktemp("songs") / "song.flac", samples)


def make(song: Path | None, out: Path, **options: Any) -> tuple[render.FilmReport, list[str]]:
    hashes: list[str] = []
    options = {"size": SIZE, "fps": 25, "progress": False} | options
    options = {"pack": PACK} | options
    report = film(song, out, on_frame=lambda _, pixels: hashes.append(render.frame_hash(pixels)), **options)
    return report, hashes


def frames_of(path: Path) -> tuple[int, float]:
    """Frames that decode, and the brightness that changes from the first to the last, 0..255."""
    with av.open(str(path)) as container:
        grey = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
    return len(grey), max(float(np.abs(g - grey[0]).max()) for g in grey)


def assert_alone(path: Path) -> None:
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.slow
def test_picture_and_sound_of_a_film(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "dance.mp4"
    report, hashes = make(song, out)
    assert (report.path, report.frames, report.seconds, report.stopped_by) == (out, 150, 6.0, 0)
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
    asked = {"style": "house", "troupe": 3, "temperature": 1.3, "dance": "jack", "sync": "canon"}
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
        ({"bpm": 5.0}, "30 to 300 BPM"),
        ({"look": "no-such-look"}, "no-such-look"),
        ({"start": -1.0}, "start"),
        ({"start": 7.0}, "is over after"),
        ({"beats": 8, "seconds": 2.0}, "not both"),
    ],
)
def test_refused(options: dict[str, Any], words: str, song: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words):
        make(song, tmp_path / "a.mp4", **options)
    assert not list(tmp_path.iterdir())


def test_refused_places(song: Path, tmp_path: Path) -> None:
    for out, words in (
        (tmp_path / "a.avi", "must end in"),
        (tmp_path / "%s.png", "one place for the number"),
        (tmp_path / "%05d.jpg", "one place for the number"),
        (tmp_path / "none" / "folder" / "%05d.png", "there is no folder"),
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


def test_a_link_to_nothing_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.symlink_to(tmp_path / "nothing")
    with pytest.raises(UserError, match="--force"):
        make(None, out, seconds=1)
    assert out.is_symlink()
    assert_alone(out)


def test_a_song_that_goes_while_we_film_ends_it_with_one_line(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sound is read by the thread that encodes; who paints must not wait for that for ever."""
    stick = tmp_path / "stick.wav"
    stick.write_bytes(song.read_bytes())

    def heard(path: Path, bpm: float) -> Any:
        found = hear_song(path, bpm)
        path.unlink()
        return found

    hear_song = reel.hear_song
    monkeypatch.setattr(reel, "hear_song", heard)
    with pytest.raises(UserError, match=r"stick\.wav: no such"):
        make(stick, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_an_error_of_our_own_while_it_encodes_comes_to_light(tmp_path: Path) -> None:
    def sound() -> Iterator[np.ndarray]:
        yield np.zeros((4800, 2), np.float32)
        raise ZeroDivisionError("of our own")

    def put_all() -> None:
        for _ in range(100):  # more than the queue holds
            film_file.put(np.zeros((64, 64, 4), np.uint8))

    film_file = encoder.Encoder(tmp_path / "a.mp4", (64, 64), 30, sound())
    with pytest.raises(ZeroDivisionError):
        put_all()
    film_file.abandon()
    assert not list(tmp_path.iterdir())


def test_a_file_that_appears_meanwhile_is_kept(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"

    def appear() -> None:
        out.write_text("theirs")

    with pytest.raises(UserError, match="meanwhile"):
        film(song, out, pack=PACK, size=SIZE, seconds=1, progress=False,
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
    report = film(song, out, pack=PACK, size=SIZE, progress=False, on_frame=stop)
    assert report.stopped_by == signal.SIGINT
    assert report.frames == 40
    assert frames_of(out)[0] == 40
    assert_alone(out)


def test_interrupted_before_the_first_frame_it_leaves_nothing(song: Path, tmp_path: Path) -> None:
    def stop(_number: int, _pixels: memoryview) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film(song, tmp_path / "a.mp4", pack=PACK, size=SIZE, progress=False, on_frame=stop)
    assert not list(tmp_path.iterdir())


def test_a_dancer_that_fails_leaves_nothing(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(self: Waver, musical_time: float) -> Bodies:
        raise RuntimeError("fell")

    monkeypatch.setattr(Waver, "picture", fall)
    with pytest.raises(RuntimeError, match="fell"):
        make(song, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
    assert not [t for t in threading.enumerate() if t.name == "encoder"]


# --- kinds of film


def pictures_of(path: Path, pixels: str = "rgb24") -> np.ndarray:
    """All frames of a film, by the decoder that knows the most of it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name == "vp9":  # the decoder that is tried first leaves the alpha out
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        else:
            frames = list(container.decode(stream))
        return np.stack([frame.to_ndarray(format=pixels) for frame in frames])


def stills(folder: Path) -> np.ndarray:
    return np.stack([pictures_of(path, "rgba")[0] for path in sorted(folder.iterdir())])


def painted(out: Path, **options: Any) -> np.ndarray:
    """The film's frames before they are encoded, (n, height, width, 4)."""
    frames: list[np.ndarray] = []
    options = {"size": SIZE, "fps": 25, "progress": False, "seconds": 1.0} | options
    film(None, out, pack=PACK, on_frame=lambda _, pixels: frames.append(np.array(pixels)), **options)
    return np.stack(frames)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "sound"),
    [("a.mp4", "h264", "aac"), ("a.mkv", "h264", "aac"), ("a.MOV", "h264", "aac"), ("a.webm", "vp9", "opus")],
)
def test_each_kind_shows_what_was_painted_and_is_heard(name: str, codec: str, sound: str, tmp_path: Path) -> None:
    frames = painted(tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert container.streams.video[0].codec_context.name == codec
        assert container.streams.audio[0].codec_context.name == sound
        assert container.streams.audio[0].rate == 48_000
        assert sum(f.samples for f in container.decode(audio=0)) / 48_000 == pytest.approx(1, abs=0.05)
    shown = pictures_of(tmp_path / name)
    assert len(shown) == len(frames) == 25
    assert np.abs(shown.astype(float) - frames[:, :, :, 2::-1]).mean() < 3
    assert_alone(tmp_path / name)


def moving_pictures(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """(height, width, 4) RGBA of each picture of a GIF or WebP that moves, and how many ms it is shown."""
    image = pytest.importorskip("PIL.Image", reason="skipped: Pillow missing")
    pictures, times = [], []
    with image.open(path) as moving:
        assert moving.info["loop"] == 0  # without end
        for k in range(moving.n_frames):
            moving.seek(k)
            moving.load()
            pictures.append(np.asarray(moving.convert("RGBA")))
            times.append(float(moving.info["duration"]))
    return pictures, times


def at_each(pictures: list[np.ndarray], times: list[float], moments: np.ndarray) -> np.ndarray:
    """What is shown at those ms: pictures that are alike are written once."""
    return np.stack([pictures[k] for k in np.searchsorted(np.cumsum(times), moments, "right")])


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_pictures_that_move_go_round_and_keep_the_time(name: str, tmp_path: Path) -> None:
    frames = painted(tmp_path / name, fps=30)
    pictures, times = moving_pictures(tmp_path / name)
    assert sum(times) == pytest.approx(1000, abs=1)
    shown = at_each(pictures, times, (np.arange(30) + 0.5) * 1000 / 30)
    assert np.abs(shown[:, :, :, :3].astype(float) - frames[:, :, :, 2::-1]).mean(axis=(1, 2, 3)).max() < 3
    assert_alone(tmp_path / name)
    with av.open(str(tmp_path / name)) as container:
        assert not container.streams.audio


def test_without_a_wish_what_moves_in_a_chat_is_small() -> None:
    def size(out: str, troupe: int) -> tuple[int, int]:
        return render.find_size(FilmOptions(out=out, troupe=troupe))

    assert size("a.gif", 1) == size("a.webp", 1) == (480, 480)
    assert size("a.gif", 3) == (640, 360)
    assert size("a.mp4", 3) == (1280, 720)
    assert (render.usual_fps(Path("a.GIF")), render.usual_fps(Path("a.mov"))) == (25, 30)


@pytest.mark.slow
@pytest.mark.parametrize("look", ["paper", "neon"])
@pytest.mark.parametrize(("name", "off"), [("a.webm", 40), ("a.mov", 6), ("a.webp", 40), ("dance", 0)])
def test_a_transparent_film_holds_the_dancer_alone(name: str, off: int, look: str, tmp_path: Path) -> None:
    frames = painted(tmp_path / name, transparent=True, look=look, seconds=0.4)
    if name == "a.webp":
        shown = at_each(*moving_pictures(tmp_path / name), (np.arange(10) + 0.5) * 40)
    else:
        shown = stills(tmp_path / name) if name == "dance" else pictures_of(tmp_path / name, "rgba")
    assert shown.shape == frames.shape == (10, 180, 320, 4)
    clear, solid = frames[:, :, :, 3] == 0, frames[:, :, :, 3] == 255
    assert clear.mean() > 0.5
    assert solid.mean() > 0.003
    assert np.abs(shown[:, :, :, 3].astype(int) - frames[:, :, :, 3]).max() <= off
    # Over any ground it must look as it was painted: no fringe, light or dark.
    for ground in (0, 255):
        a, b = (
            each[:, :, :, :3] * (each[:, :, :, 3:] / 255) + ground * (1 - each[:, :, :, 3:] / 255)
            for each in (shown, frames)
        )
        assert np.abs(a - b).mean(axis=3).max() < 2 * off + 30 * (off > 0) + 1e-6
        assert np.abs(a - b).mean() < (1.5 if off else 1e-6)


def test_colours_go_on_where_nothing_is_seen() -> None:
    pixels = np.zeros((64, 96, 4), np.uint8)
    pixels[20:40, 30:60] = (250, 10, 200, 255)
    pixels[19, 30:60] = (250, 10, 200, 30)
    made = video.bleed(pixels)
    assert (made[:, :, 3] == pixels[:, :, 3]).all()
    assert (made[15:44, 26:64, :3] == (250, 10, 200)).all()
    nothing = np.zeros((64, 96, 4), np.uint8)
    assert (video.bleed(nothing) == nothing).all()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif"])
def test_what_cannot_be_transparent_says_what_can(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"folder of PNGs, \.webm"):
        painted(tmp_path / name, transparent=True)
    assert not list(tmp_path.iterdir())


# --- numbered pictures


@pytest.mark.parametrize(
    ("place", "first"),
    [("dance", "dance/dance_00001.png"), ("one/%05d.png", "one/00001.png"), ("x/a%d.png", "x/a1.png")],
)
def test_numbered_pictures_begin_with_one_and_may_be_of_odd_sizes(place: str, first: str, tmp_path: Path) -> None:
    frames = painted(tmp_path / place, size=(161, 91), seconds=0.2)
    assert (tmp_path / first).is_file()
    folder = (tmp_path / first).parent
    assert_alone(folder)
    shown = stills(folder)
    np.testing.assert_array_equal(shown[:, :, :, :3], frames[:, :, :, 2::-1])
    assert (shown[:, :, :, 3] == 255).all()


def test_numbered_pictures_of_before_are_kept_or_all_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "dance"
    painted(folder, seconds=0.4)
    (folder / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UserError, match="--force"):
        painted(folder, seconds=0.2)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    painted(folder, seconds=0.2, force=True)
    assert sorted(path.name for path in folder.iterdir()) == [*(f"dance_{k:05}.png" for k in range(1, 6)), "notes.txt"]
    assert_alone(folder)


def test_numbered_pictures_join_what_else_is_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "take1_00001.png").write_text("another")
    painted(tmp_path / "take2_%05d.png", seconds=0.08)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["take1_00001.png", "take2_00001.png", "take2_00002.png"]
    assert (tmp_path / "take1_00001.png").read_text() == "another"


# --- whatever happens


EVERY_KIND = [
    ("a.mp4", False), ("a.mkv", False), ("a.mov", False), ("a.webm", False), ("a.gif", False), ("a.webp", False),
    ("a.webm", True), ("a.mov", True), ("a.webp", True), ("dance", True),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "transparent"), EVERY_KIND)
def test_stopped_early_each_kind_is_whole_as_far_as_it_goes(name: str, transparent: bool, tmp_path: Path) -> None:
    def stop(number: int, _pixels: memoryview) -> None:
        if number == 11:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    out = tmp_path / name
    report = film(None, out, pack=PACK, size=SIZE, transparent=transparent, progress=False, on_frame=stop, fps=25)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    assert report.stopped_by == signal.SIGTERM
    assert report.frames == 12
    if out.suffix in video.PICTURES:
        assert sum(moving_pictures(out)[1]) == pytest.approx(12 * 40, abs=1)
    else:
        assert len(stills(out) if name == "dance" else pictures_of(out)) == 12
    assert_alone(out)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: the system says so as it does of a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "transparent"), EVERY_KIND)
def test_no_room_is_one_line_and_leaves_nothing(name: str, transparent: bool, tmp_path: Path) -> None:
    wish: dict[str, Any] = {"transparent": transparent, "look": "neon", "seconds": 0.6, "size": (160, 90)}
    painted(tmp_path / name, **wish)
    whole = (tmp_path / name).rename(tmp_path / "whole")
    files = [whole] if whole.is_file() else list(whole.iterdir())
    needed = max(each.stat().st_size for each in files)
    for room in (needed // 3, needed - 50):  # in the middle, and when all but the end is written
        with room_for(room), pytest.raises(UserError, match=r"no room left for the film|cannot be written"):
            painted(tmp_path / name, **wish)
        assert_alone(whole)
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("encoder", "converter", "dancer"))
    ]


def test_the_threads_do_not_decide_what_is_painted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = []
    dancer, painter, score = Waver(PACK, 0, discard), Painter(SIZE), OwnScore(120)
    for k in range(20):
        beat, heard = score.musical_time(k / 25), score.hearing(k / 25)
        dancer.step_to(beat, heard.energy)
        surface = painter.paint(Moment(dancer.picture(beat), find_look("neon"), heard, beat))
        alone.append(np.frombuffer(surface.get_buffer().raw, np.uint8))
    interval = sys.getswitchinterval()
    try:
        for ahead, often in ((1, interval), (16, 1e-5)):
            sys.setswitchinterval(often)
            monkeypatch.setattr(render, "AHEAD", ahead)
            frames = painted(tmp_path / f"{ahead}.mp4", seconds=0.8, look="neon")
            np.testing.assert_array_equal(frames.reshape(20, -1), np.stack(alone))
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("look", ["paper", "neon"])
def test_pictures_are_as_before_but_in_the_box_that_is_told(
    look: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, show = encoder.Encoder.put, GuardedFrames.show
    last: list[np.ndarray] = []
    boxes: list[Box | None] = []

    def checked(film_file: encoder.Encoder, pixels: np.ndarray, changed: Box | None = None) -> None:
        if changed is not None:
            left, top, width, height = changed
            is_same = (pixels[:, :, :3] == last[-1][:, :, :3]).all(axis=2)
            is_same[top : top + height, left : left + width] = True
            assert is_same.all()
        boxes.append(changed)
        last.append(pixels.copy())
        put(film_file, pixels, changed)

    def hold_one(guarded: GuardedFrames, frame: np.ndarray, now: float) -> bool:
        is_held = show(guarded, frame, now)
        if len(last) != 10:
            return is_held
        frame //= 2
        return True

    monkeypatch.setattr(encoder.Encoder, "put", checked)
    monkeypatch.setattr(GuardedFrames, "show", hold_one)
    painted(tmp_path / "a.mp4", look=look)
    assert [k for k, box in enumerate(boxes) if box is None] == [0, 10, 11]  # what is held is not what was painted
    assert look != "paper" or min(box[2] * box[3] for box in boxes if box is not None) < SIZE[0] * SIZE[1] / 2


def test_what_is_made_ahead_comes_in_order_and_fails_in_its_place() -> None:
    def count() -> Iterator[int]:
        yield from range(1, 6)
        raise RuntimeError("stumbled")

    with render.ahead(count(), 3) as items:
        assert [next(items) for _ in range(5)] == [1, 2, 3, 4, 5]
        with pytest.raises(RuntimeError, match="stumbled"):
            next(items)
    with render.ahead(iter(()), 3) as none:
        assert list(none) == []


def test_making_ahead_ends_with_who_asks() -> None:
    made = threading.Event()

    def count() -> Iterator[int]:
        for number in range(1000):
            yield number
            made.set()

    with render.ahead(count(), 1000) as items:
        assert next(items) == 0
        assert made.wait(60)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dancer")]


def test_a_film_from_the_middle_of_a_song_has_its_sound_from_there(song: Path, tmp_path: Path) -> None:
    report, _ = make(song, tmp_path / "a.mkv", start=2.5, seconds=2.0)
    assert report.frames == 50
    assert Waver.made[-1].steps[0] == hear_song(song).musical_time(2.5)
    heard, original = (np.concatenate([b[:, 0] for b in read_song(p, RATE, 1)]) for p in (tmp_path / "a.mkv", song))
    n = 1 << 18
    correlation = np.fft.irfft(np.fft.rfft(original, n) * np.conj(np.fft.rfft(heard, n)))
    assert int(np.argmax(correlation)) / RATE == pytest.approx(2.5, abs=0.003)


def test_an_encoder_needs_no_sound(tmp_path: Path) -> None:
    painter = Painter(SIZE)
    surface = painter.paint(Moment(picture(0.0), find_look("paper"), hearing(), 0.0))
    made = encoder.Encoder(tmp_path / "silent.mp4", SIZE, Fraction(30), None)
    for _ in range(10):
        made.put(pixels_of(surface))
    made.finish()
    assert len(pictures_of(tmp_path / "silent.mp4")) == 10
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio
    dropped = encoder.Encoder(tmp_path / "dropped.mp4", SIZE, 30, None)
    dropped.put(pixels_of(surface))
    dropped.abandon()
    assert_alone(tmp_path / "silent.mp4")


@pytest.mark.slow
def test_a_film_of_the_largest_size(tmp_path: Path) -> None:
    frames = painted(tmp_path / "a.mp4", size=(3840, 2160), seconds=0.08)
    shown = pictures_of(tmp_path / "a.mp4")
    assert shown.shape == (2, 2160, 3840, 3)
    assert np.abs(shown.astype(float) - frames[:, :, :, 2::-1]).mean() < 3


def changes(seed: int, **options: Any) -> list[tuple[float, str]]:
    """Beats at which something changes by itself in four minutes at 120 a minute, and what."""
    dancer = Dancer(standins.pack(), seed, options.get("style"), dance=options.get("dance"))
    auto = Auto(random.Random(f"auto {seed}"), pinned=reel.find_pinned(FilmOptions(out="a.mp4", **options)))
    show = Show(dancer, ShowPlan(auto=auto))
    frames = reel._dance(show, OwnScore(120.0), [k / 32 for k in range(480 * 16)])
    return [
        (frame.moment.musical_time, said)
        for frame in frames
        if frame.note
        for said in frame.note.partition(" s: ")[2].split(", ")
    ]


@pytest.mark.slow
def test_auto_changes_look_style_and_dance_at_phrase_ends_and_the_same_by_the_same_seed() -> None:
    found = changes(3)
    assert {said.split()[0] for _, said in found} == {"look", "style", "dance"}
    for beat, said in found:
        assert (beat + (0 if said.startswith("look") else EARLY)) % PHRASE_BEATS < 1 / 8
    assert found == changes(3)
    assert found != changes(4)


@pytest.mark.slow
def test_auto_leaves_alone_what_was_asked_for() -> None:
    assert {said.split()[0] for _, said in changes(3, look="neon")} == {"style", "dance"}
    assert {said.split()[0] for _, said in changes(3, style="house")} == {"look", "dance"}
    assert {said.split()[0] for _, said in changes(3, dance="jack")} == {"look"}


def test_an_auto_film_shows_another_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "Dancer", Dancer)
    monkeypatch.setitem(STAY, "look", (PHRASE_BEATS, PHRASE_BEATS))
    films = []
    for auto in (False, True):
        _, hashes = make(
            None, tmp_path / f"{auto}.mp4", pack=standins.pack(), auto=auto, size=(64, 64), fps=8, seconds=12.0
        )
        films.append(hashes)
    assert films[0][:30] == films[1][:30]
    assert films[0][30:] != films[1][30:]  # the last may be the first again
    with pytest.raises(UserError, match="--beats or --auto"):
        make(None, tmp_path / "loop.gif", auto=True, beats=8)


def test_a_film_that_the_guard_holds_can_be_written() -> None:
    surface = pygame.Surface((4, 2), 0, 32)
    surface.fill((9, 8, 7))
    pixels = pixels_of(surface)
    pixels[:] = 0
    assert surface.get_at((0, 0))[:3] == (9, 8, 7)


@pytest.mark.parametrize("name", ["x.mp4", "x.gif", "pictures/%04d.png"])
def test_what_is_half_way_has_a_name_that_nobody_can_lay_a_link_at(tmp_path: Path, name: str) -> None:
    parts = {find_paths(tmp_path / name)[1] for _ in range(20)}
    assert len(parts) == 20
