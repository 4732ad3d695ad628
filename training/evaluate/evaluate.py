"""Every figure of picture and dance in docs/figures.md, beside real motion and a baseline, in one run.

Definitions: metrics.py.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training.data.dataset import (
    begun,
    build,
    motions_digest,
    open_takes,
    recipe_of,
)
from training.evaluate.auto_dancing import measure_bodies, measure_music, measure_novelty
from training.evaluate.dancing import measure_dancing
from training.evaluate.effort import TINY, Effort
from training.evaluate.figures import measure_figures
from training.evaluate.material import Material
from training.evaluate.metrics import BPM
from training.evaluate.plots import draw_plots
from training.evaluate.real import captured_dances, names_of_clips, written_since
from training.evaluate.realism import measure_realism
from training.evaluate.reconstruction import measure_pictures
from training.evaluate.sheets import draw_all_dances, draw_film, draw_sheets
from training.evaluate.studio import Studio, joints_network
from training.evaluate.tables import Row, as_json, print_table
from training.export import write_info
from training.folders import check_folder
from visualizer.dancer.pack import Pack, load_pack, read_info
from visualizer.errors import UserError
from visualizer.networks.session import open_session
from visualizer.support.console import Console

PARTS = ("pictures", "figures", "dance", "body", "realism", "music", "novelty")

MEASURES: Mapping[str, Callable[[Material], list[Row]]] = {
    "body": measure_bodies, "realism": measure_realism, "music": measure_music, "novelty": measure_novelty,
}  # fmt: skip


VIEWS = {2: "flat joints as the screen shows them", 3: "joints in space"}


@dataclass(frozen=True)
class Wish:
    """What is measured and how long is danced for it; None: as `Effort` has it. `only`: some of PARTS."""

    only: tuple[str, ...] = PARTS
    hours: float | None = None
    minutes: float | None = None

    def effort(self, tiny: bool) -> Effort:
        given = {"hours": self.hours, "auto_minutes": self.minutes}
        return replace(TINY if tiny else Effort(), **{k: v for k, v in given.items() if v is not None})


def read_parts(only: str | None) -> tuple[str, ...]:
    """Parts out of "body,music"; None: all. UserError for one that there is not."""
    if only is None:
        return PARTS
    asked = [name.strip() for name in only.split(",")]
    for name in asked:
        if name not in PARTS:
            raise UserError(f"only must be some of {', '.join(PARTS)}, not {name!r}")
    return tuple(part for part in PARTS if part in asked)


def evaluate_pack(
    folder: Path, motion: Path | None, work: Path, sheets: Path | None, save: bool, wish: Wish = Wish()
) -> dict[str, Any]:
    """Measure a pack, print the tables and return the figures. UserError where the pack or the data are missing."""
    info = read_info(folder)
    pack = load_pack(folder, "cpu")
    encoder, _ = open_session(folder / "encoder.onnx")
    if "joints" not in [o.name for o in pack.decoder.get_outputs()]:
        raise UserError(f"{folder}: the decoder gives no joints, by which a dance is measured")
    for place in (work, sheets):
        if place is not None:
            check_folder(place)
    console = Console(width=120)
    material = prepare(pack, motion, work, wish, console)
    takes, seed, effort = material.takes, material.seed, material.effort
    found: dict[str, Row] = {}

    def show(title: str, rows: list[Row], begun: float) -> None:
        print_table(console, f"{title}: {time.monotonic() - begun:.0f} s", rows)
        found.update(named_rows(rows))

    begun = time.monotonic()
    drawn = None
    if "pictures" in wish.only:
        rows, frames, seen = measure_pictures(pack, encoder, takes, seed, effort, console)
        drawn = frames, seen
        show(f"The pictures of {pack.name} (baseline: as many principal components)", rows, begun)
    if "figures" in wish.only and pack.figures is not None:
        begun = time.monotonic()
        show(f"The figures of {pack.name} (real: the truth about them)", measure_figures(material), begun)
    if "dance" in wish.only:
        begun = time.monotonic()
        rows, curves = measure_dancing(material, encoder, work)
        title = f"The dance of {pack.name} at {BPM:.0f} BPM (baseline: memoryless LSTM, mixture of 24)"
        show(title, rows, begun)
        plots = draw_plots(curves, sheets or work)
        console.print(f"plots: {', '.join(str(p) for p in plots)}", soft_wrap=True)
    for part, measure in MEASURES.items():
        if part in wish.only:
            begun = time.monotonic()
            title = f"{pack.name}: {part}, of {effort.auto_minutes:g} minutes of auto mode, {VIEWS[material.axes]}"
            show(title, measure(material), begun)
    if sheets:
        if drawn is not None:
            draw_sheets(pack, takes, *drawn, sheets, seed)
        draw_all_dances(pack, sheets, seed, captured_dances(pack, takes, material.names))
        draw_film(pack, sheets, seed)
        console.print(f"contact sheets in {sheets}")
    figures = {
        name: {key: as_json(getattr(row, key)) for key in ("goal", "ours", "real", "baseline", "met")}
        for name, row in found.items()
    }
    if save:
        kept = {} if wish.only == PARTS else info.get("measures", {})
        write_info(folder, {**info, "measures": {**kept, **figures}})
    return figures


def named_rows(rows: list[Row]) -> dict[str, Row]:
    """Rows by their names; an indented one by that of the row that it goes on with, and its own."""
    named: dict[str, Row] = {}
    head = ""
    for row in rows:
        own = row.name.strip()
        if own == row.name:
            head = own
        named[own if own == row.name else f"{head}: {own}"] = row
    return named


def prepare(pack: Pack, motion: Path | None, work: Path, wish: Wish, console: Console) -> Material:
    """The data that the pack was trained on, in `work`, and what is danced to be compared with them. UserError where
    the pack says too little of its training, or the data are others."""
    try:
        training = pack.info["training"]
        seed, tiny = int(training["recipe"]["seed"]), bool(training["recipe"]["tiny"])
        trained_on = {str(c) for c in training["clips"]}
        written = {str(d) for d in training.get("written_dances", ())}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = pack.folder / "pack.json"
        raise UserError(f"{where}: training says too little to measure the pack ({error!r})") from error
    data = work / "data.zarr"
    kept = begun(data)
    if motion is None and kept and not kept.get("finished") and kept["recipe"] != recipe_of(None, seed, tiny):
        raise UserError(
            f"{data}: another command began these data and was stopped; let it go on first, or give another --work"
        )
    if motion is not None or not kept.get("finished"):
        build(data, motion, seed, tiny)
    takes, _ = open_takes(data)
    if motions_digest(data) != training.get("motions_sha256"):
        console.print("note: these data are not the same as those that the pack was trained on")
    new, lost = written_since(pack, takes, written)
    for dances, words in ((new, "were written since and are left out"), (lost, "are no longer written")):
        if dances:
            console.print(f"note: {len(dances)} dances {words}, such as {min(dances)!r}")
    takes = [t for t in takes if t.dance not in new]
    names = names_of_clips(pack, takes, lost)  # now, not after an hour: other data are told here
    leaked = {t.clip for t in takes if t.held_out} & trained_on
    if leaked:
        warnings.warn(f"trained on clips that are held out here: {sorted(leaked)}", stacklevel=2)
    return Material(Studio(pack, joints_network(pack)), takes, names, seed, wish.effort(tiny), tiny)


def load_metrics(folder: Path) -> dict[str, Any]:
    """The figures that a pack carries in its `pack.json`."""
    return json.loads((folder / "pack.json").read_text(encoding="utf-8"))["measures"]
