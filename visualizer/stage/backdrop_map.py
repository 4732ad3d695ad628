"""Maps of what is behind the dancers: numbers 0..255, one for each pixel, made once for a look and a size.

A map costs milliseconds to make and nothing to show; all that moves are its 256 colours (backdrop_palette.py), as in
the games of old. Lengths are in frame widths: x from the middle, y from the frame's upper edge, like in effects.py.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR
from visualizer.stage.resample import noise

if TYPE_CHECKING:
    from visualizer.stage.layout import Layout
    from visualizer.stage.looks import Backdrop

Index = NDArray[np.uint8]
Array = NDArray[np.float32]
Floats = NDArray[np.floating]

LEVELS = 256
SPARE = 1.5  # levels of noise that hide the steps of a gradient
WALL = 128  # of a room: numbers below are the wall, from here on the floor
# Of a dance floor: tiles have 48 groups of 4 numbers, from the tile's own colour to that of the gap; then the wall.
HASHES, DEPTHS, GAPS = 8, 3, 4
TILES = HASHES * 2 * DEPTHS * GAPS
GAP = 0.035  # half of a gap, tiles
NEAR = 1.5  # how far the eye is from the dancer, frame widths
WIDE = 0.89  # half the stage that a screen of 16:9 shows of one dancer
SHEETS = 5  # of paper, the last in front
FACETS = 56
BALL = 0.085  # radius, frame widths
RAYS = 192
STAYS = ("board", "sheets")  # kinds whose line is not where the floor ends


class _Grid:
    """Where the pixels lie, one for each `step` pixels of the window."""

    def __init__(self, place: Layout, step: int) -> None:
        rows, columns = -(-place.height // step), -(-place.width // step)
        self.shape = rows, columns
        self.pixel = step / place.side
        self.half = place.width / place.side / 2
        self.spread = max(1.0, self.half / WIDE)  # light reaches as far as the stage
        self.top = -place.top / place.side
        self.bottom = self.top + place.height / place.side
        self.y: Array = ((((np.arange(rows) + 0.5) * step - place.top) / place.side)[:, None]).astype(np.float32)
        self.x: Array = (((np.arange(columns) + 0.5) * step / place.side - self.half)[None, :]).astype(np.float32)

    def noise(self, size: float, seed: int, long: float = 1.0) -> Array:
        """Smooth noise with grains `size` frame widths high and `long` times as wide; spread 1."""
        return noise(self.shape, (max(size / self.pixel, 1.0), max(size * long / self.pixel, 1.0)), seed)

    def chance(self, seed: int = 5) -> Array:
        """0..1 for each pixel, even."""
        return np.random.default_rng(seed).random(self.shape, np.float32)


def _cut(level: Floats, low: float = 0.0, high: float = 255.0) -> Index:
    return np.clip(level, low, high).astype(np.uint8)


def _plain(look: Backdrop, at: _Grid) -> Index:
    return np.zeros(at.shape, np.uint8)


def _floor_level(at: _Grid) -> Array:
    """0 where the dancer stands, 1 far off: light falls on the floor in a long ellipse."""
    return np.hypot(at.x * np.float32(0.95 / at.spread), (at.y - np.float32(FLOOR)) * np.float32(2.6))


def _wall_level(at: _Grid) -> Array:
    """0 behind the dancer's chest, 1 in the corners."""
    return np.hypot(at.x * np.float32(0.95 / at.spread), at.y - np.float32(0.45)) * np.float32(1.1)


def _room(look: Backdrop, at: _Grid) -> Index:
    """A wall, and from `line` on a floor."""
    dither = (at.chance() - 0.5) * (2 * SPARE)
    if look.grain:
        dither += at.noise(look.grain_size, 1) * np.float32(look.grain * WALL)
    wall = _wall_level(at) * (WALL - 1) + dither
    floor = WALL + np.clip(_floor_level(at) * (LEVELS - WALL - 1) + dither, 0, LEVELS - WALL - 1)
    return np.where(at.y < look.line, _cut(wall, 0, WALL - 1), floor.astype(np.uint8))


