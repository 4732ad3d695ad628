"""Metrics of the body: whether its bones keep their lengths, what its feet, its chest and its hands do.

Pure functions. A body is float32 (S, 21, A) with A = 3 axes where a pack's latents are bodies in space, else the A = 2
of the picture: metres, x right, y down, z towards the viewer, the travel given back, 16 steps a beat at 120 BPM. What a
flat body shows of a length is at most its true length, so a stretch that is seen there is real, but not all are seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.choreography.crotch import before_crotch
from training.data.motion.skeleton import BONES, INDEX, JOINTS, LENGTHS
from training.evaluate.metrics import STEPS_PER_SECOND, Floats
from visualizer.dancer.pack import FLOOR, FRAME_METRES, STEPS_PER_BEAT

Bodies = Sequence[NDArray[np.float32]]  # dances, (S, 21, A) each

LIMBS = ("elbow", "wrist", "hand", "knee", "ankle", "toe")  # the joints at which bones of arms and legs end

# Not shoulders and hips: their offsets differ from one captured person to the next.
_LIMB = np.array([JOINTS[end].split("_")[-1] in LIMBS for end in BONES[:, 1]])


def bone_stretch(body: NDArray[np.float32]) -> Floats:
    """Length of each bone over that of the skeleton's: (..., 21, A) -> (..., 20), in the order of `skeleton.BONES`."""
    bones = body[..., BONES[:, 1], :].astype(np.float64) - body[..., BONES[:, 0], :]
    return np.linalg.norm(bones, axis=-1) / LENGTHS


def limb_stretch(body: NDArray[np.float32]) -> Floats:
    """Length over its own of the arm or leg bone that is too long by most, (..., 21, A) -> (...); 1 is right."""
    return bone_stretch(body)[..., _LIMB].max(axis=-1)


def share_too_long(bodies: Bodies, by: float) -> float:
    """Share of steps in which a bone of arm or leg is longer than its own length by more than `by`, 0.1 for a tenth."""
    return float((np.concatenate([limb_stretch(b) for b in bodies]) > 1 + by).mean())


# --- feet

TOE_STANDS = 0.03  # metres above the floor: a toe joint of a flat foot. Lodge counts heights from there
CONTACT_ANKLE, CONTACT_TOE = 0.08, 0.05  # metres above that
SKATES = 0.3  # metres a second: a hundredth of a metre a frame at 30 frames a second


def foot_skate_ratio(bodies: Bodies) -> float:
    """Foot skating ratio as in Li et al., "Lodge" (2024), to which DiscoForcing (2026) compares: of the steps in
    which a foot is on the floor, the share in which its ankle or its toe moves along the floor by more than `SKATES`;
    the mean over both feet. 0 where no foot is ever on the floor.

    On the floor: ankle and toe lower than `CONTACT_ANKLE` and `CONTACT_TOE`. As in Lodge's programs the speed is the
    mean over the axes of the floor, signs kept. A flat body has one such axis, so figures of flat bodies compare with
    each other alone; and neither skeleton nor data nor rate are those of the papers.
    """
    ratios = []
    for side in ("left", "right"):
        slid = stood = 0
        for body in bodies:
            foot = body[:, [INDEX[f"{side}_ankle"], INDEX[f"{side}_toe"]]].astype(np.float64)
            height = FLOOR * FRAME_METRES - foot[:-1, :, 1] - TOE_STANDS
            stands = (height[:, 0] <= CONTACT_ANKLE) & (height[:, 1] <= CONTACT_TOE)
            along = np.diff(foot[..., [0, 2] if foot.shape[-1] == 3 else [0]], axis=0).mean(axis=-1) * STEPS_PER_SECOND
            slid += int((stands & (np.abs(along) > SKATES).any(axis=1)).sum())
            stood += int(stands.sum())
        ratios.append(slid / max(stood, 1))
    return float(np.mean(ratios))


# --- accents


def chest_jerk(bodies: Bodies) -> float:
    """Mean size of the third derivative of the chest's place, m/s³: how sharply the middle of the body moves."""
    chest = [b[:, INDEX["chest"]].astype(np.float64) for b in bodies]
    jerk = np.concatenate([np.linalg.norm(np.diff(c, n=3, axis=0), axis=-1) for c in chest])
    return float(jerk.mean()) * STEPS_PER_SECOND**3


def peak_acceleration(bodies: Bodies) -> float:
    """How much the acceleration gathers at one moment of the beat: its mean size over all joints, averaged at each of
    the 16 steps of a beat over all beats, the largest of the 16 over their mean. 1: no moment of the beat is marked."""
    total, count = np.zeros(STEPS_PER_BEAT), np.zeros(STEPS_PER_BEAT)
    for body in bodies:
        size = np.linalg.norm(np.diff(body.astype(np.float64), n=2, axis=0), axis=-1).mean(axis=1)
        step = (np.arange(len(size)) + 1) % STEPS_PER_BEAT  # the middle of the three steps that make one
        np.add.at(total, step, size)
        np.add.at(count, step, 1)
    profile = total / np.maximum(count, 1)
    return float(profile.max() / max(profile.mean(), 1e-12))


BOUNCE = 2 * STEPS_PER_BEAT  # steps in which the pelvis is fastest once


def bounce(bodies: Bodies) -> float:
    """Top speed of the pelvis up or down, metres a second: the largest in each two beats, their mean."""
    tops = []
    for body in bodies:
        speed = np.abs(np.diff(body[:, INDEX["pelvis"], 1].astype(np.float64))) * STEPS_PER_SECOND
        tops.append(speed[: len(speed) // BOUNCE * BOUNCE].reshape(-1, BOUNCE).max(axis=1))
    return float(np.concatenate(tops).mean())


# --- hands

READ_STEPS = 4  # a quarter of a beat, 125 ms: a hand that is there for less is on its way, and not seen as resting


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of the runs of True in (S,)."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int64), [0]]))
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


def hands_before_crotch(bodies: Bodies) -> tuple[float, float]:
    """How many times an hour a hand hangs before the crotch in the picture for at least `READ_STEPS` in a row, and the
    share of steps in which one does. Where that is: `choreography.crotch`."""
    times = steps = 0
    for body in bodies:
        for mask in before_crotch(body[..., :2] * np.array([1, -1])).T:  # there y is up
            runs = _runs(mask)
            runs = runs[runs >= READ_STEPS]
            times, steps = times + len(runs), steps + int(runs.sum())
    length = sum(map(len, bodies))
    return times / (length / STEPS_PER_SECOND / 3600), steps / length
