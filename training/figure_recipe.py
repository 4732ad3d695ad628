"""The lesson "figures": a decoder of dressed people for a pack whose latents are bodies in space.

It needs the data set and the latent space of a pack alone, so it can be trained before, beside or after the rest. Its
settings are claimed in a folder of its own, for a pack that was trained without figures can get them later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training import distributed
from training.data.dataset import Take
from training.data.figure_truths import PICTURES, TruthStore, draw_pose, figure_batches, gather_moves, make_store
from training.data.figures.figure import Figure, load_people
from training.fit import FitConfig, FitTask, fit
from training.folders import claimed
from training.models.autoencoder import parameters
from training.models.figure_decoder import FigureDecoder, FigureDecoderConfig, StrokeInit
from training.models.figure_loss import FigureWeights, figure_loss
from training.models.pose_basis import PoseBasis
from training.models.stroke_init import make_strokes
from visualizer import files
from visualizer.support.console import Console

STROKES = "strokes.npz"  # in the folder: a checkpoint fits those alone
FIGURES = "figures"  # name of the lesson, of its folder and of its checkpoint
FACES = "faces"  # the lesson after it


@dataclass(frozen=True)
class FigureRecipe:
    """What decides a decoder of figures besides the data and the people. `samples` of three pictures each are drawn
    once; `people`: names of the figures, none for all there are."""

    seed: int = 7
    precision: str = "32-true"  # whatever that of the rest: places of strokes need more bits than bf16 has
    samples: int = 8000
    steps: int = 20000
    batch: int = 4  # samples a step
    rate: float = 2e-3
    face_steps: int = 3000  # more, in which faces count more: from the first step on they would tear the rest apart
    face_rate: float = 6e-4
    poses: int = 400  # on which strokes begin
    channels: int = 24
    people: tuple[str, ...] = ()
    weights: FigureWeights = field(default_factory=FigureWeights)
    face_weights: FigureWeights = field(default_factory=lambda: FigureWeights(edge=5.0, face=8.0))
    tiny: bool = False

    def shrunk(self) -> FigureRecipe:
        """The same lesson in seconds, for tests."""
        return replace(self, tiny=True, samples=8, steps=3, face_steps=2, batch=2, poses=40, channels=8)


@dataclass(frozen=True)
class TrainedFigures:
    """A decoder, the figures that it draws in the order of its weights, and the margins (F, 3) of their boxes, see
    `TruthStore.margins`."""

    decoder: FigureDecoder
    figures: tuple[Figure, ...]
    margins: NDArray[np.float32]


def choose_people(recipe: FigureRecipe) -> tuple[Figure, ...]:
    """The figures of a recipe: the silhouette first, for that is who dances where nobody else is asked for."""
    everybody = sorted(load_people(), key=lambda figure: (not figure.flat, figure.name))
    if recipe.people:
        everybody = [figure for figure in everybody if figure.name in recipe.people]
    return tuple(everybody[:3] if recipe.tiny else everybody)


def begin_decoder(
    recipe: FigureRecipe, figures: tuple[Figure, ...], takes: list[Take], basis: PoseBasis
) -> FigureDecoder:
    """A decoder before its first step: its strokes lie on the figures' shapes."""
    return build_decoder(recipe, find_strokes(recipe, figures, takes), basis)


def find_strokes(recipe: FigureRecipe, figures: tuple[Figure, ...], takes: list[Take]) -> StrokeInit:
    """Where the strokes of the figures begin."""
    rng, moves = np.random.default_rng([recipe.seed, 1]), gather_moves(takes)
    poses = [draw_pose(moves, rng) for _ in range(-(-recipe.poses // PICTURES))]
    bodies, sway, hands = (np.concatenate([getattr(p, name) for p in poses]) for name in ("bodies", "sway", "hands"))
    return make_strokes(figures, bodies, sway, hands)


def build_decoder(recipe: FigureRecipe, strokes: StrokeInit, basis: PoseBasis) -> FigureDecoder:
    """A decoder with those strokes."""
    torch.manual_seed(recipe.seed + 3)
    config = FigureDecoderConfig(*strokes.radii.shape[:2], channels=recipe.channels)
    return FigureDecoder(config, basis, strokes)


def _keep_strokes(path: Path, recipe: FigureRecipe, figures: tuple[Figure, ...], takes: list[Take]) -> None:
    """Find the strokes once: a run that goes on begins with the same."""
    if not path.exists():
        with files.write_whole(path) as part, open(part, "wb") as out:
            np.savez(out, **vars(find_strokes(recipe, figures, takes)))  # type: ignore[arg-type]


def fit_figures(recipe: FigureRecipe, takes: list[Take], basis: PoseBasis, work: Path) -> TrainedFigures:
    """Draw the truths and train the decoder in `work`/figures; resumes after a kill. UserError where another recipe or
    other figures were begun there."""
    recipe = recipe.shrunk() if recipe.tiny else recipe
    figures, folder = choose_people(recipe), work / FIGURES
    training = [take for take in takes if not take.held_out]
    console = Console(quiet=distributed.rank() > 0)
    with distributed.first_alone() as first:
        if first:
            said = {**asdict(recipe), "figures": [repr(figure) for figure in figures]}
            with claimed(folder, "recipe.json", said):
                console.print(f"figures: {len(figures)}, drawn in {recipe.samples * PICTURES:,} pictures")
                make_store(folder / "truths", training, figures, recipe.samples, recipe.seed)
                _keep_strokes(folder / STROKES, recipe, figures, training)
    store = TruthStore(folder / "truths", recipe.samples)
    with np.load(folder / STROKES) as kept:
        network = build_decoder(recipe, StrokeInit(**kept), basis)
    console.print(
        f"figures: {parameters(network):,} parameters, {network.config.strokes} strokes; "
        f"{len(store) * PICTURES:,} pictures of {len(figures)} figures"
    )
    # Name, steps, learning rate, weights.
    lessons = (
        (FIGURES, recipe.steps, recipe.rate, recipe.weights),
        (FACES, recipe.face_steps, recipe.face_rate, recipe.face_weights),
    )
    for number, (name, steps, rate, weights) in enumerate(lessons):
        seed = recipe.seed + number
        lesson = FitTask(
            name, network, lambda net, batch, weights=weights: figure_loss(net, batch, weights),  # type: ignore[arg-type]
            lambda start, seed=seed: figure_batches(store, len(figures), recipe.batch, seed, start), seed + 40,
        )  # fmt: skip
        fit(lesson, FitConfig(steps, rate=rate, decay=0.0, precision=recipe.precision), folder)
    return TrainedFigures(network, figures, store.margins(len(figures)))
