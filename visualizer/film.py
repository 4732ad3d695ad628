"""The same dance without a window, into a video file with sound.

Time is the frame number, so nothing depends on how fast the machine is: same pack, seed and song, same frames, byte
for byte. This thread dances and paints; a second one converts and encodes (both release Python's lock most of
the time). The film grows under a temporary name beside its target, and is renamed when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pygame
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from visualizer import paths
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import Pack
from visualizer.errors import UserError
from visualizer.music.clock import Hearing, fold
from visualizer.music.features import Floats
from visualizer.music.own import own_hearing
from visualizer.music.song import hear_song, read_song
from visualizer.music.taste import Stylist
from visualizer.settings import AUTO
from visualizer.stage.looks import LOOKS
from visualizer.stage.looks import look as find_look
from visualizer.stage.painter import Painter

if TYPE_CHECKING:
    import av

SOUND_RATE = 48_000
OWN_MUSIC_BPM = 120.0
OWN_SECONDS = 15.0  # of a film without a song and without a wish
CODECS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")  # all H.264; the first that this PyAV has
SUFFIXES = (".mp4", ".mkv", ".mov")
QUEUE = 4  # painted frames that may wait for the encoder


@dataclass(frozen=True)
class FilmReport:
    """What was made. `cancelled`: stopped early, and `path` holds what there was until then."""

    path: Path
    frames: int
    seconds: float
    wall_seconds: float
    cancelled: bool

    @property
    def speed(self) -> float:
        """Seconds of film made in a second."""
        return self.seconds / max(self.wall_seconds, 1e-9)


class Score(Protocol):
    """What a film dances to, by seconds from its beginning. A HeardSong is one."""

    def musical_time(self, t: float) -> float: ...
    def hearing(self, t: float) -> Hearing: ...


class OwnScore:
    """Our own tempo, from beat 0."""

    def __init__(self, pace: float) -> None:
        self.pace = pace

    def musical_time(self, t: float) -> float:
        return t * self.pace / 60

    def hearing(self, t: float) -> Hearing:
        return own_hearing(t, self.pace, self.musical_time(t))


def make_film(
    song: Path | None,
    out: Path,
    *,
    pack: Pack,
    size: tuple[int, int] = (1280, 720),
    fps: int = 30,
    seconds: float | None = None,
    seed: int = 0,
    style: str | None = None,
    dance: str | None = None,
    troupe: int = 1,
    formation: str = "each",
    temperature: float = 1.0,
    look: str | None = None,
    bpm: float = 120.0,
    force: bool = False,
    progress: bool = True,
    on_frame: Callable[[int, memoryview], None] | None = None,
) -> FilmReport:
    """Film the dance to `song`, or to our own tempo `bpm` and music where there is none.

    The first frame is the song's first sample; the film ends with the song or after `seconds`. `on_frame` is given
    each frame's number and its pixels (height x width x 4 bytes) before they are encoded. `style` "auto": the song
    chooses, as in the live show. Ctrl-C ends the film early, whole as far as it goes. UserError for a song, size, path
    or codec that cannot be used; nothing is written then.
    """
    began = time.perf_counter()
    _check(out, size, fps, seconds, bpm, force)
    the_look = find_look(look) if look else LOOKS[0]
    console = Console(stderr=True, quiet=not progress, soft_wrap=True)
    # Before the song is listened to: it knows at once if there is no such style or dance.
    dancer = Dancer(pack, seed, None if style == AUTO else style, troupe, temperature, dance)
    dancer.set_formation(formation)
    stylist = Stylist(pack.styles) if style == AUTO and dance is None else None
    score: Score
    if song is None:
        pace = bpm * fold(bpm)
        score, length, sound = OwnScore(pace), seconds or OWN_SECONDS, _own_sound(pace, console)
    else:
        with console.status(f"listening to {song.name}"):
            score = hear_song(song, bpm)
        if not score.confidence:
            console.print(f"no beat found in {song.name}: danced at {score.bpm:.0f} BPM")
        length, sound = min(seconds or score.seconds, score.seconds), read_song(song, SOUND_RATE)
    if stylist is not None:
        _begin_by_the_music(dancer, stylist, score, console)
    frames = max(round(length * fps), 1)
    painter = Painter(size)
    part = out.with_name(f".{out.stem}.{os.getpid()}.part{out.suffix}")
    encoder = Encoder(part, size, fps, sound)
    done, cancelled = 0, False
    try:
        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"),
            TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        with bar:
            task = bar.add_task(out.name, total=frames)
            try:
                for k in range(frames):
                    t = k / fps
                    beat, hearing = score.musical_time(t), score.hearing(t)
                    dancer.step_to(beat, hearing.energy)
                    if stylist is not None and (choice := stylist.choose(dancer.style, beat, hearing.mix)):
                        dancer.set_style(choice.style)
                        console.print(f"{t:.0f} s: style {choice.style} ({choice.why})")
                    surface = painter.paint(dancer.picture(beat), the_look, hearing, beat)
                    pixels = _pixels(surface)
                    if on_frame is not None:
                        on_frame(k, pixels.data)
                    encoder.put(pixels)
                    done = k + 1
                    bar.update(task, completed=done)
            except KeyboardInterrupt:
                cancelled = True
        if done:
            encoder.finish()
    except BaseException:  # also a second Ctrl-C while it finishes: leave nothing half-written, then pass it on
        encoder.abandon()
        raise
    if not done:
        encoder.abandon()
        raise KeyboardInterrupt
    _put_in_place(part, out, force)
    report = FilmReport(out, done, done / fps, time.perf_counter() - began, cancelled)
    early = f"; stopped early, the first {done} of {frames} frames are kept" if cancelled else ""
    console.print(
        f"{out}: {report.seconds:.1f} s of film in {report.wall_seconds:.1f} s, {report.speed:.2f} x real time{early}"
    )
    return report


def _begin_by_the_music(dancer: Dancer, stylist: Stylist, score: Score, console: Console) -> None:
    best = stylist.best(score.hearing(0.0).mix)
    if best is None:
        console.print(f"style {dancer.style}: {stylist.note or 'nothing is known of the music'}")
    else:
        dancer.set_style(best)
        console.print(f"style {best}, by the music")


def _check(out: Path, size: tuple[int, int], fps: int, seconds: float | None, bpm: float, force: bool) -> None:
    width, height = size
    if not (64 <= width <= 7680 and 64 <= height <= 4320):
        raise UserError(f"size {width}x{height}: must be from 64x64 to 7680x4320")
    if width % 2 or height % 2:
        raise UserError(f"size {width}x{height}: H.264 wants even numbers, such as {width // 2 * 2}x{height // 2 * 2}")
    if not 1 <= fps <= 240:
        raise UserError(f"fps {fps}: must be from 1 to 240")
    if seconds is not None and not 0 < seconds < 86_400:
        raise UserError(f"seconds {seconds:g}: must be more than 0 and less than a day")
    if not 20 <= bpm <= 400:
        raise UserError(f"tempo {bpm:g}: must be from 20 to 400 beats a minute")
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(f"{out}: a film's name must end in {', '.join(SUFFIXES)}")
    if out.is_dir():
        raise UserError(f"{out}: is a folder")
    if out.exists() and not force:
        raise UserError(f"{out}: is there already (--force writes over it)")
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")


def _put_in_place(part: Path, out: Path, force: bool) -> None:
    if out.exists() and not force:  # it came while we filmed: keep both
        raise UserError(f"{out}: has come to be meanwhile; the film is in {part}")
    os.replace(part, out)


def _own_sound(pace: float, console: Console) -> Iterator[Floats]:
    """Our own music without end, its speed turned to `pace` like a record's."""
    music = paths.assets() / "own_music.ogg"
    if not music.is_file():
        console.print(f"{music} is missing: the film is silent")
        while True:
            yield np.zeros((SOUND_RATE, 2), np.float32)
    rate = round(SOUND_RATE * OWN_MUSIC_BPM / pace)  # read at this rate, played at SOUND_RATE
    loop = np.concatenate(list(read_song(music, rate)))
    while True:
        yield loop


