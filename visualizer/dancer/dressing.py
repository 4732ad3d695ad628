"""What figures are drawn by besides the body: who each dancer is, what hangs and lags behind, and how hands are held.

The networks for the dance know nothing of it. Sway follows from the bodies that they make (`sway.py`), hands from the
letters that are danced: the pack has a mean hand for each. Both are carried from step to step like the latents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.networks.contract import GRID, HANDS_SIZE, SWAY_SIZE

from .body_space import BodySpace
from .pack import FLOOR, FRAME_METRES, Pack
from .pack_figures import PackFigures
from .sway import start_sway, step_sway, sway_of

HAND_STEPS = 2.5  # time constant with which hands come into the shape of a letter, steps
LEAST_CELLS = 4  # columns and rows of a box


@dataclass(frozen=True)
class Dress:
    """Of N dancers: shares of the figures `figure` (N, F), `sway` (N, 7) as it is seen, `hands` (N, 4)."""

    figure: NDArray[np.float32]
    sway: NDArray[np.float32]
    hands: NDArray[np.float32]


def plain_dress(figure: NDArray[np.float32], count: int) -> Dress:
    """`count` bodies who are those figures (M, F) in turn, with nothing that sways, and open hands."""
    figure, n = figure[np.arange(count) % len(figure)], count
    return Dress(figure, np.zeros((n, SWAY_SIZE), np.float32), np.zeros((n, HANDS_SIZE), np.float32))


class Dressing:
    """Sway and hands of a troupe, step by step. A pack without figures has neither: all stays at rest."""

    def __init__(self, pack: Pack, count: int) -> None:
        self._space, self._figures = pack.body, pack.figures
        self._sway: NDArray[np.float32] | None = None  # (M, 21) states of the springs of those who have danced
        self._place = np.zeros((count, 3))  # where the crop has gone, metres
        self._hands = np.zeros((count, HANDS_SIZE), np.float32)

    @property
    def hands(self) -> NDArray[np.float32]:
        """(N, 4) how hands are held."""
        return self._hands.copy()

    def resize(self, count: int) -> None:
        """That many dance; those who come begin at rest."""
        kept = min(count, len(self._hands))
        more = count - kept
        self._hands = np.pad(self._hands[:kept], ((0, more), (0, 0)))
        self._place = np.pad(self._place[:kept], ((0, more), (0, 0)))
        if self._sway is not None:
            self._sway = self._sway[:kept]

    def step(
        self, latent: NDArray[np.float32], moved: NDArray[np.floating], letter: NDArray[np.int64], seconds: float
    ) -> NDArray[np.float32]:
        """A step of `seconds` to `latent` (N, D), the bodies as they are shown, feet held, in the letters (N,): sway
        (N, 7) in the room. `moved` (N, 2): metres that the crop has gone, to the right and towards the viewer, as
        `FootLock.step` is told."""
        n = len(latent)
        if self._figures is None or self._space is None:
            return np.zeros((n, SWAY_SIZE), np.float32)
        self._place[:, ::2] += moved
        bodies = self._space.joints(latent) + self._place[:, None]
        known = 0 if self._sway is None else len(self._sway)
        begun = start_sway(bodies[known:])
        state = begun if self._sway is None else np.concatenate([self._sway, begun])
        self._sway = step_sway(state, bodies, seconds)
        wanted = self._figures.hands[letter]
        self._hands += (wanted - self._hands) * np.float32(1 - math.exp(-1 / HAND_STEPS))
        return sway_of(self._sway)


def turn_sway(sway: NDArray[np.float32], yaw: NDArray[np.floating]) -> NDArray[np.float32]:
    """Sway (N, 7) as a camera sees it that has walked round by `yaw` (N,) degrees, as `BodySpace.turn` turns bodies."""
    angle = np.radians(np.asarray(yaw, np.float32))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = sway.copy()
    for x, z in ((0, 2), (3, 5)):
        turned[:, x] = sway[:, x] * cos + sway[:, z] * sin
        turned[:, z] = sway[:, z] * cos - sway[:, x] * sin
    return turned


@dataclass(frozen=True)
class Box:
    """Cells of the frame in which a figure is drawn: the first `column` and `row`, and how many."""

    column: int
    row: int
    columns: int
    rows: int

    @property
    def grid(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Centres of the columns (1, W) and of the rows (1, H), as the network takes them."""
        x = np.arange(self.column, self.column + self.columns, dtype=np.float32) + np.float32(0.5)
        y = np.arange(self.row, self.row + self.rows, dtype=np.float32) + np.float32(0.5)
        return x[None], y[None]


def find_boxes(
    space: BodySpace, figures: PackFigures, latent: NDArray[np.float32], figure: NDArray[np.float32]
) -> list[Box]:
    """The box about each of latents (N, D) of figures (N, F): the joints, and what a figure reaches beyond them."""
    joints = space.joints(latent)
    x, y = joints[..., 0] / FRAME_METRES + 0.5, FLOOR - joints[..., 1] / FRAME_METRES
    margins = np.array([person.margin for person in figures.people])
    # Of one who turns into another, the wider of both.
    margin = np.where(figure[..., None] > 0, margins, -np.inf).max(axis=1)  # (N, 3)
    low = np.stack([x.min(1) - margin[:, 0], y.min(1) - margin[:, 1]], axis=1) * GRID
    high = np.stack([x.max(1) + margin[:, 0], y.max(1) + margin[:, 2]], axis=1) * GRID
    first = np.clip(np.floor(np.nan_to_num(low)), 0, GRID - LEAST_CELLS).astype(int)
    last = np.clip(np.ceil(np.nan_to_num(high)), first + LEAST_CELLS, GRID).astype(int)
    return [Box(a, b, c - a, d - b) for (a, b), (c, d) in zip(first.tolist(), last.tolist(), strict=True)]
