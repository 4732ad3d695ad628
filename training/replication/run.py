"""The student's networks beside ours, on the same frames: `python -m training compare`.

Three tables and two sheets: how well the autoencoders reconstruct frames that none of them saw, trained as they were
and as they should have been; what their loss shows, and which mistakes give the same grey picture; and how the
recurrent network over pictures of dots dances, beside real dance and ours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.data.dataset import Take, build, clips_of, held_out_clips, open_takes
from training.data.motion.clips import read_clips
from training.data.sampling import Bodies, gather_bodies
from training.evaluate.reconstruction import held_out_frames
from training.folders import check_folder, claimed, write_whole
from training.recipe import settings
from training.replication.dreams import (
    DREAMS,
    Danced,
    Known,
    dance_of,
    danced_in_dots,
    dream_name,
    fit_rnn,
    judge_dance,
    judge_rnn,
    windows_of_films,
)
from training.replication.effort import READ_FIRST, SECOND, TINY, Dots, Effort
from training.replication.judge import (
    Blur,
    Held,
    Judged,
    hold_out,
    judge,
    judge_attempt,
    judge_broken,
    judge_ours,
    see_blur,
)
from training.replication.models import Convolutional, FrameRnn
from training.replication.plots import draw_autoencoders, draw_dreams
from training.replication.tables import print_tables, tables, write_tables
from training.replication.teach import RATES, VERSIONS, as_it_should, as_it_was, draw_pictures, mistakes, teach
from visualizer.dancer.pack import Pack, load_pack, read_info
from visualizer.errors import UserError
from visualizer.support.console import Console

NOTHING_HELD_OUT = "no clip is held out of these data, so there is nothing to compare on; give more --motion"


@dataclass(frozen=True)
class Material:
    """What is learned from, and what is judged by. Films are dots, (T, 51, 47) each; pictures (N, 1, 51, 47)."""

    bodies: Bodies
    pictures: Dots
    films: list[Dots]
    held: Held
    unseen: list[Dots]  # films of held-out takes


def gather_material(takes: list[Take], effort: Effort, motion: Path | None, folder: Path) -> Material:
    """Pictures, films and held-out frames of the takes; films are kept in `folder`. UserError where nothing, or too
    little, is held out."""
    frames, joints = held_out_frames(takes, effort.every_frame)
    if len(frames) == 0:  # what was held out is too short to be cut into beats
        raise UserError(NOTHING_HELD_OUT)
    held = hold_out(frames, joints, effort.seed)
    bodies = gather_bodies([t for t in takes if not t.held_out])
    pictures = draw_pictures(bodies, effort.pictures, effort.seed)
    front = [t for t in takes if t.yaw == 0 and not t.mirrored]
    with claimed(folder, "recipe.json", settings(effort, motion)):
        films = danced_in_dots([t for t in front if not t.held_out], folder / "films.npz")
    unseen = danced_in_dots([t for t in front if t.held_out], folder / "unseen.npz")
    if max((len(film) for film in unseen), default=0) < 2 * READ_FIRST:
        raise UserError("no clip that is held out is two seconds long; give more --motion")
    return Material(bodies, pictures, films, held, unseen)


def judge_autoencoders(given: Material, effort: Effort, folder: Path) -> tuple[list[Judged], list[Blur]]:
    """The student's autoencoders, each trained in each way: rows of the first table, and of the second."""
    held, pictures = given.held, given.pictures
    mean = np.broadcast_to(pictures.mean(axis=0)[0], held.dots.shape).astype(np.float32)
    rows = [
        judge("a coin", "", held, np.full(held.dots.shape, 0.5, np.float32)),
        judge("the mean picture", "", held, mean),
    ]
    for version in VERSIONS:
        if version.make is Convolutional:
            rows.append(judge_broken(held))
        for attempt in (*(as_it_was(version, effort, rate) for rate in RATES), as_it_should(version, effort)):
            rows.append(judge_attempt(attempt, teach(attempt, pictures, effort, folder), held))
    return rows, [see_blur(a, teach(a, pictures, effort, folder), held, effort.seed) for a in mistakes(effort)]


def dance_all(network: FrameRnn, pack: Pack, unseen: list[Dots], effort: Effort) -> list[tuple[str, list[Dots]]]:
    """Films of the real dances, of the recurrent network in each way that it dreams, and of the pack."""
    length = effort.dream_seconds * SECOND
    starts = windows_of_films(unseen, READ_FIRST)
    pick = np.linspace(0, len(starts) - 1, effort.dreamers).astype(int)
    start = torch.from_numpy(starts[pick]).float()
    dances = [("real, held out", [film[:length] for film in unseen])]
    dances += [(dream_name(*how), list(network.dream(start, length, effort.seed, *how))) for how in DREAMS]
    dances.append((f"ours, {pack.name}", [dance_of(pack, length, effort.seed + k) for k in range(effort.dreamers)]))
    return dances


def as_figures(rows: list[Judged], blurs: list[Blur], dances: list[Danced]) -> dict[str, Any]:
    """The rows of all three tables as JSON keeps them."""
    return {
        "autoencoders": [{k: v for k, v in asdict(r).items() if k != "pictures"} for r in rows],
        "loss": [{k: v for k, v in asdict(b).items() if k != "pictures"} for b in blurs],
        "dances": [asdict(d) for d in dances],
    }


def compare(motion: Path | None, work: Path, out: Path, pack_folder: Path, tiny: bool = False) -> dict[str, Any]:
    """Train, measure and draw everything; print the tables, write them and the sheets into `out`, return the figures.

    UserError where the pack or the clips are missing, or nothing is held out.
    """
    clips = read_clips(motion) if motion is not None else []  # all that is given is looked at before anything is made
    check_folder(work)
    check_folder(out)
    info = read_info(pack_folder)
    pack = load_pack(pack_folder, "cpu")
    seed = int(info.get("training", {}).get("recipe", {}).get("seed", Effort.seed))
    effort = replace(TINY if tiny else Effort(), seed=seed)
    if not held_out_clips(clips_of(clips, tiny), seed):
        raise UserError(NOTHING_HELD_OUT)
    console = Console(width=160)
    takes, _ = open_takes(build(work / "data.zarr", motion, seed, tiny))
    known = {str(c) for c in info.get("training", {}).get("clips", [])}
    leaked = sorted({t.clip for t in takes if t.held_out} & known)
    if leaked:
        console.print(f"note: {pack.name} has learned from {len(leaked)} of the clips that are held out here")
    folder = work / "compare"
    given = gather_material(takes, effort, motion, folder)
    network = fit_rnn(given.films, effort, folder)
    rows, blurs = judge_autoencoders(given, effort, folder)
    rows += judge_rnn(network, given.unseen)
    rows.append(judge_ours(pack, given.bodies, given.held, seed))
    store = Known(given.films)
    dances = dance_all(network, pack, given.unseen, effort)
    measured = [judge_dance(name, danced, store, np.random.default_rng(seed)) for name, danced in dances]

    out.mkdir(parents=True, exist_ok=True)
    made = tables(rows, blurs, measured)
    print_tables(made, console)
    write_tables(made, out / "compare.md")
    paths = draw_autoencoders(rows, blurs, given.held, out)
    paths.append(draw_dreams([(name, max(danced, key=len)) for name, danced in dances], out))
    figures = as_figures(rows, blurs, measured)
    write_whole(out / "compare.json", json.dumps(figures, indent=1))
    console.print(f"{out / 'compare.md'}, {', '.join(str(p) for p in paths)}", soft_wrap=True)
    return figures
