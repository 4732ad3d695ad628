"""Measures whether all dances differ: each pair of dances is compared with the takes of one dance.

A dancer never repeats a dance exactly: small in a quiet break and big in the drop, a hand higher, a step early. Two
dances count as different only if they differ by more than such takes of either, however they are aligned: mirrored, or
begun on another beat or half-beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.choreography.dance import Dance, perform
from training.data.motion.skeleton import INDEX

BEATS = 16  # every dance is danced this long, shorter ones twice
STEPS = 4  # frames a beat
SHIFT = 2  # frames between two alignments that are compared: half a beat
TAKES = ((0.35, 1), (0.35, 2), (0.6, 3), (0.85, 4), (0.85, 5))  # energy and seed
_SIDES = ("elbow", "wrist", "knee", "ankle")
_TELLING = [INDEX[n] for n in (*(f"{s}_{j}" for s in ("left", "right") for j in _SIDES), "neck", "head")]
_TWIN = [4, 5, 6, 7, 0, 1, 2, 3, 8, 9]  # where a mirror puts each of them
PARTS = {"all": range(10), "arms": (0, 1, 4, 5), "legs": (2, 3, 6, 7)}  # which of them are compared


@dataclass(frozen=True)
class Distinctness:
    """`apart` (N, N) metres between dances at their nearest, inf on the diagonal; `within` (N,) metres between the
    two takes of a dance that differ most. `names` in the same order."""

    names: tuple[str, ...]
    apart: NDArray[np.float64]
    within: NDArray[np.float64]

    @property
    def margin(self) -> NDArray[np.float64]:
        """Distance of each pair over the larger of its two `within`s, (N, N): above 1 they are two dances."""
        return self.apart / np.maximum(self.within[:, None], self.within[None])

    def nearest(self, count: int) -> list[tuple[int, int]]:
        """The `count` pairs of the smallest margin, smallest first."""
        i, j = np.triu_indices(len(self.names), 1)
        order = np.argsort(self.margin[i, j])[:count]
        return [(int(i[k]), int(j[k])) for k in order]

    @property
    def own(self) -> list[str]:
        """Dances that no other one is like: each differs from all others more than any two takes of it or of them."""
        return [name for name, least in zip(self.names, self.margin.min(axis=1), strict=True) if least > 1.0]

    @property
    def doubles(self) -> list[tuple[str, str]]:
        """Pairs that differ no more than two takes of one of them."""
        pairs = self.nearest(len(self.names) * (len(self.names) - 1) // 2)
        return [(self.names[i], self.names[j]) for i, j in pairs if self.margin[i, j] <= 1.0]


def laid_out(dance: Dance, energy: float, seed: int | None = None) -> NDArray[np.float32]:
    """A take as it is compared: (64, 10, 3) metres, the joints that tell dances apart, relative to the pelvis."""
    p = perform(dance, energy, STEPS, seed=seed).positions
    p = (p - p[:, :1] * np.array([1, 0, 1], np.float32)).astype(np.float32)
    return np.tile(p[:, _TELLING], (BEATS // dance.beats, 1, 1))


def mirror_told(shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mirror images of takes (…, 10, 3)."""
    return shapes[..., _TWIN, :] * np.array([-1, 1, 1], shapes.dtype)


def distances(shapes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    """Root mean square joint distance (A, B), metres, of takes (A, T, J, 3) and (B, T, J, 3) at their best shift."""
    middle = shapes.mean(axis=(0, 1))  # subtracted from both for precision: distances come from differences of products
    flat = (shapes - middle).reshape(len(shapes), -1)
    best = np.full((len(shapes), len(others)), np.inf, dtype=np.float32)
    norms = (flat**2).sum(-1)[:, None] + ((others - middle) ** 2).sum((1, 2, 3))[None]
    for shift in range(0, shapes.shape[1], SHIFT):
        rolled = np.roll(others - middle, shift, 1).reshape(len(others), -1)
        best = np.minimum(best, norms - 2 * flat @ rolled.T)
    return np.sqrt(np.maximum(best, 0).astype(np.float64) / (shapes.shape[1] * shapes.shape[2]))


def distinctness(dances: Sequence[Dance], part: str = "all") -> Distinctness:
    """Compare all dances by five takes of each, at low, medium and high energy; `part` as in `PARTS`.

    The distance of two dances is that of their nearest takes, of any energy, at the best shift and mirrored or not. The
    spread of a dance is the largest distance of two of its takes, of any energy.
    """
    takes = np.stack([laid_out(d, energy, seed) for d in dances for energy, seed in TAKES])
    count, each, told = len(dances), len(TAKES), list(PARTS[part])
    reflected = mirror_told(takes)[:, :, told]
    takes = takes[:, :, told]
    straight = distances(takes, takes).reshape(count, each, count, each)
    apart = np.minimum(straight, distances(takes, reflected).reshape(count, each, count, each))
    own = np.arange(count)
    within = straight[own, :, own].max(axis=(1, 2))
    between = apart.min(axis=(1, 3))
    between[own, own] = np.inf
    return Distinctness(tuple(d.name for d in dances), between, within)
