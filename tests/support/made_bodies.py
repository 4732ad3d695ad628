"""Bodies in space out of written dances."""

from __future__ import annotations

import numpy as np

from training.data.choreography import DANCES, perform
from training.data.dataset import crop_place
from training.data.motion.body import about_crop


def some_bodies(count: int = 200) -> np.ndarray:
    """`count` bodies (N, 21, 3) in metres about the crop."""
    positions = np.concatenate([perform(DANCES[n], 0.9).positions for n in (2, 5, 9)])
    return about_crop(positions, crop_place(positions))[:: max(1, len(positions) // count)][:count]
