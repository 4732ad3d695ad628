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
from training.synth.dataset import HELD_OUT, Batch, Recording, Session, batches, load, record_all
from training.synth.render import SOUNDFONTS, check_synthesiser
from visualizer.errors import UserError
from visualizer.music.analysis.features import HOPS_A_SECOND, RATE, FeatureStream, Floats, row_time
from visualizer.networks.session import open_session

FORMAT = 1


@dataclass(frozen=True)
class BeatRecipe:
    """Everything that decides the ear beside its code. The defaults make the one that ships."""

    seed: int = 11
    precision: str = "bf16-mixed"
    tunes: int = 720
    empties: int = 60
    seconds: float = 30.0
    spoiled: int = 2
    calls: int = 400
    batch: int = 32
    steps: tuple[int, ...] = (3600, 7200)  # of each network
    rate: float = 2e-3
    network: BeatNetworkConfig = field(default_factory=BeatNetworkConfig)
    tiny: bool = False

    @property
    def fonts(self) -> tuple[Path, ...]:
        """Soundfonts that the tunes are played with."""
        return SOUNDFONTS[:1] if self.tiny else SOUNDFONTS

    def shrunk(self) -> BeatRecipe:
        """The same path in seconds, for tests: it hears badly."""
        network = BeatNetworkConfig(first=4, second=4, dense=16, hidden=16, layers=2)
        return replace(
            self, tiny=True, precision="32-true", tunes=3, empties=1, seconds=8.0, spoiled=1, calls=100, batch=4,
            steps=(6, 4), network=network,
        )  # fmt: skip


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


def read_clips(folder: Path) -> list[tuple[Floats, NDArray, NDArray]]:
    """Real music with known beats: index.json lists file, beats and downbeats in seconds. For `measure_beats`."""
    try:
        index = json.loads((folder / "index.json").read_text())
        clips = [(folder / c["file"], np.array(c["beats"]), np.array(c["downbeats"])) for c in index["clips"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder}: no index.json of clips with beats ({error})") from error
    out = []
    for path, beats, downbeats in clips:
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
    out: Path, work: Path, recipe: BeatRecipe, clips: Path | None = None, force: bool = False
) -> dict[str, Any]:
    """Render, train, export, measure; write ear.onnx and ear.json into `out` and return what ear.json says.

    Resumes after a kill. UserError where `out` holds an ear and not `force`, or where a program is missing.
    """
    check_folder(out)
    check_folder(work)
    if (out / "ear.onnx").exists() and not force:
        raise UserError(f"{out}: has an ear already; --force replaces it")
    if recipe.tiny:
        recipe = recipe.shrunk()
    check_synthesiser(recipe.fonts)
    check_speaker()
    real = read_clips(clips) if clips else []
    session = Session(recipe.seed, recipe.tunes, recipe.empties, recipe.seconds, recipe.spoiled, recipe.fonts)
    paths = record_all(work / "recordings", session)
    recordings = [load(path) for path in paths]
    kept = [r for k, r in enumerate(recordings) if k % HELD_OUT]
    away = [r for k, r in enumerate(recordings) if k % HELD_OUT == 0]
    ears = []
    for steps in recipe.steps:
        torch.manual_seed(recipe.seed)
        config = FitConfig(steps=steps, rate=recipe.rate, precision=recipe.precision)
        music = batches(kept, recipe.calls, recipe.batch, recipe.seed)
        ears.append(BeatNetwork(recipe.network))
        fit(FitTask(f"ear_{steps}", ears[-1], _loss, music, recipe.seed), config, work)
    return write_beat_network(ears, out, recipe, _held_out(away), real)


def write_beat_network(
    ears: Sequence[BeatNetwork], out: Path, recipe: BeatRecipe, away: Heard, real: Heard
) -> dict[str, Any]:
    """Export, measure on tunes that were kept away and on real clips, write ear.onnx and ear.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    worst = export_beat_network(ears, out / "ear.onnx")
    session, _ = open_session(out / "ear.onnx")
    about: dict[str, Any] = {
        "format": FORMAT,
        "command": public_command(),
        "recipe": asdict(recipe),
        "data": f"{recipe.tunes} tunes of {recipe.seconds:g} s written by rule (training/synth/compose.py), "
        f"played with {', '.join(f.stem for f in recipe.fonts)}; "
        f"{recipe.empties} stretches of speech, crowd, noise and silence",
        "licence": "MIT; no recorded song was used",
        "parameters": sum(p.numel() for ear in ears for p in ear.parameters()),
        "difference to torch": worst,
        "figures": {"held-out tunes": measure_beats(session, away)},
    }
    if real:
        about["figures"]["real clips"] = measure_beats(session, real)
    write_whole(out / "ear.json", json.dumps(about, indent=1) + "\n")
    return about
