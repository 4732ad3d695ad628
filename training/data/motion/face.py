"""Where neck and crown are, of a body of which only face, shoulders and hips are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.motion.retarget import TRUNK

Points = NDArray[np.float64]  # (T, 3)

# The neck lies above the middle of the shoulders, by this share of the way from the hips to there in our bodies.
NECK = TRUNK / 0.425


def landmarks_of_face(at: dict[str, Points]) -> tuple[Points, Points, Points]:
    """Neck, head and where the face looks, of points by name: nose, both ears, shoulders and hips, any axes."""
    hips, shoulders = ((at[f"left_{k}"] + at[f"right_{k}"]) / 2 for k in ("hip", "shoulder"))
    ears = (at["left_ear"] + at["right_ear"]) / 2
    neck = hips + NECK * (shoulders - hips)
    # The ears sit in front of the line from neck to crown; a little back brings the head above the neck.
    head = ears - 0.25 * (at["nose"] - ears)
    head = neck + np.where(np.sum((head - neck) * (neck - hips), axis=-1, keepdims=True) > 0, head - neck, neck - hips)
    return neck, head, at["nose"] - ears
