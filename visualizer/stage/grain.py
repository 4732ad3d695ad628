"""What painter and shader share of how a figure's outline is drawn: its grain, and the gap to who stands behind."""

from __future__ import annotations

import numpy as np

from visualizer.stage.looks import Figure
from visualizer.stage.resample import Array, noise

MOAT = 0.010  # frame widths about a dancer in which those in the rows behind are not seen
STEEP = 2.0  # how much faster than the distance their outline falls off there


def make_grain(figure: Figure, size: tuple[int, int], side: int) -> Array:
    """(height, width) fixed noise about -1..1 that roughens the outline; a frame is `side` pixels wide."""
    width, height = size
    cell = max(figure.grain_size * side, 1.0)
    coarse = noise((height, width), (2.6 * cell, 2.6 * cell * figure.grain_long), 21)
    fine = noise((height, width), (cell, cell * figure.grain_long), 20)
    return np.clip(0.42 * fine + 0.34 * coarse, -1, 1).astype(np.float32)
