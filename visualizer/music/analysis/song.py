"""All there is to hear in a song before it is played.

The file streams by, so an evening's mix of three hours needs little more memory than a song.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.music.analysis import analysis_cache
from visualizer.music.analysis.downbeat import LOW
from visualizer.music.analysis.features import HOPS_A_SECOND, RATE, Floats, row_time
from visualizer.music.analysis.genre import (
    DANCES,
    EARLIEST,
    GenreFeatures,
    GenreScores,
    Strokes,
    Weights,
    load_weights,
    weights_file,
)
from visualizer.music.analysis.phrases import ONSET, PHRASE, find_first_bar, find_opening
from visualizer.music.analysis.song_levels import measure_levels
from visualizer.music.clock import BEATS_PER_BAR, Hearing, fold
from visualizer.music.song_file import SILENT, read_song
from visualizer.paths import must_be_a_file

if TYPE_CHECKING:
    from visualizer.music.analysis.beat_pipeline import FrontEnd

FEWEST_BEATS = 4
STEP = 8  # beats from one verdict on the genre to the next
VERSION = 4  # of what is kept; another one when it, or the way to it, changes
PIECE, OVERLAP = round(1200 * HOPS_A_SECOND), round(20 * HOPS_A_SECOND)  # rows in which beats are looked for at a time
UNSURE = 0.1  # confidence below which there is no beat to dance to
TEMPO_STEP = 0.08  # natural log, of four beats against the four before: no wavering, another tempo
MEAN_SPACING = 4.0  # beats: how far the smoothing of beat times reaches

log = logging.getLogger("visualizer")


@dataclass(frozen=True)
class SongAnalysis:
    """A song heard whole. Curves have 100 rows a second; times are seconds from the first sample.

    beats (B): times of the beats. first: musical time of beats[0] in beats of the music, chosen so that the bars and
    the phrases of the dance begin with those of the music, and that the song does not begin before 0. factor: beats
    danced for each beat of the music (see clock.fold). moments (M): times from which on it sounds like `mixes` (M).
    """

    name: str
    seconds: float
    bpm: float  # of the music, not of the dance
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    first: int
    factor: float
    confidence: float
    loudness: Floats
    bass: Floats
    mid: Floats
    treble: Floats
    energy: Floats
    moments: NDArray[np.float64]
    mixes: tuple[GenreScores, ...]

    def musical_time(self, t: float) -> float:
        """Musical time of the dance at `t` seconds, also before the first and after the last beat."""
        return (self.first + _place(self.beats, t)) * self.factor

    def pace(self, t: float) -> float:
        """BPM of the dance at `t` seconds."""
        i = int(np.clip(np.searchsorted(self.beats, t) - 1, 0, len(self.beats) - 2))
        return 60 / float(self.beats[i + 1] - self.beats[i]) * self.factor

    def mix(self, t: float) -> GenreScores:
        """What it sounds like about `t` seconds; () where nothing is known."""
        i = int(np.searchsorted(self.moments, t, "right")) - 1
        return self.mixes[max(i, 0)] if self.mixes else ()

    def hearing(self, t: float) -> Hearing:
        """All that is heard at `t` seconds; silence outside the song."""
        row = int(t * HOPS_A_SECOND)
        inside = 0 <= row < len(self.energy)
        levels = (self.loudness, self.bass, self.mid, self.treble, self.energy)
        now = [float(curve[row]) if inside else 0.0 for curve in levels]
        return Hearing(
            t, self.pace(t), self.musical_time(t), self.confidence, *now, mix=self.mix(t), phrases_known=True
        )


def _place(beats: NDArray[np.float64], t: float) -> float:
    """Beats since beats[0] at `t`, straight on at the tempo of the first and last beats outside them."""
    n = len(beats)
    edge = min(8, n - 1)
    if t < beats[0]:
        return float((t - beats[0]) * edge / (beats[edge] - beats[0]))
    if t > beats[-1]:
        return n - 1 + float((t - beats[-1]) * edge / (beats[-1] - beats[-1 - edge]))
    return float(np.interp(t, beats, np.arange(n)))


# --- listening -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Whole:
    """What is kept of a song, whatever it is called and however it is danced.

    opening: index of a beat with which a phrase of the music begins. levels (5, rows) 0..255: loudness, bass, mid,
    treble, energy. mixes (M, G): shares of `genres` from each of `moments` (M) on.
    """

    seconds: float
    confidence: float
    meter: int
    opening: int
    beats: NDArray[np.float64]
    levels: NDArray[np.uint8]
    moments: NDArray[np.float64]
    mixes: NDArray[np.float32]
    genres: tuple[str, ...]


def hear_song(path: Path, bpm: float = 120.0) -> SongAnalysis:
    """Listen to the whole file (some 2-3% of its length), or remember it: from this run or an earlier one.

    `bpm` is danced where the song has no beat to be found; its confidence is 0 then. UserError as in read_song.
    """
    must_be_a_file(path, "song")
    return _hear(path, analysis_cache.hash_of_file(path), bpm)


@lru_cache(maxsize=8)
def _hear(path: Path, song: str, bpm: float) -> SongAnalysis:
    from visualizer.music.analysis.beat_pipeline import find_model

    model, taste, weights = find_model(), weights_file(), None
    if not model.is_file():
        log.info("%s: no such network; beats are found by onsets alone, which is worse", model)
    try:
        weights = load_weights(taste)
    except UserError as error:
        log.info("%s; no genres are heard", error)
    ears = [analysis_cache.hash_of_file(file) if file.is_file() else "" for file in (model, taste)]
    key = analysis_cache.hash_of(song, str(VERSION), *ears)
    whole = analysis_cache.recall(key, _restore)
    if whole is None:
        whole = _listen(path, model if model.is_file() else None, weights)
        analysis_cache.keep(key, _arrays(whole))
    return _danced(path.name, whole, bpm)


def _arrays(whole: _Whole) -> dict[str, NDArray]:
    return {f.name: np.asarray(getattr(whole, f.name)) for f in fields(_Whole)}


def _restore(kept: Mapping[str, NDArray]) -> _Whole:
    """ValueError or KeyError if these are not the arrays of a _Whole."""
    beats, levels, moments, mixes, genres = (kept[name] for name in ("beats", "levels", "moments", "mixes", "genres"))
    seconds, confidence = float(kept["seconds"].item()), float(kept["confidence"].item())
    meter, opening = kept["meter"].item(), kept["opening"].item()
    ordered = all(a.ndim == 1 and a.dtype == np.float64 and np.isfinite(a).all() and (np.diff(a) > 0).all()
                  for a in (beats, moments))  # fmt: skip
    if not ordered or (len(beats) < FEWEST_BEATS and confidence):
        raise ValueError("its times are not in order")
    if not (seconds > 0 and 0 <= confidence <= 1 and meter in range(1, 13) and opening in range(max(len(beats), 1))):
        raise ValueError("its numbers are out of range")
    if levels.dtype != np.uint8 or levels.ndim != 2 or levels.shape[0] != 5 or levels.shape[1] < seconds:
        raise ValueError("its levels are no levels")
    if mixes.dtype != np.float32 or mixes.shape != (len(moments), len(genres)) or not np.isfinite(mixes).all():
        raise ValueError("its genres are no genres")
    names = tuple(str(g) for g in genres.tolist())
    if not set(names) <= set(DANCES):
        raise ValueError("its genres are unknown")
    return _Whole(seconds, confidence, meter, opening, beats, levels, moments, mixes, names)


def _danced(name: str, whole: _Whole, bpm: float) -> SongAnalysis:
    """How to dance to it. `bpm` for a song without a beat."""
    beats = whole.beats
    if whole.confidence:
        bpm = float(60 / np.median(np.diff(beats)))
        downbeats = beats[whole.opening % whole.meter :: whole.meter]
    else:
        downbeats = np.zeros(0)
        beats = np.arange(0.0, max(whole.seconds, FEWEST_BEATS * 60 / bpm) + 60 / bpm, 60 / bpm)
    factor = fold(bpm)
    phrase = max(round(PHRASE / factor), 1)  # beats of the music that are a phrase of the dance
    first = -whole.opening % phrase
    while first + _place(beats, 0.0) < 0:
        first += phrase
    loudness, bass, mid, treble, energy = whole.levels.astype(np.float32) / 255
    mixes = tuple(tuple(zip(whole.genres, row, strict=True)) for row in whole.mixes.tolist())
    return SongAnalysis(
        name, whole.seconds, bpm, beats, downbeats, first, factor, whole.confidence,
        loudness, bass, mid, treble, energy, whole.moments, mixes,
    )  # fmt: skip


def _listen(path: Path, model: Path | None, weights: Weights | None) -> _Whole:
    """Hear the file as it streams by. Of each hop a few numbers are kept, so that a whole night fits into memory."""
    from visualizer.music.analysis.beat_pipeline import FrontEnd  # late: a song that was heard before needs none of it

    front, strokes = FrontEnd(model), Strokes()
    heard: list[tuple[NDArray, ...]] = []
    peak, samples = 0.0, 0
    for block in read_song(path, RATE, 1):
        peak = max(peak, float(np.abs(block).max(initial=0)))
        samples += len(block)
        heard.append(_hops(front, strokes, block[:, 0]))
    if peak <= SILENT:
        raise UserError(f"{path}: is silent from beginning to end")
    # The last hops, and those of any file shorter than a window.
    heard.append(_hops(front, strokes, np.zeros(RATE // 10, np.float32)))
    power, bands, values, low, *rows, onset = (np.concatenate(column) for column in zip(*heard, strict=True))
    beats, meter, confidence = _beats(rows, onset)
    levels = np.stack(
        [np.rint(curve * 255).astype(np.uint8) for curve in measure_levels(power, bands, values[:, ONSET])]
    )
    genres = weights.genres if weights else ()
    opening, moments, mixes = 0, np.zeros(0), np.zeros((0, len(genres)), np.float32)
    if len(beats):
        phase = find_first_bar(low, bands, rows[1], beats, meter)
        opening = find_opening(values, power, beats, phase, meter)
        if weights:
            moments, mixes = _mixes(values, beats, opening, weights)
    return _Whole(samples / RATE, confidence, meter, opening, beats, levels, moments, mixes, genres)


def _hops(front: FrontEnd, strokes: Strokes, samples: Floats) -> tuple[NDArray, ...]:
    """What is kept of each hop that the samples completed: power, bands, measures, mel, activations and onsets."""
    rows, features = front.push(samples), front.features
    measures, low = strokes.push(features.mel).astype(np.float16), features.mel[:, :LOW].astype(np.float16)
    return features.power, features.bands, measures, low, *rows.activations, rows.onset


def _beats(rows: list[Floats], onset: Floats) -> tuple[NDArray[np.float64], int, float]:
    """Beats, meter and confidence, the song taken in pieces that overlap; no beats where nothing is sure.

    The beats lie on a grid of 5 ms and on single strokes; they are then smoothed, each moved to the line through its
    neighbours.
    """
    from visualizer.music.analysis.beats import Activations, find_beats

    beats, weights = np.zeros(0), []
    for start in range(0, max(len(onset) - OVERLAP, 1), PIECE):
        piece = slice(start, start + PIECE + OVERLAP)
        found = find_beats(Activations(*(part[piece] for part in rows)), onset[piece])
        seam = (start + OVERLAP / 2) / HOPS_A_SECOND if start else -math.inf
        later = found.beats + start / HOPS_A_SECOND
        if len(beats) and len(later) > 1:  # at a beat that both have found, or midway between two that they have not
            spacing = float(np.median(np.diff(later)))
            beats = beats[beats < seam]
            again = (beats[-1] if len(beats) else -math.inf) + spacing / 2
            later = later[later > again]
        beats = np.concatenate([beats, later])
        weights.append((len(found.beats), found.confidence, found.meter))
    confidence = sum(n * c for n, c, _ in weights) / max(sum(n for n, _, _ in weights), 1)
    if len(beats) < FEWEST_BEATS or confidence < UNSURE:
        return np.zeros(0), BEATS_PER_BAR, 0.0
    return _smooth(beats), max(weights)[2], confidence  # the meter of the piece with most beats


def _smooth(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares line through the neighbours of each beat, weighted by nearness (Gaussian), up to the next step of
    the tempo: a line across one would lie beside the beats on both sides of it."""
    return np.maximum.accumulate(np.concatenate([_straighten(part) for part in np.split(times, _steps(times))]))


