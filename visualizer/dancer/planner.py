"""What to dance next when nobody asks: phrase by phrase one of the style's named dances, or improvisation.

A phrase is 8 beats of musical time, as written dances and most music have it. The plan says which dance; how it is
danced is the choreographer's, letter by letter, so that no two phrases of one dance are the same.
"""

from __future__ import annotations

import math

import numpy as np

from .pack import BEATS_PER_BAR, PHRASE_BEATS, NamedDance

IMPROVISE = 0.15  # share of phrases without a named dance: enough to surprise, too few to blur what is recognised
AGAIN = 0.8  # chance that a dance of one phrase is danced for a second: it takes two to be sure what one saw
FRESH = 0.5  # the next dance is one of this share of them that was danced longest ago; so all have their turn
HIGH_ENERGY = 0.75  # from here on half phrases are allowed: a drop wants changes twice as often
SHORT_BEATS = BEATS_PER_BAR  # a half phrase; only of dances that are over by then
MOST_PHRASES = 2  # nobody dances the same for longer without being asked


class Planner:
    """The plan of one dancer. The same seed and the same questions get the same answers."""

    def __init__(self, dances: tuple[NamedDance, ...], seed: list[int]) -> None:
        self.dances = dances
        self.random = np.random.default_rng(seed)
        self.dance: int | None = None  # index into dances; None: improvises
        self.until = -math.inf  # beat at which the plan is over
        self.never: frozenset[int] = frozenset()  # dances that nobody wants to see
        self.held = False  # whether the plan goes on when it is over
        self._style: int | None = None
        self._last: dict[int, float] = {}  # dance -> beat at which it was over or given up

    def ask(self, beat: float, style: int, energy: float) -> int | None:
        """What to dance at `beat`, half a beat after the last question: a dance of `style`, or None to improvise."""
        if (beat >= self.until and not self.held) or style != self._style or self.dance in self.never:
            self._choose(beat, style, energy)
        return self.dance

    def renew(self, dance: int | None = None) -> None:
        """Choose anew when asked next, and something else than `dance`, which was danced meanwhile."""
        self.until = -math.inf
        if dance is not None:
            self.dance = dance

    def shift(self, beats: int) -> None:
        """Musical time leaps ahead by whole phrases; the plan goes along."""
        self.until += beats

    def _choose(self, beat: float, style: int, energy: float) -> None:
        """Draw a dance and for how long; then, for some draws, improvise in its place just as long."""
        if self.dance is not None:
            self._last[self.dance] = beat
        place = beat % PHRASE_BEATS
        phrase_end = beat - place + PHRASE_BEATS
        # A loop that is longer than half a phrase begins where a phrase does. (A key may ask for it anywhere.)
        longest = SHORT_BEATS if beat == self.until and place == SHORT_BEATS else math.inf
        free = [i for i, d in enumerate(self.dances) if d.style == style and i != self.dance and d.beats <= longest]
        free = [i for i in free if i not in self.never]
        self._style = style
        self.dance, self.until = None, phrase_end
        if not free:
            return
        order = self.random.random(len(free))
        by_age = sorted(range(len(free)), key=lambda k: (self._last.get(free[k], -math.inf), order[k]))
        drawn = free[by_age[int(self.random.integers(math.ceil(FRESH * len(free))))]]
        beats = self.dances[drawn].beats
        if energy >= HIGH_ENERGY:
            if beats <= SHORT_BEATS and place < SHORT_BEATS:
                self.until = phrase_end - SHORT_BEATS
        elif place == 0 and self.random.random() < AGAIN:
            self.until += (MOST_PHRASES - 1) * PHRASE_BEATS
        if beats > PHRASE_BEATS:
            self.until = phrase_end + (MOST_PHRASES - 1) * PHRASE_BEATS
        if self.random.random() >= IMPROVISE:
            self.dance = drawn
