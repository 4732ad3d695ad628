"""One body becomes another without a jump: critically damped inertialisation of local rotations.

The new motion plays from the first step on; what the body was off from it, in each rotation and in the place of the
pelvis, dies away like a critically damped spring that starts with the old motion's momentum (Bollo, "Inertialization:
High-performance animation transitions in Gears of War", GDC 2018; springs instead of his quintics, which linger).
Rotations and not positions, so that bones keep their lengths on the way.
"""

from __future__ import annotations

import numpy as np

from training.data.motion.kinematics import Floats, find_rotations, from_vectors, place_joints, to_vectors
from training.data.motion.legs import STEPS_PER_SECOND

BODY_RATE = 9.0  # a second: after half a second 6% is left. 14 jerks, and a quintic of a beat and a half lingers
FASTEST_TURN = 8.0  # radians a second that an offset may begin with: swings that flip are no momentum
FLIP = 1.0  # radians in a step: no bone turns so fast, but the shortest rotation changes its axis


def decay(offset: Floats, speed: Floats, rate: float, steps: int) -> Floats:
    """What is left of an offset (…) at steps 1 to `steps` after it was measured: (steps, …).

    A critically damped spring from `offset`, whose change was `speed` a second: e^(-rt) (x + (v + rx) t).
    """
    t = np.arange(1, steps + 1).reshape(-1, *(1 for _ in np.shape(offset))) / STEPS_PER_SECOND
    return np.exp(-rate * t) * (offset + (speed + rate * offset) * t)


def inertialise(before: Floats, after: Floats, rate: float = BODY_RATE) -> Floats:
    """Let a body go over from `before` (2, 21, 3), its last two steps, to `after` (2 + N, 21, 3), a motion in the room
    with the two steps before its entry: (N, 21, 3) that begins as the body would go on and ends as `after` does."""
    place, leaving = find_rotations(before)
    target, entering = find_rotations(after)
    steps = len(after) - 2
    gap = place - target[:2]
    pelvis = target[2:] + decay(gap[1], (gap[1] - gap[0]) * STEPS_PER_SECOND, rate, steps)
    off = to_vectors(leaving @ np.swapaxes(entering[:2], -1, -2))  # (2, 22, 3)
    turned = off[1] - off[0]
    turned = np.where(np.linalg.norm(turned, axis=-1, keepdims=True) > FLIP, 0, turned) * STEPS_PER_SECOND
    speed = np.linalg.norm(turned, axis=-1, keepdims=True)
    turned = turned * np.minimum(1, FASTEST_TURN / np.maximum(speed, 1e-9))
    return place_joints(pelvis, from_vectors(decay(off[1], turned, rate, steps)) @ entering[2:])
