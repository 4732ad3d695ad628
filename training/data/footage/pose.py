"""From landmarks of pictures to bodies on our skeleton: one smooth movement, with feet on the floor.

Where a joint is in the picture is taken from the picture, how near it is from the landmarks in space. Directions of
bones are kept and lengths are ours, as for captured motion (motion/retarget.py).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from training.data.footage.crop import Track
from training.data.footage.smooth import smooth
from training.data.motion.legs import ANKLES, TOES, place_foot
from training.data.motion.place_joints import place_joints
from training.data.motion.seen_landmarks import landmarks_of
from training.data.motion.skeleton import ANKLE_HEIGHT, INDEX
from visualizer.camera.landmarker import LANDMARKS, POINT
from visualizer.camera.lift import lift
from visualizer.camera.points import LIMBS

Floats = NDArray[np.float64]

PASSING = 6.0  # hertz: faster movement is lost; the network's jitter goes with it
FOOT_PASSING = 3.0  # hertz, of how far the feet are off the floor
LEAST_SURE = 0.02  # weight of a landmark that is not seen at all: then the path between is the best guess
SWAPPED = 0.3  # metres, of the price of seeing left as right in one picture: in doubt the network is right
MOST_RISE = 0.05  # metres off the floor that are taken for an error of the network, not for a jump
TOE_HEIGHT = 0.03  # metres above the floor of a toe that stands
LONGEST = 0.95  # quantile of a limb's length in the picture that is its length
HEEL_DOWN, HEEL_UP = 0.14, 0.2  # metres of an ankle above the ground at which a foot is flat, and is not
KNOWN = 0.6  # share of the pictures of a clip in which a body must be seen
_MIRROR = np.array([POINT[n.replace("left", "#").replace("right", "left").replace("#", "right")] for n in LANDMARKS])
_TOLD = [POINT[name] for name in LIMBS.values()]  # by which left and right are told apart
# Limbs from the trunk outwards, and the least that they are long, in metres of our skeleton.
_CHAIN = (
    ("hip", "knee", 0.36), ("knee", "ankle", 0.31), ("ankle", "foot_index", 0.15), ("shoulder", "elbow", 0.24),
    ("elbow", "wrist", 0.21),
)  # fmt: skip
_CARRIED = {"wrist": ("index", "pinky", "thumb"), "ankle": ("heel",)}
_ANKLES = [POINT["left_ankle"], POINT["right_ankle"]]
_FEET = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")]


def to_space(bodies: NDArray[np.float32], track: Track) -> tuple[Floats, Floats]:
    """Landmarks of a clip, (T, 33, 6), in metres about its crop: (T, 33, 3), x to the right, y above the floor, z
    towards the viewer; and how sure they are, (T, 33), 0 where nothing is known."""
    seen = bodies.astype(np.float64)
    x = (seen[..., 0] - track.centre[:, None]) / track.metre[:, None]
    y = (track.floor[:, None] - seen[..., 1]) / track.metre[:, None]
    # The network's metres are a person's, ours our skeleton's: both know how large the body is in the picture.
    spread = [np.linalg.norm(a - a.mean(axis=1, keepdims=True), axis=-1).mean(axis=1)
              for a in (np.stack([x, y], axis=-1), seen[..., 2:4])]  # fmt: skip
    scale = np.nanmedian(spread[0] / np.maximum(spread[1], 1e-6)) if np.isfinite(spread).any() else 1.0
    return np.stack([x, y, -scale * seen[..., 4]], axis=-1), np.nan_to_num(seen[..., 5])


def lifted(points: Floats) -> Floats:
    """Landmarks (T, 33, 3) whose limbs keep their length: how far a knee comes forward follows from how short the thigh
    is in the picture. A limb is as long as it is ever seen."""
    out = points.copy()
    for begin, end, least in _CHAIN:
        pairs = [(POINT[f"{side}_{begin}"], POINT[f"{side}_{end}"]) for side in ("left", "right")]
        flat = [np.linalg.norm((points[:, b] - points[:, a])[..., :2], axis=-1) for a, b in pairs]
        length = max(float(np.quantile(flat, LONGEST)), least)
        for side, (a, b) in zip(("left", "right"), pairs, strict=True):
            out[:, b] = out[:, a] + lift(points[:, b] - points[:, a], length)
            for part in _CARRIED.get(end, ()):
                carried = POINT[f"{side}_{part}"]
                out[:, carried] = out[:, b] + points[:, carried] - points[:, b]
    return out


def fill_gaps(points: Floats, times: NDArray[np.float64]) -> Floats:
    """Pictures in which nothing is known get what lies between their neighbours in time."""
    known = np.isfinite(points).all(axis=(1, 2))
    if known.all():
        return points
    flat = points.reshape(len(points), -1)
    filled = np.stack([np.interp(times, times[known], column[known]) for column in flat.T], axis=-1)
    return filled.reshape(points.shape)


def untwist(points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Landmarks (T, 33, 3) in which left and right stay what they are, and where they were changed (T,).

    A dancer who turns away is sometimes seen as one who faces the camera. Of both readings of each picture the series
    with the least movement is taken (Viterbi, 1967); in doubt the network is right.
    """
    both = np.stack([points[:, _TOLD], points[:, _MIRROR][:, _TOLD]], axis=1)  # (T, 2, 14, 3)
    moved = np.linalg.norm(both[1:, None, :] - both[:-1, :, None], axis=-1).sum(axis=-1)  # (T-1, before, after)
    price = np.array([0.0, SWAPPED])
    cost = price.copy()
    came = np.zeros((len(points), 2), np.int64)
    for t in range(1, len(points)):
        total = cost[:, None] + moved[t - 1]
        came[t] = total.argmin(axis=0)
        cost = total.min(axis=0) + price
    state = np.zeros(len(points), np.int64)
    state[-1] = int(cost.argmin())
    for t in range(len(points) - 1, 0, -1):
        state[t - 1] = came[t, state[t]]
    swapped = state == 1
    return np.where(swapped[:, None, None], points[:, _MIRROR], points), swapped


