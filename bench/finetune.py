"""A dancer from three minutes of footage, from the film to the dance, and how long it takes.

    python -m bench.finetune --motion DIR --work DIR [--sheet out.jpg]

The footage is made (training/data/footage/made.py): dances that the shipped pack never saw, by a figure in clothes
before a blue screen, with noise, H.264 and changing light. Then `training new-dancer` is run, and `visualizer film`
with what came of it. The sheet has a picture a second: above the footage, below the dance.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.made import Shot, Spoiling, at_rate, film
from training.data.motion.clips import Clip, read_clips
from visualizer.dancer.pack import find_pack, read_info
from visualizer.media import open_media

LIMIT = 60.0  # minutes, on two cores
RATE = 30.0
SIZE = (854, 480)
SPOILING = Spoiling(4, 26, 0.1, 1)
SHOWN = 14  # pictures of a row of the sheet

Bodies = NDArray[np.uint8]


def unseen(clips: list[Clip], seconds: float) -> list[Clip]:
    """Clips that the shipped pack was not trained on, those of one dancer alone first, until there are `seconds`."""
    held_out = set(read_info(find_pack(None))["training"]["held_out"])
    chosen, left = [], seconds
    for clip in sorted(clips, key=lambda c: c.name, reverse=True):
        if clip.name in held_out and left > 0:
            chosen.append(clip)
            left -= clip.seconds
    return chosen


def make_footage(clips: list[Clip], seconds: float, path: Path) -> None:
    """The clips one after the other, each about the middle of the picture."""
    parts, left = [], seconds
    for clip in clips:
        positions = at_rate(clip.positions, clip.fps, RATE, min(clip.seconds - 0.1, left))
        parts.append(positions - np.median(positions[:, :1], axis=0) * np.array([1, 0, 1], np.float32))
        left -= len(positions) / RATE
    film(Shot(np.concatenate(parts), RATE, "blue", SPOILING, SIZE), path, lines=16)  # its masks are not needed


def every(path: Path, seconds: float) -> Iterator[Bodies]:
    """Pictures (H, W, 3) RGB of a film at even steps of time."""
    with open_media(path, "video") as container:
        due = 0.0
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= due:
                due += seconds
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def middle(picture: Bodies, height: int = 200) -> Bodies:
    """The middle of a picture, cropped to three quarters of its height in width."""
    h, w = picture.shape[:2]
    left = (w - h * 3 // 4) // 2
    size = (height * 3 // 4, height)
    return cv2.resize(picture[:, left : left + h * 3 // 4], size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def sheet(footage: Path, dance: Path, path: Path) -> None:
    """Draw two rows of footage and two rows of dance."""
    rows = []
    for film_, step in ((footage, 6.0), (dance, 1.0)):
        pictures = [middle(p) for p in every(film_, step)][: 2 * SHOWN]
        rows += [np.concatenate(pictures[i : i + SHOWN], axis=1) for i in range(0, len(pictures) - SHOWN + 1, SHOWN)]
    whole = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    path.write_bytes(cv2.imencode(path.suffix, whole, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, required=True, metavar="DIR")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="where footage, pack and film go")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--look", default="paper")
    parser.add_argument("--sheet", type=Path, help="picture to write, .png or .jpg")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    footage, pack, dance = given.work / "footage.mp4", given.work / "newcomer", given.work / "dance.mp4"
    clips = unseen(read_clips(given.motion), given.seconds)
    print(", ".join(f"{c.name} ({c.style})" for c in clips), flush=True)
    make_footage(clips, given.seconds, footage)
    load, began = os.getloadavg()[0], time.perf_counter()
    words = ["new-dancer", str(footage), "--name", "newcomer", "--out", str(pack), "--work", str(given.work / "run")]
    subprocess.run([sys.executable, "-m", "training", *words, "--force"], check=True)
    minutes = (time.perf_counter() - began) / 60
    subprocess.run(
        [sys.executable, "-m", "visualizer", "film", "-o", str(dance), "--pack", str(pack), "--seconds", "40", "--size",
         "640x360", "--look", given.look, "--force"],
        check=True,
    )  # fmt: skip
    if given.sheet:
        sheet(footage, dance, given.sheet)
    print(f"{minutes:.1f} minutes on {os.cpu_count()} cores, load {load:.1f} at the start (limit: {LIMIT:.0f})")


if __name__ == "__main__":
    main()
