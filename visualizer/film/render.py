"""The same dance without a window, into a file.

Time is the frame number, so nothing depends on how fast the machine is: same pack, seed and song, same frames, byte
for byte. One thread dances and decodes, some frames ahead; this one paints; a third converts and encodes. All three
release Python's lock most of the time. The film grows under a temporary name beside its target, and is renamed when it
is whole.
"""

from __future__ import annotations

import hashlib
import random
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from visualizer.auto import Auto, Kind, find_pins
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import Pack
from visualizer.errors import UserError
from visualizer.film.output_path import check_place, find_paths, put_in_place
from visualizer.film.score import OwnScore, Score, read_own_music, skip_sound, time_of
from visualizer.film.seamless_loop import Loop, between_hearings, come_round, find_loop
from visualizer.film.video import (
    PICTURES,
    SOUND_RATE,
    Encoder,
    is_sequence,
)
from visualizer.moment import Moment
from visualizer.music.clock import fold
from visualizer.music.song import hear_song, read_song
from visualizer.settings import AUTO
from visualizer.show import Show, ShowPlan
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import HELD, GuardedFrames
from visualizer.stage.looks import Look
from visualizer.stage.shots import pixels_of
from visualizer.stop import Stopped, asked_to_stop, stopped

OWN_SECONDS = 15.0  # of a film without a song and without a wish
AHEAD = 8  # pictures that are danced and decoded before they are painted
SMALLEST, LARGEST = (64, 64), (7680, 4320)  # the largest either way up
LINGERS = 12  # beats after which nothing is left of a trail or of confetti
GIF_FPS = 25  # a GIF counts in hundredths of a second
MOST_LOOKED_AT = 120.0  # seconds of our own music in which a loop is looked for

T = TypeVar("T")


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


@dataclass(frozen=True)
class FilmFrame:
    """What one frame is painted from. Frames that are not `shown` only warm the painter up: trails, smoothing."""

    t: float  # seconds since the first frame of the film
    moment: Moment
    note: str | None = None  # what changes now, in words
    shown: bool = True


