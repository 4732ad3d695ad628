"""The one skeleton of the project: 21 joints, metres, y up, the viewer at +z.

A dancer who faces the viewer has the left hand at +x. All motion, captured, written or seen by a camera, is brought
onto these bones, so the picture of a body depends only on its pose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JOINTS = (
    "pelvis", "spine", "chest", "neck", "head",
    "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_shoulder", "right_elbow", "right_wrist", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_toe",
    "right_hip", "right_knee", "right_ankle", "right_toe",
)  # fmt: skip
INDEX = {name: i for i, name in enumerate(JOINTS)}

# Parent of each joint in the kinematic tree; the pelvis is the root.
PARENT = {
    "spine": "pelvis", "chest": "spine", "neck": "chest", "head": "neck",
    "left_shoulder": "chest", "left_elbow": "left_shoulder", "left_wrist": "left_elbow", "left_hand": "left_wrist",
    "right_shoulder": "chest", "right_elbow": "right_shoulder", "right_wrist": "right_elbow",
    "right_hand": "right_wrist",
    "left_hip": "pelvis", "left_knee": "left_hip", "left_ankle": "left_knee", "left_toe": "left_ankle",
    "right_hip": "pelvis", "right_knee": "right_hip", "right_ankle": "right_knee", "right_toe": "right_ankle",
}  # fmt: skip

# Length in metres of the bone that ends in each joint. "head" is the crown end of the neck bone.
BONE = {
    "spine": 0.12, "chest": 0.17, "neck": 0.21, "head": 0.26,
    "shoulder": 0.20, "elbow": 0.29, "wrist": 0.26, "hand": 0.17,
    "hip": 0.10, "knee": 0.43, "ankle": 0.43, "toe": 0.20,
}  # fmt: skip

TRUNK = BONE["spine"] + BONE["chest"] + BONE["neck"]  # metres from the hips to the neck
LEG = BONE["knee"] + BONE["ankle"]

# The 20 bones as arrays, in the order of `PARENT`: the joints at either end (20, 2), and lengths in metres (20,).
BONES = np.array([(INDEX[parent], INDEX[joint]) for joint, parent in PARENT.items()], dtype=np.int64)
LENGTHS = np.array([BONE[joint.split("_")[-1]] for joint in PARENT], dtype=np.float32)


def _find_chains() -> NDArray[np.float32]:
    chains = np.zeros((len(JOINTS), len(PARENT)), dtype=np.float32)
    for bone, (parent, joint) in enumerate(BONES):  # parents come before their children
        chains[joint] = chains[parent]
        chains[joint, bone] = 1
    return chains


CHAINS = _find_chains()  # (21, 20): 1 where a bone lies between the pelvis and a joint

ANKLE_HEIGHT = 0.08  # metres of an ankle above the floor, of a foot that stands

# Index of each joint's mirror image: left and right change places.
MIRROR = np.array(
    [INDEX[n.replace("left", "#").replace("right", "left").replace("#", "right")] for n in JOINTS], dtype=np.int64
)


def mirror(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reflect motion left to right. `positions` (..., 21, 3) metres; same shape back."""
    return positions[..., MIRROR, :] * np.array([-1, 1, 1], dtype=positions.dtype)
