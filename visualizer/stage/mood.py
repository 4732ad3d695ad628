"""How the music feels to the eye: the hearing, smoothed, and the pulse of the beat.

Raw loudness flickers, and light that flickers tires the eye. Each value follows what is heard like a mass on a
critically damped spring: no jump in value nor in speed, no overshoot.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import BEATS_PER_BAR

if TYPE_CHECKING:
    from visualizer.music.clock import Hearing

STIFFNESS = 9.0  # 1/s; a step in loudness is 90% followed after 0.43 s
ACCENTS = (1.0, 0.4, 0.7, 0.4)  # weight of each beat of a bar
MOST_STRUCK = 4  # beats that are made up for after a stall
LONGEST = 0.5  # seconds; a longer gap (a suspended laptop) counts as this


def spring(
    value: NDArray[np.float64], speed: NDArray[np.float64], target: NDArray[np.float64], seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Value and speed of critically damped springs `seconds` later, while the target stands still.

    The exact solution of x'' = w^2 (target - x) - 2 w x', so the result does not depend on the frame rate
    as long as the target does not.
    """
    away = value - target
    drive = speed + STIFFNESS * away
    fade = math.exp(-STIFFNESS * seconds)
    return target + (away + drive * seconds) * fade, (speed - STIFFNESS * seconds * drive) * fade


class Mood:
    """Smoothed hearing; advanced by musical time, so that a film and a show of the same song look the same."""

    def __init__(self) -> None:
        self.loop = 0  # beats after which all comes round; 0: never
        self._beat: float | None = None
        self._values = np.zeros(5)
        self._speeds = np.zeros(5)
        self.loudness = self.bass = self.mid = self.treble = self.energy = 0.0  # 0..1
        self.pulse = 0.0  # 0..1, a smooth bump on each beat, taller the louder the music
        self.bar = 0.0  # 0..1, a smooth bump on the first of each bar, as wide as a beat on either side
        self.beat = 0.0  # beats since the start: what slow colour drifts follow
        self.beat_hits: tuple[tuple[int, float], ...] = ()  # beats since the last call and their strength, 0..1

    def follow(self, hearing: Hearing, musical_time: float) -> None:
        """Move on to `musical_time`, beats."""
        target = np.array([hearing.loudness, hearing.bass, hearing.mid, hearing.treble, hearing.energy])
        if self._beat is None:
            self._values = target.astype(np.float64)
        else:
            seconds = (musical_time - self._beat) * 60.0 / hearing.bpm
            if seconds > 0:
                self._values, self._speeds = spring(self._values, self._speeds, target, min(seconds, LONGEST))
        before, self._beat = self._beat, musical_time
        self.loudness, self.bass, self.mid, self.treble, self.energy = (float(v) for v in self._values)
        self.pulse = (0.5 + 0.5 * math.cos(2 * math.pi * musical_time)) ** 3 * (0.35 + 0.65 * self.loudness)
        bar = self.loop / max(round(self.loop / BEATS_PER_BAR), 1) if self.loop else BEATS_PER_BAR
        self.bar = (0.5 + 0.5 * math.cos(2 * math.pi * musical_time / bar)) ** 4
        self.beat = musical_time
        last = math.floor(musical_time)
        first = last + 1 if before is None else max(math.floor(before) + 1, last - MOST_STRUCK + 1)
        loud = 0.6 * self.loudness + 0.4 * self.bass
        self.beat_hits = tuple(
            (beat, ACCENTS[self.number(beat) % BEATS_PER_BAR] * loud) for beat in range(first, last + 1)
        )

    def number(self, beat: int) -> int:
        """The number of a beat; in a loop each round has the same ones."""
        return beat % self.loop if self.loop else beat
