"""The skeleton of the packs (visualizer/dancer/bones.py), and what training alone does with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.bones import ANKLE_HEIGHT as ANKLE_HEIGHT
from visualizer.dancer.bones import BONE as BONE
from visualizer.dancer.bones import BONES as BONES
from visualizer.dancer.bones import CHAINS as CHAINS
from visualizer.dancer.bones import INDEX as INDEX
from visualizer.dancer.bones import JOINTS as JOINTS
from visualizer.dancer.bones import LENGTHS as LENGTHS
from visualizer.dancer.bones import MIRROR as MIRROR
from visualizer.dancer.bones import PARENT as PARENT
from visualizer.dancer.bones import mirror as mirror

STANDING_PELVIS = 0.94  # metres above the floor with straight legs; ankles then stand ANKLE_HEIGHT above it


def turn(positions: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Turn the whole dance about the vertical axis, as a camera that walks round it would see it.

    `positions` (..., 21, 3) metres; positive turns bring the dancer's left side towards the viewer's left.
    """
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=positions.dtype)
    return positions @ rotation.T
