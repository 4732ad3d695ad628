"""The recurrent network over pictures of dots: how it is trained, and how it dances beside real dance and ours."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from scipy.spatial.distance import pdist
from torch import Tensor

from training.data.dataset import Take, from_bytes
from training.evaluate.picture_metrics import iou
from training.evaluate.studio import waves
from training.fit import FitConfig, FitTask, fit
from training.models.autoencoder import parameters
from training.replication.effort import PICTURES_PER_BEAT, READ_FIRST, SECOND, Dots, Effort, Floats
from training.replication.judge import Judged, cross_entropy, kept_variety
from training.replication.models import (
    HEIGHT,
    PIXELS,
    WIDTH,
    FrameRnn,
    dots,
)
from visualizer import files
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, Pack
from visualizer.errors import UserError


def danced_in_dots(takes: Sequence[Take], store: Path) -> list[Dots]:
    """Takes as films of dots, (S, 51, 47) each. They are kept in `store`, because drawing them takes as long as
    training a network; UserError where that file is broken."""
    if not store.exists():
        films = []
        for take in track(takes, description="films"):
            fields = from_bytes(take.read("frames")[:: STEPS_PER_BEAT // PICTURES_PER_BEAT])
            films.append(dots(fields[:, None])[:, 0])
        with files.write_whole(store) as part:
            np.savez(part, dots=np.packbits(np.concatenate(films).reshape(-1)), lengths=[len(film) for film in films])
        return films
    try:
        with np.load(store, allow_pickle=False) as kept:
            lengths = kept["lengths"]
            whole = np.unpackbits(kept["dots"], count=int(lengths.sum()) * PIXELS).reshape(-1, HEIGHT, WIDTH)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{store}: broken ({' '.join(str(error).split())}); remove it") from error
    return np.split(whole, np.cumsum(lengths)[:-1])


def film_batches(films: Sequence[Dots], batch: int, length: int, seed: int, start: int) -> Iterator[Tensor]:
    """Endless random windows of films, half of them mirrored: (batch, length, 51, 47)."""
    long = [film for film in films if len(film) >= length]
    if not long:
        raise UserError("no take is long enough to learn from")
    places = np.array([len(film) - length + 1 for film in long])
    ends = np.cumsum(places)
    rng = np.random.default_rng([seed, start])
    while True:
        window = []
        for place in rng.integers(0, ends[-1], batch):
            which = int(np.searchsorted(ends, place, side="right"))
            first = int(place - (ends[which] - places[which]))
            film = long[which][first : first + length]
            window.append(film[..., ::-1] if rng.random() < 0.5 else film)
        yield torch.from_numpy(np.stack(window)).float()


def fit_rnn(films: Sequence[Dots], effort: Effort, work: Path) -> FrameRnn:
    """Train the recurrent network on films of dots, or load it where that was done."""
    torch.manual_seed(effort.seed)
    network = FrameRnn(usual=np.concatenate([film[::SECOND] for film in films]).mean(axis=0))
    lesson = FitTask(
        "frame-rnn", network, lambda net, films: net.loss(films),  # type: ignore[operator]
        lambda start: film_batches(films, 16, 2 * SECOND + 1, effort.seed, start), effort.seed,
    )  # fmt: skip
    fit(lesson, FitConfig(effort.rnn_steps, rate=5e-3, decay=0.0), work)
    return network


def windows_of_films(films: Sequence[Dots], length: int) -> Dots:
    """Films cut into whole windows, one behind the other: (W, length, 51, 47)."""
    return np.concatenate([f[: len(f) // length * length].reshape(-1, length, HEIGHT, WIDTH) for f in films])


@torch.no_grad()
def judge_rnn(network: FrameRnn, films: Sequence[Dots]) -> list[Judged]:
    """How well it predicts the next picture of held-out films, beside predicting no change."""
    windows = windows_of_films(films, min(4 * SECOND, max(len(film) for film in films)))
    read = torch.from_numpy(windows).float()
    chance = torch.cat([torch.sigmoid(network(part)[0]) for part in read.split(16)]).numpy()
    true = windows[:, READ_FIRST:].reshape(-1, HEIGHT, WIDTH)
    same = windows[:, READ_FIRST - 1 : -1].reshape(-1, HEIGHT, WIDTH)
    found = chance[:, READ_FIRST - 1 : -1].reshape(-1, HEIGHT, WIDTH)

    def row(name: str, guess: NDArray, numbers: int | None, code: int | None, loss: float | None) -> Judged:
        overlap = float(iou(true > 0, guess > 0.5).mean())
        return Judged(name, "foretells the next picture", numbers, code, loss, overlap, None, kept_variety(true, guess))

    return [
        row("char-rnn of pictures", found, parameters(network), network.lstm.hidden_size, cross_entropy(found, true)),
        row("the last picture again", same, None, None, None),  # surer than sure: its loss would be without bound
    ]


def dance_of(pack: Pack, pictures: int, seed: int) -> Dots:
    """The pack improvises, after a phrase of lead-in: (pictures, 51, 47)."""
    dancer = Dancer(pack, seed)
    fields = []
    every = STEPS_PER_BEAT // PICTURES_PER_BEAT
    for step in range(PHRASE_BEATS * STEPS_PER_BEAT + pictures * every):
        beat = step / STEPS_PER_BEAT
        dancer.step_to(beat, waves(beat))
        if beat >= PHRASE_BEATS and step % every == 0:
            fields.append(dancer.picture(beat).frames[0])
    return dots(np.stack(fields))[:, 0]


class Known:
    """All pictures that were learned from, to find the nearest of by intersection over union."""

    def __init__(self, films: Sequence[Dots], every: int = 4) -> None:
        known = np.concatenate([film[::every] for film in films])
        self.flat = np.concatenate([known, known[..., ::-1]]).reshape(-1, PIXELS).astype(np.float32)
        self.area = self.flat.sum(axis=1)

    def overlap(self, pictures: Dots) -> Floats:
        """(T, 51, 47) -> IoU with the nearest, (T,)."""
        out = []
        for part in np.array_split(pictures.reshape(-1, PIXELS).astype(np.float32), max(1, len(pictures) // 64)):
            both = part @ self.flat.T
            out.append((both / np.maximum(part.sum(axis=1)[:, None] + self.area - both, 1)).max(axis=1))
        return np.concatenate(out)


STILL = 0.02  # share of a figure's dots that change from picture to picture: a second with less stands still

AGAIN = 0.9  # IoU of two half seconds, on average, from which the one is the other again


@dataclass(frozen=True)
class Danced:
    """A row of the third table, over several films of one dancer. Shares are 0..1.

    `energy`: dots that change from picture to picture over dots of the figure. `frozen`: seconds that stand still.
    `again`: half seconds that were danced before, at least a second ago. `known`: IoU with the nearest picture learned
    from. `pieces`: pictures whose figure falls apart. `spread`: mean distance (L2) between two pictures.
    """

    dancer: str
    energy: float
    frozen: float
    again: float
    known: float
    pieces: float
    spread: float


def changes(film: Dots) -> Floats:
    """Dots that change from each picture to the next, over the dots of a figure: (T, 51, 47) -> (T - 1,)."""
    return (np.diff(film.astype(np.int8), axis=0) != 0).sum(axis=(1, 2)) / max(1.0, float(film.sum(axis=(1, 2)).mean()))


def danced_again(film: Dots) -> float:
    """Share of half seconds of a film (T, 51, 47) that are much like an earlier one."""
    half = SECOND // 2
    flat = film.reshape(len(film), PIXELS).astype(np.float32)
    both = flat @ flat.T
    area = flat.sum(axis=1)
    alike = both / np.maximum(area[:, None] + area - both, 1)
    count = len(film) - half + 1
    runs = np.mean([alike[k : k + count, k : k + count] for k in range(half)], axis=0)
    earlier = np.tril(runs, -SECOND)  # only what began at least a second before
    starts = np.arange(SECOND, count)
    return float((earlier[starts].max(axis=1) >= AGAIN).mean()) if len(starts) else 0.0


def in_pieces(picture: NDArray[np.uint8]) -> bool:
    return cv2.connectedComponents(picture, connectivity=8)[0] > 2  # the ground counts as one


def judge_dance(dancer: str, films: Sequence[Dots], known: Known, rng: np.random.Generator) -> Danced:
    """Measure films (T, 51, 47) of one dancer."""
    moved = [changes(film) for film in films]
    seconds = np.concatenate([m[: len(m) // SECOND * SECOND].reshape(-1, SECOND).mean(axis=1) for m in moved])
    whole = np.concatenate(list(films))
    few = whole[np.sort(rng.permutation(len(whole))[:600])]
    return Danced(
        dancer, float(np.concatenate(moved).mean()), float((seconds < STILL).mean()),
        float(np.mean([danced_again(film) for film in films])), float(known.overlap(few).mean()),
        float(np.mean([in_pieces(picture) for picture in few])),
        float(pdist(few.reshape(len(few), PIXELS).astype(np.float32)).mean()),
    )  # fmt: skip


# How the recurrent network dreams: temperature, and over how many dots it draws together.
DREAMS = ((1.0, 0.0), (0.5, 0.0), (0.0, 0.0), (0.7, 2.0))


def dream_name(temperature: float, agree: float) -> str:
    if temperature == 0:
        return "char-rnn, what is likelier"
    return f"char-rnn, dots drawn {'together' if agree else 'apart'}, T {temperature:g}"
