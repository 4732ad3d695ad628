"""Songs as they are heard ahead, without any sound: a steady beat of so many seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from visualizer.music.analysis.song import SongAnalysis
from visualizer.music.clock import fold
from visualizer.music.sources.ahead import HeardAhead


def make_analysis(
    name: str = "song", seconds: float = 60.0, bpm: float = 120.0, first_beat: float = 0.3
) -> SongAnalysis:
    """Heard whole: beats at `bpm` from `first_beat` on, the same level throughout."""
    beats = np.arange(first_beat, seconds, 60 / bpm)
    curve = np.full(round(seconds * 100), 0.5, np.float32)
    return SongAnalysis(
        name, seconds, bpm, beats, beats[::4], 8, fold(bpm), 0.9, curve, curve, curve, curve, curve, np.zeros(0), ()
    )


def make_heard(name: str = "song", seconds: float = 60.0, bpm: float = 120.0, first_beat: float = 0.3) -> HeardAhead:
    """The same with a file, which need not be there."""
    return HeardAhead(Path(f"{name}.flac"), name, make_analysis(name, seconds, bpm, first_beat))
