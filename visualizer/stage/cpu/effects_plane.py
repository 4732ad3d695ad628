"""The effects made large: from the cells of their canvas to a plane as large as the window, by two matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.cpu.rectangles import BAND_HEIGHT, Bands, box_of, find_columns, no_bands
from visualizer.stage.effects import EffectsCanvas
from visualizer.stage.layout import find_layout
from visualizer.stage.looks import LEVELS
from visualizer.stage.resample import Array, cubic_b_spline, upsampling

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout

STRIP = 160  # pixels of width that are up-sampled at a time: few columns of the matrix count for a narrow strip
FAINT = 0.2 / 255  # what is left out is seen in one pixel of five at most
DARK = 1e-9  # so little is not seen, whatever noise is added


class EffectsPlane:
    """Draws an effects canvas at full size. The canvas is another whenever its cells are of another size."""

    def __init__(self, size: tuple[int, int], rows: float) -> None:
        """`rows`: cells of the canvas that a frame is high."""
        width, height = size
        self.size = size
        self.most = 0  # the highest level that was drawn last, or some more
        self._band = np.empty(width * BAND_HEIGHT, np.float32)
        # Half a level of fixed noise before cutting to 8 bits hides the steps of dark gradients.
        self._noise = np.random.default_rng(7).random((height, width), np.float32)
        self._wide = np.empty(0, np.float32)
        self.set_rows(rows)

    def set_rows(self, rows: float) -> None:
        """Begin with an empty canvas of cells of that size."""
        self.canvas = EffectsCanvas(find_layout(self.size), rows)
        width, height = self.size
        rows, columns = self.canvas.rows, self.canvas.columns
        self._down = upsampling(height, rows, height / rows, 0.0, cubic_b_spline)
        self._across = upsampling(width, columns, width / columns, 0.0, cubic_b_spline).T.copy()
        if self._wide.size < rows * width:
            self._wide = np.empty(rows * width, np.float32)

    def look_from(self, place: Layout) -> None:
        """Show more of the stage, or less; what is on the canvas stays."""
        self.canvas.look_from(place)

    def draw(self, plane: NDArray[np.uint8] | Array) -> Bands:
        """Draw the canvas, 0..255, into `plane` where there is anything, and nowhere else; where that is.

        A plane of bytes is dithered, one of float32 is not.
        """
        values = self.canvas.values
        width, height = self.size
        rows, columns = values.shape
        drawn = no_bands(height)
        self.most = 0
        box = box_of(values > FAINT, 2)
        if box is None:
            return drawn
        # A spline is nowhere larger than its cells; one more for the noise, one for rounding.
        self.most = min(int(values.max() * np.float32(254.99)) + 2, LEVELS - 1)
        r0, r1, c0, c1 = box
        top, bottom = r0 * height // rows, -(-r1 * height // rows)
        left, right = c0 * width // columns, -(-c1 * width // columns)
        wide = self._make_wide(values[r0:r1] * np.float32(254.99), left, right)
        lit = values > DARK
        for k in range(top // BAND_HEIGHT, -(-bottom // BAND_HEIGHT)):
            y0, y1 = max(k * BAND_HEIGHT, top), min((k + 1) * BAND_HEIGHT, bottom)
            a, b = max(y0 * rows // height - 2, r0), min(y1 * rows // height + 4, r1)
            s0, s1 = find_columns(lit[a:b])
            x0 = max((s0 - 2) * width // columns, left)
            x1 = min(-(-(s1 + 2) * width // columns), right)
            if s0 == s1 or x0 >= x1:
                continue
            band = self._band[: (y1 - y0) * (x1 - x0)].reshape(y1 - y0, x1 - x0)
            np.matmul(self._down[y0:y1, a:b], wide[a - r0 : b - r0, x0 - left : x1 - left], out=band)
            if plane.dtype == np.uint8:
                np.add(band, self._noise[y0:y1, x0:x1], out=band)
            np.copyto(plane[y0:y1, x0:x1], band, casting="unsafe")
            drawn[k].append(pygame.Rect(x0, y0, x1 - x0, y1 - y0))
        return drawn

    def _make_wide(self, levels: Array, left: int, right: int) -> Array:
        """Rows of cells as wide as the window, from the pixel `left` to `right`."""
        columns, cell = self.canvas.columns, self.size[0] / self.canvas.columns
        wide = self._wide[: len(levels) * (right - left)].reshape(len(levels), right - left)
        for x0 in range(left, right, STRIP):
            x1 = min(x0 + STRIP, right)
            i0, i1 = max(int(x0 / cell) - 2, 0), min(int(x1 / cell) + 4, columns)
            np.matmul(levels[:, i0:i1], self._across[i0:i1, x0:x1], out=wide[:, x0 - left : x1 - left])
        return wide
