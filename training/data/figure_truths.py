"""What a decoder of figures learns from: boxes of dancing figures, drawn once and kept on disk.

A sample is a figure in three pictures that follow each other as fast as a screen's do, so that training can see what
changes between them. Its dance is a piece of a training take before a camera of its own, with what hangs lagging behind
and the hands of the dance, or any. Samples are drawn by processes side by side, in files of `SHARD` samples each; an
interrupted run goes on with the file that is missing. A picture takes about 60 kB and a fortieth of a second.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from training.data.dataset import Take, mirror_hands
from training.data.figures.figure import Figure
from training.data.figures.render import Truth, draw_truths
from training.data.motion.body import project
from training.data.motion.kinematics import fix_bones
from training.data.motion.skeleton import INDEX, mirror, turn
from training.data.sampling import WIDEST_YAW
from training.parallel import map_parallel
from visualizer import files
from visualizer.dancer.pack import FRAME_SIZE, STEPS_PER_BEAT
from visualizer.dancer.sway import trace_sway
from visualizer.errors import UserError
from visualizer.moment import PARTS

PICTURES = 3  # of a sample
SHARD = 64  # samples in a file
BEFORE, AFTER = 40, 12  # steps before and after the first picture that decide sway and crop
LAYERS = 4 + len(PARTS)  # bytes of a pixel: field, normal (2), crease, parts
FRAMES_A_SECOND = 60.0  # of the screen on which pictures follow each other
TEMPI = (85.0, 150.0)  # beats a minute
ANY_HANDS = 0.6  # share of samples whose hands are not those of the dance
WRITTEN = 0.6  # how often a body of a written dance is drawn, of one that was captured


@dataclass(frozen=True)
class Pose:
    """Three pictures of a dance: `bodies` (3, 21, 3) metres about the crop, `sway` (3, 7), `hands` (3, 4)."""

    bodies: NDArray[np.float32]
    sway: NDArray[np.float32]
    hands: NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    """A figure, by its number, in three pictures. `left` and `top` of its box in pixels; `layers` (3, LAYERS, h, w)
    bytes as in `Truth`: field, normal, crease, parts."""

    figure: int
    pose: Pose
    left: int
    top: int
    layers: NDArray[np.uint8]


# --- drawing


@dataclass(frozen=True)
class Moves:
    """Takes that poses are drawn from, and the cumulative probability of each."""

    takes: list[Take]
    share: NDArray[np.float64]


def gather_moves(takes: list[Take]) -> Moves:
    """Takes that have positions and are long enough. UserError where there are none."""
    mine = [t for t in takes if "positions" in t.group and len(t) > BEFORE + AFTER + 4]
    if not mine:
        raise UserError("no take is long enough to dress figures for")
    share = np.cumsum([len(t) * (1.0 if t.captured else WRITTEN) for t in mine])
    return Moves(mine, share / share[-1])


def draw_pose(moves: Moves, rng: np.random.Generator) -> Pose:
    """Three pictures of a random dance before a random camera."""
    take = moves.takes[min(int(np.searchsorted(moves.share, rng.random())), len(moves.takes) - 1)]
    first = int(rng.integers(0, len(take) - BEFORE - AFTER))
    part = slice(first, first + BEFORE + AFTER)
    positions, hands = take.read("positions", part), take.read("hands", part)
    if rng.random() < 0.5:
        positions, hands = mirror(positions), mirror_hands(hands)
    if rng.random() < 0.8:
        positions = turn(positions, float(rng.uniform(-WIDEST_YAW, WIDEST_YAW)))
    beats_a_minute = rng.uniform(*TEMPI)
    step = 60 / beats_a_minute / STEPS_PER_BEAT  # seconds
    sway = trace_sway(positions, step)
    pelvis = positions[:, INDEX["pelvis"], ::2]
    crop = np.insert(gaussian_filter1d(pelvis, STEPS_PER_BEAT / 2, axis=0, mode="nearest"), 1, 0, axis=1)
    about = positions - crop[:, None]
    if rng.random() < ANY_HANDS:
        hands = np.broadcast_to(_any_hands(rng), hands.shape)
    at = BEFORE + rng.random() + np.arange(PICTURES) / FRAMES_A_SECOND / step
    return Pose(fix_bones(_between(about, at)).astype(np.float32), _between(sway, at), _between(hands, at))


def _any_hands(rng: np.random.Generator) -> NDArray[np.float32]:
    """Hands (4,): each open, a fist, pointing, or on the way."""
    hands = np.zeros((2, 2), np.float32)
    for hand in hands:
        kind = rng.integers(0, 3)
        if kind < 2:
            hand[kind] = 1.0 if rng.random() < 0.6 else rng.random()
    return hands.ravel()


def _between(values: NDArray[np.floating], at: NDArray[np.float64]) -> NDArray[np.float32]:
    """`values` (S, …) at steps `at` (T,), linearly between them."""
    low = at.astype(int)
    share = (at - low).reshape(-1, *[1] * (values.ndim - 1))
    return (values[low] * (1 - share) + values[low + 1] * share).astype(np.float32)


def draw_sample(figures: Sequence[Figure], number: int, pose: Pose) -> Sample:
    """The truth about figure `number` of `figures` in a pose."""
    truths = draw_truths(figures[number], pose.bodies, np.zeros(PICTURES, np.float32), pose.sway, pose.hands)
    left, top, layers = join_truths(truths)
    return Sample(number, pose, left, top, layers)


def join_truths(truths: list[Truth]) -> tuple[int, int, NDArray[np.uint8]]:
    """Boxes in one that holds all of them: left, top, layers (T, LAYERS, h, w)."""
    left, top = min(t.left for t in truths), min(t.top for t in truths)
    right = max(t.left + t.field.shape[1] for t in truths)
    bottom = max(t.top + t.field.shape[0] for t in truths)
    layers = np.zeros((len(truths), LAYERS, bottom - top, right - left), np.uint8)
    layers[:, 0], layers[:, 1:3], layers[:, 3] = 255, 128, 255
    for whole, truth in zip(layers, truths, strict=True):
        h, w = truth.field.shape
        y, x = truth.top - top, truth.left - left
        made = [truth.field[None], truth.normal, truth.crease[None], truth.parts]
        whole[:, y : y + h, x : x + w] = np.concatenate(made)
    return left, top, layers


# --- the store


def _draw_shard(
    shard: int, folder: Path, moves: Moves, figures: tuple[Figure, ...], seed: int, size: int
) -> int:  # fmt: skip
    """Draw one file of `size` samples. Every figure comes as often as any other."""
    numbers = np.zeros((size, 5), np.int64)  # figure, left, top, height, width
    poses: list[Pose] = []
    with files.write_whole(folder / f"{shard:04d}.boxes") as part, open(part, "wb") as out:
        for k in range(size):
            number = shard * size + k
            rng = np.random.default_rng([seed, number])
            sample = draw_sample(figures, number % len(figures), draw_pose(moves, rng))
            numbers[k] = sample.figure, sample.left, sample.top, *sample.layers.shape[2:]
            poses.append(sample.pose)
            out.write(sample.layers.tobytes())
    with files.write_whole(folder / f"{shard:04d}.npz") as part, open(part, "wb") as out:
        arrays = {name: np.stack([getattr(p, name) for p in poses]) for name in ("bodies", "sway", "hands")}
        np.savez(out, numbers=numbers, **arrays)  # type: ignore[arg-type]
    return shard


def make_store(
    folder: Path, takes: list[Take], figures: tuple[Figure, ...], samples: int, seed: int, workers: int | None = None
) -> Path:
    """Draw `samples` samples, rounded up to whole files, into `folder`; files that are there stay. UserError where
    another store was begun there."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "store.json"
    said = json.loads(json.dumps({"figures": [repr(f) for f in figures], "seed": seed}))
    if note.exists() and json.loads(note.read_text(encoding="utf-8")) != said:
        raise UserError(f"{folder}: pictures of other figures were begun there; remove it, or give another --work")
    with files.write_whole(note) as part:
        part.write_text(json.dumps(said), encoding="utf-8")
    size = min(SHARD, samples)
    missing = [k for k in range(-(-samples // size)) if not (folder / f"{k:04d}.npz").exists()]
    if missing:
        draw = functools.partial(
            _draw_shard, folder=folder, moves=gather_moves(takes), figures=figures, seed=seed, size=size
        )
        for _ in map_parallel(draw, missing, workers=workers):
            pass
    return folder


class TruthStore:
    """Samples of a store, read from its files when they are asked for."""

    def __init__(self, folder: Path, samples: int) -> None:
        self._size = min(SHARD, samples)
        shards = range(-(-samples // self._size))
        index = [np.load(folder / f"{k:04d}.npz") for k in shards]
        self._numbers = np.stack([i["numbers"] for i in index])
        self._poses = [Pose(i["bodies"], i["sway"], i["hands"]) for i in index]
        self._bytes = [np.memmap(folder / f"{k:04d}.boxes", np.uint8, "r") for k in shards]
        sizes = PICTURES * LAYERS * self._numbers[..., 3] * self._numbers[..., 4]
        self._starts = np.cumsum(sizes, axis=1) - sizes

    def __len__(self) -> int:
        return self._numbers.shape[0] * self._size

    def __getitem__(self, number: int) -> Sample:
        shard, k = divmod(number, self._size)
        figure, left, top, h, w = (int(n) for n in self._numbers[shard, k])
        start = int(self._starts[shard, k])
        layers = self._bytes[shard][start : start + PICTURES * LAYERS * h * w].reshape(PICTURES, LAYERS, h, w)
        p = self._poses[shard]
        return Sample(figure, Pose(p.bodies[k], p.sway[k], p.hands[k]), left, top, layers)

    def margins(self, figures: int) -> NDArray[np.float32]:
        """How far each figure's box reaches beyond the joints of its pictures, to either side, above and below, in
        frame widths, (F, 3). One picture in two hundred may reach farther: its box is cut at what is outside."""
        found: list[NDArray[np.float32]] = []
        joints = np.concatenate([p.bodies for p in self._poses])  # (samples, T, 21, 3)
        flat = project(joints.reshape(-1, *joints.shape[2:]), np.zeros(joints.shape[0] * joints.shape[1], np.float32))
        flat = flat.reshape(len(joints), -1, 2)
        numbers = self._numbers.reshape(-1, 5)
        left, top, height, width = (numbers[:, k] / FRAME_SIZE for k in (1, 2, 3, 4))
        x, y = flat[..., 0], flat[..., 1]
        side = np.maximum(x.min(1) - left, left + width - x.max(1))
        over = np.stack([side, y.min(1) - top, top + height - y.max(1)], axis=1)
        for figure in range(figures):
            mine = over[numbers[:, 0] == figure]
            found.append(np.quantile(mine, 0.995, axis=0).astype(np.float32) if len(mine) else np.zeros(3, np.float32))
        return np.stack(found)


# --- batches


@dataclass(frozen=True)
class FigureBatch:
    """B samples of T pictures as tensors, N = B T in that order. What goes in: `bodies` (N, 21, 3), `figure` (N, F),
    `sway` (N, 7), `hands` (N, 4), `grid_x` (N, W), `grid_y` (N, H) in cells. The truth: `field` (N, 1, 2H, 2W) pixels,
    `normal` (N, 2, …), `crease` (N, 1, …) pixels, `parts` (N, P, …)."""

    bodies: Tensor
    figure: Tensor
    sway: Tensor
    hands: Tensor
    grid_x: Tensor
    grid_y: Tensor
    field: Tensor
    normal: Tensor
    crease: Tensor
    parts: Tensor


def collate(samples: Sequence[Sample], figures: int) -> FigureBatch:
    """Samples in boxes of one size, the smaller ones with emptiness to the right and below."""
    height, width = (max(s.layers.shape[axis] for s in samples) for axis in (2, 3))
    layers = np.zeros((len(samples), PICTURES, LAYERS, height, width), np.uint8)
    layers[:, :, 0], layers[:, :, 1:3], layers[:, :, 3] = 255, 128, 255
    for whole, sample in zip(layers, samples, strict=True):
        whole[:, :, : sample.layers.shape[2], : sample.layers.shape[3]] = sample.layers
    n = len(samples) * PICTURES
    layers = layers.reshape(n, LAYERS, height, width)
    field, normal, crease, parts = Truth(0, 0, layers[:, :1], layers[:, 1:3], layers[:, 3:4], layers[:, 4:]).unpacked()

    def line(starts: list[int], cells: int) -> Tensor:
        first = torch.tensor(starts, dtype=torch.float32).repeat_interleave(PICTURES) / 2
        return first[:, None] + torch.arange(cells) + 0.5

    def all_of(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(s.pose, name) for s in samples]))

    one_hot = torch.eye(figures)[[s.figure for s in samples]].repeat_interleave(PICTURES, 0)
    return FigureBatch(
        all_of("bodies"), one_hot, all_of("sway"), all_of("hands"), line([s.left for s in samples], width // 2),
        line([s.top for s in samples], height // 2), *(torch.from_numpy(a) for a in (field, normal, crease, parts)),
    )  # fmt: skip


def figure_batches(store: TruthStore, figures: int, batch: int, seed: int, start: int = 0) -> Iterator[FigureBatch]:
    """Endless batches of `batch` samples in random order, each once before any comes again."""
    rng = np.random.default_rng([seed, start])
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting.extend(rng.permutation(len(store)).tolist())
        yield collate([store[waiting.pop()] for _ in range(batch)], figures)
