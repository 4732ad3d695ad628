"""Motion clips for tests, made out of written dances: their beats are known because we chose them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from training.data.choreography import DANCES, perform

FPS = 60.0
FINE = 48  # steps a beat of the performance before it is resampled to seconds
LICENCE = "made for the tests, MIT"


def dance_motion(
    name: str, bpm: float, beats: int, lead_in: float = 0.0, energy: float = 0.8
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A written dance at `bpm`, `beats` beats long and sampled at 60 fps: positions (T, 21, 3), beat times (B,) s.

    It begins `lead_in` beats before a beat line, so that no beat falls on the first frame by luck.
    """
    dance = next(d for d in DANCES if d.name == name)
    rounds = int(np.ceil((beats + 2) / dance.beats)) + 1
    loops = [perform(dance, energy, FINE, seed=k).positions for k in range(rounds)]
    motion = np.concatenate(loops)
    musical = np.arange(len(motion)) / FINE  # beats
    seconds = np.arange(0.0, beats * 60 / bpm, 1 / FPS)
    shift = -lead_in % 1.0  # musical time of the first frame
    positions = CubicSpline(musical, motion, axis=0)(shift + seconds * bpm / 60)
    lines = np.arange(np.ceil(shift), shift + seconds[-1] * bpm / 60)
    return positions.astype(np.float32), (lines - shift) * 60 / bpm


def write_clips(folder: Path, clips: list[tuple[str, str, NDArray[np.float32]]]) -> Path:
    """Write (name, style, positions) as a folder of canonical clips with its `index.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, _, positions in clips:
        np.savez_compressed(folder / f"{name}.npz", positions=positions, fps=np.float32(FPS))
    entries = [{"name": n, "style": s, "fps": FPS, "source_and_licence": LICENCE} for n, s, _ in clips]
    (folder / "index.json").write_text(json.dumps({"clips": entries}), encoding="utf-8")
    return folder
