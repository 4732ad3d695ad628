"""The whole of `python -m training footage`: videos in, takes and a report out.

All work is done in a hidden folder beside the result; the result is moved into place when it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training.data.footage.auto import settle
from training.data.footage.compose import Source, TakeKind, digest, write_takes
from training.data.footage.crop import SHORTEST, follow, split_clips
from training.data.footage.described import describe_video, save_steps
from training.data.footage.extract import (
    AUTO_LOOKS,
    LOOKS,
    Piece,
    Stretch,
    look_at,
    pieces_of,
    read_looks,
    save_looks,
    take_looks,
)
from training.data.footage.figure import TWO, VERDICTS
from training.data.footage.found import read_sights
from training.data.footage.masks import Wish, with_bundle
from training.data.footage.people import choose
from training.data.footage.report import VideoReport, clock, write_report
from training.data.footage.request import Request, meant
from training.data.footage.video import Video, View, find_videos, probe, view_of
from training.folders import check_folder, write_whole
from training.parallel import map_parallel
from visualizer.dancer.pack import STEPS_PER_BEAT
from visualizer.environment import set_worker_environment
from visualizer.errors import UserError
from visualizer.support.console import Console
from visualizer.support.printable import say

SAY_SECONDS = 30.0  # between two lines of progress, where there is no terminal for a bar
FACTS = "footage.json"


@dataclass(frozen=True)
class _Job:
    """One run: its videos and how they are looked at. `part` is the hidden folder of the work, `threads` how many
    processes look at pieces where there is no Dask `scheduler`."""

    videos: list[Video]
    views: list[View]
    request: Request
    show_steps: bool
    part: Path
    threads: int
    scheduler: str | None
    console: Console


def extract_footage(
    places: list[Path], out: Path, request: Request, show_steps: bool = False, jobs: int | None = None,
    force: bool = False, scheduler: str | None = None,
) -> list[VideoReport]:  # fmt: skip
    """Make takes of videos and write them, with a report, into the folder `out`. Seven parameters, for they are the
    options of the command.

    The pieces are worked on by the workers of a Dask `scheduler`, who must see the same files, or by `jobs` processes
    here (None: as many as there are cores; 1: only this one). Raises UserError for what cannot be used, and leaves
    nothing behind; only where the disk was full, finished pieces stay in a hidden folder from which the same command
    goes on.
    """
    request.check()
    request = meant(request)
    request = replace(request, wish=with_bundle(request.wish))
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
        console.print(f"{out}: holds this already")
        return []
    part = out.parent / f".{out.name}.part"
    _begin(part, recipe, console)
    try:
        threads = jobs or os.cpu_count() or 1
        return _work(_Job(videos, views, request, show_steps, part, threads, scheduler, console), out, force)
    except UserError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except OSError as error:
        raise UserError(
            f"{error.filename or out}: cannot be written ({error.strerror or error}); the same command goes on from "
            f"where it was"
        ) from error


def _recipe(request: Request, videos: list[Video], show_steps: bool) -> dict[str, Any]:
    """What decides the result, as JSON keeps it: the request, and the videos by path, size and time."""
    wanted = asdict(request)
    for name in ("mask_model", "bundle"):
        path = getattr(request.wish, name)
        wanted["wish"][name] = str(path) if path else None
    wanted["end"] = None if request.end == float("inf") else request.end
    files = [[str(v.path.resolve()), v.path.stat().st_size, v.path.stat().st_mtime_ns] for v in videos]
    return json.loads(json.dumps({"version": 2, **wanted, "show_steps": show_steps, "videos": files}))


def _is_done(out: Path, recipe: dict[str, Any], force: bool) -> bool:
    """Whether `out` is finished and holds what `recipe` makes. UserError where it holds something else, unless
    `force`."""
    if not out.exists():
        if not out.parent.is_dir():
            raise UserError(f"{out}: there is no folder {out.parent}")
        return False
    facts = out / FACTS
    if not facts.is_file():
        raise UserError(f"{out}: exists and is not footage of this program")
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
    """Make the hidden folder `part`; what is there of the same recipe is kept. UserError where it cannot be made."""
    note = part / "recipe.json"
    try:
        if part.is_symlink():
            raise UserError(f"{part}: is a link; remove it")
        if part.exists():
            old = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
            if old == recipe:
                console.print("going on from where it was stopped")
                return
            shutil.rmtree(part)
        part.mkdir()
        note.write_text(json.dumps(recipe), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{part}: cannot be written ({error})") from error


def _work(job: _Job, out: Path, force: bool) -> list[VideoReport]:
    """Look at the videos, write takes and report into a folder of the work, and move it to `out`."""
    began = time.monotonic()
    wishes, pieces = zip(*(_prepare(job, number) for number in range(len(job.videos))), strict=True)
    todo = [p for video_pieces in pieces for p in video_pieces if not p.out.exists()]
    done = _look_at_all(todo, job.threads, job.scheduler, job.console)
    if done:
        spent = time.monotonic() - began
        job.console.print(f"looked at {done:,} pictures in {spent:.0f} s, {done / max(spent, 1e-9):.0f} a second")
    sources, shorts = _gather(job, list(pieces))
    result = job.part / "result"
    shutil.rmtree(result, ignore_errors=True)
    result.mkdir()
    reports = _write(job, list(wishes), sources, shorts, result)
    if out.exists() and force:
        out.rename(job.part / "old")
    result.rename(out)
    shutil.rmtree(job.part, ignore_errors=True)
    for report in reports:
        job.console.print(
            f"{report.name}: {report.kept:,} of {report.looked:,} pictures kept, in {len(report.clips)} clips"
        )
        for note in report.notes:
            job.console.print(f"  {note}")
    job.console.print(f"{out}: report.html shows what was kept and why not")
    return reports


def _prepare(job: _Job, number: int) -> tuple[Wish, list[Piece]]:
    """Save the first looks at a video, settle how it is looked at, and cut it into pieces. UserError where its method
    cannot work on it."""
    video, view, request = job.videos[number], job.views[number], job.request
    folder = job.part / f"{number:03d}"
    folder.mkdir(exist_ok=True)
    looks, settled = folder / "looks.npz", folder / "settled.json"
    if not looks.exists():
        count = AUTO_LOOKS if request.wish.method == "auto" else LOOKS
        found = take_looks(video, view, request.begin, request.end, request.empty, count)
        if not found:
            raise UserError(f"{video.path}: no picture can be read in that stretch")
        save_looks(found, looks)
    if not settled.exists():
        wish, why = settle(read_looks(looks), request.wish, video.path)
        if why:
            job.console.print(f"{video.path.name}: {why}")
        write_whole(settled, json.dumps({"method": wish.method, "people": wish.people}))
    wish = replace(request.wish, **json.loads(settled.read_text(encoding="utf-8")))
    return wish, pieces_of(video, view, wish, Stretch(request.begin, request.end, request.rate), folder)


def _gather(job: _Job, pieces: list[list[Piece]]) -> tuple[list[Source], list[int]]:
    """What was found in each video, of each dancer who is asked for, and how many of its pictures lie in stretches too
    short for a clip. UserError where nothing can be kept of any."""
    sources, shorts = [], []
    asked = job.request.wish.who
    for video, view, name, mine in zip(job.videos, job.views, _names(job.videos), pieces, strict=True):
        paths = [p.out for p in mine]
        sights = read_sights(paths)
        left, top, right, bottom = view.crop
        for who in ("left", "right") if asked == "both" else (asked,):
            found = choose(sights, who, view)
            clips, short = split_clips(found)
            tracks = follow(found, clips, bottom - top)
            called = f"{name} {who}" if asked == "both" else name
            sources.append(Source(video, called, found, paths, tracks, (right - left) / 2))
            shorts.append(short)
    if not any(s.tracks for s in sources):
        raise UserError(_nothing(sources, shorts))
    return sources, shorts


def _write(job: _Job, wishes: list[Wish], sources: list[Source], shorts: list[int], result: Path) -> list[VideoReport]:
    """Write takes, pictures of the steps where they are wanted, and the report into the folder `result`."""
    request, names = job.request, [s.name for s in sources]
    number_of = {video.path: number for number, video in enumerate(job.videos)}
    root = zarr.open_group(result / "data.zarr", mode="w", attributes={"finished": False})
    kind = TakeKind(request.name, request.licence, request.beats)
    with job.console.status("writing frames, listening for beats"):
        written = write_takes(root, sources, kind, job.threads, lambda line: job.console.print(line))
    if job.show_steps:
        for number, (video, view) in enumerate(zip(job.videos, job.views, strict=True)):
            looks = job.part / f"{number:03d}" / "looks.npz"
            mine = replace(request, wish=wishes[number])
            save_steps(video, view, mine, looks, result / "steps" / _names(job.videos)[number])
    reports = [
        describe_video(source, job.views[number_of[source.video.path]], short,
                       [w for w in written if w.source is source], request)
        for source, short in zip(sources, shorts, strict=True)
    ]  # fmt: skip
    methods = ", ".join(sorted({wish.method for wish in wishes}))
    how = f"Method {methods}, at most {request.rate:g} pictures a second."
    write_report(reports, result, f"Footage: {', '.join(names)}", how)
    styles = sorted({request.name or w.source.name for w in written})
    root.attrs.update(
        {"recipe": f"footage v2 {methods}", "styles": styles, "steps_per_beat": STEPS_PER_BEAT,
         "motions_sha256": digest(written), "finished": True}
    )  # fmt: skip
    facts = {"recipe": json.loads((job.part / "recipe.json").read_text(encoding="utf-8")), "videos": [
        {"name": r.name, "seconds": round(r.seconds, 2), "looked": r.looked, "counts": r.counts, "clips": r.clips,
         "notes": r.notes} for r in reports
    ]}  # fmt: skip
    (result / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    return reports


def _names(videos: list[Video]) -> list[str]:
    """A name for each video: that of its file, numbered where two are the same."""
    names: list[str] = []
    for video in videos:
        stem = "".join(c for c in video.path.stem if c.isprintable() and c not in "/\\")[:32].strip() or "video"
        name, number = stem, 2
        while name in names:
            name, number = f"{stem} {number}", number + 1
        names.append(name)
    return names


def _nothing(sources: list[Source], shorts: list[int]) -> str:
    """One line that says why nothing could be kept, and what may help."""
    total = np.zeros(len(VERDICTS), np.int64)
    for source in sources:
        total += np.bincount(source.found.verdicts, minlength=len(VERDICTS))
    where = sources[0].video.path if len(sources) == 1 else f"{len(sources)} videos"
    pictures = f"{int(total.sum()):,} picture{'' if total.sum() == 1 else 's'}"
    longest = max((float(np.ptp(s.found.times)) for s in sources if len(s.found.times)), default=0.0)
    if longest < SHORTEST:
        return (
            f"{where}: too short ({pictures}, {longest:.2g} s): a dance must be seen for at least {SHORTEST:g} seconds"
        )
    reasons = [f"{n:,} {name}" for name, n in zip(VERDICTS[1:], total[1:], strict=True) if n]
    if sum(shorts):
        reasons.append(f"{sum(shorts):,} in stretches of less than two seconds")
    if total[TWO] > total.sum() / 2:
        advice = (
            "--crop WIDTHxHEIGHT+LEFT+TOP keeps the part of the picture where one of them dances, --who left takes one "
            "of two people"
        )
        return f"{where}: more than one dancer in {pictures} ({', '.join(reasons)}); {advice}"
    return f"{where}: no dancer found in {pictures} ({', '.join(reasons)}); another --method?"


# --- looking at the pieces --------------------------------------------------------------------------------------


def _look_at_all(todo: list[Piece], jobs: int, scheduler: str | None, console: Console) -> int:
    """Look at all pieces, here or by the workers of a Dask scheduler; returns the number of pictures."""
    set_worker_environment()
    return _watch(map_parallel(look_at, todo, workers=jobs, scheduler=scheduler), todo, console) if todo else 0


def _watch(done: Iterable[int], todo: list[Piece], console: Console) -> int:
    """Count the pictures that are done, and show progress as a bar, or a line every `SAY_SECONDS`."""
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
