"""The same show without a window, into a file.

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
from functools import partial
from pathlib import Path
from typing import TypeVar

from visualizer.auto import Auto, Kind, find_pins
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import Pack, find_pack, load_pack
from visualizer.errors import UserError
from visualizer.film.output_path import check_output, find_output, find_paths, put_in_place
from visualizer.film.progress import FilmProgress, warn_of_size
from visualizer.film.score import OwnScore, Score, read_own_music, skip_sound, time_of
from visualizer.film.seamless_loop import Loop, between_hearings, come_round, find_loop, follow_pack
from visualizer.film.video import PICTURES, SOUND_RATE, Encoder, is_sequence
from visualizer.leave import before_leaving, unhurried
from visualizer.messages import write_to_log
from visualizer.moment import Moment
from visualizer.music.analysis.features import Floats
from visualizer.music.analysis.song import hear_song
from visualizer.music.clock import fold
from visualizer.music.song_file import read_song
from visualizer.options import AUTO, FilmOptions, check_value
from visualizer.show import Show, ShowPlan
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import HELD, GuardedFrames
from visualizer.stage.looks import Look
from visualizer.stage.shots import pixels_of
from visualizer.stop import Stop, Stopped, asked_to_stop, stopped
from visualizer.support.console import Console

OWN_SECONDS = 15.0  # of a film without a song and without a wish
AHEAD = 8  # pictures that are danced and decoded before they are painted
LINGERS = 12  # beats after which nothing is left of a trail or of confetti
GIF_FPS = 25  # a GIF counts in hundredths of a second
MOST_LOOKED_AT = 120.0  # seconds of our own music in which a loop is looked for

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


@dataclass(frozen=True)
class FilmFrame:
    """What one frame is painted from. Frames that are not `shown` only warm the painter up: trails, smoothing."""

    t: float  # seconds since the first frame of the film
    moment: Moment
    note: str | None = None  # what changes now, in words
    shown: bool = True


@dataclass(frozen=True)
class Reel:
    """The frames of a film, how many are shown, how many a second, the sound beside them and, of a loop, its beats."""

    frames: Iterator[FilmFrame]
    count: int
    rate: Fraction
    sound: Iterator[Floats]
    loop_beats: int = 0


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
    show = make_show(pack, options, size, console.say)
    reel = _make_reel(song, show, options, fps, console)
    painter, guarded = Painter(size), GuardedFrames(size, options.transparent)
    painter.mood.loop = reel.loop_beats
    target, part = find_paths(out)
    if out.suffix.lower() == ".gif" and (warning := warn_of_size(size, reel.count)):
        console.say(warning)
    encoder = Encoder(part, size, reel.rate, reel.sound, options.transparent)

    done = 0

    def paint(frame: FilmFrame) -> int:
        """Paint one more; how many are done."""
        nonlocal done
        moment = frame.moment
        pixels = painter.paint_alpha(moment) if options.transparent else pixels_of(painter.paint(moment))
        if frame.shown:
            guarded.show(pixels, done / float(reel.rate))
            if on_frame is not None:
                on_frame(done, pixels.data)
            encoder.put(pixels)
            done += 1
        return done

    def keep() -> None:
        """The film as far as it goes, in place of the main thread that does not return."""
        if done:
            encoder.finish()
            put_in_place(part, out, options.force)
        else:
            encoder.abandon()

    try:
        with asked_to_stop() as stop, before_leaving(keep):
            said = FilmProgress(console, out.name, reel.count, lambda: encoder.estimate(reel.count))
            stopped_by = _run(reel, paint, stop, said, console)
            if done:
                with unhurried():
                    encoder.finish()
    except BaseException:  # also a second signal while it finishes: leave nothing half-written, then pass it on
        encoder.abandon()
        raise
    if not done:
        encoder.abandon()
        raise stopped(stopped_by)
    put_in_place(part, out, options.force)
    if guarded.guard.held:
        console.say(f"{HELD}, in {guarded.guard.held} frames")
    report = FilmReport(target, done, float(done / reel.rate), time.perf_counter() - began, stopped_by)
    early = f"; stopped early, the first {done} of {reel.count} frames are kept" if stopped_by else ""
    console.say(
        f"{target}: {report.seconds:.1f} s of film in {report.wall_seconds:.1f} s, "
        f"{report.speed:.2f} x real time{early}"
    )
    return report


def film_as_asked(song: Path | None, options: FilmOptions) -> FilmReport:
    """The film that the command line asks for. UserError as `make_film`; what is quickly known is said at once."""
    check_output(find_output(options.out), options.transparent, options.force)
    return make_film(song, load_pack(find_pack(options.pack), options.device), options)


def make_show(
    pack: Pack, options: FilmOptions, size: tuple[int, int], notify: Callable[[str], None] = write_to_log
) -> Show:  # fmt: skip
    """The show that is filmed; `notify` is told what goes wrong. UserError for a style or dance that there is not."""
    style = None if options.style == AUTO else options.style
    dancer = Dancer(pack, options.seed, style, options.troupe, options.temperature, options.dance, notify)
    dancer.set_sync(options.sync)
    dancer.view = size[0] / size[1]
    plan = ShowPlan(
        look=options.look,
        auto=Auto(random.Random(f"auto {options.seed}"), options.auto, find_pinned(options)),
        by_music=options.style == AUTO and options.dance is None,
    )
    return Show(dancer, plan)


def find_pinned(options: FilmOptions) -> set[Kind]:
    """What was asked for by name stays."""
    asked = [kind for kind in ("look", "style", "dance") if getattr(options, kind) is not None]
    return find_pins(asked, options.style == AUTO)


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


def _run(
    reel: Reel, paint: Callable[[FilmFrame], int], stop: Stop, said: FilmProgress, console: Console
) -> int:  # fmt: skip
    """Paint frame by frame; the signal that ended it early, or 0."""
    with said:
        try:
            for frame in ahead(reel.frames, AHEAD):
                if stop.signal:
                    return stop.signal
                if frame.note:
                    console.say(frame.note)
                said.update(paint(frame))
        except (KeyboardInterrupt, Stopped):
            return stop.signal or signal.SIGINT
    return 0


def _make_reel(song: Path | None, show: Show, options: FilmOptions, fps: Fraction, console: Console) -> Reel:
    """Listen to the song, and say what is danced when."""
    score: Score
    start, beats = options.start, options.beats
    if song is None:
        pace = options.bpm * fold(options.bpm)
        # Room for a loop to be looked for; else as long as was asked for.
        end = MOST_LOOKED_AT if beats is not None else start + (options.seconds or OWN_SECONDS)
        score, sound = OwnScore(pace), read_own_music(pace, console.say)
    else:
        with console.status(f"listening to {song.name}"):
            score = heard = hear_song(song, options.bpm)
        if not heard.confidence:
            console.say(f"no beat found in {song.name}: danced at {heard.bpm:.0f} BPM")
        if start >= heard.seconds:
            raise UserError(f"{song}: is over after {heard.seconds:.1f} s, before {start:g}")
        end = min(start + options.seconds, heard.seconds) if options.seconds else heard.seconds
        sound = read_song(song, SOUND_RATE)
    if show.style_selector is not None:
        _begin_by_the_music(show, score, start, console)
    if beats is None:
        count = max(round((end - start) * fps), 1)
        frames = _dance(show, score, [start + float(k / fps) for k in range(count)])
        return Reel(frames, count, fps, skip_sound(sound, start))
    assert isinstance(show.dancer, Dancer)
    loop, start, end = _cut_loop(show.dancer, score, start, end, beats)
    count = max(round((end - start) * fps), 2)
    rate = Fraction(count / (end - start)).limit_denominator(10_000)
    times = [start + (end - start) * k / count for k in range(count)]
    console.say(f"a loop from {start:.2f} s on: {beats} beats, {end - start:.2f} s")
    frames = _dance_loop(show.dancer, come_round(show.look, beats), loop, score, times)
    return Reel(frames, count, rate, skip_sound(sound, start), beats)


def _begin_by_the_music(show: Show, score: Score, start: float, console: Console) -> None:
    selector = show.style_selector
    assert selector is not None
    best = selector.best(score.hearing(start).mix)
    if best is None:
        console.say(f"style {show.dancer.style}: {selector.note or 'nothing is known of the music'}")
    else:
        show.dancer.set_style(best)
        console.say(f"style {best}, by the music")


def _dance(show: Show, score: Score, times: list[float]) -> Iterator[FilmFrame]:
    """The show at those seconds of the music, with what changes by itself in words."""
    for t in times:
        moment = show.step(score.musical_time(t), score.hearing(t))
        note = f"{t:.0f} s: {', '.join(map(str, show.changed))}" if show.changed else None
        yield FilmFrame(t - times[0], moment, note)


def _find_energy(score: Score, end: float, beat: float) -> float:
    """Of the music at a beat; `end`: seconds after which there is none."""
    return score.hearing(min(max(time_of(score, beat), 0.0), end)).energy


def _cut_loop(dancer: Dancer, score: Score, start: float, end: float, beats: int) -> tuple[Loop, float, float]:
    """A loop, and from when to when of the music it is danced."""
    energy = partial(_find_energy, score, end)
    loop = find_loop(dancer, beats, score.musical_time(start), score.musical_time(end), energy)
    return loop, time_of(score, loop.first), time_of(score, loop.first + beats)


def _dance_loop(dancer: Dancer, look: Look, loop: Loop, score: Score, times: list[float]) -> Iterator[FilmFrame]:
    """The loop at those seconds of the music; before that unseen, for what lingers of it to be there when it begins."""
    length = len(times) * (times[1] - times[0])
    energy = partial(_find_energy, score, times[0] + length)
    for early in range(-(-LINGERS // loop.beats), -1, -1):
        for t in times:
            beat, hearing = score.musical_time(t), score.hearing(t)
            left = loop.first + loop.beats - beat
            if left < 1:  # the light goes over as the body does
                share = 1 - left
                earlier = score.hearing(max(time_of(score, beat - loop.beats), 0.0))
                hearing = between_hearings(hearing, earlier, share * share * (3 - 2 * share))
            loop = follow_pack(dancer, loop, energy)
            moment = Moment(dancer.draw(*loop.at(beat)), look, hearing, beat - early * loop.beats)
            yield FilmFrame(t - times[0] - early * length, moment, shown=not early)


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
    if options.auto and options.beats is not None:
        raise UserError("a loop has one look and one style: --beats or --auto, not both")


def frame_hash(pixels: memoryview) -> str:
    """SHA-256 of a frame, for `on_frame`: two films with equal hashes are equal before encoding."""
    return hashlib.sha256(pixels).hexdigest()
