"""From a picture into space: bones whose lengths are known, of which the picture shows all but the depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DEPTH = 0.1  # weight of an error of depth, beside one in the picture


def lift(bones: Floats, length: float | Floats) -> Floats:
    """Bones (..., 3) of exactly this `length` (...,), metres, as near to these as can be; sideways and height count
    more than depth, which the picture does not show. Least squares; the length's multiplier is found by bisection."""
    flat, depth = np.square(bones[..., :2]).sum(axis=-1), np.square(bones[..., 2])
    low, high = np.full(flat.shape, -DEPTH * (1 - 1e-6)), np.full(flat.shape, 60.0)
    for _ in range(40):
        middle = (low + high) / 2
        size = flat / np.square(1 + middle) + depth * np.square(DEPTH / (DEPTH + middle))
        longer = size > length * length
        low, high = np.where(longer, middle, low), np.where(longer, high, middle)
    across = bones[..., :2] / (1 + high)[..., None]
    across *= np.minimum(1, length / np.maximum(np.linalg.norm(across, axis=-1), 1e-9))[..., None]
    rest = np.sqrt(np.maximum(length * length - np.square(across).sum(axis=-1), 0))
    return np.concatenate([across, np.where(bones[..., 2] < 0, -rest, rest)[..., None]], axis=-1)
