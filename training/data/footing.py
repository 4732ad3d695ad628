"""Where the feet go while one dance becomes another: what stands stays, what is in the air goes to where it is wanted.

A foot's offset from where the new dance has it is frozen while the new dance stands on that foot, and dies away while
the foot is in the air, lifted on its way. A foot that would stand too far off takes a step of its own, one foot after
the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.inertia import decay
from training.data.motion.kinematics import Floats, turn_about_y
from training.data.motion.legs import ANKLES, STEPS_PER_SECOND, TOES, place_foot

FOOT_RATE = 12.0  # a second, of offsets in the air: a foot gets there before the body does
FARTHEST = 0.05  # metres that a foot may stand off its place; farther, a step is put in
FARTHEST_TURN = 0.5  # radians
STEP = 7  # steps of motion that a step of the foot takes: 0.2 seconds
LIFT = 0.05  # metres by which a foot on its way is lifted, the heel more than the toe
HEEL = 1.2
CLEARS = 0.3  # metres by which a foot is lifted that has a metre to go, at most `LIFT`
LANDED = 0.015  # metres above its place at which a foot is down
FASTEST = 6.0  # metres, or radians, a second that an offset may begin with


@dataclass(frozen=True)
class Footing:
    """Where both feet are wanted: `ankles` (N, 2, 3) in the room, and `feet` (N, 2, 3) from ankle to toe; `steps`: how
    many steps were put in."""

    ankles: Floats
    feet: Floats
    steps: int


def find_footing(
    before: Floats, after: Floats, stood: NDArray[np.bool_], stands: NDArray[np.bool_]
) -> Footing:  # fmt: skip
    """Lead the feet from `before` (2, 21, 3) into the motion `after` (2 + N, 21, 3), which has the two steps before its
    entry. `stood` (2,): which feet stood last; `stands` (2 + N, 2): which ones the motion stands on."""
    was, wanted = _read_feet(before), _read_feet(after)
    gap = was - wanted[:2]
    gap[..., 2] = _wrap(gap[..., 2])
    speed = gap[1] - gap[0]
    speed[:, 2] = _wrap(speed[:, 2])
    speed = np.clip(speed * STEPS_PER_SECOND, -FASTEST, FASTEST)
    offset, lift = np.zeros((len(after) - 2, 2, 5)), np.zeros((len(after) - 2, 2))
    free, steps = 0, 0
    # The foot that is farther off steps first; the other one waits until it is down.
    for foot in np.argsort(-np.linalg.norm(gap[1, :, :2], axis=-1)):
        offset[:, foot], lift[:, foot], free, put_in = _lead_foot(
            gap[1, foot], speed[foot], bool(stood[foot]), stands[2:, foot], free
        )
        steps += put_in
    return _place(after[2:], offset, lift, steps)


def _wrap(angle: Floats) -> Floats:
    return np.arctan2(np.sin(angle), np.cos(angle))


def _read_feet(positions: Floats) -> Floats:
    """Feet (T, 2, 5): x and z of the toe, heading in radians, heights of toe and ankle."""
    toe, ankle = positions[:, TOES], positions[:, ANKLES]
    along = toe - ankle
    heading = np.arctan2(along[..., 0], along[..., 2])
    return np.stack([toe[..., 0], toe[..., 2], heading, toe[..., 1], ankle[..., 1]], axis=-1)


def _lead_foot(
    offset: Floats, speed: Floats, stood: bool, stands: NDArray[np.bool_], free: int
) -> tuple[Floats, Floats, int, int]:
    """Lead one foot: its `offset` (5,) and `speed` (5,) at the entry, `stands` (N,) -> offsets (N, 5), by how much it
    is lifted besides (N,), when the next step of any foot may begin, not before `free`, and how many were put in."""
    count = len(stands)
    out, lift = np.zeros((count, 5)), np.zeros(count)
    left = np.zeros(count, dtype=np.int64)  # for how many more steps the foot stands
    for n in reversed(range(count)):
        left[n] = 1 + (left[n + 1] if n + 1 < count else 0) if stands[n] else 0
    begun, whole, steps = -1, offset, 0
    away = float(np.hypot(*offset[:2]))  # metres that the foot had to go when it left the floor
    for n in range(count):
        near = decay(offset, speed, FOOT_RATE, 1)[0]
        # The derivative of the spring: v - r (v + r x) t, with the same decay.
        slower = speed - FOOT_RATE * (speed + FOOT_RATE * offset) / STEPS_PER_SECOND
        speed = np.exp(-FOOT_RATE / STEPS_PER_SECOND) * slower
        down = stood if n == 0 else offset[3] + lift[n - 1] < LANDED or (stood and n < 2)
        if begun < 0 and stands[n] and down:
            far = np.hypot(*offset[:2]) > FARTHEST or abs(offset[2]) > FARTHEST_TURN
            if far and left[n] >= STEP and n >= free:
                begun, whole, free, steps = n, offset[:3].copy(), n + STEP + 1, steps + 1
            else:
                near[:3] = offset[:3]
                speed[:3] = 0
                away = float(np.hypot(*offset[:2]))
        elif begun < 0:  # what goes to another place does not slide there
            share = min(1.0, float(np.hypot(*near[:2])) / max(away, 1e-9))
            lift[n] = min(LIFT, CLEARS * away) * 4 * share * (1 - share)
        if begun >= 0:
            u = (n - begun + 1) / STEP
            near[:3] = whole[:3] * (1 - u**3 * (10 - 15 * u + 6 * u * u))
            speed[:3] = 0
            lift[n] = LIFT * 16 * (u * (1 - u)) ** 2
            begun = begun if u < 1 else -1
        offset = out[n] = near
    return out, lift, free, steps


def _place(after: Floats, offset: Floats, lift: Floats, steps: int) -> Footing:
    """Add offsets (N, 2, 5) and lifts (N, 2) to the feet of a motion (N, 21, 3)."""
    toe, foot = after[:, TOES].copy(), after[:, ANKLES] - after[:, TOES]
    toe[..., [0, 2]] += offset[..., :2]
    toe[..., 1] = np.maximum(toe[..., 1] + offset[..., 3] + lift, 0)
    height = after[:, ANKLES, 1] + offset[..., 4] + HEEL * lift
    foot = np.einsum("tsij,tsj->tsi", turn_about_y(offset[..., 2]), foot)
    foot[..., 1] = height - toe[..., 1]
    feet = -place_foot(foot)
    return Footing(toe - feet, feet, steps)
