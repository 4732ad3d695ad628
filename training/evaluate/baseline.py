"""The baseline: our own version of the recurrent network of jsn5/dancenet, on the latents of a pack.

An LSTM reads the last latent and gives a mixture of 24 Gaussians over the next one (Bishop, "Mixture density
networks", 1994; Graves, 2013). When it dances, its state is reset at every step, so it knows only the last latent:
no letters, no beat, no style, no energy. It is trained in the same way, one step at a time.
"""

from __future__ import annotations

import math
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from visualizer import files
from visualizer.support.console import Console

MIXTURES = 24


@dataclass(frozen=True)
class BaselineConfig:
    latent: int
    hidden: int = 256
    layers: int = 2
    steps: int = 5000  # a few minutes on one core
    batch: int = 256
    rate: float = 1e-3


class Baseline(nn.Module):
    """The last latent (N, D), in spreads about the mean -> a mixture of Gaussians over the next one."""

    def __init__(self, config: BaselineConfig) -> None:
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(config.latent, config.hidden, config.layers, batch_first=True)
        self.out = nn.Linear(config.hidden, MIXTURES * (1 + 2 * config.latent))

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights (N, 24), means (N, 24, D) and log widths (N, 24, D)."""
        hidden, _ = self.lstm(latent[:, None])  # from an empty state, every time
        weight, mean, width = self.out(hidden[:, 0]).split(
            [MIXTURES, MIXTURES * self.config.latent, MIXTURES * self.config.latent], dim=1
        )
        shape = (-1, MIXTURES, self.config.latent)
        return F.log_softmax(weight, dim=1), mean.view(shape), width.view(shape).clamp(-6, 2)

    def loss(self, latent: Tensor, following: Tensor) -> Tensor:
        """Negative log-likelihood of the latent that follows, for each of its numbers."""
        weight, mean, width = self(latent)
        gap = (following[:, None] - mean) / width.exp()
        each = weight - (0.5 * gap.square() + width + 0.5 * math.log(2 * math.pi)).sum(-1)
        return -each.logsumexp(dim=1).mean() / self.config.latent

    @torch.no_grad()
    def roll(self, start: Tensor, steps: int, seed: int) -> NDArray[np.float32]:
        """Dance on its own from latents (N, D) -> (N, steps, D): a component by its weight, then its Gaussian."""
        chance = torch.Generator().manual_seed(seed)
        latent, out = start, []
        rows = torch.arange(len(start))
        for _ in track(range(steps), description="the baseline dances"):
            weight, mean, width = self(latent)
            pick = torch.multinomial(weight.exp(), 1, generator=chance)[:, 0]
            latent = mean[rows, pick] + width[rows, pick].exp() * torch.randn(latent.shape, generator=chance)
            out.append(latent)
        return torch.stack(out, dim=1).numpy()


def _kept(store: Path, config: BaselineConfig, key: str) -> Baseline | None:
    """The network in `store` if it was trained under `key`; None where it was not, or, with a note, where the file
    cannot be read."""
    try:
        kept = torch.load(store, weights_only=True)
        if kept["key"] != key:
            return None
        network = Baseline(config)
        network.load_state_dict(kept["network"])
        return network.eval()
    # Errors of torch for a file that is cut off, empty, of another kind, or not readable.
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, OSError) as error:
        Console().print(f"note: {store}: cannot be read ({type(error).__name__}); the baseline is trained again")
        return None


def train_baseline(
    dances: list[NDArray[np.float32]], config: BaselineConfig, seed: int, store: Path | None = None
) -> Baseline:
    """Train on each step of `dances` (S, D) and the one that follows. The network is kept in `store` for the same data
    and config; a file there that cannot be read is reported and replaced."""
    before = np.concatenate([d[:-1] for d in dances])
    after = np.concatenate([d[1:] for d in dances])
    key = repr((asdict(config), seed, before.shape, round(float(np.abs(before, dtype=np.float64).sum()), 3)))
    if store is not None and store.exists():
        kept = _kept(store, config, key)
        if kept is not None:
            return kept
    torch.manual_seed(seed)
    network = Baseline(config)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.rate)
    rng = np.random.default_rng(seed)
    for _ in track(range(config.steps), description="training the baseline"):
        pick = rng.integers(0, len(before), config.batch)
        loss = network.loss(torch.from_numpy(before[pick]), torch.from_numpy(after[pick]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    if store is not None:
        with files.write_whole(store) as part:
            torch.save({"key": key, "network": network.state_dict()}, part)
    return network.eval()
