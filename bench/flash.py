"""How often a picture flashes, by the standard: any video file, or every look under the worst music there can be.

    python -m bench.flash FILM.mp4 [--full]
    python -m bench.flash [--seconds 6] [--size 1280x720]

By WCAG 2.3.1. A change is a rise or a fall of a pixel's relative luminance by at least 0.10 between one extreme and the
next, the darker of them below 0.80; two opposing ones are a flash. A red flash: opposing changes of (R - G - B) x 320 by
more than 20, with R / (R + G + B) at 0.8 or more at one end. The figure is the most flashes that more than a quarter of an
area has had within one second, for the whole screen and for the field of 10 degrees, a third of the width by a third of
the height, that has it worst. Three are allowed.

Written apart from the guard, and on all pixels (of half the size unless --full), so that one can be held against the
other.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the program does, before numpy

import numpy as np  # noqa: E402
import pygame  # noqa: E402
from numba import njit  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from visualizer.music.clock import Hearing  # noqa: E402
from visualizer.stage.flash_guard import FlashGuard  # noqa: E402
from visualizer.stage.guarded import GuardedSurface  # noqa: E402
from visualizer.stage.looks import LOOKS  # noqa: E402
from visualizer.stage.painter import Painter  # noqa: E402

if TYPE_CHECKING:
    from visualizer.dancer.dancer import Picture
    from visualizer.stage.looks import Look

QUARTER = 0.25
LIMIT = 3.0
KEPT = 64  # changes of a pixel that are remembered: 32 flashes a second are more than any screen shows


@njit(cache=True, nogil=True)
def _follow(values, marks, bright, least, ends, marked, way, stamps, filled, now, count):  # noqa: ANN001, ANN202
    """One frame more for every pixel of one measure; `count` becomes its changes within the last second.

    `ends` (n, 2) are the lowest and the highest value since the last change began, `marked` whether they are of the
    kind that counts (always, for luminance). After a rise only the highest matters, and after a fall the lowest.
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
    """One kind of flash on (height, width) pixels."""

    def __init__(self, shape: tuple[int, int], least: float, bright: float) -> None:
        n = shape[0] * shape[1]
        self.shape, self.least, self.bright = shape, least, bright
        self.ends: NDArray[np.float32] | None = None
        self.marked, self.way = np.zeros((n, 2), np.bool_), np.zeros(n, np.int8)
        self.stamps, self.filled = np.zeros((n, KEPT)), np.zeros(n, np.int64)
        self.count = np.zeros(n, np.int64)
        self.screen = self.field = 0  # changes, at the worst
        self.when = 0.0  # end of the worst second
        self.area = 0.0  # most of a field that flashed more than three times in a second

    def see(self, values: NDArray[np.float32], marks: NDArray[np.bool_], now: float) -> None:
        values, marks = values.ravel(), marks.ravel()
        if self.ends is None:
            self.ends, self.marked = np.stack([values, values], axis=1), np.stack([marks, marks], axis=1)
            return
        _follow(values, marks, self.bright, self.least, self.ends, self.marked, self.way, self.stamps, self.filled,
                now, self.count)  # fmt: skip
        count = self.count.reshape(self.shape)
        while (count > self.screen).mean() > QUARTER:
            self.screen += 1
        while _fullest_field(count > self.field) > QUARTER:
            self.field, self.when = self.field + 1, now
        if (count > 2 * LIMIT).any():
            self.area = max(self.area, _fullest_field(count > 2 * LIMIT))


def _fullest_field(mask: NDArray[np.bool_]) -> float:
    """Share of the field that holds most of `mask`, wherever that lies."""
    if not mask.any():
        return 0.0
    height, width = mask.shape
    high, wide = max(round(height / 3), 1), max(round(width / 3), 1)
    summed = np.pad(mask, ((1, 0), (1, 0))).astype(np.int32).cumsum(0).cumsum(1)
    inside = summed[high:, wide:] - summed[:-high, wide:] - summed[high:, :-wide] + summed[:-high, :-wide]
    return float(inside.max()) / (high * wide)


@dataclass(frozen=True)
class Flashes:
    """Flashes within the worst second over more than a quarter of the screen, and of the worst field."""

    screen: float
    field: float
    red_screen: float
    red_field: float
    when: float  # where the worst second of the field ends, s
    area: float  # largest share of a field with more than three in a second

    @property
    def worst(self) -> float:
        """Of all."""
        return max(self.screen, self.field, self.red_screen, self.red_field)


