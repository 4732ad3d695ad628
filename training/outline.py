"""The outline of a new dancer: the shipped autoencoder is trained further on the frames of their videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data import choreography
from training.data.dataset import Take, from_bytes, written_motions
from training.data.motion.skeleton import JOINTS, mirror
from training.data.sampling import body_batches, gather_motions
from training.fit import FitConfig, FitTask, fit
from training.models.autoencoder import Autoencoder
from training.models.restore import load_autoencoder
from visualizer.support.console import Console


@dataclass(frozen=True)
class Plan:
    """How much is trained. With the defaults, three minutes of footage take well under an hour on two cores."""

    seed: int = 7
    letters: int = 512
    picture_steps: int = 240
    choreographer_steps: int = 500
    dancer_steps: int = 900
    batch: int = 48
    tiny: bool = False

    def shrunk(self) -> Plan:
        """The same steps in a minute, for tests; the pack dances badly."""
        return replace(
            self, tiny=True, letters=24, picture_steps=2, choreographer_steps=4, dancer_steps=3, batch=8
        )  # fmt: skip


@dataclass(frozen=True)
class Pictures:
    """Frames of takes: `frames` (N, 128, 128) of bytes, and the bodies in them, (N, 21, 3) metres about the crop, NaN
    where they are not known."""

    frames: NDArray[np.uint8]
    bodies: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)

    def some(self, chosen: NDArray[np.int64] | slice) -> Pictures:
        return Pictures(self.frames[chosen], self.bodies[chosen])


def _split_frames(takes: list[Take]) -> tuple[Pictures, Pictures]:
    """Every other frame, split into those to learn from and those to judge by: the last second in every ten."""
    learn, judge = [], []
    for take in takes:
        frames, times = take.read("seen")[::2], take.read("times")[::2]
        unknown = np.full((len(frames), len(JOINTS), 3), np.nan, np.float32)
        bodies = take.read("person")[::2] if "person" in take.group else unknown
        late = times % 10 >= 9
        learn.append((frames[~late], bodies[~late]))
        judge.append((frames[late], bodies[late]))
    first, second = (Pictures(*(np.concatenate(p) for p in zip(*half, strict=True))) for half in (learn, judge))
    return first, second


def picture_losses(network: Autoencoder, frame: Tensor, joints: Tensor) -> dict[str, Tensor]:
    """The losses of the autoencoder, and of drawing the bodies that are known: a dancer is drawn from bodies."""
    losses = network.loss(frame, joints)
    known = torch.isfinite(joints).all(dim=-1).all(dim=-1)
    if not known.any():
        return losses
    drawn = network.drawing_loss(frame[known], joints[known])["total"]
    return {**losses, "drawn": drawn, "total": losses["total"] + drawn}


def overlap_of(autoencoder: Autoencoder, frames: NDArray[np.uint8], most: int = 96) -> float:
    """Mean IoU of frames (T, 128, 128) of bytes and their reconstruction, over at most `most` of them."""
    chosen = frames[np.unique(np.linspace(0, len(frames) - 1, most).astype(int))] if len(frames) else frames
    found = []
    with torch.no_grad():
        for start in range(0, len(chosen), 16):
            given = torch.from_numpy(from_bytes(chosen[start : start + 16])[:, None])
            back = autoencoder.decode(autoencoder.encode(given))[0]
            a, b = given < 0, back < 0
            found.append(((a & b).sum((1, 2, 3)) / (a | b).sum((1, 2, 3)).clamp(min=1)).numpy())
    return float(np.concatenate(found).mean()) if found else 0.0


def fit_pictures(
    takes: list[Take], shipped: Path, plan: Plan, work: Path, console: Console
) -> tuple[Autoencoder, dict[str, float]]:
    """The shipped autoencoder, trained further on this outline where that helps, and its IoU on held-back frames."""
    before = load_autoencoder(shipped)
    learn, judge = _split_frames(takes)
    if not len(judge):  # a few seconds only
        judge = learn.some(slice(-max(1, len(learn) // 8), None))
        learn = learn.some(slice(-len(judge))) if len(learn) > len(judge) else learn
    network = load_autoencoder(shipped)
    for part in (network.decoder,):
        for key, value in part.named_parameters():
            value.requires_grad_(key.startswith("flesh"))  # the strokes on the bones stay as they are
    motions = written_motions(choreography.DANCES[:: 60 if plan.tiny else 6], plan.seed)
    bodies = gather_motions(motions)
    quarter = max(1, plan.batch // 4)

    def batches(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng([plan.seed, start])
        stream = body_batches(bodies, quarter, plan.seed, start, 0.1)
        for frames, joints in stream:  # a quarter are known bodies, so that what it knows of bodies is not lost
            mine = learn.some(rng.integers(0, len(learn), plan.batch - quarter))
            turned = rng.random(len(mine)) < 0.5
            seen = from_bytes(mine.frames)[:, None]
            seen = np.where(turned[:, None, None, None], seen[..., ::-1], seen).astype(np.float32)
            persons = np.where(turned[:, None, None], mirror(mine.bodies), mine.bodies).astype(np.float32)
            yield (
                torch.from_numpy(np.concatenate([seen, frames])).contiguous(memory_format=torch.channels_last),
                torch.from_numpy(np.concatenate([persons, joints])),
            )

    first = overlap_of(before, judge.frames)
    lesson = FitTask("pictures", network, lambda net, batch: picture_losses(net, *batch), batches, plan.seed)  # type: ignore[arg-type]
    fit(lesson, FitConfig(plan.picture_steps, rate=2e-4), work)
    after = overlap_of(network, judge.frames)
    better = after > first
    console.print(f"outline seen and drawn again, IoU on frames kept back: {first:.3f} as shipped, {after:.3f} when "
                  f"taught; {'taught' if better else 'as shipped'} it is")  # fmt: skip
    return (network if better else before), {
        "taught": float(better), "iou_shipped": round(first, 4), "iou": round(max(first, after), 4),
    }  # fmt: skip
