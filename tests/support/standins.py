"""A pack in memory whose networks are a few lines of Python each, and note what they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from visualizer.dancer.pack import NamedDance, Pack, Seed

SIZE, LETTERS, HIDDEN = 6, 12, 4
STYLES = ("house", "disco", "free")  # the last has no named dance
DANCES = tuple(
    NamedDance(name, style, beats)
    for name, style, beats in [
        ("jack", 0, 8), ("stomp", 0, 8), ("lofting", 0, 16), ("skate", 0, 4), ("pas de bourree", 0, 8),
        ("point", 1, 8), ("hustle", 1, 16), ("bump", 1, 8),
    ]
)  # fmt: skip
SPREAD = np.linspace(0.5, 2, SIZE).astype(np.float32)
SEEDS = tuple(
    Seed(np.random.default_rng(i).standard_normal(SIZE).astype(np.float32) * SPREAD, i, i % len(STYLES))
    for i in range(9)
)

Inputs = dict[str, np.ndarray]


@dataclass
class Output:
    name: str


class Network:
    """Gives what `make` makes of the inputs, by name, and keeps the inputs."""

    def __init__(self, make: Callable[[Inputs], dict[str, np.ndarray]], outputs: tuple[str, ...]) -> None:
        self.make, self.outputs = make, outputs
        self.given: list[Inputs] = []

    def run(self, names: list[str] | None, given: Inputs) -> list[np.ndarray]:
        self.given.append({name: np.array(array) for name, array in given.items()})
        made = self.make(self.given[-1])
        return [np.array(made[name]) for name in names or self.outputs]

    def get_outputs(self) -> list[Output]:
        return [Output(name) for name in self.outputs]


def write(given: Inputs) -> dict[str, np.ndarray]:
    """A letter by chance; which letters, the dance and the style say. The state counts."""
    kind = given["dance"] @ np.arange(1, len(DANCES) + 1) + 10 * (given["style"] @ np.arange(len(STYLES)))
    letter = (kind + np.floor(given["noise"][:, 0] * 3)).astype(np.int64) % LETTERS
    return {"letter_out": letter, "state_out": given["state"] + 1}


def step(given: Inputs) -> dict[str, np.ndarray]:
    """A quarter of the way to a pose that goes round with the beat, about one that the letter says."""
    angle = np.arange(SIZE) + given["letter"][:, None]
    goal = SPREAD * (np.cos(angle) * given["bar_phase"][:, :1] + np.sin(angle) * given["bar_phase"][:, 1:2])
    latent = given["latent"] + 0.25 * (goal - given["latent"]) + 0.02 * given["noise"]
    travel = 0.3 * given["bar_phase"][:, 2:3]
    return {name: a.astype(np.float32) for name, a in
            {"latent_out": latent, "state_out": given["state"] * 0.5 + 1, "travel": travel}.items()}  # fmt: skip


def decode(given: Inputs) -> dict[str, np.ndarray]:
    """A flat field as high as the first number of the latent."""
    frame = np.zeros((len(given["latent"]), 1, 128, 128), np.float32) + given["latent"][:, :1, None, None]
    return {"frame": frame, "joints": np.full((len(frame), 21, 2), 0.5, np.float32)}


def pack(**changed: Any) -> Pack:
    """The whole pack, with networks of its own; `changed` replaces fields."""
    fields: dict[str, Any] = {
        "name": "stand-in", "folder": Path(), "styles": STYLES, "latent_size": SIZE, "letters": LETTERS,
        "choreographer_state": (1, HIDDEN), "dancer_state": (1, HIDDEN),
        "latent_mean": np.zeros(SIZE, np.float32), "latent_spread": SPREAD, "seeds": SEEDS, "dances": DANCES,
        "limits": {"far": 6.0, "still": 0.01}, "provider": "cpu",
        "decoder": Network(decode, ("frame", "joints")), "choreographer": Network(write, ("letter_out", "state_out")),
        "dancer": Network(step, ("latent_out", "state_out", "travel")), "info": {},
    }  # fmt: skip
    return Pack(**(fields | changed))
