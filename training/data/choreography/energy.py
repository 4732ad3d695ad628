"""How much energy a dance has, computed from its movement: a quiet one suits a break, a large one the drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from training.data.choreography.dance import Dance, perform

STEPS = 16  # frames a beat


@dataclass(frozen=True)
class EnergyFigure:
    """`speed`: mean speed of all joints, metres a beat. `size`: root mean square distance, metres, of the joints from
    where they are on average over the dance, seen from the pelvis (travel is speed, not size): a slow dance with wide
    reaches is larger than fast small steps."""

    speed: float
    size: float

    @property
    def energy(self) -> float:
        """The geometric mean of both: twice as fast counts as much as twice as large."""
        return float(np.sqrt(self.speed * self.size))


def measure_energy(dance: Dance, energy: float = 0.5) -> EnergyFigure:
    """Speed and size of one round of a dance as it is written, danced at `energy` 0..1."""
    joints = perform(dance, energy, STEPS).positions.astype(np.float64)
    speed = np.linalg.norm(np.roll(joints, -1, 0) - joints, axis=-1).mean() * STEPS
    shape = joints - joints[:, :1] * [1, 0, 1]
    size = np.sqrt(((shape - shape.mean(0)) ** 2).sum(-1).mean())
    return EnergyFigure(float(speed), float(size))


def rank_energy(dances: Sequence[Dance]) -> dict[str, float]:
    """Rank of each dance's energy among `dances` by its name: 0 the quietest, 1 the largest; equals share a rank."""
    ranks = rank([measure_energy(d).energy for d in dances])
    return {d.name: r for d, r in zip(dances, ranks, strict=True)}


def rank(energies: Sequence[float]) -> list[float]:
    """Rank of each among all, from 0 to 1; equals share a rank, and one alone is in the middle."""
    if len(energies) < 2:
        return [0.5] * len(energies)
    return [float(r - 1) / (len(energies) - 1) for r in rankdata(energies)]
