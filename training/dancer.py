"""The recurrent networks: a choreographer that writes letters and a dancer that turns letters into latents.

Chance lives at the level of moves, smoothness at the level of steps. Half-beat moves of the data are gathered
into an alphabet by k-means; the choreographer is Karpathy's char-rnn over that alphabet ("The Unreasonable
Effectiveness of Recurrent Neural Networks", 2015); the dancer is a GRU that learns on its own output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn
from torch.nn import functional as F

from visualizer.dancer.dancer import bar_phase
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

LETTERS_PER_BEAT = STEPS_PER_BEAT // STEPS_PER_LETTER
CONDITIONS = 5  # bar phase and energy; the style's weights come on top


@dataclass(frozen=True)
class Dance:
    """One take in latents. `latent` (S, D), `travel` (S,), `energy` (S,), `letters` (S // 8,), `style` its number."""

    name: str
    latent: NDArray[np.float32]
    travel: NDArray[np.float32]
    energy: NDArray[np.float32]
    style: int
    held_out: bool
    letters: NDArray[np.int64]
    front: bool  # seen from the front: what a dance may start from


# --- the alphabet ---------------------------------------------------------------------------------------------


def moves(latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half-beat moves of a take, (S, D) -> (S // 8, 4 D): every other step, enough to tell one move from another."""
    count = len(latent) // STEPS_PER_LETTER
    cut = latent[: count * STEPS_PER_LETTER].reshape(count, STEPS_PER_LETTER, latent.shape[1])
    return cut[:, ::2].reshape(count, STEPS_PER_LETTER // 2 * latent.shape[1])


def learn_alphabet(latents: list[NDArray[np.float32]], size: int, seed: int) -> MiniBatchKMeans:
    """Gather the half-beat moves of the training takes into `size` letters by k-means (Sculley, 2010)."""
    data = np.concatenate([moves(latent) for latent in latents])
    size = min(size, max(2, len(data) // 4))
    Console().print(f"alphabet: {len(data)} half-beat moves into {size} letters")
    return MiniBatchKMeans(size, batch_size=4096, n_init=1, max_iter=60, random_state=seed).fit(data)  # type: ignore[arg-type]


def spell(alphabet: MiniBatchKMeans, latent: NDArray[np.float32]) -> NDArray[np.int64]:
    """Letters of a take, (S, D) -> (S // 8,)."""
    found = moves(latent)
    return np.asarray(alphabet.predict(found), dtype=np.int64) if len(found) else np.zeros(0, dtype=np.int64)


# --- one step of a GRU, written out so that it exports as plain operators ---------------------------------------


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


# --- the choreographer ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChoreographerConfig:
    letters: int
    styles: int
    embedding: int = 128
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.3


class Choreographer(nn.Module):
    """Char-rnn over half-beat moves: which letter follows, given the letters so far, bar, energy and style."""

    def __init__(self, config: ChoreographerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.letters, config.embedding)
        self.into = nn.Linear(config.embedding + CONDITIONS + config.styles, config.hidden)
        self.gru = nn.GRU(config.hidden, config.hidden, config.layers, batch_first=True, dropout=config.dropout)
        self.drop = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.hidden, config.letters)

    def loss(self, letters: Tensor, following: Tensor, conditions: Tensor) -> dict[str, Tensor]:
        """Cross-entropy of the letters that follow. `letters` and `following` (N, T), `conditions` of each following
        letter (N, T, 5 + S)."""
        x = torch.cat([self.embedding(letters), conditions], dim=-1)
        hidden, _ = self.gru(self.drop(F.silu(self.into(x))))
        logits = self.out(self.drop(hidden)).float()
        cross = F.cross_entropy(logits.flatten(0, 1), following.flatten())
        return {"total": cross}

    def forward(
        self, letter: Tensor, state: Tensor, bar_phase: Tensor, energy: Tensor, style: Tensor, noise: Tensor,
        temperature: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """One letter: letter (N,), state (N, L, H), noise (N, K) uniform in 0..1 -> next letter (N,), state.

        Chance is the Gumbel-max trick (Gumbel, 1954): the largest of logits / temperature + Gumbel noise is a draw
        from their softmax, so the noise that comes in decides everything.
        """
        x = torch.cat([self.embedding(letter), bar_phase, energy, style], dim=-1)
        hidden, state = gru_step(self.gru, F.silu(self.into(x)), state)
        gumbel = -torch.log(-torch.log(noise.clamp(1e-6, 1 - 1e-6)))
        return (self.out(hidden) / temperature.clamp(min=1e-3) + gumbel).argmax(dim=-1), state


# --- the dancer -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DancerConfig:
    latent: int
    letters: int
    styles: int
    embedding: int = 64
    hidden: int = 352
    layers: int = 1
    noise: float = 0.1  # of the latents' spread on the latent fed back: keeps the walk on the manifold


class DancerNetwork(nn.Module):
    """Letters to latents, one step at a time: a GRU that corrects each letter's mean move for where the body is."""

    mean_moves: Tensor
    latent_spread: Tensor

    def __init__(
        self, config: DancerConfig, mean_moves: NDArray[np.float32], latent_spread: NDArray[np.float32]
    ) -> None:
        """`mean_moves` (K, 8, D): the average of the moves that share a letter. `latent_spread` (D,)."""
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.letters, config.embedding)
        self.register_buffer("latent_spread", torch.from_numpy(latent_spread))
        # Half precision halves the largest part of the file; 1/2000 of a unit is far below what a frame shows.
        self.register_buffer("mean_moves", torch.from_numpy(mean_moves).half().flatten(0, 1))
        size = 3 * config.latent + 2 * config.embedding + 5 + CONDITIONS + config.styles
        self.into = nn.Linear(size, config.hidden)
        self.gru = nn.GRU(config.hidden, config.hidden, config.layers, batch_first=True)
        self.out = nn.Linear(config.hidden, config.latent)
        self.travel = nn.Linear(config.hidden, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, latent: Tensor, state: Tensor, letter: Tensor, next_letter: Tensor, place: Tensor, bar_phase: Tensor,
        energy: Tensor, style: Tensor, noise: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """One step: latent (N, D), state (N, L, H), letters (N,), place (N, 1) of the letter 0..1, noise (N, D) normal
        -> latent (N, D) of this step, state, travel (N, 1) in frame widths a beat."""
        index = (place[:, 0] * STEPS_PER_LETTER + 0.5).long().clamp(0, STEPS_PER_LETTER - 1)
        mean = F.embedding(letter * STEPS_PER_LETTER + index, self.mean_moves).float()
        coming = F.embedding(next_letter * STEPS_PER_LETTER, self.mean_moves).float()
        given = latent + self.config.noise * self.latent_spread * noise
        angle = 2 * torch.pi * place
        where = torch.cat([place, angle.sin(), angle.cos(), (2 * angle).sin(), (2 * angle).cos()], dim=-1)
        x = torch.cat(
            [given, mean - given, coming - given, self.embedding(letter), self.embedding(next_letter), where, bar_phase,
             energy, style], dim=-1,
        )  # fmt: skip
        hidden, state = gru_step(self.gru, F.silu(self.into(x)), state)
        return mean + self.out(hidden), state, self.travel(hidden)

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Unroll on its own output over a window; see `dancer_batches` for the shapes.

        Position alone makes the mean of all ways on, which is slow and soft; so the steps' velocity counts too, and
        its size: a move may be another than the one that was, but must not be lazier.
        """
        target, travel = batch["latent"], batch["travel"]
        count, steps = target.shape[:2]
        state = torch.zeros(count, self.config.layers, self.config.hidden, device=target.device)
        latent = target[:, 0]
        found, speeds = [], []
        for t in range(1, steps):
            latent, state, speed = self(
                latent, state, batch["letter"][:, t], batch["next_letter"][:, t], batch["place"][:, t],
                batch["bar_phase"][:, t], batch["energy"][:, t], batch["style"],
                torch.randn_like(latent),
            )  # fmt: skip
            found.append(latent)
            speeds.append(speed[:, 0])
        dance = torch.stack(found, dim=1)
        true = target[:, 1:]
        spread = self.latent_spread
        position = ((dance - true) / spread).square().mean()
        before = torch.cat([target[:, :1], dance[:, :-1]], dim=1)
        step, true_step = (dance - before) / spread, (true - target[:, :-1]) / spread
        velocity = (step - true_step).square().mean()
        pace = (step.square().mean(-1) + 1e-6).sqrt() - (true_step.square().mean(-1) + 1e-6).sqrt()
        pace = pace.square().mean()
        shift = F.smooth_l1_loss(torch.stack(speeds, dim=1), travel[:, 1:])
        total = position + 4.0 * velocity + 4.0 * pace + shift
        return {"total": total, "position": position, "velocity": velocity, "pace": pace, "travel": shift}


# --- batches --------------------------------------------------------------------------------------------------


def _weights(dances: list[Dance], length: int, unit: int) -> NDArray[np.float64]:
    """How often to draw from each take: by its length, but a rare style more than its share (square root)."""
    lengths = np.array([max(0, len(d.letters) * unit - length) for d in dances], dtype=np.float64)
    styles = np.array([d.style for d in dances])
    for style in np.unique(styles):
        mine = styles == style
        if lengths[mine].sum() > 0:
            lengths[mine] /= np.sqrt(lengths[mine].sum())
    if lengths.sum() == 0:
        raise ValueError("every take is shorter than a training window")
    return lengths / lengths.sum()


def _conditions(dance: Dance, start: int, count: int, unit: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bar phase (count, 4) and energy (count, 1) of `count` units of `unit` steps from `start`."""
    steps = (start + np.arange(count)) * unit
    energy = dance.energy[np.minimum(steps + unit // 2, len(dance.energy) - 1)]
    return bar_phase(steps / STEPS_PER_BEAT), energy[:, None]


def choreographer_batches(
    dances: list[Dance], styles: int, letters: int, batch: int, length: int, seed: int, slip: float = 0.08
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of letters (N, T), the letters that follow them (N, T) and conditions (N, T, 5 + S).

    Now and then an input letter is another one (`slip`), so that the network learns to find back after a rare choice;
    what is to follow is always what followed.
    """
    length = min(length, max(len(d.letters) for d in dances) - 1)
    dances = [d for d in dances if len(d.letters) > length]
    weights = _weights(dances, length, 1)
    rng = np.random.default_rng(seed)
    while True:
        written, given = [], []
        for i in rng.choice(len(dances), size=batch, p=weights):
            dance = dances[i]
            start = int(rng.integers(0, len(dance.letters) - length))
            phase, energy = _conditions(dance, start + 1, length, STEPS_PER_LETTER)
            style = np.tile(np.eye(styles, dtype=np.float32)[dance.style], (length, 1))
            written.append(dance.letters[start : start + length + 1])
            given.append(np.concatenate([phase, energy, style], axis=1))
        line = np.stack(written)
        read, following = line[:, :-1], line[:, 1:].copy()
        read = np.where(rng.random(read.shape) < slip, rng.integers(0, letters, read.shape), read)
        yield torch.from_numpy(read), torch.from_numpy(following), torch.from_numpy(np.stack(given))


def dancer_batches(dances: list[Dance], styles: int, batch: int, beats: int, seed: int) -> Iterator[dict[str, Tensor]]:
    """Endless batches of windows of `beats` beats that begin with a letter: latent (N, T, D), travel (N, T), letters
    (N, T), place, energy (N, T, 1), bar_phase (N, T, 4), style (N, S)."""
    length = min(beats * LETTERS_PER_BEAT, max(len(d.letters) for d in dances) - 1)
    dances = [d for d in dances if len(d.letters) > length]
    weights = _weights(dances, length, 1)
    rng = np.random.default_rng(seed)
    steps = length * STEPS_PER_LETTER
    place = np.tile((np.arange(steps) % STEPS_PER_LETTER / STEPS_PER_LETTER).astype(np.float32), (batch, 1))[..., None]
    while True:
        names = ("latent", "travel", "letter", "next_letter", "bar_phase", "energy", "style")
        parts: dict[str, list[NDArray]] = {name: [] for name in names}
        for i in rng.choice(len(dances), size=batch, p=weights):
            dance = dances[i]
            start = int(rng.integers(0, len(dance.letters) - length))
            window = slice(start * STEPS_PER_LETTER, start * STEPS_PER_LETTER + steps)
            phase, energy = _conditions(dance, start * STEPS_PER_LETTER, steps, 1)
            parts["latent"].append(dance.latent[window])
            parts["travel"].append(dance.travel[window])
            parts["letter"].append(np.repeat(dance.letters[start : start + length], STEPS_PER_LETTER))
            parts["next_letter"].append(np.repeat(dance.letters[start + 1 : start + length + 1], STEPS_PER_LETTER))
            parts["bar_phase"].append(phase)
            parts["energy"].append(energy)
            parts["style"].append(np.eye(styles, dtype=np.float32)[dance.style])
        out = {k: torch.from_numpy(np.stack(v)) for k, v in parts.items()}
        out["place"] = torch.from_numpy(place)
        yield out
