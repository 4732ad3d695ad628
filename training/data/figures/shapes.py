"""The solid shapes that figures are made of, for N bodies at once: tapered capsules and tubes of cloth, and marks.

A shape is a row of numbers, so that compiled code can read it: `SHAPE` and `MARK` say where each number stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Columns of a shape. `PUSH` and `WIDE` are directions in which it is thinner: space is stretched by 1 + the number.
KIND, LIMB, PART, BLEND, BLEND_END = 0, 1, 2, 3, 4
START, RADIUS, REACH, RADIUS_END = 5, 8, 9, 12  # REACH: from start to end
PUSH, WIDE = 13, 17  # a direction and a stretch each
CUTS, CUT, CUT_ROUND = 21, 22, 30  # how many planes, two of them (normal, offset), how round the edge is
BOUND = 31  # metres from the line from start to end within which the shape lies
FRONT, FRONT_END = 32, 33  # tubes: radii to the front (RADIUS is to the side)
PLEATS, PLEAT_DEPTH, PLEAT_TURN, BULGE = 34, 35, 36, 37
SHAPE = 38
CONE, TUBE = 0, 1

# Columns of a mark: paint on a limb.
MARK_KIND, MARK_LIMB, MARK_PART, MARK_FROM = 0, 1, 2, 3  # FROM: only where the limb shows this part; -1 everywhere
ORIGIN, ACROSS, UP, AHEAD = 4, 7, 10, 13
MIDDLE, SIZE, BEND = 16, 18, 20
MARK = 21
# The first three in front alone, the others all round; under: inside a cone of cloth.
OVAL, SMILE, PATCH, BAND, HOLE, UNDER = range(6)

# Limbs: a step of depth from one to another is a contour sooner than one within a limb.
TRUNK, HEAD, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG, CLOTH, LOCKS, LEFT_HAND, RIGHT_HAND = range(10)


def unit(vectors: ArrayLike) -> Floats:
    """Vectors (…, 3) of length 1 in the same directions."""
    found = np.asarray(vectors, np.float64)
    return found / np.maximum(np.linalg.norm(found, axis=-1, keepdims=True), 1e-6)


def square_to(vectors: Floats, axis: Floats) -> Floats:
    """Unit vectors at right angles to unit vectors `axis`, as near as can be to `vectors`; all (…, 3)."""
    return unit(vectors - (vectors * axis).sum(axis=-1, keepdims=True) * axis)


@dataclass(frozen=True)
class Cut:
    """What lies beyond the plane through `point` (N, 3) with `normal` (N, 3) is cut off."""

    point: Floats
    normal: Floats


@dataclass
class Shapes:
    """Shapes and marks of `count` bodies, put in one after the other; later ones blend into what is there."""

    count: int
    rows: list[NDArray[np.float32]] = field(default_factory=list)  # (N, SHAPE) each
    marks: list[NDArray[np.float32]] = field(default_factory=list)  # (N, MARK) each

    def cone(
        self,
        part: int,
        limb: int,
        ends: tuple[Floats, ArrayLike, Floats, ArrayLike],
        blend: tuple[float, float] = (0.02, 0.02),
        flat: tuple[tuple[Floats, float], ...] = (),
        cuts: tuple[Cut, ...] = (),
        edge: float = 0.006,
    ) -> None:
        """Put in the hull of two balls. Many parameters, for a shape has that many sides: `ends` are centre (N, 3) and
        radius of the one ball, then of the other, metres; `blend` metres at either end over which it melts into what
        is there; `flat` up to two unit vectors in which it is thinner by a factor (below 1: thicker); `cuts` up to
        two planes."""
        start, radius, end, radius_end = ends
        row = self._row(CONE, part, limb, blend, cuts, edge)
        row[:, START : START + 3] = start
        row[:, RADIUS], row[:, RADIUS_END] = radius, radius_end
        reach = np.asarray(end, np.float64) - start
        thick = 1.0
        for place, (direction, factor) in zip((PUSH, WIDE), flat, strict=False):
            row[:, place : place + 3], row[:, place + 3] = direction, factor - 1
            reach = reach + (factor - 1) * (reach * direction).sum(axis=-1, keepdims=True) * direction
            thick = min(thick, factor)
        row[:, REACH : REACH + 3] = reach
        row[:, BOUND] = np.maximum(row[:, RADIUS], row[:, RADIUS_END]) / thick
        self.rows.append(row)

    def tube(
        self,
        part: int,
        limb: int,
        ends: tuple[Floats, Floats],
        radii: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
        ahead: Floats,
        pleats: tuple[float, float, ArrayLike] = (0, 0.0, 0.0),
        blend: tuple[float, float] = (0.02, 0.02),
        bulge: float = 0.0,
        cuts: tuple[Cut, ...] = (),
    ) -> None:
        """Put in a tube of cloth from `ends[0]` to its hem at `ends[1]` (N, 3). Many parameters, for a shape has that
        many sides: `radii` to the side and ahead at the top, then at the hem, metres; `ahead` (N, 3) about where its
        front is; `pleats` how many, how deep (share of the radius at the hem), how far turned (radians, (N,));
        `bulge` how much sooner than evenly it widens towards the hem."""
        start, end = ends
        row = self._row(TUBE, part, limb, blend, cuts, 0.006)
        axis = unit(end - start)
        row[:, START : START + 3], row[:, REACH : REACH + 3] = start, end - start
        row[:, RADIUS], row[:, FRONT], row[:, RADIUS_END], row[:, FRONT_END] = radii
        front = square_to(ahead, axis)
        row[:, PUSH : PUSH + 3], row[:, WIDE : WIDE + 3] = front, np.cross(front, axis)
        row[:, PLEATS], row[:, PLEAT_DEPTH], row[:, PLEAT_TURN] = pleats
        row[:, BULGE] = bulge
        row[:, BOUND] = row[:, [RADIUS, FRONT, RADIUS_END, FRONT_END]].max(axis=1) * (1 + 2 * pleats[1])
        self.rows.append(row)

    def mark(
        self,
        kind: int,
        part: int,
        limb: int,
        frame: tuple[Floats, Floats, Floats, Floats],
        middle: tuple[float, float],
        size: tuple[float, float],
        bend: float = 0.0,
        over: int = -1,
    ) -> None:
        """Paint on a limb. Many parameters, for a mark has that many sides: `frame` origin, left, up and ahead (N, 3);
        `middle` and `size` (half) in metres across and up; `bend` of a smile's corners; `over` the only part that is
        painted over. Bands and patches are rectangles, holes ovals that go round."""
        row = np.zeros((self.count, MARK), np.float32)
        row[:, MARK_KIND], row[:, MARK_LIMB], row[:, MARK_PART], row[:, MARK_FROM] = kind, limb, part, over
        for place, vector in zip((ORIGIN, ACROSS, UP, AHEAD), frame, strict=True):
            row[:, place : place + 3] = vector
        row[:, MIDDLE : MIDDLE + 2], row[:, SIZE : SIZE + 2], row[:, BEND] = middle, size, bend
        self.marks.append(row)

    def mark_under(
        self, part: int, limb: int, ends: tuple[Floats, Floats], radii: tuple[ArrayLike, ...], ahead: Floats, over: int
    ) -> None:
        """Paint a limb, where it shows the part `over`, inside the tube that `tube` makes of the same `ends`, `radii`
        and `ahead`: what pushes against cloth is cloth. Many parameters, for these are those of tubes."""
        start, end = ends
        axis = unit(end - start)
        front = square_to(ahead, axis)
        row = np.zeros((self.count, MARK), np.float32)
        row[:, MARK_KIND], row[:, MARK_LIMB], row[:, MARK_PART], row[:, MARK_FROM] = UNDER, limb, part, over
        for place, vector in ((ORIGIN, start), (ACROSS, np.cross(front, axis)), (UP, axis), (AHEAD, front)):
            row[:, place : place + 3] = vector
        row[:, MIDDLE], row[:, MIDDLE + 1], row[:, SIZE], row[:, SIZE + 1] = radii
        row[:, BEND] = np.linalg.norm(end - start, axis=-1)
        self.marks.append(row)

    def packed(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """All shapes (N, K, SHAPE) and marks (N, M, MARK)."""
        marks = np.stack(self.marks, axis=1) if self.marks else np.zeros((self.count, 0, MARK), np.float32)
        return np.ascontiguousarray(np.stack(self.rows, axis=1)), np.ascontiguousarray(marks)

    def _row(
        self, kind: int, part: int, limb: int, blend: tuple[float, float], cuts: tuple[Cut, ...], edge: float
    ) -> NDArray[np.float32]:
        row = np.zeros((self.count, SHAPE), np.float32)
        row[:, KIND], row[:, LIMB], row[:, PART] = kind, limb, part
        row[:, BLEND], row[:, BLEND_END] = blend
        row[:, CUTS], row[:, CUT_ROUND] = len(cuts), edge
        for place, cut in zip((CUT, CUT + 4), cuts, strict=False):
            normal = unit(cut.normal)
            row[:, place : place + 3] = normal
            row[:, place + 3] = (np.asarray(cut.point) * normal).sum(axis=-1)
        return row
