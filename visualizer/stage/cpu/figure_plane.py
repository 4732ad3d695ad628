"""The figures made large: each dancer's field becomes, by two matrix products, the index of a colour table.

Which matrix makes a row of the troupe large depends on the size of its frames; they are made when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.cpu.rectangles import Box, box_of, join_boxes, no_box
from visualizer.stage.grain import MOAT, STEEP, make_grain
from visualizer.stage.layout import Layout, Spot, find_drawing_order, find_spots
from visualizer.stage.looks import BAND, Look
from visualizer.stage.resample import Array, upsampling

if TYPE_CHECKING:
    from visualizer.moment import Bodies

PHASES = 8  # sideways places within a pixel that a dancer can stand at; fewer would be seen as jumps
MOST_MATRICES = 64

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class _Drawing:
    """How all figures of one picture are drawn."""

    look: Look
    reach: float  # frame widths that the colour table spans on each side of the outline
    among: bool  # whether there is more than one
    rows: bool  # whether some stand behind others
    rough: bool  # whether the look's grain is seen

    @property
    def far(self) -> np.float32:
        """The index of what lies outside of all boxes."""
        return np.float32((self.reach - BAND) * 255 / (2 * self.reach))


@dataclass(frozen=True)
class _Part:
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
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def rect(self) -> pygame.Rect:
        """In the window."""
        return pygame.Rect(self.left + self.x0, self.upper + self.y0, self.x1 - self.x0, self.y1 - self.y0)

    @property
    def within(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        return (
            slice(self.upper + self.y0, self.upper + self.y1),
            slice(self.left + self.x0, self.left + self.x1),
        )


class FigurePlane:
    """Draws the index of every dancer's distance into a plane of bytes: 0 is `reach` outside, 255 as far inside."""

    def __init__(self, size: tuple[int, int], place: Layout) -> None:
        width, height = size
        self.size = size
        self._whole = np.empty(width * height, np.float32)
        self._half = np.empty(height * FRAME_SIZE, np.float32)
        self._grain: Array | None = None
        self.look_from(place)

    def look_from(self, place: Layout) -> None:
        """Fit what depends on how large a dancer is."""
        self._stage = place
        self._down: dict[int, Array] = {}  # by the side of a row's frames
        self._across: dict[tuple[int, int], Array] = {}  # by side and phase

    def forget_grain(self) -> None:
        """The look is another."""
        self._grain = None

    def draw(self, plane: Bytes, bodies: Bodies, look: Look, reach: float, rough: bool) -> pygame.Rect:
        """Draw into `plane`, which is 0 there; the box that was drawn. `rough`: with the look's grain, if any."""
        boxes, among = no_box(), len(bodies.place) > 1
        rows = among and bodies.depth is not None and bool(np.ptp(bodies.depth))
        drawing = _Drawing(look, reach, among, rows, bool(look.figure.grain) and rough)
        if len(self._across) > MOST_MATRICES:  # rows that move back or forth are of ever other sizes
            self._across.clear()
            self._down.clear()
        spots = find_spots(bodies)
        for k in find_drawing_order(bodies):
            field = bodies.frames[k, 0]
            box = box_of(field < max(reach, MOAT if rows else 0, 1.5 / FRAME_SIZE), 2)
            if box is None or (part := self._find_part(box, spots[k])) is None:
                continue
            levels = (np.float32(reach) - field) * np.float32(255 / (2 * reach)) + np.float32(0.5)
            self._draw_one(plane[part.within], self._enlarge(levels, box, part, drawing), part, drawing)
            boxes = join_boxes(boxes, part.rect)
        return boxes

    def _find_part(self, box: Box, spot: Spot) -> _Part | None:
        """What is seen of the box of a frame; None if it lies outside of the window."""
        stage = self._stage
        side, edge, upper = stage.box(spot)
        scale = side / FRAME_SIZE
        r0, r1, c0, c1 = box
        left, phase = divmod(round(edge * PHASES), PHASES)
        y0, y1 = max(int(r0 * scale), -upper), min(int(r1 * scale) + 1, side, stage.height - upper)
        x0, x1 = max(int(c0 * scale), -left), min(int(c1 * scale) + 1, side + 1, stage.width - left)
        return _Part(side, left, upper, phase, y0, y1, x0, x1) if y0 < y1 and x0 < x1 else None

    def _matrices(self, side: int, phase: int) -> tuple[Array, Array]:
        scale = side / FRAME_SIZE
        if side not in self._down:
            self._down[side] = upsampling(side, FRAME_SIZE, scale, 0.0)
        if (side, phase) not in self._across:
            across = upsampling(side + 1, FRAME_SIZE, scale, phase / PHASES)
            self._across[side, phase] = across.T.copy()
        return self._down[side], self._across[side, phase]

    def _enlarge(self, levels: Array, box: Box, part: _Part, drawing: _Drawing) -> Array:
        """The levels of the box of a frame, made large. Good until the next call."""
        down, across = self._matrices(part.side, part.phase)
        r0, r1, c0, c1 = box
        high, wide = part.size
        half = self._half[: high * (c1 - c0)].reshape(high, c1 - c0)
        small = levels[r0:r1, c0:c1]
        if drawing.rows:
            small = small - drawing.far
        np.matmul(down[part.y0 : part.y1, r0:r1], small, out=half)
        whole = self._whole[: high * wide].reshape(high, wide)
        np.matmul(half, across[c0:c1, part.x0 : part.x1], out=whole)
        if drawing.rows:
            whole += drawing.far
        return whole

    def _draw_one(self, target: Bytes, whole: Array, part: _Part, drawing: _Drawing) -> None:
        """Draw one dancer's levels over those that are there."""
        moat = _find_moat(whole, drawing) if drawing.rows else None
        if drawing.rough:
            if self._grain is None:
                self._grain = make_grain(drawing.look.figure, self.size, self._stage.side)
            shift = drawing.look.figure.grain * 255 / (2 * drawing.reach)  # levels
            for each in (whole,) if moat is None else (whole, moat):
                np.clip(each, shift, 255 - shift, out=each)
                each += self._grain[part.within] * np.float32(shift)
        if moat is not None:
            np.minimum(target, np.clip(moat, 0, 255).astype(np.uint8), out=target)
        np.clip(whole, 0, 255, out=whole)
        if drawing.among:
            np.maximum(target, whole.astype(np.uint8), out=target)
        else:
            np.copyto(target, whole, casting="unsafe")


def _find_moat(whole: Array, drawing: _Drawing) -> Array:
    """Levels that dancers behind may have at most: they end a little before, or, black on black, they would be one."""
    reach = drawing.reach
    away = (np.float32(0.5) - whole) * np.float32(2 * reach / 255) + np.float32(reach)
    return (np.float32(reach) + (away - np.float32(MOAT)) * np.float32(STEEP)) * np.float32(255 / (2 * reach))
