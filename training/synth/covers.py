"""Tunes whose playing is human: a drummer of Groove over a pop song of POP909, or over harmony written by rule.

What is written here is only what the two do not have: a bass, who plays, when somebody rests, and the common tempo.
The drummer keeps each stroke's place before or after the beat, the song its own changes of tempo.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.synth.compose import Sound, Tune, compose
from training.synth.genres import PROGRAMS
from training.synth.groove import BEATS_A_BAR, GENRES_OF, Groove, Performance
from training.synth.plan import Part
from training.synth.pop909 import Pop909, Song

GROOVE_FILE, POP_FILE = "groove.zip", "pop909.zip"
TEMPI = (52.0, 185.0)  # BPM, of drummers that are drawn
NEAR = 0.3  # natural log: how far a song is made faster or slower for its drummer
LEADS = ("guitar", "sax", "synth", "strings", "flute", "piano")
PLAYED = ("piano", "strum", "clean", "organ", "pluck", "stabs", "pad")


class Library(NamedTuple):
    """The scores of people."""

    groove: Groove
    pop: Pop909

    @classmethod
    def open(cls, folder: Path, left_out: tuple[str, ...] = ()) -> Library:
        """From a folder with GROOVE_FILE and POP_FILE; `left_out`: names of clips for measuring. UserError."""
        return cls(Groove(folder / GROOVE_FILE, left_out), Pop909(folder / POP_FILE))


@dataclass(frozen=True)
class _Ground:
    """The song's part that is played: `bars` bars from bar `first` on, at so many seconds."""

    song: Song
    first: int
    bars: int
    times: NDArray[np.float64]  # of its beats, and of the beat after the last

    def at(self, beat: NDArray | float) -> NDArray[np.float64]:
        """Beats since the first bar -> seconds; on into the times before and after at the nearest tempo."""
        beat = np.asarray(beat, float)
        number = np.clip(np.floor(beat).astype(int), 0, len(self.times) - 2)
        return self.times[number] + (beat - number) * (self.times[number + 1] - self.times[number])


def cover(seed: int, library: Library, seconds: float = 30.0) -> Tune:
    """A pop song with a human drummer, decided by the seed: most often with a bass, sometimes without drums."""
    rng = np.random.default_rng((seed, 31))
    song = _draw_song(rng, library.pop)
    # A song is nowhere near the drummers of all tempi; slow ones are rare, and so are their songs' drummers.
    slow, fast = np.clip(song.bpm * np.exp([-NEAR, NEAR]), *TEMPI)
    player = library.groove.draw(rng, slow, max(fast, slow + 1))
    pace = np.exp(np.clip(np.log(player.bpm / song.bpm), -NEAR, NEAR) * rng.uniform(0.6, 1.0))
    ground = _cut_song(rng, song, pace, seconds)
    playing = _draw_sections(rng, ground.bars, rng.random() < 0.85)
    parts = {
        "drums": _draw_kit(rng),
        "bass": _draw_bass(rng),
        "chords": Part(int(rng.choice(PROGRAMS[str(rng.choice(PLAYED))])), gain=float(rng.uniform(0.4, 1.1))),
        "bridge": Part(int(rng.choice(PROGRAMS[str(rng.choice(LEADS))])), gain=float(rng.uniform(0.3, 0.9))),
        "lead": _draw_lead(rng),
    }  # fmt: skip
    start = float(rng.uniform(0.05, 0.6))
    sounds = _play_drums(rng, player, ground, playing) + _play_bass(rng, player, ground, playing)
    sounds += _play_song(rng, ground, playing)
    beats = ground.times[:-1]
    return Tune(
        genre=f"human {player.style.split('-')[0]}",
        sounds=sorted(s._replace(time=max(s.time + start, 0.0)) for s in sounds),
        parts=parts,
        beats=beats + start,
        downbeats=beats[::BEATS_A_BAR] + start,
        bars=np.full(ground.bars, BEATS_A_BAR),
        seconds=float(ground.times[-1]) + start,
        pump=float(rng.uniform(0.3, 0.9)) if rng.random() < 0.15 else 0.0,
        drive=float(rng.choice([1.0, rng.uniform(1, 4)])),
    )


