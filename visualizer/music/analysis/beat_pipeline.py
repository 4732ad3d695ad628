"""Samples -> what is heard in them: features, the beat network, the tracker, one after the other.

`BeatPipeline` does so live, `analyse_beats` for a song that is known to its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from visualizer import paths
from visualizer.errors import UserError
from visualizer.music.analysis.beats import Activations, Beats, BeatTracker, Flux, TrackerParams, find_beats
from visualizer.music.analysis.downbeat import DownbeatFeatures, downbeat_features
from visualizer.music.analysis.features import (
    HOP,
    MELS,
    RATE,
    Features,
    FeatureStream,
    Floats,
    Leveller,
    Levels,
    clean,
    row_time,
)
from visualizer.networks.session import open_session

ROWS = 2  # rows of features to a call of the network
HELD = 2.0  # seconds for which sound counts as music, where no network knows better
REFRACTORY = 0.4  # beats after one that was called, in which none is called: the tracker may have changed its mind
MISSED = 0.15  # beats within which a beat that has passed uncalled is called late


@dataclass(frozen=True, slots=True)
class BeatEstimate:
    """What is known of the music at `time`, seconds of sound since the start."""

    time: float  # of the newest sample; the tracker's own delay has been reckoned on
    bpm: float  # of the music, 55-200; the last one followed, also where `steady` is False
    beat: float  # beats since the start, bars at multiples of `meter`; may jump from one to the next
    meter: int  # 3 or 4
    confidence: float  # 0..1 that bpm and beat are right
    bar_confidence: float  # 0..1 that the bar is
    steady: bool  # there is a beat
    music: float  # 0..1 that there is music
    onset: float  # 0..1, the strongest of the rows that this push brought
    levels: Levels


class Levelling(Protocol):
    """A `Leveller`, or anything like it."""

    def push(self, features: Features) -> Levels | None: ...


def find_model() -> Path:
    """The beat network that ships."""
    return paths.models() / "ear" / "ear.onnx"


class BeatNetwork:
    """The beat network and its state. Rows of features in, as many activations out, but always for whole pairs of rows.

    The contract: mel (N, ROWS * MELS) and state (N, K) in; beat (N, ROWS), downbeat (N, ROWS), music (N, 1),
    phase (N, 4), in newer ones also tempo (N, T), and state_out (N, K) out. UserError if the file is no such network.
    """

    OUTPUTS = ("beat", "downbeat", "music", "phase", "state_out")
    TEMPO = "tempo"

    def __init__(self, path: Path) -> None:
        self._session, _ = open_session(path)
        inputs = {i.name: list(i.shape) for i in self._session.get_inputs()}
        outputs = {o.name: list(o.shape)[1:] for o in self._session.get_outputs()}
        state = inputs.get("state", [])
        known = [len(state) == 2, inputs.get("mel", [])[1:] == [ROWS * MELS], *(isinstance(n, int) for n in state[1:])]
        wanted = {"beat": [ROWS], "downbeat": [ROWS], "music": [1], "phase": [4], "state_out": state[1:]}
        tempo = outputs.get(self.TEMPO, [0])
        known += [len(tempo) == 1, *(isinstance(n, int) for n in tempo)]
        if set(inputs) != {"mel", "state"} or not all(known) or any(outputs.get(k) != v for k, v in wanted.items()):
            raise UserError(f"{path}: is no ear network (its inputs are {inputs}, its outputs {outputs})")
        self._size: int = state[1]
        self._tempi: int = tempo[0]
        self._outputs = (*self.OUTPUTS[:-1], *[self.TEMPO] * (self._tempi > 0), self.OUTPUTS[-1])
        self.reset()

    def reset(self) -> None:
        """As if nothing had been heard."""
        self._state = np.zeros((1, self._size), np.float32)
        self._waiting = np.zeros((0, MELS), np.float32)

    def push(self, mel: Floats) -> Activations:
        """mel (n, MELS), n >= 0; activations of the pairs that it completed."""
        rows = np.concatenate([self._waiting, mel])
        pairs = len(rows) // ROWS
        self._waiting = rows[pairs * ROWS :]
        made = []
        for pair in rows[: pairs * ROWS].reshape(pairs, 1, ROWS * MELS):
            *now, self._state = self._session.run(self._outputs, {"mel": pair, "state": self._state})
            tempo = now[4] if self._tempi else np.zeros((1, 0), np.float32)
            made.append([
                now[0][0], now[1][0], np.repeat(now[2][0], ROWS), np.repeat(now[3][:, :2], ROWS, axis=0),
                np.repeat(tempo, ROWS, axis=0),
            ])  # fmt: skip
        if not made:
            return nothing_heard(0, self._tempi)
        return Activations(*(np.concatenate(column) for column in zip(*made, strict=True)))


def nothing_heard(rows: int, tempi: int = 0) -> Activations:
    """The activations of rows without sound, by a network that tells so many tempi apart."""
    beat, downbeat, music = np.zeros((3, rows), np.float32)
    return Activations(beat, downbeat, music, np.zeros((rows, 2), np.float32), np.zeros((rows, tempi), np.float32))


class Rows(NamedTuple):
    """Rows that a push completed, in whole pairs."""

    activations: Activations
    onset: Floats  # 0..1
    clues: DownbeatFeatures

    def pairs(self) -> Iterator[Rows]:
        """Two rows at a time, as they become known."""
        for i in range(0, len(self.onset), ROWS):
            pair = slice(i, i + ROWS)
            yield Rows(
                Activations(*(part[pair] for part in self.activations)), self.onset[pair],
                DownbeatFeatures(*(part[pair] for part in self.clues)),
            )  # fmt: skip


class FrontEnd:
    """Samples -> rows for the tracker. Without a network the onsets alone are taken for beats: works, but worse."""

    def __init__(self, model: Path | None) -> None:
        self.network = None if model is None else BeatNetwork(model)
        self.reset()

    def reset(self) -> None:
        """As if nothing had been heard."""
        self.stream = FeatureStream()
        self.features = self.stream.push(np.zeros(0, np.float32))  # of the last push
        self._flux = Flux()
        self._onset = np.zeros(0, np.float32)  # of a row that waits for its other half
        self._clues = downbeat_features(self.features)  # the same
        self._sounding = 0.0  # seconds for which there will still be music
        self._music = np.zeros(0, np.float32)
        if self.network is not None:
            self.network.reset()

    def push(self, samples: Floats) -> Rows:
        """Float32 mono (n,) at RATE, n >= 0; NaN and infinity count as silence."""
        self.features = self.stream.push(clean(samples))
        onset = np.concatenate([self._onset, self._flux.push(self.features.onset)])
        clues = [np.concatenate(parts) for parts in zip(self._clues, downbeat_features(self.features), strict=True)]
        whole = len(onset) // ROWS * ROWS
        onset, self._onset = onset[:whole], onset[whole:]
        self._clues, now = (
            DownbeatFeatures(*(part[whole:] for part in clues)),
            DownbeatFeatures(*(part[:whole] for part in clues)),
        )
        if self.network is not None:
            return Rows(self.network.push(self.features.mel), onset, now)
        music = np.concatenate([self._music, self._sound()])
        music, self._music = music[:whole], music[whole:]
        return Rows(nothing_heard(whole)._replace(beat=onset, music=music), onset, now)

    def _sound(self) -> Floats:
        """1 in each row with sound in the last seconds, else 0."""
        out = np.zeros(len(self.features.power), np.float32)
        for i, loud in enumerate((self.features.power > 10 ** (Leveller.SILENCE / 10)).tolist()):
            self._sounding = HELD if loud else self._sounding - HOP / RATE
            out[i] = self._sounding > 0
        return out


def beat_at(tracker: BeatTracker, rows: int, time: float) -> float:
    """The tracker's beat at `time` seconds, a little after the last of `rows` rows that it has heard."""
    return tracker.beat + tracker.bpm / 60 * (time - float(row_time(rows - 1)))


