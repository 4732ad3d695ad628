"""The student's networks beside ours, on the same frames: `python -m training compare`.

Three tables and two sheets. What the autoencoders keep of frames that none of them saw, taught as they were and as they
should have been. What their loss says, and which mistakes give one and the same grey picture. And how the recurrent
network over pictures of dots dances beside real dance and ours.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table
from scipy.spatial.distance import pdist
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.dataset import Bodies, Take, build, clips_of, from_bytes, gather_bodies, held_out_clips, open_takes
from training.data.motion.body import silhouettes
from training.data.motion.clips import read_clips
from training.evaluate.evaluate import held_out_frames, run_network
from training.evaluate.metrics import iou, variety_kept
from training.evaluate.plots import HAIR, Grey, save_picture, waves, write_text
from training.fit import FitConfig, fit
from training.folders import check_folder, claimed
from training.models.autoencoder import parameters
from training.recipe import settings
from training.replication.models import (
    DEEP,
    DENSE,
    HEIGHT,
    PIXELS,
    SPARSE,
    SPARSITY,
    WIDTH,
    Convolutional,
    Dense,
    FrameRnn,
    dots,
    shrink,
)
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import FRAME_SIZE, PHRASE_BEATS, STEPS_PER_BEAT, Pack, load_pack, read_info
from visualizer.errors import UserError
from visualizer.networks.session import open_session
from visualizer.support.console import Console

Dots = NDArray[np.uint8]
Floats = NDArray[np.float32]

CLIP = 1e-7  # Keras keeps probabilities so far from 0 and 1 before it takes their logarithm
PICTURES_PER_BEAT = 8  # of dances in dots: 16 a second at 120 BPM, a film's pace rather than the dancer's
SECOND = 2 * PICTURES_PER_BEAT
READ_FIRST = SECOND  # pictures that the recurrent network reads before it is judged, or dances on
COLUMNS = 6  # pictures a row of the sheets
GREYS = 16  # in a sheet: what noise is left would fill a megabyte
LABEL = 210  # pixels, left of each row


@dataclass(frozen=True)
class Effort:
    """How much is learned and measured. The defaults take a quarter of an hour on two cores that are free."""

    seed: int = 7
    tiny: bool = False
    pictures: int = 32768  # that the autoencoders learn from as they should have been
    filmed: int = 2048  # of these, what the student may have had: a minute of film
    epochs: int = 20  # times that it was gone through
    every_frame: int = 8  # of the held-out takes
    share: float = 1.0  # of the steps of each version
    rnn_steps: int = 500
    dream_seconds: int = 60
    dreamers: int = 4


TINY = Effort(
    tiny=True, pictures=256, filmed=128, epochs=1, every_frame=8, share=0.001, rnn_steps=4, dream_seconds=3,
    dreamers=2,
)  # fmt: skip


# --- what is learned from -------------------------------------------------------------------------------------


def draw_pictures(bodies: Bodies, count: int, seed: int) -> Dots:
    """Random bodies by random cameras, as our autoencoder learns from them: (count, 1, 51, 47)."""
    rng = np.random.default_rng(seed)
    parts = [min(1024, count - at) for at in range(0, count, 1024)]
    return np.concatenate([dots(silhouettes(bodies.draw(rng, n))) for n in track(parts, description="pictures")])


def danced_in_dots(takes: Sequence[Take], store: Path) -> list[Dots]:
    """Takes as films of dots, (S, 51, 47) each. They are kept in `store`, for drawing them takes as long as a network;
    UserError where that file is broken."""
    if not store.exists():
        films = []
        for take in track(takes, description="films"):
            fields = from_bytes(take.read("frames")[:: STEPS_PER_BEAT // PICTURES_PER_BEAT])
            films.append(dots(fields[:, None])[:, 0])
        part = store.with_suffix(".part.npz")
        np.savez(part, dots=np.packbits(np.concatenate(films).reshape(-1)), lengths=[len(film) for film in films])
        part.replace(store)
        return films
    try:
        with np.load(store, allow_pickle=False) as kept:
            lengths = kept["lengths"]
            whole = np.unpackbits(kept["dots"], count=int(lengths.sum()) * PIXELS).reshape(-1, HEIGHT, WIDTH)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{store}: broken ({' '.join(str(error).split())}); remove it") from error
    return np.split(whole, np.cumsum(lengths)[:-1])


# --- how a network is taught ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lesson:
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

    As it should have been it learns by Adam: so many `steps` of `batch` pictures, at `rate` and `sparsity`. As it was,
    it goes through the film a few times in batches of `filmed`, its sparsity weighed by `activity`.
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
    lesson: Lesson

    @property
    def key(self) -> str:
        return "".join(
            c if c.isalnum() or c in ".-" else "_" for c in f"{self.version.name}-{self.lesson.name}"
        ).lower()


def as_it_was(version: Version, effort: Effort, rate: float) -> Attempt:
    """The student's way: Adadelta, a few times through the film, dark on light."""
    batch = min(version.filmed, effort.filmed)
    steps = effort.epochs * (effort.filmed // batch)
    return Attempt(
        version, Lesson(f"as it was, Adadelta {rate:g}", rate, steps, batch, True, True, 1, version.activity)
    )


def as_it_should(version: Version, effort: Effort) -> Attempt:
    """Light on dark, Adam, and enough steps."""
    steps = max(2, round(effort.share * version.steps))
    return Attempt(
        version, Lesson("as it should have been", version.rate, steps, version.batch, sparsity=version.sparsity)
    )


def mistakes(effort: Effort) -> list[Attempt]:
    """What may have gone wrong, one by one and together, at both rates."""
    found = []
    for rate in RATES:
        usual = as_it_was(DENSE_128, effort, rate)
        for dark in (True, False):
            for white, said in ((1.0, "0 to 1"), (255.0, "0 to 255"), (1 / 255, "0 to 1/255")):
                name = f"{'dark on light' if dark else 'light on dark'}, {said}, Adadelta {rate:g}"
                changed = replace(usual.lesson, name=name, dark=dark, white=white)
                found.append(usual if dark and white == 1 else replace(usual, lesson=changed))
        summed = as_it_was(SPARSE_64, effort, rate)
        averaged = replace(summed.lesson, name=f"activity averaged, Adadelta {rate:g}", sparsity=SPARSITY)
        found += [summed, replace(summed, lesson=averaged), as_it_was(DEEP_32, effort, rate)]
    return found


def picture_batches(pictures: Dots, batch: int, film: int | None, seed: int, start: int) -> Iterator[Tensor]:
    """Endless batches of pictures from step `start` on: random ones, or, with `film`, the first so many in a new order
    each time they are gone through."""
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
    """The network before its first lesson, the same each time."""
    torch.manual_seed(seed)
    return attempt.version.make()


class Pupil(nn.Module):
    """A network and how it is taught, as the training loop wants it."""

    def __init__(self, network: nn.Module, lesson: Lesson) -> None:
        super().__init__()
        self.network, self.lesson = network, lesson

    def loss(self, pictures: Tensor) -> dict[str, Tensor]:
        return self.lesson.loss(self.network, pictures)


def teach(attempt: Attempt, pictures: Dots, effort: Effort, work: Path) -> nn.Module:
    """Train one network, or load it where that was done."""
    lesson = attempt.lesson
    # Convolutions of few channels were measured twice as fast with the channels last.
    network = begin(attempt, effort.seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer: torch.optim.Optimizer
    if lesson.adadelta:
        optimizer = torch.optim.Adadelta(network.parameters(), lr=lesson.rate, rho=0.95, eps=1e-7)
    else:
        optimizer = torch.optim.Adam(network.parameters(), lr=lesson.rate)
    film = effort.filmed if lesson.adadelta else None
    fit(
        attempt.key, Pupil(network, lesson), lambda pupil, batch: pupil.loss(batch),  # type: ignore[operator]
        lambda start: picture_batches(pictures, lesson.batch, film, effort.seed, start),
        FitConfig(lesson.steps, rate=lesson.rate, clip=math.inf if lesson.adadelta else 1.0, steady=lesson.adadelta),
        work, effort.seed, optimizer,
    )  # fmt: skip
    return network.eval()


# --- how it is judged -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """Frames that no network learned from: signed fields (T, 1, 128, 128), and the same as dots (T, 51, 47).

    Of `pairs` (P, 2) of them `between` (P, 51, 47) is the body half-way, each joint half-way between its two places.
    """

    frames: Floats
    dots: Dots
    pairs: NDArray[np.int64]
    between: Dots

    @property
    def tensor(self) -> Tensor:
        return torch.from_numpy(self.dots[:, None]).float()


def hold_out(frames: Floats, joints: Floats, seed: int, pairs: int = 400) -> Held:
    """Held-out frames (T, 1, 128, 128) with their joints (T, 21, 2), and any two of them paired."""
    pick = np.random.default_rng(seed).integers(0, len(frames), (pairs, 2))
    return Held(frames, dots(frames)[:, 0], pick, dots(silhouettes(joints[pick].mean(axis=1)))[:, 0])


@dataclass(frozen=True)
class Judged:
    """A row of the first table. None: it has no such figure. `between`: IoU of what the mean of two codes gives with
    the body half-way between the two."""

    network: str
    taught: str
    parameters: int | None
    code: int | None
    loss: float | None
    iou: float | None
    iou_128: float | None
    variety: float | None
    between: float | None = None
    pictures: Floats | None = field(default=None, repr=False)  # (T, 51, 47) how likely each dot is set
    note: str = ""


def cross_entropy(chance: Floats, true: Dots) -> float:
    """Mean binary cross-entropy a dot, probabilities clipped as Keras does."""
    likely = np.clip(chance.astype(np.float64), CLIP, 1 - CLIP)
    return float(-np.where(true > 0, np.log(likely), np.log1p(-likely)).mean())


def kept_variety(true: NDArray, found: NDArray) -> float:
    """`variety_kept` of every so many pictures, at most 600: their distances grow as the square."""
    few = slice(None, None, max(1, len(true) // 600))
    return variety_kept(true[few].astype(np.float32), found[few].astype(np.float32))


def enlarged(chance: Floats) -> NDArray[np.bool_]:
    """Pictures (T, 51, 47) of probabilities -> the figure at 128, by cubic up-sampling."""
    big = F.interpolate(torch.from_numpy(chance)[:, None], (FRAME_SIZE, FRAME_SIZE), mode="bicubic")
    return (big[:, 0] > 0.5).numpy()


def judge(network: str, taught: str, held: Held, chance: Floats, **more: Any) -> Judged:
    """A row for what a network makes of the held-out pictures: `chance` (T, 51, 47)."""
    at_128 = more.pop("iou_128", None)
    if at_128 is None:
        at_128 = float(iou(held.frames[:, 0] < 0, enlarged(chance)).mean())
    return Judged(
        network, taught, more.pop("parameters", None), more.pop("code", None), cross_entropy(chance, held.dots),
        float(iou(held.dots > 0, chance > 0.5).mean()), at_128, kept_variety(held.dots, chance), pictures=chance,
        **more,
    )  # fmt: skip


@torch.no_grad()
def given_back(network: nn.Module, pictures: Tensor) -> Tensor:
    """Logits for pictures of any number."""
    return torch.cat([network(part) for part in pictures.split(256)])


@torch.no_grad()
def judge_attempt(attempt: Attempt, network: nn.Module, held: Held) -> Judged:
    lesson = attempt.lesson
    given = lesson.given(held.tensor)
    chance = lesson.figure(torch.sigmoid(given_back(network, given)))[:, 0].numpy()
    code = torch.cat([network.encode(part) for part in given.split(256)])  # type: ignore[operator]
    mean = (code[held.pairs[:, 0]] + code[held.pairs[:, 1]]) / 2
    halfway = lesson.figure(torch.sigmoid(network.decode(mean)))[:, 0].numpy()  # type: ignore[operator]
    return judge(
        attempt.version.name, lesson.name, held, chance, parameters=parameters(network), code=code[0].numel(),
        between=float(iou(held.between > 0, halfway > 0.5).mean()),
    )  # fmt: skip


def judge_broken(held: Held) -> Judged:
    """Version 4 as it was: what the loss says of the shapes."""
    network = Convolutional(repaired=False)
    picture = held.tensor[:1]
    with torch.no_grad():
        logits = network(picture)
        try:
            F.binary_cross_entropy_with_logits(logits, picture)
        except ValueError as error:
            said = str(error)
        else:
            raise AssertionError("version 4 has the right shape, so it is not as it was")
    height, width = logits.shape[-2:]
    code = network.encode(picture)[0].numel()
    return Judged(
        "4, convolutional", "as it was", parameters(network), code, None, None, None, None,
        note=f"{height}×{width} dots come out where {HEIGHT}×{WIDTH} went in: {said}",
    )  # fmt: skip


def covered(fields: Floats) -> Floats:
    """Signed fields (N, 1, 128, 128) -> share of each dot that is covered, (N, 51, 47)."""
    mask = np.clip(0.5 - fields * FRAME_SIZE, 0, 1).astype(np.float32)
    return shrink(torch.from_numpy(mask))[:, 0].numpy()


def sure_as(share: Floats, true: Dots) -> float:
    """How steep a logistic of the covered share (N, 51, 47) says best which dots are set: our networks give outlines,
    not probabilities, and this one number, found on pictures of the training, makes them such."""
    slopes = np.geomspace(2, 200, 40)
    losses = [cross_entropy(logistic(slope, share), true) for slope in slopes]
    return float(slopes[int(np.argmin(losses))])


def logistic(slope: float, share: Floats) -> Floats:
    return (1 / (1 + np.exp(-slope * (share - 0.5)))).astype(np.float32)


def numbers_in(path: Path) -> int:
    """Trained and other constant numbers in an ONNX network."""
    graph = onnx.load(path).graph
    return sum(math.prod(i.dims) for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT)


def judge_ours(pack: Pack, bodies: Bodies, held: Held, seed: int) -> Judged:
    """The pack's own autoencoder on the same frames, its outlines shrunk to the same dots."""
    encoder, _ = open_session(pack.folder / "encoder.onnx")

    def codes(frames: Floats) -> Floats:
        return run_network(encoder, "frame", frames)[0]

    def drawn(latent: Floats) -> Floats:
        return run_network(pack.decoder, "latent", latent)[0]

    known = silhouettes(bodies.draw(np.random.default_rng(seed), 256))
    slope = sure_as(covered(drawn(codes(known))), dots(known)[:, 0])
    latent = codes(held.frames)
    found, halfway = drawn(latent), drawn(latent[held.pairs].mean(axis=1))
    numbers = numbers_in(pack.folder / "encoder.onnx") + numbers_in(pack.folder / "decoder.onnx")
    return judge(
        f"ours, {pack.name}", "as it ships", held, logistic(slope, covered(found)), parameters=numbers,
        code=pack.latent_size, iou_128=float(iou(held.frames[:, 0] < 0, found[:, 0] < 0).mean()),
        between=float(iou(held.between > 0, covered(halfway) > 0.5).mean()),
    )  # fmt: skip


# --- what the loss says ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Blur:
    """A row of the second table. `grey`: mean of what is given back, 0..1; `spread`: how far its dots differ from
    each other in one picture; `alive`: share of the code that is ever above zero."""

    network: str
    mistake: str
    before: float
    after: float
    grey: float
    spread: float
    variety: float
    alive: float
    pictures: Floats = field(repr=False)


@torch.no_grad()
def see_blur(attempt: Attempt, network: nn.Module, held: Held, seed: int) -> Blur:
    lesson = attempt.lesson
    given = lesson.given(held.tensor)
    before = float(keras_loss(given_back(begin(attempt, seed).eval(), given), given))
    logits = given_back(network, given)
    out = torch.sigmoid(logits)[:, 0]
    code = torch.cat([network.encode(part).flatten(1) for part in given.split(256)])  # type: ignore[operator]
    return Blur(
        attempt.version.name, lesson.name, before, float(keras_loss(logits, given)), float(out.mean()),
        float(out.flatten(1).std(1).mean()), kept_variety(held.dots, out.numpy()),
        float((code > 0).any(0).float().mean()), lesson.figure(out).numpy(),
    )  # fmt: skip


# --- the recurrent network ------------------------------------------------------------------------------------


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
    fit(
        "frame-rnn", network, lambda net, films: net.loss(films),  # type: ignore[operator]
        lambda start: film_batches(films, 16, 2 * SECOND + 1, effort.seed, start),
        FitConfig(effort.rnn_steps, rate=5e-3, decay=0.0), work, effort.seed,
    )  # fmt: skip
    return network


def windows_of_films(films: Sequence[Dots], length: int) -> Dots:
    """Films cut into whole windows, one behind the other: (W, length, 51, 47)."""
    return np.concatenate([f[: len(f) // length * length].reshape(-1, length, HEIGHT, WIDTH) for f in films])


@torch.no_grad()
def judge_rnn(network: FrameRnn, films: Sequence[Dots]) -> list[Judged]:
    """How well it foretells the next picture of held-out films, beside saying that nothing changes."""
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
    earlier = np.tril(runs, -SECOND)  # what has only just begun is not danced again
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


# --- pictures and tables --------------------------------------------------------------------------------------


def sheet(rows: Sequence[tuple[str, NDArray]], zoom: int = 2) -> Grey:
    """Rows of pictures (N, H, W), 0..1 dark on light, with a name at the left of each: dots stay dots."""
    lines = []
    for name, pictures in rows:
        grey = np.round((1 - np.clip(pictures, 0, 1)) * (GREYS - 1)) * (255 / (GREYS - 1))
        large = grey.repeat(zoom, axis=1).repeat(zoom, axis=2)
        cells = np.pad(large, ((0, 0), (0, 1), (0, 1)), constant_values=HAIR)
        line = np.concatenate(list(cells), axis=1).round().astype(np.uint8)
        head = np.full((line.shape[0], LABEL), 255, np.uint8)
        write_text(head, name, (4, 16))
        lines.append(np.concatenate([head, line], axis=1))
    width = max(line.shape[1] for line in lines)
    return np.concatenate([np.pad(line, ((0, 0), (0, width - line.shape[1])), constant_values=255) for line in lines])


def _row_name(network: str, taught: str) -> str:
    return f"{network}\n{taught}".replace(", light", "\nlight").replace("×", "x")


def draw_autoencoders(rows: Sequence[Judged], blurs: Sequence[Blur], held: Held, out: Path) -> list[Path]:
    """The same held-out frames as each network gives them back; and what each mistake makes of four of them."""
    pick = np.linspace(0, len(held.dots) - 1, COLUMNS).astype(int)
    shown = [(_row_name(r.network, r.taught), r.pictures[pick]) for r in rows if r.pictures is not None]
    lines: list[tuple[str, NDArray]] = [("held-out frames, in dots", held.dots[pick]), *shown]
    blurred: list[tuple[str, NDArray]] = [("held-out frames, in dots", held.dots[pick])]
    blurred += [(_row_name(b.network, b.mistake), b.pictures[pick]) for b in blurs]
    return [
        save_picture(out / "history_autoencoders.png", sheet(lines)),
        save_picture(out / "history_blur.png", sheet(blurred, zoom=1)),
    ]


def draw_dreams(films: Sequence[tuple[str, Dots]], out: Path, columns: int = 16, every: int = 4) -> Path:
    """Two rows of pictures of each film (T, 51, 47), half a beat from one to the next."""
    rows = []
    for name, film in films:
        shown = film[::every]
        rows.append((name.replace(", ", "\n", 1), shown[:columns]))
        if len(shown) > columns:
            rows.append(("", shown[columns : 2 * columns]))
    return save_picture(out / "history_dreams.png", sheet(rows, zoom=1))


def _said(value: float | int | None, digits: int = 3) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def tables(rows: Sequence[Judged], blurs: Sequence[Blur], dances: Sequence[Danced]) -> list[list[list[str]]]:
    """All three tables in words; the first line of each has the heads."""
    first = [["network", "taught", "parameters", "code", "held-out loss", "IoU", "IoU at 128", "variety kept",
              "IoU half-way"]]  # fmt: skip
    for r in rows:
        first.append([r.network, r.taught, _said(r.parameters), _said(r.code),
                      r.note or _said(r.loss, 4), _said(r.iou), _said(r.iou_128), _said(r.variety),
                      _said(r.between)])  # fmt: skip
    second = [["network", "what was done", "loss before", "after", "mean grey", "spread of the dots", "variety kept",
               "code alive"]]  # fmt: skip
    for b in blurs:
        second.append([b.network, b.mistake, _said(b.before, 4), _said(b.after, 4), _said(b.grey), _said(b.spread),
                       _said(b.variety), _percent(b.alive)])  # fmt: skip
    third = [["dancer", "dots that change", "over real", "frozen seconds", "danced again", "IoU with the nearest known",
              "in pieces", "variety over real"]]  # fmt: skip
    for d in dances:
        third.append([d.dancer, _percent(d.energy), _said(d.energy / max(dances[0].energy, 1e-9), 2),
                      _percent(d.frozen), _percent(d.again), _said(d.known), _percent(d.pieces),
                      _said(d.spread / max(dances[0].spread, 1e-9), 2)])  # fmt: skip
    return [first, second, third]


TITLES = (
    "What is given back of held-out frames",
    "What the loss says",
    "Dances in dots, sixteen pictures a second",
)


def write_tables(made: Sequence[list[list[str]]], path: Path) -> None:
    """The tables as Markdown."""
    parts = []
    for title, (heads, *rows) in zip(TITLES, made, strict=True):
        lines = [f"## {title}", "", *("| " + " | ".join(row) + " |" for row in (heads, ["---"] * len(heads), *rows))]
        parts.append("\n".join(lines) + "\n")
    try:
        path.write_text("\n".join(parts), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def print_tables(made: Sequence[list[list[str]]], console: Console) -> None:
    for title, (heads, *rows) in zip(TITLES, made, strict=True):
        table = Table(*heads, title=title)
        for row in rows:
            table.add_row(*row)
        console.print(table)


# --- all of it ------------------------------------------------------------------------------------------------

NOTHING_HELD_OUT = "no clip is held out of these data, so there is nothing to compare on; give more --motion"
# How the recurrent network dreams: temperature, and over how many dots it draws together.
DREAMS = ((1.0, 0.0), (0.5, 0.0), (0.0, 0.0), (0.7, 2.0))


def dream_name(temperature: float, agree: float) -> str:
    if temperature == 0:
        return "char-rnn, what is likelier"
    return f"char-rnn, dots drawn {'together' if agree else 'apart'}, T {temperature:g}"


def compare(motion: Path | None, work: Path, out: Path, pack_folder: Path, tiny: bool = False) -> dict[str, Any]:
    """Train, measure and draw everything; print the tables, write them and the sheets into `out`, return the figures.

    UserError where the pack or the clips are missing, or nothing is held out.
    """
    clips = read_clips(motion) if motion is not None else []  # all that is given is looked at before anything is made
    check_folder(work)
    check_folder(out)
    info = read_info(pack_folder)
    pack = load_pack(pack_folder, "cpu")
    seed = int(info.get("training", {}).get("recipe", {}).get("seed", Effort.seed))
    effort = replace(TINY if tiny else Effort(), seed=seed)
    if not held_out_clips(clips_of(clips, tiny), seed):
        raise UserError(NOTHING_HELD_OUT)
    console = Console(width=160)
    takes, _ = open_takes(build(work / "data.zarr", motion, seed, tiny))
    folder = work / "compare"
    frames, joints = held_out_frames(takes, effort.every_frame)
    if len(frames) == 0:  # what was held out is too short to be cut into beats
        raise UserError(NOTHING_HELD_OUT)
    known = {str(c) for c in info.get("training", {}).get("clips", [])}
    leaked = sorted({t.clip for t in takes if t.held_out} & known)
    if leaked:
        console.print(f"note: {pack.name} has learned from {len(leaked)} of the clips that are held out here")
    held = hold_out(frames, joints, seed)
    learned = [t for t in takes if not t.held_out]
    bodies = gather_bodies(learned)
    pictures = draw_pictures(bodies, effort.pictures, seed)
    mean = pictures.mean(axis=0)[0]

    front = [t for t in takes if t.yaw == 0 and not t.mirrored]
    with claimed(folder, "recipe.json", settings(effort, motion)):
        films = danced_in_dots([t for t in front if not t.held_out], folder / "films.npz")
    unseen = danced_in_dots([t for t in front if t.held_out], folder / "unseen.npz")
    if max((len(film) for film in unseen), default=0) < 2 * READ_FIRST:
        raise UserError("no clip that is held out is two seconds long; give more --motion")
    network = fit_rnn(films, effort, folder)
    whole = np.broadcast_to(mean, held.dots.shape).astype(np.float32)
    rows = [
        judge("a coin", "", held, np.full(held.dots.shape, 0.5, np.float32)),
        judge("the mean picture", "", held, whole),
    ]
    for version in VERSIONS:
        if version.make is Convolutional:
            rows.append(judge_broken(held))
        for attempt in (*(as_it_was(version, effort, rate) for rate in RATES), as_it_should(version, effort)):
            rows.append(judge_attempt(attempt, teach(attempt, pictures, effort, folder), held))
    blurs = [see_blur(a, teach(a, pictures, effort, folder), held, seed) for a in mistakes(effort)]

    rows += judge_rnn(network, unseen)
    rows.append(judge_ours(pack, bodies, held, seed))

    length = effort.dream_seconds * SECOND
    store = Known(films)
    real = [film[:length] for film in unseen]
    starts = windows_of_films(unseen, READ_FIRST)
    pick = np.linspace(0, len(starts) - 1, effort.dreamers).astype(int)
    start = torch.from_numpy(starts[pick]).float()
    dances = [("real, held out", real)]
    dances += [(dream_name(*how), list(network.dream(start, length, seed, *how))) for how in DREAMS]
    dances.append((f"ours, {pack.name}", [dance_of(pack, length, seed + k) for k in range(effort.dreamers)]))
    measured = [judge_dance(name, danced, store, np.random.default_rng(seed)) for name, danced in dances]

    out.mkdir(parents=True, exist_ok=True)
    made = tables(rows, blurs, measured)
    print_tables(made, console)
    write_tables(made, out / "compare.md")
    paths = draw_autoencoders(rows, blurs, held, out)
    paths.append(draw_dreams([(name, max(danced, key=len)) for name, danced in dances], out))
    figures = {
        "autoencoders": [{k: v for k, v in asdict(r).items() if k != "pictures"} for r in rows],
        "loss": [{k: v for k, v in asdict(b).items() if k != "pictures"} for b in blurs],
        "dances": [asdict(d) for d in measured],
    }
    (out / "compare.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    console.print(f"{out / 'compare.md'}, {', '.join(str(p) for p in paths)}", soft_wrap=True)
    return figures
