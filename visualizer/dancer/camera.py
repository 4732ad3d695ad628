"""From where each dancer is seen: a camera that walks round slowly, and dancers of a troupe who face their own way.

Bodies in space alone (packs of format 3) can be seen from the side. The camera stands still unless it is told to move;
then it sets out for another place at some phrase ends, and takes its time. The pictures that the decoder draws are
learned up to `training.data.sampling.WIDEST_YAW`, farther than it goes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .body_space import BodySpace, turn_travel
from .pack import MOST_DANCERS, PHRASE_BEATS, STEPS_PER_BEAT

WIDEST = 45.0  # degrees to either side
MOVES = 0.4  # share of phrase ends at which the camera sets out
FARTHEST = 32.0  # degrees from the front that it goes to by itself
FRONT = 0.4  # share of its moves that lead back to the front
OWN = 14.0  # degrees that each of a troupe faces another way than the camera has it
MOVE_BEATS = 1.5  # time constant of each of two low passes: a move takes about a phrase, and begins and ends gently


class Camera:
    """Yaws of a troupe of N; the same seed and the same steps give the same moves, whatever is danced."""

    def __init__(self, seed: int, troupe: int) -> None:
        self.moves = False  # whether it sets out by itself
        self.held = False  # whether it stays where it is
        self.asked = 0.0  # degrees from which the troupe is seen where nothing moves
        self._random = np.random.default_rng([seed, 45])
        self._goal, self._own = 0.0, np.zeros(MOST_DANCERS)
        # Two low passes, one behind the other, (MOST_DANCERS,) each: all begin where they are wanted.
        self._soon, self._yaw = np.zeros(MOST_DANCERS), np.zeros(MOST_DANCERS)
        self._count = troupe

    @property
    def yaw(self) -> NDArray[np.float32]:
        """(N,) degrees by which the camera has walked round each; see `BodySpace.turn`."""
        return self._yaw[: self._count].astype(np.float32)

    def resize(self, troupe: int) -> None:
        """That many are seen."""
        self._count = troupe

    def reseed(self, seed: int) -> None:
        """Other moves from now on."""
        self._random = np.random.default_rng([seed, 45])

    def step(self, number: int, together: bool) -> None:
        """Step `number`, a sixteenth of a beat. `together`: all face the same way, as in unison."""
        if number % (PHRASE_BEATS * STEPS_PER_BEAT) == 0:
            self._set_out()
        own = np.where(self.moves and not together and self._count > 1, self._own, 0.0)
        wanted = np.clip(self.asked + (self._goal if self.moves else 0.0) + own, -WIDEST, WIDEST)
        share = 1 - math.exp(-1 / (MOVE_BEATS * STEPS_PER_BEAT))
        self._soon += (wanted - self._soon) * share
        self._yaw += (self._soon - self._yaw) * share

    def _set_out(self) -> None:
        """Where a phrase ends: perhaps to another place. The same numbers are drawn whatever comes of them."""
        sets_out, front, goal = self._random.random(3)
        own = self._random.uniform(-OWN, OWN, MOST_DANCERS)
        if self.moves and not self.held and sets_out < MOVES:
            self._goal = 0.0 if front < FRONT else FARTHEST * (2 * goal - 1)
            self._own = own

    def see(
        self, space: BodySpace | None, latent: NDArray[np.float32], travel: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Latents (N, D) and travel (N, 2) as they are seen. Flat bodies (`space` is None) are seen as they are."""
        return self.turn(space, latent), travel if space is None else turn_travel(travel, self.yaw)

    def turn(self, space: BodySpace | None, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latents (N, D) as they are seen."""
        return latent if space is None else space.turn(latent, self.yaw)

    def turn_back(self, way: NDArray[np.float32]) -> NDArray[np.float32]:
        """Ways (N, 2), to the right and towards the viewer, that were seen, as they are in the room."""
        return turn_travel(way, -self.yaw)
