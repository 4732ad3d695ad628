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
from scipy.spatial.distance import cdist

from training.data.motion.skeleton import INDEX, mirror
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT

SLOWEST, FASTEST = 80.0, 160.0  # beats a minute: the range of tempi; others are doubled or halved
SHORTEST = 6.0  # seconds: the beat of a shorter clip cannot be told
MIDDLING = 115.0  # beats a minute: the tempo that is preferred in doubt
PRIOR = 2.0  # seconds: divided by a clip's length, the autocorrelation that an octave off that tempo costs
LONG = 12.0  # seconds: two phrases at the slowest tempo
SETTLE = 0.15  # seconds at the beginning that are ignored
STANDING = 0.12  # metres a second: below this mean joint speed the dancer stands still
LAG = 0.03  # seconds: braking peaks this long before the pose is reached; the median of the written dances
BRAKE_WEIGHT = 0.03  # metres of novelty that all of a beat's braking weighs as much as
STEADY = 1.15  # on-beat accents must be this many times as strong as half-way ones
# Beats are laid on brakes wherever there are some, so that aimless movement has accents of up to 2, as dances have; but
# it does not come back: in 30 seconds its braking repeats by at most 0.077 (30 trials), that of written dances by 0.45
# and more, of captured ones by 0.13 (median). Short clips tell less: 12 aimless seconds reached 0.16.
COMES_BACK = 0.08

# Hands, feet, head and hips carry the accents.
_ACCENT_JOINTS = [
    INDEX[n] for n in ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle",
                       "left_knee", "right_knee", "left_elbow", "right_elbow")
]  # fmt: skip
_LEGS = [INDEX[f"{side}_{n}"] for side in ("left", "right") for n in ("hip", "knee", "ankle")]


@dataclass(frozen=True)
class Beats:
    """`times` (B,) seconds of each beat, `accent` on-beat over half-way deceleration, `bpm` the median tempo;
    `steady`: there is a beat. `phrase` 0 or 4: after how many beats the first phrase of eight begins. `repeats`:
    how much of the braking comes back after 1, 2, 4 and 8 beats, or of the steps after 4 and 8, 1 at most."""

    times: NDArray[np.float64]
    accent: float
    bpm: float
    steady: bool
    phrase: int = 0
    repeats: float = 0.0


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


