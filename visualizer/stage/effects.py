"""The light and the shadow about the dancers, on a coarse canvas, for both stages.

Most of it is soft, so 64 rows a frame are enough, and numpy is quick with so few; a look whose effects is crisp takes
128. Blurring, shrinking and growing are products with small dense matrices, see resample.py.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import astuple, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.pack import FLOOR, FRAME_SIZE
from visualizer.stage.layout import Layout, Spot, find_spots
from visualizer.stage.looks import SURE, ColorTables, Effects
from visualizer.stage.resample import gaussian, spreading, zoom_matrix
from visualizer.stage.skeleton import JOINTS, bones

if TYPE_CHECKING:
    from visualizer.moment import Bodies

ROWS = 64  # cells a frame is high, if the look says nothing else
COARSE = 0.6  # the same where the processor is behind
LINE = 0.011  # frame widths: spread of the outline as it is blurred into effects
TICKS_PER_BEAT = 32  # trails grow and fade in fixed ticks of musical time, so they look alike at any frame rate
POOL = (0.30, 0.022)  # half width and half height of the pool on the floor, frame widths
SHORE = 0.03  # frame widths over which the mirror of a wet floor begins, so that it has no edge
SOLE = (0.80, 0.93)  # between these heights a body comes down to the floor
NEAREST = 0.030  # frame widths: how far the distance of rings is rounded off
MIRRORS = 30  # of a mirror ball, around
MEMORY_TICKS = 16  # pictures a beat that echoes remember
DARK = 1e-30  # below it a float32 product would be slow
NONE = 1e-9  # so little is not seen
FARTHEST = math.sqrt(-2 * math.log(NONE))  # spreads at which a Gaussian is no more than that

Array = NDArray[np.float32]


def outline_light(frames: Array) -> Array:
    """(…, 128, 128) in 0..1: 1 on the outline, a Gaussian about it that ends well within the field's band.

    Beyond the band a network's field is only roughly flat, and that must not glow.
    """
    rest = math.exp(-((SURE / LINE) ** 2))
    light = np.exp(-np.square(frames * np.float32(1 / LINE)))
    return np.maximum((light - np.float32(rest)) * np.float32(1 / (1 - rest)), 0)


def body(frames: Array) -> Array:
    """(…, 128, 128) in 0..1: how much of each cell lies inside."""
    return np.clip(0.5 - frames * np.float32(FRAME_SIZE), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class _Cut:
    """What of a dancer's frame counts, and where the dancer stands."""

    rows: slice
    columns: slice
    spot: Spot


def _cut_out(frames: NDArray[np.floating], spots: list[Spot], out: float) -> list[_Cut]:
    """For each frame (…, 128, 128) what lies no farther than `out` frame widths outside of the body."""
    cuts = []
    for field, spot in zip(frames, spots, strict=True):
        near = field < out
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if len(rows):
            high, wide = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            cuts.append(_Cut(high, wide, spot))
        else:
            cuts.append(_Cut(slice(0, 0), slice(0, 0), spot))
    return cuts


Row = tuple[float, float]  # scale and lift of a spot


def _row(spot: Spot) -> Row:
    return spot.scale, spot.lift


def _steady(spot: Spot) -> Spot:
    """To the nearest of places so near to one another that it is not seen."""
    return Spot(*(round(value * 512) / 512 for value in (spot.place, spot.scale, spot.lift)))


def _between(a: Spot, b: Spot, share: float) -> Spot:
    return Spot(*(p * (1 - share) + q * share for p, q in zip(astuple(a), astuple(b), strict=True)))


def _hull(a: slice, b: slice) -> slice:
    """Rows or columns that hold both; one without any holds nothing."""
    if a.start == a.stop or b.start == b.stop:
        return b if a.start == a.stop else a
    return slice(min(a.start, b.start), max(a.stop, b.stop))


def _seen_down(field: NDArray[np.float64], row: Row) -> NDArray[np.float64]:
    """Heights in a dancer's frame as heights on the stage."""
    scale, lift = row
    return field if row == (1.0, 0.0) else field * scale + (FLOOR * (1 - scale) - lift)


