"""Turns what was found into takes: frames, travel and energy in musical time, written as Zarr for training to read.

A take of footage holds the frames at the video's own rate, `seen` (T, 128, 128) bytes at `times` (T,) seconds, and, for
each of its steps, the number of the frame nearest in time. Its joints are not known (NaN); where the network that sees
people was there, `person` (T, 21, 3) is the body of each picture, metres about the crop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from training.data.dataset import CHUNK, from_bytes, held_out_clips, rank_energy, to_bytes
from training.data.footage.beats import Steps, even_steps, hear, steps_by_movement, steps_by_sound
from training.data.footage.crop import Track, field, part_of
from training.data.footage.found import Found, read_masks
from training.data.footage.pose import find_body
from training.data.footage.video import Video
from training.data.motion.body import project
from training.data.motion.clips import Clip
from training.data.motion.skeleton import JOINTS
from visualizer.dancer.pack import FRAME_METRES, FRAME_SIZE, STEPS_PER_BEAT, find_pack
from visualizer.networks.session import open_session

BATCH = 16  # frames that the encoder sees at a time
HALF_SECONDS = 20.0  # a clip without a beat is halved, as long as the halves are longer than this
TURNED = 0.5  # of the figure's greatest width: a camera that turned less stands still
SEED = 7  # of the split into training and held-out takes, as in Recipe


@dataclass(frozen=True)
class Source:
    """One video after all its pictures were looked at: what was found in them, in which files, and its clips."""

    video: Video
    name: str
    found: Found
    pieces: list[Path]
    tracks: list[Track]
    middle: float  # pixels: the middle of the picture, from which the dancer's place is measured


@dataclass(frozen=True)
class Written:
    """One take on disk: its Zarr group, its video, clip and steps."""

    group: zarr.Group
    source: Source
    track: Track
    name: str
    steps: Steps


@dataclass(frozen=True)
class TakeKind:
    """What all takes of a run have in common. `style` names the dance; None: each video's own name. `beats`: where
    they are looked for, auto, sound, movement or none."""

    style: str | None
    licence: str
    beats: str


def fields_of(source: Source, track: Track) -> Iterator[NDArray[np.uint8]]:
    """Frames of a clip as bytes, in blocks (n, 128, 128)."""
    wanted = np.zeros(len(source.found.times), np.bool_)
    wanted[track.index] = True
    block: list[NDArray[np.float32]] = []
    for place, (number, mask) in enumerate(read_masks(source.pieces, source.found, wanted)):
        left, top = source.found.boxes[number, :2]
        block.append(field(mask, int(left), int(top), track.centre[place], track.floor[place], track.metre[place]))
        if len(block) == CHUNK:
            yield to_bytes(np.stack(block))
            block = []
    if block:
        yield to_bytes(np.stack(block))


def see(
    frames: NDArray[np.uint8], threads: int, folder: Path | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Encode frames (T, 128, 128) of bytes with the networks in `folder`, or the shipped ones: latents (T, D) and
    joints (T, 21, 2)."""
    folder = folder or find_pack(None)
    encoder, _ = open_session(folder / "encoder.onnx")
    decoder, _ = open_session(folder / "decoder.onnx")

    def some(start: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        (latent,) = encoder.run(["latent"], {"frame": from_bytes(frames[start : start + BATCH])[:, None]})
        (joints,) = decoder.run(["joints"], {"latent": latent})
        return latent, joints

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(some, range(0, len(frames), BATCH)))
    latents, joints = (np.concatenate(p) for p in zip(*parts, strict=True))
    return latents, joints


def outline_motion(group: zarr.Group, times: NDArray[np.float64]) -> NDArray[np.float32]:
    """How fast the outline moves, (T,): mean change of the field, frame widths a second."""
    seen = group["seen"]
    assert isinstance(seen, zarr.Array)
    moved = np.zeros(len(times), np.float32)
    before: NDArray[np.float32] | None = None
    for start in range(0, len(times), CHUNK):
        block = from_bytes(np.asarray(seen[start : start + CHUNK]))
        whole = block if before is None else np.concatenate([before[None], block])
        change = np.abs(np.diff(whole, axis=0)).mean(axis=(1, 2))
        moved[start + len(block) - len(change) : start + len(block)] = change
        before = block[-1]
    gap = np.diff(times)
    moved[1:] /= np.maximum(gap, 1e-3)
    if len(moved) > 1:
        moved[0] = moved[1]
    return moved


