"""From rays to fields: scans the surface, finds outlines and inner contours, and measures the distance to them."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from training.data.figures.shapes import CLOTH, LIMB, PART
from training.data.figures.surface import TILE, find_lines, list_shapes, measure, narrow, paint, slope, trace

CREASE_FAR = 3  # pixels of a frame of 128
BEHIND = 0.30  # pixels by which an inner contour lies on the farther surface
_NOTHING = -1e8  # a z below this is none
# Metres of a step in depth where a contour begins, and where it is whole: from limb to limb, and within one. The step
# is from the rim of the nearer surface; from the nearer ray, whose depth changes from frame to frame, a rim more.
_BETWEEN = (0.004, 0.016)
_WITHIN = (0.024, 0.042)
_FOLDED = (0.29, 0.38)  # a skirt's hem before its own back
_RIM = 0.014
_FAINT = 1.6  # pixels that a contour seems farther away where its step begins
_SLIDE = 2.5  # a slope that is followed from one ray to the next, metres a metre
_HIT = 0.0008  # metres from the surface that count as on it, less where rays are dense
_PIECE = 0.28  # half the length, in pixels, of what a point of a contour stands for
_KEEP = 8.0  # pixels of a frame to either side of a contour that are measured


@numba.njit(fastmath=True, cache=True, nogil=True, error_model="numpy")
def scan(
    body: NDArray,
    marks: NDArray,
    place: NDArray,
    lists: tuple[NDArray, NDArray],
    depths: tuple[NDArray, NDArray],
    kinds: tuple[NDArray, NDArray],
    slopes: NDArray,
) -> None:  # pragma: no cover
    """Cast a ray for each element of the maps. Many parameters, for a ray leaves that many numbers.

    `body` shapes and `marks` of one body; `place` x and y of the first ray and the step in metres; `lists` which
    shapes each square of rays may meet, filled in; `depths` z of the surface, and of where a ray passed one, -1e9 for
    none; `kinds` limb and part, -1 for none; `slopes` (2, …) normals to the right and down.
    """
    x0, y0, step = place[0], place[1], place[2]
    listed, counts = lists
    depth, passed = depths
    limbs, parts = kinds
    rows, cols = depth.shape
    half = step * np.float32(TILE * 0.7072)
    lines = find_lines(body)
    these = np.empty(len(body), np.int32)
    hit = min(np.float32(_HIT), np.float32(0.08) * step)
    for a in range(counts.shape[0]):
        for b in range(counts.shape[1]):
            cx = x0 + np.float32(b * TILE + (TILE - 1) * 0.5) * step
            cy = y0 - np.float32(a * TILE + (TILE - 1) * 0.5) * step
            count = list_shapes(lines, cx, cy, half, listed[a, b])
            counts[a, b] = count
            near = listed[a, b]
            for j in range(a * TILE, min(a * TILE + TILE, rows)):
                for i in range(b * TILE, min(b * TILE + TILE, cols)):
                    depth[j, i] = np.float32(-1e9)
                    passed[j, i] = np.float32(-1e9)
                    x, y = x0 + np.float32(i) * step, y0 - np.float32(j) * step
                    few, first, last = narrow(lines, near, count, x, y, np.float32(1.6) * step, these)
                    if few == 0:
                        continue
                    z, best, shape = trace(body, these, few, (x, y, first, last), hit)
                    depth[j, i], passed[j, i] = z, best
                    if shape >= 0:
                        gx, gy, _ = slope(body, these, few, x, y, z)
                        slopes[0, j, i], slopes[1, j, i] = gx, -gy
                        limb = int(body[shape, LIMB])
                        limbs[j, i] = limb
                        parts[j, i] = paint(marks, limb, int(body[shape, PART]), x, y, z)


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _find_step(depth: NDArray, slopes: NDArray, j: int, i: int, step: Any) -> tuple[int, int, Any]:  # pragma: no cover
    """The neighbour of a ray that stands farthest before it: its direction (0, 0 if none), and by how many metres;
    more than any step where the ray meets nothing."""
    rows, cols = depth.shape
    most, side_x, side_y = np.float32(0), 0, 0
    here = depth[j, i]
    for k in range(4):
        dx, dy = (1, -1, 0, 0)[k], (0, 0, 1, -1)[k]
        v, u = j + dy, i + dx
        if v < 0 or v >= rows or u < 0 or u >= cols or depth[v, u] < _NOTHING:
            continue
        if here < _NOTHING:
            gap = np.float32(100) + depth[v, u]
        else:
            # How far the neighbour stands before where this surface would go by itself.
            gx, gy = slopes[0, j, i], slopes[1, j, i]
            gz = math.sqrt(max(np.float32(1) - gx * gx - gy * gy, np.float32(1e-4)))
            rise = min(max(-(gx * dx + gy * dy) / gz, np.float32(0)), np.float32(_SLIDE))
            gap = depth[v, u] - here - rise * step
        if gap > most:
            most, side_x, side_y = gap, dx, dy
    return side_x, side_y, most


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _find_faintness(gap: Any, near: int, far: int) -> Any:  # pragma: no cover
    """How faint the contour of a step in depth from limb `near` to limb `far` is: pixels, or -1 where there is none."""
    begin, whole = _BETWEEN
    if near == far:
        begin, whole = _FOLDED if far == CLOTH else _WITHIN
    if gap < begin:
        return np.float32(-1)
    return max(np.float32(_FAINT) * (whole - gap) / (whole - begin), np.float32(0))


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _find_passed(
    body: NDArray, near: NDArray, count: int, place: tuple[Any, Any, Any]
) -> tuple[Any, Any, Any, Any]:  # pragma: no cover
    """How near a ray passes a surface about `place` (x, y, z), the unit direction away from it, right and up, and the
    z there. The distance is -1 where the ray does not pass but runs at it."""
    x, y, z = place
    d, gx, gy = np.float32(-1), np.float32(0), np.float32(1)
    for _ in range(2):  # the second time from where the ray is nearest
        gx, gy, gz = slope(body, near, count, x, y, z)
        d, _shape = measure(body, near, count, x, y, z)
        z -= d * gz
    flat = math.sqrt(gx * gx + gy * gy)
    if flat < np.float32(0.5):
        return np.float32(-1), gx, gy, z
    return d, gx / flat, gy / flat, z


@numba.njit(fastmath=True, cache=True, nogil=True, error_model="numpy")
def find_contours(
    body: NDArray,
    place: NDArray,
    lists: tuple[NDArray, NDArray],
    depths: tuple[NDArray, NDArray],
    kinds: tuple[NDArray, NDArray],
    slopes: NDArray,
) -> NDArray:  # pragma: no cover
    """Points on outlines and inner contours (C, 6) of what `scan` found.

    Many parameters, for these are those of `scan`. Each point: x and y in rays (the first ray is at 0.5), the
    direction there from the nearer to the farther side, the faintness of an inner contour in pixels of a frame of
    128 (-1: an outline), and the part of the nearer side.
    """
    x0, y0, step = place[0], place[1], place[2]
    listed, counts = lists
    depth, passed = depths
    limbs, parts = kinds
    rows, cols = depth.shape
    points = np.empty((rows * cols, 6), np.float32)
    found = 0
    for j in range(rows):
        for i in range(cols):
            side_x, side_y, gap = _find_step(depth, slopes, j, i, step)
            if gap < np.float32(_BETWEEN[0]):
                continue
            px, py = i + np.float32(0.5) + np.float32(0.5) * side_x, j + np.float32(0.5) + np.float32(0.5) * side_y
            nx, ny = np.float32(-side_x), np.float32(-side_y)
            rim = depth[j, i] + gap - np.float32(_RIM)
            if passed[j, i] > _NOTHING:
                near, count = listed[j // TILE, i // TILE], counts[j // TILE, i // TILE]
                where = (x0 + np.float32(i) * step, y0 - np.float32(j) * step, passed[j, i])
                d, gx, gy, z = _find_passed(body, near, count, where)
                if d > 0 and d < np.float32(1.5) * step:
                    nx, ny = gx, -gy
                    px, py = i + np.float32(0.5) - nx * d / step, j + np.float32(0.5) - ny * d / step
                    rim = z
            faint = np.float32(-1)
            if depth[j, i] > _NOTHING:
                faint = _find_faintness(rim - depth[j, i], limbs[j + side_y, i + side_x], limbs[j, i])
                if faint < 0:
                    continue
            points[found, 0], points[found, 1], points[found, 2], points[found, 3] = px, py, nx, ny
            points[found, 4], points[found, 5] = faint, parts[j + side_y, i + side_x]
            found += 1
    return points[:found]


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _measure_distances(
    points: NDArray, rows: int, cols: int, scale: Any
) -> tuple[NDArray, NDArray, NDArray]:  # pragma: no cover
    """Distance to the outline, distance to inner contours, and the nearest point of the outline (or -1), (h, w)."""
    far = np.float32(_KEEP)
    field = np.full((rows, cols), far, np.float32)
    crease = np.full((rows, cols), np.float32(CREASE_FAR), np.float32)
    nearest = np.full((rows, cols), -1, np.int32)
    reach = int(_KEEP * scale) + 1
    close = int(CREASE_FAR * scale) + 2
    for c in range(len(points)):
        x, y = points[c, 0] * np.float32(0.5), points[c, 1] * np.float32(0.5)
        inner = points[c, 4] >= 0
        if inner:
            x += points[c, 2] * np.float32(BEHIND) * scale
            y += points[c, 3] * np.float32(BEHIND) * scale
        size = close if inner else reach
        for j in range(max(0, int(y) - size), min(rows, int(y) + size + 1)):
            for i in range(max(0, int(x) - size), min(cols, int(x) + size + 1)):
                dx, dy = i + np.float32(0.5) - x, j + np.float32(0.5) - y
                # A point stands for a short piece of the contour, square to its direction.
                off = dx * points[c, 2] + dy * points[c, 3]
                beside = max(abs(dx * points[c, 3] - dy * points[c, 2]) - np.float32(_PIECE), np.float32(0))
                d = math.sqrt(off * off + beside * beside) / scale
                if inner:
                    crease[j, i] = min(crease[j, i], d + points[c, 4])
                elif d < field[j, i]:
                    field[j, i] = d
                    nearest[j, i] = c
    return field, crease, nearest


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _average(
    hit: NDArray, slopes: NDArray, parts: NDArray, place: tuple[int, int], normal: NDArray, shares: NDArray
) -> None:  # pragma: no cover
    """Fill in the normal and the shares of a pixel, `place` its row and column, from the rays in and about it."""
    j, i = place
    # A tent over four rays each way makes shares soft enough to be drawn large.
    total, covered = np.float32(0), np.float32(0)
    for v in range(max(2 * j - 1, 0), min(2 * j + 3, hit.shape[0])):
        for u in range(max(2 * i - 1, 0), min(2 * i + 3, hit.shape[1])):
            if not hit[v, u]:
                continue
            weight = np.float32((1, 3, 3, 1)[v - 2 * j + 1] * (1, 3, 3, 1)[u - 2 * i + 1])
            total += weight
            shares[parts[v, u], j, i] += weight
            if v // 2 == j and u // 2 == i:
                covered += 1
                normal[0, j, i] += slopes[0, v, u]
                normal[1, j, i] += slopes[1, v, u]
    for k in range(len(shares)):
        shares[k, j, i] /= total
    normal[0, j, i] /= covered
    normal[1, j, i] /= covered


@numba.njit(fastmath=True, cache=True, nogil=True, error_model="numpy")
def draw_fields(
    points: NDArray, hit: NDArray, slopes: NDArray, parts: NDArray, scale: float, kinds: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:  # pragma: no cover
    """Fields at half the density of the rays: signed distance (h, w), normals (2, h, w), crease (h, w), parts
    (kinds, h, w). Lengths are in pixels of a frame of 128; `scale` pixels of this frame are one of those."""
    rows, cols = hit.shape[0] // 2, hit.shape[1] // 2
    field, crease, nearest = _measure_distances(points, rows, cols, scale)
    normal = np.zeros((2, rows, cols), np.float32)
    shares = np.zeros((kinds, rows, cols), np.float32)
    for j in range(rows):
        for i in range(cols):
            inside = hit[2 * j, 2 * i] + hit[2 * j, 2 * i + 1] + hit[2 * j + 1, 2 * i] + hit[2 * j + 1, 2 * i + 1]
            c = nearest[j, i]
            away = np.float32(-1)  # only where some rays miss does the outline's direction decide
            if c >= 0 and inside < 4:
                away = (i + np.float32(0.5) - points[c, 0] * np.float32(0.5)) * points[c, 2]
                away += (j + np.float32(0.5) - points[c, 1] * np.float32(0.5)) * points[c, 3]
            if inside > 0:
                if away < 0:
                    field[j, i] = -field[j, i]
                _average(hit, slopes, parts, (j, i), normal, shares)
            elif c >= 0:
                normal[0, j, i], normal[1, j, i] = points[c, 2], points[c, 3]
                shares[int(points[c, 5]), j, i] = 1
    return field, normal, crease, shares
