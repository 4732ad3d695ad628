"""Trains the genre classifier: which genre music is of, from the recordings that train the ear.

    python -m training.genre [--work runs/ear] [--out models/ear/taste.json]

The recordings are tunes written by rule (see synth/), each heard as it was played and as a party spoils it. More are
made of the rare genres. The beats are the tune's own, sometimes at half or double the tempo or on the off-beat, as a
tracker gives them. What is learned are the weights of a multinomial logistic regression on GenreFeatures
(visualizer/music/analysis/genre.py). The printed figures are of tunes that were not learned from; bench/genre.py
measures it on real music.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from training.synth.augment import speak
from training.synth.compose import compose
from training.synth.dataset import Recording, load, record_tune
from training.synth.render import check_synthesiser
from visualizer import files
from visualizer.errors import UserError
from visualizer.music.analysis.features import HOPS_A_SECOND
from visualizer.music.analysis.genre import FLAVOUR, GenreFeatures, Strokes, weights_file
from visualizer.support.console import Console
from visualizer.support.printable import say

# Genres of the tunes -> genres that the classifier tells apart: those that sound alike and are danced alike are one.
# The others have no dance of their own, or are nothing in particular.
FAMILIES = {
    "house": ("house",),
    "techno": ("techno", "trance", "electro"),
    "disco": ("disco",),
    "funk": ("funk", "soul"),
    "hiphop": ("hip-hop", "trap"),
    "pop": ("pop",),
    "rock": ("rock", "punk"),
    "metal": ("metal",),
    "latin": ("salsa", "latin", "samba", "reggaeton", "afrobeat"),
    "swing": ("jazz", "swing"),
    "blues": ("shuffle", "slow twelve-eight", "country"),
    "reggae": ("reggae",),
    "breaks": ("breakbeat", "drum and bass"),
    "bhangra": ("bhangra", "oriental"),
    "ballad": ("ballad", "six-eight", "waltz"),
}
FAMILY = {genre: family for family, genres in FAMILIES.items() for genre in genres}
EVERY = 5.0  # seconds between two feature vectors of a recording; about eight of them are worth one recording
PACES = (1.0, 1.0, 1.0, 1.0, 0.5, 2.0)  # beats that a tracker hears for each true beat, drawn at random
OFF = 0.05  # how often it takes the off-beat for the beat
STRENGTH = (
    0.01  # of the data against the prior of small weights (scikit-learn's C): the least log loss on held-out tunes
)
FEWEST = 30  # tunes
LEAST = 30  # tunes of a family; more are made of the rare ones
SECONDS, SPEAKERS, SEED = 30.0, 12, 4_000_000  # of the tunes that are added
HELD_OUT = 5  # one tune in this many is held out


def flavours(recording: Recording, rng: Generator) -> NDArray[np.float64]:
    """Feature vectors (N, F) of all versions of a recording, at some of its moments."""
    out = []
    for mel in recording.mel:
        values = Strokes().push(mel.astype(np.float32))
        pace = float(rng.choice(PACES))
        places = np.interp(np.arange(len(values)), recording.beats, np.arange(float(len(recording.beats)))) * pace
        places += 0.5 * (rng.random() < OFF)
        spacing = np.diff(recording.beats) / HOPS_A_SECOND
        flavour = GenreFeatures()
        last = min(recording.beats[-1], len(values))
        for start, end in pairwise(range(int(recording.beats[0]), int(last), round(EVERY * HOPS_A_SECOND))):
            near = np.flatnonzero(np.abs(recording.beats[1:] - end) < 5 * HOPS_A_SECOND)
            flavour.push(values[start:end], places[start:end], float(60 / np.median(spacing[near]) * pace))
            if flavour.seconds > 5:
                out.append(flavour.numbers())
    return np.array(out).reshape(-1, len(FLAVOUR))


def fill_up(folder: Path, more: Path, least: int = LEAST) -> None:
    """Record tunes of the families of which `folder` has fewer than `least`, into `more`; those there are kept.

    UserError where FluidSynth or a soundfont is missing.
    """
    have = Counter(FAMILY.get(genre_of(path), "") for path in folder.glob("tune_*.npz"))
    wanted = [(family, k) for family in FAMILIES for k in range(have[family], least)]
    missing = [(f, k) for f, k in wanted if not (more / f"tune_{f}_{k:03d}.npz").exists()]
    if not missing:
        return
    check_synthesiser()
    more.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    speakers = [speak(rng) for _ in range(SPEAKERS)]
    for family, k in track(missing, "recording", console=Console(stderr=True)):
        seed = SEED + list(FAMILIES).index(family) * 1000 + k
        genres = FAMILIES[family]
        made = record_tune(compose(seed, SECONDS, genres[k % len(genres)]), seed, 2, speakers)
        path = more / f"tune_{family}_{k:03d}.npz"
        with files.write_whole(path) as part:
            np.savez(part, genre=np.array(made.genre), mel=made.mel, beats=made.beats, downbeats=made.downbeats)


def genre_of(path: Path) -> str:
    """The genre of a recording, without reading the rest of it. UserError where the file is broken."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            return str(kept["genre"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(f"{path}: broken recording ({error}); delete it and it is made again") from error


