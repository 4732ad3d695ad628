"""Read captured dance: the canonical `.npz` clips and the `index.json` that names their styles and licences."""

from __future__ import annotations

import json
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.motion.skeleton import JOINTS
from visualizer.errors import UserError

# What numpy and zipfile raise for a damaged file; they agree on no common class.
_BROKEN = (
    OSError, KeyError, ValueError, TypeError, EOFError, OverflowError, MemoryError, SyntaxError, RuntimeError,
    struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


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
        with np.load(path, allow_pickle=False) as file:
            positions = np.asarray(file["positions"], dtype=np.float32)
            fps = float(file["fps"])
    except _BROKEN as error:
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
        entries = json.loads(index.read_text(encoding="utf-8"))["clips"]
        listed = [(str(e["name"]), str(e["style"]), str(e["source_and_licence"])) for e in entries]
    except FileNotFoundError as error:
        raise UserError(f"{folder}: no index.json there, so no motion clips") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{index}: broken ({error})") from error
    return [read_clip(folder / f"{name}.npz", style, licence) for name, style, licence in listed]
