"""What hangs from a body lags behind it: damped springs that move the hair and skirts of figures.

Three springs follow the crown of the head, the pelvis, and the way that the body faces. Their lag, seven numbers, is
what decoders of figures take; training makes it with the same function, so hair swings in a film as it was learned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SWAY = 7  # numbers: head x y z, pelvis x y z in metres, yaw in radians
STATE = 3 * SWAY  # the lag, how fast the springs move, and where they are drawn to

# Undamped frequency in radians a second and damping ratio of each spring.
_RATE = 2 * np.pi * np.repeat([1.9, 1.7, 1.4], [3, 3, 1])
_DAMPING = np.repeat([0.34, 0.34, 0.30], [3, 3, 1])
_LIMIT = np.repeat([0.30, 0.30, 1.2], [3, 3, 1])  # of the lag
_FASTEST = np.repeat([5.0, 5.0, 14.0], [3, 3, 1])  # metres or radians a second: a faster move is a jump, not a dance

# Places in the skeleton of 21 joints.
_PELVIS, _HEAD = 0, 4
_LEFT, _RIGHT = [5, 13], [9, 17]  # shoulders and hips
_LYING = 0.10  # metres that the line from right to left must be long on the floor to say where the body faces


def start_sway(joints: NDArray[np.floating]) -> NDArray[np.float32]:
    """The state (N, 21) of springs at rest in bodies `joints` (N, 21, 3) metres, x right, y up, z to the viewer."""
    return np.pad(_find_targets(joints, None), ((0, 0), (2 * SWAY, 0))).astype(np.float32)


def step_sway(
    state: NDArray[np.float32], joints: NDArray[np.floating], seconds: float | NDArray[np.floating]
) -> NDArray[np.float32]:
    """Let the springs of N dancers follow their bodies for one step.

    `state` (N, 21) as this function or `start_sway` made it; `joints` (N, 21, 3) metres, the bodies at the end of the
    step; `seconds` that the step lasts, one number or (N,). Gives the new state; its first seven columns are the sway:
    how far the springs of head (3) and pelvis (3) are from their joints in metres, and of the yaw (1) in radians.

    Solves s'' = w² (x - s) - 2 d w s' exactly for a target x that moves evenly, so a dance sways alike at any rate.
    """
    lag, speed, old = (state[:, i * SWAY : (i + 1) * SWAY].astype(np.float64) for i in range(3))
    target = _find_targets(joints, old[:, 6])
    time = np.maximum(np.broadcast_to(np.asarray(seconds, np.float64), len(state)), 1e-4)[:, None]
    moved = target - old
    moved[:, 6] = (moved[:, 6] + np.pi) % (2 * np.pi) - np.pi
    pull = np.clip(moved / time, -_FASTEST, _FASTEST)
    # About the steady lag behind the moving target the spring swings freely.
    steady = -2 * _DAMPING * pull / _RATE
    swing = _RATE * np.sqrt(1 - _DAMPING**2)
    off, drift = lag - steady, speed - pull
    cosine, sine = np.cos(swing * time), np.sin(swing * time)
    fade = np.exp(-_DAMPING * _RATE * time)
    new = steady + fade * (off * cosine + (drift + _DAMPING * _RATE * off) / swing * sine)
    fast = pull + fade * (drift * cosine - (_DAMPING * _RATE * drift + _RATE**2 * off) / swing * sine)
    held = np.clip(new, -_LIMIT, _LIMIT)
    fast = np.where(held == new, fast, pull)
    return np.concatenate([held, fast, target], axis=1).astype(np.float32)


def sway_of(state: NDArray[np.float32]) -> NDArray[np.float32]:
    """The seven numbers (N, 7) of states (N, 21) that a decoder takes."""
    return state[:, :SWAY]


def trace_sway(joints: NDArray[np.floating], seconds: float, loop: bool = False) -> NDArray[np.float32]:
    """Sway (T, 7) through a whole dance `joints` (T, 21, 3), `seconds` a step; of a loop as it is once it has run."""
    state = start_sway(joints[:1])
    for step in range(len(joints) if loop else 0):
        state = step_sway(state, joints[step : step + 1], seconds)
    found = np.empty((len(joints), SWAY), np.float32)
    for step in range(len(joints)):
        state = step_sway(state, joints[step : step + 1], seconds)
        found[step] = sway_of(state)[0]
    return found


def _find_targets(joints: NDArray[np.floating], yaw: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """What the springs of N bodies are drawn to (N, 7): crown, pelvis, and the yaw, 0 when the body faces the viewer.

    A body that lies on its side faces nowhere: it keeps the `yaw` (N,) that it had.
    """
    left = (joints[:, _LEFT] - joints[:, _RIGHT]).sum(axis=1, dtype=np.float64)
    faces: NDArray[np.float64] = np.arctan2(-left[:, 2], left[:, 0])
    kept = np.zeros(len(joints)) if yaw is None else yaw
    faces = np.where(np.hypot(left[:, 0], left[:, 2]) > _LYING, faces, kept)
    return np.concatenate([joints[:, _HEAD], joints[:, _PELVIS], faces[:, None]], axis=1, dtype=np.float64)
