"""Every figure that the README quotes, on clips that training never saw, with yardsticks in the same table."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx.utils
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.ndimage import zoom
from scipy.spatial import KDTree
from sklearn.decomposition import PCA
from torch.nn import functional as F

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import FRAME_METRES, FRAME_SIZE, STEPS_PER_BEAT, Pack, load_pack, open_session, read_info
from visualizer.errors import UserError

from .autoencoders import StudentDense
from .dataset import Take, build, frame_batches, from_bytes, motions_digest, open_takes
from .export import write_info
from .motion.body import silhouettes

FIGURE_HEIGHT = 1.70 / FRAME_METRES  # of a frame: a standing body, for errors in shares of it
STILL = 0.05  # metres a second: a second with a lower mean joint speed counts as standing still
BPM = 120.0
MINUTES = 10
STUDENT_STEPS, STUDENT_BATCH = 1000, 256
PCA_FRAMES = 4000  # what the principal components are learned on
TINY_MINUTES, TINY_STUDENT_STEPS, TINY_PCA_FRAMES = 1, 20, 400  # for packs that `--tiny` made


# --- frames ---------------------------------------------------------------------------------------------------


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union of silhouettes, (T, H, W) each -> (T,). Two empty pictures agree: 1."""
    both, either = (a & b).sum(axis=(1, 2)), (a | b).sum(axis=(1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def _run(session: Any, name: str, data: NDArray[np.float32], batch: int = 64) -> list[NDArray[np.float32]]:
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
    takes: list[Take], frames: NDArray[np.float32], size: int, seed: int, learned: int = PCA_FRAMES
) -> NDArray[np.float32]:
    """Reconstruction of `frames` from as many principal components, learned on frames that are not held out."""
    stream = frame_batches([t for t in takes if not t.held_out], learned, seed)
    seen, _ = next(stream)
    stream.close()
    pca = PCA(size, svd_solver="randomized", random_state=seed).fit(from_bytes(seen).reshape(len(seen), -1))
    flat = frames.reshape(len(frames), -1)
    return pca.inverse_transform(pca.transform(flat)).reshape(frames.shape).astype(np.float32)


def student_dense(
    takes: list[Take], frames: NDArray[np.float32], seed: int, steps: int = STUDENT_STEPS
) -> tuple[NDArray[np.float32], float]:
    """The seed's dense network trained on the same frames as it was written; reconstruction as a field-like picture
    (0.5 - probability, scaled up to 128) and its held-out loss, which stays at ln 2 = 0.6931 if it learns nothing."""
    torch.manual_seed(seed)
    network = StudentDense()
    optimizer = torch.optim.Adadelta(network.parameters(), lr=1e-3, rho=0.95, eps=1e-7)

    def masks(field: NDArray[np.float32]) -> torch.Tensor:
        return StudentDense.shrink(torch.from_numpy((field < 0).astype(np.float32)))

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


# --- dancing --------------------------------------------------------------------------------------------------


def joints_network(pack: Pack) -> ort.InferenceSession:
    """The part of a pack's decoder that gives joints: 19,200 steps need no pictures, which are nearly all its work."""
    whole = onnx.load(pack.folder / "decoder.onnx")
    part = onnx.utils.Extractor(whole).extract_model(["latent"], ["joints"])
    return ort.InferenceSession(part.SerializeToString(), providers=["CPUExecutionProvider"])


@dataclass(frozen=True)
class Danced:
    """A simulated dance, one row a step. `latent` (S, D), `joints` (S, 21, 2) metres with the travel given back."""

    latent: NDArray[np.float32]
    joints: NDArray[np.float32]
    letters: list[int]


def simulate(pack: Pack, beats: int, seed: int, style: str | None = None, temperature: float = 1.0) -> Danced:
    """Dance `beats` beats with energy that rises and falls every 32; without `style` it changes every 64 beats."""
    dancer = Dancer(pack, seed, style, temperature=temperature)
    rng = np.random.default_rng(seed)
    latents, places = [], []
    for step in range(beats * STEPS_PER_BEAT):
        beat = step / STEPS_PER_BEAT
        if style is None and step % (64 * STEPS_PER_BEAT) == 0:
            dancer.set_style(str(rng.choice(pack.styles)))
        dancer.step_to(beat, 0.5 - 0.4 * float(np.cos(2 * np.pi * beat / 32)))
        latent, place = dancer.between(beat)
        latents.append(latent[0])
        places.append(float(place[0]))
    latent = np.stack(latents)
    (joints,) = _run(joints_network(pack), "latent", latent)
    joints = joints * FRAME_METRES
    joints[:, :, 0] += np.array(places, dtype=np.float32)[:, None] * FRAME_METRES
    return Danced(latent, joints, list(dancer.letters_written))


def joint_speeds(joints: NDArray[np.float32], bpm: float = BPM) -> NDArray[np.float64]:
    """Mean speed of the joints in the picture, (S, 21, 2) metres -> (S - 1,) metres a second."""
    per_second = STEPS_PER_BEAT * bpm / 60
    return np.linalg.norm(np.diff(joints.astype(np.float64), axis=0), axis=-1).mean(axis=1) * per_second


def still_seconds(joints: NDArray[np.float32], bpm: float = BPM) -> tuple[int, int]:
    """How many whole seconds stand still (mean joint speed below `STILL`), and how many there are."""
    speed = joint_speeds(joints, bpm)
    length = round(STEPS_PER_BEAT * bpm / 60)
    seconds = speed[: len(speed) // length * length].reshape(-1, length).mean(axis=1)
    return int((seconds < STILL).sum()), len(seconds)


def jitter(joints: NDArray[np.float32]) -> float:
    """Mean norm of the third difference of the joints, metres a step³: what shaking hands make large."""
    return float(np.linalg.norm(np.diff(joints.astype(np.float64), n=3, axis=0), axis=-1).mean())


def accent(joints: NDArray[np.float32]) -> float:
    """Braking on the beat over braking half-way between beats; 1 where the dance ignores the beat."""
    speed = joint_speeds(joints)
    brake = np.maximum(-np.diff(speed), 0)
    smooth = np.convolve(brake, np.ones(3) / 3, mode="same")
    beat = np.arange(STEPS_PER_BEAT, len(smooth) - STEPS_PER_BEAT, STEPS_PER_BEAT)
    return float(smooth[beat].mean() / (smooth[beat + STEPS_PER_BEAT // 2].mean() + 1e-12))


def _real_joints(take: Take) -> NDArray[np.float32]:
    """Joints of a take in metres with its travel given back, as `simulate` gives them."""
    joints = (take.read("joints") * FRAME_METRES).astype(np.float32)
    joints[:, :, 0] += np.cumsum(take.read("travel"))[:, None] / STEPS_PER_BEAT * FRAME_METRES
    return joints


# --- the table ------------------------------------------------------------------------------------------------


def measure_pack(folder: Path, motion: Path | None, work: Path, sheets: Path | None, save: bool) -> dict[str, Any]:
    """Measure a pack, print the tables and return the figures. UserError where the pack or the data are missing."""
    info = read_info(folder)
    pack = load_pack(folder, "cpu")
    encoder, _ = open_session(folder / "encoder.onnx")
    try:
        training = info["training"]
        seed, tiny = int(training["recipe"]["seed"]), bool(training["recipe"]["tiny"])
        trained_on = {str(c) for c in training["clips"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'pack.json'}: training says too little to measure the pack ({error!r})") from error
    data = work / "data.zarr"
    if motion is not None or not data.exists():
        build(data, motion, seed, tiny)
    takes, _ = open_takes(data)
    console = Console(width=120)
    if motions_digest(data) != training.get("motions_sha256"):
        console.print("note: these data are not the very ones that the pack was trained on")
    leaked = {t.clip for t in takes if t.held_out} & trained_on
    if leaked:
        warnings.warn(f"trained on clips that are held out here: {sorted(leaked)}", stacklevel=2)
    figures: dict[str, Any] = {}

    # Reconstruction.
    frames, joints = held_out_frames(takes, 8 if not tiny else 4)
    if len(frames) == 0:  # a data set without clips holds out nothing
        frames = from_bytes(np.concatenate([t.read("frames")[::16] for t in takes]))[:, None]
        joints = np.concatenate([t.read("joints")[::16] for t in takes])
        console.print("note: nothing is held out in these data; the frames below were trained on")
    (latent,) = _run(encoder, "frame", frames)
    found, found_joints = _run(pack.decoder, "latent", latent)
    inside = frames[:, 0] < 0
    size = pack.latent_size
    rows = {f"ours, latent {size}": found[:, 0]}
    rows[f"principal components, {size}"] = principal_components(
        takes, frames, size, seed, TINY_PCA_FRAMES if tiny else PCA_FRAMES
    )[:, 0]
    dense, dense_loss = student_dense(takes, frames, seed, TINY_STUDENT_STEPS if tiny else STUDENT_STEPS)
    rows["student's dense network, latent 128"] = dense[:, 0]
    few = slice(None, None, max(1, len(frames) // (10 if tiny else 200)))
    exact = silhouettes(joints[few], 512)[:, 0] < 0
    table = Table(title=f"Held-out frames and their reconstruction ({len(frames)} frames)")
    for head in ("network", "IoU at 128", "worst 5% at 128", "IoU at 512 after cubic", "goal at 128"):
        table.add_column(head)
    for name, field in rows.items():
        at_128 = iou(inside, field < 0)
        at_512 = iou(exact, upsample(field[few], 512) < 0)
        figures[f"IoU, {name}"] = round(float(at_128.mean()), 4)
        figures[f"IoU at 512, {name}"] = round(float(at_512.mean()), 4)
        table.add_row(name, f"{at_128.mean():.4f}", f"{np.quantile(at_128, 0.05):.4f}", f"{at_512.mean():.4f}",
                      "≥ 0.93" if name.startswith("ours") else "")  # fmt: skip
    ceiling = iou(exact, upsample(frames[few, 0], 512) < 0).mean()
    table.add_row("the true field at 128, for comparison", "1.0000", "1.0000", f"{ceiling:.4f}", "")
    console.print(table)
    pose = np.linalg.norm(found_joints - joints, axis=-1).mean() / FIGURE_HEIGHT
    figures["joints error, share of height"] = round(float(pose), 4)
    figures["student's held-out loss"] = round(dense_loss, 4)
    console.print(f"joints: mean error {100 * pose:.2f}% of the figure's height; "
                  f"student's dense network: held-out loss {dense_loss:.4f} (ln 2 = 0.6931)")  # fmt: skip

    # Dancing: simulated minutes against the held-out clips.
    minutes = TINY_MINUTES if tiny else MINUTES
    danced = simulate(pack, round(minutes * BPM), seed)
    still, seconds = still_seconds(danced.joints)
    real = [_real_joints(t) for t in takes if t.held_out and t.timed and t.yaw == 0 and not t.mirrored]
    real = real or [_real_joints(t) for t in takes if t.timed]
    seen = np.concatenate([t.read("frames")[::16] for t in takes if not t.held_out and t.timed and t.yaw == 0])
    (seen_latent,) = _run(encoder, "frame", from_bytes(seen)[:, None])
    tree = KDTree(seen_latent / pack.latent_spread)

    def nearest(latents: NDArray[np.float32]) -> float:
        return float(np.median(tree.query(latents / pack.latent_spread)[0]))

    still_real, seconds_real = (sum(n) for n in zip(*map(still_seconds, real), strict=True))
    speed_real = np.mean(np.concatenate([joint_speeds(j) for j in real]))
    accent_real = np.mean([accent(j) for j in real if len(j) > 64] or [np.nan])
    values = {
        "seconds standing still": (f"{still} of {seconds}", f"{still_real} of {seconds_real}"),
        "mean joint speed, m/s": (np.mean(joint_speeds(danced.joints)), speed_real),
        "jitter (third difference), mm": (1000 * jitter(danced.joints), 1000 * np.mean([jitter(j) for j in real])),
        "braking on the beat over half-way": (accent(danced.joints), accent_real),
        "distance to the nearest training latent": (nearest(danced.latent[::8]), nearest(latent[::2])),
        "different letters used": (len(set(danced.letters)), ""),
    }  # fmt: skip
    table = Table(title=f"{minutes} simulated minutes at {BPM:.0f} BPM against held-out clips")
    for head in ("measure", "ours", "real, held out"):
        table.add_column(head)
    for name, pair in values.items():
        table.add_row(name, *(v if isinstance(v, str) else f"{v:.3g}" for v in pair))
        figures[name] = [v if isinstance(v, str | int) else round(float(v), 4) for v in pair]
    console.print(table)

    if sheets:
        draw_sheets(pack, frames, found, sheets, seed)
        console.print(f"contact sheets in {sheets}")
    if save:
        write_info(folder, {**info, "measures": figures})
    return figures


# --- pictures -------------------------------------------------------------------------------------------------


def _grid(rows: list[list[NDArray[np.float32]]], size: int) -> NDArray[np.uint8]:
    """Fields (128, 128) in rows -> one grey picture, dark figures on white with hairlines between."""
    cells = [
        np.concatenate([
            np.pad(np.clip(0.5 + upsample(f[None], size)[0] * size, 0, 1), ((0, 1), (0, 1)), constant_values=0.8)
            for f in row], axis=1)
        for row in rows
    ]  # fmt: skip
    return (255 * np.concatenate(cells)).astype(np.uint8)


def draw_sheets(
    pack: Pack, frames: NDArray[np.float32], found: NDArray[np.float32], folder: Path, seed: int
) -> list[Path]:
    """Contact sheets to be opened and judged: 32 held-out frames above their reconstruction, and 64 consecutive
    generated steps of six styles."""
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    pick = np.linspace(0, len(frames) - 1, 32).astype(int)
    rows = []
    for block in np.split(pick, 4):
        rows += [[frames[i, 0] for i in block], [found[i, 0] for i in block]]
    paths = [folder / "reconstruction.png"]
    cv2.imwrite(str(paths[0]), _grid(rows, 192))
    rng = np.random.default_rng(seed)
    for style in rng.choice(pack.styles, size=min(6, len(pack.styles)), replace=False):
        danced = simulate(pack, 12, seed, str(style))
        steps = _run(pack.decoder, "latent", danced.latent[8 * STEPS_PER_BEAT :][:64])[0]
        paths.append(folder / f"steps_{style}.png")
        cv2.imwrite(str(paths[-1]), _grid([[f[0] for f in steps[i : i + 16]] for i in range(0, 64, 16)], 96))
    return paths


def load_figures(folder: Path) -> dict[str, Any]:
    """The figures that a pack carries in its `pack.json`."""
    return json.loads((folder / "pack.json").read_text(encoding="utf-8"))["measures"]
