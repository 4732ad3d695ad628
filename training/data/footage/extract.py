"""The long part of the work: every picture of every video is looked at once, by several processes, piece by piece.

A piece is some seconds of one video. What is found in it goes into a file of its own, written whole or not at all, and
does not depend on any other piece. So work that was stopped goes on with the missing pieces, and any process or machine
that sees the files can work on a piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.figure import KEPT, VERDICTS, find_figure, unpack
from training.data.footage.mask_types import Mask, Method
from training.data.footage.masks import Wish, prepare, refined
from training.data.footage.video import Picture, Video, View, pictures, samples, thumbnail
from visualizer import files

PIECE_SECONDS = 20.0
LOOKS = 36  # pictures of a video that a method looks at first
EMPTY_LOOKS = 12  # pictures of a stretch in which no one is seen
BEFORE = 0.25  # seconds before a piece that are read to see whether it begins with a cut
SAME_SHAPES, SAME_COLOURS = 0.55, 0.85  # two pictures in a row are of two scenes where both are lower
OTHER_HUES = 0.25  # two scenes, whatever the shapes: mean change of the shares of blue, green and red
STILLS_WIDE = 240  # pixels of the pictures that are kept for the report
STILLS_EVERY = 0.5  # seconds


@dataclass(frozen=True)
class Stretch:
    """The pictures of a video that are looked at: from `begin` until before `end`, seconds, at most `rate` a second."""

    begin: float
    end: float
    rate: float


@dataclass(frozen=True)
class Piece:
    """Some seconds of a video, how to look at them, and where to write what is found."""

    video: Video
    view: View
    wish: Wish
    rate: float
    begin: float
    end: float
    looks: Path
    out: Path


@dataclass(frozen=True)
class Found:
    """What is seen in N pictures of a video, in order. `times` (N,) seconds, `verdicts` (N,) of `VERDICTS`, `boxes`
    (N, 4) left, top, width, height, `hips` and `heads` (N,) in pixels of the view, `cuts` (N,): a scene begins here."""

    times: NDArray[np.float64]
    verdicts: NDArray[np.uint8]
    boxes: NDArray[np.int32]
    hips: NDArray[np.float32]
    heads: NDArray[np.float32]
    cuts: NDArray[np.bool_]


# --- before ---------------------------------------------------------------------------------------------------


def take_looks(video: Video, view: View, begin: float, end: float, empty: tuple[float, float] | None) -> list[Picture]:
    """The pictures that a method looks at first: spread over the stretch, or over the `empty` one where it is given."""
    if empty is not None:
        return [p for _, p in samples(video, view, empty[0], empty[1], EMPTY_LOOKS)]
    return [p for _, p in samples(video, view, begin, end, LOOKS)]


def save_looks(looks: list[Picture], path: Path) -> None:
    """Save pictures as PNG, without loss, so that every process sees the same ones."""
    packed = {f"{k:03d}": np.frombuffer(_png(p), np.uint8) for k, p in enumerate(looks)}
    write_whole(path, packed)


def _png(picture: Picture) -> bytes:
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def read_looks(path: Path) -> list[Picture]:
    with np.load(path, allow_pickle=False) as file:
        return [_colour(file[name]) for name in sorted(file.files)]


def _colour(data: NDArray[np.uint8]) -> Picture:
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("no picture")
    return np.asarray(picture, np.uint8)


def write_whole(path: Path, arrays: dict[str, NDArray]) -> None:
    """Write an `.npz`, whole or not at all."""
    with files.write_whole(path) as part, part.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def pieces_of(video: Video, view: View, wish: Wish, stretch: Stretch, folder: Path) -> list[Piece]:
    """The pieces of a stretch; one piece where the video can only be read from its beginning."""
    end = min(stretch.end, video.seconds + 1.0)  # the length that a file gives may be a little short
    count = max(1, math.ceil((end - stretch.begin) / PIECE_SECONDS)) if video.seekable else 1
    edges = [stretch.begin + k * PIECE_SECONDS for k in range(count)] + [end]
    return [
        Piece(video, view, wish, stretch.rate, a, b, folder / "looks.npz", folder / f"{k:05d}.npz")
        for k, (a, b) in enumerate(pairwise(edges))
    ]


# --- one piece ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _method(wish: Wish, looks: Path, where: Path) -> Method:
    return prepare(wish, read_looks(looks), where)


def look_at(piece: Piece) -> int:
    """Look at every picture of a piece and write what is found; returns the number of pictures. Any process can."""
    cv2.setNumThreads(1)
    method = _method(piece.wish, piece.looks, piece.video.path)
    rows: list[tuple[float, int, tuple[int, int, int, int], float, float, bool]] = []
    packed: list[bytes] = []
    stills: list[bytes] = []
    still_of: list[int] = []
    before: Picture | None = None
    slot = -1
    for now, picture in pictures(piece.video, piece.view, max(0.0, piece.begin - BEFORE), piece.end, piece.rate):
        if now < piece.begin:
            before = picture
            continue
        verdict, figure = find_figure(refined(picture, method.mask(picture)))
        box = figure.box if figure else (0, 0, 0, 0)
        hips, head = (figure.hips, figure.head) if figure else (0.0, 0.0)
        rows.append((now, verdict, box, hips, head, before is not None and is_cut(before, picture)))
        packed.append(figure.packed() if figure else b"")
        if int(now / STILLS_EVERY) > slot:
            slot = int(now / STILLS_EVERY)
            still_of.append(len(rows) - 1)
            stills.append(_still(picture))
        before = picture
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 6
    write_whole(
        piece.out,
        {
            "times": np.array(columns[0], np.float64), "verdicts": np.array(columns[1], np.uint8),
            "boxes": np.array(columns[2], np.int32).reshape(-1, 4), "hips": np.array(columns[3], np.float32),
            "heads": np.array(columns[4], np.float32), "cuts": np.array(columns[5], np.bool_),
            "masks": np.frombuffer(b"".join(packed), np.uint8),
            "mask_sizes": np.array([len(p) for p in packed], np.int64),
            "stills": np.frombuffer(b"".join(stills), np.uint8), "still_of": np.array(still_of, np.int64),
            "still_sizes": np.array([len(s) for s in stills], np.int64),
        },
    )  # fmt: skip
    return len(rows)


def _still(picture: Picture) -> bytes:
    height, width, _ = picture.shape
    small = cv2.resize(
        picture, (STILLS_WIDE, max(1, round(STILLS_WIDE * height / width))), interpolation=cv2.INTER_AREA
    )
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def is_cut(before: Picture, after: Picture) -> bool:
    """Whether two pictures in a row are of two scenes: neither shapes nor colours stay. A dancer before an even screen
    changes the shapes and a lamp changes the colours, but only a cut changes both. No lamp turns blue green."""
    hues = []
    for picture in (before, after):
        small = cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32) + 4
        hues.append(small / small.sum(axis=-1, keepdims=True))
    if float(np.abs(hues[0] - hues[1]).sum(axis=-1).mean()) > OTHER_HUES:
        return True
    a, b = (thumbnail(p) for p in (before, after))
    a, b = ((t - t.mean()) / (t.std() + 1.0) for t in (a, b))
    if float((a * b).mean()) >= SAME_SHAPES * min(float((a * a).mean()), 1.0):
        return False
    counts = []
    for picture in (before, after):
        count = cv2.calcHist([picture[::4, ::4]], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
        counts.append(count / max(count.sum(), 1))
    return float(np.minimum(*counts).sum()) < SAME_COLOURS


# --- after ----------------------------------------------------------------------------------------------------


def read_found(paths: list[Path]) -> Found:
    """What was found in all pieces of a video, without the masks."""
    names = ("times", "verdicts", "boxes", "hips", "heads", "cuts")
    columns: dict[str, list[NDArray]] = {name: [] for name in names}
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            for name in names:
                columns[name].append(file[name])
    return Found(**{name: np.concatenate(parts) for name, parts in columns.items()})


def read_masks(paths: list[Path], wanted: NDArray[np.bool_]) -> Iterator[tuple[int, Mask]]:
    """(number, mask of its box) of the `wanted` (N,) pictures of a video, one piece in memory at a time."""
    first = 0
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            sizes, boxes = file["mask_sizes"], file["boxes"]
            mine = np.flatnonzero(wanted[first : first + len(sizes)])
            if len(mine):
                data, ends = file["masks"].tobytes(), np.cumsum(sizes)
                for k in mine:
                    yield first + int(k), unpack(data[ends[k] - sizes[k] : ends[k]], int(boxes[k, 2]), int(boxes[k, 3]))
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


__all__ = ["KEPT", "Found", "Piece", "look_at", "pieces_of", "read_found", "read_looks", "read_masks", "read_stills",
           "save_looks", "take_looks", "verdict_counts"]  # fmt: skip
