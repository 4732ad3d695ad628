"""The figures made large: each dancer's field becomes, by two matrix products, the index of a colour table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.stage.cpu.frame_parts import FrameParts, make_wide
from visualizer.stage.cpu.rectangles import BAND_HEIGHT, Bands, box_of, find_columns, no_bands, part_of
from visualizer.stage.grain import MOAT, STEEP, make_grain
from visualizer.stage.layout import Spot, find_drawing_order, find_spots
from visualizer.stage.looks import BAND, Look
from visualizer.stage.resample import Array

if TYPE_CHECKING:
    from visualizer.moment import Bodies

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class _Drawing:
    """How all figures of one picture are drawn."""

    look: Look
    reach: float  # frame widths that the colour table spans on each side of the outline
    ends: tuple[int, int]  # the first and the last level that count
    among: bool  # whether there is more than one
    rows: bool  # whether some stand behind others
    rough: bool  # whether the look's grain is seen

    @property
    def far(self) -> np.float32:
        """The index of what lies outside of all boxes."""
        return np.float32((self.reach - BAND) * 255 / (2 * self.reach))


class FigurePlane:
    """Draws the index of every dancer's distance into a plane of bytes: 0 is `reach` outside, 255 as far inside."""

    def __init__(self, size: tuple[int, int], parts: FrameParts) -> None:
        width, _ = size
        self.size, self._parts = size, parts
        self._band = np.empty(width * BAND_HEIGHT, np.float32)
        self._wide = np.empty(width * FRAME_SIZE, np.float32)
        self._grain: Array | None = None

    def forget_grain(self) -> None:
        """The look is another."""
        self._grain = None

    def draw(self, plane: Bytes, bodies: Bodies, look: Look, reach: float, ends: tuple[int, int], rough: bool) -> Bands:
        """Draw into `plane`, which is 0 there; where that is. `ends`: the first and the last level that count, see
        `find_ends`; others are not drawn but for 0. `rough`: with the look's grain, if any.
        """
        drawn, among = no_bands(self.size[1]), len(bodies.place) > 1
        rows = among and bodies.depth is not None and bool(np.ptp(bodies.depth))
        drawing = _Drawing(look, reach, ends, among, rows, bool(look.figure.grain) and rough)
        spots = find_spots(bodies)
        for k in find_drawing_order(bodies):
            self._draw_one(plane, bodies.frames[k, 0], spots[k], drawing, drawn)
        return drawn

    def _draw_one(self, plane: Bytes, field: Array, spot: Spot, drawing: _Drawing, drawn: Bands) -> None:
        """Draw one dancer over those that are there, band by band, and add to `drawn` where."""
        near = field < max(drawing.reach, MOAT if drawing.rows else 0, 1.5 / FRAME_SIZE)
        box = box_of(near, 2)
        if box is None or (part := self._parts.find(box, spot)) is None:
            return
        down, across = self._parts.matrices(part.side, part.phase)
        r0, r1, c0, c1 = box
        reach, scale = drawing.reach, part.scale
        levels = (np.float32(reach) - field[r0:r1, c0:c1]) * np.float32(255 / (2 * reach)) + np.float32(0.5)
        if drawing.rows:
            levels -= drawing.far
        wide = make_wide(levels, (c0, c1), part, across, self._wide)
        for k in range((part.upper + part.y0) // BAND_HEIGHT, -(-(part.upper + part.y1) // BAND_HEIGHT)):
            y0, y1 = max(k * BAND_HEIGHT - part.upper, part.y0), min((k + 1) * BAND_HEIGHT - part.upper, part.y1)
            a, b = max(int(y0 / scale) - 2, r0), min(int(y1 / scale) + 4, r1)
            s0, s1 = find_columns(near[a:b])
            x0, x1 = max(int((s0 - 2) * scale) - 1, part.x0), min(int((s1 + 2) * scale) + 2, part.x1)
            if s0 == s1 or x0 >= x1:
                continue
            rect = pygame.Rect(part.left + x0, part.upper + y0, x1 - x0, y1 - y0)
            whole = self._band[: rect.w * rect.h].reshape(rect.h, rect.w)
            np.matmul(down[y0:y1, a:b], wide[a - r0 : b - r0, x0 - part.x0 : x1 - part.x0], out=whole)
            if drawing.rows:
                whole += drawing.far
            self._lay_over(plane[part_of(rect)], whole, rect, drawing)
            drawn[k].append(rect)

    def _lay_over(self, target: Bytes, whole: Array, rect: pygame.Rect, drawing: _Drawing) -> None:
        """Lay levels over those that are there."""
        moat = _find_moat(whole, drawing) if drawing.rows else None
        if drawing.rough:
            if self._grain is None:
                self._grain = make_grain(drawing.look.figure, self.size, self._parts.stage.side)
            shift = drawing.look.figure.grain * 255 / (2 * drawing.reach)  # levels
            for each in (whole,) if moat is None else (whole, moat):
                np.clip(each, shift, 255 - shift, out=each)
                each += self._grain[part_of(rect)] * np.float32(shift)
        if moat is not None:
            np.minimum(target, np.clip(moat, *drawing.ends).astype(np.uint8), out=target)
        np.clip(whole, *drawing.ends, out=whole)
        if drawing.among:
            np.maximum(target, whole.astype(np.uint8), out=target)
        else:
            np.copyto(target, whole, casting="unsafe")


def _find_moat(whole: Array, drawing: _Drawing) -> Array:
    """Levels that dancers behind may have at most: they end a little before, or, black on black, they would be one."""
    reach = drawing.reach
    away = (np.float32(0.5) - whole) * np.float32(2 * reach / 255) + np.float32(reach)
    return (np.float32(reach) + (away - np.float32(MOAT)) * np.float32(STEEP)) * np.float32(255 / (2 * reach))
