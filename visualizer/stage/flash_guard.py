"""The guard against flashes: whatever is painted, what is shown never flashes more than three times in a second.

By WCAG 2.3.1 a general flash is a pair of opposing changes of relative luminance by a tenth or more of the most there
is, the darker of them below 0.80; a red flash a pair of opposing changes that involve a saturated red. Neither may
happen more than three times within any second over more than a quarter of any field of 10 degrees, which the
standard takes for a third of the screen's width by a third of its height, anywhere on it.

How areas that flash one after the other are added up the standard does not say; a dancer's waving arm brightens and
darkens many places, but none at the same time. The guard keeps to two readings:

- at once: not more than three flashes a second in which points over more than a quarter of a field brighten, or darken,
  from one picture to the next;
- places: not more than a quarter of the screen flashes more than three times a second, whenever each place does: in
  points, and in the means of blocks; in these not more than a quarter of the screen's middle either, half as wide
  and half as high.

The picture is looked at in some twenty thousand points, on a grid whose rows and columns are not quite even, so that no
pattern hides from it. Before a picture is shown the guard asks what it would do; where that is one change too many, so
much of the picture last shown is mixed in that it is not. The picture last shown itself never is one too many, so
there always is such a share.

No pygame in here; guarded.py puts it before surfaces and textures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCKS = (18, 32)  # rows and columns whose means are taken
WITHIN = 6  # samples of a block, each way
ROWS, COLUMNS = BLOCKS[0] * WITHIN, BLOCKS[1] * WITHIN  # of samples
FIELD = (BLOCKS[0] // 3, round(BLOCKS[1] / 3))  # blocks of a field
MOST = 6  # changes within a second: three pairs

# A little tighter than the standard, so that areas and means known by samples keep to it.
SECOND = 1.01
AREA = 0.22  # of a field or of the screen; the standard says 0.25
CHANGE, BLOCK_CHANGE, BRIGHT = 0.10, 0.085, 0.80  # of relative luminance
RED_CHANGE, RED_BLOCK_CHANGE, RED_SHARE = 20 / 320, 17 / 320, 0.80  # of R - G - B; R of R + G + B
# When asking, what is so near to a change counts as one: what is held back must not tremble just below the limit.
NEAR = 0.85
NEAR_BRIGHT = BRIGHT + 0.01

Floats = NDArray[np.float32]
Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_steps = np.arange(256) / 255
# What an sRGB byte is in light (IEC 61966-2-1).
LINEAR = np.where(_steps <= 0.04045, _steps / 12.92, ((_steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


class _Times:
    """When each of n things last changed, as far back as matters."""

    def __init__(self, n: int) -> None:
        self._ends = np.full((MOST + 1, n), -np.inf)  # a ring of the times at which changes were over, s
        self._newest = np.zeros(n, np.int64)  # row of the ring
        self._oldest = np.full(n, -np.inf)  # when the last change but MOST was over

    def over(self, changed: Mask, now: float) -> Mask:
        """(n,) which have made more than MOST changes within the last second once those `changed` too."""
        over = self._oldest >= now - SECOND
        which = np.flatnonzero(changed)
        if len(which):
            over[which] = self._ends[(self._newest[which] + 2) % (MOST + 1), which] >= now - SECOND
        return over

    def add(self, changed: Mask, now: float) -> None:
        which = np.flatnonzero(changed)
        if len(which):
            self._newest[which] = (self._newest[which] + 1) % (MOST + 1)
            self._ends[self._newest[which], which] = now
            self._oldest[which] = self._ends[(self._newest[which] + 1) % (MOST + 1), which]

    def lasts(self, going: Mask, now: float) -> None:
        """The newest change of those `going` on is not over before `now`."""
        which = np.flatnonzero(going)
        if len(which):
            self._ends[self._newest[which], which] = now


@dataclass(frozen=True)
class _Seen:
    """One value of each of n samples or blocks; `counts`: which are of the kind that counts as an end of a change."""

    values: Floats
    counts: Mask | None  # None: all
    up: Mask  # or nearly
    down: Mask


class _Changes:
    """Ups and downs of n values by `least` or more, from one extreme to the next."""

    def __init__(self, n: int, least: float, bright: float = np.inf) -> None:
        self._least, self._bright = np.float32(least), np.float32(bright)
        self._low, self._high = np.zeros(n, np.float32), np.zeros(n, np.float32)  # since the last change
        self._way = np.zeros(n, np.int8)  # of the last change: 1 up, -1 down, 0 there was none
        self._low_counts, self._high_counts = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self.times = _Times(n)

    def start(self, values: Floats, counts: Mask | None) -> None:
        """What is seen first."""
        self._low[:], self._high[:] = values, values
        if counts is not None:
            self._low_counts[:] = self._high_counts[:] = counts

    def look(self, values: Floats, counts: Mask | None) -> _Seen:
        """What would go up or down, or nearly, if `values` were shown."""
        near = self._least * np.float32(NEAR)
        up = (values - self._low >= near) & (self._way <= 0)
        down = (self._high - values >= near) & (self._way >= 0)
        if self._bright < np.inf:
            up &= self._low < NEAR_BRIGHT
            down &= values < NEAR_BRIGHT
        if counts is not None:
            up &= counts | self._low_counts
            down &= counts | self._high_counts
        return _Seen(values, counts, up, down)

    def made(self, seen: _Seen) -> tuple[Mask, Mask]:
        """Which truly go up, and down."""
        if not (seen.up.any() or seen.down.any()):
            return seen.up, seen.down
        up = seen.up & (seen.values - self._low >= self._least) & (self._low < self._bright)
        down = seen.down & (self._high - seen.values >= self._least) & (seen.values < self._bright)
        return up, down

    def show(self, seen: _Seen, made: tuple[Mask, Mask], now: float) -> None:
        """These are shown, and `made` changes made."""
        values, (up, down) = seen.values, made
        changed = up | down
        # A change lasts until the other way is begun: it is over when it went farthest.
        self.times.lasts(((values > self._high) & (self._way > 0)) | ((values < self._low) & (self._way < 0)), now)
        self.times.add(changed, now)
        if seen.counts is not None:
            for counts, there in (
                (self._low_counts, changed | (values < self._low)),
                (self._high_counts, changed | (values > self._high)),
            ):
                np.copyto(counts, seen.counts, where=there)
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)
        self._low[changed] = self._high[changed] = values[changed]
        self._way[up], self._way[down] = 1, -1


class _Kind:
    """General flashes, or red ones: all ways to count them."""

    def __init__(self, least: float, block_least: float, bright: float = np.inf) -> None:
        self.points = _Changes(ROWS * COLUMNS // 4, least, bright)  # every other row and column of samples
        self.blocks = _Changes(BLOCKS[0] * BLOCKS[1], block_least, bright)
        n = (BLOCKS[0] - FIELD[0] + 1) * (BLOCKS[1] - FIELD[1] + 1)
        self._fields = _Times(n)
        self._way = np.zeros(n, np.int8)  # of each field's last change: 1 up, -1 down, 0 both or there was none

    def _at_once(self, points_up: Mask, points_down: Mask) -> tuple[Mask, Mask] | None:
        """Of each field whether it brightens as one, and darkens; both if some of it does and some not. None: none."""
        if max(np.count_nonzero(points_up), np.count_nonzero(points_down)) <= _MOST_POINTS:
            return None
        up, down = (_in_fields(_per_block(each)) > _MOST_POINTS for each in (points_up, points_down))
        return up, down

    def _turned(self, up: Mask, down: Mask) -> Mask:
        """Which fields do not merely go on as before."""
        return (up & (self._way != 1)) | (down & (self._way != -1))

    def allowed(self, points: _Seen, blocks: _Seen, now: float) -> bool:
        """Whether these may be shown."""
        over = self.points.times.over(points.up | points.down, now)
        if np.count_nonzero(over) > AREA * over.size:
            return False
        over = self.blocks.times.over(blocks.up | blocks.down, now)
        if np.count_nonzero(over) > AREA * over.size or np.count_nonzero(over[_MIDDLE]) > AREA * len(_MIDDLE):
            return False
        if (fields := self._at_once(points.up, points.down)) is None:
            return True
        turned = self._turned(*fields)
        return not (self._fields.over(turned, now) & turned).any()

    def show(self, points: _Seen, blocks: _Seen, now: float) -> None:
        """These are shown."""
        made = self.points.made(points)
        if (fields := self._at_once(*made)) is not None:
            up, down = fields
            self._fields.add(self._turned(up, down), now)
            self._fields.lasts(up | down, now)
            self._way[up], self._way[down], self._way[up & down] = 1, -1, 0
        self.points.show(points, made, now)
        self.blocks.show(blocks, self.blocks.made(blocks), now)


def _per_block(points: Mask) -> NDArray[np.int32]:
    """How many of the points of each block."""
    return points.reshape(BLOCKS[0], WITHIN // 2, BLOCKS[1], WITHIN // 2).sum(axis=(1, 3), dtype=np.int32)


_MEAN = np.tile(np.eye(3, dtype=np.float32), (WITHIN, 1)) / np.float32(WITHIN**2)
_MIDDLE = (
    np.arange(BLOCKS[0] * BLOCKS[1])
    .reshape(BLOCKS)[BLOCKS[0] // 4 : -(BLOCKS[0] // 4), BLOCKS[1] // 4 : -(BLOCKS[1] // 4)]
    .ravel()
)
_MOST_POINTS = int(AREA * FIELD[0] * FIELD[1] * (WITHIN // 2) ** 2)  # of a field


def _in_fields(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums (n,) of what is in the blocks (rows, columns) of each field, a field for each step of a block."""
    total = np.zeros((BLOCKS[0] + 1, BLOCKS[1] + 1), np.int32)
    np.cumsum(np.cumsum(counts, axis=0, dtype=np.int32), axis=1, out=total[1:, 1:])
    high, wide = FIELD
    return (total[high:, wide:] - total[:-high, wide:] - total[high:, :-wide] + total[:-high, :-wide]).ravel()


