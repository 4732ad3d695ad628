"""The colours of all pairs of a figure's index and the effects', in one table that is looked up for each pixel."""

from __future__ import annotations

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.looks import LEVELS
from visualizer.stage.resample import Array

BANDS = 48  # rows whose colours are looked up at a time: their widened indices stay in the cache

Bytes = NDArray[np.uint8]


class ColourPairs:
    """Makes and looks up tables of 65,536 colours, effects in the high byte and figure in the low one."""

    def __init__(self) -> None:
        self._mix = np.empty((LEVELS, LEVELS), np.float32)

    def make(self, figure: Array, effects: Array | None, behind: Array | None = None) -> NDArray[np.uint32]:
        """The colours of all pairs of these ramps (256, 4), premultiplied; they move with the music.

        Of those without effects alone, 256, where `effects` is None. 0xAARRGGBB, premultiplied, or 0x00RRGGBB over
        the colour `behind`.
        """
        above = np.zeros((1, 4), np.float32) if effects is None else effects
        bare, cover = 1 - figure[:, 3], above[:, 3]
        if behind is not None:
            above = np.minimum(above[:, :3] + behind * (1 - cover[:, None]), 1)
        mix, planes = self._mix[: len(above)], []
        for channel in range(3):
            colour = np.multiply(above[:, channel, None], bare, out=mix)
            colour += figure[:, channel]
            np.minimum(colour, 1, out=colour)
            planes.append(_bytes(colour))
        if behind is None:
            planes.insert(0, _bytes(1 - (1 - cover)[:, None] * bare))
        table = np.zeros((len(above), LEVELS), np.uint32)
        for plane in planes:
            table <<= 8
            table |= plane
        return table.reshape(-1)


def look_up(table: NDArray[np.uint32], pairs: NDArray[np.uint16], target: NDArray[np.uint32], box: pygame.Rect) -> None:
    """Fill that box of `target` (height, width) with the colours of `pairs` (height, width)."""
    columns = slice(box.left, box.right)
    for top in range(box.top, box.bottom, BANDS):
        band = slice(top, min(top + BANDS, box.bottom))
        np.take(table, pairs[band, columns], out=target[band, columns], mode="clip")


def _bytes(plane: Array) -> Bytes:
    return (plane * np.float32(255) + np.float32(0.5)).astype(np.uint8)
