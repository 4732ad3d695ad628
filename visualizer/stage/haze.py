"""The light about the dancers, on a coarse canvas: glow, trails and the pool on the floor.

All of it is soft, so 64 rows a frame are enough, and numpy is quick with so few. Blurring, shrinking and growing
are products with small dense matrices, the same trick as in painter.py.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.layout import Layout
from visualizer.stage.looks import SURE, Haze, Lights

ROWS = 64  # cells a frame is high
LINE = 0.011  # frame widths: spread of the outline as it is blurred into haze
TICKS_PER_BEAT = 32  # trails grow and fade in fixed ticks of musical time, so they look alike at any frame rate
POOL = (0.30, 0.022)  # half width and half height of the pool of light, frame widths
MIRROR = 0.45  # share of the haze that the floor throws back
SHORE = 0.03  # frame widths over which the mirror begins, so that it has no edge

Array = NDArray[np.float32]


def outline_light(frames: Array) -> Array:
    """(…, 128, 128) in 0..1: 1 on the outline, a Gaussian about it that ends well within the field's band.

    Beyond the band a network's field is only roughly flat, and that must not glow.
    """
    rest = math.exp(-((SURE / LINE) ** 2))
    light = np.exp(-np.square(frames * np.float32(1 / LINE)))
    return np.maximum((light - np.float32(rest)) * np.float32(1 / (1 - rest)), 0)


def gaussian(to: NDArray[np.float64], fro: NDArray[np.float64], spread: float, step: float) -> Array:
    """(len(to), len(fro)) weights of a Gaussian blur from samples `step` apart; they sum to 1 away from the ends."""
    weights = np.exp(-0.5 * ((to[:, None] - fro[None, :]) / spread) ** 2)
    weights[weights < 1e-5] = 0  # tiny numbers below float32's normal range would make every product slow
    return (weights * (step / (spread * math.sqrt(2 * math.pi)))).astype(np.float32)


def zoom_matrix(centres: NDArray[np.float64], about: float, zoom: float) -> Array:
    """Linear resampling that grows a row of cells by `zoom` about the place `about`."""
    step = centres[1] - centres[0]
    at = np.clip((about + (centres - about) / zoom - centres[0]) / step, 0, len(centres) - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(len(centres))[None, :]), 0).astype(np.float32)


class HazeCanvas:
    """Coarse canvas over the whole window; x in frame widths from the middle, y from the frame's upper edge."""

    def __init__(self, place: Layout) -> None:
        """`place`: the layout for one dancer; it decides how fine the canvas is."""
        self.rows = max(8, round(place.height / place.side * ROWS))
        self.columns = max(8, round(place.width / place.side * ROWS))
        self._side = place.side
        self.cell = 1 / FRAME_SIZE
        self.field = (np.arange(FRAME_SIZE) + 0.5) / FRAME_SIZE
        self.fresh = np.zeros((self.rows, self.columns), np.float32)  # the outlines as they are now
        self.trails = np.zeros_like(self.fresh)
        self.values = np.zeros_like(self.fresh)  # 0..1, what the haze ramp is looked up with
        self._tick: int | None = None
        self.look_from(place)

    def look_from(self, place: Layout) -> None:
        """Show more of the stage, or less. The canvas keeps its cells; trails stay where they are in the window."""
        self.y = ((np.arange(self.rows) + 0.5) / self.rows * place.height - place.top) / place.side
        self.x = ((np.arange(self.columns) + 0.5) / self.columns - 0.5) * place.width / place.side
        self._fine = 0.6 / ROWS * self._side / place.side  # frame widths: the finest spread that the cells can hold
        # What the wet floor shows: the rows above it, upside down.
        mirrored = np.interp(2 * FLOOR - self.y, self.y, np.arange(self.rows))
        depth = np.maximum(self.y - FLOOR, 0)
        below = (MIRROR * np.exp(-depth / 0.12) * np.minimum(depth / SHORE, 1))[:, None]
        self._mirror = (below * np.maximum(1 - np.abs(mirrored[:, None] - np.arange(self.rows)), 0)).astype(np.float32)
        self._across = lru_cache(maxsize=64)(self._gaussian_across)
        self._down = lru_cache(maxsize=8)(self._gaussian_down)
        self._zoom = lru_cache(maxsize=8)(self._zooms)

    def _gaussian_down(self, spread: float) -> Array:
        return gaussian(self.y, self.field, spread, self.cell)

    def _gaussian_across(self, spread: float, place: float) -> Array:
        return gaussian(self.x, self.field - 0.5 + place, spread, self.cell).T.copy()

    def _zooms(self, zoom: float) -> tuple[Array, Array]:
        return zoom_matrix(self.y, 0.62, zoom), zoom_matrix(self.x, 0.0, zoom).T.copy()

    def update(self, frames: Array, places: Array, haze: Haze, lights: Lights, musical_time: float) -> Array:
        """Haze (rows, columns) in 0..1 at `musical_time`, for fields (N, 1, 128, 128) of dancers at `places` (N,)."""
        light = outline_light(frames[:, 0])
        wide = max(haze.glow_width, self._fine)
        self.fresh.fill(0)
        self.values.fill(0)
        for one, place in zip(light, places, strict=True):
            at = round(float(place) * 512) / 512  # so that a dancer who stands finds the same matrices again
            self.fresh += self._down(self._fine) @ one @ self._across(self._fine, at)
            self.values += self._down(wide) @ one @ self._across(wide, at)
        self.values *= lights.glow * 2.2  # a thin line blurred is dim: this brings the glow beside a limb to about 1
        self._grow_trails(haze, musical_time)
        self.values += lights.trail * self.trails
        if lights.floor:
            for place in places:
                wide = np.exp(-(((self.x - float(place)) / POOL[0]) ** 2))
                high = np.exp(-(((self.y - FLOOR) / POOL[1]) ** 2))
                self.values += (lights.floor * high[:, None] * wide[None, :]).astype(np.float32)
        self.values += self._mirror @ self.values
        return np.minimum(self.values, 1, out=self.values)

    def _grow_trails(self, haze: Haze, musical_time: float) -> None:
        tick = math.floor(musical_time * TICKS_PER_BEAT)
        ticks = 0 if self._tick is None else min(max(tick - self._tick, 0), TICKS_PER_BEAT)
        self._tick = tick
        down, across = self._zoom(haze.trail_zoom ** (1 / TICKS_PER_BEAT))
        fade = np.float32(0.5 ** (1 / TICKS_PER_BEAT / haze.trail_beats))
        for _ in range(ticks):
            grown = down @ self.trails @ across
            grown *= fade
            grown -= np.float32(1e-4)  # so that a trail ends, at zero and not among the slow tiny numbers
            np.maximum(grown, self.fresh, out=self.trails)
