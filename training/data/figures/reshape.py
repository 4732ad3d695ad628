"""Brings bodies into the proportions of a figure: the same directions, other bone lengths, feet on the floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.figures.figure import Figure
from training.data.motion.skeleton import BONE, INDEX, PARENT, STANDING_PELVIS

HEAD = 1.20  # of the bone from the neck to the crown: figures have larger heads than people
_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]


def scale_bones(figure: Figure) -> dict[str, float]:
    """A factor for the bone that ends in each kind of joint, as `skeleton.BONE` names them."""
    body = figure.body
    head = body.head if figure.flat else HEAD * body.head
    return {
        "spine": body.trunk, "chest": body.trunk, "neck": body.trunk, "head": head,
        "shoulder": body.shoulders, "elbow": body.arms, "wrist": body.arms, "hand": body.arms,
        "hip": body.hips, "knee": body.legs, "ankle": body.legs, "toe": 0.5 + 0.5 * body.feet,
    }  # fmt: skip


def reshape(joints: NDArray[np.floating], figure: Figure) -> NDArray[np.float32]:
    """Bodies (N, 21, 3) metres in the proportions of `figure`: same shape back.

    The lower ankle stays as high as it was, so feet stand on the floor and jumps are as high.
    """
    factors = scale_bones(figure)
    given = joints.astype(np.float64)
    found = given.copy()
    for joint, parent in PARENT.items():
        bone = given[:, INDEX[joint]] - given[:, INDEX[parent]]
        found[:, INDEX[joint]] = found[:, INDEX[parent]] + factors[joint.split("_")[-1]] * bone
    found[..., 1] += (given[:, _ANKLES, 1].min(axis=1) - found[:, _ANKLES, 1].min(axis=1))[:, None]
    return found.astype(np.float32)


def find_height(figure: Figure) -> float:
    """Metres from the floor to the crown of a figure that stands."""
    factors = scale_bones(figure)
    legs = (factors["knee"] - 1) * (BONE["knee"] + BONE["ankle"])
    return STANDING_PELVIS + legs + sum(factors[bone] * BONE[bone] for bone in ("spine", "chest", "neck", "head"))
