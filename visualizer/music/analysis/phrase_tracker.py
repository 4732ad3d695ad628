"""Where the music's phrases begin, heard live: counted so that phrases begin where the music changes.

Most dance music is built of phrases of eight bars, and what changes, changes where one begins: a drum comes in, a break
begins, the drop falls. Whole songs are looked through by `phrases.py`; live there is only the past, so evidence is
summed bar by bar and forgotten slowly, for one song follows another.
"""

from __future__ import annotations

import math

import numpy as np

from visualizer.music.analysis.phrases import BARS, PHRASE, score_openings
from visualizer.music.clock import BEATS_PER_BAR

FORGET = 0.97  # a bar; half is forgotten in 23 bars, three quarters of a minute at 120 BPM
NOISE = 0.08  # of energy, by which one bar differs from the next for no reason
SETTLE_BEATS = 3.75  # into a bar; energy lags by a second or so, and is that of the bar by then
LEAST = 0.3  # evidence by which another count must be ahead: one change that nobody misses, or several small ones
AHEAD = 1.5  # times the evidence for the count in use


class PhraseTracker:
    """Hears energy against musical time, of which bars begin at multiples of 4."""

    def __init__(self) -> None:
        self.offset = 0  # beats, a multiple of 4: musical time + offset is a multiple of 32 where a phrase begins
        self._scores = np.zeros(BARS)  # change of energy with which bars of each place began
        self._settled: int | None = None  # the bar that was heard last
        self._energy = 0.0  # of it

    def push(self, beat: float, energy: float) -> int:
        """Take in the energy 0..1 at `beat`, and return `offset`. To be called more often than once a beat."""
        bar = math.floor((beat - SETTLE_BEATS) / BEATS_PER_BAR)
        if bar == self._settled:
            return self.offset
        if self._settled is not None and bar == self._settled + 1:
            self._scores *= FORGET
            self._scores[bar % BARS] += max(abs(energy - self._energy) - NOISE, 0.0)
            self._decide()
        self._settled, self._energy = bar, energy
        return self.offset

    def _decide(self) -> None:
        """Take another count if there is much more evidence for it."""
        evidence = score_openings(self._scores)
        best, used = int(np.argmax(evidence)), (-self.offset // BEATS_PER_BAR) % BARS
        if evidence[best] > AHEAD * evidence[used] + LEAST:
            self.offset = (-best * BEATS_PER_BAR) % PHRASE
