"""Bodies and dances from the figures of a video, for fine-tuning to learn from."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from training.data.dances import (
    LETTERS_PER_PHRASE,
    Dance,
)
from training.data.dataset import Take
from training.data.footage.compose import see
from training.data.footage.smooth import smooth
from training.data.motion.body import project
from training.data.motion.kinematics import fix_bones
from training.data.motion.skeleton import MIRROR, mirror
from training.export import export_autoencoder
from training.models.autoencoder import Autoencoder
from training.models.pose_basis import PoseBasis
from visualizer import files
from visualizer.dancer.pack import (
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    STEPS_PER_LETTER,
)
from visualizer.errors import UserError

PART_BEATS = 4 * PHRASE_BEATS  # of a long clip that has a name of its own

_FLIPPED = np.array([-1, 1], np.float32)  # travel to the right and towards the viewer, in a mirror

HELD_OUT_PARTS = 5  # the last part is held back where there are at least this many


def encoder_folder(autoencoder: Autoencoder, work: Path) -> Path:
    """Write the fine-tuned networks as ONNX, which encodes several times as fast as torch; returns their folder."""
    folder = work / "taught"
    if not folder.exists():
        part = work / "taught.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        export_autoencoder(autoencoder, part)
        part.rename(folder)
    return folder


def see_bodies(take: Take, number: int, encoder: Path, basis: PoseBasis, work: Path, jobs: int) -> NDArray[np.float32]:
    """Latents of each step of a take, (S, D). Where its bodies are known they are taken, else frames are encoded one by
    one by the networks in the folder `encoder` and smoothed; both are resampled to the steps."""
    times, steps = take.read("times"), take.read("steps")
    if "person" in take.group:
        person = take.read("person")
        joints = person if basis.axes == 3 else project(person, np.zeros(len(person), np.float32))
    else:
        joints = smooth(basis.joints(_encode(take, number, encoder, work, jobs)), _rate(times))
    moved = CubicSpline(times, joints.reshape(len(times), -1), axis=0)(np.clip(steps, times[0], times[-1]))
    moved = moved.reshape(len(moved), -1, basis.axes)
    return basis.latents(fix_bones(moved) if basis.axes == 3 else moved)


def _rate(times: NDArray[np.float64]) -> float:
    """Pictures a second, on average."""
    return float((len(times) - 1) / (times[-1] - times[0]))


def _encode(take: Take, number: int, encoder: Path, work: Path, jobs: int) -> NDArray[np.float32]:
    """Latents (T, D) of the frames of a take, kept in `work`."""
    store = work / f"bodies_{number:03d}.npy"
    if store.exists():
        return np.load(store, allow_pickle=False)
    latents, _ = see(take.read("seen"), jobs, encoder)
    with files.write_whole(store) as part:
        np.save(part, latents)
    return latents


def flip(latents: NDArray[np.float32], basis: PoseBasis) -> NDArray[np.float32]:
    """Latents (T, D) of the mirror images of bodies."""
    joints = basis.joints(latents)
    if basis.axes == 3:
        return basis.latents(mirror(joints))
    return basis.latents(joints[:, MIRROR] * np.array([-1, 1], np.float32) + np.array([1, 0], np.float32))


def cut_parts(takes: list[Take], seen: list[NDArray[np.float32]], basis: PoseBasis, name: str) -> list[Dance]:
    """Cut takes into named dances of four phrases, with their mirror images. The last is held back where there are at
    least `HELD_OUT_PARTS`. UserError where no stretch is long enough."""
    pieces: list[tuple[Take, slice]] = []
    timed = any(t.timed for t in takes)
    for take in takes:
        if timed and not take.timed:
            continue
        first = take.phrase * STEPS_PER_BEAT
        edges = [0, *range(first + PART_BEATS * STEPS_PER_BEAT, len(take), PART_BEATS * STEPS_PER_BEAT), len(take)]
        if len(edges) > 2 and edges[-1] - edges[-2] < PART_BEATS * STEPS_PER_BEAT // 2:
            del edges[-2]  # a short rest belongs to the part before it
        pieces += [(take, slice(a, b)) for a, b in pairwise(edges)]
    pieces = [(t, s) for t, s in pieces if s.stop - s.start >= (PHRASE_BEATS + 2) * STEPS_PER_BEAT]
    if not pieces:
        raise UserError(f"{name}: no stretch of {PHRASE_BEATS + 2} beats without a break; a dancer needs some")
    place = {id(t): i for i, t in enumerate(takes)}
    held = {len(pieces) - 1} if len(pieces) >= HELD_OUT_PARTS else set()
    dances = []
    for number, (take, part) in enumerate(pieces):
        latent = seen[place[id(take)]][part]
        # A video tells nothing of the way towards it.
        travel = np.pad(take.read("travel", part)[:, None], ((0, 0), (0, basis.axes - 2)))
        energy = take.read("energy", part)
        over = part.start - take.phrase * STEPS_PER_BEAT  # steps since a phrase began
        phase = (over // STEPS_PER_LETTER) % LETTERS_PER_PHRASE
        for mirrored in (False, True):
            called = f"{name} {number + 1}{' mirrored' if mirrored else ''}"
            turned, moved = (
                (flip(latent, basis), travel * _FLIPPED[: travel.shape[1]]) if mirrored else (latent, travel)
            )
            nothing = np.zeros(0, np.int64)  # letters come later
            dances.append(Dance(called, turned, moved, energy, 0, number in held, nothing, True, number, phase))
    return dances
