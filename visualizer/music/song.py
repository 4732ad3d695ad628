"""A song file: its samples, and all there is to hear in it before it is played.

`read_song` streams, so an evening's mix of three hours needs no more memory than a song.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError
from visualizer.music.clock import BEATS_PER_BAR, Hearing, fold
from visualizer.music.features import HOP, HOPS_A_SECOND, RATE, FeatureStream, Floats, dynamic_spread, row_time

if TYPE_CHECKING:
    import av

SILENT = 1e-3  # peak, -60 dBFS: a file that never gets louder holds nothing to dance to
MEAN_SPACING = 6.0  # beats: how far the smoothing of beat times reaches
FEWEST_BEATS = 4


def read_song(path: Path, rate: int, channels: int = 2) -> Iterator[Floats]:
    """Blocks of float32 (n, channels) at `rate` Hz, channels 1 or 2; broken pieces are left out.

    UserError where the file is missing, is no sound, or breaks before its first sample.
    """
    import av  # late: a third of a second
    import av.error

    _must_be_a_file(path)
    heard_any = False
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise UserError(f"{path}: holds no sound")
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="flt", layout="mono" if channels == 1 else "stereo", rate=rate)
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    continue  # a scratch in the file: play on after it
                for frame in frames:
                    heard_any = True
                    yield from _resample(resampler, frame, channels)
            if heard_any:  # a resampler that was never fed has nothing to give
                yield from _resample(resampler, None, channels)
    except av.error.FFmpegError as error:
        if not heard_any:
            raise UserError(f"{path}: cannot be read as sound ({error.strerror})") from error
    if not heard_any:
        raise UserError(f"{path}: cannot be read as sound (no sample of it decodes)")


def _resample(resampler: av.AudioResampler, frame: av.AudioFrame | None, channels: int) -> Iterator[Floats]:
    for piece in resampler.resample(frame):
        yield np.asarray(piece.to_ndarray(), np.float32).reshape(-1, channels)


def _must_be_a_file(path: Path) -> None:
    if not path.exists():
        raise UserError(f"{path}: no such song")
    if not path.is_file():
        raise UserError(f"{path}: not a file")
    if not os.access(path, os.R_OK):
        raise UserError(f"{path}: may not be read")


def check_song(path: Path) -> None:
    """Quick: reads until the first sound. UserError if there is none, or the file is missing or broken."""
    for block in read_song(path, RATE, 1):
        if np.abs(block).max(initial=0) > SILENT:
            return
    raise UserError(f"{path}: is silent from beginning to end")


@dataclass(frozen=True)
class HeardSong:
    """A song heard whole. Curves have 100 rows a second; times are seconds from the first sample.

    beats (B): times of the beats. first: musical time of beats[0], chosen so that bars begin at multiples of 4 and
    that the song does not begin before 0. factor: beats danced for each beat of the music (see clock.fold).
    """

    name: str
    seconds: float
    bpm: float  # of the music, not of the dance
    beats: NDArray[np.float64]
    first: int
    factor: float
    confidence: float
    loudness: Floats
    bass: Floats
    mid: Floats
    treble: Floats
    energy: Floats

    def musical_time(self, t: float) -> float:
        """Musical time of the dance at `t` seconds, also before the first and after the last beat."""
        return (self.first + _place(self.beats, t)) * self.factor

    def pace(self, t: float) -> float:
        """BPM of the dance at `t` seconds."""
        i = int(np.clip(np.searchsorted(self.beats, t) - 1, 0, len(self.beats) - 2))
        return 60 / float(self.beats[i + 1] - self.beats[i]) * self.factor

    def hearing(self, t: float) -> Hearing:
        """All that is heard at `t` seconds; silence outside the song."""
        row = int(t * HOPS_A_SECOND)
        inside = 0 <= row < len(self.energy)
        levels = (self.loudness, self.bass, self.mid, self.treble, self.energy)
        now = [float(curve[row]) if inside else 0.0 for curve in levels]
        return Hearing(t, self.pace(t), self.musical_time(t), self.confidence, *now)


def _place(beats: NDArray[np.float64], t: float) -> float:
    """Beats since beats[0] at `t`, straight on at the tempo of the first and last beats outside them."""
    n = len(beats)
    edge = min(8, n - 1)
    if t < beats[0]:
        return float((t - beats[0]) * edge / (beats[edge] - beats[0]))
    if t > beats[-1]:
        return n - 1 + float((t - beats[-1]) * edge / (beats[-1] - beats[-1 - edge]))
    return float(np.interp(t, beats, np.arange(n)))


def hear_song(path: Path, bpm: float = 120.0) -> HeardSong:
    """Listen to the whole file (some 1-2% of its length); remembered while the program runs.

    `bpm` is danced where the song has no beat to be found; its confidence is 0 then. UserError as in read_song.
    """
    _must_be_a_file(path)
    stat = path.stat()
    return _hear(path, stat.st_mtime_ns, stat.st_size, bpm)


@lru_cache(maxsize=8)
def _hear(path: Path, _mtime: int, _size: int, bpm: float) -> HeardSong:
    stream = FeatureStream()
    rows = []
    peak, samples = 0.0, 0
    for block in read_song(path, RATE, 1):
        peak = max(peak, float(np.abs(block).max(initial=0)))
        samples += len(block)
        rows.append(stream.push(block[:, 0]))
    if peak <= SILENT:
        raise UserError(f"{path}: is silent from beginning to end")
    rows.append(stream.push(np.zeros(RATE // 10, np.float32)))  # the last hops, and any file shorter than a window
    onset, power = np.concatenate([r.onset for r in rows]), np.concatenate([r.power for r in rows])
    mel, bands = np.concatenate([r.mel for r in rows]), np.concatenate([r.bands for r in rows])
    beats = find_beats(onset, bands[:, 0])
    confidence = 0.0
    first = 0
    if len(beats) >= FEWEST_BEATS:
        confidence = _contrast(_flatten(onset), beats)
        first = -_downbeat(mel, bands, beats)
        bpm = float(60 / np.median(np.diff(beats)))
    else:
        beats = np.arange(0.0, max(samples / RATE, 4 * 60 / bpm) + 60 / bpm, 60 / bpm)
    factor = fold(bpm)
    bar = BEATS_PER_BAR / factor  # so many beats of the music are a bar of the dance
    while (first + _place(beats, 0.0)) < 0:
        first += round(max(bar, BEATS_PER_BAR))
    loudness, bass, mid, treble, energy = _curves(power, bands, onset)
    return HeardSong(path.name, samples / RATE, bpm, beats, first, factor, confidence,
                     loudness, bass, mid, treble, energy)  # fmt: skip


def find_beats(onset: Floats, bass: Floats) -> NDArray[np.float64]:
    """Times in seconds of the beats, from onsets and bass power at 100 rows a second; empty if there are none.

    Ellis, "Beat tracking by dynamic programming" (2007), as in librosa; its beats sit on the grid of rows and on
    single loud hits, so they are then smoothed: each is moved to the line through its neighbours. It is fed with
    onsets, and with rises of the bass in amplitude, where a kick outdoes a bass line: F .74 instead of .61 with onsets
    alone on our 53 clips with known beats.
    """
    import librosa  # late: about a second

    if len(onset) < 2 * HOPS_A_SECOND or not np.any(onset > 0):
        return np.zeros(0)
    amplitude = np.sqrt(np.concatenate([bass[:1], bass[:1], bass]))
    kicks = np.maximum(amplitude[2:] - amplitude[:-2], 0)  # over 20 ms, like the onsets
    strength = np.zeros(len(onset))
    for weight, curve in ((1.0, _flatten(onset)), (1.5, _flatten(kicks))):
        strength += weight * curve / (curve.std() + 1e-9)
    _, rows = librosa.beat.beat_track(
        onset_envelope=strength, sr=RATE, hop_length=HOP, start_bpm=125, tightness=300, trim=False
    )
    if len(rows) < FEWEST_BEATS:
        return np.zeros(0)
    heard = _near(strength, rows)
    weights = np.clip(heard / (np.median(heard) + 1e-9), 1e-3, 1)  # a beat put into silence is a guess
    return _smooth(np.asarray(row_time(rows.astype(float))), weights)


def _flatten(curve: Floats) -> NDArray:
    """Onsets above the mean of the second about them, in units of it: a quiet verse counts as much as the chorus."""
    mean = _average(curve, 1.0)
    return np.maximum(curve - mean, 0) / (mean + curve.mean() + 1e-9)


def _smooth(times: NDArray[np.float64], trust: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares line through the neighbours of each beat, weighted by trust and (Gaussian) by nearness."""
    n = len(times)
    k = np.arange(-int(3 * MEAN_SPACING), int(3 * MEAN_SPACING) + 1)
    index = np.arange(n)[:, None] + k
    inside = (index >= 0) & (index < n)
    near = np.clip(index, 0, n - 1)
    weights = np.exp(-0.5 * (k / MEAN_SPACING) ** 2) * inside * trust[near]
    weights /= weights.sum(axis=1, keepdims=True)
    y = times[near]
    mean_k, mean_y = (weights * k).sum(axis=1), (weights * y).sum(axis=1)
    away = k - mean_k[:, None]
    slope = (weights * away * y).sum(axis=1) / (weights * away**2).sum(axis=1)
    return mean_y - slope * mean_k


