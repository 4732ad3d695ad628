"""Landmarks as the network that sees people gives them, of bodies whose joints are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.footage.crop import Track
from training.data.motion.skeleton import INDEX
from visualizer.camera.landmarker import LANDMARKS, POINT

METRE, FLOOR, MIDDLE = 180.0, 430.0, 135.0  # pixels
_JOINTS = {"foot_index": "toe", "heel": "ankle", "pinky": "hand", "index": "hand", "thumb": "hand"}


def landmarks_of(positions: NDArray[np.floating]) -> NDArray[np.float32]:
    """Joints (T, 21, 3) metres -> landmarks (T, 33, 6): pixels, metres about the hips, all surely seen."""
    at = {name: positions[:, number].astype(np.float64) for name, number in INDEX.items()}
    ahead = np.cross(at["left_hip"] - at["right_hip"], at["neck"] - at["pelvis"])
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    across = at["left_shoulder"] - at["right_shoulder"]
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    ears = at["neck"] + 0.6 * (at["head"] - at["neck"])
    out = np.zeros((len(positions), len(LANDMARKS), 3))
    for name, number in POINT.items():
        side = name.split("_")[0]
        if name.endswith("ear") or name == "nose" or "eye" in name or "mouth" in name:
            sideways = 0.0 if name == "nose" else 0.07 * (1 if "left" in name else -1)
            out[:, number] = ears + sideways * across + (0.0 if name.endswith("ear") else 0.1) * ahead
        else:
            joint = name.removeprefix(f"{side}_")
            out[:, number] = at[f"{side}_{_JOINTS.get(joint, joint)}"]
    pixels = np.stack([MIDDLE + out[..., 0] * METRE, FLOOR - out[..., 1] * METRE], axis=-1)
    hips = (out[:, POINT["left_hip"]] + out[:, POINT["right_hip"]])[:, None] / 2
    world = (out - hips) * (1, -1, -1)
    return np.concatenate([pixels, world, np.ones((*out.shape[:2], 1))], axis=-1).astype(np.float32)


def track_of(count: int) -> Track:
    """The crop of a dancer in the middle of the picture."""
    whole = np.ones(count)
    return Track(np.arange(count), MIDDLE * whole, FLOOR * whole, METRE * whole, 0)
