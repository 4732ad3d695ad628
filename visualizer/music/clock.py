"""Musical time: what the dancer steps in.

Seconds come from outside as plain numbers, so a live show, a film and a test run the same code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

BEATS_PER_BAR = 4
SLOWEST, FASTEST = 80.0, 160.0  # BPM; exactly one octave, so every tempo has a place in it
STEER = 0.08  # the most that the pace is bent to mend the phase; more is seen as a hurry or a drag
HORIZON = 0.5  # seconds in which a small phase error is mended; averages out jitter of the reports


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the ear knows at one moment. Never changed, only replaced whole, so threads can share it."""

    time: float  # seconds on the injected clock at which it is true
    bpm: float  # the danced pace, within 80-160
    beat: float  # musical time at `time`: beats since the start; bars begin at multiples of 4
    confidence: float  # 0..1 that the beat is the music's own; 0 where the tempo is ours
    loudness: float  # 0..1, this and all below
    bass: float
    mid: float
    treble: float
    energy: float


def fold(bpm: float, last: float | None = None) -> float:
    """Factor, a power of two, that brings `bpm` into 80-160 BPM: 70 -> 2 (danced at 140), 180 -> 1/2 (at 90).

    Dancers do the same: below 80 they step on the half beats too, above 160 on every other beat. `last` is the
    factor in use; it is kept while it misses the range by no more than 5%, so that a tempo that wavers about 80
    does not make the dance double and halve. ValueError if `bpm` is not a positive number.
    """
    if not (math.isfinite(bpm) and bpm > 0):
        raise ValueError(f"tempo must be a positive number of beats a minute, not {bpm}")
    if last is not None and SLOWEST / 1.05 <= bpm * last <= FASTEST * 1.05:
        return last
    factor = 1.0
    while bpm * factor < SLOWEST:
        factor *= 2
    while bpm * factor > FASTEST:
        factor /= 2
    return factor


class MusicClock:
    """Musical time as an unbroken line that is bent towards the reports and never runs backwards.

    Between reports it runs free at the last tempo. A report may change the tempo at once, since a new tempo makes
    no jump; a wrong phase is mended by running at most 8% faster or slower until it is right.
    For use from one thread: ears publish what they hear, and whoever asks for the time applies it.
    """

    def __init__(self, now: float, bpm: float, beat: float = 0.0) -> None:
        self.bpm = bpm
        self._start, self._beat = now, beat  # a point on the line
        self._steer, self._until = 0.0, now  # bend of the line, and when it is straight again
        self._last_now, self._last_beat = now, beat  # the latest answer

    def musical_time(self, now: float) -> float:
        """Beats at `now` seconds. Asked about the past, it answers with the latest time it has given."""
        if now > self._last_now:
            self._last_now, self._last_beat = now, max(self._last_beat, self._line(now))
        return self._last_beat

    def report(self, time: float, beat: float, bpm: float, period: float = BEATS_PER_BAR) -> None:
        """The music was at `beat` at `time` seconds, going at `bpm` (already folded).

        Only the place within `period` beats counts, so the ear may count from anywhere: 4 if it knows the bar, 1 if
        only the beat. ValueError if `bpm` is not a positive number.
        """
        if not (math.isfinite(bpm) and bpm > 0):
            raise ValueError(f"tempo must be a positive number of beats a minute, not {bpm}")
        now = max(time, self._last_now)  # what was answered stays true: the line is bent from here on
        here = self.musical_time(now)
        rate = bpm / 60
        error = math.remainder(beat + rate * (now - time) - here, period)
        steer = min(max(error / (rate * HORIZON), -STEER), STEER)
        self.bpm, self._start, self._beat, self._steer = bpm, now, here, steer
        self._until = now + (error / (rate * steer) if steer else 0.0)

    def _line(self, now: float) -> float:
        bent = min(now, self._until) - self._start
        return self._beat + self.bpm / 60 * (now - self._start + self._steer * max(bent, 0.0))
