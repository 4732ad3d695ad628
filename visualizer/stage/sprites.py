"""Confetti: pieces of paper thrown from the hands on strong beats.

Where a piece is follows from when and how it was thrown, in musical time, and from nothing else: so a film and a show
of the same dance have the same confetti, at any frame rate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.layout import find_spots

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.stage.looks import Confetti
    from visualizer.stage.mood import Mood

Doubles = NDArray[np.float64]

HANDS = (8, 12)  # joints of the skeleton
ENOUGH = 0.28  # strength of a beat on which pieces are thrown
MOST = 700  # pieces in the air
DRAG = 0.42  # 1/beat: paper soon falls at an even pace
SHRINK = 1.5  # beats in which a piece at its end goes
SWING = 0.018  # frame widths that a falling piece swings to and fro


def hands_of(picture: Bodies) -> Doubles:
    """(N, 2, 2) where the hands are, frame widths from the middle and from the frame's top.

    Without joints: the upper corners of the box about the figure.
    """
    place = picture.place.astype(np.float64)
    if picture.joints is not None:
        hands = picture.joints[:, HANDS, :].astype(np.float64)
    else:
        hands = np.full((len(place), 2, 2), 0.5)
        for k, field in enumerate(picture.frames[:, 0]):
            rows, columns = np.nonzero(field < 0)
            if len(rows):
                left, right, top = columns.min(), columns.max(), rows.min()
                hands[k] = (np.array([[left, top], [right, top]]) + 0.5) / FRAME_SIZE
    if picture.depth is None:
        hands[..., 0] += place[:, None] - 0.5
        return hands
    for hand, spot in zip(hands, find_spots(picture), strict=True):
        hand[:] = hand * spot.scale + (spot.left, spot.top)
    return hands


class Sprites:
    """All pieces that are in the air."""

    def __init__(self) -> None:
        self._pieces = np.zeros((0, 11))  # born, x, y, vx, vy, size, spin, tilt, phase, colour, floor

    def throw(self, picture: Bodies, spec: Confetti, mood: Mood, musical_time: float) -> None:
        """New pieces for the beats that have just been; those that lie long enough are swept away."""
        alive = (musical_time >= self._pieces[:, 0] - 1) & (musical_time < self._pieces[:, 0] + spec.beats)
        self._pieces = self._pieces[alive]
        for beat, strength in mood.beat_hits:
            if strength < ENOUGH:
                continue
            hands = hands_of(picture).reshape(-1, 2)
            share = min(1.0, 3 / len(hands)) if len(hands) > 2 else 1.0  # a troupe throws less each
            count = max(1, round(spec.pieces * strength * share))
            for number, hand in enumerate(hands):
                rng = np.random.default_rng([mood.number(beat) % 2**31, number])
                self._pieces = np.concatenate([self._pieces, self._thrown(beat, hand, count, spec, rng)])
        self._pieces = self._pieces[-MOST:]

    @staticmethod
    def _thrown(beat: int, hand: Doubles, count: int, spec: Confetti, rng: np.random.Generator) -> Doubles:
        angle = -math.pi / 2 + rng.normal(0, 0.55, count)
        speed = spec.speed * rng.uniform(0.45, 1.25, count)
        return np.stack(
            [
                np.full(count, float(beat)),
                np.full(count, hand[0]),
                np.full(count, hand[1]),
                speed * np.cos(angle),
                speed * np.sin(angle),
                spec.size * rng.uniform(0.6, 1.25, count),
                rng.uniform(-2.2, 2.2, count),
                rng.uniform(1.0, 2.6, count),
                rng.uniform(0, 2 * math.pi, count),
                rng.integers(0, len(spec.stops), count).astype(float),
                FLOOR + rng.uniform(-0.07, 0.07, count),
            ],
            axis=1,
        )

    def draw(self, spec: Confetti, musical_time: float) -> tuple[Doubles, NDArray[np.int64]]:
        """(M, 4, 2) corners on the stage, frame widths, and (M,) the number of the colour of each piece."""
        born, x, y, vx, vy, size, spin, tilt, phase, colour, floor = self._pieces.T
        age = np.maximum(musical_time - born, 0)
        fade = -np.expm1(-DRAG * age) / DRAG  # a throw with drag: the integral of exp(-DRAG t)
        fall = spec.weight / DRAG * (age - fade)
        down = y + vy * fade + fall
        lies = down >= floor
        # Lying pieces stay where they came down: the age at which they did, by Newton on a curve that only steepens.
        landed = age.copy()
        for _ in range(6):
            soft = -np.expm1(-DRAG * landed) / DRAG
            pace = vy * np.exp(-DRAG * landed) + spec.weight * soft
            over = y + vy * soft + spec.weight / DRAG * (landed - soft) - floor
            landed = np.where(lies & (pace > 1e-3), np.clip(landed - over / np.maximum(pace, 1e-3), 0, age), landed)
        age = np.where(lies, landed, age)
        fade = -np.expm1(-DRAG * age) / DRAG
        across = x + vx * fade + SWING * np.minimum(age, 1) * np.sin(2.1 * age * tilt + phase)
        down = np.where(lies, floor, down)
        left = np.clip((born + spec.beats - musical_time) / SHRINK, 0, 1) * size
        angle = spin * age * 2 + phase
        flat = np.where(lies, 0.35, 0.25 + 0.75 * np.abs(np.cos(math.pi * tilt * age + phase)))
        along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (0.5 * left)[:, None]
        along[lies, 1] = 0
        side = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * (0.34 * left * flat)[:, None]
        side[lies] = np.stack([0 * left, 0.34 * left * flat], axis=1)[lies]
        middle = np.stack([across, down], axis=1)
        corners = [middle - along - side, middle + along - side, middle + along + side, middle - along + side]
        return np.stack(corners, axis=1), colour.astype(np.int64)
