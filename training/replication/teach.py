"""Trains the student's autoencoders: as they were, as they should have been, and with one mistake at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from training.data.motion.body import project, silhouettes
from training.data.sampling import Bodies
from training.fit import FitConfig, FitTask, fit
from training.replication.effort import CLIP, Dots, Effort
from training.replication.models import (
    DEEP,
    DENSE,
    SPARSE,
    SPARSITY,
    Convolutional,
    Dense,
    dots,
)


def draw_pictures(bodies: Bodies, count: int, seed: int) -> Dots:
    """Random bodies by random cameras, as our autoencoder learns from them: (count, 1, 51, 47)."""
    rng = np.random.default_rng(seed)
    parts = [min(1024, count - at) for at in range(0, count, 1024)]
    return np.concatenate([dots(draw_silhouettes(bodies, rng, n)) for n in track(parts, description="pictures")])


def draw_silhouettes(bodies: Bodies, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Frames (count, 1, 128, 128) of random bodies."""
    return silhouettes(project(bodies.draw(rng, count), np.zeros(count, np.float32)))


@dataclass(frozen=True)
class TrainSpec:
    """How an autoencoder is taught.

    `dark`: the figure is dark on a light ground, as the student's was. `white`: what the network is given for a light
    dot; 255 where one forgets to divide, 1/255 where one divides twice. `sparsity` weighs the activity of the code,
    summed over the code and averaged over the batch. `adadelta`: as it was, at a steady `rate`; else Adam.
    """

    name: str
    rate: float
    steps: int
    batch: int
    adadelta: bool = False
    dark: bool = False
    white: float = 1.0
    sparsity: float = 0.0

    def given(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 1, 51, 47) of dots, 1 in the figure -> what the network reads and is to give back."""
        return (1 - pictures if self.dark else pictures) * self.white

    def figure(self, given: Tensor) -> Tensor:
        """What a network gives, 0..1 -> how likely each dot is to lie in the figure."""
        return 1 - given if self.dark else given

    def loss(self, network: nn.Module, pictures: Tensor) -> dict[str, Tensor]:
        target = self.given(pictures)
        if self.sparsity:
            code = network.encode(target)  # type: ignore[operator]
            logits = network.decode(code)  # type: ignore[operator]
            activity = self.sparsity * code.abs().flatten(1).sum(1).mean()
        else:
            logits, activity = network(target), torch.zeros(())
        picture = keras_loss(logits, target)
        return {"total": picture + activity, "picture": picture}


def keras_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy a dot as Keras computes it, which takes targets that are no probabilities as well."""
    chance = torch.sigmoid(logits).clamp(CLIP, 1 - CLIP)
    return -(target * chance.log() + (1 - target) * (1 - chance).log()).mean()


@dataclass(frozen=True)
class Version:
    """One of the student's autoencoders.

    As it should have been it learns by Adam: `steps` of `batch` pictures, at `rate` and `sparsity`. As it was, it goes
    through the film a few times in batches of `filmed`, its sparsity weighted by `activity`.
    """

    name: str
    make: Callable[[], nn.Module]
    rate: float
    steps: int
    batch: int = 128
    sparsity: float = 0.0
    filmed: int = 256  # the article's
    activity: float = 0.0


# Keras added the activity of a whole batch to a loss that is a mean over dots.
SUMMED = SPARSITY * 256

VERSIONS = (
    Version("1, dense, 32", lambda: Dense(DENSE[32]), 3e-3, 3000),
    Version("1, dense, 128", lambda: Dense(DENSE[128]), 3e-3, 3000),
    Version("1, dense, 512", lambda: Dense(DENSE[512]), 3e-3, 2000),
    Version("2, sparse", lambda: Dense(SPARSE), 3e-3, 3000, sparsity=SPARSITY / 10, activity=SUMMED),
    Version("3, deep", lambda: Dense(DEEP), 1e-3, 2000),
    Version("4, convolutional, repaired", Convolutional, 1e-2, 1200, batch=64, filmed=128),
)

DENSE_128, SPARSE_64, DEEP_32 = VERSIONS[1], VERSIONS[3], VERSIONS[4]

RATES = (1.0, 1e-3)  # of Adadelta, if none is given: Keras's own until 2019, and TensorFlow's since 1.14


