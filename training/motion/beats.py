"""Beats found in movement: captured dance has no music, but dancers brake and turn on the beat.

The onset envelope of a song is replaced by joint deceleration, and librosa's dynamic-programming tracker
(Ellis, "Beat Tracking by Dynamic Programming", 2007) does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from visualizer.dancer.pack import STEPS_PER_BEAT

from .skeleton import INDEX

SLOWEST, FASTEST = 80.0, 160.0  # the paces at which a dance is danced; others are doubled or halved
SHORTEST = 6.0  # seconds: a shorter clip says too little about its beat
LAG = 0.03  # seconds: braking peaks this long before the pose is reached; the median of the written dances
STEADY = 1.25  # on-beat accents must be this many times as strong as half-way ones

# Hands, feet, head and hips carry the accents.
_ACCENT_JOINTS = [
    INDEX[n] for n in ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle",
                       "left_knee", "right_knee", "left_elbow", "right_elbow")
]  # fmt: skip


@dataclass(frozen=True)
class Beats:
    """`times` (B,) seconds of each beat, `accent` on-beat over half-way deceleration, `bpm` the median tempo."""

    times: NDArray[np.float64]
    accent: float
    bpm: float
    steady: bool


def deceleration(positions: NDArray[np.float32], fps: float) -> NDArray[np.float64]:
    """How hard the body brakes, (T,) m/s² averaged over the joints that carry accents."""
    smooth = gaussian_filter1d(positions[:, _ACCENT_JOINTS].astype(np.float64), 0.02 * fps, axis=0)
    speed = np.linalg.norm(np.gradient(smooth, 1 / fps, axis=0), axis=-1)
    return np.maximum(-np.gradient(speed, 1 / fps, axis=0), 0.0).mean(axis=1)


def _strength(envelope: NDArray[np.float64], times: NDArray[np.float64], fps: float) -> float:
    """Mean of the envelope about `times`, a twelfth of a second wide."""
    half = max(1, round(fps / 24))
    smooth = np.convolve(envelope, np.ones(2 * half + 1) / (2 * half + 1), mode="same")
    index = np.clip(np.round(times * fps).astype(int), 0, len(smooth) - 1)
    return float(smooth[index].mean())


def find_beats(positions: NDArray[np.float32], fps: float) -> Beats:
    """Beats of a clip, `positions` (T, 21, 3) metres. Bars begin at multiples of 4 from the first beat."""
    import librosa  # late: it takes a second to import

    if len(positions) < SHORTEST * fps:
        return Beats(np.zeros(0), 0.0, 0.0, False)
    envelope = deceleration(positions, fps)
    _, frames = librosa.beat.beat_track(
        onset_envelope=envelope / (envelope.std() + 1e-9), sr=fps, hop_length=1, start_bpm=115, trim=False,
        units="frames",
    )  # fmt: skip
    times = np.asarray(frames, dtype=np.float64) / fps
    if len(times) < 5:
        return Beats(np.zeros(0), 0.0, 0.0, False)
    bpm = 60 * 4 / float(np.median(times[4:] - times[:-4]))  # over four beats: one beat in whole frames is coarse
    while bpm < SLOWEST:  # dance it twice as fast: a beat between every two
        times = np.sort(np.concatenate([times, (times[1:] + times[:-1]) / 2]))
        bpm *= 2
    while bpm > FASTEST:
        times = times[_strength(envelope, times[1::2], fps) > _strength(envelope, times[::2], fps) :: 2]
        bpm /= 2
    middle = (times[1:] + times[:-1]) / 2
    accent = _strength(envelope, times, fps) / (_strength(envelope, middle, fps) + 1e-9)
    # Where is the one? Movement alone can only guess: the beat of four that brakes hardest.
    one = max(range(4), key=lambda k: _strength(envelope, times[k::4], fps) if len(times[k::4]) else 0.0)
    times = times[one:] + LAG
    return Beats(times[times <= (len(positions) - 1) / fps], accent, bpm, accent >= STEADY)


def to_musical_time(positions: NDArray[np.float32], fps: float, beats: NDArray[np.float64]) -> NDArray[np.float32]:
    """Resample motion from seconds to steps: (T, 21, 3) -> (S, 21, 3), `STEPS_PER_BEAT` steps a beat.

    Step 0 falls on the first beat. Time between beats is monotone cubic, so that the pace has no kinks.
    """
    clock = PchipInterpolator(np.arange(len(beats)), beats)
    steps = np.arange(0, (len(beats) - 1) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
    motion = CubicSpline(np.arange(len(positions)) / fps, positions, axis=0)
    return motion(clock(steps)).astype(np.float32)
