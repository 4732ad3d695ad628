"""The same dance without a window, into a file.

Time is the frame number, so nothing depends on how fast the machine is: same pack, seed and song, same frames, byte
for byte. One thread dances and decodes, some frames ahead; this one paints; a third converts and encodes. All three
release Python's lock most of the time. The film grows under a temporary name beside its target, and is renamed when it
is whole.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from visualizer import paths
from visualizer.auto import Auto, Kind, Marks, pins, turn
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import Pack
from visualizer.encoder import (
    FILMS,
    PICTURES,
    SOUND_RATE,
    TRANSPARENT,
    Encoder,
    is_sequence,
    no_such_kind,
)
from visualizer.errors import UserError
from visualizer.loop import Loop, between_hearings, come_round, find_loop
from visualizer.moment import Bodies
from visualizer.music.clock import Hearing, fold
from visualizer.music.features import Floats
from visualizer.music.own import own_hearing
from visualizer.music.song import hear_song, read_song
from visualizer.music.taste import Stylist
from visualizer.pictures import numbered, pattern_of
from visualizer.settings import AUTO
from visualizer.stage.guarded import HELD, GuardedFrames
from visualizer.stage.looks import shipped_looks, Look
from visualizer.stage.looks import find_look
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.shots import pixels_of
from visualizer.stop import Stopped, asked_to_stop, stopped

OWN_MUSIC_BPM = 120.0
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


@dataclass(frozen=True)
class Moment:
    """All that one frame is painted from. Frames that are not `shown` only warm the painter up: trails, smoothing."""

    t: float  # seconds since the first frame of the film
    picture: Bodies
    hearing: Hearing
    beat: float
    note: str | None = None  # what changes now, for the one who waits
    look: Look | None = None  # another look from now on
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
    the_look = find_look(look) if look else shipped_looks()[0]
    console = Console(stderr=True, quiet=not progress, soft_wrap=True)
    # Before the song is listened to: it knows at once if there is no such style or dance.
    dancer = Dancer(pack, seed, None if style == AUTO else style, troupe, temperature, dance)
    dancer.set_sync(sync)
    dancer.view = size[0] / size[1]
    stylist = Stylist(pack.styles) if style == AUTO and dance is None else None
    score: Score
    if song is None:
        pace = bpm * fold(bpm)
        # Room for a loop to be looked for; else as long as was asked for.
        length = MOST_LOOKED_AT if beats is not None else start + (seconds or OWN_SECONDS)
        score, sound = OwnScore(pace), _own_sound(pace, console)
    else:
        with console.status(f"listening to {song.name}"):
            score = heard = hear_song(song, bpm)
        if not heard.confidence:
            console.print(f"no beat found in {song.name}: danced at {heard.bpm:.0f} BPM")
        if start >= heard.seconds:
            raise UserError(f"{song}: is over after {heard.seconds:.1f} s, before {start:g}")
        length = min(start + seconds, heard.seconds) if seconds else heard.seconds
        sound = read_song(song, SOUND_RATE)
    if stylist is not None:
        _begin_by_the_music(dancer, stylist, score, start, console)
    if beats is not None:
        loop, start, length = _cut_loop(dancer, score, start, length, beats)
        frames = max(round((length - start) * fps), 2)
        rate = Fraction(frames / (length - start)).limit_denominator(10_000)
        the_look = come_round(the_look, beats)
        moments = _round(dancer, loop, score, [start + (length - start) * k / frames for k in range(frames)])
        console.print(f"a loop from {start:.2f} s on: {beats} beats, {length - start:.2f} s")
    else:
        frames, rate = max(round((length - start) * fps), 1), Fraction(fps)
        director = _Director(dancer, the_look, stylist, seed, _pinned(look, style, dance)) if auto else None
        moments = _danced(dancer, stylist, director, score, [start + k / fps for k in range(frames)])
    painter, guarded = Painter(size), GuardedFrames(size, transparent)
    painter.mood.loop = beats or 0
    target, part = _places(out)
    encoder = Encoder(part, size, rate, _later(sound, start), transparent)
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
                    for moment in ahead(moments, AHEAD):
                        if stop.signal:
                            stopped_by = stop.signal
                            break
                        the_look = moment.look or the_look
                        if moment.note:
                            console.print(moment.note)
                        what = moment.picture, the_look, moment.hearing, moment.beat
                        pixels = painter.paint_alpha(*what) if transparent else pixels_of(painter.paint(*what))
                        if not moment.shown:
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
    _put_in_place(part, out, force)
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


class _Director:
    """Who changes what is seen at the ends of phrases, as the live show does; the same seed, the same changes."""

    def __init__(
        self, dancer: Dancer, look: Look, stylist: Stylist | None, seed: int, pinned: Collection[Kind]
    ) -> None:
        self.look = look
        self._dancer, self._stylist = dancer, stylist
        self.auto, self._marks = Auto(random.Random(f"auto {seed}"), pinned=pinned), Marks()

    def change(self, beat: float, hearing: Hearing) -> list[str]:
        """What changes at this beat, in words; to be called for each frame."""
        return [said for kind in self.auto.turns(beat) if (said := self._turn(kind, hearing))]

    def _turn(self, kind: Kind, hearing: Hearing) -> str | None:
        styles = self._dancer.pack.styles
        chosen = turn(self.auto, kind, self._dancer, self.look.name, styles, self._marks, self._stylist, hearing.mix)
        if chosen is None:
            return None
        if kind == "look":
            self.look = find_look(chosen)
        return f"{kind} {chosen or 'as it comes'}"


def _pinned(look: str | None, style: str | None, dance: str | None) -> set[Kind]:
    """What was asked for by name stays."""
    named = {"look": look, "style": style, "dance": dance}
    return pins([kind for kind, name in named.items() if name is not None], style == AUTO)


def _danced(
    dancer: Dancer, stylist: Stylist | None, director: _Director | None, score: Score, times: list[float]
) -> Iterator[Moment]:
    """The dance at those seconds of the music."""
    for t in times:
        beat, hearing = score.musical_time(t), score.hearing(t)
        dancer.step_to(beat, hearing.energy)
        note = None
        if stylist is not None and (choice := stylist.choose(dancer.style, beat, hearing.mix)):
            dancer.set_style(choice.style)
            note = f"{t:.0f} s: style {choice.style} ({choice.why})"
            if director is not None:
                director.auto.stay("style")
                director.auto.stay("dance")
        look = None
        if director is not None:
            if changed := director.change(beat, hearing):
                note = f"{note}; {', '.join(changed)}" if note else f"{t:.0f} s: {', '.join(changed)}"
            look = director.look
        yield Moment(t - times[0], dancer.picture(beat), hearing, beat, note, look)


def _cut_loop(dancer: Dancer, score: Score, start: float, end: float, beats: int) -> tuple[Loop, float, float]:
    """A loop, and from when to when of the music it is danced."""

    def energy(beat: float) -> float:
        return score.hearing(min(max(time_of(score, beat), 0.0), end)).energy

    loop = find_loop(dancer, beats, score.musical_time(start), score.musical_time(end), energy)
    return loop, time_of(score, loop.first), time_of(score, loop.first + beats)


def _round(dancer: Dancer, loop: Loop, score: Score, times: list[float]) -> Iterator[Moment]:
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
            picture = dancer.draw(*loop.at(beat))
            since = t - times[0]
            yield Moment(since - early * length, picture, hearing, beat - early * loop.beats, shown=not early)


def time_of(score: Score, beat: float) -> float:
    """Seconds at which the music is at `beat`, by halving: musical time never runs backwards."""
    low, high = -60.0, 60.0
    while score.musical_time(high) < beat:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if score.musical_time(middle) < beat else (low, middle)
    return high


def _later(sound: Iterator[Floats], start: float) -> Iterator[Floats]:
    """The same sound from `start` seconds on."""
    skip = round(start * SOUND_RATE)
    for block in sound:
        if skip < len(block):
            yield block[skip:]
        skip = max(skip - len(block), 0)


def _begin_by_the_music(dancer: Dancer, stylist: Stylist, score: Score, start: float, console: Console) -> None:
    best = stylist.best(score.hearing(start).mix)
    if best is None:
        console.print(f"style {dancer.style}: {stylist.note or 'nothing is known of the music'}")
    else:
        dancer.set_style(best)
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


def check_place(out: Path, transparent: bool, force: bool) -> None:
    """UserError unless a film can be called and lie so."""
    if is_sequence(out):
        folder, names = pattern_of(out)
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is there already, and is no folder")
        if (there := numbered(folder, names)) and not force:
            raise UserError(f"{there[0]}: is there already (--force replaces all of its numbers)")
        out = folder
    else:
        if out.suffix.lower() not in ((*TRANSPARENT, ".webp") if transparent else (*FILMS, *PICTURES)):
            raise no_such_kind(out, transparent)
        if out.is_dir():
            raise UserError(f"{out}: is a folder")
        if os.path.lexists(out) and not force:  # also a link to nothing
            raise UserError(f"{out}: is there already (--force writes over it)")
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")


def _places(out: Path) -> tuple[Path, Path]:
    """What the film will be called, and what it is called as long as it is not whole."""
    if is_sequence(out):
        folder, names = pattern_of(out)
        folder = folder.absolute()
        return pattern_of(out)[0], folder.with_name(f".{folder.name}.{os.getpid()}.part") / names
    return out, out.with_name(f".{out.stem}.{os.getpid()}.part{out.suffix}")


def _put_in_place(part: Path, out: Path, force: bool) -> None:
    if not is_sequence(out):
        if os.path.lexists(out) and not force:  # it came while we filmed: keep both
            raise UserError(f"{out}: has come to be meanwhile; the film is in {part}")
        os.replace(part, out)
        return
    folder, names = pattern_of(out)
    if not folder.exists():
        os.replace(part.parent, folder)
        return
    there = numbered(folder, names)
    if there and not force:
        raise UserError(f"{there[0]}: has come to be meanwhile; the film is in {part.parent}")
    for old in there:  # also those of a longer film: an editor would take them for the end of this one
        old.unlink()
    for new in numbered(part.parent, names):
        os.replace(new, folder / new.name)
    shutil.rmtree(part.parent)


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


def frame_hash(pixels: memoryview) -> str:
    """SHA-256 of a frame, for `on_frame`: two films with equal hashes are equal before encoding."""
    return hashlib.sha256(pixels).hexdigest()
