"""The backdrop as an 8-bit surface, whose colours the blit looks up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pygame

from visualizer.stage.backdrop import BackdropCache
from visualizer.stage.backdrop_map import make_index_map
from visualizer.stage.cpu.index_plane import IndexPlane
from visualizer.stage.looks import LEVELS
from visualizer.stage.resample import Array

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout
    from visualizer.stage.looks import Backdrop

COARSE = 8  # pixels, each way, that are counted as one for the mean colour


class BackdropSurface:
    """Keeps the map of what is behind the dancers, and its colours."""

    def __init__(self, size: tuple[int, int], patient: bool) -> None:
        """`patient`: see BackdropCache."""
        self.size = size
        self._cache = BackdropCache(patient)
        self._plane = IndexPlane(size)
        self._palette = b""
        self._counted: tuple[Backdrop, Layout, Array] | None = None  # share of each number of that map

    def forget_colours(self) -> None:
        """The next colours are others, whatever they are."""
        self._palette = b""

    def update(self, look: Backdrop, place: Layout, colours: Array) -> bool:
        """Bring map and colours (256, 3) up to date; whether anything is another than the last time."""
        if (made := self._cache.update(look, place)) is not None:
            step, numbers = made
            if step > 1:
                width, height = self.size
                numbers = numbers.repeat(step, axis=0)[:height].repeat(step, axis=1)[:, :width]
            self._plane.indices[:] = numbers
            self._palette = b""
        palette = (colours * 255 + 0.5).astype(np.uint8)
        if palette.tobytes() == self._palette:
            return False
        self._palette = palette.tobytes()
        self._plane.surface.set_palette(palette.tolist())
        return True

    def blit(self, target: pygame.Surface, rectangles: Iterable[pygame.Rect]) -> None:
        """Put these parts of it onto `target`."""
        self._plane.blit(target, rectangles)

    def find_mean_colour(self, look: Backdrop, place: Layout, palette: Array) -> Array:
        """(3,) what the backdrop is like on the whole."""
        counted = self._counted
        if counted is None or counted[0] is not look or counted[1] != place:
            numbers = make_index_map(look, place, COARSE)
            shares = (np.bincount(numbers.ravel(), minlength=LEVELS) / numbers.size).astype(np.float32)
            counted = self._counted = look, place, shares
        return counted[2] @ palette

    def release(self) -> None:
        """Let go of what runs aside."""
        self._cache.close()
