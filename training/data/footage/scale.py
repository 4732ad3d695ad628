"""How large a body is in a picture, told by its landmarks: whatever the pose, and wherever the camera stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import BONE
from visualizer.camera.landmarker import POINT

# Bones by which sizes are told: long, and as long in any pose.
_SIZES = [(POINT[f"{side}_{a}"], POINT[f"{side}_{b}"]) for side in ("left", "right")
          for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "hip"))]  # fmt: skip
# Metres of our skeleton from landmark to landmark: its shoulder is 0.41 from its hip, the network's ankle lower than
# ours. Measured on films of drawn bodies.
_OURS = 2 * (BONE["knee"] + BONE["ankle"] + 0.41)
_BEGIN, _END = np.array(_SIZES).T


def pixels_of(bodies: NDArray[np.float32]) -> float:
    """How many pixels one of the network's metres has, of landmarks (N, 33, 6). NaN where nothing is known."""
    known = bodies[np.isfinite(bodies).all(axis=(1, 2))].astype(np.float64)
    if not len(known):
        return float("nan")
    bones = known[:, _END] - known[:, _BEGIN]
    seen = np.linalg.norm(bones[..., :2], axis=-1).sum(axis=1)
    return float(np.median(seen / np.linalg.norm(bones[..., 2:4], axis=-1).sum(axis=1)))


def metre_of(bodies: NDArray[np.float32]) -> float:
    """How many pixels a metre of our skeleton has, of landmarks (N, 33, 6). NaN where nothing is known."""
    known = bodies[np.isfinite(bodies).all(axis=(1, 2))].astype(np.float64)
    if not len(known):
        return float("nan")
    bones = np.linalg.norm((known[:, _END] - known[:, _BEGIN])[..., 2:5], axis=-1)
    return pixels_of(bodies) * float(np.median(bones, axis=0).sum()) / _OURS
