"""Tempo, beat and bar out of a stream of hints: a belief over every tempo and every place within the beat.

The belief is a bar-pointer model (Krebs, Böck and Widmer, *An efficient state-space model for joint tempo and meter
tracking*, 2015), cut down to one beat; downbeat.py counts the bars. Each row of 10 ms it moves on by what a
steady beat would do, and is then weighed with what was heard. Which beat is followed is what the likeliest path through
the last seconds says, since the sum over all paths changes its mind with every fill; where exactly it is, and how sure
that is, says the belief. Nothing waits for the future: the place that is reported is that of this moment, reckoned on
from the last row.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from visualizer.music.analysis.beat_belief import FINE, PHASES, Belief, Doubles
from visualizer.music.analysis.beat_path import LivePath, find_path
from visualizer.music.analysis.downbeat import (
    COLOUR_ROWS,
    LOW,
    BarCounter,
    DownbeatFeatures,
    DownbeatScorer,
    count_bars,
)
from visualizer.music.analysis.features import HOPS_A_SECOND, Floats, row_time
from visualizer.music.analysis.steady_gate import SteadyGate

PLACES_A_SECOND = HOPS_A_SECOND * FINE
SLOWEST, FASTEST = 55.0, 200.0  # BPM; what is quicker is danced at half the tempo anyway
NEAR_TEMPO, NEAR_PHASE = 0.08, 0.12  # natural log and beats: what counts as the same beat, heard less exactly
BREAK = 1.25  # beats without a sound
USUAL = 3.0  # seconds over which a tempo is averaged
RENEWED = 8  # rows after which the belief is put in order
SETTLED = 5  # rows after a beat until its hints have been heard to the end
KEPT = 150  # rows that are remembered for the bar: more than the slowest beat and what is heard after it
JUMP = 1e-5  # share of beats after which any tempo may follow, in a song heard whole
SONG_SALIENCE = 1.0  # weight of what the network says of the tempo of a song heard whole: a power for each second
LEAST_SALIENCE = 0.02  # of an even chance: what the network thinks impossible may still be
CERTAIN = 1.0  # confidence of a song: natural log a beat


@dataclass(frozen=True)
class TrackerParams:
    """What was tuned, on half of the clips with known beats: `python -m bench.ear DIR --tune`."""

    tempi: int = 144
    center: float = 118.0  # BPM at which the prior peaks
    spread: float = 0.45  # octaves, its standard deviation
    stiff: float = 110.0  # how seldom the tempo changes from beat to beat
    restart: float = 0.002  # share of the belief that starts again with each row: what finds a new tempo
    share: float = 0.75  # of the network in what is heard; the rest are onsets
    path: float = 0.5  # the same for the live path, which remembers better than the network does
    memory: float = 10.0  # seconds that the live path remembers
    whole: float = 0.33  # the same in a song heard whole, where the path remembers better than the network does
    weight: float = 0.4  # of a row's hint, as a power of its odds; neighbouring rows say the same
    even: float = 0.08  # activity that speaks neither for nor against a beat
    floor: float = 0.3  # odds of a beat that is not played
    lean: float = 0.2  # natural log that the network's phase is worth each RENEWED rows, where it is quite sure
    width: float = 0.015  # seconds, the spread of hints about the beat
    awake: float = 0.3  # activity within the last second and a half below which rows count less: a break
    patience: float = 0.6  # seconds for which the likeliest path must have gone by another beat than is followed
    salience: float = 1.0  # of what the network says of the tempo: the power of it that each second is worth
    bar_weight: float = 0.2  # of a downbeat's hint, as a power
    bar_slip: float = 0.02  # share of beats at which the count of the bar goes wrong


SLOWEST_HEARD, FASTEST_HEARD = 40.0, 240.0  # BPM that the network tells apart


def salience_tempi(count: int) -> Doubles:
    """(count) BPM of the network's tempo outputs, evenly over octaves."""
    return np.geomspace(SLOWEST_HEARD, FASTEST_HEARD, count)


class Activations(NamedTuple):
    """What the beat network makes of rows of features: each (rows), probabilities, but for the phase."""

    beat: Floats  # a beat sounded at row_time(row)
    downbeat: Floats  # and it opened a bar
    music: Floats  # there is music
    phase: Floats  # (rows, 2) sin and cos of the place within the beat; the shorter, the less sure
    tempo: Floats  # (rows, K) chance of each of `salience_tempi(K)`, its octave included; K is 0 where it does not say


class Beats(NamedTuple):
    """Beats of a song that was heard whole."""

    beats: Doubles  # seconds; empty where there is no beat
    downbeats: Doubles  # those of them that open a bar
    meter: int
    confidence: float


