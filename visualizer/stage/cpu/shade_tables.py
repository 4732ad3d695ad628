"""The colours of every index of a dancer's inside, kept as long as they are the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.stage.cpu.colour_pairs import BLUE_GREEN_RED_ALPHA
from visualizer.stage.looks import Look
from visualizer.stage.looks.inside_tables import (
    find_turn,
    make_base,
    make_shade,
    make_strokes,
    share_levels,
    turn_strokes,
)
from visualizer.stage.mood import Mood

MOST = 16  # dancers


class ShadeTables:
    """One table for each dancer: 0xAARRGGBB, premultiplied.

    Of an index the lowest bits are the level of the edge, then those of the crease, the second number, the first, and
    the part; how many of each says `share_levels`.
    """

    def __init__(self) -> None:
        self._made: dict[int, tuple[object, NDArray[np.uint32]]] = {}

    def forget(self) -> None:
        """The look is another."""
        self._made.clear()

    def find(self, number: int, look: Look, colours: NDArray[np.uint8], mood: Mood, pixel: float) -> NDArray[np.uint32]:
        """The table of the dancer with that number, whose parts have these colours (7, 3)."""
        base = make_base(look, colours, number, mood)
        degrees = find_turn(look, mood)
        key = look, pixel, base.tobytes(), degrees
        made = self._made.get(number)
        if made is not None and made[0] == key:
            return made[1]
        for other, (known, table) in self._made.items():  # dancers in the same clothes
            if known == key:
                self._made[number] = self._made[other]
                return table
        levels = share_levels(look, pixel)
        shade = make_shade(look, base, levels.first, levels.second)[: levels.part].reshape(-1, 3)
        strokes = turn_strokes(make_strokes(look, pixel, levels.edge, levels.crease), degrees)
        # The edge comes lowest, and is the first axis of the strokes.
        colour, keep = strokes.colour.transpose(1, 0, 2).reshape(-1, 4), strokes.keep.T.reshape(-1)
        table = np.empty((len(shade), len(keep)), np.uint32)
        if made is not None and made[1].size == table.size and not self._is_shared(number):
            table = made[1].reshape(table.shape)
        channels = table.view(np.uint8).reshape(*table.shape, 4)
        for channel, byte in zip((2, 1, 0), BLUE_GREEN_RED_ALPHA, strict=False):
            mixed = shade[:, None, channel] * keep
            mixed += colour[:, channel]
            np.minimum(mixed, 1, out=mixed)
            mixed *= np.float32(255)
            mixed += np.float32(0.5)
            np.copyto(channels[..., byte], mixed, casting="unsafe")
        channels[..., BLUE_GREEN_RED_ALPHA[3]] = (colour[:, 3] * 255 + 0.5).astype(np.uint8)
        flat = table.reshape(-1)
        self._made[number] = key, flat
        return flat

    def _is_shared(self, number: int) -> bool:
        mine = self._made[number][1]
        return any(table is mine for other, (_, table) in self._made.items() if other != number)
