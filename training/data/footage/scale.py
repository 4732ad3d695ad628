"""How large a body is in a picture, told by its landmarks, wherever the camera stands, and whether or not the dancer
ever stands upright: in some picture of a take each limb lies square to the camera, and is seen in its whole length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.landmarker import POINT

# Limbs and their lengths in metres of our skeleton, from landmark to landmark: the network sees ankles higher, and
# knees and elbows a little farther out than ours are. Measured on films of drawn bodies.
LIMBS = (("hip", "knee", 0.44), ("knee", "ankle", 0.39), ("shoulder", "elbow", 0.297), ("elbow", "wrist", 0.267))
SEEN = 0.5  # how sure both ends of a limb must be
WHOLE = 0.9  # quantile of a limb's length over a take at which it is seen whole: above are errors
LEAST = 20  # limbs, of all pictures, that a quantile is taken of


def metre_of(bodies: NDArray[np.float32]) -> float:
    """How many pixels a metre of our skeleton has, of landmarks (N, 33, 6) of one take. NaN where too little is
    known."""
    found = []
    for begin, end, length in LIMBS:
        seen = []
        for side in ("left", "right"):
            a, b = bodies[:, POINT[f"{side}_{begin}"]], bodies[:, POINT[f"{side}_{end}"]]
            sure = np.minimum(a[:, 5], b[:, 5]) > SEEN  # NaN is not
            seen.append(np.linalg.norm(b[sure, :2] - a[sure, :2], axis=-1))
        both = np.concatenate(seen)
        if len(both) >= LEAST:
            found.append(float(np.quantile(both, WHOLE)) / length)
    return float(np.mean(found)) if found else float("nan")
