"""The same show without a window, into a file.

Time is the frame number, so nothing depends on how fast the machine is: same pack, seed and song, same frames, byte
for byte. One thread dances and decodes, some frames ahead; this one paints; a third converts and a fourth encodes. All
of them release Python's lock most of the time. The film grows under a temporary name beside its target, and is renamed
when it is whole.
"""

from __future__ import annotations

import gc
import hashlib
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

from visualizer.dancer.pack import Pack, find_pack, load_pack
from visualizer.errors import UserError
from visualizer.film.encoder import Encoder
from visualizer.film.output_path import check_output, find_output, find_paths, put_in_place
from visualizer.film.progress import FilmProgress, warn_of_size
from visualizer.film.reel import FilmFrame, Reel, make_reel, make_show
from visualizer.film.video import PICTURES, is_sequence
from visualizer.leave import before_leaving, unhurried
from visualizer.options import FilmOptions, check_value
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import HELD, GuardedFrames
from visualizer.stage.shots import pixels_of
from visualizer.stop import Stop, Stopped, asked_to_stop, stopped
from visualizer.support.console import Console

# Pictures that are danced and decoded before they are painted, half of them at a time: while the networks run again and
# again they stay in the processor's cache.
AHEAD = 32
GIF_FPS = 25  # a GIF counts in hundredths of a second

T = TypeVar("T")
OnFrame = Callable[[int, memoryview], None]


@dataclass(frozen=True)
class FilmReport:
    """What was made. `stopped_by`: the signal that ended it early, and `path` holds what there was until then; or 0."""

    path: Path
    frames: int
    seconds: float
    wall_seconds: float
    stopped_by: int

    @property
    def speed(self) -> float:
        """Seconds of film made in a second."""
        return self.seconds / max(self.wall_seconds, 1e-9)


def make_film(
    song: Path | None, pack: Pack, options: FilmOptions, *, progress: bool = True, on_frame: OnFrame | None = None
) -> FilmReport:
    """Film the dance to `song`, or to our own music at the tempo `options.bpm` where there is none.

    The first frame is the sample `options.start` seconds into the song; the film ends with the song or after
    `seconds`. With `beats` it is a loop of that length, which begins at the downbeat from `start` on that leads round
    best. The name of `out` says what is written, see Encoder; a folder gets numbered PNGs. `on_frame` is given each
    frame's number and its pixels (height x width x 4 bytes) before they are encoded. Ctrl-C, SIGTERM and a closed
    terminal end the film early, whole as far as it goes; before the first frame it is KeyboardInterrupt or Stopped.
    UserError for a song, size, path or codec that cannot be used; then nothing is written.
    """
    began = time.perf_counter()
    out, size = find_output(options.out), find_size(options)
    fps = Fraction(usual_fps(out) if options.fps is None else options.fps)
    _check(out, size, fps, options)
    console = Console(stderr=True, quiet=not progress, soft_wrap=True)
    # Before the song is listened to: it is known at once if there is no such style or dance.
    show = make_show(pack, options, size, console.say, song)
    reel = make_reel(song, show, options, fps, console)
    target, part = find_paths(out)
    if out.suffix.lower() == ".gif" and (warning := warn_of_size(size, reel.count)):
        console.say(warning)
    with ahead(reel.frames, AHEAD) as frames:  # from now on: the first takes longest, for the dance begins before it
        encoder = Encoder(part, size, reel.rate, reel.sound, options.transparent)
        camera = _Camera(reel, size, options.transparent, encoder, on_frame)

        def keep() -> None:
            """The film as far as it goes, in place of the main thread that does not return."""
            if camera.done:
                encoder.finish()
                put_in_place(part, out, options.force)
            else:
                encoder.abandon()

        try:
            with asked_to_stop() as stop, before_leaving(keep):
                said = FilmProgress(console, out.name, reel.count, lambda: encoder.estimate(reel.count))
                stopped_by = _run(frames, camera, stop, said, console)
                if camera.done:
                    with unhurried():
                        encoder.finish()
        except BaseException:  # also a second signal while it finishes: leave nothing half-written, then pass it on
            encoder.abandon()
            raise
        if not camera.done:
            encoder.abandon()
            raise stopped(stopped_by)
    put_in_place(part, out, options.force)
    report = FilmReport(target, camera.done, camera.seconds, time.perf_counter() - began, stopped_by)
    _tell(report, reel, camera.held, console)
    return report


class _Camera:
    """Paints frame after frame, holds flashes back, and hands the pixels to the encoder. `done`: frames shown."""

    def __init__(
        self, reel: Reel, size: tuple[int, int], transparent: bool, encoder: Encoder, on_frame: OnFrame | None
    ) -> None:  # fmt: skip
        self.done = 0
        self._rate, self._transparent, self._encoder, self._on_frame = reel.rate, transparent, encoder, on_frame
        self._painter, self._guarded = Painter(size), GuardedFrames(size, transparent)
        self._painter.mood.loop = reel.loop_beats
        self._differs = True  # what is in the film so far does not end with what was painted last

    @property
    def seconds(self) -> float:
        """Of film so far."""
        return float(self.done / self._rate)

    @property
    def held(self) -> int:
        """Frames in which flashes were held back."""
        return self._guarded.guard.held

    def take(self, frame: FilmFrame) -> None:
        """One more frame."""
        moment = frame.moment
        pixels = self._painter.paint_alpha(moment) if self._transparent else pixels_of(self._painter.paint(moment))
        if not frame.shown:
            return
        is_held = self._guarded.show(pixels, self.done / float(self._rate))
        if self._on_frame is not None:
            self._on_frame(self.done, pixels.data)
        is_new, box = is_held or self._differs or self._transparent, self._painter.dirty
        self._encoder.put(pixels, None if is_new else (box.left, box.top, box.w, box.h))
        self._differs = is_held
        self.done += 1


