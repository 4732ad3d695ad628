"""Music written by rule to train the ear: a tune is a score in musical time, performed with human timing.

The beats and bars of a tune are known, because it is written from them. It contains no existing song: grooves are
the common ones of their genres, melodies and chords are random. It also has what must not mislead the ear: kicks off
the beat, bars without drums, singers who are late, bass lines that are early.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.synth.genres import GENRES, VOICES, Genre
from training.synth.plan import Bar, Note, Part
from training.synth.score import draw_plan, write_notes


class Sound(NamedTuple):
    """One note to be played: when it sounds (s), for how long (s), by which part, MIDI pitch, loudness 0..1."""

    time: float
    seconds: float
    part: str
    pitch: int
    loud: float


@dataclass(frozen=True)
class Tune:
    """A performed score. beats, downbeats: seconds at which they sound. rises: (from, to, loudness) of noise sweeps."""

    genre: str
    sounds: list[Sound]
    parts: dict[str, Part]
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    bars: NDArray[np.int64]  # beats in the bar of each downbeat
    seconds: float
    pump: float = 0.0  # 0..1, how far a kick ducks the rest
    rises: list[tuple[float, float, float]] = field(default_factory=list)
    drive: float = 1.0  # into the limiter of the master


def compose(seed: int, seconds: float = 30.0, genre: str | None = None, bpm: float | None = None) -> Tune:
    """A tune of about `seconds` (whole bars), decided by the seed. `genre` is one of GENRES, or drawn by weight; `bpm`
    is drawn from the genre's where it is not given."""
    rng = np.random.default_rng((seed, 20))
    names = list(GENRES)
    weights = np.array([GENRES[n].weight for n in names])
    name = genre or names[rng.choice(len(names), p=weights / weights.sum())]
    style = GENRES[name]
    meter, steps = style.meter, style.steps
    if name == "anything":
        meter = int(rng.choice([4, 4, 4, 4, 4, 3]))
        steps = int(rng.choice([4, 4, 4, 3]))
    low, high = style.tempo
    drawn = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    bpm = drawn if bpm is None else bpm
    bars = draw_form(rng, max(round(seconds * bpm / 60 / meter), 2), meter)
    plan = draw_plan(rng, style, meter, steps)
    notes, rises = write_notes(plan, bars)
    total = sum(b.beats for b in bars)
    clock = Clock(rng, bpm, total + 1, style, bars)
    sounds = perform(rng, notes, clock, style, steps)
    # A tune may start in the middle of a bar: recordings and listeners do.
    starts = np.cumsum([0] + [b.beats for b in bars])
    beats = clock.at(np.arange(total))
    lead_in = float(rng.uniform(0.02, 0.8))
    return Tune(
        genre=name,
        sounds=[s._replace(time=max(s.time + lead_in, 0.0)) for s in sounds],
        parts=plan.parts,
        beats=beats + lead_in,
        downbeats=clock.at(starts[:-1]) + lead_in,
        bars=np.array([b.beats for b in bars]),
        seconds=float(clock.at(np.array([total]))[0]) + lead_in,
        pump=float(rng.uniform(0.3, 0.95)) if rng.random() < style.pump else 0.0,
        rises=[(*(clock.at(np.array([a, b])) + lead_in).tolist(), loud) for a, b, loud in rises],
        drive=float(rng.choice([1.0, rng.uniform(1, 4)])),
    )


def draw_form(rng: Generator, count: int, meter: int) -> list[Bar]:
    """Sections of 1 to 8 bars, each with some of the layers: intros without drums, breaks, builds and drops."""
    bars: list[Bar] = []
    section = 0
    odd = rng.random() < 0.06
    calm = rng.random() < 0.3  # everybody plays from beginning to end
    while len(bars) < count:
        length = int(rng.choice([2, 4, 4, 4, 8, 8, 3, 1], p=[0.15, 0.2, 0.15, 0.15, 0.15, 0.1, 0.05, 0.05]))
        length = min(length, count - len(bars))
        if calm:
            layers = {"drums", "bass", "chords", "lead", "perc"}
        else:
            kind = rng.random()
            if kind < 0.5:
                layers = {"drums", "bass", "chords", "perc"} | ({"lead"} if rng.random() < 0.65 else set())
            elif kind < 0.6:
                layers = {"drums", "bass", "perc"}
            elif kind < 0.68:
                layers = {"drums"}
            elif kind < 0.76:
                layers = {"chords", "lead"}
            elif kind < 0.82:
                layers = {"chords", "bass"} | ({"lead"} if rng.random() < 0.5 else set())
            elif kind < 0.88:
                layers = {"hats", "chords", "lead", "bass"}
            elif kind < 0.93:
                layers = {"build", "chords"}
            elif kind < 0.96:
                layers = {"lead"}
            else:
                layers = {"drums", "lead"}
        for i in range(length):
            beats = meter
            if odd and meter == 4 and i == length - 1 and rng.random() < 0.4:
                beats = int(rng.choice([2, 3, 6]))
            bars.append(Bar(beats, section, i == 0, i == length - 1, frozenset(layers)))
        section += 1
    return bars


