"""Stand-ins for the body and the ear: a figure of capsules that waves, and a hearing with a steady beat."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.moment import FIGURE, Bodies
from visualizer.music.clock import Hearing

SIZE = 128
BAND = 3 / SIZE


@lru_cache(maxsize=1024)
def figure_field(beat: float) -> NDArray[np.float32]:
    """(1, 128, 128) signed distance, frame widths, of a person who sways and lifts the arms with the beat."""
    sway, lift = 0.04 * math.sin(math.pi * beat), math.sin(math.pi * beat / 2)
    hip, neck, head = (0.5 + sway, 0.55), (0.5 + 1.4 * sway, 0.345), (0.5 + 1.5 * sway, 0.27)
    left, right = (neck[0] - 0.085, 0.365), (neck[0] + 0.085, 0.365)
    elbow_l, elbow_r = (left[0] - 0.09, 0.43 - 0.12 * lift), (right[0] + 0.09, 0.43 + 0.12 * lift)
    hand_l, hand_r = (elbow_l[0] - 0.04, elbow_l[1] - 0.13 * lift), (elbow_r[0] + 0.04, elbow_r[1] + 0.13 * lift)
    knee_l, knee_r = (0.45 + 1.5 * sway, 0.73), (0.55 + 1.5 * sway, 0.73)
    limbs = [
        (hip, neck, 0.062),
        (head, (head[0], head[1] - 0.02), 0.042),
        (neck, left, 0.034),
        (neck, right, 0.034),
        (left, elbow_l, 0.027),
        (right, elbow_r, 0.027),
        (elbow_l, hand_l, 0.022),
        (elbow_r, hand_r, 0.022),
        ((hip[0] - 0.035, 0.56), knee_l, 0.040),
        ((hip[0] + 0.035, 0.56), knee_r, 0.040),
        (knee_l, (0.43, 0.885), 0.030),
        (knee_r, (0.57, 0.885), 0.030),
    ]
    centres = ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
    x, y = centres[None, :], centres[:, None]
    field = np.full((SIZE, SIZE), np.inf, np.float32)
    for a, b, radius in limbs:
        along_x, along_y = b[0] - a[0], b[1] - a[1]
        length2 = max(along_x**2 + along_y**2, 1e-9)
        share = np.clip((x - a[0]) * (along_x / length2) + (y - a[1]) * (along_y / length2), 0, 1)
        gap = np.hypot(x - a[0] - share * along_x, y - a[1] - share * along_y) - radius
        field = np.minimum(field, gap)
    return np.clip(field, -BAND, BAND).astype(np.float32)[None]


def picture(beat: float, places: tuple[float, ...] = (0.0,), span: float = FIGURE) -> Bodies:
    """One moment of as many dancers as there are places."""
    frames = np.stack([figure_field(beat + 0.3 * k) for k in range(len(places))])
    return Bodies(frames, None, np.array(places, np.float32), span)


def hearing(time: float = 0.0, bpm: float = 120.0, level: float = 0.6) -> Hearing:
    """A steady beat at one loudness."""
    return Hearing(time, bpm, time * bpm / 60, 1.0, level, level, level, level, level)