class Caller:
    """Calls beats just before they sound."""

    def __init__(self) -> None:
        self._last = -math.inf

    def call(self, tracker: BeatTracker, rows: int) -> tuple[float, bool] | None:
        """Ask after each pair of rows: the time of a beat that sounds before the next pair is there, if one does, and
        whether it opens a bar. Or one at once that was not called: the tracker has just found that it is earlier."""
        if not tracker.steady:
            return None
        now, rate = rows * HOP / RATE, tracker.bpm / 60
        place = beat_at(tracker, rows, now)
        beat = math.floor(place)
        passed = (place - beat) / rate
        missed = passed < MISSED / rate and now - passed > self._last + (1 - REFRACTORY) / rate
        if missed and math.isfinite(self._last):
            time = now
        else:
            beat += place > beat
            time = now + (beat - place) / rate
            if time >= now + ROWS * HOP / RATE or time < self._last + REFRACTORY / rate:
                return None
        self._last = time
        return time, beat % tracker.meter == 0


class BeatPipeline:
    """The whole chain, live. For use from one thread.

    model None: no network. UserError if the file given is no beat network.
    """

    def __init__(
        self, model: Path | None, leveller: Levelling | None = None, params: TrackerParams | None = None
    ) -> None:
        self._params = params
        self._front = FrontEnd(model)
        self._leveller = leveller or Leveller()
        self.reset()

    def reset(self) -> None:
        """Forget the sound: time begins at 0 again."""
        self._front.reset()
        self.tracker = BeatTracker(self._params)
        self.beats: list[float] = []  # seconds of sound of those that the last push called, before they sound
        self.downbeats: list[float] = []  # those of them that open a bar
        self._caller = Caller()
        self._samples = 0
        self._rows = 0

    @property
    def heard_rows(self) -> Features:
        """Features of the last push."""
        return self._front.features

    def push(self, samples: Floats) -> BeatEstimate | None:
        """Float32 mono (n,) at RATE, n >= 0. None until the first rows are complete.

        The same numbers whatever the blocks, but for what they themselves decide: when one is told.
        """
        rows = self._front.push(samples)
        self._samples += len(samples)
        levels = self._leveller.push(self._front.features)
        self.beats, self.downbeats = [], []
        for pair in rows.pairs():
            self.tracker.push(*pair)
            self._rows += ROWS
            if (called := self._caller.call(self.tracker, self._rows)) is not None:
                self.beats.append(called[0])
                self.downbeats += [called[0]] * called[1]
        if not self._rows or levels is None:
            return None
        time, tracker = self._samples / RATE, self.tracker
        return BeatEstimate(
            time, tracker.bpm, beat_at(tracker, self._rows, time), tracker.meter,
            tracker.confidence, tracker.bar_confidence, tracker.steady, tracker.music,
            float(rows.onset.max(initial=0.0)), levels,
        )  # fmt: skip