class _Space:
    """The tempi that are thought of, and what is thought of them before anything is heard."""

    def __init__(self, params: TrackerParams) -> None:
        shortest, longest = (60 / bpm * PLACES_A_SECOND for bpm in (FASTEST, SLOWEST))
        self.periods = np.unique(np.round(np.geomspace(shortest, longest, params.tempi)).astype(np.int64))
        prior = np.array([tempo_prior(period, params) for period in self.periods])
        spaced = prior * np.gradient(np.log(self.periods))  # the tempi are not quite evenly spaced
        self.prior = spaced / spaced.sum()
        self.fresh = np.repeat(self.prior / self.periods, self.periods)
        self.rate = float((self.prior / self.periods).sum())  # beats a place, for one who knows nothing
        reach = math.ceil(3 * params.width * PLACES_A_SECOND)
        self.bump = np.exp(-0.5 * (np.arange(-reach, reach + 1) / PLACES_A_SECOND / params.width) ** 2)
        away = np.abs(self.periods[None, :] / self.periods[:, None] - 1)
        self.moves = np.exp(-params.stiff * away)  # from the tempo of a row to that of a column
        self.moves /= self.moves.sum(axis=1, keepdims=True)

    def near_moves(self, reach: int) -> Doubles:
        """`moves` that go no farther than the next `reach` tempi on either side."""
        number = np.arange(len(self.periods))
        moves = np.where(np.abs(number[:, None] - number) <= reach, self.moves, 0.0)
        return moves / moves.sum(axis=1, keepdims=True)


def read_salience(tempo: Doubles, periods: NDArray[np.int64]) -> Doubles:
    """What the network says of the tempo, (K) chances, at each period (places), in units of an even chance."""
    bpms = np.log(salience_tempi(len(tempo)))
    return np.interp(np.log(60 * PLACES_A_SECOND / periods), bpms, tempo) * len(tempo) + LEAST_SALIENCE


def tempo_prior(period: float, params: TrackerParams) -> float:
    """How likely a beat of `period` places is, 1 at the likeliest: normal over octaves."""
    octaves = math.log2(period * params.center / 60 / PLACES_A_SECOND)
    return math.exp(-0.5 * (octaves / params.spread) ** 2)


def _log_odds(hint: float, lively: float, params: TrackerParams) -> float:
    """How much a row speaks for a beat: natural logarithm. A row of a break, where nothing is lively, says nothing."""
    hint = min(max(hint, 1e-3), 1 - 1e-3)
    gate = min(lively / params.awake, 1.0)
    odds = (hint / (1 - hint) * (1 - params.even) / params.even) ** (params.weight * gate)
    return math.log(odds if odds > 1 else params.floor + (1 - params.floor) * odds)


_TEMPO_SHARE = 1 / (2 * HOPS_A_SECOND)  # of a row, in what the network says of the tempo
_TURN = 2 * np.pi * (np.arange(PHASES) + 0.5) / PHASES
_SIN, _COS = np.sin(_TURN), np.cos(_TURN)
_LIVELY = 1 - 1 / (1.5 * HOPS_A_SECOND)  # what is left of liveliness after a row


