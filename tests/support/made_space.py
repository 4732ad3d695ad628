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
