"""The guard against flashes: whatever is painted, what is shown never flashes more than three times in a second.

By WCAG 2.3.1 a general flash is a pair of opposing changes of relative luminance by a tenth or more of the most there
is, the darker of them below 0.80; a red flash a pair of opposing changes that involve a saturated red. Neither may
happen more than three times within any second over more than a quarter of any field of 10 degrees, which the
standard takes for a third of the screen's width by a third of its height, anywhere on it.

The picture is looked at in some nine thousand points, one at a random place in each cell of a grid: means of cells
would miss patterns that flash within a cell, and a regular grid those of its own period. Each point remembers when it
last went up and down. Before a picture is shown the guard asks what it would do; where it would be one change too many
in too large an area, so much of the picture last shown is mixed in that it is not. The picture last shown itself never
is one too many, so there always is such a share.

No pygame in here; guarded.py puts it before surfaces and textures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 128, 72  # cells of the grid
FIELD = 1 / 3  # width and height of the field, in widths and heights of the screen
MOST = 6  # changes within a second: three pairs

# All a little tighter than the standard, so that a picture mixed in 8 bits and an area seen in points keep to it.
SECOND = 1.01
AREA = 0.22  # share of a field; the standard says 0.25
CHANGE, BRIGHT = 0.095, 0.81  # of relative luminance: 0.10, 0.80
RED_CHANGE, RED_SHARE = 19 / 320, 0.79  # of R - G - B: 20 / 320; R of R + G + B: 0.80

Floats = NDArray[np.float32]
Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_steps = np.arange(256) / 255
# What an sRGB byte is in light (IEC 61966-2-1).
LINEAR = np.where(_steps <= 0.04045, _steps / 12.92, ((_steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
_LUMINANCE = tuple(LINEAR * np.float32(weight) for weight in (0.2126, 0.7152, 0.0722))


_NONE = np.zeros(COLUMNS * ROWS, np.bool_)


class _Changes:
    """Ups and downs of a number by `least` or more, for each of n points; those that do not count are left out."""

    def __init__(self, n: int, least: float) -> None:
        self.least = np.float32(least)
        self.low, self.high = np.empty(n, np.float32), np.empty(n, np.float32)  # since the last change
        self.way = np.zeros(n, np.int8)  # of the last change: 1 up, -1 down, 0 there was none
        self.ends = np.full((MOST + 1, n), -np.inf)  # a ring of when the last changes were over, s
        self.newest = np.zeros(n, np.int64)  # row of the ring
        self.oldest = np.full(n, -np.inf)  # when the last change but MOST was over

    def start(self, values: Floats) -> None:
        """What is seen first."""
        self.low[:], self.high[:] = values, values

    def of(self, values: Floats) -> tuple[Mask, Mask]:
        """(n,) (n,) which go up, and down, if `values` are shown."""
        up = (values - self.low >= self.least) & (self.way <= 0)
        down = (self.high - values >= self.least) & (self.way >= 0)
        return up, down

    def over(self, changed: Mask, now: float) -> Mask:
        """(n,) which have made more than MOST changes within the last second once those `changed` too."""
        over = self.oldest >= now - SECOND
        which = np.flatnonzero(changed)
        if len(which):
            over[which] = self.ends[(self.newest[which] + 2) % (MOST + 1), which] >= now - SECOND
        return over

    def show(self, values: Floats, up: Mask, down: Mask, now: float) -> None:
        """`values` are shown, and so these changes made."""
        # A change lasts until the other way is begun: then it is over when it went farthest.
        farther = ((values > self.high) & (self.way > 0)) | ((values < self.low) & (self.way < 0))
        which = np.flatnonzero(farther)
        if len(which):
            self.ends[self.newest[which], which] = now
        np.minimum(self.low, values, out=self.low)
        np.maximum(self.high, values, out=self.high)
        which = np.flatnonzero(up | down)
        if len(which):
            self.newest[which] = (self.newest[which] + 1) % (MOST + 1)
            self.ends[self.newest[which], which] = now
            self.oldest[which] = self.ends[(self.newest[which] + 1) % (MOST + 1), which]
            self.low[which] = self.high[which] = values[which]
            self.way[which] = np.where(up[which], 1, -1)


def luminance(colours: Colours) -> Floats:
    """Relative luminance 0..1 (n,) of sRGB colours (n, 3)."""
    red, green, blue = (table[colours[:, k]] for k, table in enumerate(_LUMINANCE))
    red += green
    red += blue
    return red


@dataclass
class _Look:
    """What the points would do if they were shown `colours`; no red: None and nothing."""

    colours: Colours
    light: Floats
    up: Mask
    down: Mask
    red: Floats | None = None
    saturated: Mask = field(default_factory=lambda: _NONE)
    redder: Mask = field(default_factory=lambda: _NONE)
    duller: Mask = field(default_factory=lambda: _NONE)


class FlashGuard:
    """Guards what is shown on one screen. Ask for the `share`, show so much of the new picture, and say what was `seen`.

    Colours are (COLUMNS * ROWS, 3) sRGB bytes at `points`; times are seconds that never go back.
    """

    def __init__(self) -> None:
        n = COLUMNS * ROWS
        # Where in its cell each point lies, 0..1.
        self._within = np.random.default_rng(3).random((2, ROWS, COLUMNS))
        self._light = _Changes(n, CHANGE)
        self._red = _Changes(n, RED_CHANGE)
        self._was_red = np.zeros(n, np.bool_)  # saturated, at some time since the last change
        self._any_red = False
        self._reddish = True  # the last R - G - B was not 0 all over
        self._last: Colours | None = None  # what was shown last
        self._asked: _Look | None = None  # of the colours that were asked about last
        self.held = 0  # pictures that were held back
        wide, high = round(COLUMNS * FIELD), round(ROWS * FIELD)
        self._field = (wide, high)
        self._most = int(AREA * wide * high)  # points of a field that may flash on

    def points(self, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """x and y (n,) of the points in a picture of `size` pixels, y from the top."""
        width, height = size
        x = (np.arange(COLUMNS)[None, :] + self._within[0]) / COLUMNS * width
        y = (np.arange(ROWS)[:, None] + self._within[1]) / ROWS * height
        return x.astype(np.int64).ravel(), y.astype(np.int64).ravel()

    def share(self, colours: Colours, now: float) -> float:
        """How much of a picture of these `colours` can be shown over the last one: 1 all of it, in steps of 1/255."""
        if self._last is None or self._allowed(colours, now):
            return 1.0
        self.held += 1
        last = self._last.astype(np.int16)
        step = colours.astype(np.int16) - last
        least, most = 0, 255
        while most - least > 1:
            middle = (least + most) // 2
            mixed = last + (step * np.float32(middle / 255)).round().astype(np.int16)
            least, most = (middle, most) if self._allowed(mixed.astype(np.uint8), now) else (least, middle)
        return least / 255

    def seen(self, colours: Colours, now: float) -> None:
        """These `colours` are on the screen from `now` on."""
        look = self._asked if self._asked is not None and self._asked.colours is colours else self._look(colours)
        self._asked = None
        if self._last is None:
            self._light.start(look.light)
            self._red.start(np.zeros_like(look.light) if look.red is None else look.red)
            look = self._look(colours)
        self._last = colours
        self._light.show(look.light, look.up, look.down, now)
        if look.red is None:
            if self._reddish:  # no more: from nothing it will rise again
                self._red.show(np.zeros_like(look.light), look.redder, look.duller, now)
                self._reddish = False
        else:
            self._reddish = True
            self._red.show(look.red, look.redder, look.duller, now)
            self._was_red |= look.saturated
            changed = look.redder | look.duller
            self._was_red[changed] = look.saturated[changed]
            self._any_red = bool(self._was_red.any())

    def _look(self, colours: Colours) -> _Look:
        """What `colours` would change."""
        light = luminance(colours)
        up, down = self._light.of(light)
        up &= self._light.low < BRIGHT
        down &= light < BRIGHT
        look = _Look(colours, light, up, down)
        # In bytes first: R - G - B is above 0 only where R is the brightest.
        if not self._any_red and not (colours[:, 0] > np.maximum(colours[:, 1], colours[:, 2])).any():
            return look
        red, green, blue = (LINEAR[colours[:, k]] for k in range(3))
        look.saturated = (red >= np.float32(RED_SHARE) * (red + green + blue)) & (red > 0)
        look.red = np.maximum(red - green - blue, 0)
        redder, duller = self._red.of(look.red)
        involved = look.saturated | self._was_red
        look.redder, look.duller = redder & involved, duller & involved
        return look

    def _allowed(self, colours: Colours, now: float) -> bool:
        """Whether the picture may be shown as it is."""
        look = self._asked = self._look(colours)
        if self._too_many(self._light.over(look.up | look.down, now)):
            return False
        return look.red is None or not self._too_many(self._red.over(look.redder | look.duller, now))

    def _too_many(self, over: Mask) -> bool:
        """Whether points `over` the limit fill too much of any field."""
        if np.count_nonzero(over) <= self._most:
            return False
        wide, high = self._field
        total: NDArray[Any] = np.zeros((ROWS + 1, COLUMNS + 1), np.int32)
        np.cumsum(np.cumsum(over.reshape(ROWS, COLUMNS), axis=0, dtype=np.int32), axis=1, out=total[1:, 1:])
        within = total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]
        return bool(within.max() > self._most)
