"""Figures for a pack that was made of videos: those of the pack that it began from, and the person in the videos."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.footage.clothes import look_at_person
from training.data.footage.request import Request
from training.data.footage.video import Video
from training.export import write_info
from training.folders import check_folder
from training.new_figure import FigurePlan, check_figure, teach_figure, write_figure
from training.person_figure import make_person, write_toml
from visualizer.dancer.pack import read_info
from visualizer.dancer.pack_figures import read_figures
from visualizer.names import find_name
from visualizer.networks.contract import FIGURES
from visualizer.support.console import Console


@dataclass(frozen=True)
class Footage:
    """Videos, how they are looked at, and the folder `work` of what is made of the person in them."""

    videos: list[Video]
    request: Request
    work: Path
    tiny: bool = False


def dress_dancer(
    out: Path, shipped: Path, like: NDArray[np.int64], name: str, footage: Footage, console: Console
) -> None:
    """Give the pack `out` the figures of the pack `shipped`, from which it began, and its person as one more. `like`
    (K,): for each letter of the pack the most similar one of `shipped`, whose hands it gets."""
    keep_figures(out, shipped, like)
    looks = look_at_person(footage.videos, footage.request)
    if not looks.pictures:
        console.print(f"  no picture shows {name} whole enough: the pack has the figures that it began from")
        return
    person = make_person(find_free(name, shipped), looks)
    check_folder(footage.work)
    check_figure(person.figure, shipped)
    added = teach_figure(person.figure, shipped, footage.work, FigurePlan(tiny=footage.tiny), console)
    write_figure(out, person.figure, added, shipped)
    info = read_info(out)
    info["training"] = {**info["training"], "figure": {"name": person.figure.name, "taken": list(person.said)}}
    write_info(out, info)
    footage.work.mkdir(parents=True, exist_ok=True)
    file = footage.work / f"{person.figure.name}.toml"
    write_toml(file, person)
    console.print(f"  figure {person.figure.name}, taken from the footage:")
    for line in person.said:
        console.print(f"    {line}")
    console.print(f"  {file} can be changed, and added to a pack by new-figure")


def find_free(name: str, pack: Path) -> str:
    """The name, or one with a number where the pack has a figure of that name."""
    there = [person.name for person in read_figures(read_info(pack)).people]
    number, free = 2, name
    while find_name(free, there):
        free, number = f"{name} {number}", number + 1
    return free


def keep_figures(out: Path, shipped: Path, like: NDArray[np.int64]) -> None:
    """Copy the figures of a pack to another of the same bodies."""
    info, before = read_info(out), read_info(shipped)
    path = out / f"{FIGURES}.onnx"
    shutil.copyfile(shipped / path.name, path)
    kept: dict[str, Any] = {key: before[key] for key in ("figures", "parts")}
    hands = [before["hands"][letter] for letter in like]
    hashes = {**info.get("sha256", {}), path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    apart = before.get("difference_from_torch", {})
    if FIGURES in apart:
        info["difference_from_torch"] = {**info["difference_from_torch"], FIGURES: apart[FIGURES]}
    write_info(out, {**info, **kept, "hands": hands, "sha256": hashes})