def make_film(
    song: Path | None,
    out: Path,
    *,
    pack: Pack,
    size: tuple[int, int] | None = None,
    fps: int | None = None,
    start: float = 0.0,
    seconds: float | None = None,
    beats: int | None = None,
    seed: int = 0,
    style: str | None = None,
    dance: str | None = None,
    troupe: int = 1,
    sync: str = "each",
    temperature: float = 1.0,
    look: str | None = None,
    auto: bool = False,
    transparent: bool = False,
    bpm: float = 120.0,
    force: bool = False,
    progress: bool = True,
    on_frame: Callable[[int, memoryview], None] | None = None,
) -> FilmReport:
    """Film the dance to `song`, or to our own tempo `bpm` and music where there is none.

    The first frame is the sample `start` seconds into the song; the film ends with the song or after `seconds`. With
    `beats` it is a loop of so many, which begins at the downbeat from `start` on that leads round best. The name of
    `out` says what is written, see Encoder; a folder gets numbered PNGs. `on_frame` is given each frame's number and
    its pixels (height x width x 4 bytes) before they are encoded. `style` "auto": the song chooses, as in the live
    show; with `auto` also look, style and dance change at the ends of phrases, but for what was asked for. Ctrl-C,
    SIGTERM and a closed terminal end the film early, whole as far as it goes; before the first frame it is
    KeyboardInterrupt or Stopped. UserError for a song, size, path or codec that cannot be used. Nothing is written
    then.
    """
    began = time.perf_counter()
    size = usual_size(out, troupe) if size is None else size
    fps = usual_fps(out) if fps is None else fps
    _check(out, size, fps, start, seconds, beats, bpm, transparent, force)
    if auto and beats is not None:
        raise UserError("a loop has one look and one style: --beats or --auto, not both")
    console = Console(stderr=True, quiet=not progress, soft_wrap=True)
    # Before the song is listened to: it knows at once if there is no such style or dance.
    dancer = Dancer(pack, seed, None if style == AUTO else style, troupe, temperature, dance)
    dancer.set_sync(sync)
    dancer.view = size[0] / size[1]
    plan = ShowPlan(
        styles=pack.styles,
        look=look,
        auto=Auto(random.Random(f"auto {seed}"), auto, _find_pinned(look, style, dance)),
        by_music=style == AUTO and dance is None,
    )
    show = Show(dancer, plan)
    score: Score
    if song is None:
        pace = bpm * fold(bpm)
        # Room for a loop to be looked for; else as long as was asked for.
        length = MOST_LOOKED_AT if beats is not None else start + (seconds or OWN_SECONDS)
        score, sound = OwnScore(pace), read_own_music(pace, console.print)
    else:
        with console.status(f"listening to {song.name}"):
            score = heard = hear_song(song, bpm)
        if not heard.confidence:
            console.print(f"no beat found in {song.name}: danced at {heard.bpm:.0f} BPM")
        if start >= heard.seconds:
            raise UserError(f"{song}: is over after {heard.seconds:.1f} s, before {start:g}")
        length = min(start + seconds, heard.seconds) if seconds else heard.seconds
        sound = read_song(song, SOUND_RATE)
    if show.style_selector is not None:
        _begin_by_the_music(show, score, start, console)
    if beats is not None:
        loop, start, length = _cut_loop(dancer, score, start, length, beats)
        frames = max(round((length - start) * fps), 2)
        rate = Fraction(frames / (length - start)).limit_denominator(10_000)
        times = [start + (length - start) * k / frames for k in range(frames)]
        film_frames = _dance_loop(dancer, come_round(show.look, beats), loop, score, times)
        console.print(f"a loop from {start:.2f} s on: {beats} beats, {length - start:.2f} s")
    else:
        frames, rate = max(round((length - start) * fps), 1), Fraction(fps)
        film_frames = _dance(show, score, [start + k / fps for k in range(frames)])
    painter, guarded = Painter(size), GuardedFrames(size, transparent)
    painter.mood.loop = beats or 0
    target, part = find_paths(out)
    encoder = Encoder(part, size, rate, skip_sound(sound, start), transparent)
    done, stopped_by = 0, 0
    try:
        bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"),
            TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        with asked_to_stop() as stop:
            with bar:
                task = bar.add_task(out.name, total=frames)
                try:
                    for frame in ahead(film_frames, AHEAD):
                        if stop.signal:
                            stopped_by = stop.signal
                            break
                        if frame.note:
                            console.print(frame.note)
                        moment = frame.moment
                        pixels = painter.paint_alpha(moment) if transparent else pixels_of(painter.paint(moment))
                        if not frame.shown:
                            continue
                        guarded.show(pixels, done / float(rate))
                        if on_frame is not None:
                            on_frame(done, pixels.data)
                        encoder.put(pixels)
                        done += 1
                        bar.update(task, completed=done)
                except (KeyboardInterrupt, Stopped):
                    stopped_by = stop.signal or signal.SIGINT
            if done:
                encoder.finish()
    except BaseException:  # also a second signal while it finishes: leave nothing half-written, then pass it on
        encoder.abandon()
        raise
    if not done:
        encoder.abandon()
        raise stopped(stopped_by)
    put_in_place(part, out, force)
    if guarded.guard.held:
        console.print(f"{HELD}, in {guarded.guard.held} frames")
    report = FilmReport(target, done, float(done / rate), time.perf_counter() - began, stopped_by)
    early = f"; stopped early, the first {done} of {frames} frames are kept" if stopped_by else ""
    console.print(
        f"{target}: {report.seconds:.1f} s of film in {report.wall_seconds:.1f} s, "
        f"{report.speed:.2f} x real time{early}"
    )
    return report


def usual_size(out: Path, troupe: int) -> tuple[int, int]:
    """Pixels of a film for which nobody asked for a size: what moves in a chat is small."""
    if out.suffix.lower() in PICTURES:
        return (480, 480) if troupe == 1 else (640, 360)
    return 1280, 720


def usual_fps(out: Path) -> int:
    """Frames a second of a film for which nobody asked."""
    return GIF_FPS if out.suffix.lower() in PICTURES else 30


def ahead(items: Iterator[T], depth: int) -> Iterator[T]:
    """The same items, made on a thread of their own, up to `depth` before they are asked for."""
    pool = ThreadPoolExecutor(1, "dancer")
    try:
        waiting = deque(pool.submit(next, items, None) for _ in range(depth))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, items, None))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)


