"""What the report says and shows of each video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import zarr

from training.data.dataset import from_bytes
from training.data.footage.compose import Source, Written
from training.data.footage.extract import read_looks
from training.data.footage.eyes import open_eyes, own_method
from training.data.footage.figure import KEPT, VERDICTS, find_figure
from training.data.footage.found import read_masks, read_stills, verdict_counts
from training.data.footage.masks import refined
from training.data.footage.report import Shown, VideoReport, clock, outlined
from training.data.footage.request import Request
from training.data.footage.video import Video, View, pictures, samples

SHOWN_KEPT, SHOWN_DROPPED = 24, 8  # pictures of each video in the report, kept and for each reason of dropping
STEP_PICTURES = 6  # of each video, with --show-steps


def _evenly(numbers: list[int], count: int) -> list[int]:
    """At most `count` of the numbers, evenly spread."""
    if len(numbers) <= count:
        return numbers
    return [numbers[i] for i in np.linspace(0, len(numbers) - 1, count).round().astype(int)]


def describe_video(source: Source, view: View, short: int, written: list[Written], request: Request) -> VideoReport:
    """What became of one video: `short` of its pictures lie in stretches too short for a clip, `written` are its
    takes."""
    found = source.found
    in_clips = {int(n): (k, place) for k, w in enumerate(written) for place, n in enumerate(w.track.index)}
    counts = verdict_counts(found)
    counts["kept"], counts["too short"] = len(in_clips), short
    report = VideoReport(source.video.path.name, source.video.seconds, len(found.times), counts)
    last = float(found.times[-1]) if len(found.times) else 0.0
    promised = min(request.end, source.video.seconds)
    if last < promised - 1.0:
        report.notes.append(
            f"damaged: can only be read until {clock(last)} of {clock(promised)}; what came before it was used"
        )
    if not source.tracks:
        report.notes.append("nothing of it could be kept")
    report.clips += [_describe_take(take) for take in written]
    _add_pictures(report, source, view, [w.group for w in written], in_clips)
    return report


def _describe_take(take: Written) -> str:
    """A line on one take: its name, from when to when, frames and beats."""
    times = take.source.found.times[take.track.index]
    beat = {"sound": "beats from its sound", "movement": "beats from the movement", "none": "no beat found"}
    tempo = f", {take.steps.bpm:.0f} a minute" if take.steps.timed else ""
    span = f"{clock(times[0])} to {clock(times[-1])}"
    return f"{take.name}: {span}, {len(times):,} frames, {beat[take.steps.source]}{tempo}"


def _add_pictures(
    report: VideoReport, source: Source, view: View, groups: list[zarr.Group], in_clips: dict[int, tuple[int, int]]
) -> None:
    """Add pictures of each verdict to the report. `in_clips`: number of a kept picture -> its clip, a number into
    `groups`, and its place there."""
    found = source.found
    stills = dict(read_stills(source.pieces))
    by_reason: dict[str, list[int]] = {}
    for n in sorted(stills):
        verdict = int(found.verdicts[n])
        reason = "kept" if n in in_clips else ("too short" if verdict == KEPT else VERDICTS[verdict])
        by_reason.setdefault(reason, []).append(n)
    size = (view.crop[2] - view.crop[0], view.crop[3] - view.crop[1])
    for reason in sorted(by_reason, key=lambda r: r != "kept"):
        chosen = _evenly(by_reason[reason], SHOWN_KEPT if reason == "kept" else SHOWN_DROPPED)
        wanted = np.zeros(len(found.times), np.bool_)
        wanted[[n for n in chosen if found.boxes[n, 2] > 0]] = True
        masks = dict(read_masks(source.pieces, found, wanted))
        shown = []
        for n in chosen:
            frame = None
            if n in in_clips:
                clip, place = in_clips[n]
                frame = from_bytes(np.asarray(groups[clip]["seen"][place]))  # type: ignore[index]
            picture = outlined(stills[n], [int(v) for v in found.boxes[n]], masks.get(n), size)
            shown.append(Shown(float(found.times[n]), picture, frame))
        report.shown[reason] = shown


def save_steps(video: Video, view: View, request: Request, looks: Path, folder: Path) -> list[Path]:
    """Write each step of the method as a picture, for a few moments of a video: `0_1_picture.png`,
    `0_2_contrast.png`, … Returns the paths."""
    folder.mkdir(parents=True)
    eyes = open_eyes(request.wish, own_method(request.wish, read_looks(looks), video.path), video.path, follow=False)
    saved = []
    end = min(request.end, video.seconds)
    moments = samples(video, view, request.begin, end, STEP_PICTURES) or list(
        pictures(video, view, request.begin, end, 1.0)
    )
    try:
        for number, (_, picture) in enumerate(moments[:STEP_PICTURES]):
            steps = eyes.steps(picture)
            mask = refined(picture, np.asarray(steps[-1][1], np.uint8))
            steps.append(("outline", mask))
            _, figure = find_figure(mask)
            if figure is not None:
                steps.append(("crop", np.pad(255 - figure.mask, 8, constant_values=255)))
            for k, (name, image) in enumerate(steps, 1):
                path = folder / f"{number}_{k}_{name}.png"
                path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
                saved.append(path)
    finally:
        eyes.close()
    return saved
