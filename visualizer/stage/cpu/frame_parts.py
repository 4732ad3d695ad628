"""Which pixels show a box of a dancer's frame, and the matrices that make it as large as they are many.

Which matrix makes a row of the troupe large depends on the size of its frames; they are made when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pygame

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.cpu.rectangles import Box
from visualizer.stage.layout import PHASES, Layout, Spot, find_pixel
from visualizer.stage.resample import Array, upsampling

MOST_MATRICES = 64
STRIP = 100  # pixels of width that are up-sampled at a time: few columns of the matrix count for a narrow strip


@dataclass(frozen=True)
class FramePart:
    """Which pixels of one dancer's frame are drawn."""

    side: int  # pixels of the frame
    left: int  # of the frame in the window
    upper: int
    phase: int  # eighths of a pixel that it stands farther right
    y0: int  # rows and columns of the frame, in pixels
    y1: int
    x0: int
    x1: int

    @property
    def rect(self) -> pygame.Rect:
        """In the window."""
        return pygame.Rect(self.left + self.x0, self.upper + self.y0, self.x1 - self.x0, self.y1 - self.y0)

    @property
    def scale(self) -> float:
        """Pixels that a cell of the frame is wide."""
        return self.side / FRAME_SIZE


class FrameParts:
    """Finds the part of a frame that is seen, and makes its cells large."""

    def __init__(self, place: Layout) -> None:
        self.look_from(place)

    def look_from(self, place: Layout) -> None:
        """Fit what depends on how large a dancer is."""
        self.stage = place
        self._down: dict[int, Array] = {}  # by the side of a row's frames
        self._across: dict[tuple[int, int], Array] = {}  # by side and phase

    def forget_many(self) -> None:
        """Rows that move back or forth are of ever other sizes; to be called between pictures."""
        if len(self._across) > MOST_MATRICES:
            self._across.clear()
            self._down.clear()

    def find(self, box: Box, spot: Spot) -> FramePart | None:
        """What is seen of the box of a frame; None if it lies outside of the window."""
        stage = self.stage
        side, edge, upper = stage.box(spot)
        scale = side / FRAME_SIZE
        r0, r1, c0, c1 = box
        left, phase = find_pixel(edge)
        y0, y1 = max(int(r0 * scale), -upper), min(int(r1 * scale) + 1, side, stage.height - upper)
        x0, x1 = max(int(c0 * scale), -left), min(int(c1 * scale) + 1, side + 1, stage.width - left)
        return FramePart(side, left, upper, phase, y0, y1, x0, x1) if y0 < y1 and x0 < x1 else None

    def matrices(self, side: int, phase: int) -> tuple[Array, Array]:
        """(side, 128) that makes a frame high, and (128, side + 1) that makes it wide."""
        scale = side / FRAME_SIZE
        if side not in self._down:
            self._down[side] = upsampling(side, FRAME_SIZE, scale, 0.0)
        if (side, phase) not in self._across:
            across = upsampling(side + 1, FRAME_SIZE, scale, phase / PHASES)
            self._across[side, phase] = across.T.copy()
        return self._down[side], self._across[side, phase]


def make_wide(cells: Array, columns: tuple[int, int], part: FramePart, across: Array, out: Array) -> Array:
    """Rows of cells, those in `columns` c0:c1 of the frame, as wide as the pixels of `part`; a piece of `out`."""
    c0, c1 = columns
    wide = out[: len(cells) * (part.x1 - part.x0)].reshape(len(cells), part.x1 - part.x0)
    for x0 in range(part.x0, part.x1, STRIP):
        x1 = min(x0 + STRIP, part.x1)
        a, b = max(int(x0 / part.scale) - 3, c0), min(int(x1 / part.scale) + 4, c1)
        np.matmul(cells[:, a - c0 : b - c0], across[a:b, x0:x1], out=wide[:, x0 - part.x0 : x1 - part.x0])
    return wide
