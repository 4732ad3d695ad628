"""Draws the truth about figures: what a decoder learns to draw from a body's numbers, at the density of a frame.

Rays are cast at twice the density. Where one misses the body, or meets it far behind its neighbour, the surface that
it passed gives the contour's place to a small part of a ray, so fields are smooth without many rays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.figures.build import build_shapes
from training.data.figures.contours import CREASE_FAR, draw_fields, find_contours, scan
from training.data.figures.figure import PARTS, Figure
from training.data.figures.reshape import reshape
from training.data.figures.shapes import BOUND, REACH, START
from training.data.figures.surface import MOST, TILE
from training.data.motion.body import project, silhouettes
from visualizer.dancer.pack import FLOOR, FRAME_METRES, FRAME_SIZE

FIELD_FAR = 3.96875  # pixels of a frame; fields are cut off at either side
FIELD_STEPS = 32  # a pixel, in a byte
NORMAL_STEPS = 127  # to a normal of 1
CREASE_STEPS = 85  # a pixel
MARGIN = 4  # pixels about the body that belong to its box


@dataclass(frozen=True)
class Truth:
    """One body in its box of the frame, whole cells of two pixels, as bytes.

    `left` and `top` of the box in pixels. `field` (h, w) signed distance to the outline: pixels × 32 + 128, negative
    inside; `normal` (2, h, w) of the front surface, x right and y down, × 127 + 128; `crease` (h, w) pixels × 85 to
    the nearest inner contour, which lies on the farther of two surfaces, at most 3 pixels; `parts` (7, h, w) shares
    × 255. Outside the outline normals and parts are those of the nearest point on it.
    """

    left: int
    top: int
    field: NDArray[np.uint8]
    normal: NDArray[np.uint8]
    crease: NDArray[np.uint8]
    parts: NDArray[np.uint8]

    def unpacked(self) -> tuple[NDArray[np.float32], ...]:
        """`field`, `normal`, `crease` and `parts` as numbers: pixels, -1..1, pixels, shares."""
        field = (self.field.astype(np.float32) - 128) * np.float32(1 / FIELD_STEPS)
        normal = (self.normal.astype(np.float32) - 128) * np.float32(1 / NORMAL_STEPS)
        crease = self.crease.astype(np.float32) * np.float32(1 / CREASE_STEPS)
        return field, normal, crease, self.parts.astype(np.float32) * np.float32(1 / 255)


def draw_truths(
    figure: Figure,
    joints: NDArray[np.floating],
    centre: NDArray[np.floating],
    sway: NDArray[np.floating],
    hands: NDArray[np.floating],
    size: int = FRAME_SIZE,
) -> list[Truth]:
    """Draw N bodies of one figure. Many parameters, for a body has that many numbers.

    `joints` (N, 21, 3) metres on the bones of `skeleton`, which are brought into the figure's proportions here;
    `centre` (N,) the crop's sideways place in metres; `sway` (N, 7) as `visualizer.dancer.sway` says; `hands` (N, 4)
    left fist, left point, right fist, right point; `size` pixels on a side of the frame, all lengths stay in pixels of
    a frame of 128.
    """
    bodies = reshape(joints, figure)
    shapes, marks = build_shapes(figure, bodies, sway, hands)
    found = [_draw(*each, size) for each in zip(shapes, marks, np.asarray(centre, np.float32), strict=True)]
    if not figure.flat:
        return found
    frames = silhouettes(project(bodies, np.asarray(centre, np.float32)), size, FIELD_FAR)
    return [_flattened(truth, frame[0]) for truth, frame in zip(found, frames, strict=True)]


def _draw(shapes: NDArray[np.float32], marks: NDArray[np.float32], centre: float, size: int) -> Truth:
    """One body of shapes (K, SHAPE) and marks (M, MARK)."""
    rays = 2 * size
    step = FRAME_METRES / rays
    left, top, cols, rows = _find_box(shapes, centre, size)
    # x and y in metres of the first ray, so that ray (j, i) is at (x + i * step, y - j * step)
    x = centre - FRAME_METRES / 2 + (2 * left + 0.5) * step
    y = FLOOR * FRAME_METRES - (2 * top + 0.5) * step
    place = np.array([x, y, step], np.float32)
    down, over = 2 * rows, 2 * cols
    tiles = (-(-down // TILE), -(-over // TILE))
    lists = np.zeros((*tiles, MOST), np.int32)
    counts = np.zeros(tiles, np.int32)
    depth, passed = np.empty((2, down, over), np.float32)
    limbs, parts = np.full((2, down, over), -1, np.int8)
    slopes = np.zeros((2, down, over), np.float32)
    scan(shapes, marks, place, (lists, counts), (depth, passed), (limbs, parts), slopes)
    points = find_contours(shapes, place, (lists, counts), (depth, passed), (limbs, parts), slopes)
    field, normal, crease, shares = draw_fields(points, limbs >= 0, slopes, parts, size / FRAME_SIZE, len(PARTS))
    return Truth(
        left, top,
        np.clip(np.rint(field * FIELD_STEPS) + 128, 1, 255).astype(np.uint8),
        np.clip(np.rint(normal * NORMAL_STEPS) + 128, 1, 255).astype(np.uint8),
        np.clip(np.rint(crease * CREASE_STEPS), 0, CREASE_FAR * CREASE_STEPS).astype(np.uint8),
        np.rint(shares * 255).astype(np.uint8),
    )  # fmt: skip


def _find_box(shapes: NDArray[np.float32], centre: float, size: int) -> tuple[int, int, int, int]:
    """The box about shapes (K, SHAPE): left, top, width and height in pixels, whole cells inside the frame."""
    ends = np.stack([shapes[:, START : START + 2], shapes[:, START : START + 2] + shapes[:, REACH : REACH + 2]])
    bound = shapes[:, BOUND, None]
    low, high = (ends - bound).min(axis=(0, 1)), (ends + bound).max(axis=(0, 1))
    pixel = FRAME_METRES / size
    margin = MARGIN * size / FRAME_SIZE
    left = (low[0] - centre) / pixel + size / 2 - margin
    right = (high[0] - centre) / pixel + size / 2 + margin
    top = FLOOR * size - high[1] / pixel - margin
    bottom = FLOOR * size - low[1] / pixel + margin
    first = np.clip(np.floor(np.array([left, top]) / 2) * 2, 0, size - 2).astype(int)
    last = np.clip(np.ceil(np.array([right, bottom]) / 2) * 2, first + 2, size).astype(int)
    return int(first[0]), int(first[1]), int(last[0] - first[0]), int(last[1] - first[1])


def _flattened(truth: Truth, frame: NDArray[np.float32]) -> Truth:
    """The truth about a silhouette: the field is that of frames without an inside, the rest as it was."""
    height, width = truth.field.shape
    box = frame[truth.top : truth.top + height, truth.left : truth.left + width] * FRAME_SIZE
    field = np.clip(np.rint(box * FIELD_STEPS) + 128, 1, 255).astype(np.uint8)
    return Truth(truth.left, truth.top, field, truth.normal, truth.crease, truth.parts)
