"""What the landmarks of a person say of a body: limbs, neck and crown, and where the face looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.landmarker import POINT
from visualizer.camera.place_joints import TRUNK, Landmarks, Points

# The neck lies above the middle of the shoulders, by this share of the way from the hips to there in our bodies.
NECK = TRUNK / 0.425


LIMBS = {
    f"{side}_{joint}": f"{side}_{landmark}"
    for side in ("left", "right")
    for joint, landmark in (("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("hip", "hip"),
                            ("knee", "knee"), ("ankle", "ankle"), ("toe", "foot_index"))
}  # fmt: skip


def landmarks_of(points: NDArray[np.float64], fps: float) -> Landmarks:
    """Landmarks (T, 33, 3) of any axes as what is brought onto our bones."""
    at = {name: points[:, number] for name, number in POINT.items()}
    limbs = {joint: at[landmark] for joint, landmark in LIMBS.items()}
    for side in ("left", "right"):
        limbs[f"{side}_hand"] = (at[f"{side}_index"] + at[f"{side}_pinky"]) / 2
    neck, head, forward = landmarks_of_face(at)
    return Landmarks(limbs, [neck], head, fps, forward)


def landmarks_of_face(at: dict[str, Points]) -> tuple[Points, Points, Points]:
    """Neck, head and where the face looks, of points by name: nose, both ears, shoulders and hips, any axes."""
    hips, shoulders = ((at[f"left_{k}"] + at[f"right_{k}"]) / 2 for k in ("hip", "shoulder"))
    ears = (at["left_ear"] + at["right_ear"]) / 2
    neck = hips + NECK * (shoulders - hips)
    # The ears sit in front of the line from neck to crown; a little back brings the head above the neck.
    head = ears - 0.25 * (at["nose"] - ears)
    head = neck + np.where(np.sum((head - neck) * (neck - hips), axis=-1, keepdims=True) > 0, head - neck, neck - hips)
    return neck, head, at["nose"] - ears