def _repeats(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation of (T, C) columns together, (T,): 1 at lag 0, as many summands weigh the same at every lag."""
    moving = values - values.mean(axis=0)
    count = len(moving)
    spectrum = np.fft.rfft(moving, 2 * count, axis=0)
    found = np.fft.irfft((np.abs(spectrum) ** 2).sum(axis=1))[:count]
    return found / (found[0] + 1e-12) * count / (count - np.arange(count))


def _facing_viewer(positions: NDArray[np.float32], fps: float) -> NDArray[np.float64]:
    """The body about its pelvis, turned so that it faces the viewer: (T, 21, 3) metres."""
    hips = positions[:, INDEX["left_hip"]] - positions[:, INDEX["right_hip"]]
    yaw = gaussian_filter1d(np.unwrap(np.arctan2(-hips[:, 2], hips[:, 0]).astype(np.float64)), 0.25 * fps)
    c, s = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x, y, z = np.moveaxis((positions - positions[:, :1]).astype(np.float64), -1, 0)
    return np.stack([c * x - s * z, y, s * x + c * z], axis=-1)


def _at_beats(repeats: NDArray[np.float64], beat: NDArray[np.float64], counts: tuple[int, ...]) -> NDArray[np.float64]:
    """Mean autocorrelation after each number of `beats`, of `beat` (N,) frames each, as far as it is known: (N,)."""
    whole = [k for k in counts if k * beat.max() < 0.75 * len(repeats)]
    lags = np.arange(len(repeats))
    return np.mean([np.interp(k * beat, lags, repeats) for k in whole], axis=0)


def braking_repeats(positions: NDArray[np.float32], fps: float, beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation of braking after 1, 2, 4 and 8 beats of `beat` (N,) frames each: (N,)."""
    braking = gaussian_filter1d(deceleration(positions, fps), 0.05 * fps)
    return _at_beats(_repeats(braking[:, None]), beat, (1, 2, 4, 8))


def steps_repeat(positions: NDArray[np.float32], fps: float, beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Autocorrelation of how the legs move, as the dancer sees it, after 4 and 8 beats of `beat` (N,) frames: (N,)."""
    legs = gaussian_filter1d(_facing_viewer(positions, fps)[:, _LEGS], 0.05 * fps, axis=0)
    return _at_beats(_repeats(np.gradient(legs, axis=0).reshape(len(legs), -1)), beat, (4, 8))


def find_tempo(positions: NDArray[np.float32], fps: float, shortest: float = LONG) -> float:
    """Beats a minute, within `SLOWEST`..`FASTEST`: the pace at which braking comes back after 1, 2, 4 and 8 beats.

    Braking alone takes the syncopated steps of salsa (one two three, hold) for an even pulse of another pace: the two
    partners of a couple, who hear one song, got tempi that agreed in 2 couples of 12. What the legs do, direction
    and all, comes back only after whole patterns of 4 or 8 beats; with that counted too, all 12 agree. Clips
    below `shortest` seconds hold too few patterns to ask for them. In doubt the pace is a middling one, the more so
    the less there is to see.
    """
    bpm = np.arange(SLOWEST, FASTEST, 0.25)
    beat = 60 * fps / bpm  # frames
    score = braking_repeats(positions, fps, beat)
    if len(positions) >= shortest * fps:
        score = score + steps_repeat(positions, fps, beat)
    doubt = PRIOR * fps / len(positions)
    return float(bpm[(score - doubt * np.log2(bpm / MIDDLING) ** 2).argmax()])


def tempo_is_sure(positions: NDArray[np.float32], fps: float) -> bool:
    """Whether both halves of a clip, looked at alone, have the tempo of the whole within a twentieth."""
    begin, end = dancing_part(positions, fps)
    positions = positions[begin:end]
    whole = find_tempo(positions, fps)
    half = len(positions) // 2
    halves = (positions[:half], positions[half:])
    return all(abs(find_tempo(part, fps, 0.75 * LONG) / whole - 1) < 0.05 for part in halves)


def phrase_novelty(motion: NDArray[np.float32]) -> NDArray[np.float64]:
    """How much a new thing begins on each beat: (S, 21, 3) in musical time -> (whole beats,), metres.

    Foote, "Automatic audio segmentation using a measure of audio novelty" (2000), on bodies: how far the eight beats
    before are from the eight after, less how far either eight are among themselves. Beats are compared by their poses
    at four moments; a mirror image is the same thing. Nothing is known about the first and last four beats: nan.
    """
    body = _facing_viewer(motion, STEPS_PER_BEAT).astype(np.float32)
    count = len(body) // STEPS_PER_BEAT

    def beats_of(poses: NDArray[np.float32]) -> NDArray[np.float32]:
        quarters = poses[: count * STEPS_PER_BEAT : STEPS_PER_BEAT // 4]
        return quarters.reshape(count, -1)

    one, other = beats_of(body), beats_of(mirror(body))
    apart = np.minimum(cdist(one, one), cdist(one, other)) / np.sqrt(4 * len(INDEX))
    novelty = np.full(count, np.nan)
    for line in range(4, count - 3):
        before, after = slice(max(0, line - PHRASE_BEATS), line), slice(line, line + PHRASE_BEATS)
        inside = [apart[part, part] for part in (before, after)]
        within = np.mean([part.sum() / (part.size - len(part)) for part in inside])
        novelty[line] = apart[before, after].mean() - within
    return novelty


def dancing_part(positions: NDArray[np.float32], fps: float) -> tuple[int, int]:
    """First frame and the one after the last of what is danced: without the standing about before and after, and
    without the first moments, in which captures of some studios jump from the pose they were calibrated in."""
    speed = np.linalg.norm(np.gradient(positions.astype(np.float64), 1 / fps, axis=0), axis=-1).mean(axis=1)
    first = round(SETTLE * fps)
    moving = first + np.flatnonzero(gaussian_filter1d(speed[first:], 0.25 * fps) > STANDING)
    return (int(moving[0]), int(moving[-1]) + 1) if len(moving) else (0, 0)


def find_beats(positions: NDArray[np.float32], fps: float) -> Beats:
    """Beats of a clip, `positions` (T, 21, 3) metres, where it is danced (see `dancing_part`).

    Bars begin at multiples of 4 from the first beat, phrases at multiples of 8 from beat number `phrase`: of the eight
    ways to count, the one whose ones brake hardest and begin the newest things (see `phrase_novelty`). In a clip that
    repeats one thing nothing is new, and `phrase` is a guess.
    """
    import librosa  # late: it takes a second to import

    begin, end = dancing_part(positions, fps)
    positions = positions[begin:end]
    if len(positions) < SHORTEST * fps:
        return Beats(np.zeros(0), 0.0, 0.0, False)
    envelope = deceleration(positions, fps)
    tempo = find_tempo(positions, fps)
    beat = np.array([60 * fps / tempo])
    repeats = float(braking_repeats(positions, fps, beat)[0])
    if len(positions) >= LONG * fps:
        repeats = max(repeats, float(steps_repeat(positions, fps, beat)[0]))
    _, frames = librosa.beat.beat_track(
        onset_envelope=envelope / (envelope.std() + 1e-9), sr=fps, hop_length=1, bpm=tempo,
        trim=False, units="frames",
    )  # fmt: skip
    times = np.asarray(frames, dtype=np.float64) / fps
    if len(times) < 5:
        return Beats(np.zeros(0), 0.0, 0.0, False)
    bpm = 60 * 4 / float(np.median(times[4:] - times[:-4]))  # over four beats: one beat in whole frames is coarse
    middle = (times[1:] + times[:-1]) / 2
    accent = _strength(envelope, times, fps) / (_strength(envelope, middle, fps) + 1e-9)
    # Where is the one of the eight? Movement can only guess: where new things begin, and the bar's beat that brakes
    # hardest. On medleys of written dances braking alone finds it in half of them, both together in three quarters.
    novelty = phrase_novelty(to_musical_time(positions, fps, times))
    brakes = np.array([_strength(envelope, times[k::4], fps) for k in range(4)])
    brakes = np.tile(brakes / (brakes.mean() + 1e-9), 2)
    news = np.array([np.nanmean([*novelty[k::PHRASE_BEATS], 0.0]) for k in range(PHRASE_BEATS)])
    first = int(np.argmax(news + BRAKE_WEIGHT * brakes))
    one = first % 4
    times = times[one:] + LAG
    times = times[times <= (len(positions) - 1) / fps]
    steady = accent >= STEADY and repeats >= COMES_BACK
    return Beats(begin / fps + times, accent, bpm, steady, first - one, repeats)


def to_musical_time(positions: NDArray[np.float32], fps: float, beats: NDArray[np.float64]) -> NDArray[np.float32]:
    """Resample motion from seconds to steps: (T, 21, 3) -> (S, 21, 3), `STEPS_PER_BEAT` steps a beat.

    Step 0 falls on the first beat. Time between beats is monotone cubic, so that the pace has no kinks.
    """
    clock = PchipInterpolator(np.arange(len(beats)), beats)
    steps = np.arange(0, (len(beats) - 1) * STEPS_PER_BEAT + 1) / STEPS_PER_BEAT
    motion = CubicSpline(np.arange(len(positions)) / fps, positions, axis=0)
    return motion(clock(steps)).astype(np.float32)
