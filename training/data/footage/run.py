"""The whole of `python -m training footage`: videos in, takes and a report out.

All work is done in a hidden folder beside the result, which is moved into place when it is whole.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zarr
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training.data.dataset import from_bytes
from training.data.footage.compose import Source, Written, digest, write_takes
from training.data.footage.crop import SHORTEST, follow, split_clips
from training.data.footage.extract import (
    KEPT,
    Piece,
    look_at,
    pieces_of,
    read_found,
    read_looks,
    read_masks,
    read_stills,
    save_looks,
    take_looks,
    verdict_counts,
)
from training.data.footage.figure import TWO, VERDICTS, find_figure
from training.data.footage.masks import Wish, prepare, refined
from training.data.footage.report import Shown, VideoReport, clock, outlined, write_report
from training.data.footage.video import RATE, Crop, Video, View, find_videos, pictures, probe, samples, view_of
from training.folders import check_folder
from training.parallel import map_parallel
from visualizer.dancer.pack import STEPS_PER_BEAT
from visualizer.environment import set_worker_environment
from visualizer.errors import UserError
from visualizer.support.console import Console
from visualizer.support.printable import say

SHOWN_KEPT, SHOWN_DROPPED = 24, 8  # pictures of each video in the report; the latter for each reason
STEP_PICTURES = 6  # of each video, with --show-steps
SAY_SECONDS = 30.0  # where there is no terminal for a progress bar, a line this often
FACTS = "footage.json"


@dataclass(frozen=True)
class Request:
    """Everything that decides what comes of a video. Times in seconds; `name`: of the style, else each video's own."""

    wish: Wish = field(default_factory=Wish)
    rate: float = RATE
    begin: float = 0.0
    end: float = float("inf")
    crop: Crop | None = None
    empty: tuple[float, float] | None = None
    beats: str = "auto"
    name: str | None = None
    licence: str = "footage of the user's own"

    def check(self) -> None:
        self.wish.check()
        if not 1 <= self.rate <= 240:
            raise UserError(f"rate {self.rate:g}: must be from 1 to 240 pictures a second")
        if self.beats not in ("auto", "sound", "movement", "none"):
            raise UserError(f"beats {self.beats!r}: must be auto, sound, movement or none")
        if self.empty is not None and self.wish.method != "still":
            raise UserError("--empty is for --method still: the other ways need no empty place")
        if self.name is not None and not (0 < len(self.name) <= 40 and self.name.isprintable()):
            raise UserError(f"name {self.name!r}: must be a short line of text")


def extract_footage(
    places: list[Path], out: Path, request: Request, show_steps: bool = False, jobs: int | None = None,
    force: bool = False, scheduler: str | None = None,
) -> list[VideoReport]:  # fmt: skip
    """Make takes of videos and write them, with a report, into the folder `out`.

    The pieces are done by the workers of a Dask `scheduler`, who must see the same files, or by `jobs` processes here
    (as many as cores; 1: none but this one). Raises UserError
    for what cannot be used; nothing is left of it then but, where the disk was full, whole pieces in a hidden folder
    from which the same command goes on.
    """
    request.check()
    check_folder(out)
    videos = [probe(path) for path in find_videos(places)]
    views = [view_of(v, request.crop) for v in videos]
    for video in videos:
        if request.begin >= video.seconds:
            raise UserError(f"{video.path}: is over after {clock(video.seconds)}, before the range begins")
        if request.empty is not None and request.empty[0] >= video.seconds:
            raise UserError(f"{video.path}: is over after {clock(video.seconds)}, before the empty stretch begins")
    recipe = _recipe(request, videos, show_steps)
    console = Console(stderr=True, soft_wrap=True)
    if _is_done(out, recipe, force):
        console.print(f"{out}: holds just this already")
        return []
    part = out.parent / f".{out.name}.part"
    _begin(part, recipe, console)
    try:
        return _work(videos, views, out, part, request, show_steps, jobs, force, scheduler, console)
    except UserError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except OSError as error:
        raise UserError(
            f"{error.filename or out}: cannot be written ({error.strerror or error}); the same command goes on from "
            f"where it was"
        ) from error