def write_takes(
    root: zarr.Group, sources: list[Source], kind: TakeKind, threads: int, said: Callable[[str], None]
) -> list[Written]:
    """Write every clip of every video as a take into `root`. `said` is called with each line for the user."""
    written: list[Written] = []
    for source in sources:
        song = hear(source.video) if source.tracks and kind.beats in ("auto", "sound") else None
        if source.tracks and song is None and kind.beats in ("auto", "sound"):
            instead = ": looked for in the movement" if kind.beats == "auto" else ""
            said(f"{source.video.path.name}: no beat in its sound{instead}")
        mine: list[tuple[zarr.Group, Track, Steps]] = []
        waiting = source.tracks[::-1]
        while waiting:
            track = waiting.pop()
            times = source.found.times[track.index]
            centre = (track.centre - source.middle - _camera(source.found)[track.index]) / track.metre
            group = root.create_group(f"{len(written) + len(mine):05d}", overwrite=True)
            seen = _write_frames(group, source, track)
            bodies = source.found.bodies
            body = find_body(bodies[track.index], track, times) if bodies is not None else None
            steps = None
            if song is not None:
                steps = steps_by_sound(song, source.video, float(times[0]), float(times[-1]))
            elif kind.beats in ("auto", "movement"):
                joints = (
                    see(np.asarray(seen[:]), threads)[1]
                    if body is None
                    else project(body, np.zeros(len(body), np.float32))
                )
                steps = steps_by_movement(joints, centre, times)
                if steps is None and times[-1] - times[0] > 2 * HALF_SECONDS:  # perhaps two dances of two tempi
                    middle = len(times) // 2
                    waiting += [part_of(track, slice(middle, None)), part_of(track, slice(0, middle))]
                    continue
            steps = steps or even_steps(times)
            for name, data in (("times", times), ("steps", steps.times), ("centre", centre)):
                group.create_array(name, data=data)
            if body is not None:
                group.create_array("person", data=body)
            mine.append((group, track, steps))
        for number, (group, track, steps) in enumerate(mine, 1):
            name = source.name if len(mine) == 1 else f"{source.name} {number}"
            written.append(Written(group, source, track, name, steps))
    _finish(written, kind)
    return written


def _camera(found: Found) -> NDArray[np.float64]:
    """By how many pixels the scene has moved to the right since the video began, (N,), because the camera turned; zeros
    where it stands, or only trembles."""
    if found.pans is None:
        return np.zeros(len(found.times))
    moved = np.cumsum(found.pans, dtype=np.float64)
    wide = max(1.0, float(found.boxes[:, 2].max()))
    return moved if np.ptp(moved) > TURNED * wide else np.zeros(len(moved))


def _write_frames(group: zarr.Group, source: Source, track: Track) -> zarr.Array:
    """Write the frames of a clip as `seen` (T, 128, 128) bytes, and return that array."""
    count, shape = len(track.index), (FRAME_SIZE, FRAME_SIZE)
    seen = group.create_array("seen", shape=(count, *shape), chunks=(CHUNK, *shape), dtype=np.uint8)
    at = 0
    for block in fields_of(source, track):
        seen[at : at + len(block)] = block
        at += len(block)
    return seen


def _finish(written: list[Written], kind: TakeKind) -> None:
    """Write what is only known when all takes are there: energy, ranked within a style, and which are held out."""
    styles = [kind.style or w.source.name for w in written]
    speeds = []
    for take in written:
        times = np.asarray(take.group["times"][:])  # type: ignore[index]
        motion = np.interp(take.steps.times, times, outline_motion(take.group, times))
        speeds.append(gaussian_filter1d(motion * 60 / take.steps.bpm, STEPS_PER_BEAT / 2).astype(np.float32))
    energies: dict[int, NDArray[np.float32]] = {}
    for name in set(styles):
        mine = [i for i, s in enumerate(styles) if s == name]
        energies.update(zip(mine, rank_energy([speeds[i] for i in mine]), strict=True))
    nothing = np.zeros((0, len(JOINTS), 3), np.float32)
    held = held_out_clips([Clip(w.name, s, nothing, 30.0, "") for w, s in zip(written, styles, strict=True)], SEED)
    for i, take in enumerate(written):
        times = np.asarray(take.group["times"][:])  # type: ignore[index]
        centre = PchipInterpolator(times, np.asarray(take.group["centre"][:]))(take.steps.times)  # type: ignore[index]
        nearest = np.clip(np.searchsorted(times, take.steps.times), 1, len(times) - 1)
        nearest -= take.steps.times - times[nearest - 1] < times[nearest] - take.steps.times
        group = take.group
        group.create_array("pictures", data=nearest.astype(np.int64))
        group.create_array("joints", data=np.full((len(nearest), len(JOINTS), 2), np.nan, np.float32))
        group.create_array("energy", data=energies[i])
        travel = np.gradient(centre) * STEPS_PER_BEAT / FRAME_METRES
        group.create_array("travel", data=travel.astype(np.float32))
        group.attrs.update(
            {"clip": take.name, "style": styles[i], "dance": "", "mirrored": False, "yaw": 0.0,
             "timed": take.steps.timed, "held_out": take.name in held, "captured": True, "licence": kind.licence,
             "phrase": take.steps.phrase}
        )  # fmt: skip


def digest(written: list[Written]) -> str:
    """SHA-256 of all frames and their times."""
    total = hashlib.sha256()
    for take in written:
        seen = take.group["seen"]
        assert isinstance(seen, zarr.Array)
        total.update(np.asarray(take.group["times"][:]).tobytes())  # type: ignore[index]
        for start in range(0, seen.shape[0], CHUNK):
            total.update(np.asarray(seen[start : start + CHUNK]).tobytes())
    return total.hexdigest()
