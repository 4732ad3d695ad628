"""What a pack's autoencoder gives back of held-out frames, beside principal components and the student's network."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table
from scipy.ndimage import zoom
from sklearn.decomposition import PCA
from torch.nn import functional as F

from training.data.dataset import Take, from_bytes
from training.data.motion.body import silhouettes
from training.data.sampling import frame_batches
from training.evaluate import picture_metrics as pm
from training.evaluate.effort import Effort
from training.evaluate.picture_metrics import iou
from training.evaluate.tables import Row
from training.replication.models import Dense, shrink
from visualizer.dancer.pack import (
    FRAME_SIZE,
    Pack,
)
from visualizer.support.console import Console

STUDENT_BATCH = 256


def run_network(session: Any, name: str, data: NDArray[np.float32], batch: int = 64) -> list[NDArray[np.float32]]:
    """Outputs of a network over data of any length."""
    parts = [session.run(None, {name: data[i : i + batch]}) for i in range(0, len(data), batch)]
    return [np.concatenate(p) for p in zip(*parts, strict=True)]


def held_out_frames(takes: list[Take], stride: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every `stride`-th frame of the clips that training never saw: frames (T, 1, 128, 128), joints (T, 21, 2)."""
    mine = [t for t in takes if t.held_out and not t.mirrored]
    if not mine:
        return np.zeros((0, 1, FRAME_SIZE, FRAME_SIZE), np.float32), np.zeros((0, 21, 2), np.float32)
    frames = np.concatenate([t.read("frames")[::stride] for t in mine])
    joints = np.concatenate([t.read("joints")[::stride] for t in mine])
    return from_bytes(frames)[:, None], joints


