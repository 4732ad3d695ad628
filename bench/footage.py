"""How well dancers are cut out of footage, and how fast, on films whose true masks are known.

    python -m bench.footage --motion DIR [--clips 3] [--seconds 12] [--sheet out.png] [--speed-seconds 60]
                            [--person-model FILE]

Captured dance is filmed by an imaginary camera (training/data/footage/made.py) and handled like a user's footage:
H.264, PyAV, mask, crop, frame. IoU: the mask against the true one at 480 lines, mean over all pictures and over the
worst twentieth. `hands`: share of the true pixels within 8 cm of the hands that the mask has. `kept`: share of the
pictures that are used. `size`: the size found for a metre over the true one; `frame`: IoU of the frame of 128 pixels
with what the product draws of the same body, with the floor and middle that were found, but at the true size.

The speed is measured on a film of 1920x1080, in processor seconds, beside decoding alone and decoding with scaling to
480 lines; the memory is the largest of each process of the real command, added up.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.data.footage.crop import field, follow, split_clips
from training.data.footage.extract import Stretch, look_at, pieces_of, save_looks, take_looks
from training.data.footage.eyes import Sight, open_eyes, own_method
from training.data.footage.figure import KEPT
from training.data.footage.found import read_masks, read_sights
from training.data.footage.made import CONDITIONS, Shot, Spoiling, at_rate, film, true_frames
from training.data.footage.masks import Wish, refined, with_bundle
from training.data.footage.people import choose as choose_dancer
from training.data.footage.video import pictures, probe, view_of
from training.data.motion.clips import Clip, read_clips
from training.data.motion.skeleton import INDEX
from visualizer.errors import UserError
from visualizer.media import open_media

RATE = 10.0  # pictures a second of the films whose masks are judged
HAND = 0.08  # metres about wrist and hand
EMPTY = 1.0  # seconds of empty room, for the still camera
SCREENS = {"key": "blue", "shadow": "shadow", "still": "room", "person": "room"}


@dataclass(frozen=True)
class Judged:
    """What came of one film; arrays have a row for each picture with a dancer in it."""

    iou: NDArray[np.float64]
    hands: NDArray[np.float64]
    kept: float
    frame: float
    size: float
    shown: list[NDArray[np.uint8]]


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def hand_pixels(shot: Shot, lines: int) -> list[NDArray[np.bool_]]:
    """Where the hands may be in each picture, (lines, width)."""
    scale = lines / shot.size[1]
    size = (round(shot.size[0] * scale), lines)
    joints = shot.joints() * scale
    radius = round(HAND * shot.pixels_a_metre * scale)
    out = []
    for body in joints:
        near = np.zeros(size[::-1], np.uint8)
        for name in ("left_wrist", "left_hand", "right_wrist", "right_hand"):
            x, y = body[INDEX[name]]
            cv2.circle(near, (round(float(x)), round(float(y))), radius, 1, -1)
        out.append(near > 0)
    return out


def judge(wish: Wish, shot: Shot, folder: Path) -> Judged:
    """Film a shot, look at it as the command does, and compare what is found with the truth."""
    path = folder / "film.mp4"
    masks = film(shot, path)
    video = probe(path)
    view = view_of(video, None)
    empty = (0.0, shot.empty) if wish.method == "still" else None
    looks = take_looks(video, view, 0.0, video.seconds, empty)
    work = folder / "work"
    work.mkdir()
    save_looks(looks, work / "looks.npz")
    method = own_method(wish, looks, path)
    eyes = open_eyes(wish, method, path)
    first = round(shot.empty * shot.fps)
    near = hand_pixels(shot, masks.shape[1])
    iou, hands, shown = [], [], []
    for k, (now, picture) in enumerate(pictures(video, view, 0.0, 1e9, RATE)):
        if k < first:
            continue
        found = refined(picture, method.mask(picture)) > 0 if method else figure_mask(eyes.see(picture, now), picture)
        true = masks[k][:, : picture.shape[1]]
        found = found[: true.shape[0], : true.shape[1]]
        iou.append(overlap(found, true))
        mine = near[k - first][:, : true.shape[1]] & true
        hands.append(float((found & mine).sum() / max(1, mine.sum())))
        if (k - first) % 24 == 12:
            shown.append(_shown(picture, found, true))
    eyes.close()
    pieces = pieces_of(video, view, wish, Stretch(0.0, 1e9, RATE), work)
    for piece in pieces:
        look_at(piece)
    paths = [p.out for p in pieces]
    result = choose_dancer(read_sights(paths), wish.who, view)
    clips, _ = split_clips(result)
    tracks = follow(result, clips, view.size[1])
    true_fields, _ = true_frames(shot)
    scale = masks.shape[1] / shot.size[1] * shot.pixels_a_metre
    frames, sizes = [], []
    for one in tracks:
        wanted = np.zeros(len(result.times), np.bool_)
        wanted[one.index] = True
        for place, (number, mask) in enumerate(read_masks(paths, result, wanted)):
            if number >= first:
                left, top = result.boxes[number, :2]
                seen = field(mask, int(left), int(top), one.centre[place], one.floor[place], scale)
                frames.append(overlap(seen < 0, true_fields[number - first] < 0))
                sizes.append(one.metre[place] / scale)
    kept = float((result.verdicts[first:] == KEPT).mean())
    return Judged(
        np.array(iou), np.array(hands), kept, float(np.mean(frames or [0.0])), float(np.median(sizes or [0.0])), shown
    )


def figure_mask(sights: list[Sight], picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The first figure that is seen in a picture, as large as the picture."""
    whole = np.zeros(picture.shape[:2], np.bool_)
    if sights[0].figure is not None:
        left, top, wide, high = sights[0].figure.box
        whole[top : top + high, left : left + wide] = sights[0].figure.mask > 0
    return whole


