"""Where a troupe stands: nobody runs into his neighbour, and nobody leaves the picture.

How far a body reaches to its sides is read from its latent: joints are a linear function of it, in every pack that
has joints at all. Each dancer keeps as much room as he has needed of late, for a dance is a loop and an arm that was
thrown out will be thrown out again; so places change slowly, and hardly anybody is seen to slide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .pack import FIGURE, FLOOR, JOINT_COUNT, STEPS_PER_BEAT, Pack

Floats = NDArray[np.float64]

FLESH = 0.036  # frame widths that a silhouette reaches beyond its outermost joint, at most
USUAL = 0.30  # reach, frame widths, of bodies about whose joints nothing is known
LEAN = 0.08  # frame widths by which what neighbours have needed may overlap: they seldom need it at the same time
FORGET_BEATS = 12.0  # time constant in which a reach that is not needed any more is forgotten
YIELD_BEATS = 1.0  # time constant in which room is made
SPACING = 0.56  # frame widths between two of a troupe
FARTHER = 0.84  # size of a row beside the one before it
LARGE = 0.33  # share of the window's height: where the frames of one row are as high, one row it is
MOST_ROWS = 3
RISE = 0.30, 0.62  # frame widths that a row stands above the one before: at least, and where there is room
PROBES = 64  # poses from which joints are learned
WRONG = 0.01  # frame widths by which they may be missed


_learned: WeakKeyDictionary[Any, Floats | None] = WeakKeyDictionary()  # by decoder; it may take a tenth of a second


def _learn(pack: Pack) -> Floats | None:
    """Weights (D + 1, 21) from a latent and 1 to how far right of the middle the joints are; None if there are none."""
    step = max(1, len(pack.seeds) // PROBES)
    latent = np.stack([seed.latent for seed in pack.seeds[::step]])
    names = [output.name for output in pack.decoder.get_outputs()]
    if "joints" not in names or len(latent) <= pack.latent_size:
        return None
    (found,) = (pack.joints or pack.decoder).run(["joints"], {"latent": latent})
    across = np.asarray(found, dtype=np.float64).reshape(-1, JOINT_COUNT, 2)[:, :, 0] - 0.5
    known = np.pad(latent.astype(np.float64), ((0, 0), (0, 1)), constant_values=1)
    weights: Floats = np.asarray(np.linalg.lstsq(known, across, rcond=None)[0], dtype=np.float64)
    return weights if np.abs(known @ weights - across).max() < WRONG else None


class Reach:
    """How far bodies reach to the left and to the right of the middle of their frames."""

    def __init__(self, pack: Pack) -> None:
        if pack.decoder not in _learned:
            _learned[pack.decoder] = _learn(pack)
        self._weights = _learned[pack.decoder]

    def of(self, latent: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """(N,) (N,) to the left and to the right, frame widths, of latents (N, D)."""
        if self._weights is None:
            return np.full(len(latent), USUAL), np.full(len(latent), USUAL)
        across = latent @ self._weights[:-1] + self._weights[-1]
        return np.maximum(-across.min(axis=1), 0) + FLESH, np.maximum(across.max(axis=1), 0) + FLESH


def apart(wanted: Floats, gaps: Floats) -> Floats:
    """Places (N,) nearest to those `wanted`, by least squares, each at least a gap (N - 1,) right of the one before.

    Without the gaps it is isotonic regression, by pooling adjacent violators.
    """
    offset = np.concatenate([[0.0], np.cumsum(gaps)])
    pools: list[tuple[float, int]] = []  # mean, how many
    for value in wanted - offset:
        mean, count = float(value), 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        pools.append((mean, count))
    return np.repeat([mean for mean, _ in pools], [count for _, count in pools]) + offset


@dataclass(frozen=True)
class Stand:
    """How a troupe of N stands: from left to right `home` (N,), frame widths from the middle, and `depth` (N,).

    `depth` counts rows from the front; those are FARTHER times as large each and `rise` frame widths higher than the
    one before. `span`: frame widths that must be seen.
    """

    home: NDArray[np.float32]
    depth: NDArray[np.float32]
    span: float
    rise: float = 0.0

    @property
    def deep(self) -> float:
        """How many rows stand behind the first."""
        return float(self.depth.max())

    @property
    def seen(self) -> Floats:
        """Span, rise and deep, which change together."""
        return np.array([self.span, self.rise, self.deep])


def above(rise: float, deep: float) -> float:
    """Frame widths above a frame in front that the last row needs."""
    return max(rise * deep - FLOOR * (1 - FARTHER**deep), 0.0)


def span_of(troupe: int) -> float:
    """Frame widths that must be seen for so many dancers in a row."""
    return FIGURE + (troupe - 1) * SPACING


@lru_cache
def stand(troupe: int, view: float) -> Stand:
    """For a window of `view`, width by height: in one row, or, if that is small, so that the last row is largest."""
    line = (np.arange(troupe, dtype=np.float32) - (troupe - 1) / 2) * SPACING
    best = Stand(line, np.zeros(troupe, np.float32), span_of(troupe))
    smallest = min(1.0, view / best.span)
    if smallest >= LARGE:
        return best
    for rows in range(2, MOST_ROWS + 1):
        if troupe < 2 * rows - 1:
            break
        made = _in_rows(troupe, rows, view)
        size = min(view / made.span, 1 / (1 + above(made.rise, made.deep))) * FARTHER**made.deep
        if size > smallest:
            best, smallest = made, size
    return best


def _in_rows(troupe: int, rows: int, view: float) -> Stand:
    """The fewest in front, and nobody right behind anybody."""
    counts = [(troupe - rows * (rows - 1) // 2) // rows + k for k in range(rows)]  # each row one more, if they can
    for k in range(troupe - sum(counts)):
        counts[k] += 1
    shifts = [0.0]
    for before, count in pairwise(counts):
        aligned = (before - count) % 2 == 0
        shifts.append(shifts[-1] + (0.5 if shifts[-1] <= 0 else -0.5) * aligned)
    homes, depths = [], []
    for k, (count, shift) in enumerate(zip(counts, np.array(shifts) - (max(shifts) + min(shifts)) / 2, strict=True)):
        homes.append(FARTHER**k * SPACING * (np.arange(count) - (count - 1) / 2 + shift))
        depths.append(np.full(count, float(k)))
    home, depth = np.concatenate(homes), np.concatenate(depths)
    order = np.argsort(home, kind="stable")
    home, depth = home[order], depth[order].astype(np.float32)
    span = float((2 * np.abs(home) + FIGURE * FARTHER**depth).max())
    room = span / view - 1 + FLOOR * (1 - FARTHER ** (rows - 1))
    return Stand(home.astype(np.float32), depth, span, min(max(room / (rows - 1), RISE[0]), RISE[1]))


class Formation:
    """Makes room, step by step of a sixteenth of a beat. Rows are dancers from left to right; leavers come last."""

    def __init__(self, pack: Pack) -> None:
        self._reach = Reach(pack)
        self._left, self._right = np.zeros(0), np.zeros(0)  # (N,) needed of late
        self._yielded = np.zeros(0)  # (N,) frame widths that each has gone out of the way

    def resize(self, count: int) -> None:
        """So many rows; those who stay keep what they have."""
        more = max(0, count - len(self._left))
        self._left, self._right, self._yielded = (
            np.pad(a, (0, more))[:count] for a in (self._left, self._right, self._yielded)
        )

    def step(
        self,
        latent: NDArray[np.float32],
        wanted: Floats,
        troupe: int,
        half: float,
        depth: NDArray[np.float32] | None = None,
    ) -> Floats:
        """Places (N,) for those `wanted`, the troupe's first; the picture shows `half` frame widths to either side.

        `depth` (N,): how many rows behind the first each stands; who goes from one to another belongs to the nearer.
        """
        depth = np.zeros(len(wanted), np.float32) if depth is None else depth
        row, scale = np.round(depth), FARTHER ** depth.astype(np.float64)
        left, right = self._reach.of(latent)
        fade = math.exp(-1 / (FORGET_BEATS * STEPS_PER_BEAT))
        self._left = np.maximum(left, left + (self._left - left) * fade)
        self._right = np.maximum(right, right + (self._right - right) * fade)
        place = wanted.astype(np.float64)
        inside = np.arange(len(place)) < troupe
        inside &= np.abs(place) < half  # newcomers are on their way in
        needed_left, needed_right = self._left * scale, self._right * scale
        left, right = left * scale, right * scale
        goal = place.copy()
        for k in np.unique(row[inside]):
            who = np.flatnonzero(inside & (row == k))
            gaps = np.maximum(needed_right[who[:-1]] + needed_left[who[1:]] - LEAN * FARTHER**k, 0)
            first, last = needed_left[who[0]] - half, half - needed_right[who[-1]]
            if (room := max(last - first, 0.0)) < gaps.sum():
                gaps *= room / gaps.sum()
            goal[who] = apart(place[who], gaps)
            # All into the picture: within bounds the nearest is the same, clipped.
            offset = np.concatenate([[0.0], np.cumsum(gaps)])
            goal[who] = np.clip(goal[who] - offset, first, max(first, last - offset[-1])) + offset
        self._yielded += (goal - place - self._yielded) * (1 - math.exp(-1 / (YIELD_BEATS * STEPS_PER_BEAT)))
        place = place + self._yielded
        # What is thrown out without warning near the edge counts at once.
        low, high = left - half, half - right
        return np.where(inside, np.where(low <= high, np.clip(place, low, high), (low + high) / 2), place)
