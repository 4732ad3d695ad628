"""Metrics of the way from one dance to the next: when dances change, and how soon the new one is there. Pure
functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.evaluate.copy_metrics import Known
from visualizer.dancer.pack import STEPS_PER_BEAT


def find_changes(style: NDArray[np.int64], dance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps (C,) at which another dance begins, or improvisation in another style. `style` and `dance` (S,): numbers
    of what is danced at each step; -1: improvised."""
    return np.flatnonzero((np.diff(dance) != 0) | (np.diff(style) != 0)) + 1


def beat_after(dance: NDArray[np.float32], changes: NDArray[np.int64], beat: int) -> NDArray[np.float32]:
    """The joints (S, 21, A) in beat number `beat` after each change, 1 for the first: (C, 17, 21, A) with the step that
    begins the next beat, for speeds. Changes too near to the end are left out."""
    first = changes + (beat - 1) * STEPS_PER_BEAT
    first = first[first + STEPS_PER_BEAT < len(dance)]
    return dance[first[:, None] + np.arange(STEPS_PER_BEAT + 1)]


def share_recognised(poses: NDArray[np.float32], asked: NDArray[np.int64], known: Known) -> float:
    """Share of beats (N, 16, 21, 2) that are nearest to one of the dance that was `asked` for (N,), among all beats
    of all dances that are `known`."""
    nearest, _ = known.nearest(poses)
    return float((known.dance[nearest] == asked).mean())