def even(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times as many as these and from the first to the last of them, evenly spaced: frame rates may vary."""
    return np.linspace(times[0], times[-1], len(times))


def smooth_landmarks(points: Floats, sure: Floats, times: NDArray[np.float64]) -> Floats:
    """One smooth movement: landmarks (T, 33, 3) of `times`, those that are surely seen nearly where they are."""
    at = even(times)
    rate = (len(times) - 1) / (times[-1] - times[0])
    flat = np.stack([np.interp(at, times, c) for c in points.reshape(len(points), -1).T], axis=-1)
    trust = np.stack([np.interp(at, times, c) for c in sure.T], axis=-1)
    trust = np.square(np.clip(trust, LEAST_SURE, 1))
    way = smooth(flat.reshape(points.shape), rate, PASSING, 1.0, trust)
    back = CubicSpline(at, way.reshape(len(way), -1), axis=0)(times)
    return back.reshape(points.shape)


def find_body(bodies: NDArray[np.float32], track: Track, times: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """The dancer of a clip on our skeleton: landmarks (T, 33, 6) of its pictures at `times` -> (T, 21, 3) metres about
    the crop, y above the floor. None where a body is seen in too few of them."""
    points, sure = to_space(bodies, track)
    known = np.isfinite(points).all(axis=(1, 2))
    if len(times) < 8 or known.mean() < KNOWN:
        return None
    sure[~known] = 0
    points, _ = untwist(fill_gaps(points, times))
    points = lifted(smooth_landmarks(points, sure, times))
    return stand(place_landmarks(points, (len(times) - 1) / (times[-1] - times[0])), points, times)


def place_landmarks(points: Floats, rate: float) -> Floats:
    """Landmarks (T, 33, 3) on our bones, (T, 21, 3) metres; the middle of the hips where it is seen."""
    body = landmarks_of(points, rate)
    limbs, neck = body.limbs, body.trunk[-1]
    front = np.cross(limbs["left_hip"] - limbs["right_hip"], neck - body.middle)
    front /= np.maximum(np.linalg.norm(front, axis=-1, keepdims=True), 1e-9)
    placed = place_joints(body, front, Path("footage"))
    return placed - placed[:, :1] + body.middle[:, None]


def stand(placed: Floats, points: Floats, times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bodies (T, 21, 3) with their lowest foot as high above the floor as that of the landmarks (T, 33, 3); what is
    hardly off the floor stands on it, flat unless the heel is clearly up."""
    out = placed.copy()
    lowest = points[:, _FEET, 1].min(axis=1)
    ground = np.percentile(lowest, 10)  # a landmark lies inside the foot
    foot = out[:, TOES] - out[:, ANKLES]
    flat = np.clip((HEEL_UP - (points[:, _ANKLES, 1] - ground)) / (HEEL_UP - HEEL_DOWN), 0, 1)
    foot[..., 1] += flat * (TOE_HEIGHT - ANKLE_HEIGHT - foot[..., 1])
    out[:, TOES] = out[:, ANKLES] + place_foot(foot)
    own = np.minimum(out[:, ANKLES, 1].min(axis=1) - ANKLE_HEIGHT, out[:, TOES, 1].min(axis=1) - TOE_HEIGHT)
    rise = np.maximum(lowest - ground - MOST_RISE, 0)
    at, rate = even(times), (len(times) - 1) / (times[-1] - times[0])
    smoothed = smooth(np.interp(at, times, rise - own)[:, None, None], rate, FOOT_PASSING, 1.0)
    out[..., 1] += np.interp(times, at, smoothed[:, 0, 0])[:, None]
    out[..., 2] -= out[:, INDEX["pelvis"], 2][:, None]  # a picture does not say how far away the dancer is
    return out.astype(np.float32)
