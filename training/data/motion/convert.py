"""Motion files of any kind -> the folder of canonical clips that `training fit --motion` reads, and a contact sheet.

A file that cannot be used does not stop the others: it is reported with its reason, and the command ends with code 2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rich.table import Table
from rich.text import Text

from training.data.choreography.sheet import draw_figure
from training.data.motion.bvh import read_bvh
from training.data.motion.clips import read_clip
from training.data.motion.fit_skeleton import fit_skeleton
from training.data.motion.keypoints import GENRES, read_keypoints
from training.data.motion.mapping import read_table
from training.data.motion.markers import read_markers
from training.data.motion.place_joints import Landmarks
from training.data.motion.retarget import FPS, Fit, landmarks_of, to_body
from training.data.motion.seen_landmarks import holds_landmarks, read_landmarks
from training.data.motion.skeleton import JOINTS
from training.folders import check_folder
from visualizer.errors import UserError
from visualizer.files import write_whole
from visualizer.support.console import Console

KINDS = (".bvh", ".c3d", ".npz", ".pkl")
MOST_FILES = 10_000
SHORTEST = 1.0  # seconds
FASTEST = 40.0  # metres a second: a hand that moves faster is an error of the capture, not dance
FIGURES = 16  # drawn of each clip on the sheet
CELL, LABEL = 100, 170  # pixels
SHEET = "sheet.png"


@dataclass(frozen=True)
class Taken:
    """One file that was read: `positions` (T, 21, 3) metres at 60 frames a second; `notes` on what was found out; how
    well our skeleton fits."""

    name: str
    style: str
    positions: NDArray[np.float32]
    notes: list[str]
    fit: Fit


def read_motion(path: Path, table: dict[str, str] | None = None, up: str | None = None) -> tuple[NDArray, list[str]]:
    """Read one file: its motion on our bones, (T, 21, 3) metres at 60 frames a second, and notes. UserError with the
    reason if it cannot be used."""
    positions, notes, _ = read_fitted(path, table, up)
    return positions, notes


def read_fitted(
    path: Path, table: dict[str, str] | None = None, up: str | None = None
) -> tuple[NDArray[np.float32], list[str], Fit]:
    """As `read_motion`, and how well our skeleton fits."""
    kind = path.suffix.lower()
    if kind == ".npz" and not holds_landmarks(path):
        positions, notes, fit = _read_clip(path)
    elif kind in READERS:
        positions, notes, fit = to_body(READERS[kind](path, table), path, up)
    else:
        raise UserError(f"{path}: not a motion file; {', '.join(KINDS)} are read")
    if len(positions) < SHORTEST * FPS:
        raise UserError(f"{path}: shorter than {SHORTEST:g} s")
    if not np.isfinite(positions).all():
        raise UserError(f"{path}: holds positions that are not numbers")
    fastest = float(np.abs(np.diff(positions, axis=0)).max() * FPS)
    if fastest > FASTEST:
        raise UserError(
            f"{path}: a joint moves at {fastest:.0f} m/s: the capture jumps, or joints were taken for others (--joints)"
        )
    return positions, notes, fit


def _read_clip(path: Path) -> tuple[NDArray[np.float32], list[str], Fit]:
    """A canonical clip; its joints are as they are, but for their rate."""
    clip = read_clip(path, "", "")
    if abs(clip.fps / FPS - 1) < 1e-3:
        fitted = fit_skeleton(clip.positions)
        moved = 100 * np.linalg.norm(fitted.positions - clip.positions, axis=-1).mean(axis=0)
        worst = int(moved.argmax())
        return clip.positions, ["canonical"], Fit(fitted.mean_cm, float(moved[worst]), JOINTS[worst])
    body = {name: clip.positions[:, i].astype(np.float64) for i, name in enumerate(JOINTS)}
    limbs = {name: points for name, points in body.items() if "_" in name}
    trunk = [body["spine"], body["chest"], body["neck"]]
    return to_body(Landmarks(limbs, trunk, body["head"], clip.fps), path, "y")


# What reads each kind of file that is brought onto our bones: its landmarks, by a table of joints where one is given.
READERS: dict[str, Callable[[Path, dict[str, str] | None], Landmarks]] = {
    ".bvh": lambda path, table: landmarks_of(read_bvh(path), path, table),
    ".c3d": read_markers,
    ".npz": lambda path, _: read_landmarks(path),
    ".pkl": lambda path, _: read_keypoints(path),
}


def fits_table(clips: Sequence[Taken]) -> Table:
    """How well our skeleton fits each clip."""
    table = Table("clip", "seconds", "mean, cm", "farthest joint, cm", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for clip in clips:
        worst = f"{clip.fit.joint.replace('_', ' ')} {clip.fit.worst_cm:.1f}"
        table.add_row(Text(clip.name), f"{len(clip.positions) / FPS:.1f}", f"{clip.fit.mean_cm:.1f}", worst)
    return table


def style_of(path: Path) -> str:
    """The style: from the file's name where it is one of AIST's, else the name of its folder."""
    genre = GENRES.get(path.name[:3]) if re.match(r"g[A-Z]{2}_", path.name) else None
    return genre or re.sub(r"[^a-z0-9]", "", path.resolve().parent.name.lower())[:20] or "mine"


def _lines(table: Table) -> list[str]:
    """A table as plain lines."""
    console = Console(width=100, color_system=None, soft_wrap=True)
    with console.capture() as caught:
        console.print(table)
    return [line.rstrip() for line in caught.get().splitlines()]


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The given files, and those in the given folders, in order. UserError if one is missing or there are none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in KINDS and p.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise UserError(f"{path}: no such file or folder")
        if len(found) > MOST_FILES:
            raise UserError(f"{path}: more than {MOST_FILES} motion files")
    if not found:
        raise UserError(f"{', '.join(map(str, paths))}: no motion files there; {', '.join(KINDS)} are read")
    return found


def _read_index(out: Path) -> list[dict[str, Any]]:
    index = out / "index.json"
    if not index.exists():
        if out.exists() and any(out.iterdir()):
            raise UserError(f"{out}: exists, and is not a folder of clips")
        return []
    try:
        entries = json.loads(index.read_text(encoding="utf-8"))["clips"]
        names = [str(entry["name"]) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{index}: broken ({' '.join(str(error).split())[:100]})") from error
    assert len(names) == len(entries)
    return entries


def _write(path: Path, fill: Callable[[Path], object]) -> None:
    """Write a file whole or not at all."""
    try:
        with write_whole(path) as part:
            fill(part)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from error


def _name_clips(files: Sequence[Path]) -> dict[str, Path]:
    """A name for each file's clip. UserError where two files would have the same."""
    names: dict[str, Path] = {}
    for path in files:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem).strip("_")[:80] or "clip"
        if name in names:
            raise UserError(f"{path} and {names[name]} would both be called {name}")
        names[name] = path
    return names