@dataclass(frozen=True)
class Attempt:
    """One network, taught in one way. `key` names its checkpoint."""

    version: Version
    spec: TrainSpec

    @property
    def key(self) -> str:
        return "".join(c if c.isalnum() or c in ".-" else "_" for c in f"{self.version.name}-{self.spec.name}").lower()


def as_it_was(version: Version, effort: Effort, rate: float) -> Attempt:
    """The student's way: Adadelta, a few times through the film, dark on light."""
    batch = min(version.filmed, effort.filmed)
    steps = effort.epochs * (effort.filmed // batch)
    return Attempt(
        version, TrainSpec(f"as it was, Adadelta {rate:g}", rate, steps, batch, True, True, 1, version.activity)
    )


def as_it_should(version: Version, effort: Effort) -> Attempt:
    """Light on dark, Adam, and enough steps."""
    steps = max(2, round(effort.share * version.steps))
    return Attempt(
        version, TrainSpec("as it should have been", version.rate, steps, version.batch, sparsity=version.sparsity)
    )


def mistakes(effort: Effort) -> list[Attempt]:
    """What may have gone wrong, one by one and together, at both rates."""
    found = []
    for rate in RATES:
        usual = as_it_was(DENSE_128, effort, rate)
        for dark in (True, False):
            for white, said in ((1.0, "0 to 1"), (255.0, "0 to 255"), (1 / 255, "0 to 1/255")):
                name = f"{'dark on light' if dark else 'light on dark'}, {said}, Adadelta {rate:g}"
                changed = replace(usual.spec, name=name, dark=dark, white=white)
                found.append(usual if dark and white == 1 else replace(usual, spec=changed))
        summed = as_it_was(SPARSE_64, effort, rate)
        averaged = replace(summed.spec, name=f"activity averaged, Adadelta {rate:g}", sparsity=SPARSITY)
        found += [summed, replace(summed, spec=averaged), as_it_was(DEEP_32, effort, rate)]
    return found


def picture_batches(pictures: Dots, batch: int, film: int | None, seed: int, start: int) -> Iterator[Tensor]:
    """Endless batches of pictures from step `start` on: random ones, or the first `film` pictures, in a new order in
    each epoch."""
    if film is None:
        rng = np.random.default_rng([seed, start])
        while True:
            yield torch.from_numpy(pictures[rng.integers(0, len(pictures), batch)]).float()
    each, step = film // batch, start
    while True:
        order = np.random.default_rng([seed, step // each]).permutation(film)
        for at in range(step % each, each):
            yield torch.from_numpy(pictures[order[at * batch : (at + 1) * batch]]).float()
            step += 1


def begin(attempt: Attempt, seed: int) -> nn.Module:
    """The network before it is taught, the same each time."""
    torch.manual_seed(seed)
    return attempt.version.make()


class TrainWrapper(nn.Module):
    """A network and how it is taught, as the training loop wants it."""

    def __init__(self, network: nn.Module, spec: TrainSpec) -> None:
        super().__init__()
        self.network, self.spec = network, spec

    def loss(self, pictures: Tensor) -> dict[str, Tensor]:
        return self.spec.loss(self.network, pictures)


def teach(attempt: Attempt, pictures: Dots, effort: Effort, work: Path) -> nn.Module:
    """Train one network, or load it where that was done."""
    spec = attempt.spec
    # Convolutions of few channels were measured twice as fast with the channels last.
    network = begin(attempt, effort.seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer: torch.optim.Optimizer
    if spec.adadelta:
        optimizer = torch.optim.Adadelta(network.parameters(), lr=spec.rate, rho=0.95, eps=1e-7)
    else:
        optimizer = torch.optim.Adam(network.parameters(), lr=spec.rate)
    film = effort.filmed if spec.adadelta else None
    lesson = FitTask(
        attempt.key, TrainWrapper(network, spec), lambda wrapper, batch: wrapper.loss(batch),  # type: ignore[operator]
        lambda start: picture_batches(pictures, spec.batch, film, effort.seed, start), effort.seed, optimizer,
    )  # fmt: skip
    clip = math.inf if spec.adadelta else 1.0
    fit(lesson, FitConfig(spec.steps, rate=spec.rate, clip=clip, steady=spec.adadelta), work)
    return network.eval()
