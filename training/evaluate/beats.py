"""Beats found in captured clips, in a table and as plots to be checked by eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from training.data.motion.beats import Beats, deceleration, find_beats, tempo_is_sure
from training.data.motion.body import project, silhouettes
from training.data.motion.clips import Clip, read_clips
from training.evaluate.sheets import INK, save_picture, write_text
from training.folders import check_folder
from visualizer.dancer.pack import PHRASE_BEATS
from visualizer.support.console import Console

ROW_SECONDS, PIXELS_A_SECOND = 20.0, 80  # plots of beats: one row holds so much

PLOT_HEIGHT, FIGURE = 110, 56  # pixels

FAINT, BAR, PHRASE = (205, 205, 205), (200, 120, 30), (40, 40, 220)  # blue, green, red


def phrases_of(beats: Beats) -> int:
    """Whole phrases of eight beats from the first phrase on."""
    return max(0, (len(beats.times) - 1 - beats.phrase) // PHRASE_BEATS)


def plot_beats(clip: Clip, beats: Beats) -> NDArray[np.uint8]:
    """How hard the body brakes over time, the beats as lines, bars and phrases stronger, the body on each beat:
    a colour picture (H, W, 3), rows of twenty seconds."""
    braking = deceleration(clip.positions, clip.fps)
    top = float(np.quantile(braking, 0.995)) + 1e-9
    rows = max(1, int(np.ceil(clip.seconds / ROW_SECONDS)))
    height = PLOT_HEIGHT + FIGURE + 8
    picture = np.full((24 + rows * height, int(ROW_SECONDS * PIXELS_A_SECOND) + 8, 3), 255, np.uint8)
    title = (
        f"{clip.name}, {clip.style}, {clip.seconds:.1f} s, {beats.bpm:.1f} BPM, accent {beats.accent:.2f}, "
        f"{'steady' if beats.steady else 'not steady'}, {phrases_of(beats)} phrases"
    )
    write_text(picture, title, (4, 16))
    frames = np.minimum(np.round(beats.times * clip.fps).astype(int), len(clip.positions) - 1)
    bodies = clip.positions[frames]
    figures = silhouettes(project(bodies, bodies[:, 0, 0]), FIGURE)[:, 0]
    for row in range(rows):
        floor = 24 + row * height + PLOT_HEIGHT
        cv2.line(picture, (4, floor), (picture.shape[1] - 4, floor), FAINT, 1)
        for k, time in enumerate(beats.times):
            if int(time // ROW_SECONDS) != row:
                continue
            x = 4 + round((time - row * ROW_SECONDS) * PIXELS_A_SECOND)
            phrase, bar = (k - beats.phrase) % PHRASE_BEATS == 0, k % 4 == 0
            colour, thick = (PHRASE, 3) if phrase else (BAR, 2) if bar else (FAINT, 1)
            cv2.line(picture, (x, floor - PLOT_HEIGHT + 4), (x, floor), colour, thick)
            shade = 255 * np.clip(0.5 + figures[k] * FIGURE, 0, 1)
            left = min(max(0, x - FIGURE // 2), picture.shape[1] - FIGURE)
            patch = picture[floor + 2 : floor + 2 + FIGURE, left : left + FIGURE]
            np.minimum(patch, shade.astype(np.uint8)[..., None], out=patch)
        begin = int(row * ROW_SECONDS * clip.fps)
        part = braking[begin : int((row + 1) * ROW_SECONDS * clip.fps) + 1]
        x = 4 + np.arange(len(part)) / clip.fps * PIXELS_A_SECOND
        y = floor - np.minimum(part / top, 1.0) * (PLOT_HEIGHT - 8)
        cv2.polylines(picture, [np.stack([x, y], axis=-1).round().astype(np.int32)], False, INK, 1, cv2.LINE_AA)
    return picture


def show_beats(motion: Path, plots: Path | None) -> list[tuple[Clip, Beats]]:
    """Find the beats of all clips in a folder, print them in a table and plot each clip into `plots`."""
    if plots is not None:
        check_folder(plots)
    table = Table(title="Beats found in the movement")
    for head in ("clip", "style", "seconds", "BPM", "accent", "repeats", "steady", "tempo", "phrases", "first after"):
        table.add_column(head)
    found = []
    for clip in read_clips(motion):
        beats = find_beats(clip.positions, clip.fps)
        found.append((clip, beats))
        if len(beats.times) == 0:
            table.add_row(clip.name, clip.style, f"{clip.seconds:.1f}", "-", "-", "-", "no", "-", "-", "-")
            continue
        sure = "sure" if tempo_is_sure(clip.positions, clip.fps) else "doubtful"
        table.add_row(
            clip.name, clip.style, f"{clip.seconds:.1f}", f"{beats.bpm:.1f}", f"{beats.accent:.2f}",
            f"{beats.repeats:.2f}", "yes" if beats.steady else "no", sure, str(phrases_of(beats)),
            f"{beats.phrase} beats",
        )  # fmt: skip
        if plots is not None:
            save_picture(plots / f"{clip.name}.png", plot_beats(clip, beats))
    console = Console(width=120)
    console.print(table)
    steady = [b for _, b in found if b.steady]
    console.print(f"{len(steady)} of {len(found)} clips are steady, {sum(map(phrases_of, steady))} phrases in all; "
                  "doubtful: the halves of the clip, each alone, have another tempo than the whole")  # fmt: skip
    return found
