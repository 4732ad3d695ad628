"""The metrics: pure functions from arrays to numbers, each with its definition and source.

A dance is float32 (S, 21, 2): joints in metres in the picture, x right and y down, the travel given back, 16 steps a
beat, step 0 on a beat where a phrase starts. A pose or a window of poses is the same without the travel, as the crop
shows it. Seconds are those of 120 BPM. The sources measured bodies in three dimensions; a screen has two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from training.data.motion.skeleton import INDEX
from visualizer.dancer.pack import FLOOR, FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT

Floats = NDArray[np.float64]

Joints = NDArray[np.float32]

BPM = 120.0

STEPS_PER_SECOND = STEPS_PER_BEAT * BPM / 60

PHRASE = PHRASE_BEATS * STEPS_PER_BEAT  # steps

STILL = 0.05  # metres a second: a second with a lower mean joint speed counts as frozen

THIN = 4  # of a window of poses every fourth step is compared: a quarter of a beat

FIGURE_HEIGHT = 1.70 / FRAME_METRES  # of a frame: a standing body, for errors in shares of it


def windows(dance: Joints, steps: int = PHRASE, hop: int | None = None) -> Joints:
    """Whole windows of a dance, (S, 21, 2) -> (N, steps, 21, 2), the next one `hop` steps later, or behind it."""
    starts = np.arange(0, len(dance) - steps + 1, hop or steps)
    return dance[starts[:, None] + np.arange(steps)]


def round_windows(dance: Joints, steps: int = PHRASE, hop: int = PHRASE // 2) -> Joints:
    """Windows of a loop that begins again where it ends, (S, 21, 2) -> (N, steps, 21, 2), one for each start."""
    starts = np.arange(0, len(dance), hop)
    return dance[(starts[:, None] + np.arange(steps)) % len(dance)]


def phrase_distances(one: Joints, other: Joints) -> Floats:
    """Root mean square joint distance, metres, of windows (A, T, 21, 2) and (B, T, 21, 2) -> (A, B).

    Over all joints and every `THIN`-th step; one matrix product, so that hundreds of dances are compared at once.
    """
    middle = other[:, ::THIN].mean(axis=(0, 1))  # taken off both: small numbers keep their digits
    a, b = ((x[:, ::THIN] - middle).reshape(len(x), -1).astype(np.float64) for x in (one, other))
    square = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(square, 0) / (a.shape[1] / 2))


def nearest_dance(phrases: Joints, known: Joints, names: Sequence[str]) -> list[str]:
    """Which dance each window (A, T, 21, 2) is: the name of the nearest of the `known` ones (B, T, 21, 2).

    Nearest by `phrase_distances`, as two takes of one dance are told from two dances in choreography/distinct.py.
    """
    return [str(names[i]) for i in phrase_distances(phrases, known).argmin(axis=1)]


def danced_as_asked(asked: Sequence[str], found: Sequence[str]) -> tuple[int, int]:
    """How many of the dances asked for were performed, and how many there are: more than half of a dance's windows
    must be nearest to it."""
    right: dict[str, list[bool]] = {}
    for name, performed in zip(asked, found, strict=True):
        right.setdefault(name, []).append(name == performed)
    return sum(2 * sum(r) > len(r) for r in right.values()), len(right)


def distinct_phrases(phrases: Joints, threshold: float) -> int:
    """How many of the windows (N, T, 21, 2) are new: farther than `threshold` metres from every earlier one.

    The threshold is the distance of two takes of one written dance, so a phrase is not new for being danced larger.
    """
    apart = phrase_distances(phrases, phrases)
    return 1 + sum(bool((apart[i, :i] > threshold).all()) for i in range(1, len(phrases)))


def kinetic_features(dances: Joints) -> Floats:
    """Onuma, Faloutsos & Hodgins, "FMDistance" (2008), as Li et al., "AI Choreographer" (2021), use it for AIST++:
    of every joint the mean energy of sideways and of vertical motion (speed squared, (m/s)²) and the mean size of its
    acceleration (m/s², their "energy expenditure"). Windows (N, T, 21, 2) -> (N, 63).

    In the picture there is no depth, so "horizontal" is sideways alone. The travel counts, as it does there.
    """
    speed = np.diff(dances.astype(np.float64), axis=1) * STEPS_PER_SECOND
    push = np.linalg.norm(np.diff(speed, axis=1), axis=-1) * STEPS_PER_SECOND
    energy = (speed**2).mean(axis=1)  # (N, 21, 2)
    return np.concatenate([energy[..., 0], energy[..., 1], push.mean(axis=1)], axis=1)


def _bend(a: Floats, b: Floats, c: Floats) -> Floats:
    """Angle at `b` in degrees: 180 is straight."""
    u, v = a - b, c - b
    size = np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)
    return np.degrees(np.arccos(np.clip((u * v).sum(-1) / np.maximum(size, 1e-9), -1, 1)))


def geometric_features(dances: Joints) -> Floats:
    """Müller, Röder & Clausen, "Efficient content-based retrieval of motion capture data" (2005): yes-or-no relations
    between parts of the body, each averaged over time, as AIST++ uses them. Windows (N, T, 21, 2) -> (N, 43).

    Theirs ask on which side of a plane through the body a joint lies; these are their analogues in the picture: above
    or below, inside or outside, near or far, bent or straight, fast or slow. Lengths are metres.
    """
    p = dances.astype(np.float64) * (1, -1)  # y up
    speed = np.gradient(p, axis=1) * STEPS_PER_SECOND
    at = {name: p[:, :, i] for name, i in INDEX.items()}
    fast = {name: speed[:, :, i] for name, i in INDEX.items()}
    out: list[NDArray[np.bool_]] = []

    def far(a: str, b: str) -> Floats:
        return np.linalg.norm(at[a] - at[b], axis=-1)

    for side, other in (("left", "right"), ("right", "left")):
        hand, elbow, shoulder = at[f"{side}_wrist"], at[f"{side}_elbow"], at[f"{side}_shoulder"]
        hip, knee, ankle, toe = (at[f"{side}_{n}"] for n in ("hip", "knee", "ankle", "toe"))
        out += [
            hand[..., 1] > at["head"][..., 1],
            hand[..., 1] > shoulder[..., 1],
            hand[..., 1] < at["pelvis"][..., 1],
            elbow[..., 1] > shoulder[..., 1],
            _bend(shoulder, elbow, hand) < 110,
            far(f"{side}_wrist", f"{side}_hip") < 0.2,
            far(f"{side}_wrist", f"{side}_shoulder") > 0.45,
            np.abs(hand[..., 0] - at["chest"][..., 0]) > 0.45,  # arm out to the side
            (hand[..., 0] - at["chest"][..., 0]) * (at[f"{other}_shoulder"] - at["chest"])[..., 0] > 0,  # across
            fast[f"{side}_wrist"][..., 1] > 0.8,
            np.abs(fast[f"{side}_wrist"][..., 0]) > 0.8,
            _bend(hip, knee, ankle) < 140,
            ankle[..., 1] - at[f"{other}_ankle"][..., 1] > 0.1,
            knee[..., 1] - hip[..., 1] > -0.25,  # knee lifted
            np.linalg.norm(fast[f"{side}_ankle"], axis=-1) > 0.8,
            np.abs(toe[..., 0] - ankle[..., 0]) > 0.12,  # foot turned out
        ]
    spine = at["neck"] - at["pelvis"]
    lean = np.degrees(np.arctan2(spine[..., 0], spine[..., 1]))
    apart = np.abs(at["left_ankle"][..., 0] - at["right_ankle"][..., 0])
    out += [
        lean > 10,
        lean < -10,
        np.linalg.norm(spine, axis=-1) < 0.47,  # bent towards the viewer or away
        at["left_shoulder"][..., 1] - at["right_shoulder"][..., 1] > 0.05,
        at["right_shoulder"][..., 1] - at["left_shoulder"][..., 1] > 0.05,
        far("left_wrist", "right_wrist") < 0.25,
        apart > 0.5,
        apart < 0.15,
        np.abs(at["left_shoulder"][..., 0] - at["right_shoulder"][..., 0]) < 0.2,  # turned to the side
        np.abs(fast["pelvis"][..., 0]) > 0.3,
        np.abs(fast["pelvis"][..., 1]) > 0.3,
    ]
    return np.stack([o.mean(axis=1) for o in out], axis=1)


def scale_of(features: Floats) -> tuple[Floats, Floats]:
    """Mean and std (F,) of the features of real motion, by which all are normalised (as in AIST++)."""
    std = features.std(axis=0)
    return features.mean(axis=0), np.where(std > 1e-6, std, 1.0)


def frechet_distance(one: Floats, other: Floats) -> float:
    """Fréchet distance of two sets of features (A, F) and (B, F), each taken for a Gaussian (Heusel et al., 2017):
    |m - n|² + tr(C + D - 2 (C D)^½). It shrinks with A and B, so compare it only between sets of one size."""
    c, d = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (one, other))
    values, vectors = np.linalg.eigh(c)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ d @ root), 0)).sum()
    apart = one.mean(axis=0) - other.mean(axis=0)
    return float(max(0.0, apart @ apart + np.trace(c) + np.trace(d) - 2 * mixed))


def diversity(features: Floats) -> float:
    """Mean distance between any two rows of the features (N, F), as in AIST++."""
    return float(pdist(features).mean())


def joint_speeds(dance: Joints) -> Floats:
    """Mean speed of the joints, (S, 21, 2) -> (S - 1,) metres a second; number i is from step i to i + 1."""
    return np.linalg.norm(np.diff(dance.astype(np.float64), axis=0), axis=-1).mean(axis=1) * STEPS_PER_SECOND


SMOOTH = 5 / 60 * STEPS_PER_SECOND  # steps: theirs is a Gaussian of 5 frames at 60 frames a second

SIGMA = 3 / 60 * STEPS_PER_SECOND  # steps: theirs is 3 frames, 0.05 seconds


def beat_alignment(dances: Sequence[Joints], late: float = 0.0) -> float:
    """Beat alignment score of Siyao et al., "Bailando" (2022): the mean over the beats of the music of
    exp(-d² / 2σ²), d the time to the nearest kinematic beat, a local minimum of the smoothed mean joint speed.

    σ is 0.05 s (1.6 steps), as in their programs. `late`: the beats are taken that many beats later than they are.
    """
    scores: list[Floats] = []
    for dance in dances:
        speed = ndimage.gaussian_filter1d(joint_speeds(dance), SMOOTH)
        least = (speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])
        slow = np.flatnonzero(least) + 1.5  # a speed lies between two steps
        beats = (np.arange(len(dance) // STEPS_PER_BEAT) + late) * STEPS_PER_BEAT
        beats = beats[beats < len(dance)]
        if len(slow) == 0 or len(beats) == 0:  # without a moment of least speed there is no kinematic beat
            scores.append(np.zeros(len(beats)))
            continue
        gap = np.abs(beats[:, None] - slow[None]).min(axis=1)
        scores.append(np.exp(-(gap**2) / (2 * SIGMA**2)))
    return float(np.concatenate(scores).mean())


def beat_chance(dances: Sequence[Joints]) -> float:
    """What `beat_alignment` gives when the beats are shifted by chance: its mean over all shifts within a beat."""
    return float(np.mean([beat_alignment(dances, k / STEPS_PER_BEAT) for k in range(STEPS_PER_BEAT)]))


def accent(dances: Sequence[Joints]) -> float:
    """Braking on the beat over braking half-way between beats; 1 where the dance ignores the beat."""
    on, off = 0.0, 0.0
    for dance in dances:
        brake = np.maximum(-np.diff(joint_speeds(dance)), 0)  # number i is at step i + 1
        smooth = np.convolve(brake, np.ones(3) / 3, mode="same")
        beat = np.arange(STEPS_PER_BEAT, len(smooth) - STEPS_PER_BEAT, STEPS_PER_BEAT) - 1
        on += smooth[beat].sum()
        off += smooth[beat + STEPS_PER_BEAT // 2].sum()
    return float(on / (off + 1e-12))


def motion_spectrum(dances: Sequence[Joints], beats: int = 32) -> tuple[Floats, Floats]:
    """Power spectrum of the joints' velocity, summed over joints: frequencies in cycles a beat and power (F,).

    Welch (1967): Hann windows of `beats` beats, half overlapping, averaged over all dances that are as long; where
    none is, windows of the whole beats of the longest.
    """
    length = min(beats, max(len(d) for d in dances) // STEPS_PER_BEAT) * STEPS_PER_BEAT
    frequency = np.fft.rfftfreq(length, 1 / STEPS_PER_BEAT).astype(np.float64)
    total, count = np.zeros(len(frequency)), 0
    for dance in dances:
        if len(dance) < length:
            continue
        # One speed fewer than steps: the last counts twice, so that a take of exactly `beats` beats fills a window.
        speed = np.diff(dance.reshape(len(dance), -1).astype(np.float64), axis=0)
        speed = np.concatenate([speed, speed[-1:]])
        _, power = signal.welch(speed, fs=STEPS_PER_BEAT, nperseg=length, axis=0)
        pieces = 1 + (len(speed) - length) // (length // 2)
        total += power.sum(axis=1) * pieces
        count += pieces
    return frequency, total / max(count, 1)


def beat_power(spectrum: tuple[Floats, Floats], tempo: float = 1.0) -> float:
    """Share of motion power within one bin of ½, 1 and 2 times the beat. `tempo`: of a beat that much faster than the
    one that is played, where a dance that keeps the beat has little."""
    frequency, power = spectrum
    reach = 1.01 * frequency[1]
    near = np.zeros(len(frequency), bool)
    for line in (0.5, 1.0, 2.0):
        near |= np.abs(frequency - line * tempo) <= reach
    return float(power[near].sum() / max(power.sum(), 1e-12))


def mean_speed(dances: Sequence[Joints]) -> float:
    """Mean joint speed over all steps, metres a second."""
    return float(np.concatenate([joint_speeds(d) for d in dances]).mean())


def jitter(dances: Sequence[Joints]) -> float:
    """Mean norm of the third difference of the joints, metres a step³: what shaking hands make large."""
    return float(np.concatenate([np.linalg.norm(np.diff(d.astype(np.float64), n=3, axis=0), axis=-1).ravel()
                                 for d in dances]).mean())  # fmt: skip


def frozen_seconds(dances: Sequence[Joints]) -> tuple[int, int]:
    """How many whole seconds stand still (mean joint speed below `STILL`), and how many there are."""
    still = count = 0
    length = round(STEPS_PER_SECOND)
    for dance in dances:
        speed = joint_speeds(dance)
        seconds = speed[: len(speed) // length * length].reshape(-1, length).mean(axis=1)
        still += int((seconds < STILL).sum())
        count += len(seconds)
    return still, count


FOOT_STANDS = 0.055  # metres of a flat foot's middle, between ankle and toe, above the floor

FOOT_REACH = 0.03  # metres above that: still on the floor

FOOT_STILL = 0.10  # metres a second up or down


def foot_skating(dances: Sequence[Joints]) -> float:
    """Sideways speed of a planted foot, cm/s, the travel included; 0 where no foot is ever planted.

    A foot is the middle of ankle and toe; it is planted from one step to the next while it is within `FOOT_REACH` of
    where a flat foot stands and rises or falls at less than `FOOT_STILL`. (Foot skating as in Zhang et al.,
    "Mode-adaptive neural networks", 2018, with a yes-or-no weight and the picture's one sideways axis.)
    """
    slide, steps = 0.0, 0
    for dance in dances:
        for side in ("left", "right"):
            foot = dance[:, [INDEX[f"{side}_ankle"], INDEX[f"{side}_toe"]]].astype(np.float64).mean(axis=1)
            height = FLOOR * FRAME_METRES - foot[:, 1]
            speed = np.diff(foot, axis=0) * STEPS_PER_SECOND
            low = np.maximum(height[1:], height[:-1]) < FOOT_STANDS + FOOT_REACH
            planted = low & (np.abs(speed[:, 1]) < FOOT_STILL)
            slide += float(np.abs(speed[planted, 0]).sum())
            steps += int(planted.sum())
    return 100 * slide / max(steps, 1)


def step_lengths(dance: Joints) -> Floats:
    """How far the fastest joint goes from each step to the next, (S, 21, 2) -> (S - 1,) metres."""
    return np.linalg.norm(np.diff(dance.astype(np.float64), axis=0), axis=-1).max(axis=1)


class Poses:
    """All poses (P, 21, 2) metres of the training data, to find the nearest of."""

    def __init__(self, poses: Joints) -> None:
        self.tree = KDTree(poses.reshape(len(poses), -1))

    def distance(self, poses: Joints) -> Floats:
        """To the nearest one, root mean square over the joints, metres: (N, 21, 2) -> (N,)."""
        return np.asarray(self.tree.query(poses.reshape(len(poses), -1))[0]) / np.sqrt(poses.shape[1])


LIMB_DEPTH, LIMB_LENGTH = 1.0, 4  # pixels of 128: a wrist is less than two from its outline to its middle
