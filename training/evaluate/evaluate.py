"""Every figure of picture and dance in docs/figures.md, beside real motion and a baseline, in one run.

Definitions: metrics.py.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.data.dataset import (
    begun,
    build,
    motions_digest,
    open_takes,
    recipe_of,
)
from training.evaluate.dancing import measure_dancing
from training.evaluate.effort import TINY, Effort
from training.evaluate.metrics import BPM
from training.evaluate.plots import draw_plots
from training.evaluate.real import captured_dances, names_of_clips
from training.evaluate.reconstruction import measure_pictures
from training.evaluate.sheets import draw_all_dances, draw_film, draw_sheets
from training.evaluate.studio import Studio, joints_network
from training.evaluate.tables import as_json, print_table
from training.export import write_info
from training.folders import check_folder
from visualizer.dancer.pack import (
    load_pack,
    read_info,
)
from visualizer.errors import UserError
from visualizer.networks.session import open_session
from visualizer.support.console import Console


def evaluate_pack(
    folder: Path, motion: Path | None, work: Path, sheets: Path | None, save: bool, hours: float | None = None
) -> dict[str, Any]:
    """Measure a pack, print the tables and return the figures. UserError where the pack or the data are missing."""
    info = read_info(folder)
    pack = load_pack(folder, "cpu")
    encoder, _ = open_session(folder / "encoder.onnx")
    try:
        training = info["training"]
        seed, tiny = int(training["recipe"]["seed"]), bool(training["recipe"]["tiny"])
        trained_on = {str(c) for c in training["clips"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'pack.json'}: training says too little to measure the pack ({error!r})") from error
    if "joints" not in [o.name for o in pack.decoder.get_outputs()]:
        raise UserError(f"{folder}: the decoder gives no joints, by which a dance is measured")
    for place in (work, sheets):
        if place is not None:
            check_folder(place)
    effort = TINY if tiny else Effort()
    if hours is not None:
        effort = replace(effort, hours=hours)
    data = work / "data.zarr"
    kept = begun(data)
    if motion is None and kept and not kept.get("finished") and kept["recipe"] != recipe_of(None, seed, tiny):
        raise UserError(
            f"{data}: another command began these data and was stopped; let it go on first, or give another --work"
        )
    if motion is not None or not kept.get("finished"):
        build(data, motion, seed, tiny)
    takes, _ = open_takes(data)
    console = Console(width=120)
    if motions_digest(data) != training.get("motions_sha256"):
        console.print("note: these data are not the same as those that the pack was trained on")
    names = names_of_clips(pack, takes)  # now, not after an hour: other data are told here
    leaked = {t.clip for t in takes if t.held_out} & trained_on
    if leaked:
        warnings.warn(f"trained on clips that are held out here: {sorted(leaked)}", stacklevel=2)

    rows, frames, found = measure_pictures(pack, encoder, takes, seed, effort, console)
    studio = Studio(pack, joints_network(pack))
    dance_rows, curves = measure_dancing(studio, encoder, takes, work, seed, effort, tiny)
    print_table(console, f"The pictures of {pack.name} (baseline: as many principal components)", rows)
    print_table(
        console, f"The dance of {pack.name} at {BPM:.0f} BPM (baseline: memoryless LSTM, mixture of 24)", dance_rows
    )
    found_rows = {row.name.strip(): row for row in rows + dance_rows}
    figures = {
        name: {key: as_json(getattr(row, key)) for key in ("goal", "ours", "real", "baseline", "met")}
        for name, row in found_rows.items()
    }
    plots = draw_plots(curves, sheets or work)
    console.print(f"plots: {', '.join(str(p) for p in plots)}", soft_wrap=True)
    if sheets:
        draw_sheets(pack, takes, frames, found, sheets, seed)
        draw_all_dances(pack, sheets, seed, captured_dances(pack, takes, names))
        draw_film(pack, sheets, seed)
        console.print(f"contact sheets in {sheets}")
    if save:
        write_info(folder, {**info, "measures": figures})
    return figures


def load_metrics(folder: Path) -> dict[str, Any]:
    """The figures that a pack carries in its `pack.json`."""
    return json.loads((folder / "pack.json").read_text(encoding="utf-8"))["measures"]