def _recipe(request: Request, videos: list[Video], show_steps: bool) -> dict[str, Any]:
    wanted = asdict(request)
    wanted["wish"]["mask_model"] = str(request.wish.mask_model) if request.wish.mask_model else None
    wanted["end"] = None if request.end == float("inf") else request.end
    files = [[str(v.path.resolve()), v.path.stat().st_size, v.path.stat().st_mtime_ns] for v in videos]
    return json.loads(json.dumps({"version": 1, **wanted, "show_steps": show_steps, "videos": files}))


def _is_done(out: Path, recipe: dict[str, Any], force: bool) -> bool:
    """Whether `out` is finished and holds this. UserError where it holds something else, unless `force`."""
    if not out.exists():
        if not out.parent.is_dir():
            raise UserError(f"{out}: there is no folder {out.parent}")
        return False
    facts = out / FACTS
    if not facts.is_file():
        raise UserError(f"{out}: exists and is no footage of this program")
    try:
        old = json.loads(facts.read_text(encoding="utf-8")).get("recipe")
    except (OSError, ValueError) as error:
        raise UserError(f"{facts}: broken ({' '.join(str(error).split())})") from error
    if old == recipe and not force:
        return True
    if not force:
        raise UserError(f"{out}: holds footage of other videos or options; --force replaces it, or give another --out")
    return False