def _paper(look: Backdrop, at: _Grid) -> Index:
    """Fibres and cloudiness about the middle of the stops; the corners are a little darker."""
    grain = at.noise(look.grain_size, 1) + 0.8 * at.noise(look.grain_size, 2, 7.0) + 0.9 * at.noise(0.16, 3)
    level = 0.5 + look.grain * grain - 0.22 * np.maximum(_wall_level(at) - 0.45, 0)
    return _cut(level * 255 + (at.chance() - 0.5) * 2)


def _board(look: Backdrop, at: _Grid) -> Index:
    """Slate that has been wiped in long strokes, many times, and a line of chalk for a floor."""
    strokes = at.noise(0.035, 1, 14.0) + 1.3 * at.noise(0.22, 2, 1.7) + 0.5 * at.noise(look.grain_size, 3)
    level = np.minimum(0.36 + look.grain * strokes - 0.20 * np.maximum(_wall_level(at) - 0.5, 0), 0.6)
    wobble = 0.0035 * np.sin(at.x * 5 + 1) + 0.002 * np.sin(at.x * 17)
    chalk = np.exp(-(((at.y - look.line - wobble) / 0.0036) ** 2)) * np.clip(0.8 + 0.45 * at.noise(0.0035, 6), 0, 1)
    level = np.maximum(level, 0.9 * chalk * np.clip((at.half * 0.94 - np.abs(at.x)) / 0.02, 0, 1))
    return _cut(level * 255 + (at.chance() - 0.5) * 2)


def _sheets(look: Backdrop, at: _Grid) -> Index:
    """Sheets of paper with holes, each behind the next, so that one looks into a cave; each throws a shadow inwards."""
    chance = (at.chance() - 0.5) * np.float32(0.9 * at.pixel)  # smooths the cut
    half = max(at.half, 0.42)
    high = (FLOOR - at.top) * 0.98
    angle = np.arctan2((at.y - np.float32(FLOOR - 0.06)) / high, at.x / half)
    away = (np.abs(at.x / half) ** 2.6 + np.abs((at.y - np.float32(FLOOR - 0.06)) / high) ** 2.6) ** (1 / 2.6)
    sheet, shade = np.zeros(at.shape, np.int32), np.zeros(at.shape, np.float32)
    per = LEVELS // SHEETS
    for k in range(1, SHEETS):
        phase = 2.1 * k * k
        edge = 0.60 + 0.125 * k + sum(
            0.016 / n**0.7 * np.cos((2 * n + 1) * angle + phase * n) for n in range(1, 5)
        )  # fmt: skip
        side = (away - edge) * np.float32(min(half, high))
        ground = 0.865 + 0.034 * k + 0.010 * np.sin(at.x * (7 + 2 * k) + phase) + 0.006 * np.sin(at.x * 17 + k)
        inside = np.maximum(side, at.y - ground) + chance  # beyond 0: this sheet is there
        covers = inside > 0
        shade = np.where(covers, 0, np.maximum(shade, np.exp(np.minimum(inside, 0) / 0.022)))
        sheet = np.where(covers, k, sheet)
    grain = look.grain * (at.noise(look.grain_size, 4) + 0.6 * at.noise(look.grain_size, 6, 6.0))
    return (sheet * per + np.clip((shade + grain + 0.12) * (per - 1), 0, per - 1)).astype(np.uint8)


