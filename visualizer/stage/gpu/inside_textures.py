"""What a GPU draws the inside of dancers from: their numbers on the cells of a frame, and the tables of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.moment import PARTS
from visualizer.stage.inside import find_seam_slope, make_pattern, make_planes
from visualizer.stage.looks import BAND, Look
from visualizer.stage.looks.inside_tables import (
    find_span,
    find_turn,
    make_base,
    make_shade,
    make_strokes,
    needs_parts,
    share_levels,
    turn_strokes,
)
from visualizer.stage.looks.look import PATTERNS

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.stage.mood import Mood

EDGES, CREASES, FIRSTS, SECONDS = 256, 64, 128, 64  # levels of the tables
LAYERS = 3  # of cells for each dancer: numbers, and twice the shares of parts
WHOLE = 0, FRAME_SIZE, 0, FRAME_SIZE


class InsideTextures:
    """Textures of one show; made again only where their size is another."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self._textures: dict[str, moderngl.Texture | moderngl.TextureArray] = {}
        self._written: dict[str, object] = {}

    def upload(self, bodies: Bodies, order: list[int], look: Look, mood: Mood, side: int) -> dict[str, object]:
        """The uniforms for the dancers of `order`, on a stage whose frames are `side` pixels wide."""
        inside = look.inside
        assert inside is not None
        assert bodies.insides is not None
        pixel = 1 / side
        span = find_span(look, pixel)
        strokes = turn_strokes(make_strokes(look, pixel, EDGES, CREASES), find_turn(look, mood))
        cells = np.zeros((len(order) * LAYERS, FRAME_SIZE, FRAME_SIZE, 4), np.float32)
        shades = np.zeros((len(order) * (len(PARTS) + 1), SECONDS, FIRSTS, 3), np.float32)
        for k, who in enumerate(order):
            _fill_cells(cells[k * LAYERS : (k + 1) * LAYERS], bodies, who, look, mood)
            base = make_base(look, bodies.insides[who].colours, who, mood)
            shades[k * 8 : k * 8 + 8] = make_shade(look, base, FIRSTS, SECONDS).transpose(0, 2, 1, 3)
        second = inside.second
        has_pattern = second is not None and second.of in PATTERNS
        pattern = np.full((1, 1), 0.5, np.float32)
        if second is not None and second.of in PATTERNS:
            count = share_levels(look, pixel).second  # of the painter's pattern, for dots of the same size
            levels = (np.floor(make_pattern(second.of, second.scale, side) * (count - 0.01)) + 0.5) / count
            pattern = levels.astype(np.float32)
        turns = inside.first is not None and inside.first.of == "lines"
        return {
            "cells": self._array("cells", cells, "f4"),
            "shades": self._array("shades", shades, "f2", linear=True, turns=turns),
            "strokes": self._table("strokes", strokes.colour.transpose(1, 0, 2)),
            "kept": self._table("kept", strokes.keep.T[..., None]),
            "pattern": self._pattern(pattern, look, side),
            "span": (span.outer, span.inner, span.crease),
            "seams": inside.seams,
            "beam": inside.beam,
            "mirror": inside.mirror,
            "seam_slope": find_seam_slope(span.crease),
            "has_parts": needs_parts(inside),
            "has_pattern": has_pattern,
        }

    def _array(
        self, name: str, pixels: NDArray[np.float32], kind: str, linear: bool = False, turns: bool = False
    ) -> moderngl.TextureArray:
        layers, high, wide, parts = pixels.shape
        texture = self._textures.get(name)
        if not isinstance(texture, moderngl.TextureArray) or texture.size != (wide, high, layers):
            if texture is not None:
                texture.release()
            texture = self._gl.texture_array((wide, high, layers), parts, dtype=kind)
            self._textures[name] = texture
            self._written.pop(name, None)
        texture.filter = (moderngl.LINEAR, moderngl.LINEAR) if linear else (moderngl.NEAREST, moderngl.NEAREST)
        texture.repeat_x, texture.repeat_y = turns, False
        raw = pixels.astype(np.float16 if kind == "f2" else np.float32).tobytes()
        if self._written.get(name) != hash(raw) or name == "cells":
            texture.write(raw)
            self._written[name] = hash(raw)
        return texture

    def _table(self, name: str, pixels: NDArray[np.float32]) -> moderngl.Texture:
        return self._texture(name, pixels, (moderngl.LINEAR, moderngl.LINEAR))

    def _pattern(self, pattern: NDArray[np.float32], look: Look, side: int) -> moderngl.Texture:
        if self._written.get("pattern") != (look, side):
            self._written["pattern"] = look, side
            return self._texture("pattern", pattern[..., None], (moderngl.NEAREST, moderngl.NEAREST))
        texture = self._textures["pattern"]
        assert isinstance(texture, moderngl.Texture)
        return texture

    def _texture(self, name: str, pixels: NDArray[np.float32], kind: tuple[int, int]) -> moderngl.Texture:
        high, wide, parts = pixels.shape
        texture = self._textures.get(name)
        if not isinstance(texture, moderngl.Texture) or texture.size != (wide, high):
            if texture is not None:
                texture.release()
            texture = self._gl.texture((wide, high), parts, dtype="f4", alignment=1)
            texture.repeat_x = texture.repeat_y = False
            texture.filter = kind
            self._textures[name] = texture
        texture.write(np.ascontiguousarray(pixels, np.float32).tobytes())
        return texture

    def release(self) -> None:
        """Give the GPU its memory back."""
        for texture in self._textures.values():
            texture.release()
        self._textures.clear()
        self._written.clear()


def _fill_cells(cells: NDArray[np.float32], bodies: Bodies, who: int, look: Look, mood: Mood) -> None:
    """(3, 128, 128, 4) of one dancer: distance, crease, first and second number; the shares of the six other parts."""
    assert bodies.insides is not None
    assert look.inside is not None
    planes = make_planes(bodies.insides[who], WHOLE, look, mood)
    cells[0, ..., 0] = np.minimum(bodies.frames[who, 0], BAND)
    cells[0, ..., 1] = planes.crease
    pairs: list[tuple[Any, Any]] = [(planes.first, look.inside.first), (planes.second, look.inside.second)]
    for k, (plane, shading) in enumerate(pairs, start=2):
        if plane is None or shading is None:
            cells[0, ..., k] = 0.5
        else:
            cells[0, ..., k] = plane if shading.of == "lines" else np.clip(plane, 0, 1)
    cells[1] = np.moveaxis(planes.parts[:4], 0, -1)
    cells[2, ..., :2] = np.moveaxis(planes.parts[4:], 0, -1)
