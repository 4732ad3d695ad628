"""From tunes to the network that hears beats: the whole of `python -m training ear`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import mir_eval
import numpy as np
import onnxruntime as ort
import soundfile
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.export import public_command
from training.fit import FitConfig, FitTask, fit
from training.folders import check_folder, write_whole
from training.models.beat_network import BeatNetwork, BeatNetworkConfig, Heard, export_beat_network, listen
from training.synth.augment import check_speaker
from training.synth.dataset import HELD_OUT, Batch, Recording, Session, batches, load, open_library, record_all
from training.synth.render import SOUNDFONTS, check_synthesiser
from training.synth.voices import find_speakers
from visualizer.errors import UserError
from visualizer.music.analysis.features import HOPS_A_SECOND, RATE, FeatureStream, Floats, row_time
from visualizer.networks.session import open_session
from visualizer.support.printable import say

FORMAT = 1


@dataclass(frozen=True)
class BeatRecipe:
    """Everything that decides the ear beside its code. The defaults make the one that ships."""

    seed: int = 11
    precision: str = "bf16-mixed"
    tunes: int = 720  # written by rule
    covers: int = 600  # pop songs with human drummers; none without scores
    jams: int = 480  # human drummers and a band that plays by rule; none without scores
    empties: int = 160
    seconds: float = 30.0
    spoiled: int = 3
    calls: int = 500
    batch: int = 32
    steps: tuple[int, ...] = (4500, 9000)  # of each network
    rate: float = 2e-3
    network: BeatNetworkConfig = field(default_factory=BeatNetworkConfig)
    tiny: bool = False

    def shrunk(self) -> BeatRecipe:
        """The same path in seconds, for tests: it hears badly."""
        network = BeatNetworkConfig(first=4, second=4, dense=16, hidden=16, layers=2)
        return replace(
            self, tiny=True, precision="32-true", tunes=3, covers=1, jams=1, empties=1, seconds=8.0, spoiled=1,
            calls=100, batch=4, steps=(6, 4), network=network,
        )  # fmt: skip


@dataclass(frozen=True)
class BeatSources:
    """Folders of what the training is made from beside its code; None: done without."""

    clips: Path | None = None  # real music with known beats: measured, never learned
    scores: Path | None = None  # groove.zip and pop909.zip
    voices: Path | None = None  # recorded speech
    fonts: Path | None = None  # soundfonts beside those that are installed

    def soundfonts(self, tiny: bool) -> tuple[Path, ...]:
        """Those that tunes are played with, the first one most often. UserError where there are none."""
        installed = [path for path in SOUNDFONTS if path.is_file()]
        more = sorted(self.fonts.glob("**/*.sf[23]")) if self.fonts else []
        found = list({path.name: path for path in [*installed, *more]}.values())
        check_synthesiser(tuple(found[:1]) or SOUNDFONTS[:1])
        return tuple(found[:1] if tiny else found)


def _loss(ear: nn.Module, batch: Batch) -> dict[str, Tensor]:
    return cast(BeatNetwork, ear).loss(batch)  # or what wraps it on several devices


def pick(activation: Floats, threshold: float = 0.25, apart: int = 14) -> NDArray[np.float64]:
    """Seconds of the peaks of an activation: the plainest reading of it, without any tracker."""
    rows = np.arange(len(activation))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(activation, apart), 2 * apart + 1).max(axis=1)
    return np.asarray(row_time(rows[(activation >= around) & (activation > threshold)]), np.float64)


def f_measure(found: NDArray[np.floating], wanted: NDArray[np.floating], skip: float = 5.0) -> float:
    """mir_eval's F within 70 ms, after `skip` seconds of warm-up."""
    return float(mir_eval.beat.f_measure(found[found >= skip], wanted[wanted >= skip]))


def measure_beats(session: ort.InferenceSession, heard: list[tuple[Floats, NDArray, NDArray]]) -> dict[str, float]:
    """Means over pieces of (mel, beats, downbeats): F of picked peaks, error of hits, share of sure music.

    beats and downbeats in seconds; a piece without beats counts as one without music.
    """
    beat, downbeat, late, music, empty, false = [], [], [], [], [], []
    for mel, beats, downbeats in heard:
        said = listen(session, mel)
        found = pick(said["beat"])
        sure = float((said["music"][250:] > 0.5).mean())
        if not len(beats):
            empty.append(sure)
            false.append(60 * len(found) / (len(mel) / HOPS_A_SECOND))
            continue
        music.append(sure)
        beat.append(f_measure(found, beats))
        downbeat.append(f_measure(pick(said["downbeat"], 0.15), downbeats))
        if len(found):
            away = found[:, None] - beats[None, :]
            away = away[np.arange(len(found)), np.abs(away).argmin(axis=1)]
            late += away[np.abs(away) < 0.07].tolist()
    means = {
        "beat F": beat, "downbeat F": downbeat, "hit, mean ms": [1000 * x for x in late],
        "hit, mean |ms|": [1000 * abs(x) for x in late], "music heard where there is": music,
        "music heard where there is none": empty, "peaks a minute where there is none": false,
    }  # fmt: skip
    return {name: round(float(np.mean(values)), 3) for name, values in means.items() if values}