def _begin(part: Path, recipe: dict[str, Any], console: Console) -> None:
    note = part / "recipe.json"
    try:
        if part.is_symlink():
            raise UserError(f"{part}: is a link; remove it")
        if part.exists():
            old = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
            if old == recipe:
                console.print("goes on from where it was stopped")
                return
            shutil.rmtree(part)
        part.mkdir()
        note.write_text(json.dumps(recipe), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{part}: cannot be written ({error})") from error


def _work(
    videos: list[Video], views: list[View], out: Path, part: Path, request: Request, show_steps: bool,
    jobs: int | None, force: bool, scheduler: str | None, console: Console,
) -> list[VideoReport]:  # fmt: skip
    began = time.monotonic()
    pieces: list[list[Piece]] = []
    for number, (video, view) in enumerate(zip(videos, views, strict=True)):
        folder = part / f"{number:03d}"
        folder.mkdir(exist_ok=True)
        looks = folder / "looks.npz"
        if not looks.exists():
            found = take_looks(video, view, request.begin, request.end, request.empty)
            if not found:
                raise UserError(f"{video.path}: no picture can be read in that stretch")
            prepare(request.wish, found, video.path)  # what cannot work is said now
            save_looks(found, looks)
        pieces.append(pieces_of(video, view, request.wish, request.rate, request.begin, request.end, folder))
    todo = [p for video_pieces in pieces for p in video_pieces if not p.out.exists()]
    threads = jobs or os.cpu_count() or 1
    done = _look_at_all(todo, threads, scheduler, console)
    if done:
        spent = time.monotonic() - began
        console.print(f"{done:,} pictures looked at in {spent:.0f} s, {done / max(spent, 1e-9):.0f} a second")

    result = part / "result"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    names = _names(videos)
    sources = []
    shorts = []
    for video, view, name, mine in zip(videos, views, names, pieces, strict=True):
        paths = [p.out for p in mine]
        found = read_found(paths)
        clips, short = split_clips(found)
        left, top, right, bottom = view.crop
        sources.append(Source(video, name, found, paths, follow(found, clips, bottom - top), (right - left) / 2))
        shorts.append(short)
    if not any(s.tracks for s in sources):
        raise UserError(_nothing(sources, shorts))
    root = zarr.open_group(result / "data.zarr", mode="w", attributes={"finished": False})
    with console.status("writing frames, listening for beats"):
        written = write_takes(
            root, sources, request.name, request.licence, request.beats, threads, lambda line: console.print(line)
        )
    if show_steps:
        for video, view, name, mine in zip(videos, views, names, pieces, strict=True):
            save_steps(video, view, request, mine[0].looks, result / "steps" / name)
    reports = [
        _report(source, view, short, [w for w in written if w.source is source], request)
        for source, view, short in zip(sources, views, shorts, strict=True)
    ]
    how = f"Method {request.wish.method}, at most {request.rate:g} pictures a second."
    write_report(reports, result, f"Footage: {', '.join(names)}", how)
    recipe = json.loads((part / "recipe.json").read_text(encoding="utf-8"))
    styles = sorted({request.name or w.source.name for w in written})
    root.attrs.update(
        {"recipe": f"footage v1 {request.wish.method}", "styles": styles, "steps_per_beat": STEPS_PER_BEAT,
         "motions_sha256": digest(written), "finished": True}
    )  # fmt: skip
    facts = {"recipe": recipe, "videos": [
        {"name": r.name, "seconds": round(r.seconds, 2), "looked": r.looked, "counts": r.counts, "clips": r.clips,
         "notes": r.notes} for r in reports
    ]}  # fmt: skip
    (result / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    if out.exists() and force:
        out.rename(part / "old")
    result.rename(out)
    shutil.rmtree(part, ignore_errors=True)
    for report in reports:
        console.print(
            f"{report.name}: {report.kept:,} of {report.looked:,} pictures kept, in {len(report.clips)} clips"
        )
        for note in report.notes:
            console.print(f"  {note}")
    console.print(f"{out}: report.html shows what was kept and why not")
    return reports


def _names(videos: list[Video]) -> list[str]:
    """A name for each video: its file's, numbered where two have the same."""
    names: list[str] = []
    for video in videos:
        stem = "".join(c for c in video.path.stem if c.isprintable() and c not in "/\\")[:32].strip() or "video"
        name, number = stem, 2
        while name in names:
            name, number = f"{stem} {number}", number + 1
        names.append(name)
    return names


def _nothing(sources: list[Source], shorts: list[int]) -> str:
    """Why nothing at all could be kept, in one line, and what helps."""
    total = np.zeros(len(VERDICTS), np.int64)
    for source in sources:
        total += np.bincount(source.found.verdicts, minlength=len(VERDICTS))
    where = sources[0].video.path if len(sources) == 1 else f"{len(sources)} videos"
    pictures = f"{int(total.sum()):,} picture{'' if total.sum() == 1 else 's'}"
    longest = max((float(np.ptp(s.found.times)) for s in sources if len(s.found.times)), default=0.0)
    if longest < SHORTEST:
        return (
            f"{where}: too short ({pictures}, {longest:.2g} s): a dance must be seen for {SHORTEST:g} seconds at least"
        )
    reasons = [f"{n:,} {name}" for name, n in zip(VERDICTS[1:], total[1:], strict=True) if n]
    if sum(shorts):
        reasons.append(f"{sum(shorts):,} in stretches of less than two seconds")
    if total[TWO] > total.sum() / 2:
        advice = "--crop WIDTHxHEIGHT+LEFT+TOP keeps the part of the picture where one of them dances"
        return f"{where}: more than one dancer in {pictures} ({', '.join(reasons)}); {advice}"
    return f"{where}: no dancer to be seen in {pictures} ({', '.join(reasons)}); another --method?"


# --- who does the pieces --------------------------------------------------------------------------------------


def _look_at_all(todo: list[Piece], jobs: int, scheduler: str | None, console: Console) -> int:
    """Do all pieces, here or by the workers of a Dask scheduler; the number of pictures."""
    set_worker_environment()
    return _watch(map_parallel(look_at, todo, workers=jobs, scheduler=scheduler), todo, console) if todo else 0


def _watch(done: Iterable[int], todo: list[Piece], console: Console) -> int:
    """Count what is done, with a bar, or a line now and then."""
    seconds = sum(p.end - p.begin for p in todo) / len(todo)
    count, shown, began = 0, time.monotonic(), time.monotonic()
    bar = Progress(
        TextColumn("looking"), BarColumn(), TextColumn("{task.percentage:3.0f}%"), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=console,
        disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("looking", total=len(todo), rate="")
        for number, piece in enumerate(done, 1):
            count += piece
            now = time.monotonic()
            rate = count / max(now - began, 1e-9)
            bar.update(task, completed=number, rate=f"{rate:.0f} pictures a second")
            if not console.is_terminal and (now - shown > SAY_SECONDS):
                left = (now - began) / number * (len(todo) - number)
                say(
                    f"looked at {number * seconds:.0f} of {len(todo) * seconds:.0f} s of video, {rate:.0f} pictures "
                    f"a second, {left:.0f} s left",
                    to_stderr=True,
                )  # fmt: skip
                shown = now
    return count


# --- what is shown --------------------------------------------------------------------------------------------


def _evenly(numbers: list[int], count: int) -> list[int]:
    if len(numbers) <= count:
        return numbers
    return [numbers[i] for i in np.linspace(0, len(numbers) - 1, count).round().astype(int)]


def _report(source: Source, view: View, short: int, written: list[Written], request: Request) -> VideoReport:
    found = source.found
    counts = verdict_counts(found)
    in_clips = {int(n): (k, place) for k, w in enumerate(written) for place, n in enumerate(w.track.index)}
    counts["kept"], counts["too short"] = len(in_clips), short
    last = float(found.times[-1]) if len(found.times) else 0.0
    report = VideoReport(source.video.path.name, source.video.seconds, len(found.times), counts)
    promised = min(request.end, source.video.seconds)
    if last < promised - 1.0:
        report.notes.append(
            f"damaged: can only be read until {clock(last)} of {clock(promised)}; what came before it was used"
        )
    if not source.tracks:
        report.notes.append("nothing of it could be kept")
    for take in written:
        times = found.times[take.track.index]
        beat = {"sound": "beats from its sound", "movement": "beats from the movement", "none": "no beat found"}
        report.clips.append(
            f"{take.name}: {clock(times[0])} to {clock(times[-1])}, {len(times):,} frames, {beat[take.steps.source]}"
            + (f", {take.steps.bpm:.0f} a minute" if take.steps.timed else "")
        )
    stills = dict(read_stills(source.pieces))
    by_reason: dict[str, list[int]] = {}
    for n in sorted(stills):
        verdict = int(found.verdicts[n])
        reason = "kept" if n in in_clips else ("too short" if verdict == KEPT else VERDICTS[verdict])
        by_reason.setdefault(reason, []).append(n)
    size = (view.crop[2] - view.crop[0], view.crop[3] - view.crop[1])
    groups = [w.group for w in written]
    for reason in sorted(by_reason, key=lambda r: r != "kept"):
        chosen = _evenly(by_reason[reason], SHOWN_KEPT if reason == "kept" else SHOWN_DROPPED)
        wanted = np.zeros(len(found.times), np.bool_)
        wanted[[n for n in chosen if found.boxes[n, 2] > 0]] = True
        masks = dict(read_masks(source.pieces, wanted))
        shown = []
        for n in chosen:
            frame = None
            if n in in_clips:
                clip, place = in_clips[n]
                frame = from_bytes(np.asarray(groups[clip]["seen"][place]))  # type: ignore[index]
            picture = outlined(stills[n], [int(v) for v in found.boxes[n]], masks.get(n), size)
            shown.append(Shown(float(found.times[n]), picture, frame))
        report.shown[reason] = shown
    return report


def save_steps(video: Video, view: View, request: Request, looks: Path, folder: Path) -> list[Path]:
    """Each step of the method as pictures, for a few moments of a video: `0_1_picture.png`, `0_2_contrast.png`, …"""
    folder.mkdir(parents=True)
    method = prepare(request.wish, read_looks(looks), video.path)
    saved = []
    end = min(request.end, video.seconds)
    moments = samples(video, view, request.begin, end, STEP_PICTURES) or list(
        pictures(video, view, request.begin, end, 1.0)
    )
    for number, (_, picture) in enumerate(moments[:STEP_PICTURES]):
        steps = method.steps(picture)
        mask = refined(picture, method.mask(picture))
        steps.append(("outline", mask))
        _, figure = find_figure(mask)
        if figure is not None:
            steps.append(("crop", np.pad(255 - figure.mask, 8, constant_values=255)))
        for k, (name, image) in enumerate(steps, 1):
            path = folder / f"{number}_{k}_{name}.png"
            path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
            saved.append(path)
    return saved
