"""Real takes of the very dances that were danced, window by window, so that nothing else differs than how.

A written dance has new takes, which training never saw; of a captured dance there is only the take it was learned
from; for what is improvised stands any take of its style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluate.real import Real
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT

NEAR_ENERGY = 0.1  # takes whose energies differ by no more are equally good


@dataclass(frozen=True)
class Wanted:
    """A window that was danced: name of its dance ("": improvised), style, energy, and the beat at which it begins."""

    dance: str
    style: str
    energy: float
    beat: int


class Pool:
    """All windows of `steps` steps of real takes that begin on a beat."""

    def __init__(self, takes: Sequence[Real], steps: int) -> None:
        self.takes, self.steps = takes, steps
        rows = [(k, at) for k, take in enumerate(takes)
                for at in range(0, len(take.energy) - steps + 1, STEPS_PER_BEAT)]  # fmt: skip
        self._take, self._start = np.array(rows, np.int64).reshape(-1, 2).T
        self._beat = self._start // STEPS_PER_BEAT % PHRASE_BEATS
        self._energy = np.array([float(takes[k].energy[at : at + steps].mean()) for k, at in rows])
        self._dance = np.array([takes[k].dance for k, _ in rows])
        self._style = np.array([takes[k].style for k, _ in rows])

    def match(self, wanted: Sequence[Wanted], seed: int) -> list[int]:
        """For each window that was danced one of a real take, by number; -1 where there is none.

        Of the same dance, at the same beat of the phrase where there is one, of the energy that is nearest; of equally
        near ones those that were taken least often, then by chance.
        """
        rng = np.random.default_rng(seed)
        taken = np.zeros(len(self._take))
        of: dict[tuple[str, str], NDArray[np.int64]] = {}
        found = []
        for each in wanted:
            key = (each.dance, "" if each.dance else each.style)
            if key not in of:
                of[key] = np.flatnonzero(self._dance == each.dance if each.dance else self._style == each.style)
            rows = of[key]
            if len(on_beat := rows[self._beat[rows] == each.beat % PHRASE_BEATS]):
                rows = on_beat
            if not len(rows):
                found.append(-1)
                continue
            apart = np.abs(self._energy[rows] - each.energy)
            rows = rows[apart <= apart.min() + NEAR_ENERGY]
            rows = rows[taken[rows] == taken[rows].min()]
            row = int(rng.choice(rows))
            taken[row] += 1
            found.append(row)
        return found

    def bodies(self, rows: Sequence[int], axes: int) -> NDArray[np.float32]:
        """Windows by number, the travel given back: (N, steps, 21, axes)."""
        return np.stack([self._cut(row, axes) for row in rows])

    def _cut(self, row: int, axes: int) -> NDArray[np.float32]:
        start = self._start[row]
        return self.takes[self._take[row]].danced.body(axes)[start : start + self.steps]