def _save_clip(out: Path, clip: Taken, origin: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write a clip, and the index that now names it too; returns its entries. `origin`: whose motion it is.

    The index is written after each clip, so that a run that is stopped half-way leaves a folder that can be used.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
    _write(out / f"{clip.name}.npz", lambda p: np.savez_compressed(
        p, positions=clip.positions.astype(np.float32), fps=np.float32(FPS)))  # fmt: skip
    entry = {"name": clip.name, "style": clip.style, "seconds": round(len(clip.positions) / FPS, 2), "fps": FPS,
             "source_and_licence": origin}  # fmt: skip
    entries = [e for e in entries if str(e["name"]) != clip.name] + [entry]
    text = json.dumps({"joints": JOINTS, "units": "metres", "up": "y", "viewer": "+z", "clips": entries}, indent=1)
    _write(out / "index.json", lambda p: p.write_text(text + "\n", encoding="utf-8"))
    return entries


def convert(
    paths: Sequence[Path],
    out: Path,
    style: str | None = None,
    licence: str = "licence not stated",
    joints: Path | None = None,
    up: str | None = None,
    force: bool = False,
    say: Callable[[str], None] = print,
) -> list[Taken]:
    """Convert motion files into the folder `out` of canonical clips, and add them to those that are there. Eight
    parameters, for they are the options of the command, and `say`, which is called with each line for the user.

    UserError where the options or the folder cannot be used, before anything is written; and at the end where files
    were refused, after the others were written.
    """
    if style is not None and not re.fullmatch(r"[a-z0-9]{1,20}", style):
        raise UserError(f"the name of a style must be 1 to 20 of a-z and 0-9, not {style[:30]!r}")
    if up not in (None, "y", "z", "-y", "-z"):
        raise UserError(f"up must be y, z, -y or -z, not {up[:10]!r}")
    table = read_table(joints) if joints is not None else None
    files = find_files(paths)
    check_folder(out)
    entries = _read_index(out)
    names = _name_clips(files)
    for entry in entries:
        if str(entry["name"]) in names and not force:
            raise UserError(f"{out}: has a clip called {entry['name']} already; --force replaces it")
    taken, refused = [], 0
    for name, path in names.items():
        try:
            positions, notes, fit = read_fitted(path, table, up)
        except UserError as reason:
            if len(names) == 1:
                raise
            refused += 1
            say(f"refused: {reason}")
            continue
        clip = Taken(name, style or style_of(path), positions, notes, fit)
        taken.append(clip)
        say(f"{name}: {len(positions) / FPS:.1f} s, {clip.style}; {', '.join(notes)}")
        entries = _save_clip(out, clip, f"{path.name}; {licence}", entries)
    if taken:
        _write(out / SHEET, draw_clips(taken).save)
        for line in _lines(fits_table(taken)):
            say(line)
        say(f"written: {out}; look at {out / SHEET}: left limbs are red, right ones blue")
    if refused:
        raise UserError(f"{refused} of {len(names)} files were refused, as said above")
    return taken


def draw_clips(clips: Sequence[Taken]) -> Image.Image:
    """One row for each clip: figures at even steps of time, left limbs red, right ones blue."""
    picture = Image.new("RGB", (LABEL + FIGURES * CELL, len(clips) * CELL), (246, 245, 241))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=12)
    for row, clip in enumerate(clips):
        text = f"{clip.name[:24]}\n{clip.style}\n{len(clip.positions) / FPS:.1f} s"
        draw.text((4, row * CELL + 6), text, (40, 40, 40), font)
        for column, frame in enumerate(np.linspace(0, len(clip.positions) - 1, FIGURES).astype(int)):
            x0 = LABEL + column * CELL
            draw_figure(draw, clip.positions[frame], (False, False), x0, row * CELL, CELL)
            draw.text((x0 + 3, row * CELL + 2), f"{frame / FPS:.1f}", (190, 150, 60), font)
    return picture