class BeatTracker:
    """Push rows; read `bpm`, `beat` and how far they can be trusted, all true of the last row that was pushed.

    beat: beats since the start, bars beginning at multiples of `meter`. It may jump when the tracker changes its mind.
    """

    def __init__(self, params: TrackerParams | None = None) -> None:
        self.params = params or TrackerParams()
        self._space = space = _Space(self.params)
        self._belief = Belief(space.periods, space.fresh, space.near_moves(8))
        memory = self.params.memory * HOPS_A_SECOND
        self._path = LivePath(space.periods, np.log(space.moves + JUMP), np.log(space.prior), space.bump, memory)
        self._lively = 0.0
        self._rows = 0
        self._heard = 0  # the last row that was lively
        self._urge = 0.0  # seconds for which another beat has been likelier
        self._place = 0.0  # beats, not yet counted in bars
        self._bar, self._signs = BarCounter(self.params.bar_weight, self.params.bar_slip), DownbeatScorer()
        self._counted = 0  # the last beat that the bar knows of
        self._downbeats: deque[float] = deque([0.0] * KEPT, maxlen=KEPT)  # of the last rows
        self._clues: deque[Floats] = deque(maxlen=KEPT)  # of the last rows, if somebody gives them
        self.period = 60 / self.params.center * PLACES_A_SECOND  # places
        self._usual = math.log(self.period)  # of the last seconds: the tempo that a break goes on with
        self.mass = 0.0  # share of the belief that is near the beat that is followed
        self.evidence = 0.0  # natural log, over some seconds: how much better the rows were foretold than by chance
        self.music = 0.0  # of the last second
        self._tempo: Doubles | None = None  # what the network has said of the tempo over the last seconds
        self._gate = SteadyGate()
        self.steady = False  # there is a beat

    @property
    def bpm(self) -> float:
        return 60 * PLACES_A_SECOND / self.period

    @property
    def beat(self) -> float:
        return self._place + self._bar.shift

    @property
    def meter(self) -> int:
        return self._bar.meter

    @property
    def bar_confidence(self) -> float:
        """0..1 that bars begin where `beat` says, if the beat itself is right."""
        return self._bar.confidence

    @property
    def confidence(self) -> float:
        """0..1 that tempo and beat are right."""
        score = 4 * (self.mass - 0.45) + 0.4 * (self.evidence - 5)
        return self.music / (1 + math.exp(-min(max(score, -30.0), 30.0)))

    def tempi(self) -> tuple[Doubles, Doubles]:
        """The belief over tempo: BPM, and the share of each."""
        return 60 * PLACES_A_SECOND / self._space.periods, self._belief.tempi()

    def push(self, rows: Activations, onset: Floats, clues: DownbeatFeatures | None = None) -> None:
        """onset (rows): 0..1, from `Flux`. Without `clues` bars are counted by the network's downbeats alone."""
        hints, path_hints = (share * rows.beat + (1 - share) * onset for share in (self.params.share, self.params.path))
        if clues is not None:
            self._clues.extend(clues.joined())
        for said in rows.tempo if rows.tempo.shape[1] else ():
            self._tempo = (
                said.astype(float) if self._tempo is None else self._tempo + (said - self._tempo) * _TEMPO_SHARE
            )
        columns = (
            zip(hints.tolist(), path_hints.tolist(), strict=True),
            rows.downbeat,
            rows.music,
            rows.phase.tolist(),
        )
        for pair, downbeat, music, phase in zip(*columns, strict=True):
            self._hear(pair, float(downbeat), float(music), phase)

    def _hear(self, hints: tuple[float, float], downbeat: float, music: float, phase: list[float]) -> None:
        hint, path_hint = hints
        space, params = self._space, self.params
        self._rows += 1
        self._place += FINE / self.period
        self._downbeats.append(downbeat)
        self.music += (music - self.music) / HOPS_A_SECOND
        self._lively = max(hint, self._lively * _LIVELY)
        if hint >= params.awake / 2:
            self._heard = self._rows
        # Else a beat that stays away would be taken for one that is late, and the tempo would sag into every break.
        lively = 0.0 if self._break else self._lively
        self._path.weigh_row(_log_odds(path_hint, lively, params))
        powers = np.exp(_log_odds(hint, lively, params) * space.bump)
        grown = self._belief.weigh_row(powers)
        chance = 1 + float(powers.sum() - len(powers)) * space.rate
        self.evidence += math.log((1 + grown) / chance) - self.evidence / (4 * HOPS_A_SECOND)
        if self._rows % RENEWED == 0:
            self._belief.renew(RENEWED * params.restart * min(lively / params.awake, 1.0))
            if not self._break:
                # Single hits look alike at double the tempo; the network's own count of the beat tells them apart.
                counted = params.lean * (phase[0] * _SIN + phase[1] * _COS)
                self._belief.lean_on_phase(np.exp(counted))
                self._path.lean_on_phase(counted)
                if self._tempo is not None:
                    said = params.salience * RENEWED / HOPS_A_SECOND * np.log(read_salience(self._tempo, space.periods))
                    self._belief.lean_on_tempo(np.exp(said))
                    self._path.lean_on_tempo(said)
            self._path.fade(RENEWED)
            self._compare()
        if self._rows % 2 == 0:
            self._follow()
            self._count()
            self.steady = self._gate.push(self.confidence, 2 / HOPS_A_SECOND)

    @property
    def _break(self) -> bool:
        """Nothing has been heard where the last beat should have been."""
        return (self._rows - self._heard) * FINE > BREAK * self.period

    def _compare(self) -> None:
        """Change over to the beat of the likeliest path when it has been another one for long enough."""
        if self._break:
            return
        which, place = self._path.best()
        period = float(self._space.periods[which])
        near = abs(math.log(period / self.period)) < NEAR_TEMPO
        if near and abs(math.remainder(place - self._place, 1.0)) < NEAR_PHASE:
            self._urge = 0.0
            return
        self._urge += RENEWED / HOPS_A_SECOND
        if self._urge > self.params.patience:
            self._urge = 0.0
            _, self.period, place = self._belief.mass_around(period, place, NEAR_TEMPO, NEAR_PHASE)
            self._usual = math.log(self.period)
            self._place += math.remainder(place - self._place, 1.0)
            self._bar.doubt()

    def _follow(self) -> None:
        """Where the followed beat is now."""
        if self._break:
            self.period = math.exp(self._usual)
            return
        self.mass, period, phase = self._belief.mass_around(self.period, self._place % 1.0, NEAR_TEMPO, NEAR_PHASE)
        if abs(math.remainder(self._place, 1.0)) * self.period < SETTLED * FINE:
            return  # in the midst of the hints of a beat, whose first half says that it is early
        self._usual += (math.log(period) - self._usual) * 2 / HOPS_A_SECOND / USUAL
        if abs(math.log(period) - self._usual) > NEAR_TEMPO:
            self._usual = math.log(period)
        self.period = period
        self._place += math.remainder(phase - self._place, 1.0)

    def _count(self) -> None:
        """Tell the bar of each beat after which enough was heard."""
        rate = FINE / self.period  # beats a row
        while self._place - COLOUR_ROWS * rate >= self._counted + 1:
            self._counted += 1
            row = KEPT - 1 - round((self._place - self._counted) / rate)
            heard = [self._downbeats[i] for i in range(max(row - SETTLED, 0), row + SETTLED)]
            self._bar.beat(self._counted, max(heard, default=None), self._sign(row - KEPT))

    def _sign(self, back: int) -> float:
        """What the clues from a beat on say of it; `back`: its row, from the end, negative."""
        start = len(self._clues) + back
        if self._break or start < 0:
            return 0.0
        clues = np.array([self._clues[i] for i in range(start, min(start + COLOUR_ROWS, len(self._clues)))])
        return self._signs.push(DownbeatFeatures(clues[:, :LOW], clues[:, LOW:]))


