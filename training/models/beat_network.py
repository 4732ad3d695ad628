"""The ear: a small causal network that hears beats, downbeats, tempo and whether there is music, fifty times a second.

One call takes two rows of log-mel and a state, and gives its outputs for them and the next state. All its memory is in
that state: how loud each band has been (so that volume and tone do not matter), the last rows (for the convolutions)
and two layers of gated recurrent units. In training a whole piece is one call of `forward`; `Step` computes the same
one call at a time.

What is exported is the mean of two such networks that were trained for different numbers of steps: on real clips they
are better together than either alone (F .791; .779 and .759 alone).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.export import TOLERANCE
from training.onnx_export import difference, export_network
from training.synth.dataset import QUIET, ROWS_A_CALL, Batch
from visualizer import files
from visualizer.errors import UserError
from visualizer.music.analysis.beats import FASTEST_HEARD, SLOWEST_HEARD, salience_tempi
from visualizer.music.analysis.features import HOPS_A_SECOND, MELS, Floats

CALLS_A_SECOND = HOPS_A_SECOND / ROWS_A_CALL

HISTORY = 7  # rows that the convolutions look back on

RANGE = 10.0  # natural logs of power (43 dB) below the loudest band; what is quieter counts as silence

FALL = 2.3 / (5 * CALLS_A_SECOND)  # the remembered loudest band falls by 10 dB in five seconds

KEEP = math.exp(-1 / (3 * CALLS_A_SECOND))  # mean and std of the bands: a time constant of three seconds

LEAST_STD = 0.3

CHANCES = 2 * ROWS_A_CALL + 1  # raw outputs that are logits: beats, downbeats, music

TEMPI = 48  # that the network tells apart, see `salience_tempi`: steps of 4%, so that an octave is 18 of them

TEMPO_SPREAD = 0.045  # octaves, of what counts as the right tempo

OUTPUTS = ("beat", "downbeat", "music", "phase", "tempo", "state_out")


@dataclass(frozen=True)
class BeatNetworkConfig:
    """Sizes of the network."""

    first: int = 16  # channels of the first convolution
    second: int = 24
    dense: int = 128
    hidden: int = 160
    layers: int = 2


class BeatNetwork(nn.Module):
    """The network over whole pieces, from a state of zeros. See `Step` for the same one call at a time."""

    def __init__(self, config: BeatNetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.first = nn.Conv2d(2, config.first, (3, 5), stride=(1, 2), padding=(0, 2))
        self.second = nn.Conv2d(config.first, config.second, (5, 3), stride=(ROWS_A_CALL, 2), padding=(0, 1))
        self.dense = nn.Linear(config.second * (MELS // 4), config.dense)
        self.gru = nn.GRU(config.dense, config.hidden, config.layers, batch_first=True)
        self.mix = nn.Linear(config.dense + config.hidden, 96)
        self.out = nn.Linear(96, CHANCES + 4)
        self.tempo = nn.Linear(config.hidden, TEMPI)
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
        """Raw outputs (N, calls, 9 + TEMPI): logits of two beats, two downbeats, music; then the phases, unbounded, and
        logits of the tempi."""
        told = self.out(functional.relu(self.mix(torch.cat((seen, remembered), dim=-1))))
        # The tempo, and with it the octave, is a matter of memory alone.
        return torch.cat((told, self.tempo(remembered)), dim=-1)

    def forward(self, mel: Tensor) -> Tensor:
        """mel (N, calls, 2 * MELS) -> raw outputs (N, calls, 9 + TEMPI)."""
        rows = normalise(mel)
        seen = self.look(functional.pad(rows.flatten(1, 2), (0, 0, HISTORY, 0))).float()
        # Never in bfloat16: it is no faster, and beats are counted in steps too small for its eight bits.
        with torch.autocast(mel.device.type, enabled=False):
            remembered, _ = self.gru(seen)
        return self.say(seen, remembered)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses of one batch, `total` the one to be minimised."""
        raw = self(batch.mel).float()
        n = ROWS_A_CALL
        # The first second is not judged: the network still measures how loud the bands are.
        heard = torch.ones_like(batch.known)
        heard[:, : int(CALLS_A_SECOND)] = 0.1
        # A missed beat weighs more than a false one: beats fill one row in thirty.
        beat = (_cross(raw[..., :n], batch.beat, 3.0) * heard).mean()
        downbeat = (_cross(raw[..., n : 2 * n], batch.downbeat, 5.0) * heard).mean()
        music = (_cross(raw[..., 2 * n : 2 * n + 1], batch.music, 1.0) * heard).mean()
        wrong = (torch.tanh(raw[..., CHANCES : CHANCES + 4]) - batch.phase).square()
        known = batch.known * heard
        beat_phase = (wrong[..., :2] * known).sum() / (known.sum() + 1)
        bar_phase = (wrong[..., 2:] * known).sum() / (known.sum() + 1)
        tempo = (self.tempo_loss(raw[..., CHANCES + 4 :], batch.tempo) * known).sum() / (known.sum() + 1)
        # The phase makes it remember: without this loss it only judges single hits. The tempo is what tells it that
        # eighths are not beats: half and double are as wrong as any other.
        total = beat + downbeat + 0.1 * music + 0.2 * beat_phase + 0.05 * bar_phase + 0.05 * tempo
        return {
            "total": total, "beat": beat, "downbeat": downbeat, "music": music, "beat_phase": beat_phase,
            "bar_phase": bar_phase, "tempo": tempo,
        }  # fmt: skip

    @staticmethod
    def tempo_loss(raw: Tensor, bpm: Tensor) -> Tensor:
        """Logits (N, calls, TEMPI) and BPM (N, calls, 1) -> cross entropy (N, calls, 1) with the tempi about it."""
        octaves = torch.from_numpy(np.log2(salience_tempi(TEMPI))).to(raw)
        away = (octaves - torch.log2(bpm.clamp(SLOWEST_HEARD, FASTEST_HEARD))) / TEMPO_SPREAD
        wanted = torch.softmax(-0.5 * away.square(), dim=-1)
        return -(wanted * torch.log_softmax(raw, dim=-1)).sum(dim=-1, keepdim=True)


