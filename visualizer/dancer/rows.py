"""What is carried from step to step, one row a dancer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pack import Pack, Seed


@dataclass
class Rows:
    """Arrays (N, …) of a troupe of N, in the order in which they came."""

    latent: NDArray[np.float32]  # (N, D)
    before: NDArray[np.float32]  # (N, D) the latent a step ago
    travel: NDArray[np.float32]  # (N, 2) from there, frame widths a beat
    body: NDArray[np.float32]  # (N, …) state of the dancer network
    choreography: NDArray[np.float32]  # (N, …) state of the choreographer
    letter: NDArray[np.int64]  # (N,) danced now
    next_letter: NDArray[np.int64]
    dance: NDArray[np.int64]  # (N,) the plan that the letter belongs to; -1: improvises
    next_dance: NDArray[np.int64]
    style: NDArray[np.int64]
    next_style: NDArray[np.int64]

    def map(self, change: Callable[..., Any], *others: Rows) -> Rows:
        """`change` of each array, and of the arrays of the same name of the others."""
        names = [f.name for f in dataclasses.fields(self)]
        return Rows(**{n: change(getattr(self, n), *(getattr(o, n) for o in others)) for n in names})

    def begin(self, who: int, seed: Seed) -> None:
        """That dancer begins again from a pose of the training data."""
        self.choreography[who] = self.body[who] = 0
        self.latent[who] = self.before[who] = seed.latent
        self.travel[who] = 0
        self.letter[who] = self.next_letter[who] = seed.letter


def begin_rows(pack: Pack, seeds: list[Seed], styles: list[int]) -> Rows:
    """Rows of dancers who begin with a pose of the training data each, in a style each."""
    n = len(seeds)
    letter = np.array([s.letter for s in seeds], dtype=np.int64)
    none, style = np.full(n, -1), np.array(styles, dtype=np.int64)
    latent = np.stack([s.latent for s in seeds])
    return Rows(
        latent=latent, before=latent.copy(), travel=np.zeros((n, 2), np.float32),
        body=np.zeros((n, *pack.dancer_state), dtype=np.float32),
        choreography=np.zeros((n, *pack.choreographer_state), dtype=np.float32),
        letter=letter, next_letter=letter.copy(),
        dance=none, next_dance=none.copy(), style=style, next_style=style.copy(),
    )  # fmt: skip
