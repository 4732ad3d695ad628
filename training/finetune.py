"""`python -m training new-dancer`: makes a pack that dances like the person in some videos.

Three minutes are little to learn from, so training starts from the shipped pack. The shipped encoder, trained on a
hundred thousand bodies, finds the bodies; encoder and decoder are trained further on this outline, and the result is
kept only if it is better on frames that were held back. The moves become an alphabet of their own, with which the
shipped choreographer and dancer are trained further: they know how limbs swing and feet stand, and learn
what is danced. Where the shipped pack has figures, the new one has them too, and the person as one more.
"""

from __future__ import annotations

import math
import os
import shlex
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from scipy.spatial import KDTree
from torch import Tensor

from training.data.dances import (
    LETTERS_PER_BEAT,
    LETTERS_PER_PHRASE,
    Dance,
    DanceSampler,
    choreographer_batches,
    dancer_batches,
    learn_alphabet,
    spell,
)
from training.data.dataset import Take, open_takes
from training.data.footage.bodies import cut_parts, encoder_folder, see_bodies
from training.data.footage.run import Request, extract_footage
from training.data.footage.video import Video, find_videos, probe
from training.dress_dancer import Footage, dress_dancer
from training.export import PackContents, check_out, public_command, write_info, write_pack
from training.fit import FitConfig, FitTask, fit
from training.folders import check_folder, claimed
from training.models.dancer import Choreographer, DancerNetwork
from training.models.dancing_loss import dancing_loss
from training.models.latent_body import latent_body
from training.models.pose_basis import PoseBasis
from training.models.restore import basis_of, load_dancing
from training.outline import Plan, fit_pictures
from training.recipe import LEAST_STD, find_limits, mean_moves, pick_seeds
from visualizer.dancer import pack_store
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import (
    PHRASE_BEATS,
    STEPS_PER_BEAT,
    clean,
    find_pack,
    load_pack,
    read_info,
)
from visualizer.dancer.pack_figures import has_figures
from visualizer.errors import UserError
from visualizer.support.console import Console

# Seconds of one core for a picture looked at or encoded, and for a training step of each network, as measured on the
# machine whose speed `_pace` compares this one with.
COST = {"look": 0.026, "encode": 0.022, "picture": 1.1, "choreographer": 0.3, "dancer": 0.35}

WRITING = 90.0  # seconds to write and measure the pack

LONGEST_NAME = pack_store.LONGEST_NAME - len(" 999")


def check_name(name: str) -> None:
    """UserError for what cannot be the name of a pack, of its folder, and of its dances, NAME 1, NAME 2, …"""
    pack_store.check_name(name)
    if len(name) > LONGEST_NAME:
        raise UserError(
            f"{clean(repr(name))} is too long a name: at most {LONGEST_NAME}, because its dances are numbered"
        )


def new_dancer(
    places: list[Path], name: str, out: Path, work: Path, request: Request, plan: Plan, force: bool = False,
    jobs: int | None = None,
) -> None:  # fmt: skip
    """Make the pack `out` of videos. Goes on from where it was stopped. UserError for what cannot be used. Eight
    parameters, for they are the options of the command."""
    check_out(out, force)
    check_folder(work)
    plan = plan.shrunk() if plan.tiny else plan
    console = Console(soft_wrap=True)
    videos = [probe(p) for p in find_videos(places)]
    shipped = find_pack(None)
    cores = jobs or os.cpu_count() or 1
    _say_plan(console, videos, request, plan, cores)
    settings = {"plan": asdict(plan), "request": asdict(request), "videos": sorted(str(v.path) for v in videos)}
    with claimed(work, "plan.json", settings):
        console.print("1. figures out of the video")
        extract_footage(places, work / "footage", request, jobs=jobs)
    takes, _ = open_takes(work / "footage" / "data.zarr")

    console.print("2. bodies out of the figures")
    autoencoder, pictures = fit_pictures(takes, shipped, plan, work, console)
    basis = basis_of(shipped)
    encoder = encoder_folder(autoencoder, work) if pictures["taught"] else shipped
    seen = [see_bodies(t, i, encoder, basis, work, cores) for i, t in enumerate(track(takes, "seeing bodies"))]

    console.print("3. moves out of the bodies")
    parts, letters = spell_parts(cut_parts(takes, seen, basis, name), plan)
    training = [d for d in parts if not d.held_out]
    names = sorted({d.dance for d in training})
    moves = mean_moves(training, letters)
    choreographer, dancer = taught(shipped, basis, moves, len(names))

    console.print("4. dancing")
    fit_networks(choreographer, dancer, DanceSampler(training, 1, len(names)), plan, work)

    console.print("5. the pack")
    dances = [{"name": f"{name} {n + 1}", "style": 0, "beats": PHRASE_BEATS} for n in names]
    std = _spread(training, basis)
    seeds = pick_seeds(training, [name], plan.seed)
    contents = PackContents(
        autoencoder, choreographer, dancer, [name], dances, np.concatenate([d.latent for d in training]).mean(axis=0),
        std, seeds, find_limits(training, seeds, std),
        describe_training(plan, shipped, [v.path.name for v in videos], takes, training),
        sorted({t.licence for t in takes} | set(read_info(shipped).get("credits", []))),
    )  # fmt: skip
    differences = write_pack(out, contents, force, encoder)
    if has_figures(read_info(shipped)):
        console.print("6. what the dancer looks like")
        like = find_like(load_dancing(shipped)[1], basis, moves)
        dress_dancer(out, shipped, like, name, Footage(videos, request, work / "figure", plan.tiny), console)
    figures = {"footage": {**pictures, **measure_dance(out, parts, plan)}}
    info = read_info(out)
    info["measures"] = figures
    write_info(out, info)
    console.print(f"pack written to {out}; largest differences from torch: {differences}")
    for key, value in figures["footage"].items():
        console.print(f"  {key}: {value:g}")
    console.print(f"\nDance with it:\n  visualizer --pack {shlex.quote(str(out))}")


