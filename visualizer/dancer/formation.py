"""Where the dancers of a troupe stand: who comes and leaves, who walks where; all keep apart and in the picture.

How far a body reaches to its sides is read from its latent: joints are a linear function of it, in every pack that
has joints at all. Each dancer keeps as much room as they have needed of late, for a dance is a loop and an arm that was
thrown out will be thrown out again; so places change slowly, and hardly any dancer is seen to slide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visualizer.moment import FIGURE

from .pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT, Pack
from .steps import Step

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
HOME_BEATS = 24.0  # time constant of the pull back to the dancer's own place
MOVE_BEATS = 2.0  # time constant of a change of that place, when others come or go
LEAVE = 1.0  # frame widths a beat: so fast leavers slide out; no slower than any neighbour makes room
WIDEST = 32 / 9  # width by height of the widest screen there is, two of 16:9 side by side
ROAM = 0.6  # frame widths: a dancer alone never gets farther from home than this, so that none leaves the screen
NEARER = 0.2  # frame widths, half a metre: nobody comes or goes farther, so that feet stay in the picture
TROUPE_ROAM = 0.25  # the same where there are neighbours: half their spacing, so that no two change places


class Reach:
    """How far bodies reach to the left and to the right of the middle of their frames."""

    def __init__(self, pack: Pack) -> None:
        self._weights = pack.joint_weights

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
    """Frame widths that must be seen for that many dancers in a row."""
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
    """The fewest in front, and no dancer right behind another."""
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


class RoomMaker:
    """Makes room, step by step of a sixteenth of a beat. Rows are dancers from left to right; leavers come last."""

    def __init__(self, pack: Pack) -> None:
        self.learn(pack)
        self._left, self._right = np.zeros(0), np.zeros(0)  # (N,) needed of late
        self._yielded = np.zeros(0)  # (N,) frame widths that each has gone out of the way

    def learn(self, pack: Pack) -> None:
        """How far the bodies of that pack reach."""
        self._reach = Reach(pack)

    def resize(self, count: int) -> None:
        """That many rows; those who stay keep what they have."""
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


class Formation:
    """Homes of a troupe and the way to them. Rows are dancers from left to right; those who are leaving come last."""

    def __init__(self, pack: Pack, troupe: int) -> None:
        self.troupe = troupe
        self._view = WIDEST
        self._room = RoomMaker(pack)
        self._room.resize(troupe)
        stood = stand(troupe, self._view)
        self.home, self.depth = stood.home.copy(), stood.depth.copy()  # (N,) frame widths from the middle; rows
        self.away = np.zeros(troupe, np.float32)  # (N,) frame widths from home that travel has led
        self._ahead = np.zeros(troupe, np.float32)  # (N,) the same towards the viewer
        self.seen, self._roam = stood.seen, _roam_of(troupe)

    @property
    def view(self) -> float:
        """Width by height of the window: how far off the wings are, and how a troupe stands."""
        return self._view

    def set_view(self, view: float, begun: bool) -> None:
        """The window has that shape. Dancers who have not begun stand as it wants at once, others walk there."""
        self._view = view
        if not begun:
            stood = stand(self.troupe, view)
            self.home, self.depth = stood.home.copy(), stood.depth.copy()
            self.seen = stood.seen

    def follow(self, pack: Pack) -> None:
        """Dancers of another pack stand where those stood; how far they reach is learned from their own pack."""
        self._room.learn(pack)

    def width(self, seen: NDArray[np.floating]) -> float:
        """Frame widths that the window shows; see stage/layout.py."""
        span, rise, deep = map(float, seen)
        return max(self._view * (1 + above(rise, deep)), span)

    def edge(self, seen: Iterable[NDArray[np.floating]]) -> float:
        """Frame widths right of the middle from where on nothing of a dancer's frame is in the picture."""
        return (max(map(self.width, seen)) + 1) / 2

    def admit(self, troupe: int, seen: Iterable[NDArray[np.floating]]) -> tuple[NDArray[np.float32], ...]:
        """From now on that many dance. Places and depths of those who come: beyond the right edge of all `seen`."""
        self.troupe = troupe
        old = len(self.home)
        stood = stand(troupe, self._view)
        first = max(self.edge([stood.seen, *seen]), float(self.home[-1]) + SPACING) if troupe > old else 0.0
        home = (first + SPACING * np.arange(max(troupe - old, 0))).astype(np.float32)
        depth = stood.depth[old:].copy()
        self.home, self.depth = np.concatenate([self.home, home]), np.concatenate([self.depth, depth])
        self.away, self._ahead = (np.pad(a, (0, len(home))) for a in (self.away, self._ahead))
        self._room.resize(len(self.home))
        return home, depth

    def keep(self, count: int) -> None:
        """Only the first `count` rows are left."""
        self.home, self.depth, self.away = self.home[:count].copy(), self.depth[:count].copy(), self.away[:count].copy()
        self._ahead = self._ahead[:count].copy()
        self._room.resize(count)

    def step(self, latent: NDArray[np.float32], travel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Places (N,) a sixteenth of a beat later of bodies (N, D) that walk by `travel` (N, 2) frame widths a beat, to
        the right and towards the viewer."""
        self._walk(travel[:, 0])
        self._ahead = (self._ahead + travel[:, 1] / STEPS_PER_BEAT) * np.float32(
            math.exp(-1 / (HOME_BEATS * STEPS_PER_BEAT))
        )
        wanted = self.home + FARTHER**self.depth * (self._roam * np.tanh(self.away / self._roam))
        return self._room.step(latent, wanted, self.troupe, self.width(self.seen) / 2, self.depth).astype(np.float32)

    @property
    def near(self) -> NDArray[np.float32]:
        """(N,) frame widths that each is nearer to the viewer than the row."""
        return (NEARER * np.tanh(self._ahead / NEARER)).astype(np.float32)

    def find_way(self, place: NDArray[np.float32], before: Step | None) -> NDArray[np.float32]:
        """(N, 2) metres, to the right and towards the viewer, that each has gone since the step `before` to be at
        `place` (N,): travel, and all that is done here."""
        if before is None:
            return np.zeros((len(place), 2), np.float32)
        across = (place - before.place) / FARTHER**self.depth
        return np.stack([across, self.near - before.near], axis=1) * np.float32(FRAME_METRES)

    def _walk(self, travel: NDArray[np.float32]) -> None:
        """The crop took the sideways speed away; here it is given back, so that feet stay where they are put. The
        pull home is slow enough not to be seen as sliding. Homes themselves move when others come or go; those of
        leavers go out at an even pace.
        """
        leavers = len(self.home) - self.troupe
        self.away = (self.away + travel / STEPS_PER_BEAT) * np.float32(math.exp(-1 / (HOME_BEATS * STEPS_PER_BEAT)))
        ease = 1 - math.exp(-1 / (MOVE_BEATS * STEPS_PER_BEAT))
        stood = stand(self.troupe, self._view)
        move = (stood.home - self.home[: self.troupe]) * np.float32(ease)
        nearer = (stood.depth - self.depth[: self.troupe]) * np.float32(ease)
        if leavers:
            move = np.pad(move, (0, leavers), constant_values=LEAVE / STEPS_PER_BEAT)
            nearer = np.pad(nearer, (0, leavers))
        self.depth = (self.depth + nearer).astype(np.float32)
        self.home = self.home + move
        self._roam += (_roam_of(self.troupe) - self._roam) * ease
        self.seen = self.seen + (stood.seen - self.seen) * ease


def _roam_of(troupe: int) -> float:
    return ROAM if troupe == 1 else TROUPE_ROAM
