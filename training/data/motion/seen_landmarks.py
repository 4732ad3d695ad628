"""Landmarks as MediaPipe's pose landmarker gives them, in an `.npz`: `landmarks` (T, 33, 3) metres, x to the right,
y down, z away from the camera, and `fps`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.motion.clips import LARGEST_CLIP
from training.data.motion.gaps import fill_short_gaps
from training.data.motion.place_joints import Landmarks
from visualizer.arrays import read_arrays
from visualizer.camera.landmarker import LANDMARKS
from visualizer.camera.points import find_head, find_limbs, name_points
from visualizer.errors import UserError


def landmarks_of(points: NDArray[np.float64], fps: float) -> Landmarks:
    """Landmarks (T, 33, 3) of any axes as what is brought onto our bones."""
    at = name_points(points)
    neck, head, forward = find_head(at)
    return Landmarks(find_limbs(at), [neck], head, fps, forward)


def holds_landmarks(path: Path) -> bool:
    """Whether an `.npz` holds landmarks, and not a clip."""
    try:
        read_arrays(path, LARGEST_CLIP, ("landmarks",))
    except (OSError, KeyError, ValueError):
        return False
    return True


def read_landmarks(path: Path) -> Landmarks:
    """Read an `.npz` of landmarks. UserError with the reason for one that cannot be used."""
    try:
        found = read_arrays(path, LARGEST_CLIP, ("landmarks", "fps"))
        points, fps = np.asarray(found["landmarks"], np.float64), float(found["fps"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not landmarks that can be read ({' '.join(str(error).split())})") from error
    if points.ndim != 3 or points.shape[1:] != (len(LANDMARKS), 3) or len(points) < 2 or not 1 <= fps <= 1000:
        raise UserError(f"{path}: landmarks must be (frames, {len(LANDMARKS)}, 3) at 1 to 1000 frames a second")
    if np.abs(points[np.isfinite(points)]).max(initial=0) > 1e6:
        raise UserError(f"{path}: holds numbers that are no places")
    return landmarks_of(fill_short_gaps(points, LANDMARKS, fps, path) * (1, -1, -1), fps)
