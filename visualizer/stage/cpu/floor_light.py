"""What a lamp and a polished floor add to a dancer: a beam from above, and the dancer upside down below the feet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR
from visualizer.stage.lamps import MIRROR_FADE, MIRRORED, find_lamp, make_beam
from visualizer.stage.layout import Layout, Spot
from visualizer.stage.looks import Look


class FloorLight:
    """Draws both onto a surface, before the dancer is drawn."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._beam = lru_cache(maxsize=16)(make_beam_surface)
        self._pixels = np.zeros((1, size[0]), np.uint32)
        self._surface = pygame.Surface((1, 1))

    def draw_beam(self, target: pygame.Surface, stage: Layout, spot: Spot, look: Look, number: int) -> pygame.Rect:
        """The light that a dancer stands in; where it is."""
        assert look.inside is not None
        side, left, upper = stage.box(spot)
        height = stage.top + round(FLOOR * stage.side)  # a beam is as large in each row
        red, green, blue = (find_lamp(look, number) * look.inside.beam).tolist()
        beam = self._beam(stage.side, height, red, green, blue)
        floor = upper + round(FLOOR * side)
        corner = round(left + side / 2 - beam.get_width() / 2), floor - height
        return target.blit(beam, corner, special_flags=pygame.BLEND_RGB_ADD)

    def draw_mirrored(
        self, target: pygame.Surface, pixels: NDArray[np.uint32], rectangles: Iterable[pygame.Rect], floor: int,
        side: int, share: float,
    ) -> pygame.Rect | None:  # fmt: skip
        """The dancer whose body fills these rectangles of `pixels`, upside down below the row `floor`, for a frame of
        `side` pixels; where that is, if it is anywhere."""
        deep = min(round(MIRRORED * side), self.size[1] - floor)
        window = pygame.Rect(0, floor - deep, self.size[0], deep)
        parts = [part for rect in rectangles if (part := rect.clip(window)).h]
        if deep <= 0 or not parts:
            return None
        if len(self._pixels) < deep:
            self._pixels = np.zeros((deep, self.size[0]), np.uint32)
            self._surface = pygame.image.frombuffer(self._pixels.data, (self.size[0], deep), "BGRA")
        box = parts[0].unionall(parts[1:])
        columns = slice(box.left, box.right)
        copy = self._pixels[:deep, columns]
        copy.fill(0)
        for part in parts:
            rows = pixels[part.top : part.bottom, part.left : part.right][::-1]
            first = floor - part.bottom
            copy[first : first + part.h, part.left - box.left : part.right - box.left] = rows
        fade = share * np.exp(-(np.arange(deep) + 0.5) / (MIRROR_FADE * side)) * 256
        channels = copy.view(np.uint8).reshape(deep, box.w, 4) if copy.flags.c_contiguous else None
        if channels is None:
            channels = np.ascontiguousarray(copy).view(np.uint8).reshape(deep, box.w, 4)
        faded = (channels * fade.astype(np.uint16)[:, None, None]) >> 8
        copy[:] = faded.astype(np.uint8).reshape(deep, -1).view(np.uint32)
        source = pygame.Rect(box.left, 0, box.w, deep)
        return target.blit(self._surface, (box.left, floor), source, special_flags=pygame.BLEND_PREMULTIPLIED)


def make_beam_surface(side: int, height: int, red: float, green: float, blue: float) -> pygame.Surface:
    """A beam in that colour, to be added to what is there."""
    beam = make_beam(side, height)
    surface = pygame.Surface(beam.shape[::-1], 0, 32)
    colour = beam[..., None] * np.array([red, green, blue], np.float32) * 255 + np.float32(0.5)
    pygame.surfarray.blit_array(surface, np.minimum(colour, 255).astype(np.uint8).transpose(1, 0, 2))
    return surface
