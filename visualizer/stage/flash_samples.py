"""What the flash guard sees of a picture: light at samples, as luminance and redness of points and means of blocks."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

BLOCKS = (18, 32)  # rows and columns whose means are taken
WITHIN = 6  # samples of a block, each way
ROWS, COLUMNS = BLOCKS[0] * WITHIN, BLOCKS[1] * WITHIN  # of samples
RED_SHARE = 0.80  # of R in R + G + B, from which a red is saturated

Floats = NDArray[np.float32]
Colours = NDArray[np.uint32]  # 0x00RRGGBB
Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # rows r0:r1 and columns c0:c1 of blocks

_steps = np.arange(256) / 255
# What an sRGB byte is in light (IEC 61966-2-1).
LINEAR = np.where(_steps <= 0.04045, _steps / 12.92, ((_steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
RED, GREEN, BLUE = (2, 1, 0) if sys.byteorder == "little" else (1, 2, 3)  # where 0x00RRGGBB has its bytes
LUMINANCE = np.zeros(4, np.float32)  # of these bytes
LUMINANCE[[RED, GREEN, BLUE]] = 0.2126, 0.7152, 0.0722

# The values of a picture are one array, for few calls on many numbers are quicker than many on few: the luminance of
# points, which are every other row and column of samples, then the means of blocks; then the redness of both.
POINTS, MEANS = ROWS * COLUMNS // 4, BLOCKS[0] * BLOCKS[1]
KIND = POINTS + MEANS
_MEAN = np.tile(np.eye(4, dtype=np.float32), (WITHIN, 1)) / np.float32(WITHIN**2)


def pack_colours(colours: NDArray[np.uint8]) -> Colours:
    """(…) of red, green, blue (…, 3)."""
    red, green, blue = (colours[..., k].astype(np.uint32) for k in range(3))
    return (red << 16 | green << 8 | blue).astype(np.uint32, copy=False)


def find_blocks(differs: Mask) -> Box | None:
    """Blocks that hold all samples (ROWS, COLUMNS) that differ; None if none does."""
    if np.count_nonzero(differs) > differs.size // 2:
        return 0, BLOCKS[0], 0, BLOCKS[1]
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(differs.any(axis=0))
    (top, bottom), (left, right) = ((int(each[0]) // WITHIN, int(each[-1]) // WITHIN + 1) for each in (rows, columns))
    return top, bottom, left, right


def measure(colours: Colours, box: Box, values: Floats, saturated: Mask) -> bool:
    """Fill in `values` and `saturated` of the points and blocks in the box; whether any of these points is reddish."""
    r0, r1, c0, c1 = box
    high, wide = r1 - r0, c1 - c0
    part = np.ascontiguousarray(colours[r0 * WITHIN : r1 * WITHIN, c0 * WITHIN : c1 * WITHIN])
    # No byte is too large; "wrap" is the quickest.
    light = LINEAR.take(part.view(np.uint8), mode="wrap").reshape(high * WITHIN, wide * WITHIN, 4)
    blocks = light.reshape(high, WITHIN, -1).sum(axis=1).reshape(-1, WITHIN * 4) @ _MEAN
    red, green, blue = (light[::2, ::2, k].copy() for k in (RED, GREEN, BLUE))
    luminance = red * LUMINANCE[RED]
    luminance += green * LUMINANCE[GREEN]
    luminance += blue * LUMINANCE[BLUE]
    # R - G - B is above 0 only where R is the brightest.
    is_red = bool((red > np.maximum(green, blue)).any())

    def put(whole: NDArray, points: NDArray, blocks: NDArray) -> None:
        half = WITHIN // 2
        of_points = whole[:POINTS].reshape(ROWS // 2, COLUMNS // 2)
        of_points[r0 * half : r1 * half, c0 * half : c1 * half] = points
        whole[POINTS:].reshape(BLOCKS)[r0:r1, c0:c1] = blocks.reshape(high, wide)

    put(values[:KIND], luminance, blocks @ LUMINANCE)
    points_red, points_saturated = _redness(red, green, blue)
    blocks_red, blocks_saturated = _redness(blocks[:, RED], blocks[:, GREEN], blocks[:, BLUE])
    put(values[KIND:], points_red, blocks_red)
    put(saturated, points_saturated, blocks_saturated)
    return is_red


def _redness(red: Floats, green: Floats, blue: Floats) -> tuple[Floats, Mask]:
    """R - G - B, not below 0, of light, and where it is a saturated red."""
    total = red + green
    total += blue
    return np.maximum(2 * red - total, 0), (red >= np.float32(RED_SHARE) * total) & (red > 0)