def _tiles(look: Backdrop, at: _Grid) -> Index:
    """A dance floor in perspective below a wall."""
    out = _cut(TILES + _wall_level(at) * (LEVELS - 1 - TILES) + (at.chance() - 0.5) * 2, TILES)
    first = int(np.searchsorted(at.y[:, 0], look.line))
    y = at.y[first:, 0].astype(np.float64)
    if not len(y):
        return out
    # How many times as far off as the dancer's feet a place on the floor at height y is.
    deep = (FLOOR - look.horizon) / (y - look.horizon)
    u = (at.x * deep[:, None] / look.tile + 0.5).astype(np.float32)
    v = (deep * NEAR / look.tile)[:, None]
    wide = (at.pixel * deep / look.tile)[:, None]  # tiles that a pixel covers across
    high = (at.pixel * NEAR / look.tile * deep / (y - look.horizon))[:, None]  # and in depth
    column, row = np.floor(u), np.floor(v)
    gap = np.minimum(_gap(u - column, wide), _gap(v - row, high))  # 1 tile, 0 gap
    i, j = column.astype(np.int64), row.astype(np.int64)
    mixed = (i * 374761393 + j * 668265263) & 0xFFFFFFFF
    mixed = (((mixed ^ (mixed >> 13)) * 1274126177 & 0xFFFFFFFF) >> 16) % HASHES
    depth = np.clip((deep - 1.05) * 2.2, 0, DEPTHS - 1).astype(np.int64)[:, None]
    group = (mixed * 2 + (i + j) % 2) * DEPTHS + depth
    out[first:] = group * GAPS + np.round((1 - gap) * (GAPS - 1)).astype(np.int64)
    return out


def _gap(share: Floats, pixel: Floats) -> Floats:
    """How much of a pixel is tile, 0..1, at `share` of a tile's length."""
    return np.clip((np.minimum(share, 1 - share) - GAP) / pixel + 0.5, 0, 1)


def _sunset(look: Backdrop, at: _Grid) -> Index:
    """Sky 0..99, a low sun 100..147 with bars of sky across it, and from `line` on the sea 148..255."""
    dither = (at.chance() - 0.5) * 2.4
    sky = np.clip((at.y - at.top) / (look.line - at.top), 0, 1) * 99 + dither + 0 * at.x
    out = _cut(sky, 0, 99)
    radius, middle = 0.36, look.line - 0.24
    edge = np.hypot(at.x, at.y - np.float32(middle)) - radius + (at.chance(6) - 0.5) * at.pixel
    down = np.clip((at.y - (middle - radius)) / (look.line - middle + radius), 0, 1)  # 0 top of the sun, 1 its foot
    bar = (down * 9) % 1 < np.maximum(down - 0.42, 0) * 0.75
    out = np.where((edge < 0) & ~bar, _cut(100 + down * 47 + dither, 100, 147), out)
    far = np.clip((at.y - look.line) / 0.30, 0, 1)  # 0 at the horizon
    glitter = at.noise(0.0045, 8, 9.0) + 0.6 * at.noise(0.012, 9, 8.0)
    path = np.exp(-((at.x / (0.22 + 0.5 * far)) ** 2))
    sea = 148 + far * 62 + np.maximum(glitter - 0.55 + 0.5 * path, 0) * path * 70 + dither
    return np.where(at.y < look.line, out, _cut(sea, 148, 255))


def _rays(look: Backdrop, at: _Grid) -> Index:
    """Rays from behind the dancer, all alike, numbers 0..191 across each; then a floor, if it has a colour."""
    turn = np.arctan2(at.y - np.float32(0.50), at.x) * np.float32(look.rays / (2 * math.pi))
    out = ((turn % 1) * RAYS).astype(np.uint8)
    if look.ground is None:
        return out
    floor = RAYS + np.clip(_floor_level(at) * (LEVELS - RAYS - 1) + (at.chance() - 0.5) * 2, 0, LEVELS - RAYS - 1)
    return np.where(at.y < look.line, out, floor.astype(np.uint8))


