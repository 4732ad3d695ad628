"""The ear: a small causal network that hears beats, downbeats and whether there is music, fifty times a second.

One call takes two rows of log-mel and a state, and gives what they say and the next state. All that it remembers is in
that state: how loud each band has been (so that volume and tone are of no consequence), the last rows (for the
convolutions) and two layers of gated recurrent units. A whole piece is one call of `forward` in training; `Step` is
the same numbers one call at a time.

What is exported is the mean of two such networks, that were taught for different times: on real clips neither is as
good as both (F .779 and .759, together .791).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from torch.nn import functional

from training.export import TOLERANCE, difference, export_network, public_command
from training.fit import FitConfig, fit
from training.folders import check_folder, write_whole
from training.synth.augment import check_speaker
from training.synth.dataset import HELD_OUT, QUIET, ROWS_A_CALL, Batch, Recording, batches, load, record_all
from training.synth.render import SOUNDFONTS, check_synthesiser
from visualizer import files
from visualizer.errors import UserError
from visualizer.music.analysis.features import HOPS_A_SECOND, MELS, RATE, FeatureStream, Floats, row_time
from visualizer.networks.session import open_session

FORMAT = 1
CALLS_A_SECOND = HOPS_A_SECOND / ROWS_A_CALL
HISTORY = 7  # rows that the convolutions look back on
RANGE = 10.0  # natural logs of power (43 dB) below the loudest band that are heard
FALL = 2.3 / (5 * CALLS_A_SECOND)  # the loudest band is forgotten by 10 dB in five seconds
KEEP = math.exp(-1 / (3 * CALLS_A_SECOND))  # mean and std of the bands: a time constant of three seconds
LEAST_STD = 0.3
OUTPUTS = ("beat", "downbeat", "music", "phase", "state_out")


@dataclass(frozen=True)
class EarConfig:
    """Sizes of the network."""

    first: int = 16  # channels of the first convolution
    second: int = 24
    dense: int = 128
    hidden: int = 160
    layers: int = 2


@dataclass(frozen=True)
class EarRecipe:
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
    network: EarConfig = EarConfig()
    tiny: bool = False

    @property
    def fonts(self) -> tuple[Path, ...]:
        """Soundfonts that the tunes are played with."""
        return SOUNDFONTS[:1] if self.tiny else SOUNDFONTS

    def shrunk(self) -> EarRecipe:
        """The same path in seconds, for tests: it hears badly."""
        network = EarConfig(first=4, second=4, dense=16, hidden=16, layers=2)
        return replace(
            self, tiny=True, precision="32-true", tunes=3, empties=1, seconds=8.0, spoiled=1, calls=100, batch=4,
            steps=(6, 4), network=network,
        )  # fmt: skip


class Ear(nn.Module):
    """The network over whole pieces, from a state of zeros. See `Step` for the same one call at a time."""

    def __init__(self, config: EarConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv2d(2, config.first, (3, 5), stride=(1, 2), padding=(0, 2))
        self.second = nn.Conv2d(config.first, config.second, (5, 3), stride=(ROWS_A_CALL, 2), padding=(0, 1))
        self.dense = nn.Linear(config.second * (MELS // 4), config.dense)
        self.gru = nn.GRU(config.dense, config.hidden, config.layers, batch_first=True)
        self.mix = nn.Linear(config.dense + config.hidden, 96)
        self.out = nn.Linear(96, 2 * ROWS_A_CALL + 1 + 4)
        with torch.no_grad():
            self.out.bias[: 2 * ROWS_A_CALL] = -3.0  # beats are rare

    @property
    def state_size(self) -> int:
        """Floats of the state: rows, sums of the bands, their weight, loudest band, std, recurrent layers."""
        return HISTORY * MELS + MELS + 3 + self.config.layers * self.config.hidden

    def look(self, rows: Tensor) -> Tensor:
        """Normalised rows (N, HISTORY + 2 calls, MELS) -> what the convolutions see, (N, calls, dense)."""
        rise = functional.relu(rows[:, 2:] - rows[:, :-2])
        x = torch.stack((rows[:, 2:], rise), dim=1)
        x = functional.relu(self.second(functional.relu(self.first(x))))
        return functional.relu(self.dense(x.transpose(1, 2).flatten(2)))

    def say(self, seen: Tensor, remembered: Tensor) -> Tensor:
        """Raw outputs (N, calls, 9): logits of two beats, two downbeats, music; then the phases, unbounded."""
        return self.out(functional.relu(self.mix(torch.cat((seen, remembered), dim=-1))))

    def forward(self, mel: Tensor) -> Tensor:
        """mel (N, calls, 2 * MELS) -> raw outputs (N, calls, 9)."""
        rows = normalise(mel)
        seen = self.look(functional.pad(rows.flatten(1, 2), (0, 0, HISTORY, 0))).float()
        # Never in bfloat16: it is no faster there, and steps too small for eight bits are how a beat is counted.
        with torch.autocast(mel.device.type, enabled=False):
            remembered, _ = self.gru(seen)
        return self.say(seen, remembered)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses of one batch, `total` the one to be minimised."""
        raw = self(batch.mel).float()
        n = ROWS_A_CALL
        # The first second is spent finding out how loud things are.
        heard = torch.ones_like(batch.known)
        heard[:, : int(CALLS_A_SECOND)] = 0.1
        # A missed beat weighs more than a false one: beats fill one row in thirty.
        beat = (_cross(raw[..., :n], batch.beat, 3.0) * heard).mean()
        downbeat = (_cross(raw[..., n : 2 * n], batch.downbeat, 5.0) * heard).mean()
        music = (_cross(raw[..., 2 * n : 2 * n + 1], batch.music, 1.0) * heard).mean()
        wrong = (torch.tanh(raw[..., 2 * n + 1 :]) - batch.phase).square()
        known = batch.known * heard
        beat_phase = (wrong[..., :2] * known).sum() / (known.sum() + 1)
        bar_phase = (wrong[..., 2:] * known).sum() / (known.sum() + 1)
        # The phase is what makes it remember: without, it stays a judge of single hits.
        total = beat + downbeat + 0.1 * music + 0.2 * beat_phase + 0.05 * bar_phase
        return {
            "total": total, "beat": beat, "downbeat": downbeat, "music": music, "beat_phase": beat_phase,
            "bar_phase": bar_phase,
        }  # fmt: skip


