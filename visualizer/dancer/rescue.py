"""The last resort for bodies that stand still or have lost their way: they are led to a pose of the training data.

A healthy pack never needs it. Until the pose is reached, what the network says of the body does not count. A seed's
pose is the one before its letter, so the body arrives with the last step of a letter, and the seed's is the one that
follows.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from .pack import STEPS_PER_BEAT, STEPS_PER_LETTER, Pack
from .rows import Rows
from .watchdog import Watchdog

RESCUE_STEPS = STEPS_PER_BEAT  # in a beat, and until a letter ends, a stuck body is led to a pose
URGED, URGE_STEPS = 0.6, STEPS_PER_BEAT  # who idles is told of at least this energy, for a beat: so quiet never freezes

_log = logging.getLogger(__name__)


class Rescue:
    """Watches N bodies. `count`: how often one was led on; `left` (N,): steps until that is over, 0: not led."""

    def __init__(self, pack: Pack, troupe: int) -> None:
        self._pack, self._watchdog = pack, Watchdog(pack, troupe)
        self.count = 0
        self._urge = np.zeros(troupe, dtype=np.int64)  # steps left in which each is urged to move
        self.left = np.zeros(troupe, dtype=np.int64)
        self._steps = np.ones(troupe, dtype=np.int64)  # how many the rescue takes
        self._origin = np.zeros((troupe, pack.latent_size), np.float32)  # where it began
        self.goal = np.zeros((troupe, pack.latent_size), np.float32)  # where it leads
        self._letter = np.zeros(troupe, dtype=np.int64)  # danced from there

    def resize(self, troupe: int) -> None:
        """Watch another number; those who stay are known already."""
        more = max(0, troupe - len(self.left))
        self._urge, self.left, self._steps, self._letter = (
            np.pad(a, (0, more), constant_values=fill)[:troupe]
            for a, fill in ((self._urge, 0), (self.left, 0), (self._steps, 1), (self._letter, 0))
        )
        self._origin, self.goal = (np.pad(a, ((0, more), (0, 0)))[:troupe] for a in (self._origin, self.goal))
        self._watchdog.resize(troupe)

    def forget(self, who: NDArray[np.bool_]) -> None:
        """Those (N,) begin again: nothing that they did counts."""
        self.left[who] = 0
        self._watchdog.forget(who)

    def urge(self, energy: float) -> NDArray[np.float32]:
        """(N, 1) energy that each is told of."""
        return np.where(self._urge > 0, max(energy, URGED), energy).astype(np.float32)[:, None]

    def step(self, rows: Rows, before: NDArray[np.float32], step: int) -> None:
        """After step number `step` from `before` (N, D): lead on who is led, and see who must be."""
        led = self.left > 0
        if led.any():
            self._lead(rows, led)
        stuck = self._watchdog.see(before, rows.latent) & ~led
        self._urge = np.where(self._watchdog.idle(), URGE_STEPS, np.maximum(self._urge - 1, 0))
        if stuck.any():
            self._begin(rows, stuck, step)

    def _lead(self, rows: Rows, led: NDArray[np.bool_]) -> None:
        self.left[led] -= 1
        share = 1 - (self.left / self._steps)[led, None]
        share = (share * share * (3 - 2 * share)).astype(np.float32)  # starts and ends at rest
        rows.latent[led] = (1 - share) * self._origin[led] + share * self.goal[led]
        arriving = led & (self.left < STEPS_PER_LETTER)  # what is written before that is over by then
        rows.next_letter[arriving] = self._letter[arriving]
        self._watchdog.forget(led)

    def _begin(self, rows: Rows, stuck: NDArray[np.bool_], step: int) -> None:
        for i in np.flatnonzero(stuck):
            self.count += 1
            if self.count & (self.count - 1) == 0:  # the 1st, 2nd, 4th, 8th: a log is not to be flooded
                _log.warning("a body stood still or lost its way; it is led to a pose of the training data (%d times)",
                             self.count)  # fmt: skip
            seed = self._pack.seeds[self._watchdog.nearest_seed(rows.latent[i], int(rows.style[i]))]
            self.left[i] = self._steps[i] = RESCUE_STEPS + STEPS_PER_LETTER - 1 - step % STEPS_PER_LETTER
            self._origin[i], self.goal[i], self._letter[i] = rows.latent[i], seed.latent, seed.letter
            rows.body[i] = 0  # what it was stuck in
        self._watchdog.forget(stuck)
