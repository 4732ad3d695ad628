"""From clips to a pack: the whole of `python -m training fit`, stage by stage; each stage can be resumed."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from torch import Tensor

from training import distributed
from training.data import choreography
from training.data.dances import (
    LETTERS_PER_BEAT,
    LETTERS_PER_PHRASE,
    Dance,
    DanceSampler,
    choreographer_batches,
    dancer_batches,
    learn_alphabet,
    rank_dances,
    spell,
)
from training.data.dataset import HANDS, Take, build, motions_digest, open_takes
from training.data.sampling import Bodies, body_batches, gather_bodies
from training.data.splice_pool import open_pool
from training.data.splice_windows import SpliceWindows, gather_sources
from training.entries import describe_planning
from training.export import PackContents, check_out, public_command, write_pack
from training.figure_export import FigureContents
from training.figure_recipe import FIGURES, FigureRecipe, fit_figures
from training.fit import FitConfig, FitTask, fit
from training.folders import check_folder, claimed
from training.models.autoencoder import Autoencoder, AutoencoderConfig, parameters
from training.models.dancer import Choreographer, ChoreographerConfig, DancerConfig, DancerNetwork
from training.models.dancing_loss import DancingWeights, dancing_loss
from training.models.latent_body import latent_body
from training.models.pose_basis import PoseBasis, pose_basis
from visualizer import files
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_LETTER
from visualizer.errors import UserError
from visualizer.support.console import Console

if TYPE_CHECKING:  # slow to import, and what is refused needs none of it
    from sklearn.cluster import MiniBatchKMeans

SEEDS_PER_STYLE = 24  # poses of each style from which a dance can start
CAPTURED_WEIGHT = 8.0  # times as much as a written move counts a captured one when moves are clustered into letters
LESSONS = ("autoencoder", "dancer", FIGURES)  # that can be trained by themselves


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a pack besides the data. The defaults make the one that ships."""

    seed: int = 7
    precision: str = "32-true"
    latent: int = 63  # numbers of a body in space; fewer keep less of it
    letters: int = 3072
    drawing_steps: int = 2500
    seeing_steps: int = 5000
    autoencoder_steps: int = 3000
    choreographer_steps: int = 3600
    dancer_steps: int = 9000
    batch: int = 64
    splices: int = 4000  # ways from dance to dance that are made once
    weights: DancingWeights = field(default_factory=DancingWeights)
    tiny: bool = False

    def shrunk(self) -> Recipe:
        """The same stages in under a minute, for tests: the pack works and dances badly."""
        return replace(
            self, tiny=True, letters=32, batch=16, drawing_steps=10, seeing_steps=8, autoencoder_steps=4,
            choreographer_steps=20, dancer_steps=6, splices=100,
        )  # fmt: skip


# --- the autoencoder ------------------------------------------------------------------------------------------


def find_basis(bodies: Bodies, recipe: Recipe) -> PoseBasis:
    """The latent space: principal components of bodies as training sees them."""
    return pose_basis(bodies.draw(np.random.default_rng(recipe.seed), 2000 if recipe.tiny else 20000), recipe.latent)


