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
from visualizer.dancer.pack import STEPS_PER_BEAT, Pack
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
class OwnSteps:
    """What a dancer stepped, in its own time: where the show dances at half time its steps are twice as long. `number`
    (M,) of each step, 16 a beat of the dance; `poses` (M, 21, 2); `style` and `dance` (M,)."""

    number: NDArray[np.int64]
    poses: NDArray[np.float32]
    style: NDArray[np.int64]
    dance: NDArray[np.int64]

    def starts(self, steps: int) -> NDArray[np.int64]:
        """Rows at which whole windows of `steps` begin, at multiples of that many steps; none with a leap within."""
        rows = np.arange(max(len(self.number) - steps + 1, 0))
        whole = self.number[rows + steps - 1] - self.number[rows] == steps - 1
        return rows[whole & (self.number[rows] % steps == 0)]


@dataclass(frozen=True)
class Evening:
    """What was danced to a piece of music, a row for each of its steps. `beat` (S,): beat of the dance; `style` and
    `dance` (S,) are numbers in the pack; a dance of -1 is improvised."""

    danced: Danced
    beat: NDArray[np.float64]
    style: NDArray[np.int64]
    dance: NDArray[np.int64]
    music: Music
    own: OwnSteps

    def starts(self, steps: int) -> NDArray[np.int64]:
        """Steps at which windows of `steps` begin, one behind the other, those left out that are not danced at the full
        tempo throughout."""
        rows = np.arange(0, len(self.beat) - steps + 1, steps)
        passed = self.beat[rows + steps - 1] - self.beat[rows]
        return rows[np.abs(passed - (steps - 1) / STEPS_PER_BEAT) < 1e-6]


class Recorder(Dancer):
    """A dancer that draws nothing, and keeps what it steps and what would be seen of it."""

    def __init__(self, pack: Pack, seed: int) -> None:
        self.stepped: list[tuple[int, int, int, NDArray[np.float32]]] = []  # number, style, dance, latent
        self.seen: list[tuple[float, float, NDArray[np.float32]]] = []  # beat, place, latent
        super().__init__(pack, seed)

    def _advance(self, energy: float) -> None:
        super()._advance(energy)
        rows = self._rows
        self.stepped.append((self._step, int(rows.style[0]), int(rows.dance[0]), rows.latent[0].copy()))

    def picture(self, musical_time: float) -> Bodies:
        latent, place = self.between(musical_time)
        self.seen.append((musical_time, float(place[0]), latent[0]))
        return Bodies(np.zeros((1, 1, 1, 1), np.float32), None, np.zeros(1, np.float32))


def dance_evening_by_itself(
    studio: Studio, music: Music, seed: int, hear: Callable[[int], float] | None = None
) -> Evening:
    """Auto mode through `music`. `hear`: what the show is told at a step instead of what is heard of the music."""
    dancer = Recorder(studio.pack, seed)
    show = Show(dancer, ShowPlan(seeds=random.Random(seed), auto=Auto(random.Random(seed))))
    for step in track(range(len(music)), description="auto mode", disable=len(music) < 20_000):
        beat = step / STEPS_PER_BEAT
        energy = float(music.heard[step]) if hear is None else hear(step)
        show.step(beat, Hearing(beat * 60 / BPM, BPM, beat, 1.0, energy, energy, energy, energy, energy))
    studio.count(dancer)
    number, style, dance = (np.array(column) for column in list(zip(*dancer.stepped, strict=True))[:3])
    own = OwnSteps(number, studio.poses(np.stack([latent for *_, latent in dancer.stepped])), style, dance)
    beats, places, latents = zip(*dancer.seen, strict=True)
    row = np.searchsorted(number, np.floor(np.array(beats) * STEPS_PER_BEAT), side="right") - 1
    row = np.maximum(row, 0)
    return Evening(studio.see(np.stack(latents), np.array(places)), np.array(beats), style[row], dance[row], music, own)
