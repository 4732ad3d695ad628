"""`python -m training new-figure`: one figure more for a pack, out of a TOML file, in minutes.

The pack itself is all that is needed: it dances, and the figure is drawn in its poses; its decoder of figures is taken
out of its ONNX file, gets a row for the new figure, and learns that row alone. So the figures that were there are drawn
exactly as before.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.danced_takes import dance_takes
from training.data.figure_truths import (
    FigureBatch,
    Pose,
    TruthStore,
    collate,
    draw_pose,
    draw_sample,
    figure_batches,
    gather_moves,
    make_store,
)
from training.data.figures.figure import Figure, load_people
from training.evaluate.figure_metrics import Pictures, find_overlap, find_parts_right, read_truth
from training.export import check_out, public_command, replaced_whole, write_info
from training.figure_export import FigureContents, describe_figures, export_figures
from training.fit import FitConfig, FitTask, fit
from training.folders import check_folder, claimed
from training.models.decoder_weights import DECODER_WEIGHTS
from training.models.figure_decoder import FigureDecoder, read_out
from training.models.figure_loss import FigureWeights, figure_loss
from training.models.more_figures import add_row, find_alike, train_last_row
from training.models.restore_figures import load_figure_decoder
from visualizer.dancer.pack import FRAME_SIZE, NETWORKS, load_pack, read_info
from visualizer.dancer.pack_figures import LONGEST, MOST_FIGURES, has_figures, read_figures
from visualizer.dancer.wardrobe import NO_FIGURES
from visualizer.errors import UserError
from visualizer.names import find_name
from visualizer.networks.contract import FIGURES
from visualizer.support.console import Console


@dataclass(frozen=True)
class FigurePlan:
    """How long is learned. `samples` of three pictures each; `batch` of them a step; `beats` that the pack dances for
    their poses; `checked`: samples in other poses that quality is measured on."""

    seed: int = 7
    samples: int = 384
    steps: int = 1000
    batch: int = 4
    rate: float = 4e-3
    beats: int = 64
    checked: int = 16
    tiny: bool = False

    def shrunk(self) -> FigurePlan:
        """The same in seconds, for tests."""
        return replace(self, samples=4, steps=3, batch=2, beats=8, checked=1)


@dataclass(frozen=True)
class AddedFigure:
    """What came of it: a decoder whose last figure is the new one, how far that reaches beyond its joints (3,), as
    which known figure it began, and its measures."""

    decoder: FigureDecoder
    margin: NDArray[np.float32]
    alike: str
    measures: dict[str, float]


def new_figure(figure: Figure, pack: Path, out: Path, work: Path, plan: FigurePlan, force: bool = False) -> None:
    """Write the pack `out`: `pack`, and `figure` as one of its dancers. Goes on from where it was stopped. UserError
    for what cannot be done."""
    check_out(out, force)
    check_folder(work)
    check_figure(figure, pack)
    console = Console(soft_wrap=True)
    added = teach_figure(figure, pack, work, plan, console)
    with replaced_whole(out) as part:
        for name in (*(f"{n}.onnx" for n in NETWORKS), "NOTICE", DECODER_WEIGHTS, "pack.json"):
            if (pack / name).is_file():
                shutil.copyfile(pack / name, part / name)
        write_figure(part, figure, added, pack)
        write_info(part, {**read_info(part), "name": out.name})
    console.print(f"pack written to {out}; begun as {added.alike}")
    for key, value in added.measures.items():
        console.print(f"  {key}: {value:g}")
    console.print(f"\nDance as {figure.name}:\n  visualizer --pack {shlex.quote(str(out))} --figure {figure.name}")


def check_figure(figure: Figure, pack: Path) -> None:
    """UserError where a pack cannot get that figure."""
    info = read_info(pack)
    if not has_figures(info):
        raise UserError(f"{pack}: {NO_FIGURES}; begin from a pack that has some")
    names = [person.name for person in read_figures(info).people]
    if figure.flat:
        raise UserError(f"{figure.name}: a flat figure is the silhouette, which every pack has already")
    if find_name(figure.name, names):
        raise UserError(f"{pack}: has a figure {figure.name!r} already; give the file another name")
    if len(names) >= MOST_FIGURES:
        raise UserError(f"{pack}: has {len(names)} figures already, and there is no room for more")
    for what, text in (("name", figure.name), ("title", figure.title)):
        if len(text) > LONGEST[what] or not text.isprintable():
            raise UserError(f"{figure.name[:40]}: its {what} must be a line of at most {LONGEST[what]} characters")


def teach_figure(figure: Figure, pack: Path, work: Path, plan: FigurePlan, console: Console) -> AddedFigure:
    """A pack's decoder that knows one figure more. Goes on in `work` from where it was stopped."""
    plan = plan.shrunk() if plan.tiny else plan
    drawn_by = hashlib.sha256((pack / f"{FIGURES}.onnx").read_bytes()).hexdigest()
    old = load_figure_decoder(pack)
    with claimed(work, "figure.json", {**asdict(plan), "figure": repr(figure), "decoder": drawn_by}):
        console.print(f"{figure.name}: drawn in {plan.samples * 3:,} pictures of what the pack dances")
        takes = dance_takes(load_pack(pack, "cpu"), plan.beats, plan.seed, work / "danced.zarr")
        moves = gather_moves(takes)
        make_store(work / "truths", takes, (figure,), plan.samples, plan.seed)
    store = TruthStore(work / "truths", plan.samples)
    rng = np.random.default_rng([plan.seed, 1])
    alike = _find_alike(figure, pack)
    decoder = add_row(old, alike.number, figure)
    checked = [draw_pose(moves, rng) for _ in range(plan.checked)]
    before = _measure(decoder, figure, decoder.config.figures - 1, checked)
    train_last_row(decoder)
    lesson = FitTask(
        "figure", decoder, lambda net, batch: figure_loss(net, batch, FigureWeights()),  # type: ignore[arg-type]
        lambda start: _batches(store, decoder.config.figures, plan, start), plan.seed,
    )  # fmt: skip
    fit(lesson, FitConfig(plan.steps, rate=plan.rate, decay=0.0), work)
    after = _measure(decoder, figure, decoder.config.figures - 1, checked)
    measures = {"outline_iou": after[0], "parts_right": after[1], "outline_iou_before": before[0],
                "parts_right_before": before[1]}  # fmt: skip
    if alike.figure is not None:
        beside = _measure(decoder, alike.figure, alike.number, checked)
        measures |= {f"outline_iou_of_{alike.name}": beside[0], f"parts_right_of_{alike.name}": beside[1]}
    return AddedFigure(decoder, store.margins(1)[0], alike.name, {k: round(v, 4) for k, v in measures.items()})


