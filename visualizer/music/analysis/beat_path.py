"""The likeliest beats, of a song heard whole or so far: the best path through every tempo and every place (Viterbi)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.beat_belief import FINE, Doubles


def find_path(
    gains: Doubles, bump: Doubles, periods: NDArray[np.int64], moves: Doubles, prior: Doubles
) -> tuple[NDArray[np.int64], float]:
    """Places (counted from the first row) of the beats on the likeliest path through all rows, and its score.

    gains (rows): logarithm of a row's odds. bump (odd): their shape about a beat. periods (tempi): places of a beat, up
    to 255 of them. moves (tempi, tempi), prior (tempi): logarithms. The states are rings as in `Belief`. Of two paths
    that are as likely, the one by the first tempo and place is taken. 7 ms for a second of song.
    """
    count, numbers = len(periods), np.arange(len(periods))
    base = np.concatenate([[0], np.cumsum(periods)[:-1]])
    heads = np.zeros(count, np.int64)
    score = np.repeat(prior - np.log(periods), periods)
    came = np.empty((len(gains) * FINE, count), np.uint8)  # tempo of the beat before, for each beat that could begin
    into, ways = np.ascontiguousarray(moves.T), np.empty((count, count))
    about = np.arange(len(bump)) - len(bump) // 2
    for row, gain in enumerate(gains.tolist()):
        for fine in range(FINE):
            heads = np.where(heads > 0, heads, periods) - 1
            at = base + heads
            np.add(into, score[at], out=ways)
            best = ways.argmax(axis=1)
            score[at] = ways[numbers, best]
            came[row * FINE + fine] = best
        near = base[:, None] + (heads[:, None] + about) % periods[:, None]
        score[near] += gain * bump
    turned = np.concatenate(
        [np.roll(score[b : b + p], -h) for b, p, h in zip(base.tolist(), periods.tolist(), heads.tolist(), strict=True)]
    )  # place 0 of each ring first
    end = int(turned.argmax())
    which = int(np.searchsorted(base, end, "right")) - 1
    beats, at_place = [], len(gains) * FINE - 1 - (end - int(base[which]))
    while at_place >= 0:
        beats.append(at_place)
        which = int(came[at_place, which])
        at_place -= int(periods[which])
    return np.array(beats[::-1], np.int64), float(turned[end])


class LivePath:
    """The end of the path that is likeliest so far: of all the beats of the last seconds together, not of the last one.

    It remembers with a time constant of `memory` rows, and a row costs 50 µs. Its states are those of `find_path`.
    """

    def __init__(
        self, periods: NDArray[np.int64], moves: Doubles, prior: Doubles, bump: Doubles, memory: float
    ) -> None:
        """As `find_path`: moves (tempi, tempi) and prior (tempi) are logarithms, periods in places, bump (odd)."""
        self._periods, self._bump = periods, bump
        self._into = np.ascontiguousarray(moves.T)
        self._base = np.concatenate([[0], np.cumsum(periods)[:-1]])
        self._ring = np.repeat(np.arange(len(periods)), periods)
        self._place = np.arange(int(periods.sum())) - self._base[self._ring]
        self._heads = np.zeros(len(periods), np.int64)
        self._score = np.repeat(prior - np.log(periods), periods)
        self._ways = np.empty_like(self._into)
        self._about = np.arange(len(bump)) - len(bump) // 2
        self._kept = 1 - 1 / memory

    def weigh_row(self, gain: float) -> None:
        """One row of 10 ms, whose odds for a beat have this logarithm."""
        for _ in range(FINE):
            self._heads = np.where(self._heads > 0, self._heads, self._periods) - 1
            at = self._base + self._heads
            np.add(self._into, self._score[at], out=self._ways)
            self._score[at] = self._ways.max(axis=1)
        near = self._base[:, None] + (self._heads[:, None] + self._about) % self._periods[:, None]
        self._score[near] += gain * self._bump

    def fade(self, rows: int) -> None:
        """Forget a little: what so many rows cost."""
        self._score -= self._score.max()
        self._score *= self._kept**rows

    def lean_on_tempo(self, gains: Doubles) -> None:
        """Weigh every tempo with its gain (tempi), a logarithm."""
        self._score += gains[self._ring]

    def lean_on_phase(self, gains: Doubles) -> None:
        """Weigh every place within the beat, with `gains` evenly spaced from one beat to the next, logarithms."""
        place = self._place - self._heads[self._ring]
        place += self._periods[self._ring] * (place < 0)
        self._score += gains[place * len(gains) // self._periods[self._ring]]

    def best(self) -> tuple[int, float]:
        """Number of the tempo and phase of the likeliest end."""
        state = int(self._score.argmax())
        which = int(self._ring[state])
        period = int(self._periods[which])
        return which, (state - int(self._base[which]) - int(self._heads[which])) % period / period