def _steps(times: NDArray[np.float64]) -> list[int]:
    """Indices of the beats with which another tempo begins, FEWEST_BEATS apart at least."""
    spacing = np.log(np.maximum(np.diff(times), 1e-3))
    change = np.zeros(len(times))
    for i in range(FEWEST_BEATS, len(times) - FEWEST_BEATS):
        after, before = spacing[i : i + FEWEST_BEATS], spacing[i - FEWEST_BEATS : i]
        if abs(np.median(after) - np.median(before)) > TEMPO_STEP:  # one beat too many or too few is no step
            change[i] = abs(after.mean() - before.mean())
    steps: list[int] = []
    for i in np.argsort(-change, kind="stable").tolist():
        if not change[i]:
            break
        if all(abs(i - other) >= FEWEST_BEATS for other in steps):
            steps.append(i)
    return sorted(steps)


def _straighten(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """`_smooth` within one tempo."""
    if len(times) < 3:
        return times
    n = len(times)
    k = np.arange(-int(3 * MEAN_SPACING), int(3 * MEAN_SPACING) + 1)
    index = np.arange(n)[:, None] + k
    near = np.clip(index, 0, n - 1)
    weights = np.exp(-0.5 * (k / MEAN_SPACING) ** 2) * (index == near)
    weights /= weights.sum(axis=1, keepdims=True)
    y = times[near] - times[:, None]
    mean_k, mean_y = (weights * k).sum(axis=1), (weights * y).sum(axis=1)
    away = k - mean_k[:, None]
    slope = (weights * away * y).sum(axis=1) / (weights * away**2).sum(axis=1)
    return times + mean_y - slope * mean_k


def _mixes(
    values: NDArray[np.float16], beats: NDArray[np.float64], opening: int, weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """What each phrase of eight beats sounds like: times (M) and shares (M, G).

    As live, but heard ahead: the averages reach two phrases into what comes, so that a dance changes with the music
    and not after it.
    """
    times = np.asarray(row_time(np.arange(len(values))))
    places = np.interp(times, beats, np.arange(float(len(beats))))
    firsts = range(opening % STEP, len(beats), STEP)
    flavour, moments, mixes = GenreFeatures(), [], []
    done = int(beats[0] * HOPS_A_SECOND)
    for first in firsts:
        ahead = min(first + 2 * STEP, len(beats) - 1)
        end = min(int(beats[ahead] * HOPS_A_SECOND), len(values))
        pace = 60 / float(np.median(np.diff(beats[max(ahead - 2 * STEP, 0) : ahead + 1])))
        flavour.push(values[done:end].astype(np.float32), places[done:end], pace)
        done = end
        if flavour.seconds >= EARLIEST / 2:
            moments.append(beats[first])
            mixes.append(weights.shares(flavour.numbers()))
    shape = (len(moments), len(weights.genres))
    return np.array(moments, np.float64), np.array(mixes, np.float32).reshape(shape)