@dataclass(frozen=True)
class _Cells:
    """Where the cells of a canvas, and of a dancer's frame, lie on the stage."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    field: NDArray[np.float64]
    cell: float  # of the dancer's frame
    fine: float  # the finest spread that the cells of the canvas can hold


# What is worked out of a dancer's frame is kept by `row`, scale and lift of a row of the troupe; see Spot. With some of
# it goes which rows or columns of the canvas it is for: about one of nine dancers there are few.


def _gaussian_down(at: _Cells, spread: float, row: Row, shift: float = 0.0) -> tuple[slice, Array]:
    return gaussian(at.y, _seen_down(at.field, row) + shift, spread, at.cell * row[0])


def _gaussian_across(at: _Cells, spread: float, scale: float, place: float) -> tuple[slice, Array]:
    columns, weights = gaussian(at.x, (at.field - 0.5) * scale + place, spread, at.cell * scale)
    return columns, weights.T.copy()


def _zooms(at: _Cells, zoom: float, rise: float, spread: float) -> tuple[Array, Array]:
    down = zoom_matrix(at.y, 0.62, zoom, -rise)
    across = zoom_matrix(at.x, 0.0, zoom)
    if spread:
        down = spreading(len(at.y), spread / float(at.y[1] - at.y[0])) @ down
        across = spreading(len(at.x), spread / float(at.x[1] - at.x[0])) @ across
    return down, across.T.copy()


def _sole_matrix(at: _Cells, width: float, row: Row) -> tuple[slice, Array]:
    """(rows, 128): what is low in the frame falls on the floor, the more the lower it is."""
    near = np.clip((at.field - SOLE[0]) / (SOLE[1] - SOLE[0]), 0, 1) ** 2
    floor, spread = FLOOR - row[1], max(width * 0.42, at.fine)
    first, last = at.y.searchsorted((floor - FARTHEST * spread, floor + FARTHEST * spread)).tolist()
    onto = np.exp(-0.5 * ((at.y[first:last] - floor) / spread) ** 2)
    return slice(first, last), (onto[:, None] * near[None, :] * 0.30).astype(np.float32)


def _distance_down(at: _Cells, spread: float, row: Row) -> NDArray[np.float64]:
    return np.exp(-0.5 * ((at.y[:, None] - _seen_down(at.field, row)[None, :]) / spread) ** 2) * row[0]


def _distance_across(at: _Cells, spread: float, scale: float, place: float) -> NDArray[np.float64]:
    away = (at.field[:, None] - 0.5) * scale + place - at.x[None, :]
    return np.exp(-0.5 * (away / spread) ** 2) * scale


class EffectsCanvas:
    """Coarse canvas over the whole window; x in frame widths from the middle, y from the frame's upper edge."""

    def __init__(self, place: Layout, rows: float = ROWS) -> None:
        """`place`: the layout for one dancer; with `rows`, cells a frame, it decides how fine the canvas is."""
        self._per_frame = rows
        self.rows = max(8, round(place.height / place.side * rows))
        self.columns = max(8, round(place.width / place.side * rows))
        self._side = place.side
        self.cell = 1 / FRAME_SIZE
        self.field = (np.arange(FRAME_SIZE) + 0.5) / FRAME_SIZE
        self.fresh = np.zeros((self.rows, self.columns), np.float32)  # what leaves trails, as it is now
        self.trails = np.zeros_like(self.fresh)
        self.values = np.zeros_like(self.fresh)  # 0..1, what the effects ramp is looked up with
        self._tick: int | None = None
        self._memory: deque[tuple[float, NDArray[np.float16], list[_Cut]]] = deque()  # beat, fields
        self.look_from(place)

    def look_from(self, place: Layout) -> None:
        """Show more of the stage, or less. The canvas keeps its cells; trails stay where they are in the window."""
        self.y = ((np.arange(self.rows) + 0.5) / self.rows * place.height - place.top) / place.side
        self.x = ((np.arange(self.columns) + 0.5) / self.columns - 0.5) * place.width / place.side
        # Frame widths: the finest spread that the cells can hold.
        self._fine = 0.6 / self._per_frame * self._side / place.side
        # What the wet floor shows: the rows above it, upside down.
        mirrored = np.interp(2 * FLOOR - self.y, self.y, np.arange(self.rows))
        depth = np.maximum(self.y - FLOOR, 0)
        below = (np.exp(-depth / 0.12) * np.minimum(depth / SHORE, 1))[:, None]
        self._mirror = (below * np.maximum(1 - np.abs(mirrored[:, None] - np.arange(self.rows)), 0)).astype(np.float32)
        # Of arrays and numbers, not of `self`: a canvas that holds itself would stay until the collector comes by.
        at = _Cells(self.x, self.y, self.field, self.cell, self._fine)
        self._across = lru_cache(maxsize=96)(partial(_gaussian_across, at))
        self._down = lru_cache(maxsize=24)(partial(_gaussian_down, at))
        self._zoom = lru_cache(maxsize=8)(partial(_zooms, at))
        self._soles = lru_cache(maxsize=6)(partial(_sole_matrix, at))
        self._far_down = lru_cache(maxsize=6)(partial(_distance_down, at))
        self._far_across = lru_cache(maxsize=32)(partial(_distance_across, at))

    def update(
        self, picture: Bodies, effects: Effects, tables: ColorTables, musical_time: float, bare: bool = False
    ) -> Array:
        """Effects (rows, columns) in 0..1 at `musical_time`. `bare`: without what only lingers, where time is short."""
        places = [_steady(spot) for spot in find_spots(picture)]  # who stands finds the same matrices
        frames = picture.frames[:, 0]
        cuts = _cut_out(frames, places, SURE)  # beyond it there is neither body nor light
        values, swing = self.values, tables.swing
        values.fill(0)
        bodies = lights = None
        if effects.fill or effects.contact or effects.rings or effects.trail_body:
            bodies = [body(field[cut.rows, cut.columns]) for field, cut in zip(frames, cuts, strict=True)]
        if effects.glow or effects.trail:
            lights = [outline_light(field[cut.rows, cut.columns]) for field, cut in zip(frames, cuts, strict=True)]
        if effects.glow and lights is not None:
            # A thin line blurred is dim: 2.2 brings the glow beside a limb to about 1.
            self._blur(values, lights, cuts, effects.glow_width, 2.2 * effects.glow * swing)
        if effects.fill and bodies is not None:
            move = effects.fill_x, effects.fill_y
            self._blur(values, bodies, cuts, effects.fill_width, effects.fill * swing, move)
        if effects.trail and not bare:
            self._grow_trails(effects, bodies if effects.trail_body else lights, cuts, musical_time)
            values += np.float32(effects.trail * tables.trail) * self.trails
        if effects.floor:
            self._pools(places, effects.floor * swing)
        if effects.contact and bodies is not None:
            for one, cut in zip(bodies, cuts, strict=True):
                rows, down = self._soles(effects.contact_width, _row(cut.spot))
                wide = max(effects.contact_width, self._fine)
                columns, across = self._across(wide, cut.spot.scale, cut.spot.place)
                seen = np.minimum(down[:, cut.rows] @ one @ across[cut.columns], 1)
                values[rows, columns] += np.float32(effects.contact) * seen
        if effects.wet:
            values += np.float32(effects.wet) * (self._mirror @ values)
        if effects.rings and bodies is not None:
            np.maximum(values, self._rings(effects, bodies, cuts), out=values)
        if effects.spots:
            values += self._spots(effects, musical_time) * np.float32(swing)
        if effects.echo and not bare:
            self._echo(effects, picture, musical_time)
        if effects.bones and picture.joints is not None and picture.joints.shape[1] == JOINTS:
            for joints, spot in zip(picture.joints, places, strict=True):
                self._bones(effects, joints, spot)
        return np.minimum(values, 1, out=values)

    def _blur(
        self, onto: Array, parts: list[Array], cuts: list[_Cut], spread: float, gain: float,
        move: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """Add `gain` times the blurred parts of frames, moved right and down."""
        x, y = move
        wide = max(spread, self._fine)
        for one, cut in zip(parts, cuts, strict=True):
            rows, down = self._down(wide, _row(cut.spot), y)
            columns, across = self._across(wide, cut.spot.scale, cut.spot.place + x)
            onto[rows, columns] += (down[:, cut.rows] * np.float32(gain)) @ one @ across[cut.columns]

    def _pools(self, places: list[Spot], strength: float) -> None:
        """Add the pools about the places where the dancers stand."""
        place, scale, lift = np.array([(spot.place, spot.scale, spot.lift) for spot in places]).T[:, :, None]
        wide = np.exp(-(((self.x - place) / (POOL[0] * scale)) ** 2)).astype(np.float32)
        high = np.exp(-(((self.y - (FLOOR - lift)) / (POOL[1] * scale)) ** 2)).astype(np.float32)
        wide[wide < NONE], high[high < NONE] = 0, 0
        self.values += (high.T * np.float32(strength)) @ wide

    def _grow_trails(self, effects: Effects, source: list[Array] | None, cuts: list[_Cut], musical_time: float) -> None:
        assert source is not None
        self.fresh.fill(0)
        self._blur(self.fresh, source, cuts, self._fine, 1.0)
        tick = math.floor(musical_time * TICKS_PER_BEAT)
        ticks = 0 if self._tick is None else min(max(tick - self._tick, 0), TICKS_PER_BEAT)
        self._tick = tick
        spread = effects.trail_spread / math.sqrt(TICKS_PER_BEAT)
        down, across = self._zoom(
            effects.trail_zoom ** (1 / TICKS_PER_BEAT), effects.trail_rise / TICKS_PER_BEAT, spread
        )
        fade = np.float32(0.5 ** (1 / TICKS_PER_BEAT / effects.trail_beats))
        for _ in range(ticks):
            grown = down @ self.trails @ across
            grown *= fade
            grown -= np.float32(1e-4)  # so that a trail ends, at zero and not among the slow tiny numbers
            np.maximum(grown, self.fresh, out=self.trails)

    def _rings(self, effects: Effects, bodies: list[Array], cuts: list[_Cut]) -> Array:
        """1 on the body, falling evenly with the distance from it.

        The nearest of many by a sum: -2 s² log Σ exp(-d²/2 s²) tends to the least d² (Varadhan, 1967), and the sum is
        a Gaussian blur. It rounds corners off, which suits rings.
        """
        total = np.full((self.rows, self.columns), DARK**8, np.float64)
        for one, cut in zip(bodies, cuts, strict=True):
            across = self._far_across(NEAREST, cut.spot.scale, round(cut.spot.place * 128) / 128)[cut.columns]
            total += self._far_down(NEAREST, _row(cut.spot))[:, cut.rows] @ one.astype(np.float64) @ across
        # A limb of ordinary breadth is at distance 0.
        full = (NEAREST * FRAME_SIZE) ** 2 * 2 * math.pi * 0.6
        away = NEAREST * np.sqrt(np.maximum(-2 * np.log(total / full), 0))
        return (effects.rings * np.maximum(1 - away / effects.ring_range, 0)).astype(np.float32)

    def _spots(self, effects: Effects, musical_time: float) -> Array:
        """Spots that a turning mirror ball throws on the wall: its mirrors, seen from its middle."""
        latitude = np.radians(np.arange(-55, 56, 10.0))
        around = np.linspace(0, 2 * math.pi, MIRRORS, endpoint=False)
        a, b = np.meshgrid(latitude, around, indexing="ij")
        turned = b + np.radians(5.0) * (np.arange(len(latitude)) % 2)[:, None]
        turned += 2 * math.pi * musical_time / (MIRRORS * effects.spot_beats)
        turned = (turned + math.pi) % (2 * math.pi) - math.pi
        seen = np.abs(turned) < math.radians(68)
        a, turned = a[seen], turned[seen]
        x = 0.62 * np.tan(turned) * max(1.0, -float(self.x[0]) / 0.89)  # over all of a wide stage
        y = 0.45 + 0.62 * np.tan(a) / np.cos(turned)
        size = np.maximum(effects.spot_size / np.cos(turned) ** 0.7, self._fine)
        strength = effects.spots * np.cos(turned) ** 0.8
        across = np.exp(-0.5 * ((self.x[None, :] - x[:, None]) / (size * 1.15)[:, None]) ** 2)
        down = np.exp(-0.5 * ((self.y[:, None] - y[None, :]) / size[None, :]) ** 2) * strength[None, :]
        across[across < 1e-5] = 0
        down[down < 1e-5] = 0
        return (down.astype(np.float32)) @ across.astype(np.float32)

    def _echo(self, effects: Effects, picture: Bodies, musical_time: float) -> None:
        """Copies of the dancer as it was, each older one a step lower; the newest is `echo`."""
        memory = self._memory
        if memory and not 0 <= musical_time - memory[-1][0] < 8:
            memory.clear()
        soft = 1 / (1.6 * max(self._fine / 0.6, self.cell))  # the edge of a copy, cells of the canvas
        if not memory or musical_time - memory[-1][0] >= 1 / MEMORY_TICKS:
            fields = picture.frames[:, 0].astype(np.float16)
            memory.append((musical_time, fields, _cut_out(fields, find_spots(picture), 0.5 / soft)))
        oldest = musical_time - effects.echo_copies * effects.echo_beats
        while len(memory) > 2 and memory[1][0] <= oldest:
            memory.popleft()
        for copy in range(effects.echo_copies, 0, -1):
            then = musical_time - copy * effects.echo_beats
            after = next((k for k, each in enumerate(memory) if each[0] > then), None)
            if after is None or after == 0:
                continue
            (t0, f0, c0), (t1, f1, c1) = memory[after - 1], memory[after]
            share = np.float32((then - t0) / (t1 - t0))
            count = min(len(c0), len(c1))
            strength = np.float32(effects.echo * (1 - (copy - 1) / effects.echo_copies))
            for k in range(count):
                rows, columns = _hull(c0[k].rows, c1[k].rows), _hull(c0[k].columns, c1[k].columns)
                field = f0[k, rows, columns].astype(np.float32) * (1 - share)
                field += f1[k, rows, columns].astype(np.float32) * share
                spot = _steady(_between(c0[k].spot, c1[k].spot, float(share)))
                shape = np.clip(0.5 - field * np.float32(soft), 0, 1)
                across_at, across = self._across(self._fine, spot.scale, spot.place)
                down_at, down = self._down(self._fine, _row(spot))
                part = self.values[down_at, across_at]
                np.maximum(part, down[:, rows] @ shape @ across[columns] * strength, out=part)

    def _bones(self, effects: Effects, joints: Array, spot: Spot) -> None:
        """Each bone as a capsule, soft over two cells: a steep ramp makes it crisp again."""
        begin, end, thick = bones(joints)
        offset = np.array([spot.left, spot.top])
        a, b, radius = begin * spot.scale + offset, end * spot.scale + offset, thick * effects.bone_width * spot.scale
        cell = float(self.y[1] - self.y[0])
        reach = (radius + 1.5 * cell)[:, None]
        low, high = np.minimum(a, b) - reach, np.maximum(a, b) + reach
        along = b - a
        share_of = along / np.maximum((along * along).sum(axis=1), 1e-9)[:, None]
        r0, r1 = np.searchsorted(self.y, low[:, 1]).tolist(), np.searchsorted(self.y, high[:, 1]).tolist()
        c0, c1 = np.searchsorted(self.x, low[:, 0]).tolist(), np.searchsorted(self.x, high[:, 0]).tolist()
        edge = (0.5 + radius / (2.2 * cell)).tolist()
        for k, (top, bottom, left, right) in enumerate(zip(r0, r1, c0, c1, strict=True)):
            if top == bottom or left == right:
                continue
            dx, dy = self.x[left:right] - a[k, 0], (self.y[top:bottom] - a[k, 1])[:, None]
            share = dx * share_of[k, 0] + dy * share_of[k, 1]
            np.maximum(share, 0, out=share)  # several times as quick as np.clip of so few numbers
            np.minimum(share, 1, out=share)
            x, y = dx - share * along[k, 0], dy - share * along[k, 1]
            x *= x
            y *= y
            x += y
            np.sqrt(x, out=x)
            x *= -1 / (2.2 * cell)
            x += edge[k]
            np.maximum(x, 0, out=x)
            np.minimum(x, 1, out=x)
            x *= effects.bones
            part = self.values[top:bottom, left:right]
            np.maximum(part, x, out=part, casting="same_kind")
