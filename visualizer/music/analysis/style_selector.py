"""Which of a pack's styles suits the music (`--style auto`).

Each genre has a list of dances that suit it, the best first (`DANCES`). A style is worth what its places in the lists
of the genres heard are worth. The best is danced from the next phrase on, and stays for some phrases whatever is heard;
after two minutes another one that suits about as well has its turn.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.genre import DANCES, GenreScores

PHRASE = 8  # beats: the dancer's own phrases, at whose ends styles change
STAY = 32  # beats that a style is danced at least: four phrases
TIRED = 256  # beats after which another style has its turn; two minutes
MARGIN = 0.12  # by how much another style must suit better
SUITS = 0.6  # of the best style's score: what suits about as well

ANYTHING = ("freestyle", "party", "improvised")  # these go with any music, if with none especially well
BEST, STEP, LEAST, NEUTRAL = (
    1.0,
    0.07,
    0.5,
    0.3,
)  # worth of the first of a list, less for each place, at least; of ANYTHING


@dataclass(frozen=True)
class Choice:
    """Another style, and why: words for the screen."""

    style: str
    why: str


def words_of(style: str) -> frozenset[str]:
    """The words of a style's name, in small letters, and each two neighbours in one: "Hip-Hop" -> hip, hop, hiphop."""
    words = re.findall(r"[^\W_]+", style.casefold())
    return frozenset((*words, *(a + b for a, b in pairwise(words))))


def worth(genre: str, style: str) -> float:
    """How well a style suits a genre, 0..1."""
    words, dances = words_of(style), DANCES[genre].split()
    places = [k for k, dance in enumerate(dances) if dance in words]
    if places:
        return max(BEST - STEP * places[0], LEAST)
    return NEUTRAL if words & set(ANYTHING) else 0.0


class StyleSelector:
    """Which style is danced: the music's choice, at phrase ends only, and not too often."""

    def __init__(self, styles: tuple[str, ...]) -> None:
        self._styles = styles
        self._worth = {genre: np.array([worth(genre, style) for style in styles]) for genre in DANCES}
        self.never: frozenset[str] = frozenset()  # styles that are never to come
        self.note: str | None = None  # for the screen, once
        if not any(values.any() for values in self._worth.values()):
            self.note = "no style of this pack is known to suit any music: it stays as it is"
        self._danced: dict[str, float] = {}  # style -> musical time at which it was last danced
        self._since: tuple[str, float] | None = None  # what is danced, and since when
        self._phrase: int | None = None

    def choose(self, style: str, beat: float, mix: GenreScores) -> Choice | None:
        """Another style, from now on, or None. `style` is danced now, at musical time `beat`.

        To be asked for each frame: it answers at the first of a phrase only. Nothing heard, nothing changed.
        """
        phrase = math.floor(beat / PHRASE)
        ended, self._phrase = self._phrase not in (None, phrase), phrase
        if self._since is None:
            self._since = (style, beat - STAY)  # by chance, so it need not stay
        elif self._since[0] != style:
            self._since = (style, beat)  # somebody chose it
        self._danced[style] = beat
        age = beat - self._since[1]
        if not ended or not mix or age < STAY or self.note:
            return None
        scores = self._scores(mix)
        best, now = int(np.argmax(scores)), self._styles.index(style)
        suited = [k for k in range(len(scores)) if scores[k] >= SUITS * scores[best]]
        if now not in suited:
            if scores[best] - scores[now] < MARGIN:
                return None
            chosen = best
        elif age >= TIRED and len(suited) > 1:
            others = [k for k in suited if k != now]
            chosen = min(others, key=lambda k: (self._danced.get(self._styles[k], -math.inf), -scores[k]))
        else:
            return None
        new = self._styles[chosen]
        self._since = (new, beat)
        return Choice(new, f"sounds like {max(mix, key=lambda pair: pair[1])[0]}")

    def suited(self, mix: GenreScores) -> tuple[str, ...]:
        """The styles that suit it about as well as the best; () if none is known to."""
        scores = self._scores(mix)
        return tuple(
            s for s, score in zip(self._styles, scores, strict=True) if score and score >= SUITS * scores.max()
        )

    def best(self, mix: GenreScores) -> str | None:
        """The style that suits it best, to begin with; None if nothing is known to suit it."""
        scores = self._scores(mix)
        return self._styles[int(np.argmax(scores))] if scores.any() else None

    def _scores(self, mix: GenreScores) -> NDArray[np.float64]:
        scores = sum((share * self._worth[genre] for genre, share in mix), np.zeros(len(self._styles)))
        return scores * [style not in self.never for style in self._styles]
