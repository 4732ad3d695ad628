"""What hair and skirts lag behind the body: damped springs on the head, the pelvis and the hips' heading.

Seven numbers a body: how far a weight on a spring is from the head (x, y, z) and from the pelvis (x, y, z), metres, and
how far it has turned less than the hips, radians. A figure's hair and cloth follow them; see `docs/packs.md`. The same
function makes them live and in training. The weights feel the room, not the crop: what the crop was moved by is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SWAY_SIZE = 7
HEAD, PELVIS, YAW = slice(0, 3), slice(3, 6), slice(6, 7)
JUMP = 1.0  # metres, or radians, in one step: nobody moved so far, another pose was begun with

_RATE = 2 * math.pi * np.array([2.0] * 3 + [1.7] * 3 + [1.7])  # radians a second of each spring
_DAMPING = np.array([0.32] * 3 + [0.32] * 3 + [0.30])  # share of critical damping
_HEAD_JOINT, _PELVIS_JOINT, _LEFT_HIP, _RIGHT_HIP = 4, 0, 13, 17  # see training.data.motion.skeleton
_LIMITS = ((HEAD, 0.25), (PELVIS, 0.25), (YAW, 1.2))  # what is larger is bent towards it


@dataclass(frozen=True)
class SwayState:
    """Springs of N bodies, (N, 7) each: `lag` metres and radians behind the body, `speed` of the weights in the room a
    second, `at` where head, pelvis and heading were, about the crop."""

    lag: NDArray[np.float64]
    speed: NDArray[np.float64]
    at: NDArray[np.float64]

    @property
    def sway(self) -> NDArray[np.float32]:
        """(N, 7) what is drawn: the lag, within what cloth can do."""
        bent = self.lag.copy()
        for part, most in _LIMITS:
            length = np.linalg.norm(bent[:, part], axis=1, keepdims=True)
            bent[:, part] *= most * np.tanh(length / most) / np.maximum(length, 1e-9)
        return bent.astype(np.float32)


def _targets(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Head, pelvis and heading of bodies (N, 21, 3): (N, 7)."""
    joints = np.asarray(joints, np.float64)
    hips = joints[:, _LEFT_HIP] - joints[:, _RIGHT_HIP]
    heading = np.arctan2(-hips[:, 2:], hips[:, :1])
    return np.concatenate([joints[:, _HEAD_JOINT], joints[:, _PELVIS_JOINT], heading], axis=1)


def begin_sway(joints: NDArray[np.floating]) -> SwayState:
    """Springs at rest on bodies (N, 21, 3), metres about the crop."""
    at = _targets(joints)
    return SwayState(np.zeros_like(at), np.zeros_like(at), at)


def step_sway(
    state: SwayState, joints: NDArray[np.floating], seconds: float, moved: NDArray[np.floating] | None = None
) -> SwayState:
    """The springs of N bodies one step of `seconds` later, at joints (N, 21, 3) about the crop.

    `moved` (N, 2): metres that the crop went in that step, to the right and towards the viewer. Exact for bodies that
    move evenly within the step, so any length of a step is stable. A body that jumps begins at rest.
    """
    at = _targets(joints)
    way = at - state.at
    way[:, 6] = (way[:, 6] + np.pi) % (2 * np.pi) - np.pi
    if moved is not None:
        way[:, [0, 2]] += moved
        way[:, [3, 5]] += moved
    # With drag in the room, x'' = -w² (x - target) - 2 z w x'. About its rest under an even motion it swings freely.
    pace = way / seconds
    rest = -2 * _DAMPING * pace / _RATE
    swing = _RATE * np.sqrt(1 - _DAMPING**2)
    fade, cos, sin = np.exp(-_DAMPING * _RATE * seconds), np.cos(swing * seconds), np.sin(swing * seconds)
    away, drift = state.lag - rest, state.speed - pace
    pull = (drift + _DAMPING * _RATE * away) / swing
    lag = fade * (away * cos + pull * sin)
    speed = -_DAMPING * _RATE * lag + fade * swing * (pull * cos - away * sin)
    still = (np.abs(way) > JUMP).any(axis=1, keepdims=True)
    return SwayState(np.where(still, 0.0, lag + rest), np.where(still, 0.0, speed + pace), at)


def turn_sway(sway: NDArray[np.float32], yaw: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sway (N, 7) as a camera sees it that has walked round by `yaw` (N,) degrees; see `BodySpace.turn`."""
    angle = np.radians(np.asarray(yaw, np.float32))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = sway.copy()
    for x, z in ((0, 2), (3, 5)):
        turned[:, x] = sway[:, x] * cos + sway[:, z] * sin
        turned[:, z] = sway[:, z] * cos - sway[:, x] * sin
    return turned
