"""Pictures as arrays, for programs that have no window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.cpu.painter import Painter
from visualizer.stage.guarded import GuardedFrames
from visualizer.stage.overlay import Overlay
from visualizer.stage.shots import pixels_of

if TYPE_CHECKING:
    from visualizer.moment import Moment


class ArrayRenderer:
    """Paints moments into memory, behind the flash guard, whose clock is `hearing.time` of each moment."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: width and height of the pictures, pixels."""
        self._start(size)

    def _start(self, size: tuple[int, int]) -> None:
        self.size = size
        self._painter, self._overlay, self._guarded = Painter(size), Overlay(size), GuardedFrames(size)
        self._picture = pygame.Surface(size, 0, 32)
        self._pixels = pixels_of(self._picture)

    def draw(self, moment: Moment) -> None:
        """Paint one picture and lay its text over it."""
        self._picture.blit(self._painter.paint(moment), (0, 0))  # which the painter uses again: no text may stay there
        writing, _ = self._overlay.render(moment.text)
        if writing is not None:
            self._picture.blit(writing, (0, 0))
        self._pixels = pixels_of(self._picture)
        self._guarded.show(self._pixels, moment.hearing.time)

    def read(self) -> NDArray[np.uint8]:
        """A copy (height, width, 3), red, green, blue, of the last picture; black before the first."""
        return self._pixels[:, :, 2::-1].copy()

    def resize(self, size: tuple[int, int]) -> None:
        """Paint pictures of that size from now on."""
        self._painter.release()
        self._start(size)

    def release(self) -> None:
        """Let go of what runs aside."""
        self._painter.release()
