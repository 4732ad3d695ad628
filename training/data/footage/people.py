"""Which of the people in a video is the dancer: each is followed from picture to picture, and one is chosen.

`largest` is who is seen longest and largest; `left` and `right` are told where two dance side by side; a box
(WIDTHxHEIGHT+LEFT+TOP) chooses who is first seen in it. Who only walks through is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.footage.figure import OTHER
from training.data.footage.found import Found, Sights
from training.data.footage.video import View, read_crop
from visualizer.camera.landmarker import POINT
from visualizer.errors import UserError

WHO = ("largest", "left", "right", "both")
LOST = 1.0  # seconds after which somebody who was not seen is somebody new
LEAP, SPEED = 0.3, 3.0  # heights, and heights a second, that a person may have moved between two pictures
SMALL = 0.6  # of the dancer's height: who is smaller is not dancing with them
_HIPS = [POINT["left_hip"], POINT["right_hip"]]
PASSING = 0.34  # of the dancer's time: who is seen for less, and not alone on stage, walks through


@dataclass(frozen=True)
class Track:
    """One person through a video: their sights, by number, and where they are."""

    sights: NDArray[np.int64]
    pictures: NDArray[np.int64]
    x: NDArray[np.float64]
    height: float


def check_who(who: str) -> None:
    """UserError for what cannot be."""
    if who not in WHO:
        try:
            read_crop(who)
        except UserError as error:
            raise UserError(f"who {who!r}: must be {', '.join(WHO)} or WIDTHxHEIGHT+LEFT+TOP") from error


def follow_people(seen: Sights) -> list[Track]:
    """Every person of a video: sights are joined that are near each other in place and time, within one scene."""
    real = np.flatnonzero(seen.boxes[:, 2] > 0)
    scene = np.cumsum(seen.cuts)
    open_: list[list[int]] = []
    done: list[list[int]] = []
    start = 0
    while start < len(real):
        end = start
        while end < len(real) and seen.pictures[real[end]] == seen.pictures[real[start]]:
            end += 1
        picture = seen.pictures[real[start]]
        now, here = seen.times[picture], scene[picture]
        last = [seen.pictures[t[-1]] for t in open_]
        gone = [t for t, at in zip(open_, last, strict=True) if now - seen.times[at] > LOST or scene[at] != here]
        done += gone
        open_ = [t for t in open_ if t not in gone]
        far = np.array([[_apart(seen, t[-1], int(k)) for t in open_] for k in real[start:end]]).reshape(end - start, -1)
        waiting = set(range(end - start))
        while far.size and far.min() < 1:
            mine, track = (int(v) for v in np.unravel_index(far.argmin(), far.shape))
            open_[track].append(int(real[start + mine]))
            far[mine], far[:, track] = np.inf, np.inf
            waiting.discard(mine)
        open_ += [[int(real[start + k])] for k in sorted(waiting)]
        start = end
    tracks = []
    for sights in [*done, *open_]:
        index = np.array(sights, np.int64)
        boxes = seen.boxes[index]
        tracks.append(
            Track(index, seen.pictures[index], seen.hips[index].astype(np.float64), float(np.median(boxes[:, 3])))
        )
    return tracks


def _apart(seen: Sights, before: int, after: int) -> float:
    """How far apart two sights are, as a share of what one person may have moved: 1 or more is somebody else."""
    gap = float(seen.times[seen.pictures[after]] - seen.times[seen.pictures[before]])
    high = max(1, int(seen.boxes[before, 3]))
    middle = seen.boxes[:, 1] + seen.boxes[:, 3] / 2
    moved = np.hypot(seen.hips[after] - seen.hips[before], middle[after] - middle[before]) if gap > 0 else np.inf
    return float(moved / (high * (LEAP + SPEED * gap)))


def dancers_of(tracks: list[Track]) -> list[Track]:
    """The tracks of people who dance, without those who are far behind or walk through."""
    if not tracks:
        return []
    main = max(tracks, key=lambda t: len(t.sights) * t.height)
    kept = []
    for track in tracks:
        beside = np.isin(track.pictures, main.pictures).mean()
        short = len(track.sights) < PASSING * len(main.sights)
        if track.height >= SMALL * main.height and not (short and beside > 0.5):
            kept.append(track)
    return kept


def choose(seen: Sights, who: str, view: View | None = None) -> Found:
    """One figure for each picture; `view` says how the pixels of a box lie in the pictures. UserError where `who`
    cannot be told."""
    count = len(seen.times)
    first = np.searchsorted(seen.pictures, np.arange(count))
    chosen, verdicts = first.copy(), seen.verdicts[first].copy()
    if len(seen.pictures) > count or who not in ("largest", "both"):
        tracks = follow_people(seen)
        dancers = dancers_of(tracks)
        wanted = _wanted(seen, dancers, who, view)
        verdicts[seen.boxes[first, 2] > 0] = OTHER
        score = np.zeros(count)
        for track in wanted:
            mine = len(track.sights) * track.height
            better = score[track.pictures] < mine
            chosen[track.pictures[better]] = track.sights[better]
            verdicts[track.pictures[better]] = seen.verdicts[track.sights[better]]
            score[track.pictures[better]] = mine
    bodies = seen.bodies[chosen] if len(seen.bodies) else None
    hips = seen.hips[chosen]
    if bodies is not None:  # a mask shows a skirt, an arm beside it, a bag
        middle = bodies[:, _HIPS, 0].mean(axis=1)
        hips = np.where(np.isfinite(middle), middle, hips).astype(np.float32)
    pans = seen.pans if np.abs(seen.pans).any() else None
    return Found(
        seen.times, verdicts, seen.boxes[chosen], hips, seen.heads[chosen], seen.cuts, chosen,
        bodies, pans,
    )  # fmt: skip


def _wanted(seen: Sights, dancers: list[Track], who: str, view: View | None) -> list[Track]:
    """The tracks of the dancer who is asked for."""
    if who in ("left", "right"):
        sign = 1.0 if who == "left" else -1.0
        mine = [t for t in dancers if not _is_beside(t, dancers, sign)]
        if len(mine) == len(dancers):
            raise UserError(f"who {who}: nowhere are two dancers seen side by side")
        return mine
    if who in ("largest", "both"):
        return dancers
    box = read_crop(who)
    scale, (left, top) = (view.scale, view.crop[:2]) if view is not None else (1.0, (0, 0))
    edges = np.array([box.left, box.top, box.left + box.width, box.top + box.height]) * scale
    edges -= (left, top, left, top)
    mine = []
    for track in dancers:
        begin = track.sights[0]
        y = seen.boxes[begin, 1] + seen.boxes[begin, 3] / 2
        if edges[0] <= seen.hips[begin] <= edges[2] and edges[1] <= y <= edges[3]:
            mine.append(track)
    if not mine:
        raise UserError(f"who {who}: no dancer is first seen in that box")
    return mine


def _is_beside(track: Track, others: list[Track], sign: float) -> bool:
    """Whether another dancer, seen with this one, stands farther to the left (`sign` 1) or to the right (-1)."""
    for other in others:
        both = np.intersect1d(track.pictures, other.pictures)
        if other is track or not len(both):
            continue
        mine = track.x[np.searchsorted(track.pictures, both)]
        theirs = other.x[np.searchsorted(other.pictures, both)]
        if sign * float(np.median(theirs - mine)) < 0:
            return True
    return False