def upsample(frames: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Cubic up-sampling of fields, (T, H, H) -> (T, size, size), as the stage does it."""
    factor = size / frames.shape[-1]
    return np.stack([np.asarray(zoom(f, factor, order=3, mode="nearest", grid_mode=True)) for f in frames])


def principal_components(
    takes: list[Take], frames: NDArray[np.float32], size: int, seed: int, learned: int = Effort.pca_frames
) -> NDArray[np.float32]:
    """Reconstruction of `frames` from as many principal components, learned on frames that are not held out."""
    stream = frame_batches([t for t in takes if not t.held_out], learned, seed)
    seen, _ = next(stream)
    stream.close()
    pca = PCA(size, svd_solver="randomized", random_state=seed).fit(from_bytes(seen).reshape(len(seen), -1))
    flat = frames.reshape(len(frames), -1)
    return pca.inverse_transform(pca.transform(flat)).reshape(frames.shape).astype(np.float32)


def student_dense(
    takes: list[Take], frames: NDArray[np.float32], seed: int, steps: int = Effort.student_steps
) -> tuple[NDArray[np.float32], float]:
    """The seed's dense network trained on the same frames as it was written; reconstruction as a field-like picture
    (0.5 - probability, scaled up to 128) and its held-out loss, which stays at ln 2 = 0.6931 if it learns nothing."""
    torch.manual_seed(seed)
    network = Dense()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1e-3, rho=0.95, eps=1e-7)

    def masks(field: NDArray[np.float32]) -> torch.Tensor:
        return shrink(torch.from_numpy((field < 0).astype(np.float32)))

    stream = frame_batches([t for t in takes if not t.held_out], STUDENT_BATCH, seed)
    for _ in track(range(steps), description="student's dense network"):
        batch, _joints = next(stream)
        mask = masks(from_bytes(batch)[:, None])
        loss = F.binary_cross_entropy_with_logits(network(mask), mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    stream.close()
    with torch.no_grad():
        mask = masks(frames)
        logits = network(mask)
        held = float(F.binary_cross_entropy_with_logits(logits, mask))
        big = F.interpolate(torch.sigmoid(logits), (FRAME_SIZE, FRAME_SIZE), mode="bicubic")
    return (0.5 - big).numpy(), held


def decode_time(pack: Pack, runs: int = 200) -> float:
    """Median milliseconds of one decode on one thread (as `load_pack` opens it on the CPU)."""
    latent = pack.latent_mean[None]
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        pack.decoder.run(None, {"latent": latent})
        taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken))


def measure_pictures(
    pack: Pack, encoder: Any, takes: list[Take], seed: int, effort: Effort, console: Console
) -> tuple[list[Row], NDArray[np.float32], NDArray[np.float32]]:
    """The autoencoder beside principal components and the student's network: rows, true and found frames."""
    frames, joints = held_out_frames(takes, effort.every_frame)
    if len(frames) == 0:  # a data set without clips holds out nothing
        frames = from_bytes(np.concatenate([t.read("frames")[::16] for t in takes]))[:, None]
        joints = np.concatenate([t.read("joints")[::16] for t in takes])
        console.print("note: nothing is held out in these data; the frames below were trained on")
    (latent,) = run_network(encoder, "frame", frames)
    found, found_joints = run_network(pack.decoder, "latent", latent)[:2]
    inside = frames[:, 0] < 0
    size = pack.latent_size
    ours, components = f"ours, latent {size}", f"principal components, {size}"
    fields = {ours: found[:, 0]}
    fields[components] = principal_components(takes, frames, size, seed, effort.pca_frames)[:, 0]
    dense, dense_loss = student_dense(takes, frames, seed, effort.student_steps)
    fields["student's dense network, latent 128"] = dense[:, 0]
    few = slice(None, None, max(1, len(frames) // effort.fine_frames))
    exact = silhouettes(joints[few], 512)[:, 0]
    table = Table(title=f"Held-out frames and their reconstruction ({len(frames)} frames)")
    for head in ("network", "IoU at 128", "worst 5%", "IoU at 512 after cubic", "outline error, px at 512",
                 "variety kept", "ghost limbs"):  # fmt: skip
        table.add_column(head)
    values: dict[str, list[float]] = {}
    for name, made in {**fields, "the true field at 128, for comparison": frames[:, 0]}.items():
        large = upsample(made[few], 512)
        at_128 = iou(inside, made < 0)
        values[name] = [
            float(at_128.mean()), float(np.quantile(at_128, 0.05)), float(iou(exact < 0, large < 0).mean()),
            pm.outline_error(exact, large), pm.variety_kept(frames[few, 0], made[few]),
            float(pm.ghost_limbs(frames[:, 0], made).mean()),
        ]  # fmt: skip
        row = values[name]
        table.add_row(name, *(f"{v:.4f}" for v in row[:3]), f"{row[3]:.3f}", f"{row[4]:.3f}", f"{100 * row[5]:.1f}%")
    console.print(table)
    console.print(f"student's dense network: held-out loss {dense_loss:.4f} (ln 2 = 0.6931)")
    as_given, exchanged = pm.joints_error(joints, found_joints)
    decode = decode_time(pack)
    mine, theirs = values[ours], values[components]
    rows = [
        Row("IoU at 128", "≥ 0.97", mine[0], None, theirs[0], mine[0] >= 0.97),
        Row("IoU at 128, worst 5%", "", mine[1], None, theirs[1]),
        Row("IoU at 512 after cubic", "", mine[2], None, theirs[2]),
        Row("outline error at 512, px", "≤ 0.35, below components'", mine[3], None, theirs[3],
            mine[3] <= 0.35 and mine[3] < theirs[3]),
        Row("variety kept", "≥ 0.95", mine[4], None, theirs[4], mine[4] >= 0.95),
        Row("ghost limbs, share of frames", "0", mine[5], None, theirs[5], mine[5] == 0),
        Row("joints error, % of height", "≤ 1.5", 100 * as_given, None, None, as_given <= 0.015),
        Row("joints error, left and right exchanged where that fits", "≤ 1.5", 100 * exchanged, None, None,
            exchanged <= 0.015),
        Row("decode on one thread, ms", "≤ 4", decode, None, None, decode <= 4),
        Row("student's dense network, IoU at 128", "", None, None,
            values["student's dense network, latent 128"][0]),
    ]  # fmt: skip
    return rows, frames, found
