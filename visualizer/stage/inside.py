"""The numbers that a look colours the inside of a dancer by, on the cells of the frame, for painter and shader.

They are smooth, so that they can be made large like the distance from the outline; what is sharp in a picture (the edge
of a highlight, a line of ink) lies in the tables that are looked up with them, see looks/inside_tables.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FRAME_SIZE
from visualizer.moment import PARTS, Inside
from visualizer.stage.looks import Look, Shading
from visualizer.stage.looks.look import PATTERNS
from visualizer.stage.resample import noise

if TYPE_CHECKING:
    from visualizer.stage.mood import Mood

Floats = NDArray[np.floating]  # of 32 bits, which numpy's types do not tell
Box = tuple[int, int, int, int]  # rows r0:r1, columns c0:c1 of a frame

PLAIN = 0  # the part that is seen where no other has a share of more than
SHARE = 0.42  # so much; it is the skin, which is all over the body, so that it need not be made large
SEAM = 1.3  # cells over which the share of a part falls from 1 to 0 at a seam
WARMTH = (0.30, -0.18, -0.02, -0.06, -0.24, -0.20, 0.26)  # of each part, on the skin of a thermal camera


@dataclass(frozen=True)
class Planes:
    """Numbers of a box of one dancer's frame, (h, w) each. `first` and `second` are 0..1, or whole turns of lines;
    None: the look has none, or a pattern. `parts` (6, h, w): the shares of all parts but PLAIN."""

    crease: Floats  # frame widths
    first: Floats | None
    second: Floats | None
    parts: Floats


def find_seam_slope(deepest: float) -> float:
    """Frame widths from a seam for each share that a part has more than SHARE, or less. It falls within a cell; where
    it is all or nothing the seam is as far as any, `deepest`."""
    return max(SEAM / FRAME_SIZE, deepest / (1 - SHARE) * 1.1)


def make_planes(inside: Inside, box: Box, look: Look, mood: Mood) -> Planes:
    """What a look wants to know of one dancer, in a box of the frame."""
    shown = look.inside
    assert shown is not None
    cut = _Cut(inside, box)
    crease = cut.take(inside.crease) * np.float32(1 / FRAME_SIZE)
    if shown.crumple:
        crease = crease + _wobble()[box[0] : box[1], box[2] : box[3]] * np.float32(shown.crumple)
    parts = cut.take(inside.parts)
    nx, ny = cut.take(inside.normal)
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, np.float32(0)))
    at = _Surface(nx, ny, nz, crease, parts, box)
    first, second = (
        None if each is None or each.of in PATTERNS else _find_number(each, at, mood)
        for each in (shown.first, shown.second)
    )
    return Planes(crease, first, second, parts[PLAIN + 1 :])


@dataclass(frozen=True)
class _Cut:
    """Takes a box of the frame out of arrays of another box; beyond their ends the last cell goes on."""

    inside: Inside
    box: Box

    def take(self, array: Floats) -> Floats:
        r0, r1, c0, c1 = self.box
        r0, r1, c0, c1 = r0 - self.inside.row, r1 - self.inside.row, c0 - self.inside.column, c1 - self.inside.column
        height, width = array.shape[-2:]
        if min(r0, c0) >= 0 and r1 <= height and c1 <= width:
            return array[..., r0:r1, c0:c1]
        rows, columns = np.clip(np.arange(r0, r1), 0, height - 1), np.clip(np.arange(c0, c1), 0, width - 1)
        return array[..., rows[:, None], columns[None, :]]


@dataclass(frozen=True)
class _Surface:
    """What is known of a body's surface in a box of the frame."""

    nx: Floats
    ny: Floats
    nz: Floats
    crease: Floats
    parts: Floats
    box: Box

    @property
    def y(self) -> Floats:
        """Frame widths from the frame's upper edge."""
        return ((np.arange(self.box[0], self.box[1], dtype=np.float32) + np.float32(0.5)) / FRAME_SIZE)[:, None]

    @property
    def x(self) -> Floats:
        return ((np.arange(self.box[2], self.box[3], dtype=np.float32) + np.float32(0.5)) / FRAME_SIZE)[None, :]


def _find_number(shading: Shading, at: _Surface, mood: Mood) -> Floats:
    """The number of one shading; lines count whole turns, of which only the rest is looked up."""
    lift = np.float32(shading.beat * mood.pulse + shading.energy * (mood.energy - 0.5))
    swing = math.radians(shading.turn) * math.sin(2 * math.pi * mood.beat / shading.turn_beats)
    match shading.of:
        case "lamp":
            x, y, z = _lamp(shading, swing)
            found = at.nx * x + at.ny * y + at.nz * z
            return found * np.float32(0.5) + (np.float32(0.5) + lift)
        case "rim":
            x, y, _ = _lamp(shading, swing)
            reach = np.float32(1 / max(math.hypot(x, y), 1e-6))
            away = np.maximum(at.nx * (x * reach) + at.ny * (y * reach) + np.float32(shading.z), 0)
            return (1 - at.nz) * away * (1 + lift)
        case "facing":
            return at.nz + lift
        case "sky":
            tilt = np.float32(shading.bend + math.sin(swing))
            return np.float32(0.5) - np.float32(0.5) * (at.ny + tilt * at.nx) + lift
        case "side":
            return np.float32(0.5) + np.float32(0.5) * (at.nx + np.float32(math.sin(swing))) + lift
        case "lines":
            moved = mood.beat / shading.move_beats if shading.move_beats else 0.0
            place = at.y * np.float32(1 / shading.scale) + np.float32(shading.bend) * at.ny
            return place - np.float32(moved % 1) + 0 * at.x
        case "heat":
            warm = np.tensordot(np.array(WARMTH, np.float32), at.parts, 1)
            return np.float32(0.20) + np.float32(0.48) * at.nz + warm + lift
        case "veins":
            return _veins(shading, at) + lift
        case _:
            raise ValueError(f"no number is called {shading.of}")


