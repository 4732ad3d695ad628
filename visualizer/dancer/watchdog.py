"""Sees when a body idles, and, as the last resort, when it stands still or has lost its way: a healthy pack never does.

What is still and what is far is measured when a pack is trained and stands in its `limits`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pack import STEPS_PER_BEAT, Pack

STILL_STEPS = 4 * STEPS_PER_BEAT  # a bar without a move is no dance; a pause may be shorter
IDLE_STEPS = STEPS_PER_BEAT
IDLE = 4.0  # times the limit of stillness: as still as the stillest dancing of the training data
LOST_STEPS = 8  # half a beat: a single odd step is not seen

Floats = NDArray[np.float64]


def size(difference: NDArray[np.floating], spread: NDArray[np.floating]) -> Floats:
    """Root mean square over D of a difference of latents (…, D) in units of their spread (D,) -> (…)."""
    return np.sqrt(np.square(np.asarray(difference, dtype=np.float64) / spread).mean(axis=-1))


def distances(latents: NDArray[np.floating], seeds: NDArray[np.floating], spread: NDArray[np.floating]) -> Floats:
    """`size` of every latent (N, D) less every seed (M, D) -> (N, M)."""
    a, b = (np.asarray(x, dtype=np.float64) / spread for x in (latents, seeds))
    squares = np.square(a).sum(axis=1)[:, None] - 2 * a @ b.T + np.square(b).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0) / a.shape[1])


class Watchdog:
    """Watches a troupe of N, each dancer alone."""

    def __init__(self, pack: Pack, troupe: int) -> None:
        self._far, self._still = pack.limits["far"], pack.limits["still"]
        self._spread = pack.latent_spread.astype(np.float64)
        self._seeds = np.stack([s.latent for s in pack.seeds])
        scaled = self._seeds / self._spread
        self._across, self._squares = -2 * scaled.T, np.square(scaled).sum(axis=1)
        self._styles = np.array([s.style for s in pack.seeds])
        self._sizes = np.zeros((STILL_STEPS, troupe))
        self._row = 0
        self._seen = np.zeros(troupe, dtype=np.int64)  # steps since the dancer is watched
        self._lost = np.zeros(troupe, dtype=np.int64)  # steps far from all seeds, running

    def resize(self, troupe: int) -> None:
        """Watch another number; those who stay are known already."""
        more = max(0, troupe - len(self._seen))
        self._sizes = np.pad(self._sizes, ((0, 0), (0, more)))[:, :troupe]
        self._seen, self._lost = (np.pad(a, (0, more))[:troupe] for a in (self._seen, self._lost))

    def forget(self, who: NDArray[np.bool_]) -> None:
        """Those (N,) were put somewhere else: watch them as if they had just come."""
        self._seen[who] = self._lost[who] = 0

    def see(self, before: NDArray[np.float32], latent: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Look at one step from `before` to `latent` (N, D); (N,) who stands still or is lost."""
        self._sizes[self._row] = size(latent - before, self._spread)
        self._row = (self._row + 1) % STILL_STEPS
        self._seen += 1
        still = (self._seen >= STILL_STEPS) & (self._sizes.sum(axis=0) < self._still * STILL_STEPS)
        scaled = latent / self._spread
        nearest = np.einsum("nd,nd->n", scaled, scaled) + (scaled @ self._across + self._squares).min(axis=1)
        self._lost = np.where(nearest > latent.shape[1] * self._far**2, self._lost + 1, 0)
        return still | (self._lost >= LOST_STEPS)

    def idle(self) -> NDArray[np.bool_]:
        """(N,) who has hardly moved for a beat."""
        last = self._sizes[np.arange(self._row - IDLE_STEPS, self._row)]  # a ring: negative rows are its end
        return (self._seen >= IDLE_STEPS) & (last.sum(axis=0) < IDLE * self._still * IDLE_STEPS)

    def nearest_seed(self, latent: NDArray[np.float32], style: int) -> int:
        """Number of the seed of `style` (of any, if it has none) that is nearest to a latent (D,)."""
        gaps = distances(latent[None], self._seeds, self._spread)[0]
        of_style = self._styles == style
        return int(np.argmin(np.where(of_style, gaps, np.inf) if of_style.any() else gaps))
