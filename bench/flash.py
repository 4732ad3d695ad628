"""How often a picture flashes, by the standard: any video file, or every look with the worst possible music.

    python -m bench.flash FILM.mp4 [--full]
    python -m bench.flash [--seconds 6] [--size 640x360]

By WCAG 2.3.1. A change is a rise or a fall of relative luminance by at least 0.10 between one extreme and the next,
the darker of them below 0.80; two opposing ones are a flash. A red flash: opposing changes of (R - G - B) x 320 by
more than 20, with R / (R + G + B) at 0.8 or more at one end. Three flashes are allowed within any second, over more
than a quarter of an area. The standard does not say how areas that flash one after the other are added up, so it is
read in several ways:

- at once: pixels over more than a quarter of some field (a third of the width by a third of the height, anywhere)
  rise in the same frame, or fall, and did not do the same the last time;
- blocks, of the screen and of its middle, half as wide and half as high: more than a quarter of the blocks, a 32nd of
  the width by an 18th of the height, flash that often in their means, not necessarily at the same time;
- pixels of the screen: the same for single pixels. Those of the middle are told too, but a thin bright line that moves
  is a flash there for every pixel that it passes: that is no limit.

Written independently of the guard, and on all pixels (of half the size unless --full), so that each checks the other.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pygame
from numba import njit
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visualizer.media import open_media
from visualizer.moment import Moment
from visualizer.music.clock import Hearing
from visualizer.music.sources.free_run import free_run_hearing
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.guarded import GuardedSurface
from visualizer.stage.looks import shipped_looks

if TYPE_CHECKING:
    from visualizer.moment import Bodies
    from visualizer.stage.looks import Look

QUARTER = 0.25
LIMIT = 3.0
KEPT = 64  # changes of a pixel that are remembered: 32 flashes, more than any screen shows in a second


@njit(cache=True, nogil=True)
def _follow(values, marks, bright, least, ends, marked, way, stamps, filled, now, count):
    """Add one frame for every pixel (n,) of one measure; `count` becomes the number of its changes within the last
    second. Eleven parameters, because numba compiles functions of arrays, not of objects.

    `ends` (n, 2) are the lowest and the highest value since the last change began; `marked` (n, 2): whether they are of
    the kind that counts (always, for luminance). After a rise only the highest matters, after a fall only the lowest.
    """
    for i in range(values.size):
        v = values[i]
        for side in range(2):  # against the lowest: a rise; against the highest: a fall
            rises = side == 0
            if way[i] == (1 if rises else -1):
                continue
            e = ends[i, side]
            size = v - e if rises else e - v
            if size >= least and min(v, e) < bright and (marks[i] or marked[i, side]):
                way[i] = 1 if rises else -1
                ends[i, 0] = ends[i, 1] = v
                marked[i, 0] = marked[i, 1] = marks[i]
                stamps[i, filled[i] % KEPT] = now
                filled[i] += 1
                break
        if v < ends[i, 0]:
            ends[i, 0], marked[i, 0] = v, marks[i]
        if v > ends[i, 1]:
            ends[i, 1], marked[i, 1] = v, marks[i]
        n = 0
        while n < min(filled[i], KEPT) and stamps[i, (filled[i] - 1 - n) % KEPT] > now - 1 + 1e-6:
            n += 1
        count[i] = n


def _linear(values: NDArray[Any]) -> NDArray[np.float32]:
    c = np.asarray(values, np.float64) / 255
    return np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


class _Measure:
    """Counts the changes of values (height, width) within the last second, for one kind of flash."""

    def __init__(self, least: float, bright: float) -> None:
        self.least, self.bright = least, bright
        self.started = False

    def see(self, values: NDArray[np.float32], marks: NDArray[np.bool_], now: float) -> NDArray[np.bool_]:
        """Add a frame; returns which values change with it, (height, width)."""
        shape = values.shape
        values, marks = np.ascontiguousarray(values).ravel(), np.ascontiguousarray(marks).ravel()
        if not self.started:
            self.started = True
            n = values.size
            self.ends, self.marked = np.stack([values, values], axis=1), np.stack([marks, marks], axis=1)
            self.way = np.zeros(n, np.int8)
            self.stamps, self.filled = np.zeros((n, KEPT)), np.zeros(n, np.int64)
            self.count = np.zeros(shape, np.int64)
        before = self.filled.copy()
        _follow(values, marks, self.bright, self.least, self.ends, self.marked, self.way, self.stamps, self.filled,
                now, self.count.reshape(-1))  # fmt: skip
        return (self.filled > before).reshape(shape)


def _in_fields(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(13, 22) shares of the fields that are in `mask` (height, width), a field for each step of a block."""
    blocks = _blocks(mask.astype(np.float32))
    summed = np.pad(blocks, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    inside = summed[6:, 11:] - summed[:-6, 11:] - summed[6:, :-11] + summed[:-6, :-11]
    return inside / 66


def _blocks(values: NDArray[Any]) -> NDArray[Any]:
    """Means of (height, width, …) in the blocks: (18, 32, …). As they are if there are not more of them."""
    height, width = values.shape[:2]
    if (height, width) == (18, 32):
        return values
    rows, columns = np.arange(18) * height // 18, np.arange(32) * width // 32
    summed = np.add.reduceat(np.add.reduceat(values, rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width])).astype(np.float32)
    return summed / sizes.reshape(18, 32, *[1] * (values.ndim - 2))


