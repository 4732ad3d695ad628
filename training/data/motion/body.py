"""Draws a silhouette from joints: the body as a smooth union of tapered capsules and a head, as a signed field.

Seen by an orthographic camera, the outline of a tapered capsule (the hull of two balls) is the hull of two
circles, so the field of each part is exact in the plane. Parts are joined with a smooth minimum, which rounds
the armpits and the crotch as flesh does.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import INDEX
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE

CLAMP_PIXELS = 3.0  # only the band about the outline is kept; see design: a wide clamp was measured worse
BLEND = 0.035  # metres over which two parts merge

# Two joints, where along the bone the part begins and ends, and the radius in metres at either end.
_SIDES = ("left", "right")
PARTS: list[tuple[str, str, float, float, float, float]] = [
    ("pelvis", "spine", 0.0, 1.0, 0.120, 0.112),
    ("spine", "chest", 0.0, 1.0, 0.112, 0.128),
    ("chest", "neck", 0.0, 0.62, 0.125, 0.090),
    ("chest", "neck", 0.62, 1.15, 0.066, 0.058),
    ("neck", "head", 0.44, 0.62, 0.098, 0.108),  # the head, longer than wide, crown at the head joint
]
for _s in _SIDES:
    PARTS += [
        ("chest", f"{_s}_shoulder", 0.0, 1.0, 0.105, 0.070),
        ("neck", f"{_s}_shoulder", 0.0, 1.0, 0.058, 0.064),  # the slope from the neck to the shoulder
        (f"{_s}_shoulder", f"{_s}_elbow", 0.0, 1.0, 0.066, 0.050),
        (f"{_s}_elbow", f"{_s}_wrist", 0.0, 1.0, 0.051, 0.036),
        (f"{_s}_wrist", f"{_s}_hand", 0.0, 0.9, 0.042, 0.034),
        ("pelvis", f"{_s}_hip", 0.0, 1.0, 0.115, 0.098),
        (f"{_s}_hip", f"{_s}_knee", 0.0, 1.0, 0.098, 0.068),
        (f"{_s}_knee", f"{_s}_ankle", 0.0, 1.0, 0.069, 0.045),
        (f"{_s}_ankle", f"{_s}_toe", 0.0, 1.0, 0.052, 0.038),
    ]
_FROM = np.array([INDEX[p[0]] for p in PARTS])
_TO = np.array([INDEX[p[1]] for p in PARTS])
_SPAN = np.array([[p[2], p[3]] for p in PARTS], dtype=np.float32)
_RADII = np.array([[p[4], p[5]] for p in PARTS], dtype=np.float32)


def project(positions: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float32]:
    """Metres in the room to frame coordinates, x right and y down, both 0..1 inside the frame.

    `positions` (T, 21, 3) metres, `centre` (T,) the sideways place of the crop in metres -> (T, 21, 2).
    """
    x = (positions[..., 0] - centre[:, None]) / FRAME_METRES + 0.5
    y = FLOOR - positions[..., 1] / FRAME_METRES
    return np.stack([x, y], axis=-1).astype(np.float32)


def about_crop(positions: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float32]:
    """Metres in the room to metres about the crop: `positions` (T, 21, 3), `centre` (T, 2) its place in x and z
    -> (T, 21, 3), the height as it was."""
    return (positions - np.insert(centre, 1, 0, axis=1)[:, None]).astype(np.float32)


@numba.njit(fastmath=True, parallel=True, cache=True)
def _fields(ends: NDArray, radii: NDArray, blend: float, size: int, clamp: float) -> NDArray:  # pragma: no cover
    """`ends` (T, P, 4) pixels ax ay bx by, `radii` (P, 2) pixels -> signed distance (T, size, size) in pixels."""
    frames, parts = ends.shape[0], ends.shape[1]
    # Farther than anything that can still melt into a part: an empty picture must not bend the field near the clamp.
    out = np.full((frames, size, size), clamp + 2 * blend, dtype=np.float32)
    reach = clamp + blend
    for t in numba.prange(frames):
        field = out[t]
        for k in range(parts):
            ax, ay, bx, by = ends[t, k, 0], ends[t, k, 1], ends[t, k, 2], ends[t, k, 3]
            ra, rb = radii[k, 0], radii[k, 1]
            dx, dy = bx - ax, by - ay
            length = math.sqrt(dx * dx + dy * dy)
            # One ball swallows the other when the bone points at the camera: shrink to the larger ball.
            if length <= abs(ra - rb) + 1e-4:
                if rb > ra:
                    ax, ay, ra = bx, by, rb
                rb = ra
                dx, dy, length = 0.0, 0.0, 0.0
            ux, uy, slope = 1.0, 0.0, 0.0
            if length > 0:
                ux, uy, slope = dx / length, dy / length, (ra - rb) / length
            cosine = math.sqrt(1.0 - slope * slope)
            low = max(ra, rb) + reach
            x0 = max(0, int(min(ax, ax + dx) - low))
            x1 = min(size, int(max(ax, ax + dx) + low) + 2)
            y0 = max(0, int(min(ay, ay + dy) - low))
            y1 = min(size, int(max(ay, ay + dy) + low) + 2)
            for j in range(y0, y1):
                py = j + np.float32(0.5) - ay
                for i in range(x0, x1):
                    px = i + np.float32(0.5) - ax
                    along = px * ux + py * uy
                    across = abs(px * uy - py * ux)
                    # Nearest point of the hull lies on the slanted side, or on either ball (Quilez, "2D distance
                    # functions", uneven capsule); `side` tells which of the three.
                    side = along * cosine - across * slope
                    foot = min(max(side / cosine, np.float32(0.0)), length)
                    rest = along - foot
                    ball = math.sqrt(rest * rest + across * across) - (ra if side < 0 else rb)
                    slant = along * slope + across * cosine - ra
                    d = slant if (side >= 0) and (side <= cosine * length) else ball
                    old = field[j, i]
                    # Quadratic smooth minimum (Quilez, "smooth minimum").
                    h = max(blend - abs(d - old), np.float32(0.0)) / blend
                    field[j, i] = min(d, old) - h * h * blend * np.float32(0.25)
        for j in range(size):
            for i in range(size):
                field[j, i] = min(max(field[j, i], -clamp), clamp)
    return out


def silhouettes(
    joints: NDArray[np.float32], size: int = FRAME_SIZE, clamp_pixels: float = CLAMP_PIXELS
) -> NDArray[np.float32]:
    """Draw bodies as signed fields.

    `joints` (T, 21, 2) frame coordinates -> (T, 1, size, size) in units of the frame's width: zero on the outline,
    negative inside, clamped to `clamp_pixels` pixels of a 128-pixel frame on either side.
    """
    if joints.ndim != 3 or joints.shape[1:] != (len(INDEX), 2):
        raise ValueError(f"joints must be (T, {len(INDEX)}, 2), not {joints.shape}")
    a, b = joints[:, _FROM] * size, joints[:, _TO] * size
    begin = a + (b - a) * _SPAN[:, :1]
    end = a + (b - a) * _SPAN[:, 1:]
    ends = np.ascontiguousarray(np.concatenate([begin, end], axis=-1), dtype=np.float32)
    metre = size / FRAME_METRES
    clamp = clamp_pixels * size / FRAME_SIZE
    fields = _fields(ends, _RADII * np.float32(metre), BLEND * metre, size, clamp)
    return (fields / np.float32(size))[:, None].astype(np.float32, copy=False)