def _shown(picture: NDArray[np.uint8], found: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture about the dancer, and beside it what was found: grey right, red too much, blue missing."""
    xs = np.nonzero(true)[1]
    middle = int(xs.mean()) if len(xs) else picture.shape[1] // 2
    half = picture.shape[0] // 2
    left = int(np.clip(middle - half // 2, 0, picture.shape[1] - half))
    colours = np.full(picture.shape, 255, np.uint8)
    h, w = true.shape
    area = colours[:h, :w]
    area[found & true], area[found & ~true], area[~found & true] = (90, 90, 90), (0, 0, 255), (255, 90, 0)
    return np.concatenate([picture[:, left : left + half], colours[:, left : left + half]], axis=1)


# --- the table ------------------------------------------------------------------------------------------------


def choose(clips: list[Clip], count: int, seconds: float) -> list[Clip]:
    """Clips of as many styles, long enough."""
    of_style: dict[str, Clip] = {}
    for clip in clips:
        if clip.seconds > seconds + 3:
            of_style.setdefault(clip.style, clip)
    chosen = sorted(of_style.values(), key=lambda c: c.name)
    return [chosen[i] for i in np.linspace(0, len(chosen) - 1, count).round().astype(int)]


def wishes(person_model: Path | None) -> list[Wish]:
    """Every method, `person` where its network is there."""
    with_network = with_bundle(Wish("auto", bundle=person_model))
    found = [Wish(name) for name in SCREENS if name != "person"]
    return [*found, *([replace(with_network, method="person")] if with_network.bundle is not None else [])]


def table_of_masks(clips: list[Clip], seconds: float, tried: list[Wish], sheet: Path | None, console: Console) -> None:
    table = Table(
        *("method", "condition", "IoU", "worst 5%", "hands", "kept", "frame", "size"), box=None, pad_edge=False
    )
    rows: list[NDArray[np.uint8]] = []
    work = [(wish, c) for wish in tried for c in CONDITIONS]
    for wish, condition in track(work, "filming and looking", console=Console(stderr=True)):
        judged = []
        for number, clip in enumerate(clips):
            positions = at_rate(clip.positions, clip.fps, RATE, seconds, 2.0)
            positions = positions - np.median(positions[:, :1], axis=0) * np.array([1, 0, 1], np.float32)
            shot = Shot(positions, RATE, SCREENS[wish.method], CONDITIONS[condition], seed=number)
            with tempfile.TemporaryDirectory() as folder:
                empty = EMPTY if wish.method == "still" else 0.0
                judged.append(judge(wish, replace(shot, empty=empty), Path(folder)))
        iou, hands = np.concatenate([j.iou for j in judged]), np.concatenate([j.hands for j in judged])
        table.add_row(
            wish.method, condition, f"{iou.mean():.3f}", f"{np.quantile(iou, 0.05):.3f}", f"{hands.mean():.3f}",
            f"{np.mean([j.kept for j in judged]):.3f}", f"{np.mean([j.frame for j in judged]):.3f}",
            " ".join(f"{j.size:.2f}" for j in judged),
        )  # fmt: skip
        cells = [s for j in judged for s in j.shown[:2]][:6]
        rows.append(np.concatenate([cv2.resize(c, (320, 320), interpolation=cv2.INTER_AREA) for c in cells], axis=1))
    console.print(table)
    if sheet is not None:
        wide = max(r.shape[1] for r in rows)
        rows = [np.pad(r, ((0, 4), (0, wide - r.shape[1]), (0, 0)), constant_values=200) for r in rows]
        sheet.write_bytes(cv2.imencode(".png", np.concatenate(rows))[1].tobytes())


# --- speed ----------------------------------------------------------------------------------------------------


def repeat(short: Path, path: Path, times: int) -> None:
    """The same film again and again, its packets copied."""
    with av.open(str(path), "w") as out:
        with open_media(short, "video") as one:
            whole = out.add_stream_from_template(one.streams.video[0])
        at = 0
        for _ in range(times):
            with open_media(short, "video") as one:
                stream = one.streams.video[0]
                for packet in one.demux(stream):
                    if packet.dts is not None and packet.pts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + at, packet.dts + at, whole
                        out.mux(packet)
                assert stream.average_rate is not None
                assert stream.time_base is not None
                at += round(stream.frames / stream.average_rate / stream.time_base)


def decode(path: Path, scaled: bool) -> tuple[float, int]:
    """Processor seconds and pictures of decoding alone, or of decoding and scaling as footage does it."""
    video = probe(path)
    view = view_of(video, None)
    began, count = time.process_time(), 0
    if scaled:
        count = sum(1 for _ in pictures(video, view, 0.0, 1e9, 1000.0))
    else:
        with open_media(path, "video") as container:
            container.streams.video[0].codec_context.thread_count = 1
            count = sum(1 for _ in container.decode(video=0))
    return time.process_time() - began, count


def measured(path: Path, wish: Wish, folder: Path) -> tuple[float, int, float, float]:
    """Processor seconds, pictures, peak memory in MB of all processes together, and seconds by the clock, of the real
    command."""
    words = [sys.executable, "-m", "training", "footage", str(path), "--out", str(folder / wish.method), "--method",
             wish.method, "--beats", "none", "--rate", "240"]  # fmt: skip
    if wish.bundle is not None:
        words += ["--person-model", str(wish.bundle)]
    if wish.method == "still":
        words += ["--empty", f"0-{EMPTY}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    work = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak = _Peak(work.pid)
    said = work.communicate()[1]
    wall = time.perf_counter() - began
    memory = peak.stop()
    if work.returncode:
        raise UserError(f"{' '.join(words)}: {said.strip()[-200:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, round(probe(path).seconds * probe(path).fps), memory, wall


class _Peak:
    """The largest memory that a process and its children hold together, read from /proc five times a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.2):
            self._peak = max(self._peak, sum(_memory(p) for p in _family(self._pid)))

    def stop(self) -> float:
        self._over.set()
        self._thread.join()
        return self._peak


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # gone by now
        return []
    return [pid, *(p for child in children for p in _family(int(child)))]


