"""What was found in a video, as it is kept on disk: one file for each piece of it.

A piece holds pictures, and sights: the figures that were seen in them, one or two in each. `people.py` chooses one for
each picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.footage.figure import VERDICTS, unpack
from training.data.footage.mask_types import Mask

OF_PICTURES = ("times", "cuts", "pans")
OF_SIGHTS = ("pictures", "verdicts", "boxes", "hips", "heads", "bodies")


@dataclass(frozen=True)
class Sights:
    """All that is seen in N pictures of a video, in order. `times` (N,) seconds; `cuts` (N,): a scene begins here;
    `pans` (N,): pixels that the scene moved to the right since the picture before. Of K sights: the `pictures` (K,)
    that they are in, `verdicts` (K,) of `VERDICTS`, `boxes` (K, 4) left, top, width, height, `hips` and `heads` (K,) in
    pixels of the view, `bodies` (K, 33, 6), or none."""

    times: NDArray[np.float64]
    cuts: NDArray[np.bool_]
    pans: NDArray[np.float32]
    pictures: NDArray[np.int64]
    verdicts: NDArray[np.uint8]
    boxes: NDArray[np.int32]
    hips: NDArray[np.float32]
    heads: NDArray[np.float32]
    bodies: NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """The one figure that was chosen in each of N pictures of a video, in order; arrays as in `Sights`. `sights` (N,):
    its number among all sights, None where each picture has one; `bodies` (N, 33, 6), None where none are known;
    `pans` (N,), None where the camera stands still."""

    times: NDArray[np.float64]
    verdicts: NDArray[np.uint8]
    boxes: NDArray[np.int32]
    hips: NDArray[np.float32]
    heads: NDArray[np.float32]
    cuts: NDArray[np.bool_]
    sights: NDArray[np.int64] | None = None
    bodies: NDArray[np.float32] | None = None
    pans: NDArray[np.float32] | None = None


def read_sights(paths: list[Path]) -> Sights:
    """What was found in all pieces of a video, without the masks."""
    columns: dict[str, list[NDArray]] = {name: [] for name in (*OF_PICTURES, *OF_SIGHTS)}
    before = 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            for name, parts in columns.items():
                parts.append(file[name] + before if name == "pictures" else file[name])
            before += len(file["times"])
    if any(len(bodies) for bodies in columns["bodies"]):  # a piece in which nobody was seen has none
        pairs = zip(columns["bodies"], columns["verdicts"], strict=True)
        columns["bodies"] = [b if len(b) else np.full((len(v), *b.shape[1:]), np.nan, b.dtype) for b, v in pairs]
    return Sights(**{name: np.concatenate(parts) for name, parts in columns.items()})


def read_masks(paths: list[Path], found: Found, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, Mask]]:
    """(number, mask of its box) of the chosen figures of the `wanted` (N,) pictures of a video, one piece in memory at
    a time."""
    numbers = np.flatnonzero(wanted)
    sights = numbers if found.sights is None else found.sights[numbers]
    first = 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            sizes, boxes = file["mask_sizes"], file["boxes"]
            mine = np.flatnonzero((sights >= first) & (sights < first + len(sizes)))
            if len(mine):
                data, ends = file["masks"].tobytes(), np.cumsum(sizes)
                for at in mine:
                    k = int(sights[at]) - first
                    packed = data[ends[k] - sizes[k] : ends[k]]
                    yield int(numbers[at]), unpack(packed, int(boxes[k, 2]), int(boxes[k, 3]))
        first += len(sizes)


def read_stills(paths: list[Path]) -> list[tuple[int, bytes]]:
    """(number of the picture, JPEG) of the pictures kept for the report."""
    found: list[tuple[int, bytes]] = []
    first = 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            data, ends, sizes = file["stills"].tobytes(), np.cumsum(file["still_sizes"]), file["still_sizes"]
            found += [(first + int(n), data[e - s : e]) for n, e, s in zip(file["still_of"], ends, sizes, strict=True)]
            first += len(file["times"])
    return found


def verdict_counts(found: Found) -> dict[str, int]:
    """How many pictures got each verdict."""
    count = np.bincount(found.verdicts, minlength=len(VERDICTS))
    return {name: int(n) for name, n in zip(VERDICTS, count, strict=True)}
