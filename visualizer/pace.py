"""How musical time is danced: counted from where the music's phrases begin, and at half time in its breaks.

Dancers count. Where the music's eight bars turn out to begin elsewhere than the count had them, they wait for that
place and go on counting from there. In a break they dance every other beat, and are back at the full tempo when it is
over.
Both are leaps of the count that the dancer is told of: a leap lands on the same place of a half beat, so the body
sees it as it sees a change of dance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from visualizer.auto import EARLY
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.music.analysis.phrases import PHRASE
from visualizer.music.clock import BEATS_PER_BAR

BREAK, OVER = 0.22, 0.35  # energy: below, for a whole bar, a break has begun; above, it is over
HALF = 0.5


@dataclass(frozen=True)
class Count:
    """Where the dance is: `phrases`, beats of the music counted so that its phrases begin at multiples of 32; `danced`,
    beats as the dancer steps them; `leap`: beats by which `danced` has just gone ahead at once."""

    phrases: float
    danced: float
    leap: float = 0.0


class Pace:
    """Follows musical time from call to call; the same calls give the same counts."""

    def __init__(self) -> None:
        self._offset = 0  # beats that the count is ahead of musical time
        self._half: tuple[float, float] | None = None  # at half time since that count, and what was danced then
        self._low_since: float | None = None  # musical time from which on energy has been low
        self._last: float | None = None  # musical time of the last call

    @property
    def half(self) -> bool:
        """Whether only every other beat is danced."""
        return self._half is not None

    def follow(self, musical_time: float, energy: float, offset: int) -> Count:
        """The count at `musical_time` (beats, never running backwards), with the music at that energy 0..1.

        `offset`: beats between musical time and a count whose phrases are the music's own.
        """
        last = musical_time if self._last is None else self._last
        self._last = musical_time
        leap = float(self._turn(last, musical_time, offset))
        count = musical_time + self._offset
        if energy > BREAK:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = musical_time
        if self._half is not None:
            beat = math.floor(count)
            if energy > OVER and passes(last, musical_time, 1):
                leap, self._half = beat - self._danced(beat), None
        elif self._low_for(musical_time) >= BEATS_PER_BAR and passes(last, musical_time, BEATS_PER_BAR):
            bar = math.floor(count / BEATS_PER_BAR) * BEATS_PER_BAR
            self._half = (bar, bar)
        return Count(count, self._danced(count), leap)

    def _low_for(self, now: float) -> float:
        """Beats that energy has been low."""
        return 0.0 if self._low_since is None else now - self._low_since

    def _danced(self, count: float) -> float:
        """Beats of the dance at that count."""
        if self._half is None:
            return count
        since, danced = self._half
        return danced + HALF * (count - since)

    def _turn(self, last: float, now: float, offset: int) -> int:
        """Take over another offset just before a phrase of that count begins; the beats that the dance leaps."""
        leap = (offset - self._offset) % PHRASE
        if not leap or not passes(last + offset + EARLY, now + offset + EARLY, PHRASE_BEATS):
            return 0
        self._offset += leap
        if self._half is None:
            return leap
        since, danced = self._half  # goes on as it was; the end of the break makes up for it
        self._half = (since + leap, danced)
        return 0


def passes(before: float, after: float, period: float) -> bool:
    """Whether a multiple of `period` lies after `before` and not after `after`."""
    return math.floor(after / period) > math.floor(before / period)
