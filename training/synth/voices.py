"""Recorded speech out of a folder: what must not be danced to, and the crowd over the music."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator

from visualizer.errors import UserError
from visualizer.music.analysis.features import RATE, Floats
from visualizer.music.song_file import read_song

SOUND_FILES = (".wav", ".ogg", ".flac", ".opus", ".mp3")
STRETCH = 12.0  # seconds
LEAST_SECONDS, LEAST_PEAK = 0.25, 0.01  # what is shorter or quieter is no sentence, but a recording of silence


def find_speakers(folder: Path) -> list[list[Path]]:
    """Sound files under a folder: those of each subfolder together, then those beside the subfolders. UserError where
    there are none."""
    found: dict[str, list[Path]] = {}
    for root, _, names in os.walk(folder, followlinks=True):
        top = "".join(Path(root).relative_to(folder).parts[:1])
        some = [Path(root) / name for name in names if Path(name).suffix.lower() in SOUND_FILES]
        found.setdefault(top, []).extend(some)
    groups = [sorted(some) for _, some in sorted(found.items()) if some]
    if not groups:
        raise UserError(f"{folder}: holds no sound files")
    return groups


def read_stretches(groups: Sequence[Sequence[Path]], count: int, rng: Generator) -> list[Floats]:
    """Up to `count` stretches of sentences with pauses between, of each group in turn, float32 (n,) at RATE, each
    sentence of peak 1. UserError where nothing is said in any file."""
    out: list[Floats] = []
    for k in range(count):
        some, parts = groups[k % len(groups)], []
        for _ in range(60):
            said = np.concatenate([block[:, 0] for block in read_song(some[int(rng.integers(len(some)))], RATE, 1)])
            peak = float(np.abs(said).max(initial=0))
            if len(said) >= LEAST_SECONDS * RATE and peak > LEAST_PEAK:
                parts += [said / np.float32(peak), np.zeros(int(rng.uniform(0.1, 0.7) * RATE), np.float32)]
            if sum(map(len, parts)) > STRETCH * RATE:
                break
        if parts:
            out.append(np.concatenate(parts))
    if not out:
        raise UserError(f"{groups[0][0].parent}: nothing is said in its sound files")
    return out
