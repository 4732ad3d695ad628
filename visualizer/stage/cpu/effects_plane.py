"""The effects made large: from the cells of their canvas to a plane as large as the window, by two matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.cpu.rectangles import box_of, no_box
from visualizer.stage.effects import EffectsCanvas
from visualizer.stage.layout import find_layout
from visualizer.stage.resample import Array, cubic_b_spline, upsampling

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout

STRIP = 96  # pixels of width that are up-sampled at a time: the matrix has few columns that count for a narrow strip
FAINT = 0.2 / 255  # what is left out is seen in one pixel of five at most


class EffectsPlane:
    """Draws an effects canvas at full size. The canvas is another whenever its cells are of another size."""

    def __init__(self, size: tuple[int, int], rows: float) -> None:
        """`rows`: cells of the canvas that a frame is high."""
        width, height = size
        self.size = size
        self._strip = np.empty(height * STRIP, np.float32)
        # Half a level of fixed noise before cutting to 8 bits hides the steps of dark gradients.
        self._noise = np.random.default_rng(7).random((height, width), np.float32)
        self._half = np.empty(0, np.float32)
        self.set_rows(rows)

    def set_rows(self, rows: float) -> None:
        """Begin with an empty canvas of cells of that size."""
        self.canvas = EffectsCanvas(find_layout(self.size), rows)
        width, height = self.size
        rows, columns = self.canvas.rows, self.canvas.columns
        self._down = upsampling(height, rows, height / rows, 0.0, cubic_b_spline)
        self._across = upsampling(width, columns, width / columns, 0.0, cubic_b_spline).T.copy()
        if self._half.size < height * columns:
            self._half = np.empty(height * columns, np.float32)

    def look_from(self, place: Layout) -> None:
        """Show more of the stage, or less; what is on the canvas stays."""
        self.canvas.look_from(place)

    def draw(self, plane: NDArray[np.uint8] | Array) -> pygame.Rect:
        """Draw the canvas, 0..255, into `plane` where there is anything; the box that was drawn.

        A plane of bytes is dithered, one of float32 is not.
        """
        values = self.canvas.values
        box = box_of(values > FAINT, 2)
        if box is None:
            return no_box()
        r0, r1, c0, c1 = box
        width, height = self.size
        rows, columns = values.shape
        top, bottom = r0 * height // rows, -(-r1 * height // rows)
        left, right = c0 * width // columns, -(-c1 * width // columns)
        half = self._half[: (bottom - top) * columns].reshape(bottom - top, columns)
        np.matmul(self._down[top:bottom, r0:r1], values[r0:r1] * np.float32(254.99), out=half)
        cell = width / columns
        for x0 in range(left, right, STRIP):
            x1 = min(x0 + STRIP, right)
            i0, i1 = max(int(x0 / cell) - 2, 0), min(int(x1 / cell) + 4, columns)
            strip = self._strip[: (bottom - top) * (x1 - x0)].reshape(bottom - top, x1 - x0)
            np.matmul(half[:, i0:i1], self._across[i0:i1, x0:x1], out=strip)
            if plane.dtype == np.uint8:
                np.add(strip, self._noise[top:bottom, x0:x1], out=strip)
            np.copyto(plane[top:bottom, x0:x1], strip, casting="unsafe")
        return pygame.Rect(left, top, right - left, bottom - top)