def _memory(pid: int) -> float:
    """MB that are this process's own share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def table_of_speed(clip: Clip, seconds: float, tried: list[Wish], console: Console) -> None:
    table = Table(*("1920x1080 at 30", "pictures a processor second", "memory, MB", "by the clock, a second"),
                  box=None, pad_edge=False)  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = at_rate(clip.positions, clip.fps, 30, 3, 2.0)
        there_and_back = np.concatenate([few, few[::-1]])
        for wish in tried:
            path = folder / f"{wish.method}.mp4"
            empty, screen = EMPTY if wish.method == "still" else 0.0, SCREENS[wish.method]
            short = folder / "short.mp4"
            film(Shot(there_and_back, 30, screen, Spoiling(3.0, 23), (1920, 1080), empty), short, lines=16)
            repeat(short, path, max(1, round(seconds / 6)))
            if wish.method == "key":
                console.print(f"{path.stat().st_size * 8e-6 / probe(path).seconds:.0f} Mbit/s")
                for scaled, what in ((False, "decoding alone"), (True, "decoding and scaling")):
                    spent, count = decode(path, scaled)
                    table.add_row(what, f"{count / spent:.0f}", "", "")
            spent, count, memory, wall = measured(path, wish, folder)
            table.add_row(
                f"footage --method {wish.method}", f"{count / spent:.0f}", f"{memory:.0f}", f"{count / wall:.0f}"
            )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motion", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each film; 0: no table of masks")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--person-model", type=Path, help="the network that sees people; else the one that was fetched")
    parser.add_argument("--speed-seconds", type=float, default=60.0, help="of 1080p; 0: no table of speeds")
    given = parser.parse_args()
    console = Console(width=120)
    clips = choose(read_clips(given.motion), given.clips, given.seconds)
    console.print(f"{', '.join(c.name for c in clips)}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    tried = wishes(given.person_model)
    if given.seconds:
        table_of_masks(clips, given.seconds, tried, given.sheet, console)
    if given.speed_seconds:
        table_of_speed(clips[0], given.speed_seconds, tried, console)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"bench.footage: {error}") from None