@dataclass(frozen=True)
class _Alike:
    """A figure of the pack: its number and name, and how it is built where that is known."""

    number: int
    name: str
    figure: Figure | None


def _find_alike(figure: Figure, pack: Path) -> _Alike:
    """As which figure of the pack the new one begins: the last, where it is known of none how it is built."""
    names = [person.name for person in read_figures(read_info(pack)).people]
    people = {each.name: each for each in load_people()}
    known = [people[name] for name in names if name in people]
    if not known:
        return _Alike(len(names) - 1, names[-1], None)
    like = known[find_alike(figure, known)]
    return _Alike(names.index(like.name), like.name, like)


def _batches(store: TruthStore, figures: int, plan: FigurePlan, start: int) -> Iterator[FigureBatch]:
    """Batches of the one figure of a store, which has the last of so many numbers."""
    for batch in figure_batches(store, figures, plan.batch, plan.seed, start):
        yield replace(batch, figure=batch.figure.roll(-1, dims=1))


def _measure(decoder: FigureDecoder, figure: Figure, number: int, poses: list[Pose]) -> tuple[float, float]:
    """Overlap of outlines with the truth, and share of the body that shows the right part, of one figure in poses."""
    decoder.eval()
    found: list[tuple[float, float]] = []
    for pose in poses:
        batch = collate([draw_sample((figure,), 0, pose)], 1)
        who = torch.eye(decoder.config.figures)[[number] * len(batch.bodies)]
        with torch.no_grad():
            latent = decoder.latents(batch.bodies)
            made = read_out(decoder(latent, who, batch.sway, batch.hands, batch.grid_x, batch.grid_y))
        true = read_truth(batch)
        ours = Pictures(made[0][:, 0].numpy() * FRAME_SIZE, made[2][:, 0].numpy(), made[3].numpy())
        found.append((find_overlap(true, ours), find_parts_right(true, ours)))
    overlap, right = np.mean(found, axis=0)
    return float(overlap), float(right)


def write_figure(folder: Path, figure: Figure, added: AddedFigure, pack: Path) -> None:
    """Write the decoder into the pack in `folder`, and into its pack.json what the pack `pack`, out of which it was
    taught, says of figures, and the new one."""
    path = folder / f"{FIGURES}.onnx"
    apart = export_figures(added.decoder, path)
    info, before = read_info(folder), read_info(pack)
    hands = np.zeros((0, 4), np.float32)
    described = describe_figures(FigureContents(added.decoder, (figure,), hands, added.margin[None]))
    info["figures"] = [*before["figures"], *described["figures"]]
    info["parts"] = before["parts"]
    info.setdefault("hands", before["hands"])
    info["sha256"] = {**info.get("sha256", {}), path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    info["difference_from_torch"] = {**info.get("difference_from_torch", {}), FIGURES: apart}
    told: dict[str, Any] = {"name": figure.name, "begun_as": added.alike, "command": public_command(), **added.measures}
    training = info.get("training", {})
    info["training"] = {**training, "added_figures": [*training.get("added_figures", ()), told]}
    write_info(folder, info)
