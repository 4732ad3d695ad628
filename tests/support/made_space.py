"""A space of bodies, and bodies, out of random numbers: for what needs no training."""

from __future__ import annotations

import numpy as np

from visualizer.dancer.body_space import BodySpace


def made_space(size: int = 63) -> BodySpace:
    """Orthonormal axes (63, `size`)."""
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(63, 63)))[0][:, :size].astype(np.float32)
    return BodySpace(rng.normal(0, 0.5, 63).astype(np.float32), axes, 0.16, np.ones(size, np.float32))


def some_joints(count: int) -> np.ndarray:
    """(N, 21, 3) metres."""
    return np.random.default_rng(4).normal(0, 0.4, (count, 21, 3)).astype(np.float32)


def standing_body() -> np.ndarray:
    """Joints (21, 3) of a body that stands with bent knees, metres about the crop."""
    middle = [(0, 0.86, 0), (0, 0.98, 0), (0, 1.15, 0), (0, 1.36, 0), (0, 1.62, 0)]
    arm = [(0.18, 1.24, 0), (0.24, 0.96, 0), (0.26, 0.7, 0.05), (0.26, 0.53, 0.08)]
    leg = [(0.1, 0.86, 0), (0.12, 0.46, 0.15), (0.13, 0.08, -0.02), (0.15, 0.02, 0.16)]
    other = [[(-x, y, z) for x, y, z in limb] for limb in (arm, leg)]
    return np.array([*middle, *arm, *other[0], *leg, *other[1]], np.float32)
