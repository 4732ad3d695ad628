"""Random batches of frames and bodies for training."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from training.data.dataset import CHUNK, Motion, Take
from training.data.motion.body import project, silhouettes
from training.data.motion.kinematics import fix_bones
from training.data.motion.skeleton import INDEX, mirror
from visualizer.dancer.pack import STEPS_PER_BEAT
from visualizer.errors import UserError

WIDEST_YAW = 60.0  # degrees to either side from which the training camera looks


@dataclass(frozen=True)
class Bodies:
    """All bodies of the training takes, in memory: `positions` (B, 21, 3) metres; `pelvis` (B, 3), where the crop is
    centred (smoothed over a beat); `share` (B,), the cumulative probability with which each is drawn, up to 1."""

    positions: NDArray[np.float32]
    pelvis: NDArray[np.float32]
    share: NDArray[np.float64]

    def seen(
        self, index: NDArray[np.int64], yaw: NDArray[np.floating], mirrored: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Bodies (N, 21, 3) `index` (N,) in metres about the crop, each as its own camera sees it: `yaw` (N,) degrees,
        `mirrored` (N,)."""
        cos, sin = np.cos(np.radians(yaw))[:, None], np.sin(np.radians(yaw))[:, None]
        body = self.positions[index] - self.pelvis[index, None] * np.array([1, 0, 1], np.float32)
        x, z = body[..., 0], body[..., 2]
        turned = np.stack([x * cos + z * sin, body[..., 1], z * cos - x * sin], axis=-1).astype(np.float32)
        return np.where(mirrored[:, None, None], mirror(turned), turned)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Random bodies (count, 21, 3) seen by random cameras, one in five from straight ahead."""
        index = np.searchsorted(self.share, rng.random(count) * self.share[-1])
        yaw = rng.uniform(-WIDEST_YAW, WIDEST_YAW, count) * (rng.random(count) < 0.8)
        return self.seen(index, yaw, rng.random(count) < 0.5)


def gather_bodies(takes: list[Take], written: float = 0.6) -> Bodies:
    """The bodies of all `takes` that have positions; one of a written dance is drawn `written` times as often."""
    mine = [t for t in takes if "positions" in t.group]
    if not mine:
        raise UserError("no take has bodies to train on")
    return _bodies([t.read("positions") for t in mine], [1.0 if t.captured else written for t in mine])


def gather_motions(motions: list[Motion]) -> Bodies:
    """The bodies of motions, all with the same probability."""
    return _bodies([m.positions for m in motions], [1.0] * len(motions))


def _bodies(positions: list[NDArray[np.float32]], weights: list[float]) -> Bodies:
    pelvis = [
        np.asarray(gaussian_filter1d(p[:, INDEX["pelvis"]], STEPS_PER_BEAT / 2, axis=0, mode="nearest"), np.float32)
        for p in positions
    ]
    weight = np.concatenate([np.full(len(p), w) for p, w in zip(positions, weights, strict=True)])
    return Bodies(np.concatenate(positions), np.concatenate(pelvis), np.cumsum(weight) / weight.sum())


def body_batches(
    bodies: Bodies, batch: int, seed: int, start: int = 0, between: float = 0.0, share: slice = slice(None)
) -> Generator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Endless random batches: frames (batch, 1, 128, 128) in frame widths, and bodies (batch, 21, 3) about the crop.

    A share `between` of them are bodies that are not in the data: half of those lie between two bodies of the data,
    with the bones of a body, half have each joint about a centimetre off; a recurrent network that is unsure gives the
    first, and the encoder, on its way to a body, the second. Where several
    processes train, only the `share` of this process is drawn and given.
    """
    rng = np.random.default_rng([seed, start])
    few = round(batch * between / 2)
    while True:
        body = bodies.draw(rng, batch)
        other = bodies.draw(rng, few)
        body[:few] = fix_bones(body[:few] + (other - body[:few]) * rng.random((few, 1, 1), dtype=np.float32))
        body[few : 2 * few] += rng.normal(0, 0.01, body[few : 2 * few].shape).astype(np.float32)
        mine = body[share]
        yield silhouettes(project(mine, np.zeros(len(mine), np.float32))), mine


def frame_batches(
    takes: list[Take], batch: int, seed: int, buffer: int = 8192, start: int = 0
) -> Generator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Endless random batches: frames (batch, 128, 128) bytes and joints (batch, 21, 2).

    Chunks are read in random order, each once before any is read again, into a shuffle buffer of `buffer` frames while
    the buffer before is used up, so memory does not grow with the data. `start` changes the order for a resumed run.
    UserError if there are no frames; errors of the reading thread are raised here.
    """
    chunks = [(take, at) for take in takes for at in range(0, len(take), CHUNK)]
    if not chunks:
        raise UserError("no frames to train on")
    rng = np.random.default_rng([seed, start])
    waiting: list[int] = []

    def read() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        picked = []
        for _ in range(min(len(chunks), max(1, buffer // CHUNK))):
            if not waiting:
                waiting.extend(rng.permutation(len(chunks)).tolist())
            picked.append(chunks[waiting.pop()])
        parts = [(t.read("frames", slice(a, a + CHUNK)), t.read("joints", slice(a, a + CHUNK))) for t, a in picked]
        frames, joints = (np.concatenate(p) for p in zip(*parts, strict=True))
        order = rng.permutation(len(frames))
        return frames[order], joints[order]

    with ThreadPoolExecutor(1, thread_name_prefix="frames") as reader:
        coming = reader.submit(read)
        while True:
            frames, joints = coming.result()
            coming = reader.submit(read)
            whole = max(1, len(frames) // batch)
            for part in np.array_split(np.arange(len(frames)), whole):
                index = np.resize(part, batch)  # a short data set repeats itself
                yield frames[index], joints[index]