def _rows_of(beats: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    return np.clip(np.round(beats * HOPS_A_SECOND).astype(np.int64), 0, length - 1)


def _near(curve: NDArray, rows: NDArray) -> NDArray:
    """Greatest value within 30 ms of each row."""
    return np.max([curve[np.clip(rows + d, 0, len(curve) - 1)] for d in range(-3, 4)], axis=0)


def _contrast(onset: NDArray, beats: NDArray[np.float64]) -> float:
    """0..1: by how much onsets on the beats outdo those between them."""
    rows = _rows_of(beats, len(onset))
    between = _rows_of(beats[:-1] + np.diff(beats) * 0.37, len(onset))  # off every usual subdivision
    on, off = float(_near(onset, rows).mean()), float(_near(onset, between).mean())
    return float(np.clip((on - off) / (on + off + 1e-9), 0, 1))


def _downbeat(mel: Floats, bands: Floats, beats: NDArray[np.float64]) -> int:
    """Index 0..3 of the first beat that opens a bar, by what comes back on every fourth beat.

    Two clues, equally weighted: more bass than mid (a kick, not a snare), and a change of the lower half of the
    spectrum since the beat before (harmony). With the true beats given, right on 77% of our clips with known bars.
    """
    rows = _rows_of(beats, len(mel))
    decibels = 10 * np.log10(np.maximum(bands, 1e-9))
    hit = np.array([decibels[r : r + 12, 0].mean() - decibels[r : r + 8, 1].mean() for r in rows])
    low = np.stack([mel[r : r + 45, : mel.shape[1] * 3 // 8].mean(axis=0) for r in rows])
    low -= low.mean(axis=1, keepdims=True)  # its colour, not its loudness
    change = np.concatenate([[0.0], np.abs(np.diff(low, axis=0)).mean(axis=1)])
    scores = np.zeros(BEATS_PER_BAR)
    for clue in (hit, change):
        standard = (clue - clue.mean()) / (clue.std() + 1e-9)
        scores += [standard[k::BEATS_PER_BAR].mean() for k in range(BEATS_PER_BAR)]
    return int(np.argmax(scores))


def _curves(power: Floats, bands: Floats, onset: Floats) -> tuple[Floats, ...]:
    """Loudness, bass, mid, treble, energy of a whole song, each (rows) in 0..1."""
    everything = np.concatenate([power[:, None], bands], axis=1)
    decibels = 10 * np.log10(np.maximum(everything, 1e-10))
    ceiling = np.percentile(decibels, 98, axis=0)
    levels = np.clip(1 + (_fall(decibels) - ceiling) / 24, 0, 1).astype(np.float32)
    slow, density = _average(decibels[:, 0], 2.0), _average(onset, 2.0)
    rank = (_rank(slow) + _rank(density)) / 2
    energy = (0.5 + (rank - 0.5) * dynamic_spread(slow)) * np.clip((slow + 65) / 10, 0.1, 1)
    return levels[:, 0], levels[:, 1], levels[:, 2], levels[:, 3], energy.astype(np.float32)


def _fall(decibels: NDArray, a_second: float = 60.0) -> NDArray:
    """Up at once, down by no more than so many decibels a second: what the eye can follow."""
    slope = np.arange(len(decibels))[:, None] * (a_second / HOPS_A_SECOND)
    return np.maximum.accumulate(decibels + slope, axis=0) - slope


def _average(curve: NDArray, seconds: float) -> NDArray:
    """Mean over `seconds` about each row."""
    half = max(int(seconds * HOPS_A_SECOND / 2), 1)
    total = np.cumsum(np.concatenate([[0.0], curve]))
    left = np.clip(np.arange(len(curve)) - half, 0, len(curve))
    right = np.clip(np.arange(len(curve)) + half, 0, len(curve))
    return (total[right] - total[left]) / (right - left)


def _rank(curve: NDArray) -> NDArray:
    """Share of the song that is below each row, 0..1; equal values share their rank."""
    ordered = np.sort(curve)
    return (np.searchsorted(ordered, curve, "left") + np.searchsorted(ordered, curve, "right")) / (2 * len(curve))