class Clock:
    """Musical time -> seconds: steady, or drifting, stepping, or kept by a human."""

    def __init__(self, rng: Generator, bpm: float, beats: int, style: Genre, bars: list[Bar]) -> None:
        pace = np.full(beats + 1, np.log(60 / bpm))
        kind = rng.random()
        if style.human >= 0.3 and kind < 0.45:  # a band without a click
            slow = np.cumsum(rng.standard_normal(beats + 1)) * rng.uniform(0.001, 0.006) * min(style.human, 1.5)
            pace = pace + np.clip(slow - np.linspace(0, slow[-1], beats + 1) * 0.5, -0.12, 0.12)
            pace += rng.standard_normal(beats + 1) * 0.006 * style.human
        elif kind < 0.55:  # faster or slower all along
            pace += np.linspace(0, rng.uniform(-0.15, 0.15), beats + 1)
        elif kind < 0.63 and len(bars) > 3:  # another tempo from some bar on
            starts = np.cumsum([0] + [b.beats for b in bars])[:-1]
            pace[int(starts[rng.integers(1, len(starts))]) :] += rng.uniform(-0.35, 0.35)
        seconds = np.exp(np.clip(pace, np.log(60 / 205), np.log(60 / 42)))
        self.times = np.concatenate([[0.0], np.cumsum(seconds)])

    def at(self, beat: NDArray) -> NDArray[np.float64]:
        return np.interp(beat, np.arange(len(self.times)), self.times)


def perform(rng: Generator, notes: list[Note], clock: Clock, style: Genre, steps: int) -> list[Sound]:
    """Swing, then hands: each part has its own place before or after the beat, and its own spread about it."""
    swing = rng.uniform(*style.swing) if steps == 4 else 0.5
    unit = style.swung
    lag = {"drums": 0.0, "bass": rng.normal(0, 0.006), "chords": rng.normal(0, 0.008), "lead": rng.normal(0.005, 0.02)}
    spread = {"drums": 0.005, "bass": 0.007, "chords": 0.008, "lead": 0.018}
    if style.human < 0.3:
        lag = dict.fromkeys(lag, 0.0) | {"lead": rng.normal(0.005, 0.015)}
    loose = style.human * rng.uniform(0.2, 1.8)
    pushes = {key: rng.normal(0, 0.006 * min(style.human, 1.3)) for key in VOICES.values() if key != VOICES["K"]}
    at = np.array([n.beat for n in notes]) if notes else np.zeros(0)
    ends = np.array([n.beat + n.beats for n in notes]) if notes else np.zeros(0)
    if swing != 0.5:
        whole = np.floor(at / (2 * unit) + 1e-6) * 2 * unit
        inside = (at - whole) / (2 * unit)
        warped = np.where(inside < 0.5, inside * 2 * swing, swing + (inside - 0.5) * 2 * (1 - swing))
        at = whole + warped * 2 * unit
    times, stops = clock.at(at), clock.at(ends)
    out = []
    for note, time, stop in zip(notes, times, stops, strict=True):
        jitter = rng.standard_normal() * spread[note.part] * (loose if note.part != "lead" else max(loose, 0.3))
        push = pushes.get(note.pitch, 0.0) if note.part == "drums" else lag[note.part]
        loud = float(np.clip(note.loud * (1 + 0.12 * style.human * rng.standard_normal()), 0.08, 1.0))
        out.append(Sound(float(time + jitter + push), float(max(stop - time, 0.05)), note.part, int(note.pitch), loud))
    return sorted(out)
