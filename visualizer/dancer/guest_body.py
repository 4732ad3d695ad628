"""A person before the camera, as a body of the packs, and bodies that are a part one and a part another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .bones import BONES, CHAINS, LENGTHS
from .legs import ANKLES, TOES, dot

Floats = NDArray[np.float64]

MOST_GUESTS = 2
LEGS = np.array([joint >= 13 for joint in BONES[:, 1]])  # (20,) the bones below the pelvis, hips among them
_FEET = np.concatenate([ANKLES, TOES])
_SOLE = np.array([0.08, 0.08, 0.03, 0.03])  # metres above the floor of ankles and toes of a foot that stands
_CHAINS = CHAINS.astype(np.float64)


@dataclass(frozen=True)
class GuestBody:
    """One person now, as a mirror shows them. `slot`: whom of those that are followed; `joints` (21, 3) metres, x to
    the right and z towards the viewer about the pelvis, y above the floor; `place`: metres right of the middle of the
    camera's picture; `legs`, 0..1: how surely the legs are seen."""

    slot: int
    joints: Floats
    place: float = 0.0
    legs: float = 1.0


class GuestFeed(Protocol):
    """Where guests come from."""

    def look(self) -> tuple[GuestBody, ...]: ...


def find_lift(joints: Floats) -> float:
    """Metres by which the lower foot of a body (21, 3) is above the floor; below 0: it is in it."""
    return float((joints[_FEET, 1] - _SOLE).min())


def mix_bodies(own: Floats, other: Floats, share: float, legs: float = 1.0) -> Floats:
    """The body `own` (21, 3) with so much of the `other` in it, 0..1: bones keep their lengths, feet their height above
    the floor. `legs`: that share again of the other's legs; those of one whose legs are not seen stay its own."""
    shares = np.where(LEGS, share * legs, share)[:, None]
    bones = [body[BONES[:, 1]] - body[BONES[:, 0]] for body in (own, other)]
    mixed = bones[0] + shares * (bones[1] - bones[0])
    size = np.sqrt(dot(mixed, mixed))
    # Two bones that point opposite ways have nothing between them: the larger share decides.
    mixed = np.where(size < 0.05, np.where(shares > 0.5, bones[1], bones[0]), mixed)
    mixed *= LENGTHS[:, None] / np.maximum(np.sqrt(dot(mixed, mixed)), 1e-6)
    pelvis = own[0] + share * (other[0] - own[0])
    body = pelvis + _CHAINS @ mixed
    stands = find_lift(own) + share * legs * (find_lift(other) - find_lift(own))
    body[:, 1] += stands - find_lift(body)
    return body
