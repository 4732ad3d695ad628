"""The last steps of a troupe, and the way between two of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOOK_AHEAD = 2  # steps past the present that a cubic needs


@dataclass(frozen=True)
class Step:
    """The troupe at one step: latents (N, D), places (N,), rows (N,), how much nearer each is than its row (N,), what
    is seen of the stage (see Bodies), and sway (N, 7) and hands (N, 4) of figures."""

    latent: NDArray[np.float32]
    place: NDArray[np.float32]
    depth: NDArray[np.floating]
    near: NDArray[np.float32]
    seen: NDArray[np.floating]  # span, rise, deep
    sway: NDArray[np.float32]
    hands: NDArray[np.float32]


def catmull_rom(a: Any, b: Any, c: Any, d: Any, u: float) -> Any:
    """Cubic through b (u = 0) and c (u = 1) with the slopes of their neighbours (Catmull & Rom, 1974)."""
    return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))


class Steps:
    """The four steps about the present, oldest first."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=LOOK_AHEAD + 2)

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def __getitem__(self, number: int) -> Step:
        return self._steps[number]

    @property
    def last(self) -> Step | None:
        """The latest one, if there is any."""
        return self._steps[-1] if self._steps else None

    @property
    def whole(self) -> bool:
        """Whether there are as many as a picture needs."""
        return len(self._steps) == self._steps.maxlen

    def append(self, step: Step) -> None:
        """One more; the oldest goes."""
        self._steps.append(step)

    def extend(self, latent: NDArray[np.float32], place: NDArray[np.float32], depth: NDArray[np.floating]) -> None:
        """Those have come (M, D), (M,), (M,), and are taken to have stood so all along."""
        for k, s in enumerate(self._steps):
            self._steps[k] = Step(
                np.concatenate([s.latent, latent]), np.concatenate([s.place, place]),
                np.concatenate([s.depth, depth]), np.pad(s.near, (0, len(place))), s.seen,
                *(np.pad(a, ((0, len(place)), (0, 0))) for a in (s.sway, s.hands)),
            )  # fmt: skip

    def keep(self, count: int) -> None:
        """Only the first `count` dancers are left."""
        for k, s in enumerate(self._steps):
            self._steps[k] = Step(
                s.latent[:count], s.place[:count], s.depth[:count], s.near[:count], s.seen, s.sway[:count],
                s.hands[:count],
            )  # fmt: skip

    def replace_latents(self, latent: NDArray[np.float32]) -> None:
        """All have been in the pose (N, D), where each stood."""
        for k, s in enumerate(self._steps):
            self._steps[k] = replace(s, latent=latent)

    def between(self, u: float) -> Step:
        """The troupe from the second of the steps (u = 0) to the third (u = 1)."""
        a, b, c, d = self._steps
        return Step(
            catmull_rom(a.latent, b.latent, c.latent, d.latent, u).astype(np.float32),
            np.asarray(catmull_rom(a.place, b.place, c.place, d.place, u), dtype=np.float32),
            catmull_rom(a.depth, b.depth, c.depth, d.depth, u),
            np.asarray(catmull_rom(a.near, b.near, c.near, d.near, u), dtype=np.float32),
            catmull_rom(a.seen, b.seen, c.seen, d.seen, u),
            np.asarray(catmull_rom(a.sway, b.sway, c.sway, d.sway, u), dtype=np.float32),
            (b.hands + (c.hands - b.hands) * np.float32(u)).astype(np.float32, copy=False),
        )
