"""From people in pictures to guests: bodies on our bones, followed from picture to picture and smoothed.

Directions of bones are kept and lengths are ours. A camera does not say where the floor is: it is where the lower foot
has been of late, so a jump is seen, and somebody who comes nearer does not sink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.fit_body import BodyFit
from visualizer.camera.landmarker import POINT, Person
from visualizer.camera.one_euro import OneEuro
from visualizer.dancer.bones import MIRROR
from visualizer.dancer.guest_body import MOST_GUESTS, find_lift

Floats = NDArray[np.float64]

# Of the One Euro filter: hertz at rest, hertz more for each metre a second, hertz of the speed.
LEAST, BETA, SPEED = 2.0, 5.0, 4.0
LOST = 1.0  # seconds after which somebody who was not seen is somebody new
LEAP = 0.6  # heights that a person may have moved from one picture to the next
TINY = 0.12  # of the picture's height: who is smaller is not before the camera but somewhere behind
HALF_SEEN = 0.5  # of what is likely to be seen: a body less sure than that is a guess
GROUND_SECONDS = 3.0  # time constant in which the floor follows feet that stay above it
HARDLY = 0.06  # metres off the floor that are taken for an error, not for a jump
HIGHEST = 0.5  # metres that anybody jumps
_HIPS = [POINT["left_hip"], POINT["right_hip"]]
_TRUNK = [*_HIPS, POINT["left_shoulder"], POINT["right_shoulder"]]
_LEGS = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]
_FEET = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")]


@dataclass(frozen=True)
class Seen:
    """One guest in one picture: `joints` (21, 3) metres and their `speed` (21, 3) metres a second; for the rest see
    `GuestBody`."""

    slot: int
    joints: Floats
    speed: Floats
    place: float
    legs: float


@dataclass
class _Slot:
    """Somebody who is followed."""

    filter: OneEuro = field(default_factory=lambda: OneEuro(LEAST, BETA, SPEED))
    fit: BodyFit = field(default_factory=BodyFit)
    seconds: float = -math.inf  # when they were seen last
    middle: Floats = field(default_factory=lambda: np.zeros(2))  # of their hips then, pixels
    height: float = 1.0  # pixels
    ground: float = math.nan  # height of the floor in the picture, pixels from above
    legs: float = 0.0
    place: float = 0.0


class Follower:
    """Follows up to `MOST_GUESTS` people."""

    def __init__(self) -> None:
        self._slots = [_Slot() for _ in range(MOST_GUESTS)]

    def push(self, people: list[Person], size: tuple[int, int], seconds: float) -> list[Seen]:
        """The guests in a picture of `size` (width, height) that was taken at `seconds`, which grow."""
        there = [p for p in people if _height(p) > TINY * size[1] and p.sure[_TRUNK].min() > HALF_SEEN]
        seen = []
        for slot, person in self._assign(there, seconds):
            seen.append(self._follow(slot, person, size, seconds))
        return sorted(seen, key=lambda each: each.slot)

    def _assign(self, people: list[Person], seconds: float) -> list[tuple[int, Person]]:
        """Who is who: the nearest to where each was seen last; others take a slot that is free."""
        free = [k for k, slot in enumerate(self._slots) if seconds - slot.seconds > LOST]
        taken = [k for k in range(len(self._slots)) if k not in free]
        pairs = sorted(
            (float(np.linalg.norm(_middle(p) - self._slots[k].middle)) / self._slots[k].height, k, i)
            for k in taken
            for i, p in enumerate(people)
        )
        found: dict[int, int] = {}
        for apart, slot, number in pairs:
            if apart < LEAP and slot not in found and number not in found.values():
                found[slot] = number
        rest = [i for i in range(len(people)) if i not in found.values()]
        rest.sort(key=lambda i: -_height(people[i]))
        for slot, number in zip(free, rest, strict=False):
            self._slots[slot] = _Slot()
            found[slot] = number
        return [(slot, people[number]) for slot, number in found.items()]

    def _follow(self, number: int, person: Person, size: tuple[int, int], seconds: float) -> Seen:
        slot = self._slots[number]
        is_new, passed = math.isinf(slot.seconds), min(seconds - slot.seconds, LOST)
        slot.seconds, slot.middle, slot.height = seconds, _middle(person), _height(person)
        legs = float(np.clip(2 * person.sure[_LEGS].mean() - HALF_SEEN, 0, 1))
        inside = float(np.mean(person.points[_FEET, 1] < size[1]))  # feet below the picture are guesses
        legs *= inside
        slot.legs = legs if is_new else slot.legs + (legs - slot.legs) * (1 - math.exp(-passed / 0.3))
        joints = slot.fit.push(person, 0.0 if is_new else passed, slot.legs > HALF_SEEN)[MIRROR] * (-1.0, 1.0, 1.0)
        metre, lowest = slot.fit.metre, float(person.points[_FEET, 1].max())
        if math.isnan(slot.ground) or lowest > slot.ground:
            slot.ground = lowest
        slot.ground += (lowest - slot.ground) * (1 - math.exp(-passed / GROUND_SECONDS)) if not is_new else 0.0
        rise = float(np.clip((slot.ground - lowest) / metre - HARDLY, 0, HIGHEST))
        joints[:, 1] += rise - find_lift(joints)
        place = (size[0] / 2 - float(slot.middle[0])) / metre  # a mirror: what is on the left is on the right
        slot.place = place if is_new else slot.place + (place - slot.place) * (1 - math.exp(-passed / 0.1))
        smooth = slot.filter.push(joints, seconds)
        return Seen(number, smooth, slot.filter.speed, slot.place, slot.legs)


def _middle(person: Person) -> Floats:
    """Where the hips are, pixels."""
    return person.points[_HIPS].mean(axis=0).astype(np.float64)


def _height(person: Person) -> float:
    """Pixels from the highest landmark to the lowest."""
    return max(float(np.ptp(person.points[:, 1])), 1.0)
