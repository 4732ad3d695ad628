"""The recurrent networks: a choreographer that writes letters and a dancer that turns letters into latents.

Chance lives at the level of moves, smoothness at the level of steps. Half-beat moves of the data are gathered
into an alphabet by k-means; the choreographer is Karpathy's char-rnn over that alphabet ("The Unreasonable
Effectiveness of Recurrent Neural Networks", 2015); the dancer is a GRU that learns on its own output. Both are told
which dance is asked for, and both learn on splices: in the middle of a window another dance goes on, at the same place
in the phrase, and the body has to get there without a jump.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.motion.skeleton import INDEX
from training.models.autoencoder import exactly
from visualizer.dancer.dancer import bar_phase
from visualizer.dancer.pack import FLOOR, FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT, STEPS_PER_LETTER
from visualizer.support.console import Console

LETTERS_PER_BEAT = STEPS_PER_BEAT // STEPS_PER_LETTER
LETTERS_PER_PHRASE = PHRASE_BEATS * LETTERS_PER_BEAT
CONDITIONS = 7  # bar phase and energy; the weights of styles and dances come on top
FEET = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "toe")]
# Heights in metres below which an ankle or a toe may be standing, and how far a standing one moves in a step.
STANDING, STANDS = (0.13, 0.07, 0.13, 0.07), 0.003


@dataclass(frozen=True)
class Dance:
    """One take in latents. `latent` (S, D), `travel` (S,), `energy` (S,), `letters` (S // 8,), numbers of its style and
    of the named dance (-1: none). `phase`: letters of a phrase that are over when it begins."""

    name: str
    latent: NDArray[np.float32]
    travel: NDArray[np.float32]
    energy: NDArray[np.float32]
    style: int
    held_out: bool
    letters: NDArray[np.int64]
    front: bool  # seen from the front: what a dance may start from
    dance: int = -1
    phase: int = 0
    loops: bool = False  # after its end it begins again

    def place(self, letter: int) -> int:
        """Letters of the phrase that are over when its `letter` begins."""
        return (letter + self.phase) % LETTERS_PER_PHRASE


# --- the alphabet ---------------------------------------------------------------------------------------------


def moves(latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half-beat moves of a take, (S, D) -> (S // 8, 4 D): every other step, enough to tell one move from another."""
    count = len(latent) // STEPS_PER_LETTER
    cut = latent[: count * STEPS_PER_LETTER].reshape(count, STEPS_PER_LETTER, latent.shape[1])
    return cut[:, ::2].reshape(count, STEPS_PER_LETTER // 2 * latent.shape[1])


def learn_alphabet(
    latents: list[NDArray[np.float32]], size: int, seed: int, weights: list[float] | None = None
) -> MiniBatchKMeans:
    """Gather the half-beat moves of the training takes into `size` letters by k-means (Sculley, 2010).

    `weights`: how much each take counts. A dancer who is told which written dance it is needs coarse letters only;
    captured moves have nothing but their letters.
    """
    parts = [moves(latent) for latent in latents]
    data = np.concatenate(parts)
    weight = np.repeat(np.ones(len(parts)) if weights is None else weights, [len(p) for p in parts])
    size = min(size, max(2, len(data) // 4))
    Console().print(f"alphabet: {len(data)} half-beat moves into {size} letters")
    means = MiniBatchKMeans(size, batch_size=8192, n_init=1, max_iter=40, random_state=seed)  # type: ignore[arg-type]
    return means.fit(data, sample_weight=weight)


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
    dances: int = 1
    embedding: int = 64
    hidden: int = 256
    layers: int = 2
    known: int = 192  # of the way from what is asked for to the letters that passes the memory by
    dropout: float = 0.2


class Choreographer(nn.Module):
    """Char-rnn over half-beat moves: which letter follows, given the letters so far, bar, energy, style and dance."""

    def __init__(self, config: ChoreographerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.letters, config.embedding)
        conditions = CONDITIONS + config.styles + config.dances
        self.into = nn.Linear(config.embedding + conditions, config.hidden)
        # Who is asked for another dance must not go on with the old one because its letters follow so well.
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

        Chance is the Gumbel-max trick (Gumbel, 1954): the largest of logits / temperature + Gumbel noise is a draw
        from their softmax, so the noise that comes in decides everything.
        """
        conditions = torch.cat([bar_phase, energy, style, dance], dim=-1)
        x = torch.cat([self.embedding(letter), conditions], dim=-1)
        hidden, state = gru_step(self.gru, F.silu(self.into(x)), state)
        hidden = hidden + self.asked(conditions)
        gumbel = -torch.log(-torch.log(noise.clamp(1e-6, 1 - 1e-6)))
        return (self.out(hidden) / temperature.clamp(min=1e-3) + gumbel).argmax(dim=-1), state


# --- the dancer -----------------------------------------------------------------------------------------------


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
    noise: float = 0.05  # of the latents' spread on the latent fed back, while learning: keeps the walk among bodies
    live_noise: float = 0.01  # and while dancing


class DancerNetwork(nn.Module):
    """Letters to latents, one step at a time: a GRU that leads the body towards each letter's mean move."""

    mean_moves: Tensor
    latent_spread: Tensor
    feet: Tensor

    def __init__(
        self, config: DancerConfig, mean_moves: NDArray[np.float32], latent_spread: NDArray[np.float32],
        feet: NDArray[np.float32] | None = None,
    ) -> None:  # fmt: skip
        """`mean_moves` (K, 8, D): the average of the moves that share a letter. `latent_spread` (D,). `feet`
        (D + 1, 4, 2): what latents say of ankles and toes in frame coordinates, the constant last; None: nothing."""
        super().__init__()
        self.config = config
        d, h = config.latent, config.hidden
        self.embedding = nn.Embedding(config.letters, config.embedding)
        self.register_buffer("latent_spread", torch.from_numpy(latent_spread))
        # Half precision halves the largest part of the file; 1/2000 of a unit is far below what a frame shows.
        self.register_buffer("mean_moves", torch.from_numpy(mean_moves).half().flatten(0, 1))
        self.has_feet = feet is not None
        self.register_buffer("feet", torch.zeros(d + 1, len(FEET), 2) if feet is None else torch.from_numpy(feet))
        self.knows = nn.Linear(config.styles + config.dances, config.known)
        size = 3 * d + 2 * config.embedding + 5 + CONDITIONS + config.known
        self.into = nn.Linear(size, h)
        self.gru = nn.GRU(h, h, config.layers, batch_first=True)
        self.out = nn.Linear(h, d)
        self.lead = nn.Linear(h, d)
        self.stands = nn.Linear(h, len(FEET) + 1)
        self.travel = nn.Linear(h, 1)
        for layer in (self.out, self.lead):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, latent: Tensor, state: Tensor, letter: Tensor, next_letter: Tensor, place: Tensor, bar_phase: Tensor,
        energy: Tensor, style: Tensor, dance: Tensor, noise: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """One step: latent (N, D), state (N, L, H), letters (N,), place (N, 1) of the letter 0..1, noise (N, D) normal
        -> latent (N, D) of this step, state, travel (N, 1) in frame widths a beat."""
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
            # Part of the way to the letter's mean move, and a correction.
            new = latent + torch.sigmoid(self.lead(hidden) + 1) * (mean - latent) + self.out(hidden)
            # The crop's own speed is that of a standing foot turned round; which one stands is learned.
            moved = (new - latent) @ self.feet[:-1, :, 0]
            stands = self.stands(hidden).softmax(dim=-1)
            travel = (stands[:, :-1] * -STEPS_PER_BEAT * moved).sum(-1, keepdim=True)
            return new, state, travel + stands[:, -1:] * self.travel(hidden)

    def loss(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Unroll on its own output over a window; see `dancer_batches` for the shapes.

        Position alone makes the mean of all ways on, which is slow and soft; so velocity and acceleration count too,
        and the size of the velocity: a move may be another than the one that was, but must not be lazier. A foot
        that stood must stand, in the room: its step and the crop's cancel out.
        """
        target, travel = batch["latent"], batch["travel"]
        count, steps = target.shape[:2]
        state = torch.zeros(count, self.config.layers, self.config.hidden, device=target.device)
        latent = target[:, 0]
        found, speeds = [], []
        for t in range(1, steps):
            latent, state, speed = self(
                latent, state, batch["letter"][:, t], batch["next_letter"][:, t], batch["place"][:, t],
                batch["bar_phase"][:, t], batch["energy"][:, t], batch["style"][:, t], batch["dance"][:, t],
                torch.randn_like(latent),
            )  # fmt: skip
            found.append(latent)
            speeds.append(speed[:, 0])
        dance = torch.cat([target[:, :1], torch.stack(found, dim=1)], dim=1)
        speed = torch.stack(speeds, dim=1)
        position = (dance - target).square().mean()
        step, true_step = dance.diff(dim=1), target.diff(dim=1)
        velocity = (step - true_step).square().mean()
        acceleration = (step.diff(dim=1) - true_step.diff(dim=1)).square().mean()
        pace = (step.square().mean(-1) + 1e-6).sqrt() - (true_step.square().mean(-1) + 1e-6).sqrt()
        pace = pace.square().mean()
        shift = F.smooth_l1_loss(speed, travel[:, 1:], beta=0.1)
        losses = {"position": position, "velocity": velocity, "acceleration": acceleration, "pace": pace,
                  "travel": shift}  # fmt: skip
        total = position + 20 * velocity + 50 * acceleration + 10 * pace + shift
        if self.has_feet:
            with exactly(target):
                losses["skating"] = self._skating(target, travel, dance, speed, batch["spliced"])
            total = total + 50 * losses["skating"]
        return {"total": total, **losses}

    def _skating(self, target: Tensor, travel: Tensor, dance: Tensor, speed: Tensor, spliced: Tensor) -> Tensor:
        """Mean squared step, in latent units, of feet that stand in the data."""
        scale = self.feet[:-1].square().sum(0).mean().sqrt()  # frame widths that a unit of latent moves a foot

        def steps(latents: Tensor, crop: Tensor) -> Tensor:
            moved = torch.einsum("ntd,djx->ntjx", latents.diff(dim=1), self.feet[:-1])
            return torch.cat([moved[..., :1] + crop[:, :, None, None] / STEPS_PER_BEAT, moved[..., 1:]], dim=-1)

        true = steps(target, travel[:, 1:])
        height = FLOOR - (torch.einsum("ntd,dj->ntj", target, self.feet[:-1, :, 1]) + self.feet[-1, :, 1])
        low = height[:, 1:] * FRAME_METRES < torch.tensor(STANDING, device=target.device)
        stands = low & (true.norm(dim=-1) * FRAME_METRES < STANDS) & ~spliced[:, 1:, None]
        found = steps(dance, speed) / scale
        return (found.square().sum(-1) * stands).sum() / stands.sum().clamp(min=1)


# --- batches --------------------------------------------------------------------------------------------------

SAME_DANCE = 0.3  # share of splices of a written dance that stay in it, at another energy or mirrored
BLEND_STEPS = 24  # steps in which the body of one dance becomes that of another: a beat and a half
NAMELESS = 0.2  # share of windows in which the name of a dance is not told


class Ballroom:
    """The dances of a training set, and how often each is asked to dance."""

    def __init__(self, dances: list[Dance], styles: int, names: int) -> None:
        """`styles` and `names`: how many there are. Takes too short for a letter after the first are left out."""
        self.dances = [d for d in dances if len(d.letters) >= 4]
        if not self.dances:
            raise ValueError("every take is shorter than a training window")
        self.styles, self.names = np.eye(styles, dtype=np.float32), np.eye(names + 1, max(1, names), dtype=np.float32)
        # By its length, but a rare style more than its share (square root).
        weight = np.array([len(d.letters) for d in self.dances], dtype=np.float64)
        style = np.array([d.style for d in self.dances])
        for number in np.unique(style):
            weight[style == number] /= np.sqrt(weight[style == number].sum())
        self._share = np.cumsum(weight) / weight.sum()
        self._of_name: dict[int, list[int]] = {}
        for i, d in enumerate(self.dances):
            if d.dance >= 0:
                self._of_name.setdefault(d.dance, []).append(i)

    def pick(self, rng: np.random.Generator) -> Dance:
        """A dance at random."""
        return self.dances[min(int(np.searchsorted(self._share, rng.random())), len(self.dances) - 1)]

    def partner(self, dance: Dance, rng: np.random.Generator) -> Dance:
        """A dance to go on with after `dance`."""
        if dance.dance >= 0 and rng.random() < SAME_DANCE:
            return self.dances[int(rng.choice(self._of_name[dance.dance]))]
        return self.pick(rng)


def _room(dance: Dance, length: int) -> int:
    """How many letters a window of `length` may begin on."""
    return len(dance.letters) if dance.loops else len(dance.letters) - length


def _longest(hall: Ballroom) -> int:
    """Letters of the longest window that one dance alone can fill, with one more that follows."""
    return max(sys.maxsize if d.loops else len(d.letters) - 2 for d in hall.dances)


def _window(
    hall: Ballroom, length: int, splices: float, rng: np.random.Generator
) -> tuple[list[tuple[Dance, NDArray[np.int64]]], int]:
    """Letters of one or two dances that make a window of `length` together, [(dance, its letters)], and how many
    letters of the phrase are over when it begins. The second dance goes on at the same place in the phrase."""
    while True:
        dance = hall.pick(rng)
        cut = int(rng.integers(1, length)) if rng.random() < splices else length
        if (room := _room(dance, cut)) < 1:
            continue
        start = int(rng.integers(0, room))
        place = dance.place(start)
        parts = [(dance, start + np.arange(cut))]
        if cut < length:
            other = hall.partner(dance, rng)
            first = (place + cut - other.phase) % LETTERS_PER_PHRASE
            starts = np.arange(first, _room(other, length - cut), LETTERS_PER_PHRASE)
            if len(starts) == 0:
                continue
            parts.append((other, int(rng.choice(starts)) + np.arange(length - cut)))
        return parts, place


def _told(hall: Ballroom, dance: Dance, rng: np.random.Generator) -> NDArray[np.float32]:
    """What the networks are told of style and dance, (S + G,). Sometimes the name is kept from them: so they learn to
    improvise in the style."""
    name = -1 if rng.random() < NAMELESS else dance.dance
    return np.concatenate([hall.styles[dance.style], hall.names[name]])


def _energy(dance: Dance, steps: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.take(dance.energy, steps, mode="wrap" if dance.loops else "clip")


def choreographer_batches(
    hall: Ballroom, letters: int, batch: int, length: int, seed: int, slip: float = 0.08, splices: float = 0.75
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of letters (N, T), the letters that follow them (N, T) and conditions (N, T, 7 + S + G).

    Now and then an input letter is another one (`slip`), so that the network learns to find back after a rare choice;
    what is to follow is always what followed.
    """
    rng = np.random.default_rng(seed)
    length = min(length, _longest(hall))
    while True:
        written, given = [], []
        for _ in range(batch):
            parts, place = _window(hall, length + 1, splices, rng)
            line = np.concatenate([np.take(d.letters, at, mode="wrap") for d, at in parts])
            energy = np.concatenate([_energy(d, at * STEPS_PER_LETTER + STEPS_PER_LETTER // 2) for d, at in parts])
            told = np.concatenate([np.tile(_told(hall, d, rng), (len(at), 1)) for d, at in parts])
            phase = bar_phase((place + np.arange(length + 1)) / LETTERS_PER_BEAT)
            written.append(line)
            given.append(np.concatenate([phase, energy[:, None], told], axis=1)[1:])
        lines = np.stack(written)
        read, following = lines[:, :-1], lines[:, 1:].copy()
        read = np.where(rng.random(read.shape) < slip, rng.integers(0, letters, read.shape), read)
        yield torch.from_numpy(read), torch.from_numpy(following), torch.from_numpy(np.stack(given).astype(np.float32))


def blend_out(gap: NDArray[np.float32], slope: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """A way (steps, D) from a gap (D,) that closes with `slope` (D,) a step to nothing: the quintic Hermite curve that
    ends at rest. (Bollo, "Inertialization", GDC 2018: a transition is the old motion's momentum dying away.)"""
    u = (np.arange(steps, dtype=np.float32) / steps)[:, None]
    from_gap = 1 - u**3 * (10 - 15 * u + 6 * u * u)
    from_slope = u - u**3 * (6 - 8 * u + 3 * u * u)
    return (gap * from_gap + slope * steps * from_slope).astype(np.float32, copy=False)


def dancer_batches(
    hall: Ballroom, batch: int, beats: int, seed: int, splices: float = 0.5
) -> Iterator[dict[str, Tensor]]:
    """Endless batches of windows of `beats` beats that begin with a letter: latent (N, T, D), travel (N, T), letters
    (N, T), place and energy (N, T, 1), bar_phase (N, T, 6), style (N, T, S), dance (N, T, G), spliced (N, T): where
    one dance becomes another."""
    rng = np.random.default_rng(seed)
    length = min(beats * LETTERS_PER_BEAT, _longest(hall))
    steps = length * STEPS_PER_LETTER
    place = (np.arange(steps) % STEPS_PER_LETTER / STEPS_PER_LETTER).astype(np.float32)
    while True:
        parts: dict[str, list[NDArray]] = {}
        for _ in range(batch):
            # One letter more than is danced: the last needs one that follows.
            pieces, begun = _window(hall, length + 1, splices, rng)
            letters = np.concatenate([np.take(d.letters, at, mode="wrap") for d, at in pieces])
            rows: dict[str, list[NDArray]] = {}
            for dance, at in pieces:
                index = (at[:, None] * STEPS_PER_LETTER + np.arange(STEPS_PER_LETTER)).ravel()
                mode = "wrap" if dance.loops else "clip"
                rows.setdefault("latent", []).append(np.take(dance.latent, index, axis=0, mode=mode))
                rows.setdefault("travel", []).append(np.take(dance.travel, index, mode=mode))
                rows.setdefault("energy", []).append(_energy(dance, index))
                rows.setdefault("told", []).append(np.tile(_told(hall, dance, rng), (len(index), 1)))
            spliced = np.zeros(steps, dtype=bool)
            cut = len(rows["latent"][0])
            if len(pieces) > 1 and cut < steps:
                before, after = rows["latent"]
                gap = before[-1] + (before[-1] - before[-2]) - after[0]
                slope = before[-1] - before[-2] - (after[1] - after[0])
                count = min(BLEND_STEPS, len(after))
                after[:count] += blend_out(gap, slope, BLEND_STEPS)[:count]
                crop = (rows["travel"][0][-1] - rows["travel"][1][0]) * (1 - np.arange(count) / BLEND_STEPS)
                rows["travel"][1][:count] += crop.astype(np.float32)
                spliced[cut : cut + BLEND_STEPS] = True
            whole = {name: np.concatenate(values)[:steps] for name, values in rows.items()}
            beat = begun / LETTERS_PER_BEAT + np.arange(steps) / STEPS_PER_BEAT
            made = {
                **whole, "spliced": spliced, "letter": np.repeat(letters[:-1], STEPS_PER_LETTER),
                "next_letter": np.repeat(letters[1:], STEPS_PER_LETTER), "bar_phase": bar_phase(beat),
            }  # fmt: skip
            for name, value in made.items():
                parts.setdefault(name, []).append(value)
        out = {k: torch.from_numpy(np.stack(v)) for k, v in parts.items()}
        out["energy"] = out["energy"][..., None]
        out["style"], out["dance"] = out.pop("told").split([len(hall.styles), hall.names.shape[1]], dim=-1)
        out["place"] = torch.from_numpy(np.tile(place, (batch, 1)))[..., None]
        yield out
