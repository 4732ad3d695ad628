"""Rectangles about what is painted, so that no more is worked out and copied than that.

What is drawn is kept by bands of the window, some rectangles in each: in a band they are no wider than what is in it,
and of the matrices that make a picture large only a few columns count for a few rows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pygame
from numpy.typing import NDArray

BAND_HEIGHT = 80  # pixels
NEAR = 32  # pixels: rectangles of a band that are no farther apart are one

Box = tuple[int, int, int, int]  # rows r0:r1, columns c0:c1
Bands = list[list[pygame.Rect]]  # for each band, from the top, what is drawn in it
Part = tuple[slice, slice]  # rows and columns


def box_of(mask: NDArray[np.bool_], margin: int) -> Box | None:
    """Rows r0:r1 and columns c0:c1 that hold all of `mask`, `margin` wider; None if it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    height, width = mask.shape
    return (
        max(int(rows[0]) - margin, 0),
        min(int(rows[-1]) + 1 + margin, height),
        max(int(columns[0]) - margin, 0),
        min(int(columns[-1]) + 1 + margin, width),
    )


def find_columns(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Columns c0:c1 that hold all of `mask`; c0 = c1 if it is empty."""
    some: NDArray[np.bool_] = np.asarray(mask.any(axis=0))
    first = int(some.argmax())
    return (first, some.size - int(some[::-1].argmax())) if some[first] else (0, 0)


def part_of(rect: pygame.Rect) -> Part:
    """The rows and columns of an array that the rectangle covers."""
    return slice(rect.top, rect.bottom), slice(rect.left, rect.right)


def join_boxes(a: pygame.Rect, b: pygame.Rect) -> pygame.Rect:
    """The smallest rectangle that holds both; one without width holds nothing."""
    if not a.w:
        return b.copy()
    return a.union(b) if b.w else a.copy()


def no_box() -> pygame.Rect:
    """A rectangle that holds nothing."""
    return pygame.Rect(0, 0, 0, 0)


def no_bands(height: int) -> Bands:
    """Nothing in any band of a window of that height."""
    return [[] for _ in range(-(-height // BAND_HEIGHT))]


def merge(rectangles: Iterable[pygame.Rect]) -> list[pygame.Rect]:
    """Rectangles of one band, from the left, none beside another, that hold all of these."""
    merged: list[pygame.Rect] = []
    for rect in sorted(rectangles, key=lambda rect: rect.left):
        if merged and rect.left <= merged[-1].right + NEAR:
            merged[-1] = merged[-1].union(rect)
        else:
            merged.append(rect)
    return merged


def join_bands(a: Bands, b: Bands) -> Bands:
    """What is drawn in either."""
    return [merge(one + other) for one, other in zip(a, b, strict=True)]


def flatten(bands: Bands) -> list[pygame.Rect]:
    """The rectangles of all bands."""
    return [rect for band in bands for rect in band]


def bound(bands: Bands) -> pygame.Rect:
    """The smallest rectangle that holds all."""
    some = flatten(bands)
    return some[0].unionall(some[1:]) if some else no_box()


def cut_into_bands(box: pygame.Rect, window: pygame.Rect) -> Bands:
    """What of the box, and of the window, lies in each band."""
    box = box.clip(window)
    bands = (box.clip(pygame.Rect(0, top, window.w, BAND_HEIGHT)) for top in range(0, window.h, BAND_HEIGHT))
    return [[part] if part.w and part.h else [] for part in bands]
