"""Pictures into pipes: files, named pipes, standard output and the real ffmpeg."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from visualizer.errors import UserError
from visualizer.outputs.line import Line
from visualizer.outputs.pipe import Pipe, is_place
from visualizer.outputs.sender import Format, OutputError, Picture
from visualizer.support.privacy import without_songs

SIZE, RED, GREEN, BLUE = (64, 48), 220, 110, 20
OPAQUE, ALPHA = Format(SIZE, Fraction(30)), Format(SIZE, Fraction(30), alpha=True)
PYTHON = sys.executable
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="skipped: no ffmpeg")
posix = pytest.mark.skipif(sys.platform == "win32", reason="skipped: no named pipes")


def picture(slot: int, form: Format = OPAQUE) -> Picture:
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[:] = (RED, GREEN, BLUE, 128) if form.alpha else (BLUE, GREEN, RED, 255)
    pixels[: SIZE[1] // 2, :, :3] //= 2  # darker above
    return Picture(pixels, slot)


def send(pipe: Pipe, slots: tuple[int, ...], form: Format = OPAQUE) -> str:
    try:
        said = pipe.open()
        for slot in slots:
            pipe.send(picture(slot, form))
    finally:
        pipe.close()
    return said


def read_frames(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as file:
        return [(float(frame.time), frame.to_ndarray(format="rgba")) for frame in file.decode(video=0)]


def test_what_is_a_place_and_what_a_command() -> None:
    assert all(is_place(where) for where in ("-", "/tmp/show.mkv", "./show.mkv", "'/tmp/my show.mkv'"))
    assert not any(is_place(where) for where in ("ffmpeg -i - x", "/usr/bin/ffmpeg -i - /tmp/x.mp4", "play"))


@pytest.mark.parametrize("form", [OPAQUE, ALPHA])
def test_a_file_says_size_rate_and_when(form: Format, tmp_path: Path) -> None:
    path = tmp_path / "show.mkv"
    send(Pipe("pipe", str(path), form), (0, 1, 4), form)
    frames = read_frames(path)
    assert [round(time * 30) for time, _ in frames] == [0, 1, 4]
    above, below = (frames[2][1][row, 20].astype(int) for row in (5, -5))
    cover = 128 if form.alpha else 255
    assert np.abs(below - (RED, GREEN, BLUE, cover)).max() <= 2
    assert np.abs(above - (RED // 2, GREEN // 2, BLUE // 2, cover)).max() <= 2


def test_bare_frames_are_repeated_where_some_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "show.raw"
    send(Pipe("raw-pipe", str(path), OPAQUE), (0, 1, 4))
    frames = np.fromfile(path, np.uint8).reshape(-1, SIZE[1], SIZE[0], 4)
    assert len(frames) == 5
    assert frames[4, -1, 0].tolist() == [BLUE, GREEN, RED, 255]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "holiday.mkv"
    path.write_text("dear")
    with pytest.raises(UserError, match="exists, and is no pipe"):
        Pipe("pipe", str(path), OPAQUE)
    with pytest.raises(UserError, match="there is no folder"):
        Pipe("pipe", str(tmp_path / "no" / "x.mkv"), OPAQUE)
    path.unlink()
    pipe = Pipe("pipe", str(path), OPAQUE)
    path.write_text("came meanwhile")
    with pytest.raises(OutputError, match="exists"):
        pipe.open()
    pipe.close()
    assert path.read_text() == "came meanwhile"


@posix
def test_a_named_pipe_waits_for_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    pipe, read = Pipe("raw-pipe", str(path), OPAQUE), bytearray()
    thread = threading.Thread(target=lambda: read.extend(path.read_bytes()))
    thread.start()
    send(pipe, (0, 1))
    thread.join(20)
    assert len(read) == 2 * SIZE[0] * SIZE[1] * 4


@posix
def test_a_pipe_that_nobody_reads_ends_with_the_show(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    line = Line("pipe", Pipe("raw-pipe", str(path), OPAQUE), lambda *_: None)
    line.put(picture(0))
    assert line.describe() == "pipe: waiting"
    line.finish(timeout=0.01)
    line._thread.join(20)
    assert not line._thread.is_alive()


@posix
def test_a_reader_that_stops_reading_ends_with_the_show(tmp_path: Path) -> None:
    line = Line("pipe", Pipe("raw-pipe", f"{PYTHON} -c 'import time; time.sleep(600)'", OPAQUE), lambda *_: None)
    for k in range(40):  # more than a pipe holds
        line.put(picture(k * 3))
    line.finish(timeout=0.01)
    line._thread.join(20)
    assert not line._thread.is_alive()


def test_a_command_that_ends_is_said_without_the_address_it_was_given() -> None:
    program = "import sys; sys.exit(sys.argv[1] + ': refused')"
    pipe = Pipe("raw-pipe", f'{PYTHON} -c "{program}" rtmp://host/live/key-8374', OPAQUE)
    with pytest.raises(OutputError, match=r"has ended \(…: refused\)"):
        send(pipe, tuple(range(0, 6000, 60)))
    assert "8374" not in without_songs("cannot open rtmp://host/live/key-8374")


def test_a_command_that_is_not_there_is_said() -> None:
    with pytest.raises(OutputError, match="no-such-program: cannot be started"):
        send(Pipe("pipe", "no-such-program -x", OPAQUE), (0,))
    with pytest.raises(UserError, match="is no command"):
        Pipe("pipe", "ffmpeg 'never closed", OPAQUE)


@needs_ffmpeg
def test_ffmpeg_makes_a_film_of_it(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    command = f"ffmpeg -v error -i - -c:v libx264 -preset ultrafast -crf 5 {film}"
    assert send(Pipe("pipe", command, OPAQUE), (0, 1, 2, 5)) == "ffmpeg"
    frames = read_frames(film)
    assert len(frames) == 6  # a film of an even rate: ffmpeg repeats what is missing
    assert np.abs(frames[0][1][-5, 20].astype(int) - (RED, GREEN, BLUE, 255)).max() <= 4


@needs_ffmpeg
def test_ffmpeg_reads_bare_frames_as_the_page_says(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    command = (
        f"ffmpeg -v error -f rawvideo -pixel_format bgra -video_size {SIZE[0]}x{SIZE[1]} -framerate 30 -i - "
        f"-c:v ffv1 {film}"
    )
    send(Pipe("raw-pipe", command, OPAQUE), (0, 1))
    assert len(read_frames(film)) == 2


def test_standard_output_is_for_pictures_alone() -> None:
    program = (
        "from fractions import Fraction\nimport numpy as np\n"
        "from visualizer.outputs.pipe import Pipe\nfrom visualizer.outputs.sender import Format, Picture\n"
        "pipe = Pipe('raw-pipe', '-', Format((64, 48), Fraction(30)))\nprint('said'); pipe.open()\n"
        "pipe.send(Picture(np.full((48, 64, 4), 7, np.uint8), 0)); pipe.close()\n"
    )
    done = subprocess.run([PYTHON, "-c", program], capture_output=True, timeout=60, check=True)
    assert done.stdout == b"\7" * (64 * 48 * 4)
    assert b"said" in done.stderr