@dataclass
class Flashes:
    """Flashes within the worst second, by each of the ways to read the standard."""

    at_once: float = 0.0
    blocks: float = 0.0
    middle_blocks: float = 0.0
    pixels: float = 0.0
    middle_pixels: float = 0.0
    when: float = 0.0  # where the worst second ends, s
    area: float = 0.0  # largest share of the middle whose pixels have flashed more than three times in a second

    @property
    def worst(self) -> float:
        """Of all that are limited."""
        return max(self.at_once, self.blocks, self.middle_blocks, self.pixels)


def _middle(values: NDArray[Any]) -> NDArray[Any]:
    height, width = values.shape[:2]
    return values[height // 4 : height - height // 4, width // 4 : width - width // 4]


class _Kind:
    """General flashes, or red ones."""

    def __init__(self, least: float, bright: float) -> None:
        self.pixels, self.blocks = _Measure(least, bright), _Measure(least, bright)
        self.events: dict[tuple[int, int], list[float]] = {}  # by field, when it changed at once
        self.last: dict[tuple[int, int], str] = {}  # by field, which way
        self.found = Flashes()

    def see(self, pixels: tuple[Any, Any], blocks: tuple[Any, Any], now: float) -> None:
        """Values and marks of all pixels, and of the blocks' means."""
        found, worst = self.found, self.found.worst
        changed = self.pixels.see(*pixels, now)
        self.blocks.see(*blocks, now)
        if changed.mean() > QUARTER / 9 * 0.9:  # else no field can be a quarter full
            self._at_once(changed, self.pixels.way.reshape(changed.shape), now)
        for name, counts in (("blocks", self.blocks.count), ("pixels", self.pixels.count)):
            for prefix, part in (("", counts), ("middle_", _middle(counts))):
                while (part > 2 * getattr(found, prefix + name)).mean() > QUARTER:
                    setattr(found, prefix + name, getattr(found, prefix + name) + 0.5)
        found.area = max(found.area, float((_middle(self.pixels.count) > 2 * LIMIT).mean()))
        if found.worst > worst:
            found.when = now

    def _at_once(self, changed: NDArray[np.bool_], way: NDArray[np.int8], now: float) -> None:
        shares = {"rise": _in_fields(changed & (way > 0)), "fall": _in_fields(changed & (way < 0))}
        for row, column in np.argwhere(np.maximum(*shares.values()) > QUARTER):
            field = int(row), int(column)
            ways = [name for name in shares if shares[name][field] > QUARTER]
            name = ways[0] if len(ways) == 1 else "exchange"  # some rise while others fall
            if name == self.last.get(field) != "exchange":
                continue
            self.last[field] = name
            self.events[field] = [t for t in self.events.get(field, []) if t > now - 1 + 1e-6] + [now]
            self.found.at_once = max(self.found.at_once, len(self.events[field]) / 2)


def measure(frames: Iterable[NDArray[Any]], fps: float, full: bool = False) -> tuple[Flashes, Flashes]:
    """General and red flashes in frames (height, width, 3) of sRGB, `fps` a second; at half the size unless `full`."""
    general, red = _Kind(0.10, 0.80), _Kind(math.nextafter(20, 21), math.inf)
    k = -1
    for k, frame in enumerate(frames):
        rgb = _linear(np.arange(256))[frame]
        if not full:
            rgb = rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2]
            rgb = (rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2]) / 4
        blocks = _blocks(rgb)
        general.see(_lightness(rgb), _lightness(blocks), k / fps)
        red.see(_redness(rgb), _redness(blocks), k / fps)
    if k < 0:
        raise ValueError("not one frame to measure")
    return general.found, red.found


