"""Legs and feet: which joints they are, what counts as standing, and where the knee is once hip and ankle are known
(two-bone inverse kinematics)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.networks.contract import STEPS_PER_BEAT

Floats = NDArray[np.float64]

# Joints by the numbers of the packs' skeleton, left before right.
HIPS, KNEES, ANKLES, TOES = np.array([13, 17]), np.array([14, 18]), np.array([15, 19]), np.array([16, 20])

ANKLE_STANDS, TOE_STANDS = 0.13, 0.07  # metres above the floor below which a joint may stand
STANDS_SLOWER = 0.25  # metres a second
STEPS_PER_SECOND = 2.0 * STEPS_PER_BEAT  # at 120 BPM, as all speeds of motion in musical time are told
LEAST = 1e-9  # metres; what is shorter has no direction


def dot(a: Floats, b: Floats) -> Floats:
    """Scalar products of vectors (..., 3): (..., 1)."""
    return np.vecdot(a, b)[..., None]


def unit(v: Floats) -> Floats:
    """Vectors (..., 3) scaled to length 1; zero stays zero."""
    return v / np.maximum(np.sqrt(dot(v, v)), LEAST)


def place_foot(foot: Floats, length: Floats | float) -> Floats:
    """Vectors from ankle to toe (..., 3) with the `length` (..., 1) of the foot, their height and heading kept."""
    height = np.minimum(np.maximum(foot[..., 1:2], -0.95 * length), 0.95 * length)
    level = foot.copy()
    level[..., 1] = 0
    level = unit(level) * np.sqrt(np.square(length) - np.square(height))
    level[..., 1:2] = height
    return level


def bend_knees(
    thighs: Floats, legs: Floats, feet: Floats, lengths: tuple[Floats | float, Floats | float], straight: float = 0.04
) -> Floats:
    """Vectors from hip to knee (..., 3) for vectors from hip to ankle (..., 3) that are no longer than the leg.
    `lengths`: of thigh and shin, (..., 1) metres.

    A knee bends to the side to which it bent before, with `thighs` (..., 3) from hip to knee; the straighter the leg
    was, from `straight` metres off the line on down, the more it bends to where the `feet` (..., 3) point.
    """
    far = np.maximum(np.sqrt(dot(legs, legs)), LEAST)
    line = legs / far
    side = thighs - line * dot(thighs, line)
    off = np.sqrt(dot(side, side))
    ahead = unit(feet - line * dot(feet, line))
    sure = np.minimum(off / straight, 1)
    side = sure * side / np.maximum(off, LEAST) + (1 - sure) * ahead
    side = unit(side - line * dot(side, line))
    thigh, shin = lengths
    along = (np.square(thigh) - np.square(shin) + far * far) / (2 * far)
    return line * along + side * np.sqrt(np.maximum(np.square(thigh) - along * along, 0))
