"""What is seen in a mask: the one dancer, and where; or why the picture cannot be used.

The mask is cleaned, the pieces that belong to the body are joined, and the result is the figure. Its box, the middle of
the hips, the top of the head and the mask are kept; the crop is chosen later, when the whole clip is known.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.mask_types import Mask

KEPT, NO_FIGURE, TWO, CUT_OFF, OTHER = range(5)
VERDICTS = ("kept", "no figure", "two figures", "cut off by the border", "somebody else")

LEAST_HEIGHT = 0.16  # of the picture's height: the hands of smaller figures cannot be seen
LARGEST_SHARE = 0.45  # of the picture: a mask that fills more of it is not of a figure
PIECE = 0.03  # of the figure's height: the side of the smallest piece that may belong to it, and of a hole in it
APART = 0.07  # of the figure's height: how far a piece may lie from it
SECOND_HEIGHT, SECOND_AREA = 0.45, 0.22  # of the first figure: a piece as large as this is another figure
CUT = 0.03  # of the figure's height: where more of its pixels lie on the border, a limb is cut off
FULL = 0.88  # of its box that a figure fills at most
HIPS = (0.4, 0.7)  # of the height above the ground, where the hips are
COARSE = 96  # lines of the figure in which its thickness is measured
BESIDE = 0.03  # of the height: half the width of the column in which the head is looked for


@dataclass(frozen=True)
class Figure:
    """A dancer in a picture. `box` left, top, width, height in pixels; `hips` and `head`: where the middle of the hips
    is sideways, and the top of the head; `mask` of the box, 0 or 255."""

    box: tuple[int, int, int, int]
    hips: float
    head: float
    mask: Mask

    def packed(self) -> bytes:
        return zlib.compress(np.packbits(self.mask > 0).tobytes(), 1)


def unpack(data: bytes, width: int, height: int) -> Mask:
    """Inverse of `Figure.packed`."""
    bits = np.unpackbits(np.frombuffer(zlib.decompress(data), np.uint8), count=width * height)
    return (bits * np.uint8(255)).reshape(height, width)


def find_figure(mask: Mask) -> tuple[int, Figure | None]:
    """The verdict on a mask, and the figure where there is one; also of one that is cut off, for the report."""
    height, width = mask.shape
    clean = cv2.medianBlur(mask, 3)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clean, connectivity=8)
    if count < 2:
        return NO_FIGURE, None
    main = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    left, top, wide, high, area = (int(v) for v in stats[main])
    if high < LEAST_HEIGHT * height or area > LARGEST_SHARE * width * height:
        return NO_FIGURE, None
    two = False
    chosen = [main]
    near = APART * high
    for k in range(1, count):
        x, y, w, h, size = (int(v) for v in stats[k])
        if k == main or size < (PIECE * high) ** 2:
            continue
        outside = max(x - (left + wide), left - (x + w), y - (top + high), top - (y + h), 0)
        if outside <= near and _touches(labels, k, main, (x, y, w, h), near):
            chosen.append(k)
        elif h > SECOND_HEIGHT * high and size > SECOND_AREA * area:
            two = True
    whole = np.isin(labels, chosen).astype(np.uint8) * np.uint8(255) if len(chosen) > 1 else (
        (labels == main).astype(np.uint8) * np.uint8(255)
    )  # fmt: skip
    left, top, wide, high = cv2.boundingRect(whole)
    part = _without_specks(np.ascontiguousarray(whole[top : top + high, left : left + wide]), high)
    figure = Figure((left, top, wide, high), *_landmarks(part, left, top), part)
    if two:
        return TWO, figure
    if float((part > 0).mean()) > FULL:
        return NO_FIGURE, None
    edges = (whole[0], whole[-1], whole[:, 0], whole[:, -1])
    if max(int((e > 0).sum()) for e in edges) > CUT * high:
        return CUT_OFF, figure
    return KEPT, figure


def _touches(labels: NDArray[Any], piece: int, main: int, box: tuple[int, int, int, int], near: float) -> bool:
    """Whether a piece lies within `near` pixels of the main part."""
    reach = int(near) + 1
    x, y, w, h = box
    window = labels[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    distance = cv2.distanceTransform((window != main).astype(np.uint8), cv2.DIST_L2, 3)
    return float(distance[window == piece].min()) <= near


def _without_specks(part: Mask, high: int) -> Mask:
    """Close small holes; those between arm and body are large and stay."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(255 - part, connectivity=4)
    for k in range(1, count):
        x, y, w, h, size = (int(v) for v in stats[k])
        inside = x > 0 and y > 0 and x + w < part.shape[1] and y + h < part.shape[0]
        if inside and size < (PIECE * high) ** 2:
            part[labels == k] = 255
    return part


def _landmarks(part: Mask, left: int, top: int) -> tuple[float, float]:
    """Middle of the hips sideways, top of the head, in pixels of the picture.

    The hips are where the body is thickest at their height: hands beside them weigh little. On captured dance that is
    1.6 cm beside the pelvis (root mean square, after smoothing), the middle of the mask 2.5 cm.
    """
    high, wide = part.shape
    shrink = max(1.0, high / COARSE)
    small = cv2.resize(part, (max(1, round(wide / shrink)), max(1, round(high / shrink))), interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(np.where(small > 127, np.uint8(1), np.uint8(0)), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    thick = cv2.distanceTransform(small, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float64)
    rows = len(thick)
    band = thick[round(rows * (1 - HIPS[1])) : max(round(rows * (1 - HIPS[0])), 1)]
    weight = ((band if band.any() else thick) ** 5).sum(axis=0)
    hips = wide * float((weight * (np.arange(len(weight)) + 0.5)).sum() / max(weight.sum(), 1e-9)) / len(weight)
    beside = max(1, round(BESIDE * high))
    column = (part[:, max(0, int(hips) - beside) : int(hips) + beside + 1] > 0).any(axis=1)
    head = int(column.argmax()) if column.any() else 0
    return left + hips, float(top + head)