def _loss(ear: nn.Module, batch: Batch) -> dict[str, Tensor]:
    return cast(Ear, ear).loss(batch)  # or what wraps it on several devices


def _cross(raw: Tensor, wanted: Tensor, weight: float) -> Tensor:
    """Cross entropy whose positive half is weighted."""
    return functional.softplus(raw) * (1 - wanted) + weight * functional.softplus(-raw) * wanted


def normalise(mel: Tensor) -> Tensor:
    """Log-mel of whole pieces (N, calls, 2 * MELS) -> rows (N, calls, 2, MELS), whatever their volume and tone.

    Each band is heard relative to its own mean over the last seconds, in units of the std of all bands; what lies
    RANGE under the loudest band is silence. Means look at the past only; at the start they are means of what there is.
    """
    with torch.no_grad(), torch.autocast(mel.device.type, enabled=False):
        calls = mel.shape[1]
        rows = mel.float().unflatten(2, (ROWS_A_CALL, MELS))
        loudest = rows.amax(dim=(2, 3))
        fall = FALL * torch.arange(calls, device=mel.device)
        # Whatever comes after: the largest of what was, each fallen since.
        ceiling = (torch.cummax(loudest + fall, dim=1).values - fall)[:, :, None, None]
        rows = torch.maximum(rows, ceiling - RANGE) - ceiling
        age = torch.arange(calls, device=mel.device)
        age = (age[:, None] - age[None, :]).float()
        kept = torch.where(age >= 0, KEEP**age, 0.0)
        kept = kept / kept.sum(dim=1, keepdim=True)
        mean = kept @ rows.mean(dim=2)  # (N, calls, MELS)
        rows = rows - mean[:, :, None]
        std = (kept @ rows.square().mean(dim=(2, 3))[..., None]).sqrt().clamp_min(LEAST_STD)
        return (rows / std[..., None]).clamp(-5, 5)


