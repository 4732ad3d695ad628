"""What is drawn once for a tune and then played bar by bar: its key, chords, grooves and who plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from training.synth.genres import Genre


@dataclass(frozen=True)
class Part:
    """Who plays: a General MIDI program, a kit's program (`drums`), or a synthesised voice by name."""

    program: int = 0
    machine: str = ""  # "808", "909", "noise", "sub", "wobble", "voice", "rap", "growl"; "" is the soundfont
    gain: float = 1.0


class Note(NamedTuple):
    """A note of the score: where it begins and how long it is (beats), by which part, MIDI pitch, loudness 0..1."""

    beat: float
    beats: float
    part: str
    pitch: int
    loud: float


@dataclass(frozen=True)
class Bar:
    """A bar of the form: its beats, its section, whether it is that section's first or last, who plays in it."""

    beats: int
    section: int
    first: bool
    last: bool
    layers: frozenset[str]


@dataclass
class Plan:
    """The patterns of one tune. `rng` goes on to decide how each bar varies them."""

    rng: Generator
    style: Genre
    meter: int  # beats a bar
    steps: int  # a beat
    parts: dict[str, Part]
    key: int  # semitones
    scale: tuple[int, ...]
    loop: list[int]  # degrees of the chords that come round
    harmonic: float  # bars a chord
    drummed: bool
    grooves: list[dict[str, str]]  # voice -> pattern
    bass: str
    chords: str
    lead: str
    busy: float  # 0..1
    pattern: list[float]  # beats of the bar at which stabs fall
    bass_pattern: list[float]
    dull: bool  # nothing varied: a loop
    motif: list[tuple[float, float, int]] | None = None  # beat, beats, degree

    def degree(self, degree: int) -> int:
        """Semitones above the key of a step of the scale."""
        return 12 * (degree // 7) + self.scale[degree % 7]

    def root(self, number: int, beat: float = 0.0) -> int:
        """Degree of the chord in bar `number` at a beat of it."""
        at = (number + beat / self.meter) / self.harmonic
        return self.loop[int(at) % len(self.loop)]

    @property
    def off_beat(self) -> float:
        """Beats from a beat to the note between it and the next."""
        return 0.5 if self.steps == 4 else 2 / 3


def draw_syncopation(rng: Generator, meter: int, steps: int) -> list[float]:
    """Beats within the bar at which a tune's stabs fall."""
    grid = np.arange(meter * steps) / steps
    chance = np.where(grid % 1 == 0, 0.3, np.where(grid % 0.5 == 0, 0.3, 0.15)) * rng.uniform(0.5, 2.0)
    picked = [float(g) for g, c in zip(grid, chance, strict=True) if rng.random() < c]
    if rng.random() < 0.6:
        picked = sorted({0.0, *picked})
    return picked or [0.0]