def fit_autoencoder(recipe: Recipe, bodies: Bodies, basis: PoseBasis, work: Path) -> Autoencoder:
    """Train in three lessons, each with its checkpoint: to draw a body, to see one, and to correct what was seen.

    The decoder is not changed in the last one: pictures of bodies that were seen inexactly would blur what it draws.
    """
    torch.manual_seed(recipe.seed)
    config = AutoencoderConfig(latent=recipe.latent)
    if recipe.tiny:
        config = replace(
            config, encoder=(16, 16, 24, 32), corrector=(16, 16, 24, 32), marks=8, decoder=8, looks=1, settles=1
        )
    network = Autoencoder(config, basis).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    Console(quiet=distributed.rank() > 0).print(
        f"autoencoder: {parameters(network):,} parameters, {parameters(network.decoder):,} of them in the decoder; "
        f"latent {recipe.latent}, {len(bodies.positions):,} bodies"
    )

    def batches(start: int, number: int, size: int, between: float) -> Iterator[tuple[Tensor, Tensor]]:
        for frames, joints in body_batches(bodies, size, recipe.seed + number, start, between, distributed.share(size)):
            yield torch.from_numpy(frames).contiguous(memory_format=torch.channels_last), torch.from_numpy(joints)

    # Name, loss, steps, learning rate, bodies a step, and the share of bodies that are not in the data.
    lessons = (
        ("drawing", "drawing_loss", recipe.drawing_steps, 3e-3, recipe.batch, 0.6),
        ("seeing", "seeing_loss", recipe.seeing_steps, 2e-3, recipe.batch * 3 // 2, 0.2),
        ("autoencoder", "loss", recipe.autoencoder_steps, 1e-3, recipe.batch * 3 // 4, 0.1),
    )
    for number, (name, loss, steps, rate, size, between) in enumerate(lessons):
        network.decoder.requires_grad_(name != "autoencoder")
        lesson = FitTask(
            name, network, lambda net, batch, loss=loss: getattr(net, loss)(*batch),
            lambda start, number=number, size=size, between=between: batches(start, number, size, between),
            recipe.seed + 10 * number, shared=True,
        )  # fmt: skip
        fit(lesson, FitConfig(steps, rate=rate, precision=recipe.precision), work)
    return network


# --- the dances -----------------------------------------------------------------------------------------------


CAPTURED_BEATS = PHRASE_BEATS  # a captured dance is no loop; it can be entered at each of its phrases


def name_dances(takes: list[Take], styles: list[str]) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """All dances that can be asked for by name, [(name, number of its style)], and each clip's place in that list.

    Written dances have names. Captured ones get that of their style and a number; without names a network would have
    to dance the mean of all dances that share a move.
    """
    written = {(t.dance, t.style) for t in takes if t.dance}
    clips = sorted({(t.style, t.clip) for t in takes if t.captured and not t.held_out})
    count: dict[str, int] = {}
    numbered = {}
    for style, clip in clips:
        count[style] = count.get(style, 0) + 1
        numbered[clip] = (f"{style} {count[style]}", style)
    named = sorted(((n, styles.index(s)) for n, s in written | set(numbered.values())), key=lambda d: (d[1], d[0]))
    place = {name: i for i, (name, _) in enumerate(named)}
    if len(place) != len(named):
        raise UserError("two dances have the same name")
    return named, {t.clip: place[t.dance or numbered[t.clip][0]] for t in takes if t.dance or t.clip in numbered}


def _dances(
    takes: list[Take], latents: list[NDArray[np.float32]], alphabet: MiniBatchKMeans, styles: list[str],
    numbers: dict[str, int],
) -> list[Dance]:  # fmt: skip
    return [
        Dance(
            f"{t.clip} {'mirrored ' if t.mirrored else ''}{t.yaw:+.0f}°", z,
            np.stack([t.read("travel"), t.read("approach")], axis=1), t.read("energy"), styles.index(t.style),
            t.held_out, spell(alphabet, z), t.yaw == 0, numbers.get(t.clip, -1),
            -t.phrase * LETTERS_PER_BEAT % LETTERS_PER_PHRASE, not t.captured,
        )
        for t, z in zip(takes, latents, strict=True)
    ]  # fmt: skip


def describe_dances(named: list[tuple[str, int]], takes: list[Dance]) -> list[dict[str, Any]]:
    """The named dances as `pack.json` has them; see docs/packs.md."""
    beats = {d.name: d.beats for d in choreography.DANCES}
    return [
        {"name": name, "style": style, "beats": beats.get(name, CAPTURED_BEATS), "energy": round(energy, 3)}
        for (name, style), energy in zip(named, rank_dances(takes, len(named)), strict=True)
    ]


def mean_moves(dances: list[Dance], letters: int) -> NDArray[np.float32]:
    """The average move of each letter, (K, 8, D)."""
    size = dances[0].latent.shape[1]
    total, count = np.zeros((letters, STEPS_PER_LETTER, size)), np.zeros(letters)
    for dance in dances:
        cut = dance.latent[: len(dance.letters) * STEPS_PER_LETTER].reshape(-1, STEPS_PER_LETTER, size)
        np.add.at(total, dance.letters, cut)
        np.add.at(count, dance.letters, 1)
    return (total / np.maximum(count, 1)[:, None, None]).astype(np.float32)


def mean_hands(dances: list[Dance], letters: int) -> NDArray[np.float32]:
    """The mean hands (K, 4) of each letter, over those of its moves whose hands are known; open where none are."""
    total, count = np.zeros((letters, HANDS)), np.zeros(letters)
    for dance in dances:
        if dance.hands is not None and dance.loops:
            cut = dance.hands[: len(dance.letters) * STEPS_PER_LETTER].reshape(-1, STEPS_PER_LETTER, HANDS)
            np.add.at(total, dance.letters, cut.mean(axis=1))
            np.add.at(count, dance.letters, 1)
    return (total / np.maximum(count, 1)[:, None]).astype(np.float32)


def pick_seeds(dances: list[Dance], styles: list[str], seed: int) -> list[dict[str, Any]]:
    """Poses from which a dance can start: where phrases of training takes seen from the front begin. UserError where
    there are none."""
    rng = np.random.default_rng(seed)
    seeds: list[dict[str, Any]] = []
    for style in range(len(styles)):
        places = [
            (dance, letter)
            for dance in dances
            if dance.style == style and dance.front and not dance.held_out
            for letter in range(1, len(dance.letters))
            if dance.place(letter) == 0
        ]
        for i in rng.permutation(len(places))[:SEEDS_PER_STYLE]:
            dance, letter = places[i]
            latent = dance.latent[letter * STEPS_PER_LETTER - 1]
            seeds.append(
                {"latent": [round(float(v), 4) for v in latent], "letter": int(dance.letters[letter]), "style": style}
            )
    if not seeds:
        raise UserError("no take is longer than a phrase, so there is nothing to start a dance from")
    return seeds


LEAST_STD = 0.1  # smallest divisor where latents are divided by their std: those that hardly move must not count more


def find_limits(dances: list[Dance], seeds: list[dict[str, Any]], std: NDArray[np.float32]) -> dict[str, float]:
    """Limits that no healthy dance crosses, for the watchdog (see `Pack.limits`). `far`: 1.5 times the largest distance
    of a body of the training data from its nearest seed. `still`: a quarter of the motion of the stillest four beats
    (the 0.5% quantile)."""
    tree = KDTree(np.array([s["latent"] for s in seeds]) / std)
    far = max(float(tree.query(d.latent[::4] / std)[0].max()) for d in dances) / np.sqrt(len(std))
    paces = []
    for dance in dances:
        step = np.sqrt(np.square(np.diff(dance.latent, axis=0) / std).mean(axis=1))
        for start in range(0, len(step) - 63, 64):
            paces.append(float(step[start : start + 64].mean()))
    moving = np.array(paces or [1e-3])
    return {"far": round(1.5 * far, 4), "still": round(max(0.25 * float(np.quantile(moving, 0.005)), 1e-5), 6)}


def settings(recipe: Any, motion: Path | None) -> dict[str, Any]:
    """What decides a run, for `claimed`. `recipe` is a dataclass."""
    return {**asdict(recipe), "motion": str(motion.resolve()) if motion else None}


def find_alphabet(takes: list[Take], latents: list[NDArray[np.float32]], recipe: Recipe, work: Path) -> MiniBatchKMeans:
    """Cluster the takes' moves into letters, once, and keep the result in `work`. UserError where that is broken."""
    store = work / "alphabet.joblib"
    with distributed.first_alone():
        if store.exists():
            try:
                alphabet = joblib.load(store)  # our own file, in our own working folder
            except (OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
                raise UserError(f"{store}: broken ({' '.join(str(error).split())}); remove it") from error
        else:
            seen = [(t, z) for t, z in zip(takes, latents, strict=True) if not t.held_out]
            weights = [CAPTURED_WEIGHT if t.captured else 1.0 for t, _ in seen]
            alphabet = learn_alphabet([z for _, z in seen], recipe.letters, recipe.seed, weights)
            with files.write_whole(store) as part:
                joblib.dump(alphabet, part)
    return alphabet


def fit_choreographer(
    recipe: Recipe, sampler: DanceSampler, letters: int, work: Path, console: Console
) -> Choreographer:
    """Train the network that writes letters."""
    torch.manual_seed(recipe.seed + 1)
    config = ChoreographerConfig(letters, len(sampler.styles), max(1, len(sampler.names) - 1))
    if recipe.tiny:
        config = replace(config, embedding=16, hidden=32)
    choreographer = Choreographer(config)
    console.print(
        f"choreographer: {parameters(choreographer):,} parameters, {letters} letters, {len(sampler.styles)} styles, "
        f"{len(sampler.names) - 1} named dances"
    )
    lesson = FitTask(
        "choreographer", choreographer, lambda net, batch: net.loss(*batch),  # type: ignore[operator]
        lambda start: choreographer_batches(sampler, letters, 128, 2 * LETTERS_PER_PHRASE, recipe.seed + start),
        recipe.seed + 1,
    )  # fmt: skip
    fit(lesson, FitConfig(recipe.choreographer_steps, rate=3e-3, precision=recipe.precision), work)
    return choreographer


def make_splices(recipe: Recipe, takes: list[Take], dances: list[Dance], basis: PoseBasis, work: Path) -> SpliceWindows:
    """Windows in which one dance becomes another, out of a pool that is made once and kept in `work`."""
    sources, known = gather_sources(takes, dances)
    with distributed.first_alone():
        pool = open_pool(work / "splices", sources, recipe.splices, recipe.seed)
    return SpliceWindows(pool, known, basis)


def fit_dancer(
    recipe: Recipe, sampler: DanceSampler, moves: NDArray[np.float32], splicer: SpliceWindows, work: Path,
    console: Console,
) -> DancerNetwork:  # fmt: skip
    """Train the network that turns letters into latents; `moves` (K, 8, D): the mean move of each letter."""
    basis = splicer.basis
    torch.manual_seed(recipe.seed + 2)
    dancer_config = DancerConfig(recipe.latent, len(moves), len(sampler.styles), max(1, len(sampler.names) - 1))
    if recipe.tiny:
        dancer_config = replace(dancer_config, embedding=16, hidden=32)
    dancer = DancerNetwork(dancer_config, moves, basis.std, latent_body(basis))
    console.print(f"dancer: {parameters(dancer):,} parameters")
    lesson = FitTask(
        "dancer", dancer, lambda net, batch: dancing_loss(net, batch, recipe.weights),  # type: ignore[arg-type]
        lambda start: dancer_batches(
            sampler, recipe.batch, 2 if recipe.tiny else 4, recipe.seed + start, splicer=splicer
        ),
        recipe.seed + 2,
    )  # fmt: skip
    fit(lesson, FitConfig(recipe.dancer_steps, rate=2e-3, precision=recipe.precision), work)
    return dancer


def describe_training(recipe: Recipe, takes: list[Take], bodies: Bodies, work: Path) -> dict[str, Any]:
    """What `pack.json` says of how the pack was trained, and on what."""
    return {
        "command": public_command(),
        "recipe": asdict(recipe),
        "held_out": sorted({t.clip for t in takes if t.held_out}),
        "clips": sorted({t.clip for t in takes if t.captured and not t.held_out}),
        "written_dances": sorted({t.dance for t in takes if t.dance}),
        "bodies": len(bodies.positions),
        "motions_sha256": motions_digest(work / "data.zarr"),
        "torch": torch.__version__,
    }


@contextmanager
def _dancer_beside(wanted: bool, *arguments: Any) -> Iterator[None]:
    """Where `wanted`, train the dancer's half in a process of its own meanwhile: `arguments` of `fit_pack`, but for
    `only`. UserError where that process fails."""
    if not wanted:
        yield
        return
    other = multiprocessing.get_context("spawn").Process(target=fit_pack, args=(*arguments, "dancer"))
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // 2))
    other.start()
    try:
        yield
        other.join()
    finally:
        torch.set_num_threads(threads)
        if other.is_alive():
            other.terminate()
            other.join()
    if other.exitcode:
        raise UserError("the dancer's half was not trained to its end, as said above; the same command goes on")


def fit_pack(
    motion: Path | None, out: Path, work: Path, recipe: Recipe, force: bool = False, only: str | None = None,
    flat: bool = False,
) -> dict[str, float]:  # fmt: skip
    """Train a pack on clips and choreography and write it. Returns each exported network's largest difference from
    torch. Seven parameters, for a run has folders, a recipe and parts; 70 lines, for all lessons stand here in order.

    The autoencoder and the dancer's networks are independent, and are trained by two processes side by side where there
    are two processors; then come the figures, but for a `flat` pack. `only` trains one of `LESSONS` and writes no pack;
    the command without `only` then finds it finished. Started by torchrun, all processes train each network together,
    and the first does everything else.
    """
    check_folder(work)
    if only is None:
        check_out(out, force)  # before hours of training
    recipe = recipe.shrunk() if recipe.tiny else recipe
    console = Console(quiet=distributed.rank() > 0)
    with distributed.first_alone() as first:
        if first:
            with claimed(work, "recipe.json", settings(recipe, motion)):
                build(work / "data.zarr", motion, recipe.seed, recipe.tiny)
    takes, styles = open_takes(work / "data.zarr")
    bodies = gather_bodies([t for t in takes if not t.held_out])
    basis = find_basis(bodies, recipe)
    dressed = FigureRecipe(seed=recipe.seed, tiny=recipe.tiny)
    if only == FIGURES:
        fit_figures(dressed, takes, basis, work)
        return {}
    beside = only is None and not recipe.tiny and distributed.world() == 1 and torch.get_num_threads() > 1
    with _dancer_beside(beside, motion, out, work, recipe, force):
        autoencoder = None if only == "dancer" else fit_autoencoder(recipe, bodies, basis, work)
    if only == "autoencoder":
        return {}

    timed = [t for t in takes if t.timed and t.yaw == 0 and len(t) >= 4 * STEPS_PER_LETTER]
    latents = [basis.latents(t.read("body")) for t in timed]
    alphabet = find_alphabet(timed, latents, recipe, work)
    letters = len(alphabet.cluster_centers_)
    named, numbers = name_dances(timed, styles)
    dances = _dances(timed, latents, alphabet, styles, numbers)
    training = [d for d in dances if not d.held_out]
    sampler = DanceSampler(training, len(styles), len(named))

    choreographer = fit_choreographer(recipe, sampler, letters, work, console)
    splicer = make_splices(recipe, timed, dances, basis, work)
    dancer = fit_dancer(recipe, sampler, mean_moves(training, letters), splicer, work, console)
    if autoencoder is None:
        distributed.wait()
        return {}
    figures = None
    if not flat:
        made = fit_figures(dressed, takes, basis, work)
        figures = FigureContents(made.decoder, made.figures, mean_hands(training, letters), made.margins)
    if distributed.rank() > 0:
        distributed.wait()
        return {}

    credits = sorted({t.licence for t in takes})
    seeds = pick_seeds(dances, styles, recipe.seed)
    std = np.maximum(basis.std, LEAST_STD)
    planning = describe_planning(describe_dances(named, training), training, mean_moves(training, letters), basis)
    contents = PackContents(
        autoencoder, choreographer, dancer, styles, planning.pop("dances"),
        np.concatenate([d.latent for d in training]).mean(axis=0), std, seeds, find_limits(training, seeds, std),
        describe_training(recipe, takes, bodies, work), credits, planning, figures,
    )  # fmt: skip
    differences = write_pack(out, contents, force)
    console.print(f"pack written to {out}; largest differences from torch: {differences}")
    distributed.wait()
    return differences
