"""Lets a show run in auto mode through an evening of music, and keeps what is danced at each step.

The music is a programme of sections as dance music has them, and what the show hears of it lags behind as the live
analysis does. The show is the one that runs at a party; only nothing is drawn.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.evaluate.metrics import BPM
from training.evaluate.studio import Danced, Studio
from visualizer.auto import Auto
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import STEPS_PER_BEAT
from visualizer.moment import Bodies
from visualizer.music.clock import Hearing
from visualizer.show import Show, ShowPlan

# Level of each kind of section from its begin to its end: where the live analysis ranks it within two minutes.
LEVELS = {"groove": (0.5, 0.5), "break": (0.15, 0.15), "build": (0.3, 0.7), "drop": (0.9, 0.9)}
ORDER = ("groove", "break", "build", "drop")
BEATS = {"groove": (32, 64), "break": (16, 32), "build": (16,), "drop": (32, 64)}  # lengths that a section may have

HEARD_SECONDS = (1.0, 0.6)  # the live analysis averages over a second, and takes up a new rank in 0.6


@dataclass(frozen=True)
class Music:
    """One evening, a row a step. `section`: number in ORDER; `level`: energy as it is played; `heard`: as the show
    hears it, later and smoother. All (S,)."""

    section: NDArray[np.int64]
    level: NDArray[np.float64]
    heard: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.level)


def lag_behind(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is heard of a level (S,): two first-order lags of HEARD_SECONDS, from the first value on."""
    heard = level.astype(np.float64)
    for seconds in HEARD_SECONDS:
        share = 1 - math.exp(-60 / (BPM * STEPS_PER_BEAT * seconds))
        now, out = heard[0], []
        for value in heard.tolist():
            now += (value - now) * share
            out.append(now)
        heard = np.array(out)
    return heard


def compose_evening(minutes: float, seed: int) -> Music:
    """Sections in ORDER round and round, of lengths by chance, at 120 beats a minute."""
    rng = np.random.default_rng([seed, 1])
    steps = round(minutes * BPM) * STEPS_PER_BEAT
    sections: list[NDArray[np.int64]] = []
    levels: list[NDArray[np.float64]] = []
    while sum(map(len, levels)) < steps:
        number = len(sections) % len(ORDER)
        kind = ORDER[number]
        length = int(rng.choice(BEATS[kind])) * STEPS_PER_BEAT
        sections.append(np.full(length, number))
        levels.append(np.linspace(*LEVELS[kind], length))
    level = np.concatenate(levels)[:steps]
    return Music(np.concatenate(sections)[:steps], level, lag_behind(level))


@dataclass(frozen=True)
class Evening:
    """What was danced to a piece of music, a row a step. `style` and `dance` (S,) are numbers in the pack; a dance of
    -1 is improvised."""

    danced: Danced
    style: NDArray[np.int64]
    dance: NDArray[np.int64]
    music: Music


class Recorder(Dancer):
    """A dancer that draws nothing and keeps what it dances at each step."""

    def __init__(self, *given: object, **named: object) -> None:
        self.steps_danced: list[tuple[int, int]] = []  # style and dance
        super().__init__(*given, **named)  # type: ignore[arg-type]

    def _advance(self, energy: float) -> None:
        super()._advance(energy)
        self.steps_danced.append((int(self._rows.style[0]), int(self._rows.dance[0])))

    def picture(self, musical_time: float) -> Bodies:
        return Bodies(np.zeros((1, 1, 1, 1), np.float32), None, np.zeros(1, np.float32))


def dance_evening_by_itself(
    studio: Studio, music: Music, seed: int, hear: Callable[[int], float] | None = None
) -> Evening:
    """Auto mode through `music`. `hear`: what the show is told at a step instead of what is heard of the music."""
    dancer = Recorder(studio.pack, seed)
    show = Show(dancer, ShowPlan(seeds=random.Random(seed), auto=Auto(random.Random(seed))))
    latents, places = [], []
    for step in track(range(len(music)), description="auto mode", disable=len(music) < 20_000):
        beat = step / STEPS_PER_BEAT
        energy = float(music.heard[step]) if hear is None else hear(step)
        show.step(beat, Hearing(beat * 60 / BPM, BPM, beat, 1.0, energy, energy, energy, energy, energy))
        latent, place = dancer.between(beat)
        latents.append(latent[0])
        places.append(float(place[0]))
    studio.count(dancer)
    told = np.array(dancer.steps_danced[: len(music)])
    return Evening(studio.see(np.stack(latents), np.array(places)), told[:, 0], told[:, 1], music)
