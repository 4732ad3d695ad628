"""Legs and feet of whole motions: which stand, how far the pelvis must sink, and legs bent to where feet are wanted.

Both legs are worked on at once, left before right: arrays of feet are (T, 2, 3). One step at a time, while it dances:
`visualizer.dancer.legs`, whose inverse kinematics are used here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, maximum_filter1d

from training.data.motion.skeleton import BONE
from visualizer.dancer import legs
from visualizer.dancer.legs import (
    ANKLE_STANDS,
    ANKLES,
    HIPS,
    KNEES,
    STANDS_SLOWER,
    STEPS_PER_SECOND,
    TOE_STANDS,
    TOES,
    Floats,
    bend_knees,
)

LEG = BONE["knee"] + BONE["ankle"]


def find_contacts(positions: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which feet stand, (T, 2), in motion (T, 21, 3) of 16 steps a beat: an ankle or a toe is low and slow.

    Gaps of one or two steps are closed, because a foot is not lifted for a thirtieth of a second.
    """
    speed = np.linalg.norm(np.diff(positions.astype(np.float64), axis=0), axis=-1) * STEPS_PER_SECOND
    if not len(speed):
        speed = np.zeros((1, positions.shape[1]))
    # Of the steps that lead to and from a moment, the mean of their mean and the faster one.
    before, after = np.concatenate([speed[:1], speed]), np.concatenate([speed, speed[-1:]])
    speed = before / 2 + np.maximum(before, after) / 2
    ankle = (positions[:, ANKLES, 1] < ANKLE_STANDS) & (speed[:, ANKLES] < STANDS_SLOWER)
    toe = (positions[:, TOES, 1] < TOE_STANDS) & (speed[:, TOES] < STANDS_SLOWER)
    stands = np.pad(ankle | toe, ((2, 2), (0, 0)), mode="edge")
    return np.asarray(binary_closing(stands, np.ones((3, 1)))[2:-2], np.bool_)


def find_excess(hips: Floats, ankles: Floats, reach: float) -> Floats:
    """By how many metres hips (T, 2, 3) are too high for legs of length `reach` to get to the ankles: (T, 2), or 0."""
    across = ankles - hips
    rest = np.maximum(reach**2 - across[..., 0] ** 2 - across[..., 2] ** 2, 0.05)
    return np.maximum(hips[..., 1] - ankles[..., 1] - np.sqrt(rest), 0)


def smooth_above(curve: Floats, reach: int) -> Floats:
    """A smooth curve (T,) that is nowhere below `curve` (T,): a maximum over ±`reach` steps, then a Hann window of the
    same width."""
    if not curve.any():
        return curve
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(curve, 2 * reach, mode="edge")
    spread = maximum_filter1d(padded, 2 * reach + 1)
    smooth = np.convolve(spread, window / window.sum(), mode="same")
    return np.asarray(smooth[2 * reach : -2 * reach], np.float64)


def place_foot(foot: Floats) -> Floats:
    """Vectors from ankle to toe (..., 3) with the length of our foot, their height and heading kept."""
    return legs.place_foot(foot, BONE["toe"])


def bend_legs(positions: Floats, ankles: Floats, feet: Floats, reach: float, straight: float = 0.04) -> Floats:
    """Put the feet of bodies (T, 21, 3) where they are wanted: `ankles` (T, 2, 3), and `feet` (T, 2, 3) from ankle to
    toe. An ankle that is farther from the hip than `reach` metres is pulled towards it.

    A knee bends to the side to which it bent before; the straighter the leg was, from `straight` metres off the line on
    down, the more it bends to where the foot points.
    """
    out = positions.copy()
    hips = positions[:, HIPS]
    leg = ankles - hips
    far = np.linalg.norm(leg, axis=-1, keepdims=True)
    leg = leg * np.minimum(1.0, reach / np.maximum(far, 1e-9))
    thighs = bend_knees(positions[:, KNEES] - hips, leg, feet, (BONE["knee"], BONE["ankle"]), straight)
    out[:, KNEES] = hips + thighs
    out[:, ANKLES] = hips + leg
    out[:, TOES] = out[:, ANKLES] + feet
    return out
