"""How a pack's named dances stand at each beat of a phrase, and what it costs to go over from one to another there.

`pack.json` may have it, under "entries"; packs that have not are planned without.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .body_space import LONGEST, BodySpace
from .legs import STEPS_PER_SECOND
from .transition import Stance, find_stance, find_transition_cost

PLACES = 8  # beats of a phrase at which a dance can be entered
KIND = "<f2"  # half precision, which is a millimetre of a joint

# Joints of the mirror image: left and right change places.
_MIRROR = np.array([0, 1, 2, 3, 4, 9, 10, 11, 12, 5, 6, 7, 8, 17, 18, 19, 20, 13, 14, 15, 16])
_ASIDE = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Entries:
    """`stance`: of all G dances at all beats, (G, PLACES, …)."""

    stance: Stance

    def cost_from(self, leave: Stance, dances: Sequence[int], beat: float) -> NDArray[np.float64]:
        """What it costs to go over from one body to each of `dances`, entered at `beat`, mirrored or not: (len,)."""
        enter = self._at(list(dances), beat)
        return np.minimum(find_transition_cost(leave, enter), find_transition_cost(mirror(leave), enter))

    def cost_between(self, dance: int, dances: Sequence[int], beat: float) -> NDArray[np.float64]:
        """The same from where `dance` is then; which of both is mirrored does not matter."""
        return self.cost_from(self._at(dance, beat), dances, beat)

    def _at(self, dances: int | list[int], beat: float) -> Stance:
        place, all_of = int(beat) % PLACES, self.stance
        return Stance(all_of.joints[dances, place], all_of.velocity[dances, place], all_of.stands[dances, place])


def mirror(stance: Stance) -> Stance:
    """Left becomes right."""
    return Stance(
        stance.joints[..., _MIRROR, :] * _ASIDE, stance.velocity[..., _MIRROR, :] * _ASIDE, stance.stands[..., ::-1]
    )


def find_body(
    space: BodySpace, before: NDArray[np.floating], now: NDArray[np.floating], way: NDArray[np.floating]
) -> Stance:
    """The moment of bodies whose latents (…, D) were `before` a step ago and are `now`. Meanwhile the crop went `way`
    (…, 2), metres to the right and towards the viewer."""
    joints = space.joints(np.asarray(now, np.float32)).astype(np.float64)
    joints[..., ::2] += way[..., None, :]
    return find_stance(space.joints(np.asarray(before, np.float32)), joints, 1 / STEPS_PER_SECOND)


def read_entries(value: Any, dances: int, space: BodySpace) -> Entries:
    """Check "entries" of a `pack.json`, with which there are that many `dances`. ValueError with what is wrong."""
    size = space.axes.shape[1]
    wanted = (dances, PLACES, 2 * size + 2)
    try:
        numbers = np.frombuffer(base64.b64decode(value, validate=True), KIND).astype(np.float32)
    except (TypeError, ValueError, binascii.Error):
        numbers = np.zeros(0, np.float32)
    if numbers.size != np.prod(wanted) or not (np.abs(numbers) < LONGEST).all():
        raise ValueError(f"entries must be {' times '.join(map(str, wanted))} numbers in base64")
    before, now, way = np.split(numbers.reshape(wanted), [size, 2 * size], axis=-1)
    return Entries(find_body(space, before, now, way))


def describe_entries(
    before: NDArray[np.floating], now: NDArray[np.floating], way: NDArray[np.floating]
) -> str:  # fmt: skip
    """`read_entries` turned round: latents (G, PLACES, D) a step before each beat and as it begins, and the way of the
    crop meanwhile, (G, PLACES, 2) metres."""
    numbers = np.concatenate([before, now, way], axis=-1)
    return base64.b64encode(numbers.astype(KIND).tobytes()).decode("ascii")
