"""How a troupe stands on the stage: whether neighbours in a row collide, and whether a dancer is cut off.

    python -m bench.composition [--minutes 10] [--troupes 2,3,5,9]

Dances at 120 beats a minute and looks four times a second. Two collide where more than 5% of the smaller silhouette
lies on the other. A dancer is cut off who has a pixel outside the window, in each of its shapes. No dancer comes or
goes in the meantime.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from visualizer.dancer.dancer import Dancer
from visualizer.dancer.formation import FARTHER
from visualizer.dancer.pack import FRAME_SIZE, SYNCS, Pack, find_pack, load_pack
from visualizer.moment import Bodies
from visualizer.music.sources.free_run import course
from visualizer.stage.layout import find_layout, find_spots

SHAPES = {"4:3": (1024, 768), "16:9": (1280, 720), "21:9": (1680, 720), "9:16": (720, 1280)}
MUCH = 0.05  # of the smaller silhouette: more than a hand
BPM, LOOKS_A_BEAT = 120.0, 2


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_], apart: float) -> float:
    """Share of the smaller of two silhouettes (128, 128) that lies on the other, `apart` frame widths to its right."""
    shift = round(apart * FRAME_SIZE)
    if shift < 0:
        return overlap(b, a, -apart)
    if shift >= FRAME_SIZE:
        return 0.0
    both = np.count_nonzero(a[:, shift:] & b[:, : FRAME_SIZE - shift])
    return both / max(min(np.count_nonzero(a), np.count_nonzero(b)), 1)


def overlaps(picture: Bodies) -> list[float]:
    """Of neighbours in a row, from left to right."""
    found, where = [], find_spots(picture)
    for scale in sorted({round(spot.scale, 3) for spot in where}):
        row = sorted((spot.place, k) for k, spot in enumerate(where) if round(spot.scale, 3) == scale)
        for (x0, a), (x1, b) in pairwise(row):
            found.append(overlap(picture.frames[a, 0] < 0, picture.frames[b, 0] < 0, (x1 - x0) / scale))
    return found


def gaps(picture: Bodies) -> list[float]:
    """From each to the next in the same row, frame widths of that row."""
    depth = np.zeros(len(picture.place)) if picture.depth is None else np.round(picture.depth)
    return [
        float(gap) / FARTHER**row for row in np.unique(depth) for gap in np.diff(np.sort(picture.place[depth == row]))
    ]


def cut_off(picture: Bodies, size: tuple[int, int]) -> tuple[bool, bool]:
    """Whether a pixel of a dancer lies outside the window, and whether one lies at the edge of a dancer's own frame."""
    window = frame = False
    stage = find_layout(size, picture.span, picture.rise, picture.deep)
    for mask, spot in zip(picture.frames[:, 0] < 0, find_spots(picture), strict=True):
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        side, left, top = stage.box(spot)
        window |= left + columns[0] / FRAME_SIZE * side < 0
        window |= left + (columns[-1] + 1) / FRAME_SIZE * side > stage.width
        window |= top + rows[0] / FRAME_SIZE * side < 0
        frame |= bool({rows[0], columns[0]} & {0} or {rows[-1], columns[-1]} & {FRAME_SIZE - 1})
    return window, frame


@dataclass(frozen=True)
class Found:
    """Shares of the pictures in which two dancers collide or one is cut off; overlaps; least distance of two."""

    collide: float
    usual: float  # overlap that 99% do not exceed
    most: float
    nearest: float  # frame widths
    window: float
    frame: float


def measure(pack: Pack, troupe: int, sync: str, size: tuple[int, int], minutes: float, seed: int = 1) -> Found:
    """One evening in a window of `size`."""
    dancer = Dancer(pack, seed, troupe=troupe)
    dancer.set_sync(sync)
    dancer.view = size[0] / size[1]
    worst, nearest, cut = [], [], np.zeros(2)
    count = round(minutes * BPM * LOOKS_A_BEAT)
    for k in range(count):
        beat = k / LOOKS_A_BEAT
        dancer.step_to(beat, course(beat))
        picture = dancer.picture(beat)
        found = overlaps(picture)
        worst.append(max(found, default=0.0))
        nearest.append(min(gaps(picture), default=np.inf))
        cut += np.array(cut_off(picture, size))
    over = np.array(worst)
    return Found(
        float((over > MUCH).mean()), float(np.quantile(over, 0.99)), float(over.max()), min(nearest), *(cut / count)
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--troupes", default="1,2,3,4,5,6,7,8,9")
    parser.add_argument("--syncs", default=",".join(SYNCS))
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--pack", default=None)
    chosen = parser.parse_args()
    pack = load_pack(find_pack(chosen.pack), "cpu")
    table = Table(title=f"{chosen.minutes:g} minutes each; shares of the pictures")
    for heading in (
        "window",
        "troupe",
        "sync",
        "two collide",
        "99% overlap",
        "most",
        "nearest",
        "cut by window",
        "by frame",
    ):
        table.add_column(heading, justify="left" if heading == "sync" else "right")
    for shape in chosen.shapes.split(","):
        for troupe in map(int, chosen.troupes.split(",")):
            for sync in chosen.syncs.split(",") if troupe > 1 else SYNCS[:1]:
                found = measure(pack, troupe, sync, SHAPES[shape], chosen.minutes)
                shares = [f"{share:.1%}" for share in (found.collide, found.usual, found.most)]
                table.add_row(
                    shape,
                    str(troupe),
                    sync,
                    *shares,
                    f"{found.nearest:.2f}",
                    f"{found.window:.1%}",
                    f"{found.frame:.1%}",
                )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
