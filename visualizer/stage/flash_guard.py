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

from visualizer.stage.flash_samples import (
    BLOCKS,
    COLUMNS,
    KIND,
    MEANS,
    POINTS,
    ROWS,
    WITHIN,
    Colours,
    Floats,
    Mask,
    find_blocks,
    measure,
)

FIELD = (BLOCKS[0] // 3, round(BLOCKS[1] / 3))  # blocks of a field
MOST = 6  # changes within a second: three pairs

# A little tighter than the standard, so that areas and means known by samples keep to it.
SECOND = 1.01
AREA = 0.22  # of a field or of the screen; the standard says 0.25
CHANGE, BLOCK_CHANGE, BRIGHT = 0.10, 0.085, 0.80  # of relative luminance
RED_CHANGE, RED_BLOCK_CHANGE = 20 / 320, 17 / 320  # of R - G - B
# When asking, what is so near to a change counts as one: what is held back must not tremble just below the limit.
NEAR = 0.85
NEAR_BRIGHT = BRIGHT + 0.01

Numbers = NDArray[np.int64]  # of points and blocks, rising


def _spread(*values: float) -> Floats:
    """One number for each value, of these for points, blocks, and their redness."""
    return np.repeat(np.array(values, np.float32), [POINTS, MEANS, POINTS, MEANS])


_LEAST = _spread(CHANGE, BLOCK_CHANGE, RED_CHANGE, RED_BLOCK_CHANGE)
_NEARLY = _LEAST * np.float32(NEAR)
_BRIGHT = _spread(BRIGHT, BRIGHT, np.inf, np.inf)
_NEARLY_BRIGHT = _spread(NEAR_BRIGHT, NEAR_BRIGHT, np.inf, np.inf)


class _Times:
    """When each of n things last changed, as far back as matters."""

    def __init__(self, n: int) -> None:
        # The times at which changes were over, s: the newest, and those before it, the newer first.
        self._newest, self._older = np.full(n, -np.inf), np.full((n, MOST), -np.inf)
        self._latest = -np.inf  # time of a change that has MOST - 1 newer ones, of any thing

    def may_be_over(self, now: float) -> bool:
        """Whether there can be any that `over` finds."""
        return self._latest >= now - SECOND

    def over(self, changed: Numbers, now: float) -> Mask:
        """(n,) which have made more than MOST changes within the last second once those `changed` too."""
        over = self._older[:, -1] >= now - SECOND
        over[changed] = self._older[changed, -2] >= now - SECOND
        return over

    def add(self, changed: Numbers, now: float) -> None:
        if len(changed):
            older = np.empty((len(changed), MOST))
            older[:, 1:] = self._older[changed, :-1]
            older[:, 0] = self._newest[changed]
            self._older[changed], self._newest[changed] = older, now
            self._latest = max(self._latest, float(older[:, -2].max()))

    def lasts(self, going: Mask, now: float) -> None:
        """The newest change of those `going` on is not over before `now`."""
        np.copyto(self._newest[: len(going)], now, where=going)


@dataclass(frozen=True)
class _Seen:
    """A picture, and what it would change; numbers are places among the values."""

    colours: Colours
    values: Floats  # of luminance and of redness
    saturated: Mask  # (KIND,) which are a saturated red: only such count as an end of a change of redness
    is_red: bool  # whether any redness is there, or was; else the second half of all does not matter
    up: Numbers  # or nearly
    down: Numbers


class _Changes:
    """Ups and downs of all values by a least or more, from one extreme to the next."""

    def __init__(self) -> None:
        n = 2 * KIND
        self._low, self._high = np.zeros(n, np.float32), np.zeros(n, np.float32)  # since the last change
        self._may_rise, self._may_fall = np.ones(n, np.bool_), np.ones(n, np.bool_)  # not the way of the last change
        # Whether these extremes of redness count; all of luminance do.
        self._low_counts, self._high_counts = np.zeros(KIND, np.bool_), np.zeros(KIND, np.bool_)
        self._step, self._one, self._other = np.empty(n, np.float32), np.empty(n, np.bool_), np.empty(n, np.bool_)
        self.times = _Times(n)

    def start(self, seen: _Seen) -> None:
        """What is seen first."""
        n = 2 * KIND if seen.is_red else KIND
        self._low[:n] = self._high[:n] = seen.values[:n]
        if seen.is_red:
            self._low_counts[:] = self._high_counts[:] = seen.saturated

    def find(self, values: Floats, saturated: Mask, is_red: bool) -> tuple[Numbers, Numbers]:
        """Which would go up, and down, or nearly, if `values` were shown."""
        n = 2 * KIND if is_red else KIND
        values, step, found = values[:n], self._step[:n], self._one[:n]
        np.subtract(values, self._low[:n], out=step)
        np.greater_equal(step, _NEARLY[:n], out=found)
        np.logical_and(found, self._may_rise[:n], out=found)
        up = np.flatnonzero(found)
        np.subtract(self._high[:n], values, out=step)
        np.greater_equal(step, _NEARLY[:n], out=found)
        np.logical_and(found, self._may_fall[:n], out=found)
        down = np.flatnonzero(found)
        if len(up):
            up = _leave(up, self._low[up] < _NEARLY_BRIGHT[up], saturated, self._low_counts)
        if len(down):
            down = _leave(down, values[down] < _NEARLY_BRIGHT[down], saturated, self._high_counts)
        return up, down

    def made(self, seen: _Seen) -> tuple[Numbers, Numbers]:
        """Which truly go up, and down."""
        values, up, down = seen.values, seen.up, seen.down
        if len(up):
            low = self._low[up]
            up = up[(values[up] - low >= _LEAST[up]) & (low < _BRIGHT[up])]
        if len(down):
            new = values[down]
            down = down[(self._high[down] - new >= _LEAST[down]) & (new < _BRIGHT[down])]
        return up, down

    def show(self, seen: _Seen, made: tuple[Numbers, Numbers], now: float) -> None:
        """These are shown, and `made` changes made."""
        n = 2 * KIND if seen.is_red else KIND
        values, low, high = seen.values[:n], self._low[:n], self._high[:n]
        higher, lower = self._one[:n], self._other[:n]
        np.greater(values, high, out=higher)
        np.less(values, low, out=lower)
        if seen.is_red:
            for counts, there in ((self._low_counts, lower), (self._high_counts, higher)):
                np.copyto(counts, seen.saturated, where=there[KIND:])
        # A change lasts until the other way is begun: it is over when it went farthest.
        np.greater(higher, self._may_rise[:n], out=higher)  # and may not rise
        np.greater(lower, self._may_fall[:n], out=lower)
        np.logical_or(higher, lower, out=higher)
        self.times.lasts(higher, now)
        np.minimum(low, values, out=low)
        np.maximum(high, values, out=high)
        up, down = made
        changed = np.union1d(up, down) if len(up) and len(down) else up if len(up) else down
        if len(changed):
            self.times.add(changed, now)
            low[changed] = high[changed] = values[changed]
            self._may_rise[up], self._may_fall[up] = False, True
            self._may_rise[down], self._may_fall[down] = True, False
            red = changed[changed.searchsorted(KIND) :] - KIND
            if len(red):
                self._low_counts[red] = self._high_counts[red] = seen.saturated[red]


def _leave(which: Numbers, kept: Mask, saturated: Mask, counts: Mask) -> Numbers:
    """Those of `which` that are `kept`; of redness, those of which the old or the new end counts as well."""
    first = which.searchsorted(KIND)
    if first < len(which):
        red = which[first:] - KIND
        kept[first:] &= saturated[red] | counts[red]
    return which[kept]


class _Fields:
    """Fields of the screen that brighten or darken as one, by luminance (`kind` 0) or redness (1).

    Ups and downs are numbers of all values.
    """

    def __init__(self, kind: int) -> None:
        self._first, self._last = kind * KIND, kind * KIND + POINTS  # of the points among the values
        n = (BLOCKS[0] - FIELD[0] + 1) * (BLOCKS[1] - FIELD[1] + 1)
        self._times = _Times(n)
        self._way = np.zeros(n, np.int8)  # of each field's last change: 1 up, -1 down, 0 both or there was none

    def _at_once(self, up: Numbers, down: Numbers) -> tuple[Mask, Mask] | None:
        """Of each field whether it brightens as one, and darkens; both if some of it does and some not. None: none."""
        if max(len(up), len(down)) <= _MOST_POINTS:
            return None
        up, down = (each[slice(*each.searchsorted((self._first, self._last)))] - self._first for each in (up, down))
        if max(len(up), len(down)) <= _MOST_POINTS:
            return None
        up_fields, down_fields = (_in_fields(_per_block(each)) > _MOST_POINTS for each in (up, down))
        return up_fields, down_fields

    def _turned(self, up: Mask, down: Mask) -> Numbers:
        """Which fields do not merely go on as before."""
        return np.flatnonzero((up & (self._way != 1)) | (down & (self._way != -1)))

    def allowed(self, up: Numbers, down: Numbers, now: float) -> bool:
        """Whether these may go up, and down."""
        if not self._times.may_be_over(now) or (fields := self._at_once(up, down)) is None:
            return True
        turned = self._turned(*fields)
        return not self._times.over(turned, now)[turned].any()

    def show(self, up: Numbers, down: Numbers, now: float) -> None:
        """These go up, and down."""
        if (fields := self._at_once(up, down)) is not None:
            rise, fall = fields
            self._times.add(self._turned(rise, fall), now)
            self._times.lasts(rise | fall, now)
            self._way[rise], self._way[fall], self._way[rise & fall] = 1, -1, 0


def _per_block(points: Numbers) -> NDArray[np.int32]:
    """How many of the points of each block."""
    there = np.zeros(POINTS, np.bool_)
    there[points] = True
    return there.reshape(BLOCKS[0], WITHIN // 2, BLOCKS[1], WITHIN // 2).sum(axis=(1, 3), dtype=np.int32)


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


class FlashGuard:
    """Guards what one screen shows. Ask for the `share`, show so much of the new picture, and say what was `seen`.

    Colours are (ROWS, COLUMNS) of 0x00RRGGBB, which are not changed later; times are seconds that never go back.
    """

    def __init__(self) -> None:
        chance = np.random.default_rng(3)
        # Where the rows and columns of samples lie in the picture, 0..1.
        self._y, self._x = ((np.arange(n) + 0.1 + 0.8 * chance.random(n)) / n for n in (ROWS, COLUMNS))
        self._changes = _Changes()
        self._fields = _Fields(0), _Fields(1)
        self._last: _Seen | None = None  # what was shown last
        self._asked: _Seen | None = None  # what was asked about last
        self.held = 0  # pictures that were held back

    def places(self, size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """x (COLUMNS,) and y (ROWS,) of the samples in a picture of `size` pixels, y from the top."""
        return (self._x * size[0]).astype(np.int64), (self._y * size[1]).astype(np.int64)

    def share(self, colours: Colours, now: float) -> float:
        """How much of a picture of these `colours` can be shown over the last one: 1 all of it, in steps of 1/255."""
        if self._last is None or self._allowed(colours, now):
            return 1.0
        self.held += 1
        last = self._last.colours.view(np.uint8).astype(np.int16)
        step = colours.view(np.uint8).astype(np.int16) - last
        least, most = 0, 255
        while most - least > 1:
            middle = (least + most) // 2
            mixed = last + (step * np.float32(middle / 255)).round().astype(np.int16)
            is_allowed = self._allowed(mixed.astype(np.uint8).view(np.uint32), now)
            least, most = (middle, most) if is_allowed else (least, middle)
        return least / 255

    def seen(self, colours: Colours, now: float) -> None:
        """These `colours` are on the screen from `now` on."""
        seen = self._asked if self._asked is not None and self._asked.colours is colours else self._look(colours)
        self._asked = None
        if self._last is None:
            self._changes.start(seen)
            seen = self._look(colours)
        self._last = seen
        made = self._changes.made(seen)
        for fields in self._fields:
            fields.show(*made, now)
        self._changes.show(seen, made, now)

    def _look(self, colours: Colours) -> _Seen:
        """What `colours` would change."""
        last = self._last
        if last is None:
            values, saturated = np.zeros(2 * KIND, np.float32), np.zeros(KIND, np.bool_)
            is_red, box = False, (0, BLOCKS[0], 0, BLOCKS[1])
        else:
            values, saturated, is_red = last.values, last.saturated, last.is_red
            box = find_blocks(colours != last.colours)
        if box is not None:
            if last is not None:
                values, saturated = values.copy(), saturated.copy()
            is_red |= measure(colours, box, values, saturated)
        return _Seen(colours, values, saturated, is_red, *self._changes.find(values, saturated, is_red))

    def _allowed(self, colours: Colours, now: float) -> bool:
        """Whether the picture may be shown as it is."""
        seen = self._asked = self._look(colours)
        times = self._changes.times
        if times.may_be_over(now):
            over = times.over(np.concatenate([seen.up, seen.down]), now)
            for each in (over[:KIND], over[KIND:]):
                points, blocks = each[:POINTS], each[POINTS:]
                if np.count_nonzero(points) > AREA * POINTS or np.count_nonzero(blocks) > AREA * MEANS:
                    return False
                if np.count_nonzero(blocks[_MIDDLE]) > AREA * len(_MIDDLE):
                    return False
        return all(fields.allowed(seen.up, seen.down, now) for fields in self._fields)
