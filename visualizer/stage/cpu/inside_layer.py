"""Dancers with an inside, one over the other: for each pixel one index of 16 bits, looked up in one table of colours.

The numbers that a look wants (distances from the outline and from inner contours, light, parts of the body) are made
large by matrix products, cut to the few levels that each may have, and put side by side into the index.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.moment import PARTS
from visualizer.stage.cpu.floor_light import FloorLight
from visualizer.stage.cpu.frame_parts import FramePart, FrameParts, make_wide
from visualizer.stage.cpu.rectangles import (
    BAND_HEIGHT,
    Bands,
    Box,
    box_of,
    cut_into_bands,
    find_columns,
    no_bands,
    part_of,
)
from visualizer.stage.cpu.shade_tables import ShadeTables
from visualizer.stage.grain import make_grain
from visualizer.stage.inside import PLAIN, SHARE, Planes, find_seam_slope, make_pattern, make_planes
from visualizer.stage.layout import Spot, find_drawing_order, find_spots
from visualizer.stage.looks import Look
from visualizer.stage.looks.inside_tables import Levels, Span, find_span, share_levels
from visualizer.stage.looks.look import PATTERNS
from visualizer.stage.resample import Array

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.stage.mood import Mood

FACE = PARTS.index("face")
MANY_TURNS = 8  # lines are counted from so far above the frame, for no count to be negative
Words = NDArray[np.uint32]


@dataclass(frozen=True)
class _Drawing:
    """How all dancers of one picture are drawn."""

    look: Look
    mood: Mood
    levels: Levels
    span: Span
    rough: bool


@dataclass(frozen=True)
class _Cells:
    """What of one dancer is made large: cells of a box of the frame, in levels, and the box of each part."""

    edge: Array
    crease: Array | None
    first: Array | None
    second: Array | None
    parts: list[tuple[int, Box, Array]]  # number, box of the frame, share


class InsideLayer:
    """Draws dancers onto a surface. Buffers are made once."""

    def __init__(self, size: tuple[int, int], parts: FrameParts, pixels: NDArray[np.uint32]) -> None:
        """`pixels` (height, width): 0xAARRGGBB, premultiplied, in which each dancer is made."""
        width, _ = size
        self.size, self._parts, self._pixels = size, parts, pixels
        form = "BGRA" if sys.byteorder == "little" else "ARGB"
        self._layer = pygame.image.frombuffer(pixels.data, size, form)
        self._floor = FloorLight(size)
        self._tables = ShadeTables()
        # Half a level of fixed noise before cutting to few levels hides the steps of what is smooth.
        self._noise = np.random.default_rng(8).random((BAND_HEIGHT, width), np.float32)
        self._wide = {name: np.empty(width * FRAME_SIZE, np.float32) for name in ("edge", "crease", "first", "second")}
        count = width * BAND_HEIGHT
        self._band, self._top = np.empty(count, np.float32), np.empty(count, np.float32)
        self._index, self._more, self._part = (np.empty(count, np.uint32) for _ in range(3))
        self._found = np.empty(count, np.uint32)
        self._above = np.empty(count, np.bool_)
        self._grain: Array | None = None
        self._pattern: tuple[object, Words] | None = None

    def forget(self) -> None:
        """The look is another."""
        self._grain = self._pattern = None
        self._tables.forget()

    def draw(self, target: pygame.Surface, bodies: Bodies, look: Look, mood: Mood, rough: bool) -> Bands:
        """Draw all dancers onto `target`, the farthest first, and say where. `rough`: with the look's grain, if any."""
        assert bodies.insides is not None
        pixel = 1 / self._parts.stage.side
        drawing = _Drawing(
            look, mood, share_levels(look, pixel), find_span(look, pixel), bool(look.figure.grain) and rough
        )
        drawn, spots = no_bands(self.size[1]), find_spots(bodies)
        assert look.inside is not None
        around = []
        for k in find_drawing_order(bodies):
            table = self._tables.find(k, look, bodies.insides[k].colours, mood, pixel)
            filled = self._draw_one(bodies, k, spots[k], drawing, table)
            if look.inside.beam:
                around.append(self._floor.draw_beam(target, self._parts.stage, spots[k], look, k))
            if look.inside.mirror:
                around.append(self._draw_mirrored(target, spots[k], [rect for _, rect in filled], look.inside.mirror))
            for band, rect in filled:
                target.blit(self._layer, rect.topleft, rect, special_flags=pygame.BLEND_PREMULTIPLIED)
                drawn[band].append(rect)
        window = pygame.Rect(0, 0, *self.size)
        for box in around:
            if box is not None and box.w and box.h:
                drawn = [a + b for a, b in zip(drawn, cut_into_bands(box, window), strict=True)]
        return drawn

    def _draw_mirrored(
        self, target: pygame.Surface, spot: Spot, filled: list[pygame.Rect], share: float
    ) -> pygame.Rect | None:
        side, _, upper = self._parts.stage.box(spot)
        return self._floor.draw_mirrored(target, self._pixels, filled, upper + round(FLOOR * side), side, share)

    def _draw_one(
        self, bodies: Bodies, number: int, spot: Spot, drawing: _Drawing, table: NDArray[np.uint32]
    ) -> list[tuple[int, pygame.Rect]]:
        """Fill the pixels with one dancer, band by band; the bands and where in them."""
        assert bodies.insides is not None
        field, filled = bodies.frames[number, 0], []
        near = field < max(drawing.span.outer, 1.5 / FRAME_SIZE)
        box = box_of(near, 2)
        if box is None or (part := self._parts.find(box, spot)) is None:
            return filled
        down, across = self._parts.matrices(part.side, part.phase)
        r0, r1, c0, c1 = box
        planes = make_planes(bodies.insides[number], box, drawing.look, drawing.mood)
        cells = _find_cells(field[r0:r1, c0:c1], planes, near[r0:r1, c0:c1], box, drawing)
        wide = {
            name: make_wide(plane, (c0, c1), part, across, self._wide[name])
            for name in ("edge", "crease", "first", "second")
            if (plane := getattr(cells, name)) is not None
        }
        for k in range((part.upper + part.y0) // BAND_HEIGHT, -(-(part.upper + part.y1) // BAND_HEIGHT)):
            y0, y1 = max(k * BAND_HEIGHT - part.upper, part.y0), min((k + 1) * BAND_HEIGHT - part.upper, part.y1)
            a, b = max(int(y0 / part.scale) - 2, r0), min(int(y1 / part.scale) + 4, r1)
            s0, s1 = find_columns(near[a:b])
            x0, x1 = max(int((s0 - 2) * part.scale) - 1, part.x0), min(int((s1 + 2) * part.scale) + 2, part.x1)
            if s0 == s1 or x0 >= x1:
                continue
            piece = _Piece(part, y0, y1, x0, x1)
            large = _Enlarger(self._band, down[y0:y1, a:b], {
                name: each[a - r0 : b - r0, x0 - part.x0 : x1 - part.x0] for name, each in wide.items()
            })  # fmt: skip
            index = self._make_index(large, piece, cells, down, across, drawing)
            found = self._found[: index.size].reshape(index.shape)
            np.take(table, index, out=found, mode="wrap")  # no index is too large; "wrap" is the quickest
            self._pixels[part_of(piece.rect)] = found
            filled.append((k, piece.rect))
        return filled

    def _make_index(
        self, large: _Enlarger, piece: _Piece, cells: _Cells, down: Array, across: Array, drawing: _Drawing
    ) -> Words:
        """The index of each pixel of a piece; see ShadeTables for how it is put together."""
        levels, shown = drawing.levels, drawing.look.inside
        assert shown is not None
        count = piece.rect.w * piece.rect.h
        shape = piece.rect.h, piece.rect.w
        index, more = self._index[:count].reshape(shape), self._more[:count].reshape(shape)
        edge = large.make("edge", shape)
        if drawing.rough:
            edge += self._find_grain(drawing.look)[part_of(piece.rect)] * np.float32(
                drawing.look.figure.grain * (levels.edge - 1) / (drawing.span.outer - drawing.span.inner)
            )
        np.clip(edge, 0, levels.edge - 0.01, out=edge)
        np.copyto(index, edge, casting="unsafe")
        shift = levels.edge
        top = None
        if levels.part > 1:
            top = self._find_parts(piece, cells, down, across)
        if levels.crease > 1:
            crease = large.make("crease", shape)
            if shown.seams and top is not None:
                _add_seams(crease, top, shown.seams, drawing)
            np.clip(crease, 0, levels.crease - 0.01, out=crease)
            _put(index, more, crease, shift)
            shift *= levels.crease
        for name, shading, count in (
            ("second", shown.second, levels.second), ("first", shown.first, levels.first)
        ):  # fmt: skip
            if shading is None or count == 1:
                continue
            if shading.of in PATTERNS:
                pattern = self._find_pattern(drawing, count, shift)
                np.bitwise_or(index, pattern[piece.y0 : piece.y1, piece.x0 : piece.x1], out=index)
            else:
                number = large.make(name, shape)
                if name in levels.smooth:
                    row = piece.rect.top % BAND_HEIGHT
                    number += self._noise[row : row + piece.rect.h, piece.rect.left : piece.rect.right]
                if shading.of != "lines":
                    np.clip(number, 0, count - 0.01, out=number)
                    _put(index, more, number, shift)
                else:
                    np.copyto(more, number, casting="unsafe")
                    np.bitwise_and(more, count - 1, out=more)
                    np.multiply(more, shift, out=more)
                    np.bitwise_or(index, more, out=index)
            shift *= count
        if top is not None:
            part = self._part[: index.size].reshape(shape)
            np.multiply(part, shift, out=part)
            np.bitwise_or(index, part, out=index)
        return index

    def _find_parts(self, piece: _Piece, cells: _Cells, down: Array, across: Array) -> Array:
        """Put the number of the part that each pixel of a piece shows into `_part`; the share of the part in front,
        where features of the face, which have no seam about them, do not count."""
        h, w = piece.rect.h, piece.rect.w
        top, shown = self._top[: h * w].reshape(h, w), self._part[: h * w].reshape(h, w)
        above = self._above[: h * w]
        top.fill(0)
        shown.fill(PLAIN)
        for number, box, share in cells.parts:
            if number == FACE:
                continue
            if (made := self._enlarge_share(piece, box, share, down, across)) is not None:
                where, large = made
                more = above[: large.size].reshape(large.shape)
                np.greater(large, top[where], out=more)
                np.maximum(top[where], large, out=top[where])
                np.copyto(shown[where], np.uint32(number), where=more)
        less = above.reshape(h, w)
        np.less(top, np.float32(SHARE), out=less)
        np.copyto(shown, np.uint32(PLAIN), where=less)
        for number, box, share in cells.parts:
            if number == FACE and (made := self._enlarge_share(piece, box, share, down, across)) is not None:
                where, large = made
                np.copyto(shown[where], np.uint32(number), where=large > np.float32(SHARE))
        return top

    def _enlarge_share(
        self, piece: _Piece, box: Box, share: Array, down: Array, across: Array
    ) -> tuple[tuple[slice, slice], Array] | None:
        """Which rows and columns of a piece a part is in, and its share there; None where it is in none."""
        r0, r1, c0, c1 = box
        scale = piece.part.scale
        y0, y1 = max(int((r0 - 1) * scale), piece.y0), min(int((r1 + 1) * scale) + 1, piece.y1)
        x0, x1 = max(int((c0 - 1) * scale), piece.x0), min(int((c1 + 1) * scale) + 1, piece.x1)
        if y0 >= y1 or x0 >= x1:
            return None
        a, b = max(int(y0 / scale) - 2, r0), min(int(y1 / scale) + 4, r1)
        i, j = max(int(x0 / scale) - 3, c0), min(int(x1 / scale) + 4, c1)
        if a >= b or i >= j:
            return None
        made = self._band[: (y1 - y0) * (x1 - x0)].reshape(y1 - y0, x1 - x0)
        np.matmul(down[y0:y1, a:b] @ share[a - r0 : b - r0, i - c0 : j - c0], across[i:j, x0:x1], out=made)
        return (slice(y0 - piece.y0, y1 - piece.y0), slice(x0 - piece.x0, x1 - piece.x0)), made

    def _find_grain(self, look: Look) -> Array:
        if self._grain is None:
            self._grain = make_grain(look.figure, self.size, self._parts.stage.side)
        return self._grain

    def _find_pattern(self, drawing: _Drawing, count: int, shift: int) -> Words:
        """The look's pattern in `count` levels, where it stands in the index."""
        assert drawing.look.inside is not None
        second = drawing.look.inside.second
        assert second is not None
        key = second.of, second.scale, self._parts.stage.side, count, shift
        if self._pattern is None or self._pattern[0] != key:
            levels = np.minimum(
                make_pattern(second.of, second.scale, self._parts.stage.side) * (count - 0.01), count - 1
            )
            self._pattern = key, levels.astype(np.uint32) * np.uint32(shift)
        return self._pattern[1]


@dataclass(frozen=True)
class _Piece:
    """Rows and columns of a dancer's frame, in pixels, that lie in one band of the window."""

    part: FramePart
    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def rect(self) -> pygame.Rect:
        """In the window."""
        part = self.part
        return pygame.Rect(part.left + self.x0, part.upper + self.y0, self.x1 - self.x0, self.y1 - self.y0)


@dataclass(frozen=True)
class _Enlarger:
    """Makes planes, which are as wide as the piece already, as high as it, one after the other into one buffer."""

    band: Array
    down: Array
    wide: dict[str, Array]

    def make(self, name: str, shape: tuple[int, int]) -> Array:
        out = self.band[: shape[0] * shape[1]].reshape(shape)
        np.matmul(self.down, self.wide[name], out=out)
        return out


def _put(index: Words, more: Words, number: Array, shift: int) -> None:
    """Put whole numbers into the index, `shift` (a power of two) above what is there."""
    np.copyto(more, number, casting="unsafe")
    np.multiply(more, shift, out=more)
    np.bitwise_or(index, more, out=index)


def _add_seams(crease: Array, top: Array, seams: float, drawing: _Drawing) -> None:
    """The borders of parts are contours too, fainter ones the less `seams` is. `top` is changed."""
    most = drawing.levels.crease - 1
    np.subtract(top, np.float32(SHARE), out=top)
    np.abs(top, out=top)
    top *= np.float32(find_seam_slope(drawing.span.crease) / drawing.span.crease * most)
    top += np.float32((1 - seams) * most + 0.5)
    np.minimum(crease, top, out=crease)


def _find_cells(field: Array, planes: Planes, near: NDArray[np.bool_], box: Box, drawing: _Drawing) -> _Cells:
    """The planes of one dancer in levels of the index, half a level higher, for they are cut and not rounded."""
    levels, span, shown = drawing.levels, drawing.span, drawing.look.inside
    assert shown is not None
    half = np.float32(0.5)
    edge = (np.float32(span.outer) - field) * np.float32((levels.edge - 1) / (span.outer - span.inner)) + half
    crease = None
    if levels.crease > 1:
        crease = planes.crease * np.float32((levels.crease - 1) / span.crease) + half
    numbers = []
    for name, plane, shading, count in (
        ("first", planes.first, shown.first, levels.first), ("second", planes.second, shown.second, levels.second)
    ):  # fmt: skip
        if plane is None or shading is None or count == 1:
            numbers.append(None)
        elif shading.of == "lines":
            numbers.append((plane + np.float32(MANY_TURNS)) * np.float32(count))
        else:
            half_less = np.float32(0.5 if name in levels.smooth else 0.0)
            numbers.append(np.clip(plane, 0, 1) * np.float32(count) - half_less)
    parts = []
    if levels.part > 1:
        for k, share in enumerate(planes.parts, start=1):
            there = (share > 0.05) & near
            if (found := box_of(there, 2)) is not None:
                r0, r1, c0, c1 = found
                where = box[0] + r0, box[0] + r1, box[2] + c0, box[2] + c1
                parts.append((k, where, np.ascontiguousarray(share[r0:r1, c0:c1])))
    return _Cells(edge, crease, numbers[0], numbers[1], parts)