@dataclass(frozen=True)
class _Look:
    """What a picture would do."""

    colours: Colours
    light: tuple[_Seen, _Seen]  # points, blocks
    red: tuple[_Seen, _Seen] | None  # None: nothing red is there, nor was


class FlashGuard:
    """Guards what one screen shows. Ask for the `share`, show so much of the new picture, and say what was `seen`.

    Colours are (ROWS, COLUMNS, 3) sRGB bytes, which are not changed later; times are seconds that never go back.
    """

    def __init__(self) -> None:
        chance = np.random.default_rng(3)
        # Where the rows and columns of samples lie in the picture, 0..1.
        self._y, self._x = ((np.arange(n) + 0.1 + 0.8 * chance.random(n)) / n for n in (ROWS, COLUMNS))
        self._light = _Kind(CHANGE, BLOCK_CHANGE, BRIGHT)
        self._red = _Kind(RED_CHANGE, RED_BLOCK_CHANGE)
        self._reddish = False  # some red was seen, ever
        self._last: Colours | None = None  # what was shown last
        self._asked: _Look | None = None  # of the colours that were asked about last
        self.held = 0  # pictures that were held back

    def places(self, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """x (COLUMNS,) and y (ROWS,) of the samples in a picture of `size` pixels, y from the top."""
        return (self._x * size[0]).astype(np.int64), (self._y * size[1]).astype(np.int64)

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
            for kind, seen in ((self._light, look.light), (self._red, look.red)):
                if seen is not None:
                    kind.points.start(seen[0].values, seen[0].counts)
                    kind.blocks.start(seen[1].values, seen[1].counts)
            look = self._look(colours)
        self._last = colours
        self._light.show(*look.light, now)
        if look.red is not None:
            self._reddish = True
            self._red.show(*look.red, now)

    def _look(self, colours: Colours) -> _Look:
        """What `colours` would change."""
        light = LINEAR.take(colours, mode="wrap")  # no byte is too large; "wrap" is the quickest
        rows = light.reshape(BLOCKS[0], WITHIN, COLUMNS * 3).sum(axis=1)
        blocks = rows.reshape(-1, WITHIN * 3) @ _MEAN
        points = light[::2, ::2].reshape(-1, 3)
        both = (self._light.points.look(points @ LUMINANCE, None), self._light.blocks.look(blocks @ LUMINANCE, None))
        # R - G - B is above 0 only where R is the brightest.
        if not self._reddish and not (points[:, 0] > np.maximum(points[:, 1], points[:, 2])).any():
            return _Look(colours, both, None)
        red = (self._red.points.look(*_redness(points)), self._red.blocks.look(*_redness(blocks)))
        return _Look(colours, both, red)

    def _allowed(self, colours: Colours, now: float) -> bool:
        """Whether the picture may be shown as it is."""
        look = self._asked = self._look(colours)
        return self._light.allowed(*look.light, now) and (look.red is None or self._red.allowed(*look.red, now))


def _redness(light: Floats) -> tuple[Floats, Mask]:
    """R - G - B (n,), not below 0, of light (n, 3), and where it is a saturated red."""
    red, green, blue = light.T
    total = red + green
    total += blue
    return np.maximum(2 * red - total, 0), (red >= np.float32(RED_SHARE) * total) & (red > 0)
