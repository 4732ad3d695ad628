"""The recurrent networks: a choreographer that writes letters and a dancer that turns letters into latents.

Moves are chosen at random, steps within a move are smooth. Half-beat moves of the data are clustered into an alphabet
by k-means; the choreographer is Karpathy's char-rnn over that alphabet ("The Unreasonable Effectiveness of Recurrent
Neural Networks", 2015); the dancer is a GRU that is trained on its own output. Both are told which dance is asked for,
and both learn on splices: in the middle of a window another dance goes on, at the same place in the phrase, and the
body has to get there without a jump.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.models.autoencoder import exactly
from training.models.latent_body import FEET, LatentBody
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

CONDITIONS = 7  # bar phase and energy; the weights of styles and dances come on top


def gru_step(gru: nn.GRU, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """One step of a stacked GRU (Cho et al., 2014, in PyTorch's form): x (N, I), state (N, L, H) -> (N, H), state."""
    new = []
    for layer in range(gru.num_layers):
        h = state[:, layer]
        a = F.linear(x, getattr(gru, f"weight_ih_l{layer}"), getattr(gru, f"bias_ih_l{layer}"))
        b = F.linear(h, getattr(gru, f"weight_hh_l{layer}"), getattr(gru, f"bias_hh_l{layer}"))
        ar, az, an = a.chunk(3, dim=1)
        br, bz, bn = b.chunk(3, dim=1)
        reset, update = torch.sigmoid(ar + br), torch.sigmoid(az + bz)
        x = (1 - update) * torch.tanh(an + reset * bn) + update * h
        new.append(x)
    return x, torch.stack(new, dim=1)


@dataclass(frozen=True)
class ChoreographerConfig:
    letters: int
    styles: int
    dances: int = 1
    embedding: int = 64
    hidden: int = 256
    layers: int = 2
    known: int = 192  # width of the path from what is asked for to the letters that bypasses the memory
    dropout: float = 0.2


class Choreographer(nn.Module):
    """Char-rnn over half-beat moves: which letter follows, given the letters so far, bar, energy, style and dance."""

    def __init__(self, config: ChoreographerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.letters, config.embedding)
        conditions = CONDITIONS + config.styles + config.dances
        self.into = nn.Linear(config.embedding + conditions, config.hidden)
        # When another dance is asked for, the old one must not go on only because its letters are likely.
        self.asked = nn.Sequential(
            nn.Linear(conditions, config.known), nn.SiLU(), nn.Linear(config.known, config.hidden)
        )
        self.gru = nn.GRU(config.hidden, config.hidden, config.layers, batch_first=True, dropout=config.dropout)
        self.drop = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, config.letters)

    def loss(self, letters: Tensor, following: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of the letters that follow. `letters` and `following` (N, T), `conditions` of each following
        letter (N, T, 7 + S + G)."""
        x = torch.cat([self.embedding(letters), conditions], dim=-1)
        hidden, _ = self.gru(self.drop(F.silu(self.into(x))))
        logits = self.out(self.drop(hidden) + self.asked(conditions)).float()
        cross = F.cross_entropy(logits.flatten(0, 1), following.flatten())
        right = (logits.detach().argmax(-1) == following).float().mean()
        return {"total": cross, "right": right}

    def forward(
        self, letter: Tensor, state: Tensor, bar_phase: Tensor, energy: Tensor, style: Tensor, dance: Tensor,
        noise: Tensor, temperature: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """One letter: letter (N,), state (N, L, H), noise (N, K) uniform in 0..1 -> next letter (N,), state.

        Drawn by the Gumbel-max trick (Gumbel, 1954): the largest of logits / temperature + Gumbel noise is a draw
        from their softmax, so the noise given decides the letter. Eight parameters, for they are the inputs of the
        exported network.
        """
        conditions = torch.cat([bar_phase, energy, style, dance], dim=-1)
        x = torch.cat([self.embedding(letter), conditions], dim=-1)
        hidden, state = gru_step(self.gru, F.silu(self.into(x)), state)
        hidden = hidden + self.asked(conditions)
        gumbel = -torch.log(-torch.log(noise.clamp(1e-6, 1 - 1e-6)))
        return (self.out(hidden) / temperature.clamp(min=1e-3) + gumbel).argmax(dim=-1), state


@dataclass(frozen=True)
class DancerConfig:
    latent: int
    letters: int
    styles: int
    dances: int = 1
    embedding: int = 48
    known: int = 64  # size of what is made of dance and style
    hidden: int = 384
    layers: int = 1
    noise: float = 0.05  # stds of noise on the latent that is fed back in training: keeps the dance near real bodies
    live_noise: float = 0.01  # and while dancing


class DancerNetwork(nn.Module):
    """Letters to latents, one step at a time: a GRU that moves the body towards each letter's mean move."""

    mean_moves: Tensor
    latent_spread: Tensor
    feet: Tensor
    trunk: Tensor | None

    def __init__(
        self, config: DancerConfig, mean_moves: NDArray[np.float32], latent_spread: NDArray[np.float32],
        body: LatentBody | None = None,
    ) -> None:  # fmt: skip
        """`mean_moves` (K, 8, D): the mean of the moves that share a letter. `latent_spread` (D,): the latents' std.
        `body`: what latents are; None where that is not known."""
        super().__init__()
        self.config = config
        d, h = config.latent, config.hidden
        self.embedding = nn.Embedding(config.letters, config.embedding)
        self.register_buffer("latent_spread", torch.from_numpy(latent_spread))
        # Half precision halves the largest part of the file; 1/2000 of a unit is far below what a frame shows.
        self.register_buffer("mean_moves", torch.from_numpy(mean_moves).half().flatten(0, 1))
        self.has_feet = body is not None
        self.register_buffer("feet", torch.zeros(d + 1, len(FEET), 2) if body is None else torch.from_numpy(body.feet))
        trunk = None if body is None or body.trunk is None else torch.from_numpy(body.trunk)
        self.register_buffer("trunk", trunk, persistent=False)
        self.bones = None if body is None else body.bones
        self.floor_axes = [0, 2][: self.feet.shape[-1] - 1]  # of feet: sideways, and in depth where there is any
        self.knows = nn.Linear(config.styles + config.dances, config.known)
        size = 3 * d + 2 * config.embedding + 5 + CONDITIONS + config.known
        self.into = nn.Linear(size, h)
        self.gru = nn.GRU(h, h, config.layers, batch_first=True)
        self.out = nn.Linear(h, d)
        self.lead = nn.Linear(h, d)
        self.stands = nn.Linear(h, len(FEET) + 1)
        self.travel = nn.Linear(h, len(self.floor_axes))
        for layer in (self.out, self.lead):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, latent: Tensor, state: Tensor, letter: Tensor, next_letter: Tensor, place: Tensor, bar_phase: Tensor,
        energy: Tensor, style: Tensor, dance: Tensor, noise: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """One step: latent (N, D), state (N, L, H), letters (N,), place (N, 1) of the letter 0..1, noise (N, D) normal
        -> latent (N, D) of this step, state, travel (N, 2), or (N, 1) of flat bodies, in frame widths a beat. Ten
        parameters, for they are the inputs of the exported network."""
        index = (place[:, 0] * STEPS_PER_LETTER + 0.5).long().clamp(0, STEPS_PER_LETTER - 1)
        mean = F.embedding(letter * STEPS_PER_LETTER + index, self.mean_moves).float()
        coming = F.embedding(next_letter * STEPS_PER_LETTER, self.mean_moves).float()
        amount = self.config.noise if self.training else self.config.live_noise
        given = latent + amount * self.latent_spread * noise
        angle = 2 * torch.pi * place
        where = torch.cat([place, angle.sin(), angle.cos(), (2 * angle).sin(), (2 * angle).cos()], dim=-1)
        known = F.silu(self.knows(torch.cat([style, dance], dim=-1)))
        x = torch.cat(
            [given, mean - given, coming - given, self.embedding(letter), self.embedding(next_letter), where, bar_phase,
             energy, known], dim=-1,
        )  # fmt: skip
        hidden, state = gru_step(self.gru, F.silu(self.into(x)), state)
        with exactly(hidden):
            hidden = hidden.float()
            # A share of the way to the letter's mean move, and a correction.
            new = latent + torch.sigmoid(self.lead(hidden) + 1) * (mean - latent) + self.out(hidden)
            if self.bones is not None:
                new = self.bones(new)
            # The crop moves at the speed of the standing foot, reversed; which foot stands is learned.
            stands = self.stands(hidden).softmax(dim=-1)
            axes = [
                (stands[:, :-1] * -STEPS_PER_BEAT * ((new - latent) @ self.feet[:-1, :, axis])).sum(-1, keepdim=True)
                for axis in self.floor_axes
            ]
            return new, state, torch.cat(axes, dim=-1) + stands[:, -1:] * self.travel(hidden)