def _ballroom(look: Backdrop, at: _Grid) -> Index:
    """A room, its wall 0..99 and its floor 100..199, in which a mirror ball hangs, 200..255 its facets."""
    room = _room(look, at)
    floor = 100 + (room - float(WALL)) * (99 / (LEVELS - 1 - WALL))
    out = np.where(room < WALL, room * (100 / WALL), floor).astype(np.uint8)
    cx, cy = min(0.46, 0.62 * at.half), at.top + 0.055 + BALL
    dx, dy = (at.x - np.float32(cx)) / BALL, (at.y - np.float32(cy)) / BALL
    away = np.hypot(dx, dy) + (at.chance(6) - 0.5) * np.float32(at.pixel / BALL)
    latitude = np.arcsin(np.clip(dy + 0 * dx, -1, 1))
    ring = np.floor(latitude * (7 / math.pi) * 2)
    longitude = np.arcsin(np.clip(dx / np.maximum(np.cos((ring + 0.5) * math.pi / 14), 0.2), -1, 1))
    facet = np.floor(longitude * (7 / math.pi) * 2)
    group = (ring * 19 + facet * 31).astype(np.int64) % FACETS
    wire = (np.abs(at.x - np.float32(cx)) < max(0.0012, at.pixel)) & (at.y < cy)
    out = np.where(wire, np.uint8(199), out)
    return np.where(away < 1, (200 + group).astype(np.uint8), out)


def _edge(outside: Floats) -> Floats:
    """1 inside to 0 outside, softly."""
    return 1 / (1 + np.exp(np.minimum(outside, 30)))


def _curtain(look: Backdrop, at: _Grid) -> Index:
    """A heavy curtain in folds 0..159, a spotlight on it, and from `line` on the boards of a stage 160..255."""
    dither = (at.chance() - 0.5) * 2.2
    hang = at.x + 0.006 * np.sin(at.y * 5)
    fold = np.sin(hang * 34 + 1.7 * np.sin(hang * 9)) + 0.45 * np.sin(hang * 71 + 2)
    wide = 1.2 * max(at.half - WIDE, 0)  # a wide stage has a wide beam, or who stands outside would not be seen
    away = np.hypot(at.x / (0.60 + wide), (at.y - np.float32(0.50)) / 0.56)
    lamp = _edge((away - 0.92) / 0.055)  # the edge of the beam is soft
    wall = (0.20 + 0.10 * fold) * (0.42 + 0.18 * at.y) + lamp * (0.45 + 0.11 * fold)
    out = _cut(wall * 159 + dither, 0, 159)
    first = int(np.searchsorted(at.y[:, 0], look.line))
    y = at.y[first:]
    if len(y):
        deep = (FLOOR - look.horizon) / (y - look.horizon)
        u = at.x * deep / look.tile
        board = np.floor(u)
        tone = 0.5 + 0.5 * np.sin(board * 12.9898)
        gap = 1 - _gap(u - board, at.pixel * deep / look.tile)
        pool = _edge((np.hypot(at.x / (0.52 + wide), (y - FLOOR) / 0.075) - 0.95) / 0.10)
        level = (0.17 + 0.10 * tone + pool * (0.46 + 0.16 * tone)) * (1 - 0.75 * gap)
        out[first:] = _cut(160 + level * 95 + dither[first:], 160, 255)
    return out


KINDS: dict[str, Callable[[Backdrop, _Grid], Index]] = {
    "plain": _plain, "room": _room, "paper": _paper, "board": _board, "sheets": _sheets, "tiles": _tiles,
    "sunset": _sunset, "rays": _rays, "ballroom": _ballroom, "curtain": _curtain,
}  # fmt: skip


def make_index_map(look: Backdrop, place: Layout, step: int = 1) -> Index:
    """(ceil(height / step), ceil(width / step)) numbers, one for each `step` x `step` pixels of the window."""
    if place.lift and look.kind not in STAYS:  # rows are seen from higher up, for all to stand on the floor
        look = dataclasses.replace(look, line=look.line - place.lift, horizon=look.horizon - place.lift)
    return KINDS[look.kind](look, _Grid(place, step))
