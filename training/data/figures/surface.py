"""Finds the surface that the viewer sees: rays walk through the distances to all shapes (sphere tracing, Hart 1996).

The camera is orthographic and looks along -z. Shapes melt into each other by a smooth minimum (Quilez, "smooth
minimum"), each over its own width, so a shoulder is flesh while a forearm before the chest stays apart.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from training.data.figures import shapes as s

Real = Any  # float32 once it is compiled
TILE = 4  # rays on a side of the squares whose shapes are listed together
MOST = 64  # shapes in the list of a square
_STEPS = 80
_NOTHING = 1e9
_START, _REACH, _PUSH, _WIDE, _CUT = s.START, s.REACH, s.PUSH, s.WIDE, s.CUT


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _cone(shape: NDArray, x: Real, y: Real, z: Real) -> tuple[Real, Real]:  # pragma: no cover
    """Distance to the hull of two balls in metres, and how far along it the nearest ball is, 0..1."""
    qx, qy, qz = x - shape[_START], y - shape[_START + 1], z - shape[_START + 2]
    push, wide = shape[_PUSH + 3], shape[_WIDE + 3]
    if push != 0:
        v = push * (qx * shape[_PUSH] + qy * shape[_PUSH + 1] + qz * shape[_PUSH + 2])
        w = np.float32(0)
        if wide != 0:
            w = wide * (qx * shape[_WIDE] + qy * shape[_WIDE + 1] + qz * shape[_WIDE + 2])
        qx += v * shape[_PUSH] + w * shape[_WIDE]
        qy += v * shape[_PUSH + 1] + w * shape[_WIDE + 1]
        qz += v * shape[_PUSH + 2] + w * shape[_WIDE + 2]
    dx, dy, dz = shape[_REACH], shape[_REACH + 1], shape[_REACH + 2]
    radius, change = shape[s.RADIUS], shape[s.RADIUS_END] - shape[s.RADIUS]
    length2 = dx * dx + dy * dy + dz * dz
    square = length2 - change * change
    t = np.float32(0)
    if square > np.float32(1e-8):
        along = qx * dx + qy * dy + qz * dz
        off = max(qx * qx + qy * qy + qz * qz - along * along / length2, np.float32(0))
        t = (along + change * math.sqrt(off * length2 / square)) / length2
        t = min(max(t, np.float32(0)), np.float32(1))
    elif change > 0:
        t = np.float32(1)
    qx -= t * dx
    qy -= t * dy
    qz -= t * dz
    far = math.sqrt(qx * qx + qy * qy + qz * qz)
    d = far - (radius + t * change)
    if push != 0:
        # In stretched space distances are too long: divide by the length of the gradient.
        inverse = np.float32(1) / max(far, np.float32(1e-6))
        qx *= inverse
        qy *= inverse
        qz *= inverse
        v = push * (qx * shape[_PUSH] + qy * shape[_PUSH + 1] + qz * shape[_PUSH + 2])
        w = np.float32(0)
        if wide != 0:
            w = wide * (qx * shape[_WIDE] + qy * shape[_WIDE + 1] + qz * shape[_WIDE + 2])
        qx += v * shape[_PUSH] + w * shape[_WIDE]
        qy += v * shape[_PUSH + 1] + w * shape[_WIDE + 1]
        qz += v * shape[_PUSH + 2] + w * shape[_WIDE + 2]
        d /= max(math.sqrt(qx * qx + qy * qy + qz * qz), np.float32(0.3))
    return d, t


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _tube(shape: NDArray, x: Real, y: Real, z: Real) -> tuple[Real, Real]:  # pragma: no cover
    """About the distance to a tube of cloth in metres, and how far down it is, 0..1."""
    qx, qy, qz = x - shape[_START], y - shape[_START + 1], z - shape[_START + 2]
    dx, dy, dz = shape[_REACH], shape[_REACH + 1], shape[_REACH + 2]
    length = math.sqrt(dx * dx + dy * dy + dz * dz) + np.float32(1e-6)
    down = (qx * dx + qy * dy + qz * dz) / (length * length)
    t = min(max(down, np.float32(0)), np.float32(1))
    ahead = qx * shape[_PUSH] + qy * shape[_PUSH + 1] + qz * shape[_PUSH + 2]
    across = qx * shape[_WIDE] + qy * shape[_WIDE + 1] + qz * shape[_WIDE + 2]
    grown = t * (np.float32(1) + shape[s.BULGE] * (np.float32(1) - t))
    rx = shape[s.RADIUS] + (shape[s.RADIUS_END] - shape[s.RADIUS]) * grown
    rz = shape[s.FRONT] + (shape[s.FRONT_END] - shape[s.FRONT]) * grown
    u, v = across / rx, ahead / rz
    rho = math.sqrt(u * u + v * v) + np.float32(1e-6)
    if shape[s.PLEATS] > 0 and rho < np.float32(1.3):  # from afar they do not matter
        wave = math.cos(shape[s.PLEATS] * math.atan2(ahead, across) + shape[s.PLEAT_TURN])
        fold = np.float32(1) + shape[s.PLEAT_DEPTH] * grown * wave
        rho /= fold
        rx *= fold
        rz *= fold
    u, v = u / rx, v / rz
    steep = math.sqrt(u * u + v * v) / rho + np.float32(1e-6)
    lean = max(shape[s.RADIUS_END] - shape[s.RADIUS], shape[s.FRONT_END] - shape[s.FRONT]) / length
    side = (rho - np.float32(1)) / steep / math.sqrt(np.float32(1) + lean * lean)
    bottom, top = (down - np.float32(1)) * length, -down * length
    end = max(bottom, top)
    k = np.float32(0.008)
    h = max(k - abs(side - end), np.float32(0)) / k
    return max(side, end) + h * h * k * np.float32(0.25), t


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def measure(
    body: NDArray, listed: NDArray, count: int, x: Real, y: Real, z: Real
) -> tuple[Real, Any]:  # pragma: no cover
    """Distance in metres from a point to the whole body, and the shape that is nearest to it."""
    whole, near, nearest = np.float32(_NOTHING), np.float32(_NOTHING), -1
    for i in range(count):
        shape = body[listed[i]]
        if shape[s.KIND] == s.CONE:
            d, t = _cone(shape, x, y, z)
        else:
            d, t = _tube(shape, x, y, z)
        for c in range(int(shape[s.CUTS])):
            p = _CUT + 4 * c
            beyond = x * shape[p] + y * shape[p + 1] + z * shape[p + 2] - shape[p + 3]
            k = shape[s.CUT_ROUND]
            h = max(k - abs(d - beyond), np.float32(0)) / k
            d = max(d, beyond) + h * h * k * np.float32(0.25)
        if d < near:
            near, nearest = d, listed[i]
        k = shape[s.BLEND] + t * (shape[s.BLEND_END] - shape[s.BLEND])
        h = max(k - abs(d - whole), np.float32(0)) / k
        whole = min(d, whole) - h * h * k * np.float32(0.25)
    return whole, nearest


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def slope(
    body: NDArray, listed: NDArray, count: int, x: Real, y: Real, z: Real
) -> tuple[Real, Real, Real]:  # pragma: no cover
    """The unit vector in which the distance to the body grows, by four points (Quilez, "normals for an SDF")."""
    e = np.float32(0.0015)
    a, _ = measure(body, listed, count, x + e, y - e, z - e)
    b, _ = measure(body, listed, count, x - e, y - e, z + e)
    c, _ = measure(body, listed, count, x - e, y + e, z - e)
    d, _ = measure(body, listed, count, x + e, y + e, z + e)
    gx, gy, gz = a - b - c + d, -a - b + c + d, -a + b - c + d
    size = math.sqrt(gx * gx + gy * gy + gz * gz) + np.float32(1e-9)
    return gx / size, gy / size, gz / size


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def find_lines(body: NDArray) -> NDArray:  # pragma: no cover
    """Where shapes are, to leave out those that a ray misses (K, 9): the start of a shape's line, its reach, how far
    it is from the line at its start, the change of that, and how far beyond that it is felt."""
    lines = np.empty((len(body), 9), np.float32)
    for k in range(len(body)):
        shape = body[k]
        lines[k, :3] = shape[_START : _START + 3]
        lines[k, 3:6] = shape[_REACH : _REACH + 3]
        first, last = shape[s.BOUND], shape[s.BOUND]
        if shape[s.KIND] == s.CONE:
            for p in (_PUSH, _WIDE):  # the reach is in stretched space
                factor = shape[p + 3]
                if factor != 0:
                    v = lines[k, 3] * shape[p] + lines[k, 4] * shape[p + 1] + lines[k, 5] * shape[p + 2]
                    lines[k, 3:6] -= v * factor / (1 + factor) * shape[p : p + 3]
            most = max(shape[s.RADIUS], shape[s.RADIUS_END])
            first *= shape[s.RADIUS] / most
            last *= shape[s.RADIUS_END] / most
        lines[k, 6], lines[k, 7] = first, last - first
        lines[k, 8] = max(shape[s.BLEND], shape[s.BLEND_END])
    return lines


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _miss(line: NDArray, x: Real, y: Real) -> Real:  # pragma: no cover
    """About how far a ray at (x, y) misses a shape, metres; below 0 where it may meet it."""
    dx, dy = line[3], line[4]
    length2 = dx * dx + dy * dy + np.float32(1e-9)
    ex, ey = x - line[0], y - line[1]
    t = (ex * dx + ey * dy) / length2
    # The nearest ball of a tapered shape lies a little towards its thick end.
    t += line[7] * math.sqrt(max(ex * ex + ey * ey - t * t * length2, np.float32(0)) / length2) / math.sqrt(length2)
    t = min(max(t, np.float32(0)), np.float32(1))
    ex -= t * dx
    ey -= t * dy
    wide = line[6] + t * line[7]
    if length2 < np.float32(0.0025):  # seen from its end
        wide = max(line[6], line[6] + line[7])
    return math.sqrt(ex * ex + ey * ey) - wide


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def list_shapes(lines: NDArray, x: Real, y: Real, half: Real, listed: NDArray) -> int:  # pragma: no cover
    """Shapes that a square of rays about (x, y), `half` its diagonal, may meet or feel: their count. More than `MOST`
    are left out."""
    count = 0
    for k in range(len(lines)):
        if _miss(lines[k], x, y) < half + lines[k, 8] + np.float32(0.004) and count < MOST:
            listed[count] = k
            count += 1
    return count


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def narrow(
    lines: NDArray, listed: NDArray, count: int, x: Real, y: Real, beside: Real, these: NDArray
) -> tuple[int, Real, Real]:  # pragma: no cover
    """Of the shapes of a square those that a ray may meet or feel: their count, their nearest and farthest z.

    None where the ray passes every shape by more than `beside` metres. Many parameters, for lists come with lengths.
    """
    few, near, first, last = 0, np.float32(_NOTHING), np.float32(-_NOTHING), np.float32(_NOTHING)
    for i in range(count):
        line = lines[listed[i]]
        d = _miss(line, x, y)
        near = min(near, d)
        if d < line[8] + np.float32(0.004):
            these[few] = listed[i]
            few += 1
            wide = max(line[6], line[6] + line[7])
            first = max(first, max(line[2], line[2] + line[5]) + wide)
            last = min(last, min(line[2], line[2] + line[5]) - wide)
    return few if near < beside + np.float32(0.003) else 0, first, last


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def trace(
    body: NDArray, listed: NDArray, count: int, place: tuple[Real, Real, Real, Real], hit: Real
) -> tuple[Real, Real, int]:  # pragma: no cover
    """Walk one ray, `place` = x, y, first and last z; `hit` metres from the surface are on it. Gives the
    z where it meets the body (or -1e9), the z where before that, or else anywhere, it passed nearest to a surface (or
    -1e9), and the shape that it met."""
    x, y, z, last = place
    before, falling, best, passed = np.float32(_NOTHING), True, np.float32(0.06), np.float32(-_NOTHING)
    earlier = z
    for _ in range(_STEPS):
        d, nearest = measure(body, listed, count, x, y, z)
        if d < hit:
            return z + d, passed, nearest
        if falling and d > before and before < best:
            best, passed = before, earlier
        falling = d < before
        before, earlier = d, z
        z -= max(d * np.float32(0.92), np.float32(0.5) * hit)
        if z < last:
            break
    return np.float32(-_NOTHING), passed, -1


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def paint(marks: NDArray, limb: int, part: int, x: Real, y: Real, z: Real) -> int:  # pragma: no cover
    """The part that a point of a limb shows once the marks are on it."""
    for m in range(len(marks)):
        mark = marks[m]
        if mark[s.MARK_LIMB] != limb or (mark[s.MARK_FROM] >= 0 and mark[s.MARK_FROM] != part):
            continue
        qx, qy, qz = x - mark[s.ORIGIN], y - mark[s.ORIGIN + 1], z - mark[s.ORIGIN + 2]
        u = qx * mark[s.ACROSS] + qy * mark[s.ACROSS + 1] + qz * mark[s.ACROSS + 2] - mark[s.MIDDLE]
        v = qx * mark[s.UP] + qy * mark[s.UP + 1] + qz * mark[s.UP + 2] - mark[s.MIDDLE + 1]
        w = qx * mark[s.AHEAD] + qy * mark[s.AHEAD + 1] + qz * mark[s.AHEAD + 2]
        kind = mark[s.MARK_KIND]
        if kind == s.UNDER:  # radii stand where the middle and the size of other marks do
            u += mark[s.MIDDLE]
            down = (v + mark[s.MIDDLE + 1]) / mark[s.BEND]
            u /= mark[s.MIDDLE] + (mark[s.SIZE] - mark[s.MIDDLE]) * down
            w /= mark[s.MIDDLE + 1] + (mark[s.SIZE + 1] - mark[s.MIDDLE + 1]) * down
            if down > 0 and down < 1 and u * u + w * w < 1:
                part = int(mark[s.MARK_PART])
            continue
        u, v = u / mark[s.SIZE], v / mark[s.SIZE + 1]
        if kind < s.BAND and w < 0:
            continue
        if kind == s.OVAL or kind == s.HOLE:
            on = u * u + v * v < 1
        elif kind == s.SMILE:
            v -= mark[s.BEND] * u * u
            on = abs(u) < 1 and v * v < 1 - u * u
        else:
            on = abs(u) < 1 and abs(v) < 1
        if on:
            part = int(mark[s.MARK_PART])
    return part