def _tell(report: FilmReport, reel: Reel, held: int, console: Console) -> None:
    if held:
        console.say(f"{HELD}, in {held} frames")
    early = f"; stopped early, the first {report.frames} of {reel.count} frames are kept" if report.stopped_by else ""
    console.say(
        f"{report.path}: {report.seconds:.1f} s of film in {report.wall_seconds:.1f} s, "
        f"{report.speed:.2f} x real time{early}"
    )


def film_as_asked(song: Path | None, options: FilmOptions) -> FilmReport:
    """The film that the command line asks for. UserError as `make_film`; what is quickly known is said at once."""
    check_output(find_output(options.out), options.transparent, options.force)
    return make_film(song, load_pack(find_pack(options.pack), options.device), options)


def find_size(options: FilmOptions) -> tuple[int, int]:
    """Pixels: what was asked for, upright if it was; else what is usual, and small for what moves in a chat."""
    size = options.size
    if options.portrait:
        return (min(size), max(size)) if size else (1080, 1920)
    if size is not None:
        return size
    if Path(options.out).suffix.lower() in PICTURES:
        return (480, 480) if options.troupe == 1 else (640, 360)
    return 1280, 720


def usual_fps(out: Path) -> int:
    """Frames a second of a film for which none were asked."""
    return GIF_FPS if out.suffix.lower() in PICTURES else 30


@contextmanager
def ahead(items: Iterator[T], depth: int) -> Iterator[Iterator[T]]:
    """The same items, made on a thread of their own, from now on, up to `depth` before they are asked for; what fails
    there is raised in its place.

    By halves of `depth`: each time that one thread wakes another, both want Python's lock. The first comes alone, for
    all wait for it.
    """
    over, half = threading.Event(), max(depth // 2, 1)

    def make(count: int) -> tuple[list[T], Exception | None]:
        made: list[T] = []
        try:
            for item in islice(items, count):
                made.append(item)
                if over.is_set():
                    break
        except Exception as error:  # noqa: BLE001 - raised again by who asks for it
            return made, error
        return made, None

    def take() -> Iterator[T]:
        while True:
            made, error = waiting.popleft().result()
            waiting.append(pool.submit(make, half))
            yield from made
            if error is not None:
                raise error
            if not made:
                return

    pool = ThreadPoolExecutor(1, "dancer")
    try:
        waiting = deque(pool.submit(make, count) for count in (1, half))
        yield take()
    finally:
        over.set()
        pool.shutdown(cancel_futures=True)


def _run(
    frames: Iterator[FilmFrame], camera: _Camera, stop: Stop, said: FilmProgress, console: Console
) -> int:  # fmt: skip
    """Take frame by frame; the signal that ended it early, or 0."""
    with said:
        # The collector stops all threads, and looks through all the libraries again and again; it may pass over them.
        gc.freeze()
        try:
            for frame in frames:
                if stop.signal:
                    return stop.signal
                if frame.note:
                    console.say(frame.note)
                camera.take(frame)
                said.update(camera.done)
        except (KeyboardInterrupt, Stopped):
            return stop.signal or signal.SIGINT
        finally:
            gc.unfreeze()
    return 0


def _check(out: Path, size: tuple[int, int], fps: Fraction, options: FilmOptions) -> None:
    check_output(out, options.transparent, options.force)
    asked = {"size": size, "fps": fps, **{key: getattr(options, key) for key in ("start", "seconds", "beats", "bpm")}}
    for name, value in asked.items():
        if value is not None:
            check_value(FilmOptions, name, value)
    width, height = size
    if (width % 2 or height % 2) and not is_sequence(out) and out.suffix.lower() not in PICTURES:
        raise UserError(f"size {width}x{height}: a film wants even numbers, such as {width // 2 * 2}x{height // 2 * 2}")
    if out.suffix.lower() == ".gif" and fps > 50:
        raise UserError(f"fps {float(fps):.5g}: a GIF is shown with 50 at most")
    if options.seconds is not None and options.beats is not None:
        raise UserError("a loop is as long as its beats: --beats or --seconds, not both")
    if options.countdown is not None and options.beats is not None:
        raise UserError("a loop has no end to count down to: --beats or --countdown, not both")
    if options.auto and options.beats is not None:
        raise UserError("a loop has one look and one style: --beats or --auto, not both")


def frame_hash(pixels: memoryview) -> str:
    """SHA-256 of a frame, for `on_frame`: two films with equal hashes are equal before encoding."""
    return hashlib.sha256(pixels).hexdigest()
