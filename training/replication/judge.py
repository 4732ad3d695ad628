"""How well autoencoders reconstruct frames that none of them saw, and what their loss shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from training.data.motion.body import silhouettes
from training.data.sampling import Bodies
from training.evaluate.picture_metrics import iou, variety_kept
from training.evaluate.reconstruction import run_network
from training.models.autoencoder import parameters
from training.replication.effort import CLIP, Dots, Floats
from training.replication.models import (
    HEIGHT,
    WIDTH,
    Convolutional,
    dots,
    shrink,
)
from training.replication.teach import Attempt, begin, draw_silhouettes, keras_loss
from visualizer.dancer.pack import FRAME_SIZE, Pack
from visualizer.networks.session import open_session


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
    """`variety_kept` of at most 600 pictures, evenly spread: the number of distances grows with the square."""
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
    spec = attempt.spec
    given = spec.given(held.tensor)
    chance = spec.figure(torch.sigmoid(given_back(network, given)))[:, 0].numpy()
    code = torch.cat([network.encode(part) for part in given.split(256)])  # type: ignore[operator]
    mean = (code[held.pairs[:, 0]] + code[held.pairs[:, 1]]) / 2
    halfway = spec.figure(torch.sigmoid(network.decode(mean)))[:, 0].numpy()  # type: ignore[operator]
    return judge(
        attempt.version.name, spec.name, held, chance, parameters=parameters(network), code=code[0].numel(),
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

    known = draw_silhouettes(bodies, np.random.default_rng(seed), 256)
    slope = sure_as(covered(drawn(codes(known))), dots(known)[:, 0])
    latent = codes(held.frames)
    found, halfway = drawn(latent), drawn(latent[held.pairs].mean(axis=1))
    numbers = numbers_in(pack.folder / "encoder.onnx") + numbers_in(pack.folder / "decoder.onnx")
    return judge(
        f"ours, {pack.name}", "as it ships", held, logistic(slope, covered(found)), parameters=numbers,
        code=pack.latent_size, iou_128=float(iou(held.frames[:, 0] < 0, found[:, 0] < 0).mean()),
        between=float(iou(held.between > 0, covered(halfway) > 0.5).mean()),
    )  # fmt: skip


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
    spec = attempt.spec
    given = spec.given(held.tensor)
    before = float(keras_loss(given_back(begin(attempt, seed).eval(), given), given))
    logits = given_back(network, given)
    out = torch.sigmoid(logits)[:, 0]
    code = torch.cat([network.encode(part).flatten(1) for part in given.split(256)])  # type: ignore[operator]
    return Blur(
        attempt.version.name, spec.name, before, float(keras_loss(logits, given)), float(out.mean()),
        float(out.flatten(1).std(1).mean()), kept_variety(held.dots, out.numpy()),
        float((code > 0).any(0).float().mean()), spec.figure(out).numpy(),
    )  # fmt: skip