def list_clips(folder: Path) -> list[tuple[Path, NDArray, NDArray]]:
    """The files, beats and downbeats that the index.json of a folder names."""
    try:
        index = json.loads((folder / "index.json").read_text())
        return [(folder / c["file"], np.array(c["beats"]), np.array(c["downbeats"])) for c in index["clips"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder}: no index.json of clips with beats ({error})") from error


def read_clips(folder: Path) -> list[tuple[Floats, NDArray, NDArray]]:
    """Real music with known beats: index.json lists file, beats and downbeats in seconds. For `measure_beats`."""
    out = []
    for path, beats, downbeats in list_clips(folder):
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise UserError(f"{path}: cannot be read ({error})") from error
        out.append((FeatureStream().push(soxr.resample(samples.mean(axis=1), rate, RATE)).mel, beats, downbeats))
    return out


def _held_out(recordings: list[Recording]) -> list[tuple[Floats, NDArray, NDArray]]:
    """Every version of recordings that training never saw."""
    return [
        (mel.astype(np.float32), np.asarray(row_time(r.beats)), np.asarray(row_time(r.downbeats)))
        for r in recordings
        for mel in r.mel
    ]


def fit_beat_network(
    out: Path, work: Path, recipe: BeatRecipe, sources: BeatSources | None = None, force: bool = False, workers: int = 1
) -> dict[str, Any]:
    """Render, train, export, measure; write ear.onnx and ear.json into `out` and return what ear.json says.

    `workers`: processes that render. Resumes after a kill. UserError where `out` holds an ear and not `force`, or where
    a program or file is missing.
    """
    check_folder(out)
    check_folder(work)
    if (out / "ear.onnx").exists() and not force:
        raise UserError(f"{out}: has an ear already; --force replaces it")
    if recipe.tiny:
        recipe = recipe.shrunk()
    sources = sources or BeatSources()
    check_speaker()
    session = plan_session(recipe, sources)
    real = read_clips(sources.clips) if sources.clips else []
    paths = record_all(work / "recordings", session, workers)
    recordings = [load(path) for path in paths]
    kept = [r for k, r in enumerate(recordings) if k % HELD_OUT]
    away = [r for k, r in enumerate(recordings) if k % HELD_OUT == 0]
    ears = []
    for steps in sorted(recipe.steps, reverse=True):  # the better one first: it can be listened to meanwhile
        torch.manual_seed(recipe.seed)
        config = FitConfig(steps=steps, rate=recipe.rate, precision=recipe.precision)
        music = batches(kept, recipe.calls, recipe.batch, recipe.seed)
        ears.append(BeatNetwork(recipe.network))
        fit(FitTask(f"ear_{steps}", ears[-1], _loss, music, recipe.seed), config, work)
    return write_beat_network(ears, out, recipe, session, (_held_out(away), real))


def plan_session(recipe: BeatRecipe, sources: BeatSources) -> Session:
    """What is recorded for a recipe from these sources. UserError where one of them is missing or broken; what is done
    without is said."""
    fonts = sources.soundfonts(recipe.tiny)
    left_out: tuple[str, ...] = ()
    if sources.clips:
        left_out = tuple(sorted(path.name for path, _, _ in list_clips(sources.clips)))
    if sources.scores:
        open_library(sources.scores, left_out)
    else:
        say("without --scores: no human drummers, only tunes that are written by rule")
    if sources.voices:
        find_speakers(sources.voices)
    else:
        say("without --voices: only speech by eSpeak NG, and real speech will be taken for music")
    human = int(sources.scores is not None)
    return Session(
        recipe.seed, recipe.tunes, recipe.empties, recipe.seconds, recipe.spoiled, fonts, human * recipe.covers,
        human * recipe.jams, sources.scores, sources.voices, left_out,
    )  # fmt: skip


def write_beat_network(
    ears: Sequence[BeatNetwork], out: Path, recipe: BeatRecipe, session: Session, heard: tuple[Heard, Heard]
) -> dict[str, Any]:
    """Export, measure on recordings that were kept away and on real clips (`heard`), write ear.onnx and ear.json into
    `out`."""
    out.mkdir(parents=True, exist_ok=True)
    worst = export_beat_network(ears, out / "ear.onnx")
    onnx, _ = open_session(out / "ear.onnx")
    away, real = heard
    about: dict[str, Any] = {
        "format": FORMAT,
        "command": public_command(),
        "recipe": asdict(recipe),
        "data": describe_data(session),
        "licence": describe_licence(session),
        "parameters": sum(p.numel() for ear in ears for p in ear.parameters()),
        "difference to torch": worst,
        "figures": {"held-out tunes": measure_beats(onnx, away)},
    }
    if real:
        about["figures"]["real clips"] = measure_beats(onnx, real)
    write_whole(out / "ear.json", json.dumps(about, indent=1) + "\n")
    return about


def describe_data(session: Session) -> str:
    """What a session recorded, for ear.json."""
    fonts = ", ".join(path.stem for path in session.fonts)
    human = (
        f"{session.covers} covers of POP909 songs and {session.jams} jams, both with drummers of the Groove MIDI "
        f"Dataset, without the performances that the clips measure; "
    )
    return (
        f"{session.tunes} tunes of {session.seconds:g} s written by rule (training/synth/compose.py); "
        f"{human if session.scores else ''}played with {fonts}; {session.empties} stretches of "
        f"{'recorded and made-up' if session.voices else 'made-up'} speech, crowd, knocks, noise and silence"
    )


def describe_licence(session: Session) -> str:
    """The licence of the network, and of what it learned from."""
    human = "; Groove MIDI Dataset (Gillick et al., 2019) CC BY 4.0, POP909 (Wang et al., 2020) MIT"
    return f"MIT; no recorded song was used{human if session.scores else ''}"
