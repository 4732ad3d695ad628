"""What each letter of a pack looks like: the poses that the dancer network goes through when it dances it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pack import STEPS_PER_LETTER, Pack

ROUNDS = 3  # times that each letter is danced: it begins from a mean pose, and the last time it is itself
TOGETHER = 64  # letters in one call
STEPS_BETWEEN = 2  # of the steps of a letter, every so many are compared


class LetterPoses:
    """Poses (K, STEPS_PER_LETTER, D) of all K letters, traced once."""

    def __init__(self, pack: Pack) -> None:
        """Raises what the network raises."""
        self._poses = np.concatenate(
            [_trace(pack, np.arange(k, min(k + TOGETHER, pack.letters))) for k in range(0, pack.letters, TOGETHER)]
        )
        flat = self._poses[:, ::STEPS_BETWEEN].reshape(len(self._poses), -1)
        self._flat, self._size = flat, np.square(flat).sum(axis=1)

    def of(self, letters: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, STEPS_PER_LETTER, D) latents of those letters."""
        return self._poses[letters]

    def nearest(self, moves: NDArray[np.float32]) -> NDArray[np.int64]:
        """Of moves (n, STEPS_PER_LETTER, D), half a beat each, the letters (n,) that are most alike, by the joints."""
        flat = moves[:, ::STEPS_BETWEEN].reshape(len(moves), -1)
        return np.asarray((self._size - 2 * flat @ self._flat.T).argmin(axis=1), np.int64)


def _trace(pack: Pack, letters: NDArray[np.int64]) -> NDArray[np.float32]:
    n, names = len(letters), ["latent_out", "state_out"]
    told = {
        "letter": letters, "next_letter": letters, "bar_phase": np.tile(np.array([0, 1] * 3, np.float32), (n, 1)),
        "energy": np.full((n, 1), 0.6, np.float32), "style": np.zeros((n, len(pack.styles)), np.float32),
        "dance": np.zeros((n, max(1, len(pack.dances))), np.float32),
        "noise": np.zeros((n, pack.latent_size), np.float32),
    }  # fmt: skip
    latent, state = np.tile(pack.latent_mean, (n, 1)), np.zeros((n, *pack.dancer_state), np.float32)
    made = []
    for step in range(ROUNDS * STEPS_PER_LETTER):
        place = np.full((n, 1), step % STEPS_PER_LETTER / STEPS_PER_LETTER, np.float32)
        latent, state = pack.dancer.run(names, {**told, "latent": latent, "state": state, "place": place})
        made.append(latent)
    return np.stack(made[-STEPS_PER_LETTER:], axis=1).astype(np.float32)
