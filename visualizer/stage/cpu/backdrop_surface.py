"""The backdrop as an 8-bit surface, whose colours the blit looks up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pygame

from visualizer.stage.backdrop import BackdropCache
from visualizer.stage.cpu.index_plane import IndexPlane
from visualizer.stage.resample import Array

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout
    from visualizer.stage.looks import Backdrop


class BackdropSurface:
    """Keeps the map of what is behind the dancers, and its colours."""

    def __init__(self, size: tuple[int, int], patient: bool) -> None:
        """`patient`: see BackdropCache."""
        self.size = size
        self._cache = BackdropCache(patient)
        self._plane = IndexPlane(size)
        self._palette = b""

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

    def release(self) -> None:
        """Let go of what runs aside."""
        self._cache.close()
