"""A plane of bytes as large as the window, which numpy fills and whose colours a blit looks up."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pygame

from visualizer.stage.cpu.rectangles import Bands, flatten, no_bands, part_of


class IndexPlane:
    """`indices` (height, width) are the pixels of the 8-bit `surface`; they are 0 but where was `drawn`."""

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        self.indices = np.zeros((height, width), np.uint8)
        self.surface = pygame.image.frombuffer(self.indices.data, size, "P")
        self.drawn: Bands = no_bands(height)

    def clear(self) -> None:
        """All of it is 0."""
        self.indices.fill(0)
        self.drawn = no_bands(self.indices.shape[0])

    def clear_drawn(self) -> None:
        """The same, where only what was drawn is another."""
        for rect in flatten(self.drawn):
            self.indices[part_of(rect)] = 0
        self.drawn = no_bands(self.indices.shape[0])

    def blit(self, target: pygame.Surface, rectangles: Iterable[pygame.Rect]) -> None:
        """Put these parts of it onto `target`."""
        for rect in rectangles:
            target.blit(self.surface, rect.topleft, rect)
