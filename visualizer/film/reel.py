"""What a film shows when: the show, or a loop of it, danced at the seconds of its music."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from visualizer.auto import KINDS, Auto, Kind, find_pins
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import Pack
from visualizer.dancer.wardrobe import split_figures
from visualizer.errors import UserError
from visualizer.film.score import OwnScore, Score, read_own_music, skip_sound, time_of
from visualizer.film.seamless_loop import Loop, between_hearings, come_round, find_loop, follow_pack
from visualizer.film.video import SOUND_RATE
from visualizer.messages import write_to_log
from visualizer.moment import Moment, Titles
from visualizer.music.analysis.features import Floats
from visualizer.music.analysis.song import hear_song
from visualizer.music.clock import fold
from visualizer.music.song_file import read_song
from visualizer.options import AUTO, FilmOptions
from visualizer.show import Show, ShowPlan
from visualizer.stage.looks import Look
from visualizer.stage.titles.asked import open_titles
from visualizer.support.console import Console

OWN_SECONDS = 15.0  # of a film without a song and without a wish
LINGERS = 12  # beats after which nothing is left of a trail or of confetti
MOST_LOOKED_AT = 120.0  # seconds of our own music in which a loop is looked for


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


def make_show(
    pack: Pack, options: FilmOptions, size: tuple[int, int], notify: Callable[[str], None] = write_to_log,
    song: Path | None = None,
) -> Show:  # fmt: skip
    """The show that is filmed; `notify` is told what goes wrong. UserError for a style, dance or logo that there is
    not."""
    style = None if options.style == AUTO else options.style
    dancer = Dancer(pack, options.seed, style, options.troupe, options.temperature, options.dance, notify)
    if options.figure is not None:
        dancer.set_figures(split_figures(options.figure))
    dancer.set_sync(options.sync)
    dancer.set_camera(options.viewpoint == "moves" and options.beats is None)  # a loop ends where it began
    dancer.view = size[0] / size[1]
    plan = ShowPlan(
        look=options.look,
        auto=Auto(random.Random(f"auto {options.seed}"), options.auto, find_pinned(options)),
        by_music=options.style == AUTO and options.dance is None,
        titles=open_titles(options, song),
    )
    return Show(dancer, plan)


def find_pinned(options: FilmOptions) -> set[Kind]:
    """What was asked for by name stays."""
    asked = [kind for kind in KINDS if getattr(options, kind) is not None]
    return find_pins(asked, options.style == AUTO)


def make_reel(song: Path | None, show: Show, options: FilmOptions, fps: Fraction, console: Console) -> Reel:
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
    show.dancer.wants_inside = show.look.wants_inside
    loop, start, end = _cut_loop(show.dancer, score, start, end, beats)
    count = max(round((end - start) * fps), 2)
    rate = Fraction(count / (end - start)).limit_denominator(10_000)
    times = [start + (end - start) * k / count for k in range(count)]
    console.say(f"a loop from {start:.2f} s on: {beats} beats, {end - start:.2f} s")
    titles = show.titles.find_wanted(start)
    frames = _dance_loop(show.dancer, come_round(show.look, beats), loop, score, times, titles)
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
    dancer.beat_seconds = 60 / score.hearing(start).bpm
    energy = partial(_find_energy, score, end)
    loop = find_loop(dancer, beats, score.musical_time(start), score.musical_time(end), energy)
    return loop, time_of(score, loop.first), time_of(score, loop.first + beats)


def _dance_loop(dancer: Dancer, look: Look, loop: Loop, score: Score, times: list[float], titles: Titles
) -> Iterator[FilmFrame]:  # fmt: skip
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
            bodies = dancer.draw(*loop.at(beat), dress=dancer.dress(*loop.dress_at(beat)))
            moment = Moment(bodies, look, hearing, beat - early * loop.beats, titles=titles)
            yield FilmFrame(t - times[0] - early * length, moment, shown=not early)
