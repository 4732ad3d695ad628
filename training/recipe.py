"""From clips to a pack: the whole of `python -m training fit`, one stage after the other, each of which resumes."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor

from visualizer.dancer.pack import STEPS_PER_LETTER
from visualizer.errors import UserError

from .autoencoders import Autoencoder, AutoencoderConfig, parameters
from .dancer import (
    Choreographer,
    ChoreographerConfig,
    Dance,
    DancerConfig,
    DancerNetwork,
    choreographer_batches,
    dancer_batches,
    learn_alphabet,
    spell,
)
from .dataset import Take, build, frame_batches, from_bytes, motions_digest, open_takes
from .export import check_out, write_pack
from .fit import FitConfig, fit

SEEDS_PER_STYLE = 24


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a pack, beside the data. The defaults make the one that ships."""

    seed: int = 7
    precision: str = "32-true"
    latent: int = 96
    letters: int = 2048
    autoencoder_steps: int = 3600
    bodies_steps: int = 1100  # more steps, in which what lies between two latents is made a body
    choreographer_steps: int = 800
    dancer_steps: int = 2000
    batch: int = 128
    tiny: bool = False

    def shrunk(self) -> Recipe:
        """The same path in under a minute, for tests: the pack works and dances badly."""
        return replace(
            self, tiny=True, latent=16, letters=32, batch=32,
            autoencoder_steps=12, bodies_steps=4, choreographer_steps=20, dancer_steps=6,
        )  # fmt: skip


