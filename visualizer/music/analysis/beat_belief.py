"""What the beat tracker believes: how likely every tempo and every place within the beat is, and how that moves on.

All of it are operations on whole arrays of some 130 tempi or 17,000 states. A row of 10 ms takes a twentieth of a
millisecond, so the thread that hears holds up no other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FINE = 2  # places within a row of 10 ms: at 200 BPM whole rows would be tempo steps of 3%
PHASES = 64  # places of a beat that `Belief.lean_on_phase` tells apart

Doubles = NDArray[np.float64]


class Belief:
    """For each tempo a ring of `period` places, whose place 0, where a beat sounds, is at `heads`.

    `whole`: the mass of all states; it is made 1 again by `renew` alone, for numbers have room enough until then.
    """

    def __init__(self, periods: NDArray[np.int64], fresh: Doubles, moves: Doubles) -> None:
        """periods (tempi): places of a beat, all different and ascending. fresh (states): what is believed before
        anything is heard, of mass 1, one ring after the other. moves (tempi, tempi): how a beat's tempo, a row of it,
        passes on to others."""
        self.whole = 1.0
        self._periods, self._fresh, self._moves = periods, fresh, moves
        self._logs = np.log(periods)
        self._base = np.concatenate([[0], np.cumsum(periods)[:-1]])
        self._heads = np.zeros(len(periods), np.int64)
        self._states = fresh.copy()
        # Of each state: the place within its ring, that ring's number, and where its part of PHASES begins, at head 0.
        self._ring = np.repeat(np.arange(len(periods)), periods)
        self._place = np.arange(len(fresh)) - self._base[self._ring]
        self._phase = (self._place * PHASES // periods[self._ring]).astype(np.int16)

    def tempi(self) -> Doubles:
        """(tempi) the mass of each."""
        return np.add.reduceat(self._states, self._base)

    def weigh_row(self, powers: Doubles) -> float:
        """One row of 10 ms: move on by FINE places, and weigh the places about the beat with `powers` (odd number).

        Returns by how much the mass has grown, as a share of what it was.
        """
        heads, states = self._heads, self._states
        for _ in range(FINE):
            np.subtract(heads, 1, out=heads)
            np.copyto(heads, self._periods - 1, where=heads < 0)
            at = self._base + heads
            states[at] = states[at] @ self._moves
        wide = len(powers) // 2
        near = heads[:, None] + np.arange(-wide, wide + 1)
        near += self._periods[:, None] * ((near < 0).astype(np.int64) - (near >= self._periods[:, None]))
        near += self._base[:, None]
        before = states[near]
        after = before * powers
        states[near] = after
        grown = float(after.sum() - before.sum()) / self.whole
        self.whole *= 1 + grown
        return grown

    def renew(self, restart: float) -> None:
        """Begin a share of the belief from what was believed at first, and make its mass 1 again."""
        self._states *= (1 - restart) / self._states.sum()
        self._states += restart * self._fresh
        self.whole = 1.0

    def lean_on_phase(self, powers: Doubles) -> None:
        """Weigh every place within the beat, with PHASES `powers` from one beat to the next."""
        # Powers of the ring turned so that it begins at place 0 of its memory, not at its head.
        place = self._place - self._heads[self._ring]
        place += self._periods[self._ring] * (place < 0)
        self._states *= powers[self._phase[self._base[self._ring] + place]]
        self.whole = float(self._states.sum())

    def lean_on_tempo(self, powers: Doubles) -> None:
        """Weigh every tempo with its power (tempi)."""
        self._states *= powers[self._ring]
        self.whole = float(self._states.sum())

    def mass_around(self, period: float, phase: float, reach: float, near: float) -> tuple[float, float, float]:
        """Mass, and mean log period and mean phase of the belief within `reach` of a tempo (natural log) and `near` a
        phase, beats. The mass is a share of `whole`. The same period and phase where there is none."""
        away = self._logs - math.log(period)
        chosen = np.flatnonzero(np.abs(away) <= reach)
        if not len(chosen):
            return 0.0, period, phase
        periods, away = self._periods[chosen, None], away[chosen, None]
        first = np.ceil((phase - near) * periods).astype(np.int64)
        last = np.floor((phase + near) * periods).astype(np.int64)
        place = first + np.arange(int((last - first).max()) + 1)
        at = self._base[chosen, None] + (self._heads[chosen, None] + place) % periods
        found = self._states[at] * (place <= last)
        mass = float(found.sum())
        if mass <= 0:
            return 0.0, period, phase
        tempo = float((found * away).sum()) / mass
        off = float((found * (place / periods - phase)).sum()) / mass
        return mass / self.whole, period * math.exp(tempo), phase + off