def jam(seed: int, library: Library, seconds: float = 30.0) -> Tune:
    """A human drummer with a band that plays by rule, or in one of five alone."""
    rng = np.random.default_rng((seed, 32))
    player = library.groove.draw(rng, *TEMPI)
    names = GENRES_OF.get(player.style.split("-")[0], "anything").split(", ")
    bpm = player.bpm * float(np.exp(rng.uniform(-0.08, 0.08)))
    genre = str(rng.choice(names))
    tunes = (compose(seed + 500_009 * k, seconds, genre, bpm) for k in itertools.count())
    # A bar of another length is no bar of this drummer's.
    tune = next(tune for tune in tunes if set(tune.bars.tolist()) == {BEATS_A_BAR})
    times = np.append(tune.beats, 2 * tune.beats[-1] - tune.beats[-2])
    ground = _Ground(_NO_SONG, 0, len(tune.beats) // BEATS_A_BAR, times)
    drummed = _draw_sections(rng, ground.bars, True)
    alone = rng.random() < 0.2
    others = [] if alone else [s for s in tune.sounds if s.part != "drums"]
    drums = _play_drums(rng, player, ground, [b | {"drums"} for b in drummed] if alone else drummed)
    parts = {**tune.parts, "drums": _draw_kit(rng)}
    return replace(tune, genre=f"human {player.style.split('-')[0]}", sounds=sorted(others + drums), parts=parts)


_NO_SONG = Song((), np.zeros(0), ())


def _draw_song(rng: Generator, pop: Pop909) -> Song:
    while True:
        song = pop.read(pop.numbers[int(rng.integers(len(pop.numbers)))])
        if song is not None:
            return song


def _cut_song(rng: Generator, song: Song, pace: float, seconds: float) -> _Ground:
    """So many seconds from a random bar on, `pace` times as fast."""
    whole = (len(song.beats) - 1) // BEATS_A_BAR
    bars = int(np.clip(round(seconds * song.bpm * pace / 60 / BEATS_A_BAR), 2, whole))
    first = int(rng.integers(whole - bars + 1))
    begin = first * BEATS_A_BAR
    times = song.beats[begin : begin + bars * BEATS_A_BAR + 1]
    return _Ground(song, first, bars, (times - times[0]) / pace)


def _draw_sections(rng: Generator, bars: int, drummed: bool) -> list[set[str]]:
    """Who plays in each bar: sections of two to eight bars, in some of which somebody rests."""
    out: list[set[str]] = []
    everybody = {"drums", "bass", "chords", "bridge", "lead"} - (set() if drummed else {"drums"})
    while len(out) < bars:
        kind = rng.random()
        here = set(everybody)
        if kind < 0.1:
            here -= {"drums"}
        elif kind < 0.16:
            here -= {"drums", "bass"}
        elif kind < 0.26:
            here = {"drums", "bass"} & everybody or here
        elif kind < 0.5:
            here -= {str(rng.choice(["chords", "lead", "bass"]))}
        out += [here] * int(rng.choice([2, 4, 4, 8]))
    return out[:bars]


def _draw_kit(rng: Generator) -> Part:
    if rng.random() < 0.2:
        return Part(machine=str(rng.choice(["808", "909", "noise"])), gain=float(rng.uniform(0.5, 1.3)))
    return Part(program=int(rng.choice([0, 0, 8, 16, 24, 25, 32, 40])), gain=float(rng.uniform(0.5, 1.4)))


def _draw_bass(rng: Generator) -> Part:
    machine = "sub" if rng.random() < 0.25 else ""
    return Part(int(rng.choice(PROGRAMS["bass"])), machine, float(rng.uniform(0.5, 1.2)))


def _draw_lead(rng: Generator) -> Part:
    if rng.random() < 0.35:
        return Part(machine="voice", gain=float(rng.uniform(0.5, 1.6)))
    return Part(int(rng.choice(PROGRAMS[str(rng.choice(LEADS))])), gain=float(rng.uniform(0.4, 1.3)))


def _play_drums(rng: Generator, player: Performance, ground: _Ground, playing: list[set[str]]) -> list[Sound]:
    """The drummer's bars one after the other, from a random one on, round and round."""
    at = int(rng.integers(len(player.bars)))
    strokes = [
        (bar * BEATS_A_BAR + stroke.beat, stroke)
        for bar in range(ground.bars)
        if "drums" in playing[bar]
        for stroke in player.bars[(at + bar) % len(player.bars)]
    ]
    loud = float(rng.uniform(0.8, 1.15))
    when = ground.at(np.array([beat for beat, _ in strokes]))
    return [
        Sound(float(time), 0.15, "drums", stroke.key, float(np.clip(loud * stroke.loud, 0.05, 1)))
        for time, (_, stroke) in zip(when, strokes, strict=True)
    ]


def _play_bass(rng: Generator, player: Performance, ground: _Ground, playing: list[set[str]]) -> list[Sound]:
    """The roots of the song's chords: with the kick, in eighths, held, or not at all."""
    kind = str(rng.choice(["kick", "kick", "eighths", "held", "none"]))
    roots = ground.song.roots
    if kind == "none" or not roots:
        return []
    changes = np.array([beat for beat, _ in roots])
    begin = ground.first * BEATS_A_BAR
    lag, out = float(rng.normal(0, 0.008)), []
    at = int(rng.integers(len(player.bars)))
    for bar in range(ground.bars):
        if "bass" not in playing[bar]:
            continue
        kicks = {round(s.beat * 4) / 4 for s in player.bars[(at + bar) % len(player.bars)] if s.key in (35, 36)}
        places = {"kick": sorted({max(k, 0.0) for k in kicks} | {0.0}), "eighths": [i / 2 for i in range(8)]}.get(
            kind, [0.0, 2.0]
        )
        for place, after in zip(places, [*places[1:], float(BEATS_A_BAR)], strict=True):
            beat = bar * BEATS_A_BAR + place
            root = roots[int(np.clip(np.searchsorted(changes, begin + beat + 0.01, "right") - 1, 0, None))][1]
            if root < 0:
                continue
            time, stop = ground.at(np.array([beat, bar * BEATS_A_BAR + after]))
            pitch = 28 + (root - 4) % 12 + (12 if rng.random() < 0.06 else 0)
            length = (float(stop) - float(time)) * float(rng.uniform(0.5, 0.95))
            out.append(Sound(float(time) + lag, max(length, 0.08), "bass", int(pitch), float(rng.uniform(0.6, 0.95))))
    return out


def _play_song(rng: Generator, ground: _Ground, playing: list[set[str]]) -> list[Sound]:
    """The song's own notes, in another key; each part a little before or after the beat."""
    key = int(rng.integers(-5, 6))
    lag = {"chords": rng.normal(0, 0.006), "lead": rng.normal(0.005, 0.015), "bridge": rng.normal(0.003, 0.01)}
    begin = ground.first * BEATS_A_BAR
    notes = [
        (note.beat - begin, note)
        for note in ground.song.notes
        if 0 <= note.beat - begin < ground.bars * BEATS_A_BAR - 0.01
        and note.part in playing[int((note.beat - begin) // BEATS_A_BAR)]
    ]
    if not notes:
        return []
    starts = ground.at(np.array([beat for beat, _ in notes]))
    stops = ground.at(np.array([beat + note.beats for beat, note in notes]))
    sounds = []
    for start, stop, (_, note) in zip(starts, stops, notes, strict=True):
        pitch, loud = int(np.clip(note.pitch + key, 20, 110)), float(np.clip(note.loud * 1.1, 0.1, 1.0))
        sounds.append(Sound(float(start + lag[note.part]), float(max(stop - start, 0.05)), note.part, pitch, loud))
    return sounds
