"""A dance without music: a tempo of our own, and an energy that goes up and down as if somebody played."""

from __future__ import annotations

import math

import numpy as np

from visualizer.music import Clock
from visualizer.music.clock import Hearing, MusicClock, fold
from visualizer.music.sources.tape import Sounds

PHRASE = 32  # beats


def course(beat: float) -> float:
    """Energy 0..1 of a dance without music: phrases of 32 beats that build up, take a breath and drop.

    No two neighbouring phrases are alike: their levels follow the golden ratio, which never comes round.
    """
    phrase, place = divmod(beat, PHRASE)
    level = 0.35 + 0.4 * (phrase * 0.618034 % 1.0)
    after = 0.35 + 0.4 * ((phrase + 1) * 0.618034 % 1.0)
    knots = ((0, level), (2, level + 0.1), (16, level), (27, level + 0.25), (29, 0.3), (31, 0.3), (PHRASE, after))
    places, levels = zip(*knots, strict=True)
    return float(np.interp(place, places, levels))


def free_run_hearing(now: float, bpm: float, beat: float) -> Hearing:
    """A hearing made up for a dance without music: a kick on the beat, a hat between, confidence 0."""
    energy = course(beat)
    kick, hat = math.exp(-5 * (beat % 1.0)), math.exp(-8 * ((beat + 0.5) % 1.0))
    chord = math.exp(-3 * ((beat / 2) % 1.0))
    levels = (0.3 + 0.5 * energy, energy * kick, energy * chord, energy * hat * 0.8, energy)
    return Hearing(now, bpm, beat, 0.0, *levels)


def free_run_clock(bpm: float, clock: Clock) -> MusicClock:
    """The clock of a dance that begins now, on its own, at `bpm` halved or doubled into 80-160."""
    return MusicClock(clock(), bpm * fold(bpm))


class FreeRun:
    """Nothing is heard; the dance goes at `bpm`, or as somebody taps."""

    def __init__(self, bpm: float, clock: Clock) -> None:
        self.name = "own tempo"
        self.steps = free_run_clock(bpm, clock)

    def hearing(self, now: float) -> Hearing:
        return free_run_hearing(now, self.steps.bpm, self.steps.musical_time(now))

    def musical_time(self, now: float) -> float:
        return self.steps.musical_time(now)

    def find_silence(self, now: float) -> float:
        return 0.0

    def sounds(self, begins: float) -> Sounds | None:
        return None

    def close(self) -> None: ...