def gather(*folders: Path) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.int64]]:
    """Feature vectors (N, F), the family of each, and the number of its tune. UserError if there are too few
    recordings."""
    numbers, families, origin = [], [], []
    paths = [path for folder in folders for path in sorted(folder.glob("tune_*.npz")) if genre_of(path) in FAMILY]
    for number, path in enumerate(track(paths, "listening", console=Console(stderr=True))):
        recording = load(path)
        if len(recording.beats) < 8:
            continue
        heard = flavours(recording, np.random.default_rng((number, 30)))
        numbers.append(heard)
        families += [FAMILY[recording.genre]] * len(heard)
        origin += [number] * len(heard)
    if len(set(origin)) < FEWEST or set(families) != set(FAMILIES):
        where = " and ".join(str(folder) for folder in folders)
        raise UserError(f"{where}: too few recordings to learn from; `python -m training ear` makes them")
    return np.concatenate(numbers), np.array(families), np.array(origin)


def learn(numbers: NDArray[np.float64], families: NDArray[np.str_]) -> dict:
    """The weights in the form that load_weights reads."""
    mean, std = numbers.mean(axis=0), np.maximum(numbers.std(axis=0), 0.01)
    scaled = np.clip((numbers - mean) / std, -4, 4)
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced").fit(scaled, families)
    return {
        "genres": [str(c) for c in model.classes_],
        "flavour": list(FLAVOUR),
        "mean": mean.round(5).tolist(),
        "spread": std.round(5).tolist(),
        "weight": model.coef_.round(4).tolist(),
        "bias": model.intercept_.round(4).tolist(),
    }


def agreement(weights: dict, numbers: NDArray[np.float64], families: NDArray[np.str_]) -> float:
    """Share of feature vectors whose likeliest genre is the true one."""
    scaled = np.clip((numbers - np.array(weights["mean"])) / np.array(weights["spread"]), -4, 4)
    score = scaled @ np.array(weights["weight"]).T + np.array(weights["bias"])
    return float(np.mean(np.array(weights["genres"])[score.argmax(axis=1)] == families))


def main() -> None:
    """Learn from four fifths, print how well the last fifth is told, then learn from all and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/ear"), help="where the ear was trained")
    parser.add_argument("--out", type=Path, default=weights_file())
    arguments = parser.parse_args()
    recordings, more = arguments.work / "recordings", arguments.work / "more"
    fill_up(recordings, more)
    numbers, families, origin = gather(recordings, more)
    _, order = np.unique(origin, return_inverse=True)
    held = order % HELD_OUT == 0
    right = agreement(learn(numbers[~held], families[~held]), numbers[held], families[held])
    say(f"held-out tunes: {right:.0%} right of {len(FAMILIES)} genres, chance {1 / len(FAMILIES):.0%}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(learn(numbers, families)) + "\n", encoding="utf-8")
    say(f"{arguments.out}: learned from {len(np.unique(origin))} tunes")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"training.genre: {error}") from None