def measure(frames: Iterable[NDArray[np.uint8]], fps: float, full: bool = False) -> Flashes:
    """Flashes in frames (height, width, 3) of sRGB, `fps` a second; at half the size unless `full`."""
    light = red = None
    for k, frame in enumerate(frames):
        rgb = _linear(np.arange(256))[frame]
        if not full:
            rgb = rgb[: len(rgb) // 2 * 2, : rgb.shape[1] // 2 * 2]
            rgb = (rgb[::2, ::2] + rgb[1::2, ::2] + rgb[::2, 1::2] + rgb[1::2, 1::2]) / 4
        if light is None or red is None:
            light = _Measure(rgb.shape[:2], 0.10, 0.80)
            red = _Measure(rgb.shape[:2], math.nextafter(20, 21), math.inf)
        light.see(rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.ones(rgb.shape[:2], np.bool_), k / fps)
        total = rgb.sum(axis=2)
        saturated = (rgb[:, :, 0] >= 0.8 * total) & (total > 0)
        red.see(np.maximum(rgb[:, :, 0] - rgb[:, :, 1] - rgb[:, :, 2], 0) * 320, saturated, k / fps)
    if light is None or red is None:
        raise ValueError("not one frame to measure")
    return Flashes(light.screen / 2, light.field / 2, red.screen / 2, red.field / 2,
                   light.when if light.field >= red.field else red.when, max(light.area, red.area))  # fmt: skip


def worst_music(t: float) -> Hearing:
    """Music that nobody should hear: all that it has leaps from nothing to full and back, at rates up to 15 a second."""
    square = (2 * np.roll([15.0, 7.5, 5.0, 3.75, 10.0], int(t / 0.7)) * t) % 2 < 1
    loudness, bass, mid, treble, energy = (float(x) for x in square)
    return Hearing(t, 180.0, 3 * t, 1.0, loudness, bass, mid, treble, energy)


def party(
    picture: Callable[[float], Picture], looks: list[Look], size: tuple[int, int], seconds: float, *, fps: int = 60,
    look_seconds: float = math.inf, dark_seconds: float = math.inf, guard: FlashGuard | None = None,
    painter: Painter | None = None,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """Frames (height, width, 3) of the painter under `worst_music`, as they are or as `guard` lets them be shown.

    Another look every `look_seconds`; every other `dark_seconds` are a blackout.
    """
    painter = painter or Painter(size)
    screen = pygame.Surface(size, 0, 32)
    guarded = None if guard is None else GuardedSurface(guard, size)
    for k in range(round(seconds * fps)):
        t = k / fps
        surface = painter.paint(picture(3 * t), looks[int(t / look_seconds) % len(looks)], worst_music(t), 3 * t)
        shown = surface
        if t / dark_seconds % 2 >= 1:
            shown = pygame.Surface(size, 0, 32)
        if guarded is not None:
            guarded.show(shown, screen.get_rect(), None, screen, t)
            shown = screen
        yield pygame.surfarray.array2d(shown).T.copy()[:, :, None].view(np.uint8)[:, :, 2::-1]


def film_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Frames of a video file."""
    import av

    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def film_rate(path: Path) -> float:
    """Its frames a second. ValueError if it does not say."""
    import av

    with av.open(str(path)) as file:
        rate = file.streams.video[0].average_rate
    if not rate:
        raise ValueError(f"{path} does not say how many frames it shows in a second")
    return float(rate)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("film", nargs="*", type=Path)
    parser.add_argument("--full", action="store_true", help="all pixels, not means of four")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each look")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--pack", default=None)
    chosen = parser.parse_args()
    table = Table(title="flashes in the worst second over more than a quarter of the area; at most 3 are allowed")
    headings = ("", "screen", "worst field", "red, screen", "red, field", "at s", "field above 3", "held back")
    for heading in headings:
        table.add_column(heading, justify="left" if not heading else "right")

    def row(name: str, flashes: Flashes, held: str = "") -> None:
        figures = (flashes.screen, flashes.field, flashes.red_screen, flashes.red_field)
        table.add_row(name, *(f"{figure:g}" for figure in figures), f"{flashes.when:.1f}", f"{flashes.area:.0%}", held)

    if chosen.film:
        for path in chosen.film:
            row(path.name, measure(film_frames(path), film_rate(path), chosen.full))
        Console(width=120).print(table)
        return
    from visualizer.dancer.dancer import Dancer
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.settings import parse_size

    size = parse_size(chosen.size)
    pack = load_pack(find_pack(chosen.pack), "cpu")
    cases: list[tuple[str, list[Look], dict[str, Any]]] = [(look.name, [look], {}) for look in LOOKS]
    cases.append(("another look every 0.2 s", list(LOOKS), {"look_seconds": 0.2}))
    cases.append(("blackout, 0.1 s on and off", [LOOKS[0]], {"dark_seconds": 0.1}))
    for name, looks, others in cases:
        for guard in (None, FlashGuard()):
            dancer = Dancer(pack, 1, troupe=3, temperature=1.6)

            def picture(beat: float, dancer: Dancer = dancer) -> Picture:
                dancer.step_to(beat, 1.0)
                return dancer.picture(beat)

            frames = party(picture, looks, size, chosen.seconds, guard=guard, **others)
            flashes = measure(frames, 60, chosen.full)
            held = "" if guard is None else f"{guard.held / (60 * chosen.seconds):.0%} of frames"
            row(name if guard is None else "  guarded", flashes, held)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