def _pixels(surface: pygame.Surface) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Copy (height, width, 4) of a 32-bit surface: blue, green, red, unused.

    The one copy on the way to the encoder: the painter uses its surface again, and may not while anyone looks at it.
    """
    if surface.get_bitsize() != 32 or surface.get_masks()[:3] != (0xFF0000, 0xFF00, 0xFF):
        raise ValueError(f"the painter's surface must be 32-bit BGRX, not {surface}")
    width, height = surface.get_size()
    rows = np.frombuffer(surface.get_buffer().raw, np.uint8).reshape(height, surface.get_pitch())
    return rows[:, : width * 4].reshape(height, width, 4)


def frame_hash(pixels: memoryview) -> str:
    """SHA-256 of a frame, for `on_frame`: two films with equal hashes are equal before encoding."""
    return hashlib.sha256(pixels).hexdigest()


class Encoder:
    """A video file that is written by a thread of its own. `put` frames, then `finish` or `abandon`."""

    def __init__(self, path: Path, size: tuple[int, int], fps: int, sound: Iterator[Floats]) -> None:
        import av
        import av.error

        self._path, self._fps, self._sound = path, fps, sound
        self._av_error = av.error.FFmpegError
        codec = next((name for name in CODECS if name in av.codecs_available), None)
        if codec is None:
            raise UserError("this PyAV has no H.264 encoder: install PyAV from PyPI")
        self._file = av.open(str(path), "w")
        self._video: av.VideoStream = self._file.add_stream(codec, rate=fps)  # type: ignore[assignment]
        self._video.width, self._video.height = size
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = Fraction(1, fps)
        if codec == "libx264":
            self._video.options = {"crf": "19", "preset": "veryfast"}
        else:
            self._video.bit_rate = size[0] * size[1] * fps // 8
        context = self._video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709, as players assume of HD
        context.color_range = 1  # "limited": 16..235
        self._audio: av.AudioStream = self._file.add_stream("aac", rate=SOUND_RATE)  # type: ignore[assignment]
        self._audio.layout = "stereo"
        self._audio.bit_rate = 192_000
        try:
            self._file.start_encoding()  # writes the file's head: the first that touches the disk
        except (OSError, av.error.FFmpegError) as error:
            raise UserError(f"{path.parent}: cannot be written into ({error.strerror})") from error
        self._fifo = av.AudioFifo()
        self._sound_in, self._sound_out = 0, 0  # samples
        self._queue: queue.Queue[Any] = queue.Queue(QUEUE)
        self._error: Exception | None = None
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
        self._thread.start()

    def put(self, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """(height, width, 4) BGRX, yours no more. Waits while the encoder is behind. UserError if it has failed."""
        import av

        self._raise()
        self._queue.put(av.VideoFrame.from_numpy_buffer(pixels, format="bgra"))

    def finish(self) -> None:
        """Write what is left and close. UserError if that fails."""
        self._queue.put(None)
        self._thread.join()
        self._raise()

    def abandon(self) -> None:
        """Stop and remove the file."""
        self._abandoned = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._path.unlink(missing_ok=True)

    def _raise(self) -> None:
        if self._error is not None:
            raise UserError(f"{self._path.parent}: writing the film failed ({self._error})") from self._error

    def _run(self) -> None:
        frames = 0
        while (frame := self._queue.get()) is not None:
            if self._error is not None or self._abandoned:
                continue  # keep emptying the queue, so that nobody waits for us
            try:
                self._encode(frame, frames)
                frames += 1
            except (OSError, self._av_error) as error:
                self._error = error
        try:
            if self._error is None and not self._abandoned:
                self._file.mux(self._video.encode(None))
                self._sound_until(round(frames * SOUND_RATE / self._fps), last=True)
                self._file.mux(self._audio.encode(None))
            self._file.close()
        except (OSError, self._av_error) as error:
            self._error = self._error or error

    def _encode(self, frame: av.VideoFrame, number: int) -> None:
        picture = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        picture.pts, picture.time_base = number, Fraction(1, self._fps)
        self._file.mux(self._video.encode(picture))
        self._sound_until(round((number + 1) * SOUND_RATE / self._fps))

    def _sound_until(self, end: int, last: bool = False) -> None:
        """Encode the sound up to sample `end`, so that sound and picture lie side by side in the file."""
        import av

        while self._sound_in < end:
            block = next(self._sound, None)
            if block is None:
                break
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block).reshape(1, -1), format="flt", layout="stereo"
            )
            frame.sample_rate = SOUND_RATE
            self._fifo.write(frame)
            self._sound_in += len(block)
        while self._sound_out < end:
            wanted = min(1024, end - self._sound_out)  # AAC's frame
            if wanted < 1024 and not last:
                return
            frame = self._fifo.read(wanted, partial=True)
            if frame is None:
                return
            frame.pts, frame.time_base = self._sound_out, Fraction(1, SOUND_RATE)
            self._sound_out += frame.samples
            self._file.mux(self._audio.encode(frame))
