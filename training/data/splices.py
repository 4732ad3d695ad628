"""Splices: the way from one dance into another, as a body would dance it.

A splice leaves a dance where the way over is cheapest, within four beats, and enters another one at the same place of
the phrase, mirrored or not, where pose, velocity and standing feet are nearest. From there the body goes over by
inertialised rotations, the other dance is put where a foot stands in both, feet that stand stay where they are, and
knees follow by two-bone inverse kinematics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.footing import find_footing
from training.data.inertia import inertialise
from training.data.motion.kinematics import Floats
from training.data.motion.legs import (
    HIPS,
    LEG,
    STEPS_PER_SECOND,
    TOES,
    bend_legs,
    find_contacts,
    find_excess,
    smooth_above,
)
from training.data.motion.skeleton import mirror
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, STEPS_PER_LETTER
from visualizer.dancer.transition import Stance, find_stance, find_transition_cost

LETTERS_PER_PHRASE = PHRASE_BEATS * STEPS_PER_BEAT // STEPS_PER_LETTER
AFTER = 96  # steps of a splice that are kept from the cut on; by then what is left of the old dance is a foot's place
SEEN = 8  # steps before the cut from which it is known which feet stand
EXITS = 8  # letters, four beats, among which a dance may be left
FARTHEST_ANCHOR = 0.35  # metres that the pelvis may be pulled by the foot on which both dances stand
REACH, LONGEST = 0.985 * LEG, 0.995 * LEG  # metres: legs that the pelvis sinks for; the longest there is
GENTLY = 4  # steps within which the pelvis sinks
SINKS = 5.0  # steps after the cut in which sinking sets in


@dataclass(frozen=True)
class Source:
    """A dance to splice: `positions` (S, 21, 3) metres on our bones, 16 steps a beat. Sources of one `name` are one
    dance, performed another time; `phase`: letters of a phrase that have passed when it begins; `loops`: whether it
    begins again after its end."""

    name: str
    style: str
    positions: NDArray[np.float32]
    phase: int
    loops: bool

    @property
    def letters(self) -> int:
        return len(self.positions) // STEPS_PER_LETTER

    def steps(self, first: int, count: int, mirrored: bool) -> Floats:
        """Positions (count, 21, 3) from step `first` on, which may lie before the beginning or beyond the end."""
        at = np.arange(first, first + count)
        found = self.positions.take(at, axis=0, mode="wrap" if self.loops else "clip")
        return (mirror(found) if mirrored else found).astype(np.float64)

    def entries(self, place: int) -> NDArray[np.int64]:
        """Letters at which the dance can be entered when `place` letters of the phrase have passed."""
        first = (place - self.phase) % LETTERS_PER_PHRASE
        last = self.letters if self.loops else self.letters - AFTER // STEPS_PER_LETTER
        starts = np.arange(first, last, LETTERS_PER_PHRASE)
        return starts if self.loops else starts[starts > 0]  # its first pose has no velocity


@dataclass(frozen=True)
class Way:
    """From which letter of one source to which letter of another, and which of both are mirrored; `cost` by
    `find_transition_cost`."""

    leave: int
    enter: int
    leave_mirrored: bool
    enter_mirrored: bool
    cost: float


def find_ways(source: Source, other: Source, leave: Sequence[int], mirrored: bool) -> list[Way]:
    """The cheapest entry into `other` for each letter at which `source` may be left; where there is none, none."""
    ways: list[Way] = []
    for letter in leave:
        entries = other.entries((letter + source.phase) % LETTERS_PER_PHRASE)
        leaving = _find_stance(source, np.array([letter]), mirrored)
        for flipped in (False, True):
            # To go on as before is no way over.
            itself = source is other and flipped == mirrored
            free = entries[entries != letter % source.letters] if itself else entries
            if not len(free):
                continue
            costs = find_transition_cost(leaving, _find_stance(other, free, flipped))
            best = int(costs.argmin())
            ways.append(Way(letter, int(free[best]), mirrored, flipped, float(costs[best])))
    cheapest: dict[int, Way] = {}
    for way in ways:
        if way.leave not in cheapest or way.cost < cheapest[way.leave].cost:
            cheapest[way.leave] = way
    return list(cheapest.values())


def find_exits(source: Source, cut: int) -> list[int]:
    """Letters within four beats from `cut` on at which a source may be left: it has come that far by then."""
    return [letter for letter in range(cut, cut + EXITS) if source.loops or letter <= source.letters]


def _find_stance(source: Source, letters: NDArray[np.int64], mirrored: bool) -> Stance:
    """The body as a letter begins: its last step before it, (L, …)."""
    pairs = np.stack([source.steps(letter * STEPS_PER_LETTER - 2, 2, mirrored) for letter in letters])
    return find_stance(pairs[:, 0], pairs[:, 1], 1 / STEPS_PER_SECOND)


def splice(source: Source, other: Source, way: Way, after: int = AFTER) -> NDArray[np.float32]:
    """The body (after, 21, 3) from the cut on, in the room of `source`; before the cut it is `source` itself."""
    before = source.steps(way.leave * STEPS_PER_LETTER - SEEN, SEEN, way.leave_mirrored)
    target = other.steps(way.enter * STEPS_PER_LETTER - 2, after + 2, way.enter_mirrored)
    stood, stands = find_contacts(before)[-1], find_contacts(target)
    target[..., [0, 2]] += _find_anchor(before[-1], target, stood, stands)
    body = inertialise(before[-2:], target)
    footing = find_footing(before[-2:], target, stood, stands)
    excess = find_excess(body[:, HIPS], footing.ankles, REACH).max(axis=1)
    sets_in = np.minimum(1, np.arange(1, after + 1) / SINKS)
    body[..., 1] -= (smooth_above(excess, GENTLY) * sets_in)[:, None]
    return bend_legs(body, footing.ankles, footing.feet, LONGEST).astype(np.float32)


def _find_anchor(last: Floats, target: Floats, stood: NDArray[np.bool_], stands: NDArray[np.bool_]) -> Floats:
    """By how much, (2,) in x and z, the other dance is moved in the room: so that a foot on which both dances stand is
    in one place, of two the one that stands for longer; where there is none, or it is too far, by the pelvis."""
    moved = last - target[1]
    pelvis = moved[0, [0, 2]]
    common = stood & stands[1]
    if not common.any():
        return pelvis
    standing = np.cumprod(stands[1:], axis=0).sum(axis=0)
    anchor = moved[TOES[int(np.argmax(np.where(common, standing, -1)))], [0, 2]]
    return anchor if np.linalg.norm(anchor - pelvis) <= FARTHEST_ANCHOR else pelvis