def _find_pinned(look: str | None, style: str | None, dance: str | None) -> set[Kind]:
    """What was asked for by name stays."""
    named = {"look": look, "style": style, "dance": dance}
    return find_pins([kind for kind, name in named.items() if name is not None], style == AUTO)


def _dance(show: Show, score: Score, times: list[float]) -> Iterator[FilmFrame]:
    """The show at those seconds of the music, with what changes by itself in words."""
    for t in times:
        moment = show.step(score.musical_time(t), score.hearing(t))
        note = f"{t:.0f} s: {', '.join(map(str, show.changed))}" if show.changed else None
        yield FilmFrame(t - times[0], moment, note)


def _cut_loop(dancer: Dancer, score: Score, start: float, end: float, beats: int) -> tuple[Loop, float, float]:
    """A loop, and from when to when of the music it is danced."""

    def energy(beat: float) -> float:
        return score.hearing(min(max(time_of(score, beat), 0.0), end)).energy

    loop = find_loop(dancer, beats, score.musical_time(start), score.musical_time(end), energy)
    return loop, time_of(score, loop.first), time_of(score, loop.first + beats)


def _dance_loop(
    dancer: Dancer, look: Look, loop: Loop, score: Score, times: list[float]
) -> Iterator[FilmFrame]:  # fmt: skip
    """The loop at those seconds of the music; before that unseen, for what lingers of it to be there when it begins."""
    length = len(times) * (times[1] - times[0])
    for early in range(-(-LINGERS // loop.beats), -1, -1):
        for t in times:
            beat, hearing = score.musical_time(t), score.hearing(t)
            left = loop.first + loop.beats - beat
            if left < 1:  # the light goes over as the body does
                share = 1 - left
                earlier = score.hearing(max(time_of(score, beat - loop.beats), 0.0))
                hearing = between_hearings(hearing, earlier, share * share * (3 - 2 * share))
            bodies = dancer.draw(*loop.at(beat))
            moment = Moment(bodies, look, hearing, beat - early * loop.beats)
            yield FilmFrame(t - times[0] - early * length, moment, shown=not early)


def _begin_by_the_music(show: Show, score: Score, start: float, console: Console) -> None:
    selector = show.style_selector
    assert selector is not None
    best = selector.best(score.hearing(start).mix)
    if best is None:
        console.print(f"style {show.dancer.style}: {selector.note or 'nothing is known of the music'}")
    else:
        show.dancer.set_style(best)
        console.print(f"style {best}, by the music")


def _check(
    out: Path, size: tuple[int, int], fps: int, start: float, seconds: float | None, beats: int | None, bpm: float,
    transparent: bool, force: bool,
) -> None:  # fmt: skip
    check_place(out, transparent, force)
    width, height = size
    if not (min(SMALLEST) <= min(size) <= min(LARGEST) and max(size) <= max(LARGEST)):
        raise UserError(f"size {width}x{height}: must be from 64x64 to 7680x4320")
    if (width % 2 or height % 2) and not is_sequence(out) and out.suffix.lower() not in PICTURES:
        raise UserError(f"size {width}x{height}: a film wants even numbers, such as {width // 2 * 2}x{height // 2 * 2}")
    if not 1 <= fps <= 240:
        raise UserError(f"fps {fps}: must be from 1 to 240")
    if out.suffix.lower() == ".gif" and fps > 50:
        raise UserError(f"fps {fps}: a GIF is shown with 50 at most")
    if not 0 <= start < 86_400:
        raise UserError(f"start {start:g}: must be 0 seconds or more and less than a day")
    if seconds is not None and not 0 < seconds < 86_400:
        raise UserError(f"seconds {seconds:g}: must be more than 0 and less than a day")
    if seconds is not None and beats is not None:
        raise UserError("a loop is as long as its beats: --beats or --seconds, not both")
    if not 20 <= bpm <= 400:
        raise UserError(f"tempo {bpm:g}: must be from 20 to 400 beats a minute")


def frame_hash(pixels: memoryview) -> str:
    """SHA-256 of a frame, for `on_frame`: two films with equal hashes are equal before encoding."""
    return hashlib.sha256(pixels).hexdigest()
