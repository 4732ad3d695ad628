"""Dances as letters and latents: the alphabet, and the windows of dances that the recurrent networks learn from."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.choreography.energy import EnergyFigure, rank
from training.data.weights import SAME_DANCE, weigh_takes
from visualizer.dancer.dancer import bar_phase
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, STEPS_PER_LETTER
from visualizer.support.console import Console

if TYPE_CHECKING:  # slow to import, and what is refused needs none of it
    from sklearn.cluster import MiniBatchKMeans

LETTERS_PER_BEAT = STEPS_PER_BEAT // STEPS_PER_LETTER

LETTERS_PER_PHRASE = PHRASE_BEATS * LETTERS_PER_BEAT


@dataclass(frozen=True)
class Dance:
    """One take in latents. `latent` (S, D), `travel` (S, 2), or (S, 1) of flat bodies, `energy` (S,), `letters`
    (S // 8,), the numbers of its style and of its named dance (-1: none). `phase`: letters of a phrase that have passed
    when it begins. `hands` (S, 4), see `Motion`."""

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
    loops: bool = False  # whether it begins again after its end
    hands: NDArray[np.float32] | None = None

    def place(self, letter: int) -> int:
        """Letters of the phrase that have passed when its `letter` begins."""
        return (letter + self.phase) % LETTERS_PER_PHRASE


def rank_dances(takes: list[Dance], count: int) -> list[float]:
    """Energy of each of `count` named dances by its takes: rank 0, the quietest, to 1, the liveliest.

    Speed and size, here the root mean square distance from the mean body, are those of the latents, which are an
    isometry of joints. Dances without a take come in the middle.
    """
    made: dict[int, list[float]] = {}
    for take in takes:
        if take.dance >= 0:
            speed = np.linalg.norm(np.diff(take.latent, axis=0), axis=-1).mean() * STEPS_PER_BEAT
            size = np.sqrt(take.latent.var(axis=0).sum())
            made.setdefault(take.dance, []).append(EnergyFigure(float(speed), float(size)).energy)
    ranks = dict(zip(made, rank([float(np.mean(energies)) for energies in made.values()]), strict=True))
    return [ranks.get(k, 0.5) for k in range(count)]


def moves(latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half-beat moves of a take, (S, D) -> (S // 8, 4 D): every other step, which is enough to tell moves apart."""
    count = len(latent) // STEPS_PER_LETTER
    cut = latent[: count * STEPS_PER_LETTER].reshape(count, STEPS_PER_LETTER, latent.shape[1])
    return cut[:, ::2].reshape(count, STEPS_PER_LETTER // 2 * latent.shape[1])


def learn_alphabet(
    latents: list[NDArray[np.float32]], size: int, seed: int, weights: list[float] | None = None
) -> MiniBatchKMeans:
    """Cluster the half-beat moves of the training takes into `size` letters by mini-batch k-means (Sculley, 2010).

    `weights`: how much each take counts. Written moves need only coarse letters, because the network is also told
    which written dance it is; captured moves are known by their letters alone.
    """
    from sklearn.cluster import MiniBatchKMeans

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


BLEND_STEPS = 24  # steps in which the body of one dance becomes that of another: a beat and a half

NAMELESS = 0.2  # share of windows in which the name of a dance is not told


class DanceSampler:
    """The dances of a training set, and how often each is drawn."""

    def __init__(self, dances: list[Dance], styles: int, names: int) -> None:
        """`styles` and `names`: how many there are. Takes that are too short for a second letter are left out."""
        self.dances = [d for d in dances if len(d.letters) >= 4]
        if not self.dances:
            raise ValueError("every take is shorter than a training window")
        self.styles, self.names = np.eye(styles, dtype=np.float32), np.eye(names + 1, max(1, names), dtype=np.float32)
        weight = weigh_takes([len(d.letters) for d in self.dances], [d.style for d in self.dances])
        self._share = np.cumsum(weight) / weight.sum()
        self._of_name: dict[int, list[int]] = {}
        for i, d in enumerate(self.dances):
            if d.dance >= 0:
                self._of_name.setdefault(d.dance, []).append(i)

    def pick(self, rng: np.random.Generator) -> Dance:
        """A dance at random."""
        return self.dances[min(int(np.searchsorted(self._share, rng.random())), len(self.dances) - 1)]

    def partner(self, dance: Dance, rng: np.random.Generator) -> Dance:
        """A random dance to follow `dance`."""
        if dance.dance >= 0 and rng.random() < SAME_DANCE:
            return self.dances[int(rng.choice(self._of_name[dance.dance]))]
        return self.pick(rng)


def _room(dance: Dance, length: int) -> int:
    """On how many letters a window of `length` may begin."""
    return len(dance.letters) if dance.loops else len(dance.letters) - length


def _longest(sampler: DanceSampler) -> int:
    """Letters of the longest window that one dance alone can fill, with one more that follows."""
    return max(sys.maxsize if d.loops else len(d.letters) - 2 for d in sampler.dances)


def _window(
    sampler: DanceSampler, length: int, splices: float, rng: np.random.Generator
) -> tuple[list[tuple[Dance, NDArray[np.int64]]], int]:
    """A window of `length` letters of one or two dances, [(dance, its letters)], and how many letters of the phrase
    have passed when it begins. The second dance goes on at the same place in the phrase."""
    while True:
        dance = sampler.pick(rng)
        cut = int(rng.integers(1, length)) if rng.random() < splices else length
        if (room := _room(dance, cut)) < 1:
            continue
        start = int(rng.integers(0, room))
        place = dance.place(start)
        parts = [(dance, start + np.arange(cut))]
        if cut < length:
            other = sampler.partner(dance, rng)
            first = (place + cut - other.phase) % LETTERS_PER_PHRASE
            starts = np.arange(first, _room(other, length - cut), LETTERS_PER_PHRASE)
            if len(starts) == 0:
                continue
            parts.append((other, int(rng.choice(starts)) + np.arange(length - cut)))
        return parts, place


def _told(sampler: DanceSampler, dance: Dance, rng: np.random.Generator) -> NDArray[np.float32]:
    """Style and dance as the networks are told them, (S + G,). Sometimes the name is left out, so that they learn to
    improvise in the style."""
    name = -1 if rng.random() < NAMELESS else dance.dance
    return np.concatenate([sampler.styles[dance.style], sampler.names[name]])


def _energy(dance: Dance, steps: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.take(dance.energy, steps, mode="wrap" if dance.loops else "clip")


def choreographer_batches(
    sampler: DanceSampler, letters: int, batch: int, length: int, seed: int, slip: float = 0.08, splices: float = 0.75
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Endless batches of letters (N, T), the letters that follow them (N, T) and conditions (N, T, 7 + S + G).

    A share `slip` of the input letters is replaced by random ones, so that the network learns to recover after a rare
    choice; the letters that follow are always the true ones. `splices`: share of windows in which a second dance
    follows. Seven parameters, for the size of the batches and both shares are set apart from each other.
    """
    rng = np.random.default_rng(seed)
    length = min(length, _longest(sampler))
    while True:
        written, given = [], []
        for _ in range(batch):
            parts, place = _window(sampler, length + 1, splices, rng)
            line = np.concatenate([np.take(d.letters, at, mode="wrap") for d, at in parts])
            energy = np.concatenate([_energy(d, at * STEPS_PER_LETTER + STEPS_PER_LETTER // 2) for d, at in parts])
            told = np.concatenate([np.tile(_told(sampler, d, rng), (len(at), 1)) for d, at in parts])
            phase = bar_phase((place + np.arange(length + 1)) / LETTERS_PER_BEAT)
            written.append(line)
            given.append(np.concatenate([phase, energy[:, None], told], axis=1)[1:])
        lines = np.stack(written)
        read, following = lines[:, :-1], lines[:, 1:].copy()
        read = np.where(rng.random(read.shape) < slip, rng.integers(0, letters, read.shape), read)
        yield torch.from_numpy(read), torch.from_numpy(following), torch.from_numpy(np.stack(given).astype(np.float32))


def blend_out(gap: NDArray[np.float32], slope: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """A curve (steps, D) from `gap` (D,), with a first slope of `slope` (D,) a step, to zero: the quintic Hermite curve
    that ends at rest. (Bollo, "Inertialization", GDC 2018: in a transition the old motion's momentum dies away.)"""
    u = (np.arange(steps, dtype=np.float32) / steps)[:, None]
    from_gap = 1 - u**3 * (10 - 15 * u + 6 * u * u)
    from_slope = u - u**3 * (6 - 8 * u + 3 * u * u)
    return (gap * from_gap + slope * steps * from_slope).astype(np.float32, copy=False)


@dataclass(frozen=True)
class Window:
    """`latent` (T, D), `travel` (T, A) and `spliced` (T,) of a window: where flat dances were blended. `parts`: the
    dances in it, and which of their letters, one more than is danced."""

    latent: NDArray[np.float32]
    travel: NDArray[np.float32]
    spliced: NDArray[np.bool_]
    parts: list[tuple[Dance, NDArray[np.int64]]]


class Splicer(Protocol):
    """Where windows come from in which a body in space goes over from one dance to another."""

    @property
    def longest(self) -> int: ...
    def draw(self, rng: np.random.Generator, length: int) -> Window: ...


def find_steps(letters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the steps of letters, (L,) -> (8 L,)."""
    return (letters[:, None] * STEPS_PER_LETTER + np.arange(STEPS_PER_LETTER)).ravel()


def draw_window(sampler: DanceSampler, length: int, splices: float, rng: np.random.Generator) -> Window:
    """A window of `length` letters out of the dances themselves. In a share `splices` a second dance follows, and the
    flat body of the first is blended into it."""
    # One letter more than is danced: the last one needs a letter that follows.
    parts, _ = _window(sampler, length + 1, splices, rng)
    latents, travels = [], []
    for dance, at in parts:
        mode = "wrap" if dance.loops else "clip"
        latents.append(np.take(dance.latent, find_steps(at), axis=0, mode=mode))
        travels.append(np.take(dance.travel, find_steps(at), axis=0, mode=mode))
    steps, cut = length * STEPS_PER_LETTER, len(latents[0])
    spliced = np.zeros(steps, dtype=bool)
    if len(parts) > 1 and cut < steps:
        before, after = latents
        gap = before[-1] + (before[-1] - before[-2]) - after[0]
        slope = before[-1] - before[-2] - (after[1] - after[0])
        count = min(BLEND_STEPS, len(after))
        after[:count] += blend_out(gap, slope, BLEND_STEPS)[:count]
        crop = (travels[0][-1] - travels[1][0]) * (1 - np.arange(count) / BLEND_STEPS)[:, None]
        travels[1][:count] += crop.astype(np.float32)
        spliced[cut : cut + BLEND_STEPS] = True
    return Window(np.concatenate(latents)[:steps], np.concatenate(travels)[:steps], spliced, parts)


def _complete(sampler: DanceSampler, window: Window, rng: np.random.Generator) -> dict[str, NDArray]:
    """What the dancer network is told in a window, and what it should dance."""
    steps = len(window.latent)
    letters = np.concatenate([np.take(dance.letters, at, mode="wrap") for dance, at in window.parts])
    energy = np.concatenate([_energy(dance, find_steps(at)) for dance, at in window.parts])
    told = np.concatenate(
        [np.tile(_told(sampler, dance, rng), (len(at) * STEPS_PER_LETTER, 1)) for dance, at in window.parts]
    )
    first, at = window.parts[0]
    beat = first.place(int(at[0])) / LETTERS_PER_BEAT + np.arange(steps) / STEPS_PER_BEAT
    return {
        "latent": window.latent, "travel": window.travel, "spliced": window.spliced,
        "energy": energy[:steps, None], "told": told[:steps], "bar_phase": bar_phase(beat),
        "letter": np.repeat(letters[:-1], STEPS_PER_LETTER), "next_letter": np.repeat(letters[1:], STEPS_PER_LETTER),
        "place": (np.arange(steps)[:, None] % STEPS_PER_LETTER / STEPS_PER_LETTER).astype(np.float32),
    }  # fmt: skip


def dancer_batches(
    sampler: DanceSampler, batch: int, beats: int, seed: int, splices: float = 0.6, splicer: Splicer | None = None
) -> Iterator[dict[str, Tensor]]:
    """Endless batches of windows of `beats` beats that begin with a letter: latent (N, T, D), travel (N, T, A), letters
    (N, T), place and energy (N, T, 1), bar_phase (N, T, 6), style (N, T, S), dance (N, T, G), spliced (N, T).

    In a share `splices` one dance becomes another: as the `splicer` has it, or without one by blending, and `spliced`
    says where.
    """
    rng = np.random.default_rng(seed)
    length = min(beats * LETTERS_PER_BEAT, _longest(sampler))
    if splicer is not None:
        length = min(length, splicer.longest)
    while True:
        parts: dict[str, list[NDArray]] = {}
        for _ in range(batch):
            if splicer is not None and rng.random() < splices:
                window = splicer.draw(rng, length)
            else:
                window = draw_window(sampler, length, splices if splicer is None else 0.0, rng)
            for name, value in _complete(sampler, window, rng).items():
                parts.setdefault(name, []).append(value)
        out = {k: torch.from_numpy(np.stack(v)) for k, v in parts.items()}
        out["style"], out["dance"] = out.pop("told").split([len(sampler.styles), sampler.names.shape[1]], dim=-1)
        yield out