def _spread(training: list[Dance], basis: PoseBasis) -> NDArray[np.float32]:
    """Std (D,) of each latent over the dances, at least `LEAST_STD` of that over the shipped pack's data."""
    std = np.maximum(np.std(np.concatenate([d.latent for d in training]), axis=0), LEAST_STD * basis.std)
    return np.maximum(std, 1e-3).astype(np.float32)


def spell_parts(parts: list[Dance], plan: Plan) -> tuple[list[Dance], int]:
    """The parts in an alphabet of their own, and how many letters it has."""
    alphabet = learn_alphabet([d.latent for d in parts if not d.held_out], plan.letters, plan.seed)
    return [replace(d, letters=spell(alphabet, d.latent)) for d in parts], len(alphabet.cluster_centers_)


def fit_networks(
    choreographer: Choreographer, dancer: DancerNetwork, sampler: DanceSampler, plan: Plan, work: Path
) -> None:
    """Train both recurrent networks further."""
    letters = choreographer.config.letters
    moves = FitTask(
        "choreographer", choreographer, lambda net, batch: net.loss(*batch),  # type: ignore[operator]
        lambda start: choreographer_batches(sampler, letters, 64, 2 * LETTERS_PER_PHRASE, plan.seed + start),
        plan.seed + 1,
    )  # fmt: skip
    steps = FitTask(
        "dancer", dancer, lambda net, batch: dancing_loss(net, batch),  # type: ignore[arg-type]
        lambda start: dancer_batches(sampler, 32, 2 if plan.tiny else 4, plan.seed + start), plan.seed + 2,
    )  # fmt: skip
    fit(moves, FitConfig(plan.choreographer_steps, rate=1e-3), work)
    fit(steps, FitConfig(plan.dancer_steps, rate=1e-3), work)


def describe_training(
    plan: Plan, shipped: Path, videos: list[str], takes: list[Take], training: list[Dance]
) -> dict[str, Any]:
    """What `pack.json` says of how the pack was trained, and on what."""
    return {
        "command": public_command(), "plan": asdict(plan), "begun_from": read_info(shipped).get("name", shipped.name),
        "videos": videos, "frames": int(sum(len(t.read("times")) for t in takes)),
        "beats": int(sum(len(d.letters) for d in training) / LETTERS_PER_BEAT / 2), "torch": torch.__version__,
    }  # fmt: skip


def _say_plan(console: Console, videos: list[Video], request: Request, plan: Plan, cores: int) -> None:
    """Print what will be done, and about how long it takes on this machine."""
    seconds = sum(max(0.0, min(request.end, v.seconds) - request.begin) for v in videos)
    frames = seconds * min(request.rate, videos[0].fps)
    looking, seeing = frames * COST["look"] / cores, frames * COST["encode"] / cores
    learning = sum(getattr(plan, f"{n}_steps") * COST[n] for n in ("picture", "choreographer", "dancer")) / min(
        cores, 2
    )
    pace = _pace()
    steps = (
        ("find the dancer in every picture", looking), ("see where the limbs are", seeing),
        ("learn outline, moves and dances", learning), ("write and measure the pack", WRITING),
    )  # fmt: skip
    what = videos[0].path.name if len(videos) == 1 else f"{len(videos)} videos"
    console.print(f"{what}, {seconds / 60:.1f} minutes, some {frames:,.0f} pictures. What comes now:")
    for text, spent in steps:
        console.print(f"  {text}: about {max(1, round(pace * spent / 60))} min")
    total = pace * sum(s for _, s in steps)
    console.print(f"All in all about {max(1, round(total / 60))} minutes on {cores} cores, as busy as they are now. "
                  "Stopped, the same command goes on.")  # fmt: skip


