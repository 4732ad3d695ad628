"""Bodies as rotations: local swings of the bones from positions, and positions from them (forward kinematics).

A body is the place of its pelvis and 22 rotations: the frame of the pelvis in the room, the frame of the ribcage in
that of the pelvis, and for each of the 20 bones (in the order of `PARENT`) the shortest rotation, in the frame that it
hangs on, from its rest direction to where it points. Limbs hang on the bone before them, the back on the pelvis, and
neck, head and arms on the ribcage. How a bone is rolled about itself is not kept, because joints do not show it.
Swings are good for differences between two bodies. They are no latents: near the opposite of its rest direction the
swing of a bone flips from one step to the next.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from training.data.motion.skeleton import BONES, CHAINS, INDEX, LENGTHS, PARENT
from visualizer.dancer.legs import Floats, unit

PELVIS, RIBS = 0, 1  # numbers of both frames among the rotations; bone k has number 2 + k
ROTATIONS = 2 + len(BONES)

_RIBS_CARRY = ("neck", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow")
_LIMBS = ("wrist", "hand", "ankle", "toe")  # bones that hang on the bone before them


def _find_carriers() -> NDArray[np.int64]:
    order = list(PARENT)
    return np.array(
        [2 + order.index(PARENT[j]) if j.endswith(_LIMBS) else RIBS if j in _RIBS_CARRY else PELVIS for j in order]
    )


def _find_rest() -> Floats:
    """Directions about which bones move: the farther from its opposite a bone stays, the steadier its swing."""
    ways = {
        "spine": (0, 1, 0), "chest": (0, 1, 0), "neck": (0, 1, 0), "head": (0, 1, 0), "shoulder": (0.9, 0.43, 0),
        "elbow": (0.8, -0.55, 0.25), "wrist": (0.8, -0.55, 0.25), "hand": (0.8, -0.55, 0.25), "hip": (1, 0, 0),
        "knee": (0, -1, 0), "ankle": (0, -1, 0), "toe": (0, -0.35, 0.94),
    }  # fmt: skip
    rest = np.array([ways[joint.split("_")[-1]] for joint in PARENT], dtype=np.float64)
    rest[[joint.startswith("right") for joint in PARENT]] *= (-1, 1, 1)
    return rest / np.linalg.norm(rest, axis=-1, keepdims=True)


CARRIERS = _find_carriers()  # (20,): on which rotation each bone hangs
REST = _find_rest()  # (20, 3) unit vectors
# Bones in three levels, each of which hangs on rotations that are known by then.
_LEVELS = (
    np.flatnonzero(CARRIERS < 2),
    np.array([k for k, joint in enumerate(PARENT) if joint.endswith(("wrist", "ankle"))]),
    np.array([k for k, joint in enumerate(PARENT) if joint.endswith(("hand", "toe"))]),
)


def fix_bones(positions: NDArray[np.floating]) -> Floats:
    """Joints (T, 21, 3) with the directions of the bones kept and their lengths made ours; the pelvis stays."""
    bones = unit(positions[:, BONES[:, 1]].astype(np.float64) - positions[:, BONES[:, 0]])
    return positions[:, :1] + CHAINS.astype(np.float64) @ (bones * LENGTHS[:, None])


def find_rotations(positions: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Positions (T, 21, 3) -> the pelvis (T, 3) and rotations (T, 22, 3, 3)."""
    at = positions.astype(np.float64)
    local = np.empty((len(at), ROTATIONS, 3, 3))
    world = np.empty_like(local)
    across = at[:, INDEX["left_hip"]] - at[:, INDEX["right_hip"]]
    world[:, PELVIS] = _find_frame(across, at[:, INDEX["chest"]] - at[:, INDEX["pelvis"]])
    across = at[:, INDEX["left_shoulder"]] - at[:, INDEX["right_shoulder"]]
    world[:, RIBS] = _find_frame(across, at[:, INDEX["neck"]] - at[:, INDEX["chest"]])
    local[:, PELVIS] = world[:, PELVIS]
    local[:, RIBS] = np.swapaxes(world[:, PELVIS], -1, -2) @ world[:, RIBS]
    bones = unit(at[:, BONES[:, 1]] - at[:, BONES[:, 0]])
    for level in _LEVELS:
        carrier = world[:, CARRIERS[level]]
        local[:, 2 + level] = _find_swing(REST[level], np.einsum("tkji,tkj->tki", carrier, bones[:, level]))
        world[:, 2 + level] = carrier @ local[:, 2 + level]
    return at[:, INDEX["pelvis"]].copy(), local


def place_joints(pelvis: Floats, rotations: Floats) -> Floats:
    """Forward kinematics: the pelvis (T, 3) and rotations (T, 22, 3, 3) -> positions (T, 21, 3) with our bones."""
    world = np.empty_like(rotations)
    world[:, PELVIS] = rotations[:, PELVIS]
    world[:, RIBS] = world[:, PELVIS] @ rotations[:, RIBS]
    for level in _LEVELS:
        world[:, 2 + level] = world[:, CARRIERS[level]] @ rotations[:, 2 + level]
    bones = np.einsum("tkij,kj->tki", world[:, 2:], REST * LENGTHS[:, None])
    return pelvis[:, None] + CHAINS.astype(np.float64) @ bones


def to_vectors(rotations: Floats) -> Floats:
    """Rotations (..., 3, 3) -> rotation vectors (..., 3), axis times radians."""
    return Rotation.from_matrix(rotations.reshape(-1, 3, 3)).as_rotvec().reshape(rotations.shape[:-1])


def from_vectors(vectors: Floats) -> Floats:
    """Rotation vectors (..., 3) -> rotations (..., 3, 3)."""
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape, 3)


def turn_about_y(radians: Floats) -> Floats:
    """Rotations (..., 3, 3) that turn the front to the dancer's left."""
    cos, sin = np.cos(radians), np.sin(radians)
    out = np.zeros((*np.shape(radians), 3, 3))
    out[..., 0, 0], out[..., 0, 2], out[..., 1, 1], out[..., 2, 0], out[..., 2, 2] = cos, sin, 1, -sin, cos
    return out


def _find_frame(x: Floats, y: Floats) -> Floats:
    """Rotations (T, 3, 3) whose first axis is along `x` and whose second is as near to `y` as can be."""
    x = unit(x)
    y = unit(y - x * (x * y).sum(-1, keepdims=True))
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _find_swing(rest: Floats, to: Floats) -> Floats:
    """The shortest rotations from unit vectors `rest` (K, 3) to `to` (T, K, 3): (T, K, 3, 3), by Rodrigues' formula."""
    axis, cosine = np.cross(rest, to), (rest * to).sum(-1)
    cross = np.zeros((*axis.shape, 3))
    x, y, z = np.moveaxis(axis, -1, 0)
    cross[..., 0, 1], cross[..., 0, 2], cross[..., 1, 2] = -z, y, -x
    cross[..., 1, 0], cross[..., 2, 0], cross[..., 2, 1] = z, -y, x
    swing = np.eye(3) + cross + cross @ cross / np.maximum(1 + cosine, 1e-9)[..., None, None]
    opposite = cosine < -1 + 1e-9  # no shortest way: half a turn about anything square to the bone
    if opposite.any():
        side = unit(np.cross(rest, np.eye(3)[np.abs(rest).argmin(axis=-1)]))
        half = 2 * side[:, :, None] * side[:, None] - np.eye(3)
        swing = np.where(opposite[..., None, None], half, swing)
    return swing