def _lamp(shading: Shading, swing: float) -> tuple[np.float32, np.float32, np.float32]:
    """Unit vector towards the lamp, swung about the upright axis."""
    c, s = math.cos(swing), math.sin(swing)
    x, y, z = shading.x * c + shading.z * s, shading.y, shading.z * c - shading.x * s
    length = math.sqrt(x * x + y * y + z * z) or 1.0
    return np.float32(x / length), np.float32(y / length), np.float32(z / length)


@lru_cache(maxsize=1)
def _wobble() -> Floats:
    """(128, 128) fixed noise, spread 1, of cells that can be made large."""
    return noise((FRAME_SIZE, FRAME_SIZE), (2.6, 2.6), 31)


@lru_cache(maxsize=4)
def _stone(scale: float) -> Floats:
    """(128, 128) fixed clouds, spread 1, with shapes `scale` frame widths wide and streaks across them."""
    cell = max(scale * FRAME_SIZE, 3.0)
    fine = noise((FRAME_SIZE, FRAME_SIZE), (cell / 2, cell / 2), 33)
    return noise((FRAME_SIZE, FRAME_SIZE), (cell, cell), 32) + np.float32(0.45) * fine


def _veins(shading: Shading, at: _Surface) -> Floats:
    """0..1: clouds of stone; their level lines are veins. They are pushed aside where the surface turns away."""
    stone, box = _stone(shading.scale), at.box
    push = shading.bend * shading.scale * FRAME_SIZE
    rows = np.arange(box[0], box[1])[:, None] + at.ny * np.float32(push)
    columns = np.arange(box[2], box[3])[None, :] + at.nx * np.float32(push)
    rows, columns = (np.clip(each, 0, FRAME_SIZE - 2) for each in (rows, columns))
    i, j = rows.astype(np.intp), columns.astype(np.intp)
    a, b = (rows - i).astype(np.float32), (columns - j).astype(np.float32)
    upper = stone[i, j] * (1 - b) + stone[i, j + 1] * b
    lower = stone[i + 1, j] * (1 - b) + stone[i + 1, j + 1] * b
    return np.float32(0.5) + np.float32(0.2) * (upper * (1 - a) + lower * a)


@lru_cache(maxsize=8)
def make_pattern(of: str, scale: float, side: int) -> Floats:
    """(P, P) a pattern in 0..1 for frames up to half as large again as `side` pixels; it lies still in a frame."""
    count = math.ceil(1.5 * side)
    x, y = np.meshgrid(*[np.arange(count, dtype=np.float32) + np.float32(0.5)] * 2)
    wide = max(scale * side, 2.0)  # pixels
    match of:
        case "dots":  # on a grid that stands on its corner: each level cuts round dots, then a net
            turn = np.float32(math.pi / wide / math.sqrt(2))
            return np.float32(0.5) + np.float32(0.5) * np.cos((x + y) * turn) * np.cos((x - y) * turn)
        case "weave":  # fibres of felt: short, lying in two directions
            fine = noise((count, count), (wide, wide * 3), 41) + noise((count, count), (wide * 3, wide), 42)
            return np.clip(np.float32(0.5) + np.float32(0.17) * (fine + noise((count, count), (wide, wide), 43)), 0, 1)
        case "stitches":  # threads side by side, each with its own sheen, one row of stitches against the next
            row = np.floor(y / np.float32(wide * 2.6))
            slope = np.where(row % 2, np.float32(0.8), np.float32(-0.8))
            across = (x + slope * y) / np.float32(wide)
            thread = np.floor(across)
            tone = (np.sin(thread * np.float32(12.9898) + row * np.float32(78.233)) * np.float32(43758.547)) % 1
            sheen = np.sin((across - thread) * np.float32(math.pi))
            end = np.abs((y / np.float32(wide * 2.6)) % 1 - np.float32(0.5)) * 2
            return np.clip(np.float32(0.30) + np.float32(0.62) * sheen * (1 - np.float32(0.5) * end**4)
                           + np.float32(0.16) * (tone - np.float32(0.5)), 0, 1)  # fmt: skip
        case _:
            raise ValueError(f"no pattern is called {of}")


assert len(WARMTH) == len(PARTS)
