"""Sound made for tests: kicks at a tempo, drum patterns, and songs written into files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from visualizer import paths
from visualizer.music.analysis.features import RATE, Floats

OWN = paths.assets() / "own_music.ogg"

BPM = 120.0
RNG = np.random.default_rng(5)
KICK = np.sin(2 * np.pi * 55 * np.arange(2400) / RATE) * np.exp(-np.arange(2400) / 900)
SNARE = np.diff(RNG.standard_normal(2401)) * np.exp(-np.arange(2400) / 700) * 0.4  # little bass in it
HAT = np.diff(RNG.standard_normal(961)) * np.exp(-np.arange(960) / 200) * 0.3


def beat_track(bpm: float, seconds: float, first: float = 0.3, gain: float = 0.5) -> tuple[Floats, np.ndarray]:
    """Kicks in faint noise, float32 at RATE; and their times."""
    rng = np.random.default_rng(1)
    y = rng.standard_normal(int(seconds * RATE)) * 1e-3
    times = np.arange(first, seconds - 0.2, 60 / bpm)
    t = np.arange(int(0.12 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.04) * np.minimum(t / 0.001, 1)
    for time in times:
        k = round(time * RATE)
        y[k : k + len(kick)] += kick
    return (gain * y).astype(np.float32), times


def write_song(path: Path, samples: np.ndarray, rate: int = RATE, codec: str = "flac") -> Path:
    """Mono or stereo float (n,) or (n, 2) into a file."""
    layout = "mono" if samples.ndim == 1 else "stereo"
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        data = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(data, format="s16", layout=layout)
        frame.sample_rate = rate
        frame.pts, frame.time_base = 0, Fraction(1, rate)
        fifo = av.AudioFifo()
        fifo.write(frame)
        for piece in fifo.read_many(1024, partial=True):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def drums(seconds: float, pattern: dict[float, NDArray], beats: int = 2) -> Floats:
    """Strokes at places of a loop of so many beats, in faint noise, float32 at RATE."""
    sound = np.random.default_rng(1).standard_normal(round(seconds * RATE)) * 1e-3
    for k in range(int(seconds * BPM / 60 / beats)):
        for place, stroke in pattern.items():
            at = round((k * beats + place) * 60 / BPM * RATE)
            piece = stroke[: max(len(sound) - at, 0)]
            sound[at : at + len(piece)] += piece
    return (0.5 * sound).astype(np.float32)


FOUR = {0.0: KICK, 1.0: KICK, 0.5: HAT, 1.5: HAT}


BACKBEAT = {0.0: KICK, 1.0: SNARE, 0.5: HAT, 1.5: HAT}


SWUNG = {0.0: KICK, 1.0: SNARE, 2 / 3: HAT, 5 / 3: HAT}
