"""What the landmarks of a person say of a body: limbs, neck and crown, and where the face looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.landmarker import POINT
from visualizer.dancer.bones import TRUNK

Points = NDArray[np.float64]

# The neck lies above the middle of the shoulders, by this share of the way from the hips to there in our bodies.
NECK = TRUNK / 0.425


LIMBS = {
    f"{side}_{joint}": f"{side}_{landmark}"
    for side in ("left", "right")
    for joint, landmark in (("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("hip", "hip"),
                            ("knee", "knee"), ("ankle", "ankle"), ("toe", "foot_index"))
}  # fmt: skip


def find_limbs(at: dict[str, Points]) -> dict[str, Points]:
    """Our joints by name, of landmarks by name: arms and legs from shoulders and hips to hands and toes."""
    limbs = {joint: at[landmark] for joint, landmark in LIMBS.items()}
    for side in ("left", "right"):
        limbs[f"{side}_hand"] = (at[f"{side}_index"] + at[f"{side}_pinky"]) / 2
    return limbs


def name_points(points: Points) -> dict[str, Points]:
    """Landmarks (T, 33, 3) by name, (T, 3) each."""
    return {name: points[:, number] for name, number in POINT.items()}


def find_head(at: dict[str, Points]) -> tuple[Points, Points, Points]:
    """Neck, head and where the face looks, of points by name: nose, both ears, shoulders and hips, any axes."""
    hips, shoulders = ((at[f"left_{k}"] + at[f"right_{k}"]) / 2 for k in ("hip", "shoulder"))
    ears = (at["left_ear"] + at["right_ear"]) / 2
    neck = hips + NECK * (shoulders - hips)
    # The ears sit in front of the line from neck to crown; a little back brings the head above the neck.
    head = ears - 0.25 * (at["nose"] - ears)
    head = neck + np.where(np.sum((head - neck) * (neck - hips), axis=-1, keepdims=True) > 0, head - neck, neck - hips)
    return neck, head, at["nose"] - ears
