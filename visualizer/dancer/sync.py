"""Whether a troupe dances each for themselves, all as the first, or one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

from .pack import MOST_DANCERS, STEPS_PER_BEAT, SYNCS

CANON_BEATS = 2  # each of a canon is so much later than the one before

_PAST = (MOST_DANCERS - 1) * CANON_BEATS * STEPS_PER_BEAT + 1  # steps of the first dancer that a canon needs


class Sync:
    """What the first dancer was told of late, and who dances to it. `asked`: one of SYNCS; `danced`: since a letter."""

    def __init__(self) -> None:
        self.asked = self.danced = SYNCS[0]
        self._past: dict[str, NDArray[Any]] = {}  # (_PAST, …): what the dancer network was told of the first
        self._told = 0  # steps that were written there

    def ask(self, sync: str) -> None:
        """From the next letter on so. UserError for one that there is not."""
        if sync not in SYNCS:
            raise UserError(f"no sync {sync!r}; there are {', '.join(SYNCS)}")
        self.asked = sync

    def begin_letter(self) -> None:
        """What was asked for is danced from now on."""
        self.danced = self.asked

    def forget(self) -> None:
        """There is nothing to repeat: the networks are others."""
        self._past, self._told = {}, 0

    def share(self, own: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What the dancer network is told this step, out of what each of the troupe (N, …) would tell it alone."""
        if not self._past:
            self._past = {name: np.zeros((_PAST, *a.shape[1:]), dtype=a.dtype) for name, a in own.items()}
        now = self._told % _PAST
        for name, array in own.items():
            self._past[name][now] = array[0]
        self._told += 1
        if self.danced == "each":
            return own
        count = len(next(iter(own.values())))
        behind = np.arange(count) * (CANON_BEATS * STEPS_PER_BEAT if self.danced == "canon" else 0)
        behind[behind >= self._told] = 0  # the beginning of a canon: as the first, until there is something to repeat
        return {name: array[(now - behind) % _PAST] for name, array in self._past.items()}

    def share_noise(self, noise: NDArray[np.float32]) -> NDArray[np.float32]:
        """Noise (N, D) of each own, or the first's for all who dance in unison."""
        return np.broadcast_to(noise[0], noise.shape) if self.danced == "unison" else noise