def _lightness(rgb: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    return rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.ones(rgb.shape[:2], np.bool_)


def _redness(rgb: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    total = rgb.sum(axis=2)
    saturated = (rgb[:, :, 0] >= 0.8 * total) & (total > 0)
    return np.maximum(2 * rgb[:, :, 0] - total, 0) * np.float32(320), saturated


def worst_music(t: float) -> Hearing:
    """The worst music for flashes: everything in it jumps from nothing to full and back, up to 15 times a second."""
    square = (2 * np.roll([15.0, 7.5, 5.0, 3.75, 10.0], int(t / 0.7)) * t) % 2 < 1
    loudness, bass, mid, treble, energy = (float(x) for x in square)
    return Hearing(t, 180.0, 3 * t, 1.0, loudness, bass, mid, treble, energy)


def plain_music(t: float) -> Hearing:
    """A hearing as of loud music, at the fastest pace that is danced."""
    return free_run_hearing(t, 160.0, t * 160 / 60)


@dataclass(frozen=True)
class Party:
    """What happens while flashes are counted: another of `looks` every `look_seconds`, and a blackout in every other
    `dark_seconds`."""

    looks: tuple[Look, ...]
    seconds: float
    fps: int = 60
    look_seconds: float = math.inf
    dark_seconds: float = math.inf
    music: Callable[[float], Hearing] = worst_music


def show_party(
    party: Party, picture: Callable[[float], Bodies], size: tuple[int, int], guard: FlashGuard | None = None
) -> Iterator[NDArray[Any]]:
    """Frames (height, width, 3) of the painter, as they are or as `guard` lets them be shown. `picture` gives the
    dancers at a beat."""
    painter = Painter(size)
    screen = pygame.Surface(size, 0, 32)
    guarded = None if guard is None else GuardedSurface(guard, size)
    for k in range(round(party.seconds * party.fps)):
        t = k / party.fps
        hearing = party.music(t)
        look = party.looks[int(t / party.look_seconds) % len(party.looks)]
        shown = painter.paint(Moment(picture(hearing.beat), look, hearing, hearing.beat))
        if t / party.dark_seconds % 2 >= 1:
            shown = pygame.Surface(size, 0, 32)
        if guarded is not None:
            guarded.show(shown, screen.get_rect(), None, screen, t)
            shown = screen
        yield pygame.surfarray.array2d(shown).T.copy()[:, :, None].view(np.uint8)[:, :, 2::-1]


def film_frames(path: Path) -> Iterator[NDArray[Any]]:
    """Frames of a video file."""

    with open_media(path, "video") as file:
        for frame in file.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def film_rate(path: Path) -> float:
    """Its frames a second. ValueError if it does not say."""

    with open_media(path, "video") as file:
        rate = file.streams.video[0].average_rate
    if not rate:
        raise ValueError(f"{path} does not say how many frames it shows in a second")
    return float(rate)


HEADINGS = ("", "at once", "blocks", "pixels", "in the middle: blocks", "(pixels)", "red", "at s", "above 3",
            "held back")  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", nargs="*", type=Path)
    parser.add_argument("--full", action="store_true", help="all pixels, not means of four")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each look")
    parser.add_argument("--size", default="640x360", metavar="WxH")
    parser.add_argument("--pack", default=None)
    parser.add_argument("--plain", action="store_true", help="music as it is at 160 BPM, in place of the worst")
    chosen = parser.parse_args()
    if missing := [str(path) for path in chosen.film if not path.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    table = Table(title="flashes in the worst second, see --help; at most 3 are allowed")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if not heading else "right")
    if chosen.film:
        for path in chosen.film:
            table.add_row(*_row(path.name, measure(film_frames(path), film_rate(path), chosen.full)))
    else:
        _add_parties(table, chosen)
    Console(width=120).print(table)


def _row(name: str, found: tuple[Flashes, Flashes], held: str = "") -> list[str]:
    """One row of the table."""
    general, red = found
    figures = (
        general.at_once, general.blocks, general.pixels, general.middle_blocks, general.middle_pixels, red.worst
    )  # fmt: skip
    at = (red if red.worst > general.worst else general).when
    return [name, *(f"{f:g}" for f in figures), f"{at:.1f}", f"{general.area:.0%}", held]


def _add_parties(table: Table, chosen: argparse.Namespace) -> None:
    """A row for each look, and for changes of look and blackouts, as they are and guarded."""
    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.values import parse_size

    size = parse_size(chosen.size)
    pack = load_pack(find_pack(chosen.pack), "cpu")
    every = tuple(shipped_looks())
    plain = Party(every, chosen.seconds, music=plain_music if chosen.plain else worst_music)
    cases = [(look.name, replace(plain, looks=(look,))) for look in every]
    cases.append(("another look every 0.2 s", replace(plain, look_seconds=0.2)))
    cases.append(("blackout, 0.1 s on and off", replace(plain, looks=every[:1], dark_seconds=0.1)))
    for name, party in cases:
        for guard in (None, FlashGuard()):
            dancer = Dancer(pack, 1, troupe=3, temperature=1.6)

            def picture(beat: float, dancer: Dancer = dancer) -> Bodies:
                dancer.step_to(beat, 1.0)
                return dancer.picture(beat)

            found = measure(show_party(party, picture, size, guard), party.fps, chosen.full)
            held = "" if guard is None else f"{guard.held / (party.fps * party.seconds):.0%} of frames"
            table.add_row(*_row(name if guard is None else "  guarded", found, held))


if __name__ == "__main__":
    main()