def _autoencoder(recipe: Recipe) -> Autoencoder:
    torch.manual_seed(recipe.seed)
    config = AutoencoderConfig(latent=recipe.latent)
    if recipe.tiny:
        config = replace(config, encoder=(16, 16, 24, 32), decoder=(32, 24, 16, 16))
    return Autoencoder(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def fit_autoencoder(recipe: Recipe, takes: list[Take], work: Path) -> Autoencoder:
    """Train the autoencoder on all takes that are not held out."""
    network = _autoencoder(recipe)
    seen = [t for t in takes if not t.held_out]
    Console().print(
        f"autoencoder: {parameters(network):,} parameters, latent {recipe.latent}, "
        f"{sum(map(len, seen)):,} frames of {len(seen)} takes"
    )

    def batches(start: int, size: int = recipe.batch) -> Iterator[tuple[Tensor, Tensor]]:
        for frames, joints in frame_batches(seen, size, recipe.seed, start=start):
            frame = torch.from_numpy(from_bytes(frames))[:, None]
            yield frame.contiguous(memory_format=torch.channels_last), torch.from_numpy(joints)

    config = FitConfig(recipe.autoencoder_steps, rate=3e-3, precision=recipe.precision)
    fit("autoencoder", network, lambda net, batch: net.loss(*batch), batches, config, work, recipe.seed)  # type: ignore[operator]
    config = FitConfig(recipe.bodies_steps, rate=1.5e-3, precision=recipe.precision)
    fit(
        "bodies", network, lambda net, batch: net.bodies_loss(*batch),  # type: ignore[operator]
        lambda start: batches(recipe.autoencoder_steps + start, recipe.batch * 3 // 4), config, work, recipe.seed,
    )  # fmt: skip
    return network


@torch.no_grad()
def encode(network: Autoencoder, frames: NDArray[np.uint8], precision: str) -> NDArray[np.float32]:
    """Stored frames (T, 128, 128) -> latents (T, D)."""
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
        parts = [
            network.encode(torch.from_numpy(from_bytes(part))[:, None]).float().numpy()
            for part in np.array_split(frames, max(1, len(frames) // 256))
        ]
    return np.concatenate(parts)


def encode_takes(network: Autoencoder, takes: list[Take], work: Path, recipe: Recipe) -> list[NDArray[np.float32]]:
    """Latents of every take that has a beat, kept in `work` for a resumed run."""
    key = repr(recipe)
    store = work / "latents.npz"
    if store.exists():
        with np.load(store) as file:
            if str(file["key"]) == key:
                return [file[f"take{i}"] for i in range(len(takes))]
    latents = [encode(network, t.read("frames"), recipe.precision) for t in track(takes, description="encoding")]
    part = store.with_suffix(".part.npz")
    np.savez(part, key=np.array(key), **{f"take{i}": z for i, z in enumerate(latents)})  # type: ignore[arg-type]
    part.replace(store)
    return latents


def _dances(
    takes: list[Take], latents: list[NDArray[np.float32]], alphabet: MiniBatchKMeans, styles: list[str]
) -> list[Dance]:
    return [
        Dance(f"{t.clip} {'mirrored ' if t.mirrored else ''}{t.yaw:+.0f}°", z, t.read("travel"), t.read("energy"),
              styles.index(t.style), t.held_out, spell(alphabet, z), t.yaw == 0)
        for t, z in zip(takes, latents, strict=True)
    ]  # fmt: skip


def mean_moves(dances: list[Dance], letters: int) -> NDArray[np.float32]:
    """The average move of each letter, (K, 8, D)."""
    size = dances[0].latent.shape[1]
    total, count = np.zeros((letters, STEPS_PER_LETTER, size)), np.zeros(letters)
    for dance in dances:
        cut = dance.latent[: len(dance.letters) * STEPS_PER_LETTER].reshape(-1, STEPS_PER_LETTER, size)
        np.add.at(total, dance.letters, cut)
        np.add.at(count, dance.letters, 1)
    return (total / np.maximum(count, 1)[:, None, None]).astype(np.float32)


def pick_seeds(dances: list[Dance], styles: list[str], seed: int) -> list[dict[str, Any]]:
    """Poses from which a dance can start: bar lines of training takes seen from the front, some of each style."""
    rng = np.random.default_rng(seed)
    seeds: list[dict[str, Any]] = []
    for style in range(len(styles)):
        places = [
            (dance, letter)
            for dance in dances
            if dance.style == style and dance.front and not dance.held_out
            for letter in range(8, len(dance.letters), 8)  # eight letters a bar
        ]
        for i in rng.permutation(len(places))[:SEEDS_PER_STYLE]:
            dance, letter = places[i]
            latent = dance.latent[letter * STEPS_PER_LETTER - 1]
            seeds.append(
                {"latent": [round(float(v), 4) for v in latent], "letter": int(dance.letters[letter]), "style": style}
            )
    if not seeds:
        raise UserError("no take is longer than two bars, so there is nothing to start a dance from")
    return seeds


def claim(work: Path, recipe: Recipe, motion: Path | None) -> None:
    """Note in the working folder what is trained there. UserError if it was begun with something else: its
    checkpoints would be taken for finished stages of this run."""
    work.mkdir(parents=True, exist_ok=True)
    note = work / "recipe.json"
    mine = {**asdict(recipe), "motion": str(motion.resolve()) if motion else None}
    if note.exists() and json.loads(note.read_text(encoding="utf-8")) != mine:
        raise UserError(f"{work}: a run with other settings was begun there; give another --work, or remove it")
    note.write_text(json.dumps(mine, indent=1), encoding="utf-8")


def fit_pack(motion: Path | None, out: Path, work: Path, recipe: Recipe, force: bool = False) -> dict[str, float]:
    """Clips and choreography in, a pack out. Returns each exported network's largest difference from torch."""
    check_out(out, force)  # now, not after hours of training
    recipe = recipe.shrunk() if recipe.tiny else recipe
    console = Console()
    claim(work, recipe, motion)
    takes, styles = open_takes(build(work / "data.zarr", motion, recipe.seed, recipe.tiny))
    autoencoder = fit_autoencoder(recipe, takes, work)

    timed = [t for t in takes if t.timed and len(t) >= 4 * STEPS_PER_LETTER]
    latents = encode_takes(autoencoder, timed, work, recipe)
    seen = [z for t, z in zip(timed, latents, strict=True) if not t.held_out]
    pool = np.concatenate(seen)
    mean, spread = pool.mean(axis=0), pool.std(axis=0) + 1e-3
    store = work / "alphabet.joblib"
    if store.exists():
        alphabet = joblib.load(store)  # our own file, in our own working folder
    else:
        alphabet = learn_alphabet(seen, recipe.letters, recipe.seed)
        joblib.dump(alphabet, store.with_suffix(".part"))
        store.with_suffix(".part").replace(store)
    letters = len(alphabet.cluster_centers_)
    dances = _dances(timed, latents, alphabet, styles)
    training = [d for d in dances if not d.held_out]

    torch.manual_seed(recipe.seed + 1)
    config = ChoreographerConfig(letters, len(styles))
    if recipe.tiny:
        config = replace(config, embedding=16, hidden=32)
    choreographer = Choreographer(config)
    console.print(f"choreographer: {parameters(choreographer):,} parameters, {letters} letters, {len(styles)} styles")
    fit(
        "choreographer", choreographer, lambda net, batch: net.loss(*batch),  # type: ignore[operator]
        lambda start: choreographer_batches(training, len(styles), letters, 128, 31, recipe.seed + start),
        FitConfig(recipe.choreographer_steps, rate=2e-3, precision=recipe.precision), work, recipe.seed + 1,
    )  # fmt: skip

    torch.manual_seed(recipe.seed + 2)
    dancer_config = DancerConfig(recipe.latent, letters, len(styles))
    if recipe.tiny:
        dancer_config = replace(dancer_config, embedding=16, hidden=32)
    dancer = DancerNetwork(dancer_config, mean_moves(training, letters), spread.astype(np.float32))
    console.print(f"dancer: {parameters(dancer):,} parameters")
    fit(
        "dancer", dancer, lambda net, batch: net.loss(batch),  # type: ignore[operator]
        lambda start: dancer_batches(training, len(styles), 64, 2 if recipe.tiny else 4, recipe.seed + start),
        FitConfig(recipe.dancer_steps, rate=1.5e-3, precision=recipe.precision), work, recipe.seed + 2,
    )  # fmt: skip

    provenance = {
        "command": "python -m training " + " ".join(shlex.quote(a) for a in _public_arguments(sys.argv[1:])),
        "recipe": asdict(recipe),
        "held_out": sorted({t.clip for t in takes if t.held_out}),
        "clips": sorted({t.clip for t in takes if t.captured and not t.held_out}),
        "written_dances": sorted({t.dance for t in takes if t.dance}),
        "frames": sum(len(t) for t in takes if not t.held_out),
        "motions_sha256": motions_digest(work / "data.zarr"),
        "torch": torch.__version__,
    }
    credits = sorted({t.licence for t in takes})
    differences = write_pack(
        out, autoencoder, choreographer, dancer, styles, mean, spread, pick_seeds(dances, styles, recipe.seed),
        provenance, credits, force,
    )  # fmt: skip
    console.print(f"pack written to {out}; largest differences from torch: {differences}")
    return differences


def _public_arguments(arguments: list[str]) -> list[str]:
    """The command line as anyone can repeat it: folders by their last name, not by where they lie on one machine."""
    return [Path(a).name if Path(a).is_absolute() else a for a in arguments]