class Step(nn.Module):
    """One call of one network, everything that it remembers in `state`."""

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self.ear = ear

    def forward(self, mel: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """mel (N, 2 * MELS), state (N, K), zeros at the start -> beat (N, 2), downbeat (N, 2), music (N, 1),
        phase (N, 4), state (N, K)."""
        ear, config = self.ear, self.ear.config
        sizes = [HISTORY * MELS, MELS, 1, 1, 1, *[config.hidden] * config.layers]
        history, sums, weight, ceiling, std, *hidden = state.split(sizes, dim=1)
        rows = mel.unflatten(1, (ROWS_A_CALL, MELS))
        # The ceiling is kept as height over the quietest there is, so that zeros mean: nothing yet.
        ceiling = torch.maximum(ceiling + QUIET - FALL, rows.amax(dim=(1, 2))[:, None])
        rows = torch.maximum(rows, ceiling[..., None] - RANGE) - ceiling[..., None]
        weight = weight * KEEP + 1
        sums = sums * KEEP + rows.mean(dim=1)
        rows = rows - (sums / weight)[:, None]
        std = std * KEEP + rows.square().mean(dim=(1, 2))[:, None]
        rows = (rows / (std / weight).sqrt().clamp_min(LEAST_STD)[..., None]).clamp(-5, 5)
        window = torch.cat((history.unflatten(1, (HISTORY, MELS)), rows), dim=1)
        seen = ear.look(window)[:, 0]
        below, after = seen, []
        for layer, before in enumerate(hidden):
            into = functional.linear(
                below, getattr(ear.gru, f"weight_ih_l{layer}"), getattr(ear.gru, f"bias_ih_l{layer}")
            ).chunk(3, dim=1)
            back = functional.linear(
                before, getattr(ear.gru, f"weight_hh_l{layer}"), getattr(ear.gru, f"bias_hh_l{layer}")
            ).chunk(3, dim=1)
            reset, update = torch.sigmoid(into[0] + back[0]), torch.sigmoid(into[1] + back[1])
            new = torch.tanh(into[2] + reset * back[2])
            below = (1 - update) * new + update * before
            after.append(below)
        raw = ear.say(seen, below)
        n = ROWS_A_CALL
        chances = torch.sigmoid(raw[:, : 2 * n + 1])
        state_out = torch.cat((window[:, ROWS_A_CALL:].flatten(1), sums, weight, ceiling - QUIET, std, *after), dim=1)
        return chances[:, :n], chances[:, n : 2 * n], chances[:, 2 * n :], torch.tanh(raw[:, 2 * n + 1 :]), state_out


class Together(nn.Module):
    """One call of several networks, their states end to end: the mean of what they say. This is what is exported."""

    def __init__(self, ears: Sequence[Ear]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(Step(ear) for ear in ears)
        self.sizes = [ear.state_size for ear in ears]

    def forward(self, mel: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """As `Step`; state (N, sum of all K)."""
        pairs = zip(self.steps, state.split(self.sizes, dim=1), strict=True)
        said = list(zip(*(step(mel, own) for step, own in pairs), strict=True))
        return *(torch.stack(one).mean(dim=0) for one in said[:-1]), torch.cat(said[-1], dim=1)


# --- export ----------------------------------------------------------------------------------------------------


def export_ear(ears: Sequence[Ear], path: Path) -> float:
    """Write ear.onnx, checked against torch over a few calls; returns the largest difference found."""
    step = Together(ears).eval()
    mel, state = torch.randn(2, ROWS_A_CALL * MELS) * 3 - 10, torch.zeros(2, sum(step.sizes))
    worst = 0.0
    with files.write_whole(path) as part, torch.no_grad():
        export_network(step, {"mel": mel, "state": state}, list(OUTPUTS), part)
        for _ in range(4):
            inputs = {"mel": torch.randn(3, ROWS_A_CALL * MELS) * 3 - 10, "state": state[:1].repeat(3, 1)}
            worst = max(worst, difference(step, part, inputs, list(OUTPUTS)))
            state = step(**inputs)[-1]
        if not worst <= TOLERANCE["ear"]:
            raise UserError(f"{path.name}: onnxruntime and torch differ by {worst:g}")
    return worst


def listen(session: ort.InferenceSession, mel: Floats) -> dict[str, Floats]:
    """Rows (rows, MELS) through the exported network, call by call from zeros; each output by row or by call."""
    state = np.zeros((1, session.get_inputs()[1].shape[1]), np.float32)
    said: dict[str, list[NDArray]] = {name: [] for name in OUTPUTS[:-1]}
    for k in range(len(mel) // ROWS_A_CALL):
        given = np.asarray(mel[k * ROWS_A_CALL : (k + 1) * ROWS_A_CALL], np.float32).reshape(1, -1)
        *heard, state = session.run(list(OUTPUTS), {"mel": given, "state": state})
        for name, value in zip(OUTPUTS, heard, strict=False):
            said[name].append(np.asarray(value)[0])
    out = {name: np.array(values, np.float32) for name, values in said.items()}
    return {
        "beat": out["beat"].ravel(),
        "downbeat": out["downbeat"].ravel(),
        "music": out["music"][:, 0],
        "phase": out["phase"],
    }


# --- measures --------------------------------------------------------------------------------------------------


def pick(activation: Floats, threshold: float = 0.25, apart: int = 14) -> NDArray[np.float64]:
    """Seconds of the peaks of an activation: the plainest reading of it, without any tracker."""
    rows = np.arange(len(activation))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(activation, apart), 2 * apart + 1).max(axis=1)
    return np.asarray(row_time(rows[(activation >= around) & (activation > threshold)]), np.float64)


def f_measure(found: NDArray[np.floating], wanted: NDArray[np.floating], skip: float = 5.0) -> float:
    """mir_eval's F within 70 ms, after `skip` seconds of warm-up."""
    return float(mir_eval.beat.f_measure(found[found >= skip], wanted[wanted >= skip]))


def measure_ear(session: ort.InferenceSession, heard: list[tuple[Floats, NDArray, NDArray]]) -> dict[str, float]:
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
    """Real music with known beats: index.json lists file, beats and downbeats in seconds. For `measure_ear`."""
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


# --- all of it -------------------------------------------------------------------------------------------------


def fit_ear(out: Path, work: Path, recipe: EarRecipe, clips: Path | None = None, force: bool = False) -> dict[str, Any]:
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
    paths = record_all(
        work / "recordings", recipe.seed, recipe.tunes, recipe.empties, recipe.seconds, recipe.spoiled, recipe.fonts
    )
    recordings = [load(path) for path in paths]
    kept = [r for k, r in enumerate(recordings) if k % HELD_OUT]
    away = [r for k, r in enumerate(recordings) if k % HELD_OUT == 0]
    ears = []
    for steps in recipe.steps:
        torch.manual_seed(recipe.seed)
        config = FitConfig(steps=steps, rate=recipe.rate, precision=recipe.precision)
        music = batches(kept, recipe.calls, recipe.batch, recipe.seed)
        ears.append(Ear(recipe.network))
        fit(f"ear_{steps}", ears[-1], _loss, music, config, work, recipe.seed)
    return write_ear(ears, out, recipe, _held_out(away), real)


Heard = list[tuple[Floats, NDArray, NDArray]]  # mel, beats and downbeats of pieces, see `measure_ear`


def write_ear(ears: Sequence[Ear], out: Path, recipe: EarRecipe, away: Heard, real: Heard) -> dict[str, Any]:
    """Export, measure on tunes that were kept away and on real clips, write ear.onnx and ear.json into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    worst = export_ear(ears, out / "ear.onnx")
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
        "figures": {"held-out tunes": measure_ear(session, away)},
    }
    if real:
        about["figures"]["real clips"] = measure_ear(session, real)
    write_whole(out / "ear.json", json.dumps(about, indent=1) + "\n")
    return about
