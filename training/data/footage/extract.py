"""The long part of the work: every picture of every video is looked at once, by several processes, piece by piece.

A piece is some seconds of one video. What is found in it goes into a file of its own, written whole or not at all, and
does not depend on any other piece. So work that was stopped goes on with the missing pieces, and any process or machine
that sees the files can work on a piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.eyes import NOBODY, Sight, open_eyes, own_method
from training.data.footage.figure import Figure
from training.data.footage.mask_types import Method
from training.data.footage.masks import Wish
from training.data.footage.video import Picture, Video, View, pictures, samples, thumbnail
from visualizer import files

PIECE_SECONDS = 20.0
LOOKS, AUTO_LOOKS = 36, 60  # pictures of a video that a method looks at first, and all of them to be compared
EMPTY_LOOKS = 12  # pictures of a stretch in which no one is seen
BEFORE = 0.25  # seconds before a piece that are read to see whether it begins with a cut
SAME_SHAPES, SAME_COLOURS = 0.55, 0.85  # two pictures in a row are of two scenes where both are lower
PAN_WIDE = 192  # pixels of the pictures in which a turn of the camera is looked for
PAN_SURE = 0.15  # of 1: the share of both pictures that must agree on it
LEAST_PAN, LARGEST_PAN = 0.4, 0.1  # pixels; of the picture's width
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


# --- before ---------------------------------------------------------------------------------------------------


def take_looks(
    video: Video, view: View, begin: float, end: float, empty: tuple[float, float] | None, count: int = LOOKS
) -> list[Picture]:
    """About `count` pictures that a method looks at first: spread over the stretch, or fewer over the `empty` one where
    it is given."""
    if empty is not None:
        return [p for _, p in samples(video, view, empty[0], empty[1], EMPTY_LOOKS)]
    return [p for _, p in samples(video, view, begin, end, count)]


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
def _method(wish: Wish, looks: Path, where: Path) -> Method | None:
    return own_method(wish, read_looks(looks), where)


def look_at(piece: Piece) -> int:
    """Look at every picture of a piece and write what is found; returns the number of pictures. Any process can."""
    cv2.setNumThreads(1)
    eyes = open_eyes(piece.wish, _method(piece.wish, piece.looks, piece.video.path), piece.video.path)
    rows: list[tuple[float, bool, float]] = []
    sights: list[tuple[int, Sight]] = []
    stills: list[bytes] = []
    still_of: list[int] = []
    before: Picture | None = None
    slot = -1
    try:
        for now, picture in pictures(piece.video, piece.view, max(0.0, piece.begin - BEFORE), piece.end, piece.rate):
            if now < piece.begin:
                before = picture
                continue
            seen = eyes.see(picture, now - piece.begin)
            sights += [(len(rows), sight) for sight in seen]
            cut = before is not None and is_cut(before, picture)
            rows.append((now, cut, 0.0 if before is None or cut else find_pan(before, picture, seen[0].figure)))
            if int(now / STILLS_EVERY) > slot:
                slot = int(now / STILLS_EVERY)
                still_of.append(len(rows) - 1)
                stills.append(_still(picture))
            before = picture
    finally:
        eyes.close()
    write_whole(piece.out, _packed(rows, sights) | {
        "stills": np.frombuffer(b"".join(stills), np.uint8), "still_of": np.array(still_of, np.int64),
        "still_sizes": np.array([len(s) for s in stills], np.int64),
    })  # fmt: skip
    return len(rows)


def _packed(rows: list[tuple[float, bool, float]], sights: list[tuple[int, Sight]]) -> dict[str, NDArray]:
    """The arrays of pictures (time, cut, pan) and sights (number of the picture, sight); see `found.py`."""
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 3
    figures = [sight.figure for _, sight in sights]
    masks = [f.packed() if f else b"" for f in figures]
    known = any(np.isfinite(sight.body).any() for _, sight in sights)
    bodies = [sight.body for _, sight in sights] if known else []
    return {
        "times": np.array(columns[0], np.float64), "cuts": np.array(columns[1], np.bool_),
        "pans": np.array(columns[2], np.float32), "pictures": np.array([n for n, _ in sights], np.int64),
        "verdicts": np.array([sight.verdict for _, sight in sights], np.uint8),
        "boxes": np.array([f.box if f else (0, 0, 0, 0) for f in figures], np.int32).reshape(-1, 4),
        "hips": np.array([f.hips if f else 0.0 for f in figures], np.float32),
        "heads": np.array([f.head if f else 0.0 for f in figures], np.float32),
        "bodies": np.array(bodies, np.float32).reshape(-1, *NOBODY.shape),
        "masks": np.frombuffer(b"".join(masks), np.uint8), "mask_sizes": np.array([len(m) for m in masks], np.int64),
    }  # fmt: skip


def find_pan(before: Picture, after: Picture, figure: Figure | None) -> float:
    """By how many pixels the scene moved to the right between two pictures, because the camera turned: the shift that
    lays their background on each other (phase correlation; Kuglin and Hines, 1975). 0 where it cannot be told."""
    width = before.shape[1]
    small = (PAN_WIDE, max(16, round(PAN_WIDE * before.shape[0] / width)))
    greys = []
    for picture in (before, after):
        grey = cv2.cvtColor(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        grey = grey.astype(np.float32)
        if figure is not None:  # the dancer moves too
            left, top, wide, high = (round(v * PAN_WIDE / width) for v in figure.box)
            grey[top : top + high, left : left + wide] = grey.mean()
        greys.append(grey)
    (right, _), sure = cv2.phaseCorrelate(greys[0], greys[1], cv2.createHanningWindow(small, cv2.CV_32F))
    moved = right * width / PAN_WIDE
    return float(moved) if sure > PAN_SURE and LEAST_PAN < abs(moved) < LARGEST_PAN * width else 0.0


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
