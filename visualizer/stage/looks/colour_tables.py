"""A look at one moment as tables of colours, which painter and shader look up: so both show the same picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.stage.backdrop_palette import make_palette
from visualizer.stage.colours import turn_hue, wander
from visualizer.stage.looks.look import SURE, Effects, Look, Stops

if TYPE_CHECKING:
    from visualizer.stage.mood import Mood

LEVELS = 256  # samples of a ramp

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class ColorTables:
    """A look at one moment: what painter and shader need to paint it. Colours are premultiplied by cover."""

    figure: NDArray[np.float32]  # (256, 4) RGB and cover; [0] lies `reach` outside, [255] as far inside
    effects: NDArray[np.float32]  # (256, 4); [0] no effects
    palette: NDArray[np.float32]  # (256, 3) of the backdrop
    reach: float  # frame widths that the figure ramp spans on each side of the outline
    swing: float  # 0..1, by which glow, fill, floor and spots are multiplied
    trail: float  # the same for trails


@lru_cache(maxsize=64)
def _figure_ramp(stops_key: bytes, rows: int, pixel: float, grain: float) -> tuple[Doubles, float]:
    """(256, 4) premultiplied figure ramp, antialiased for pixels `pixel` frame widths wide, and its reach."""
    stops = np.frombuffer(stops_key).reshape(rows, 6)
    reach = min(SURE, float(np.abs(stops[:, 0]).max()) + pixel + 2 * grain)
    fine = 32  # samples a level, so that the mean over a pixel is smooth
    at = reach * (1 - 2 * (np.arange(-fine * 8, (LEVELS + 8) * fine) + 0.5) / (LEVELS * fine))
    # Two stops at one place make a sharp edge; a hair between them keeps np.interp's input rising.
    where = stops[:, 0] + np.arange(rows) * 1e-9
    table = np.stack([np.interp(at, where, stops[:, k]) for k in range(1, 6)], axis=1)
    premultiplied = np.concatenate([table[:, :3] * table[:, 4:5], table[:, 3:4]], axis=1)
    # A pixel shows the mean of what it covers: a running mean one pixel wide is the antialiasing.
    wide = max(1, round(pixel / (2 * reach) * LEVELS * fine))
    total = np.cumsum(np.concatenate([np.zeros((1, 4)), premultiplied]), axis=0)
    centre = ((np.arange(LEVELS) + 0.5 + 8) * fine).astype(int)
    low = np.clip(centre - wide // 2, 0, len(total) - 1)
    high = np.clip(centre - wide // 2 + wide, 0, len(total) - 1)
    mean = (total[high] - total[low]) / np.maximum(high - low, 1)[:, None]
    # Where nothing is drawn the level is 0, so there a ramp must have ended, also in a window of few pixels.
    share = np.clip(np.arange(LEVELS) / 12, 0, 1)[:, None]
    return mean * share + premultiplied[0] * (1 - share), reach


def make_ramp(stops: Stops, samples: int = LEVELS) -> Doubles:
    """(samples, 4) premultiplied RGB and cover at even steps over 0..1."""
    return _make_ramp(stops.tobytes(), len(stops), samples).copy()


@lru_cache(maxsize=64)
def _make_ramp(stops_key: bytes, rows: int, samples: int) -> Doubles:
    stops = np.frombuffer(stops_key).reshape(rows, 6)
    at = np.linspace(0, 1, samples)
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    colour, cover, light = ([np.interp(at, where, stops[:, k]) for k in ks] for ks in ((1, 2, 3), (4,), (5,)))
    return np.stack([*(c * light[0] for c in colour), cover[0]], axis=1)


def make_color_tables(look: Look, mood: Mood, side: int) -> ColorTables:
    """The tables of colours of `look` in this mood, for a frame `side` pixels wide."""
    motion, stops = look.motion, look.figure.stops
    base, reach = _figure_ramp(stops.tobytes(), len(stops), 1 / side, look.figure.grain)
    degrees = motion.hue_energy * mood.energy
    if motion.hue_beats:
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * mood.beat / motion.hue_beats)
        degrees += motion.hue_from + (motion.hue_to - motion.hue_from) * swing
    gain = 1 + motion.bright * (0.6 * mood.loudness + 0.4 * mood.pulse - 0.5)
    figure = base.copy()
    figure[:, :3] = np.minimum(turn_hue(base[:, :3], degrees) * gain if degrees or motion.bright else base[:, :3], 1)
    palette = make_palette(look.backdrop, mood)
    around = degrees * motion.backdrop
    if motion.round_beats:
        around += 360 * (mood.beat % motion.round_beats) / motion.round_beats
    if around:
        palette = wander(palette, around)
    if motion.breathe or motion.sway:
        palette = palette * (1 + motion.breathe * (mood.loudness - 0.5) + motion.sway * (mood.bar - 0.5))
    effects, pulse = np.zeros((LEVELS, 4)), 0.0
    if look.effects is not None:
        effects, pulse = make_ramp(look.effects.stops), look.effects.pulse
        effects[:, :3] = np.minimum(turn_hue(effects[:, :3], degrees), 1)
        if look.effects.ring_depth:
            effects *= _rings(look.effects, mood)[:, None]
    return ColorTables(
        figure=figure.astype(np.float32),
        effects=effects.astype(np.float32),
        palette=np.clip(palette, 0, 1).astype(np.float32),
        reach=reach,
        swing=1 - pulse + pulse * (0.35 * mood.bass + 0.25 * mood.loudness + 0.4 * mood.pulse),
        trail=0.55 + 0.45 * mood.energy,
    )


def _rings(effects: Effects, mood: Mood) -> Doubles:
    """(256,) brightness of the effects ramp: rings at even distances from the body that move outwards."""
    away = (1 - np.linspace(0, 1, LEVELS) / max(effects.rings, 1e-6)) * effects.ring_range
    wave = 0.5 + 0.5 * np.cos(2 * math.pi * (away / effects.ring_step - mood.beat / effects.ring_beats))
    inside = np.clip(away / effects.ring_step, 0, 1)  # the body itself has no rings
    return 1 - effects.ring_depth * (1 - wave) * inside