def _cross(raw: Tensor, wanted: Tensor, weight: float) -> Tensor:
    """Cross entropy whose positive half is weighted."""
    return functional.softplus(raw) * (1 - wanted) + weight * functional.softplus(-raw) * wanted


def normalise(mel: Tensor) -> Tensor:
    """Normalise log-mel of whole pieces (N, calls, 2 * MELS) to rows (N, calls, 2, MELS) without volume and tone.

    Each band is relative to its own mean over the last seconds, in units of the std of all bands; what lies RANGE
    below the loudest band is silence. Means are of the past only, at the start of what there is of it.
    """
    with torch.no_grad(), torch.autocast(mel.device.type, enabled=False):
        calls = mel.shape[1]
        rows = mel.float().unflatten(2, (ROWS_A_CALL, MELS))
        loudest = rows.amax(dim=(2, 3))
        fall = FALL * torch.arange(calls, device=mel.device)
        # The largest value so far, where each has fallen since it was heard.
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
    """One call of one network; all its memory is in `state`."""

    def __init__(self, ear: BeatNetwork) -> None:
        super().__init__()
        self.ear = ear

    def forward(self, mel: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """mel (N, 2 * MELS), state (N, K), zeros at the start -> beat (N, 2), downbeat (N, 2), music (N, 1),
        phase (N, 4), tempo (N, TEMPI), state (N, K)."""
        ear, config = self.ear, self.ear.config
        sizes = [HISTORY * MELS, MELS, 1, 1, 1, *[config.hidden] * config.layers]
        history, sums, weight, ceiling, std, *hidden = state.split(sizes, dim=1)
        rows = mel.unflatten(1, (ROWS_A_CALL, MELS))
        # The ceiling is kept as its height above the lowest possible value, so that a state of zeros means silence.
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
        chances = torch.sigmoid(raw[:, :CHANCES])
        phase, tempo = torch.tanh(raw[:, CHANCES : CHANCES + 4]), torch.softmax(raw[:, CHANCES + 4 :], dim=1)
        state_out = torch.cat((window[:, ROWS_A_CALL:].flatten(1), sums, weight, ceiling - QUIET, std, *after), dim=1)
        return chances[:, :n], chances[:, n : 2 * n], chances[:, 2 * n :], phase, tempo, state_out


class Together(nn.Module):
    """One call of several networks, with their states joined: the mean of their outputs. This is what is exported."""

    def __init__(self, ears: Sequence[BeatNetwork]) -> None:
        super().__init__()
        self.steps = nn.ModuleList(Step(ear) for ear in ears)
        self.sizes = [ear.state_size for ear in ears]

    def forward(self, mel: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """As `Step`; state (N, sum of all K)."""
        pairs = zip(self.steps, state.split(self.sizes, dim=1), strict=True)
        said = list(zip(*(step(mel, own) for step, own in pairs), strict=True))
        return *(torch.stack(one).mean(dim=0) for one in said[:-1]), torch.cat(said[-1], dim=1)


def export_beat_network(ears: Sequence[BeatNetwork], path: Path) -> float:
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
        "tempo": out["tempo"],
    }


Heard = list[tuple[Floats, NDArray, NDArray]]  # mel, beats and downbeats of pieces, see `measure_beats`