class Flux:
    """Onset strength -> how much each row looks like a beat, 0..1: its height between the usual and the peak."""

    def __init__(self) -> None:
        self._mean, self._peak = 0.0, 0.0

    def push(self, onset: Floats) -> Floats:
        """(rows) -> (rows)."""
        out = np.empty(len(onset), np.float32)
        for i, now in enumerate(onset.tolist()):
            self._mean += (now - self._mean) / HOPS_A_SECOND
            self._peak = max(now, self._peak + (self._mean - self._peak) / (4 * HOPS_A_SECOND))
            out[i] = (max(now - self._mean, 0.0) / (self._peak - self._mean + 0.02)) ** 2
        return out


def find_beats(rows: Activations, onset: Floats, params: TrackerParams | None = None) -> Beats:
    """Beats of a song heard whole, with the future known: the likeliest path through the same belief (Viterbi).

    onset (rows): 0..1, from `Flux`. Beats lie on a grid of 5 ms.
    """
    params = params or TrackerParams()
    space = _Space(params)
    hints = (params.whole * rows.beat + (1 - params.whole) * onset).tolist()
    gains, lively, nothing = np.empty(len(hints)), 0.0, Beats(np.zeros(0), np.zeros(0), 4, 0.0)
    for i, hint in enumerate(hints):
        lively = max(hint, lively * _LIVELY)
        gains[i] = _log_odds(hint, lively, params)
    if len(gains) < 2 * HOPS_A_SECOND:
        return nothing
    moves = np.log(space.moves + JUMP)
    prior = np.log(space.prior)
    if rows.tempo.shape[1]:
        said = np.log(read_salience(rows.tempo.mean(axis=0), space.periods))
        moves += SONG_SALIENCE * said * space.periods / PLACES_A_SECOND  # of each beat, by its length
    places, score = find_path(gains, space.bump, space.periods, moves, prior)
    if len(places) < 4:
        return nothing
    chance = np.log1p((np.exp(gains[:, None] * space.bump) - 1).sum(axis=1) * space.rate).sum()
    surprise = (score - chance) / len(places)
    confidence = float(np.mean(rows.music) * np.clip(surprise / CERTAIN, 0, 1))
    at = (places + 1) / FINE - 1  # rows
    near = np.round(at).astype(int)[:, None] + np.arange(-SETTLED, SETTLED)
    hints = rows.downbeat[np.clip(near, 0, len(gains) - 1)].max(axis=1)
    meter, first = count_bars(hints.tolist(), params.bar_weight, params.bar_slip)
    return Beats(np.asarray(row_time(at)), np.asarray(row_time(at[first])), meter, confidence)
