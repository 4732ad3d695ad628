"""Legs and feet: which stand, and where the knee is once hip and ankle are known (two-bone inverse kinematics).

Both legs are worked on at once, left before right: arrays of feet are (T, 2, 3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, maximum_filter1d

from training.data.motion.kinematics import Floats, unit
from training.data.motion.skeleton import BONE, INDEX
from visualizer.dancer.pack import STEPS_PER_BEAT

_SIDES = ("left", "right")
HIPS = np.array([INDEX[f"{side}_hip"] for side in _SIDES])
KNEES = np.array([INDEX[f"{side}_knee"] for side in _SIDES])
ANKLES = np.array([INDEX[f"{side}_ankle"] for side in _SIDES])
TOES = np.array([INDEX[f"{side}_toe"] for side in _SIDES])

LEG = BONE["knee"] + BONE["ankle"]
ANKLE_STANDS, TOE_STANDS = 0.13, 0.07  # metres above the floor below which a joint may stand
STANDS_SLOWER = 0.25  # metres a second
STEPS_PER_SECOND = 2.0 * STEPS_PER_BEAT  # at 120 BPM, as all speeds of motion in musical time are told


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
    length = BONE["toe"]
    height = np.clip(foot[..., 1], -0.95 * length, 0.95 * length)
    level = foot * (1.0, 0.0, 1.0)
    level = unit(level) * np.sqrt(length**2 - height**2)[..., None]
    level[..., 1] = height
    return level


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
    far = np.minimum(far, reach)
    line = unit(leg)

    def off_line(v: Floats) -> Floats:
        return v - line * (v * line).sum(-1, keepdims=True)

    side = off_line(positions[:, KNEES] - hips)
    sure = np.clip(np.linalg.norm(side, axis=-1, keepdims=True) / straight, 0, 1)
    side = unit(off_line(sure * unit(side) + (1 - sure) * unit(off_line(feet))))
    thigh, shin = BONE["knee"], BONE["ankle"]
    along = (thigh**2 - shin**2 + far**2) / (2 * np.maximum(far, 1e-9))
    out[:, KNEES] = hips + line * along + side * np.sqrt(np.maximum(thigh**2 - along**2, 0))
    out[:, ANKLES] = hips + leg
    out[:, TOES] = out[:, ANKLES] + feet
    return out
