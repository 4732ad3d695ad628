"""What it costs to go over from one moment of a dance to a moment of another: by pose, velocity and standing feet.

The matching of Clavet, "Motion matching and the road to next-gen animation" (GDC 2016). Training chooses by it where
splices leave one dance and enter another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .legs import ANKLE_STANDS, ANKLES, STANDS_SLOWER, TOE_STANDS, TOES, Floats

TRUNK = (0, 1, 2)  # joints by the numbers of the packs' skeleton

# What costs 1: root mean square distance of the joints, and of the ankles, in metres; the
# same of velocities, metres a second; and a foot that stands in one moment alone costs `FOOT`.
APART, FASTER, FOOT = 0.1, 0.6, 1.5
TRUNK_WEIGHT = 1.5  # of a joint of the trunk: a hand catches up faster than a pelvis


@dataclass(frozen=True)
class Stance:
    """Moments of dances, of any shape (…): `joints` (…, 21, 3) metres, x and z about the pelvis, y above the floor;
    `velocity` (…, 21, 3) metres a second in the room; `stands` (…, 2) left and right foot."""

    joints: Floats
    velocity: Floats
    stands: NDArray[np.bool_]

    def split(self) -> list[Stance]:
        """One for each of the first axis."""
        return [Stance(*each) for each in zip(self.joints, self.velocity, self.stands, strict=True)]


def find_stance(before: NDArray[np.floating], now: NDArray[np.floating], seconds: float) -> Stance:
    """The moment `now` of bodies (…, 21, 3) in the room, in metres and y up, which were at `before` `seconds` ago."""
    joints = now.astype(np.float64)
    velocity = (joints - before) / seconds
    speed = np.linalg.norm(velocity, axis=-1)
    ankles = (joints[..., ANKLES, 1] < ANKLE_STANDS) & (speed[..., ANKLES] < STANDS_SLOWER)
    toes = (joints[..., TOES, 1] < TOE_STANDS) & (speed[..., TOES] < STANDS_SLOWER)
    return Stance(joints - joints[..., :1, :] * (1.0, 0.0, 1.0), velocity, ankles | toes)


def find_transition_cost(leave: Stance, enter: Stance) -> Floats:
    """Costs (…) of going from `leave` to `enter`, whose shapes are broadcast: 0 from a moment to itself, about 1 for
    each of: joints 10 cm apart, ankles 10 cm apart, velocities 0.6 m/s apart; 1.5 for a foot that stands in one."""
    apart = np.square(leave.joints - enter.joints).sum(-1)
    weights = np.ones(apart.shape[-1])
    weights[list(TRUNK)] = TRUNK_WEIGHT
    faster = np.square(leave.velocity - enter.velocity).sum(-1)
    return (
        ((apart * weights).mean(-1) + apart[..., ANKLES].mean(-1)) / APART**2
        + faster.mean(-1) / FASTER**2
        + FOOT * (leave.stands != enter.stands).sum(-1)
    )
