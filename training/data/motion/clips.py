"""Read captured dance: the canonical `.npz` clips and the `index.json` that names their styles and licences."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import JOINTS
from visualizer.arrays import read_arrays
from visualizer.errors import UserError
from visualizer.files import read_at_most

LARGEST_CLIP = 256 * 1024 * 1024  # bytes once unpacked; an hour at 120 frames a second has 109 MB
LARGEST_FOLDER = 2 * 1024 * 1024 * 1024  # bytes of all its clips; those of AIST++ have 0.3 GB
LARGEST_INDEX = 16 * 1024 * 1024  # bytes; a clip takes about 200


@dataclass(frozen=True)
class Clip:
    """One captured dance. `positions` float32 (T, 21, 3) metres at `fps` frames a second."""

    name: str
    style: str
    positions: NDArray[np.float32]
    fps: float
    licence: str

    @property
    def seconds(self) -> float:
        return len(self.positions) / self.fps


def read_clip(path: Path, style: str, licence: str) -> Clip:
    """Read one `.npz` with `positions` (T, 21, 3) and `fps`. Raises UserError naming what is wrong and where."""
    try:
        found = read_arrays(path, LARGEST_CLIP, ("positions", "fps"))
        positions = np.asarray(found["positions"], dtype=np.float32)
        fps = float(found["fps"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path}: not a motion clip ({' '.join(str(error).split())})") from error
    if positions.ndim != 3 or positions.shape[1:] != (len(JOINTS), 3):
        raise UserError(f"{path}: positions must be (frames, {len(JOINTS)}, 3), not {positions.shape}")
    if not np.isfinite(positions).all() or not 1 <= fps <= 1000:
        raise UserError(f"{path}: positions or fps are not finite numbers in range")
    return Clip(path.stem, style, positions, fps, licence)


def read_clips(folder: Path) -> list[Clip]:
    """All clips that `index.json` of `folder` lists, in its order."""
    index = folder / "index.json"
    try:
        entries = json.loads(read_at_most(index, LARGEST_INDEX).decode("utf-8"))["clips"]
        listed = [(str(e["name"]), str(e["style"]), str(e["source_and_licence"])) for e in entries]
    except FileNotFoundError as error:
        raise UserError(f"{folder}: no index.json there, so no motion clips") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{index}: broken ({error})") from error
    clips, size = [], 0
    for name, style, licence in listed:
        clips.append(read_clip(folder / f"{name}.npz", style, licence))
        size += clips[-1].positions.nbytes
        if size > LARGEST_FOLDER:
            raise UserError(f"{folder}: its clips have more than {LARGEST_FOLDER >> 20} MB together")
    return clips
