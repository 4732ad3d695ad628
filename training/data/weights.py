"""How often each take is drawn for training, and how often a dance is followed by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SAME_DANCE = 0.3  # share of changes that stay in a dance, at another energy or mirrored


def weigh_takes(lengths: Sequence[int], styles: Sequence[str] | Sequence[int]) -> NDArray[np.float64]:
    """Weights (N,) of takes: in proportion to their lengths, and a rare style more often than that (square root)."""
    weight, style = np.array(lengths, dtype=np.float64), np.array(styles)
    for each in np.unique(style):
        weight[style == each] /= np.sqrt(weight[style == each].sum())
    return weight
