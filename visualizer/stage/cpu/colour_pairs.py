"""The colours of all pairs of a figure's index and the effects', in one table that is looked up for each pixel."""

from __future__ import annotations

import sys

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.cpu.rectangles import BAND_HEIGHT, part_of
from visualizer.stage.looks import LEVELS
from visualizer.stage.resample import Array

BLUE_GREEN_RED_ALPHA = (0, 1, 2, 3) if sys.byteorder == "little" else (3, 2, 1, 0)  # where 0xAARRGGBB has its bytes

Bytes = NDArray[np.uint8]
Colours = NDArray[np.uint32]


def find_ends(figure: Array) -> tuple[int, int]:
    """The first and the last level that count of a figure's ramp (256, 4): beyond, all are alike."""
    low, high = (figure != figure[0]).any(axis=1), (figure != figure[-1]).any(axis=1)
    if not low.any():
        return 0, 0
    return max(int(low.argmax()) - 1, 0), LEVELS - int(high[::-1].argmax())


class ColourPairs:
    """Makes and looks up tables of 65,536 colours, effects in the high byte and figure in the low one."""

    def __init__(self, width: int) -> None:
        """`width` of the planes that are looked up, pixels."""
        self._mix = np.empty(LEVELS * LEVELS, np.float32)
        self._table = np.zeros((LEVELS, LEVELS), np.uint32)
        self._bytes = self._table.view(np.uint8).reshape(LEVELS, LEVELS, 4)
        self._made: tuple[tuple[int, int], int, list[bytes]] | None = None  # what the table is made of
        self._levels = 0  # of the effects in the table
        # Colours of two pixels beside one another, by both their levels of the effects; made when they are needed.
        self._two = np.zeros((LEVELS, LEVELS), np.uint64)
        self._is_two_made = False
        self._pairs, self._found = np.empty(width * BAND_HEIGHT, np.uint16), np.empty(width * BAND_HEIGHT, np.uint32)

    def make(
        self, figure: Array, ends: tuple[int, int], effects: Array | None, most: int, behind: Array | None = None
    ) -> None:
        """Colours of all pairs of these ramps (256, 4), premultiplied; they move with the music.

        They are 0xAARRGGBB, premultiplied, or 0x00RRGGBB over the colour `behind`. Of the figure's levels there are
        those from `ends` to `ends` and 0; of the effects' those up to `most`, or 0 alone where `effects` is None.
        """
        most |= 31  # of much the same effects, much the same table
        ramps = (figure, effects, behind)
        made_of = ends, most, [b"" if each is None else each.tobytes() for each in ramps]
        if made_of == self._made:  # a look whose colours stand still
            return
        self._made = made_of
        low, high = ends
        above = np.zeros((1, 4), np.float32) if effects is None else effects[: most + 1]
        bare, cover = 1 - figure[low : high + 1, 3], above[:, 3]
        if behind is not None:
            above = np.minimum(above[:, :3] + behind * (1 - cover[:, None]), 1)
        count, levels = len(above), high + 1 - low
        mix = self._mix[: count * levels].reshape(count, levels)
        made = self._bytes[:count, low : high + 1]
        for channel, byte in zip((2, 1, 0), BLUE_GREEN_RED_ALPHA, strict=False):
            np.multiply(above[:, channel, None], bare, out=mix)
            mix += figure[low : high + 1, channel]
            np.minimum(mix, 1, out=mix)
            _put_bytes(mix, made[:, :, byte])
        alpha = made[:, :, BLUE_GREEN_RED_ALPHA[3]]
        if behind is None:
            np.multiply((1 - cover)[:, None], bare, out=mix)
            np.subtract(1, mix, out=mix)
            _put_bytes(mix, alpha)
        else:
            alpha.fill(0)
        self._table[:count, 0] = self._table[:count, low]
        self._levels, self._is_two_made = count, False

    @property
    def effects_alone(self) -> Colours:
        """(256,) the colours of the effects where no figure is."""
        return self._table[:, 0].copy()

    @property
    def figure_alone(self) -> Colours:
        """(256,) the colours of the figure where no effects are."""
        return self._table[0].copy()

    def look_up(self, effects: Bytes, figure: Bytes, rect: pygame.Rect, target: Colours) -> None:
        """Fill that rectangle of `target`, no higher than a band, with the colours of the pairs of these planes."""
        part = part_of(rect)
        pairs = self._pairs[: rect.w * rect.h].reshape(rect.h, rect.w)
        np.multiply(effects[part], LEVELS, out=pairs, dtype=np.uint16)
        np.add(pairs, figure[part], out=pairs)
        self._take(self._table.reshape(-1), pairs, target[part])

    def look_up_effects(self, effects: Bytes, rect: pygame.Rect, target: Colours) -> None:
        """Fill that rectangle of `target`, no higher than a band, with the colours of the effects alone.

        Two pixels at a time, which takes half as long; so a column on each side of it may be filled as well.
        """
        if effects.shape[1] % 2:
            self.look_up_one(self.effects_alone, effects, rect, target)
            return
        if not self._is_two_made:
            colours = self._table[: self._levels, 0].astype(np.uint64)
            made = self._two[: self._levels, : self._levels]
            np.bitwise_or((colours << np.uint64(32))[:, None], colours, out=made)  # whichever byte comes first
            self._is_two_made = True
        part = slice(rect.top, rect.bottom), slice(rect.left // 2, (rect.right + 1) // 2)
        indices, twice = effects.view(np.uint16)[part], target.view(np.uint64)[part]
        found = self._found.view(np.uint64)[: indices.size].reshape(indices.shape)
        np.take(self._two.reshape(-1), indices, out=found, mode="wrap")
        twice[:] = found

    def look_up_one(self, colours: Colours, plane: Bytes, rect: pygame.Rect, target: Colours) -> None:
        """Fill that rectangle of `target`, no higher than a band, with the `colours` (256,) of that plane."""
        part = part_of(rect)
        self._take(colours, plane[part], target[part])

    def _take(self, table: Colours, indices: NDArray[np.unsignedinteger], target: Colours) -> None:
        found = self._found[: indices.size].reshape(indices.shape)
        np.take(table, indices, out=found, mode="wrap")  # no index is too large; "wrap" is the quickest
        target[:] = found


def find_channels(colours: Colours) -> list[tuple[int, int, int]]:
    """Red, green and blue of each of those."""
    return [(c >> 16 & 255, c >> 8 & 255, c & 255) for c in colours.tolist()]


def _put_bytes(plane: Array, target: Bytes) -> None:
    """Round 0..1, which is changed, to 0..255."""
    plane *= np.float32(255)
    plane += np.float32(0.5)
    np.copyto(target, plane, casting="unsafe")
