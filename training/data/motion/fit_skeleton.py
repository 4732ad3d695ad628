"""Brings motion whose bones are nearly ours onto exactly our bones, with feet that stay where they are.

Clips come with shoulders of their own width, and resampling or blending positions shortens bones a little. Directions
of bones are kept and lengths are ours; then the legs are bent so that each foot stands where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.motion.kinematics import fix_bones
from training.data.motion.legs import (
    ANKLE_STANDS,
    ANKLES,
    HIPS,
    LEG,
    TOE_STANDS,
    TOES,
    bend_legs,
    find_excess,
    place_foot,
    smooth_above,
)
from training.data.motion.skeleton import JOINTS

LONGEST_LEG = 0.9999 * LEG  # metres: a leg may be straight
STRAIGHT = 0.002  # metres that a knee is off the line from hip to ankle; nearer, the foot says where it bends to
GENTLY = 4  # steps within which the pelvis sinks before a leg is too short


@dataclass(frozen=True)
class Fitted:
    """Motion on our bones: `positions` float32 (T, 21, 3) metres, and how far its joints were moved.

    `mean_cm` and `worst_cm` over all joints and times; `foot_cm` the farthest that an ankle was moved which was low
    enough to stand; `worst_joint` names the joint that was moved most, on average.
    """

    positions: NDArray[np.float32]
    mean_cm: float
    worst_cm: float
    foot_cm: float
    worst_joint: str


def fit_skeleton(positions: NDArray[np.floating]) -> Fitted:
    """Bring positions (T, 21, 3) metres onto our bones. Motion that stands on them comes back as it was."""
    given = positions.astype(np.float64)
    found = fix_bones(given)
    ankles, toes = given[:, ANKLES], given[:, TOES]
    stands = (ankles[..., 1] < ANKLE_STANDS) | (toes[..., 1] < TOE_STANDS)
    # A leg that is too short for its foot's place brings the pelvis down; one in the air just reaches less far.
    excess = np.where(stands, find_excess(found[:, HIPS], ankles, LONGEST_LEG), 0)
    found[..., 1] -= smooth_above(excess.max(axis=1), GENTLY)[:, None]
    found = bend_legs(found, ankles, place_foot(toes - ankles), LONGEST_LEG, STRAIGHT)
    moved = 100 * np.linalg.norm(found - given, axis=-1)
    return Fitted(
        found.astype(np.float32),
        float(moved.mean()),
        float(moved.max()),
        float((moved[:, ANKLES] * stands).max()),
        JOINTS[int(moved.mean(axis=0).argmax())],
    )
