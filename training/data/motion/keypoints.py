"""Keypoints of the AIST++ kind: pickled arrays of 17 COCO joints in space, 60 frames a second.

Li et al., "AI Choreographer: Music Conditioned 3D Dance Generation with AIST++" (2021). Each file holds `keypoints3d`
and, smoothed and without gaps, `keypoints3d_optim`, both (T, 17, 3) in centimetres.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.motion.gaps import fill_short_gaps
from training.data.motion.pickles import read_arrays
from training.data.motion.place_joints import Landmarks
from training.data.motion.retarget import FPS
from visualizer.camera.points import find_head
from visualizer.errors import UserError

COCO = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
ARRAYS = ("keypoints3d_optim", "keypoints3d")  # the better one first
MOST_FRAMES = 1_000_000
# Genres as the first letters of AIST's file names say them.
GENRES = {
    "gBR": "break", "gPO": "pop", "gLO": "lock", "gMH": "hiphop", "gLH": "hiphop", "gHO": "house", "gWA": "waack",
    "gKR": "krump", "gJS": "jazz", "gJB": "ballet",
}  # fmt: skip


def read_keypoints(path: Path) -> Landmarks:
    """Read a pickle of AIST++. UserError with the reason for one that cannot be used."""
    arrays = read_arrays(path)
    name = next((name for name in ARRAYS if name in arrays), None)
    if name is None:
        raise UserError(f"{path}: holds none of {' and '.join(ARRAYS)}")
    points = arrays[name].astype(np.float64)
    if points.ndim != 3 or points.shape[1:] != (len(COCO), 3) or not 2 <= len(points) <= MOST_FRAMES:
        raise UserError(f"{path}: {name} must be (frames, {len(COCO)}, 3), not {points.shape}")
    if np.abs(points[np.isfinite(points)]).max(initial=0) > 1e6:
        raise UserError(f"{path}: {name} holds numbers that are no places")
    points = fill_short_gaps(points, COCO, FPS, path)
    at = {name: points[:, i] for i, name in enumerate(COCO)}
    limbs = {name: at[name] for name in COCO[5:]}  # without the face
    neck, head, forward = find_head(at)
    return Landmarks(limbs, [neck], head, FPS, forward=forward)
