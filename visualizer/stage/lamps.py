"""Light in the air and on the floor about a dancer who stands in a lamp of their own, for painter and shader."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.stage.looks import Look

# Frame widths of the dancer's frame, about the middle of the dancer and from the floor line downwards.
BEAM_FOOT, BEAM_NARROWING = 0.20, 0.11  # half width at the floor, and how much less it is a frame width higher
BEAM_EDGE = 6.0  # how sharp its edge is: a power of the distance from its middle
POOL = (0.22, 0.022)  # half width and half height of the pool on the floor
POOL_LIGHT = 2.0  # of the beam's
REACH = (0.34, 0.06)  # frame widths to each side, and below the floor line, in which there is any light
MIRRORED = 0.18  # frame widths below the floor line in which a dancer is mirrored
MIRROR_FADE = 0.075  # frame widths in which the mirrored dancer fades to a third

Doubles = NDArray[np.float64]


def find_lamp(look: Look, number: int) -> Doubles:
    """(3,) the colour of the light that a dancer stands in."""
    lamps = None if look.inside is None else look.inside.lamps
    return np.ones(3) if lamps is None else lamps[number % len(lamps), 1:4]


def make_beam(side: int, height: int) -> NDArray[np.float32]:
    """(height + below, across) brightness 0..1 of a beam that falls `height` pixels to the floor of a frame of `side`
    pixels, in the reach of its light."""
    across, below = round(REACH[0] * side), round(REACH[1] * side)
    x = (np.arange(-across, across) + 0.5)[None, :] / side
    y = (np.arange(-height, below) + 0.5)[:, None] / side
    half = np.maximum(BEAM_FOOT + BEAM_NARROWING * y, 0.04)
    beam = np.exp(-(np.abs(x / half) ** BEAM_EDGE)) * np.clip(-y / 0.03, 0, 1) * np.clip(0.55 - 0.45 * y, 0, 1)
    pool = POOL_LIGHT * np.exp(-((x / POOL[0]) ** 2) - (y / POOL[1]) ** 2)
    edge = np.clip((REACH[0] - np.abs(x)) / 0.03, 0, 1) * np.clip((REACH[1] - y) / 0.02, 0, 1)
    return (np.maximum(beam, pool) * edge).astype(np.float32)