def _pace() -> float:
    """How much slower this machine is at the moment than the one on which `COST` was measured."""
    a = np.random.default_rng(0).normal(size=(400, 400)).astype(np.float32)
    taken = []
    for _ in range(25):  # long enough to notice other programs at work
        began = time.perf_counter()
        for _ in range(10):
            a = a @ a
            a /= np.abs(a).max()
        taken.append(time.perf_counter() - began)
    return float(np.clip(np.mean(taken[5:]) / 0.0074, 0.3, 10))


def find_like(old_dance: DancerNetwork, basis: PoseBasis, moves: NDArray[np.float32]) -> NDArray[np.int64]:
    """Of each of the mean moves (K, 8, D) of letters the old letter with the most similar one, (K,)."""
    old_moves = old_dance.mean_moves.float().numpy().reshape(-1, *moves.shape[1:])
    std = np.maximum(basis.std, LEAST_STD)
    _, near = KDTree((old_moves / std).reshape(len(old_moves), -1)).query((moves / std).reshape(len(moves), -1))
    return np.asarray(near, np.int64)


def taught(
    shipped: Path, basis: PoseBasis, moves: NDArray[np.float32], dances: int
) -> tuple[Choreographer, DancerNetwork]:
    """The shipped networks with a new alphabet: each new letter starts as the old one with the most similar move, the
    one style as the mean of all."""
    old_write, old_dance = load_dancing(shipped)
    letters, latent = moves.shape[0], moves.shape[2]
    like = torch.from_numpy(find_like(old_dance, basis, moves))
    styles, known = old_write.config.styles, old_write.config.dances
    write = Choreographer(replace(old_write.config, letters=letters, styles=1, dances=max(1, dances)))
    dance = DancerNetwork(
        replace(old_dance.config, letters=letters, styles=1, dances=max(1, dances)),
        moves,
        basis.std,
        latent_body(basis),
    )
    assert latent == old_dance.config.latent

    def columns(weight: Tensor, told: int) -> Tensor:
        """Weights whose last columns are those of styles and dances: one style, and dances that differ slightly."""
        kept, style = weight[:, : told - styles - known], weight[:, told - styles - known : told - known]
        names = 0.02 * torch.randn(len(weight), max(1, dances))
        return torch.cat([kept, style.mean(1, keepdim=True), names], dim=1)

    torch.manual_seed(0)
    with torch.no_grad():
        for new, old in ((write, old_write), (dance, old_dance)):
            for (key, value), (_, was) in zip(new.named_parameters(), old.named_parameters(), strict=True):
                if key in ("embedding.weight", "out.weight", "out.bias") and value.shape != was.shape:
                    value.copy_(was[like])
                elif value.shape != was.shape:
                    value.copy_(columns(was, was.shape[1]))
                else:
                    value.copy_(was)
    return write, dance


def measure_dance(out: Path, parts: list[Dance], plan: Plan) -> dict[str, float]:
    """Compare what the finished pack dances with what it learned from, and with what was held back, if anything."""
    training = [d for d in parts if not d.held_out]
    pack = load_pack(out, "cpu")
    beats = 16 if plan.tiny else 240
    dancer = Dancer(pack, plan.seed)
    latents = []
    for step in range(beats * STEPS_PER_BEAT):
        now = step / STEPS_PER_BEAT
        dancer.step_to(now, 0.6)
        latents.append(dancer.between(now)[0][0])
    danced = np.stack(latents) / pack.latent_spread
    real = np.concatenate([d.latent for d in training]) / pack.latent_spread
    tree = KDTree(real[::2])

    def far(latents: NDArray[np.floating]) -> float:
        return round(float(np.median(tree.query(latents[:: STEPS_PER_BEAT // 2])[0])) / math.sqrt(real.shape[1]), 3)

    kept_back = [d.latent / pack.latent_spread for d in parts if d.held_out]
    steps = np.sqrt(np.square(np.diff(danced, axis=0)).mean(axis=1))
    real_steps = np.concatenate(
        [np.sqrt(np.square(np.diff(d.latent / pack.latent_spread, axis=0)).mean(axis=1)) for d in training]
    )
    second = 2 * STEPS_PER_BEAT  # at 120 beats a minute
    still = [steps[i : i + second].mean() < 0.1 * real_steps.mean() for i in range(0, len(steps) - second, second)]
    return {
        "distance_to_nearest_pose": far(danced),
        **({"distance_to_nearest_pose_held_out": far(np.concatenate(kept_back))} if kept_back else {}),
        "speed_over_footage": round(float(steps.mean() / real_steps.mean()), 3),
        "jerk_over_footage": round(_jerk(danced) / max(float(np.mean([_jerk(d.latent / pack.latent_spread)
                                                                      for d in training])), 1e-9), 3),
        "frozen_seconds": float(sum(still)),
    }  # fmt: skip


def _jerk(latents: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(np.diff(latents, n=3, axis=0)).mean()))