@dataclass(frozen=True)
class SongBeats:
    """A song heard to its end: all rows, and the beats that are likeliest with the future known."""

    features: Features
    activations: Activations
    onset: Floats  # 0..1
    beats: Beats
    seconds: float
    peak: float  # of the samples


def analyse_beats(blocks: Iterable[Floats], model: Path | None, params: TrackerParams | None = None) -> SongBeats:
    """Blocks of float32 mono (n,) at RATE. UserError if `model` is no beat network."""
    front = FrontEnd(model)
    features, rows, count, peak = [], [], 0, 0.0
    tail = np.zeros(RATE // 10, np.float32)  # brings the last rows, and those of any song shorter than a window
    for block in chain(blocks, [tail]):
        peak = max(peak, float(np.abs(block).max(initial=0)))
        count += len(block)
        rows.append(front.push(block))
        features.append(front.features)
    joined = _joined(Features, features)
    activations = Activations(*(np.concatenate(column) for column in zip(*(r.activations for r in rows), strict=True)))
    onset = np.concatenate([r.onset for r in rows])
    beats = find_beats(activations, onset, params)
    return SongBeats(joined, activations, onset, beats, (count - len(tail)) / RATE, peak)


def _joined(kind: Any, parts: list[Any]) -> Any:
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in kind.__dataclass_fields__))
