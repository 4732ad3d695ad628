"""Rectangles about what is painted, so that no more is worked out and copied than that."""

from __future__ import annotations

import numpy as np
import pygame
from numpy.typing import NDArray

Box = tuple[int, int, int, int]  # rows r0:r1, columns c0:c1


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


def join_boxes(a: pygame.Rect, b: pygame.Rect) -> pygame.Rect:
    """The smallest rectangle that holds both; one without width holds nothing."""
    if not a.w:
        return b.copy()
    return a.union(b) if b.w else a.copy()


def no_box() -> pygame.Rect:
    """A rectangle that holds nothing."""
    return pygame.Rect(0, 0, 0, 0)
