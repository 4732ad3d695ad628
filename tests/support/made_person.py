"""A drawn dancer in a room, of whom mask and joints are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.support.made_clips import FPS, dance_motion
from training.data.footage.made import CONDITIONS, Shot, at_rate, pictures
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.skeleton import INDEX

RATE = 12.0  # pictures a second


def made_shot(seconds: float, size: tuple[int, int] = (270, 480), screen: str = "room", condition: str = "clean",
              name: str = "two-step sway") -> Shot:  # fmt: skip
    """A dancer before a room, filmed upright."""
    positions = fit_skeleton(at_rate(dance_motion(name, 110, 16)[0], FPS, RATE, seconds)).positions
    return Shot(positions, RATE, screen, CONDITIONS[condition], size)


def dancing(
    seconds: float, size: tuple[int, int] = (270, 480)
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_], dict[str, NDArray[np.float32]]]]:
    """Pictures, true masks, and where each joint is in pixels."""
    shot = made_shot(seconds, size)
    for (picture, mask), joints in zip(pictures(shot), shot.joints(), strict=True):
        yield picture, mask, {name: joints[number] for name, number in INDEX.items()}


def overlap(a: NDArray, b: NDArray) -> float:
    """IoU of two masks."""
    a, b = a > 0, b > 0
    return float((a & b).sum() / max(1, (a | b).sum()))
