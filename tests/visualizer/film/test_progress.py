"""A film says how far it is and how large it will be; its rate is exact, and its name a file's."""

from __future__ import annotations

import io
import math
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from visualizer.errors import UserError
from visualizer.film import encoder
from visualizer.film.encoder import Encoder
from visualizer.film.output_path import find_output
from visualizer.film.progress import FilmProgress, megabytes, warn_of_size
from visualizer.options import FilmOptions, merged, options_of
from visualizer.support.console import Console

SIZE = (64, 64)
READ = options_of(FilmOptions)["fps"].kind.read


def pictures(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Noise, so that each frame takes about as much room as the others."""
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (size[1], size[0], 4), dtype=np.uint8) for _ in range(count)]


def write(path: Path, rate: Fraction, count: int = 24) -> None:
    film = Encoder(path, SIZE, rate)
    for each in pictures(count):
        film.put(each)
    film.finish()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
@pytest.mark.parametrize("text", ["29.97", "23.976", "59.94", "30000/1001", "25", "12.5", "24"])
def test_the_rate_in_the_file_is_the_one_that_was_asked_for(tmp_path: Path, suffix: str, text: str) -> None:
    rate = READ("fps", text)
    write(tmp_path / f"a{suffix}", rate)
    with av.open(str(tmp_path / f"a{suffix}")) as file:
        stream = file.streams.video[0]
        told = stream.average_rate
        assert told is not None
        if suffix in (".mkv", ".webm") and rate.numerator > 30_000:
            # Matroska holds nanoseconds a frame, out of which FFmpeg makes no fraction with a numerator above 30,000.
            assert abs(told / rate - 1) < 1e-7
        else:
            assert told == rate
        times = [float(frame.time or 0) for frame in file.decode(stream)]
    assert len(times) == 24
    assert times == pytest.approx([k / float(rate) for k in range(24)], abs=0.0011)  # Matroska counts milliseconds


class Watch:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def said_of(frames: int, seconds_a_frame: float, estimate: int | None = 12_000_000) -> list[str]:
    text, clock = io.StringIO(), Watch()
    with FilmProgress(Console(file=text, width=200), "dance.mp4", frames, lambda: estimate, clock) as progress:
        for done in range(1, frames + 1):
            clock.now += seconds_a_frame
            progress.update(done)
    return text.getvalue().splitlines()


def test_a_pipe_gets_a_plain_line_every_tenth() -> None:
    lines = said_of(1000, 0.05)
    assert len(lines) == 9
    assert lines[0] == "dance.mp4: 10%, 100 of 1000 frames; about 12 MB in the end"
    assert lines[-1].startswith("dance.mp4: 90%, 900 of 1000")


def test_a_slow_film_says_so_every_ten_seconds() -> None:
    lines = said_of(100, 5.0)
    assert len(lines) == 49
    assert lines[:2] == [f"dance.mp4: {k}%, {k} of 100 frames; about 12 MB in the end" for k in (2, 4)]


def test_a_quick_film_says_nothing_and_an_unknown_size_is_not_made_up() -> None:
    assert said_of(30, 0.01) == []
    assert said_of(1000, 0.05, None)[0] == "dance.mp4: 10%, 100 of 1000 frames"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.webm", "a.gif", "a/a_%03d.png"])
def test_the_size_is_about_what_it_comes_to(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "WAITING", 0)  # the encoder is never far behind
    frames, said = 120, None
    film = Encoder(tmp_path / name, SIZE, 25)
    for k, each in enumerate(pictures(frames)):
        film.put(each)
        if k == frames - 20:
            said = film.estimate(frames)
    film.finish()
    assert film.estimate(frames) is None  # it is there to be looked at
    path = tmp_path / name
    size = path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.parent.iterdir())
    assert said == pytest.approx(size, rel=0.25)


@pytest.mark.parametrize(
    ("size", "frames", "warned"),
    [((480, 480), 250, False), ((480, 480), 1500, True), ((1280, 720), 400, True), ((64, 64), 1500, False)],
)
def test_a_huge_gif_is_warned_of(size: tuple[int, int], frames: int, warned: bool) -> None:
    said = warn_of_size(size, frames)
    assert (said is not None) is warned
    if said is not None:
        assert f"{frames} frames" in said
        assert "MB" in said
        assert ".mp4" in said


def test_sizes_are_read_at_a_glance() -> None:
    assert [megabytes(size) for size in (270_753, 9_940_000, 12_345_678)] == ["0.3 MB", "9.9 MB", "12 MB"]


@pytest.mark.parametrize(
    ("out", "says"),
    [("-", "cannot be piped"), ("dance", "dance.mp4"), ("films/dance", "films/dance/ for numbered"), (".", "what kind"),
     ("pipe:0", "what kind"), ("..", "what kind")],
)  # fmt: skip
def test_a_name_that_says_no_kind_is_asked_for_one(out: str, says: str) -> None:
    with pytest.raises(UserError) as refused:
        find_output(out)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("out", "place"),
    [("dance/", "dance/dance_%05d.png"), ("take.1/", "take.1/take.1_%05d.png"), ("dance.mp4", "dance.mp4"),
     ("films/%05d.png", "films/%05d.png"), ("a.GIF", "a.GIF"), ("Live: Berlin.mp4", "Live: Berlin.mp4")],
)  # fmt: skip
def test_names_of_films_and_folders(out: str, place: str) -> None:
    assert find_output(out) == Path(place)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif", ".webp"])
@pytest.mark.parametrize("stem", ["Live: Berlin", "pipe:0", "http:x", "concat:a|b", "file:a", "a%d b", "-dash"])
def test_a_film_is_called_as_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stem: str, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if "%" in stem:  # a place for numbers, which is for PNGs alone
        with pytest.raises(UserError):
            write(Path(stem + suffix), Fraction(25), 3)
        return
    write(Path(stem + suffix), Fraction(25), 3)
    assert os.listdir(tmp_path) == [stem + suffix]
    assert (tmp_path / (stem + suffix)).stat().st_size > 100


def test_a_folder_of_the_name_of_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("http:").mkdir()
    write(find_output("http:/x.mp4"), Fraction(25), 3)
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.mp4")] == ["http:/x.mp4"]


def test_the_rate_may_be_a_fraction_and_its_range_is_checked() -> None:
    assert merged(FilmOptions(), fps=Fraction(30000, 1001)).fps == Fraction(30000, 1001)
    with pytest.raises(UserError, match="1 to 240"):
        merged(FilmOptions(), fps=Fraction(1, 2))
    assert math.isclose(float(READ("fps", "23.976")), 23.976, abs_tol=1e-3)
