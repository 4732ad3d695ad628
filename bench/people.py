"""How well people are seen in films of any place: drawn people with hair, skirts and trousers, of whom all is known.

    python -m bench.people --motion DIR --person-model FILE [--clips 2] [--seconds 6] [--sheet out.png]

Captured dance is danced by the figures of training/data/figures, before a room, and before a wall of moving lights and
shapes filmed by a camera that turns; the films, upright like a telephone's, are H.264 with noise. IoU: the mask that is
used against the true one, mean and the worst twentieth. `joints`: how far shoulders, elbows, wrists, hips, knees and
ankles are from the true ones in the picture, where they are surely seen, in hundredths of the body's height; `body`:
the same of the smoothed body on our skeleton, all joints. `swapped`: pictures in which left and right are confused, as
the network gives them, `used` as they are used. `kept`: share of the pictures that are used. `a second`: pictures for
each second of one processor, decoding and all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.data.figures import Figure, draw_truths, load_people, reshape
from training.data.figures.toon import paint_toon
from training.data.footage.crop import follow, split_clips
from training.data.footage.extract import Stretch, look_at, pieces_of, save_looks, take_looks
from training.data.footage.figure import KEPT
from training.data.footage.found import Found, read_masks, read_sights
from training.data.footage.made import GROUND, at_rate, backdrop
from training.data.footage.masks import Wish, with_bundle
from training.data.footage.people import choose
from training.data.footage.pose import find_body
from training.data.footage.video import probe, view_of
from training.data.motion.clips import Clip, read_clips
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.skeleton import INDEX, MIRROR
from visualizer.camera.landmarker import POINT
from visualizer.dancer.pack import FLOOR, FRAME_METRES

RATE = 12.0  # pictures a second
SIZE = (540, 960)  # width, height
SQUARE = 768  # pixels of the frame of 2.5 metres
DRAWN = 256  # pixels on a side for which figures are drawn
PLACES = ("room", "lights")
TOLD = [f"{side}_{j}" for side in ("left", "right") for j in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
SURE = 0.5


@dataclass(frozen=True)
class Film:
    """A film and the truth about it: `masks` (T, h, w), `joints` (T, 21, 2) pixels, `positions` (T, 21, 3) metres on
    our skeleton."""

    path: Path
    masks: NDArray[np.bool_]
    joints: NDArray[np.float64]
    positions: NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """What came of a film, of each picture."""

    iou: NDArray[np.float64]
    joints: NDArray[np.float64]
    body: NDArray[np.float64]
    swapped: float
    used: float
    kept: float
    rate: float
    shown: list[NDArray[np.uint8]]


def places(place: str, count: int) -> Iterator[NDArray[np.float32]]:
    """The background of each picture, (h, w, 3)."""
    width, height = SIZE
    room = backdrop("room", (width + 300, height), 5)
    rng = np.random.default_rng(6)
    spots = rng.uniform((0, 0), (width + 300, height), (40, 2))
    speed, radius = rng.normal(0, 14, (40, 2)), rng.uniform(12, 70, 40)
    colours = rng.uniform(20, 250, (40, 3))
    for number in range(count):
        if place == "room":
            yield room[:, :width].astype(np.float32)
            continue
        wide = room.copy()
        for k in range(40):  # lamps that wander, and a camera that turns to and fro
            x, y = (spots[k] + number * speed[k]) % (width + 300, height)
            cv2.circle(wide, (int(x), int(y)), int(radius[k]), colours[k].tolist(), -1)
        left = round(150 + 140 * np.sin(number / RATE))
        yield wide[:, left : left + width].astype(np.float32)


def make_film(figure: Figure, clip: Clip, place: str, seconds: float, path: Path) -> Film:
    """Film a clip danced by a figure."""
    positions = fit_skeleton(at_rate(clip.positions, clip.fps, RATE, seconds, 4.0)).positions
    positions[..., 0] -= np.median(positions[:, 0, 0])
    count = len(positions)
    drawn = draw_truths(figure, positions, np.zeros(count), np.zeros((count, 7)), np.zeros((count, 4)), DRAWN)
    bodies = reshape(positions, figure)
    metre, left, top = SQUARE / FRAME_METRES, SIZE[0] / 2 - SQUARE / 2, GROUND * SIZE[1] - FLOOR * SQUARE
    joints = np.stack([SIZE[0] / 2 + bodies[..., 0] * metre, GROUND * SIZE[1] - bodies[..., 1] * metre], axis=-1)
    large = SQUARE // DRAWN
    noise = np.random.default_rng(7)
    masks = []
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(RATE).limit_denominator(1001))
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "24", "preset": "veryfast"}
        for number, (truth, ground) in enumerate(zip(drawn, places(place, count), strict=True)):
            corner = round(left) + truth.left * large, round(top) + truth.top * large
            cover = _laid(paint_toon(truth, figure.colours, DRAWN, large), corner)
            field = cv2.resize(truth.unpacked()[0], None, fx=large, fy=large, interpolation=cv2.INTER_CUBIC)
            masks.append(
                _laid((field < 0).astype(np.float32)[..., None], corner)[..., 0] > 0
            )  # without half of the ink
            picture = ground * (1 - cover[..., 3:]) + 255 * cover[..., 2::-1]
            picture = np.clip(picture + noise.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return Film(path, np.stack(masks), joints.astype(np.float64), positions)


def _laid(painted: NDArray[np.float32], corner: tuple[int, int]) -> NDArray[np.float32]:
    """A painted box (h, w, C) at a corner (left, top) of an empty picture, as much of it as is inside."""
    whole = np.zeros((SIZE[1], SIZE[0], painted.shape[2]), np.float32)
    (left, top), (high, wide) = corner, painted.shape[:2]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(SIZE[0], left + wide), min(SIZE[1], top + high)
    whole[y0:y1, x0:x1] = painted[y0 - top : y1 - top, x0 - left : x1 - left]
    return whole


def see(film: Film, wish: Wish, folder: Path) -> Seen:
    """Look at a film as the command does, and compare with the truth."""
    video = probe(film.path)
    view = view_of(video, None)
    save_looks(take_looks(video, view, 0.0, video.seconds, None), folder / "looks.npz")
    pieces = pieces_of(video, view, wish, Stretch(0.0, 1e9, 30.0), folder)
    began = time.process_time()
    count = sum(look_at(piece) for piece in pieces)
    rate = count / (time.process_time() - began)
    paths = [p.out for p in pieces]
    found = choose(read_sights(paths), wish.who, view)
    width, height = view.size
    iou, shown = [], []
    everything = found.boxes[:, 2] > 0
    for number, mask in read_masks(paths, found, everything):
        left, top, wide, high = found.boxes[number]
        whole = np.zeros((height, width), np.bool_)
        whole[top : top + high, left : left + wide] = mask > 0
        true = cv2.resize(film.masks[number].astype(np.uint8) * 255, view.size, interpolation=cv2.INTER_AREA) > 127
        iou.append(float((whole & true).sum() / max(1, (whole | true).sum())))
        if number % 16 == 8:
            shown.append(np.stack([255 * (whole & ~true), 200 * (whole & true), 255 * (true & ~whole)], axis=-1))
    joints, swapped = _judge_landmarks(found, film, view.scale)
    body, used = _judge_bodies(found, film, height, width)
    kept = float((found.verdicts == KEPT).mean())
    return Seen(np.array(iou), joints, body, swapped, used, kept, rate, [np.asarray(s, np.uint8) for s in shown])


def _judge_landmarks(found: Found, film: Film, scale: float) -> tuple[NDArray[np.float64], float]:
    """Distance of sure landmarks from their joints in hundredths of the height, and the share of confused pictures."""
    assert found.bodies is not None
    true = film.joints[:, [INDEX[n] for n in TOLD]] * scale
    mine = found.bodies[:, [POINT[n] for n in TOLD]]
    tall = np.ptp(film.joints[..., 1], axis=1).max() * scale
    apart = np.linalg.norm(mine[..., :2] - true, axis=-1) / tall * 100
    half = len(TOLD) // 2
    crossed = np.linalg.norm(np.roll(mine[..., :2], half, axis=1) - true, axis=-1) / tall * 100
    known = np.isfinite(apart).all(axis=1)
    swapped = float((crossed[known].mean(axis=1) < apart[known].mean(axis=1)).mean())
    return apart[(mine[..., 5] > SURE) & np.isfinite(apart)], swapped


def _judge_bodies(found: Found, film: Film, lines: int, width: int) -> tuple[NDArray[np.float64], float]:
    """The same of bodies on our skeleton, and how often they are confused."""
    clips, _ = split_clips(found)
    apart, crossed = [], []
    assert found.bodies is not None
    for one in follow(found, clips, lines):
        times = found.times[one.index]
        body = find_body(found.bodies[one.index], one, times)
        if body is None:
            continue
        true = film.positions[np.round(times * RATE).astype(int)].astype(np.float64)
        true[..., 0] -= ((one.centre - width / 2) / one.metre)[:, None]
        apart.append(np.linalg.norm((body - true)[..., :2], axis=-1) / 1.75 * 100)
        crossed.append(np.linalg.norm((body[:, MIRROR] - true)[..., :2], axis=-1) / 1.75 * 100)
    if not apart:
        return np.array([np.nan]), 1.0
    mine, theirs = np.concatenate(apart), np.concatenate(crossed)
    return mine.ravel(), float((theirs.mean(axis=1) < mine.mean(axis=1)).mean())


def main() -> None:
    """Make the films, look at them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--person-model", type=Path)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--sheet", type=Path)
    words = parser.parse_args()
    wish = with_bundle(Wish("person", bundle=words.person_model))
    clips = [c for c in read_clips(words.motion) if c.seconds > words.seconds + 5 and c.name.startswith("cmu")]
    clips = clips[:: max(1, len(clips) // words.clips)][: words.clips]
    people = [figure for figure in load_people() if not figure.flat]
    table = Table(
        "figure", "place", "IoU", "worst 5%", "joints", "body", "swapped", "used", "kept", "a second", box=None
    )
    rows = []
    work = [(figure, place) for figure in people for place in PLACES]
    for figure, place in track(work, "filming and looking", console=Console(stderr=True)):
        seen = []
        for clip in clips:
            with tempfile.TemporaryDirectory() as name:
                film = make_film(figure, clip, place, words.seconds, Path(name) / "film.mp4")
                seen.append(see(film, wish, Path(name)))
        iou = np.concatenate([s.iou for s in seen])
        table.add_row(
            figure.name, place, f"{iou.mean():.3f}", f"{np.quantile(iou, 0.05):.3f}",
            f"{np.concatenate([s.joints for s in seen]).mean():.1f}%",
            f"{np.concatenate([s.body for s in seen]).mean():.1f}%",
            f"{100 * np.mean([s.swapped for s in seen]):.1f}%", f"{100 * np.mean([s.used for s in seen]):.1f}%",
            f"{100 * np.mean([s.kept for s in seen]):.0f}%", f"{np.mean([s.rate for s in seen]):.0f}",
        )  # fmt: skip
        rows.append(np.concatenate([p for s in seen for p in s.shown][:12], axis=1))
    Console(width=120).print(table)
    if words.sheet:
        wide = max(row.shape[1] for row in rows)
        cv2.imwrite(
            str(words.sheet), np.concatenate([np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0))) for r in rows])
        )


if __name__ == "__main__":
    main()
