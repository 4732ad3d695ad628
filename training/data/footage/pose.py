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
from training.data.footage.scale import pixels_of
from training.data.footage.smooth import smooth
from training.data.motion.face import landmarks_of_face
from training.data.motion.legs import ANKLES, TOES
from training.data.motion.retarget import Landmarks, place_joints
from training.data.motion.skeleton import ANKLE_HEIGHT, BONE, INDEX
from visualizer.camera.landmarker import LANDMARKS, POINT

Floats = NDArray[np.float64]

PASSING = 6.0  # hertz: faster movement is lost; the network's jitter goes with it
FOOT_PASSING = 3.0  # hertz, of how far the feet are off the floor
LEAST_SURE = 0.02  # weight of a landmark that is not seen at all: then the path between is the best guess
SWAPPED = 0.3  # metres, of the price of seeing left as right in one picture: in doubt the network is right
MOST_RISE = 0.05  # metres off the floor that are taken for an error of the network, not for a jump
TOE_HEIGHT = 0.03  # metres above the floor of a toe that stands
DEPTH = 0.1  # weight of an error of depth, beside one in the picture
KNOWN = 0.6  # share of the pictures of a clip in which a body must be seen
_MIRROR = np.array([POINT[n.replace("left", "#").replace("right", "left").replace("#", "right")] for n in LANDMARKS])
_LIMBS = {
    f"{side}_{joint}": f"{side}_{landmark}"
    for side in ("left", "right")
    for joint, landmark in (("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "wrist"), ("hip", "hip"),
                            ("knee", "knee"), ("ankle", "ankle"), ("toe", "foot_index"))
}  # fmt: skip
_TOLD = [POINT[name] for name in _LIMBS.values()]  # by which left and right are told apart
_CHAIN = [
    (POINT[f"{side}_{begin}"], POINT[f"{side}_{end}"], BONE[bone])
    for side in ("left", "right")
    for begin, end, bone in (("hip", "knee", "knee"), ("knee", "ankle", "ankle"), ("ankle", "foot_index", "toe"),
                             ("shoulder", "elbow", "elbow"), ("elbow", "wrist", "wrist"))
]  # fmt: skip
_CARRIED = {
    POINT[f"{side}_{end}"]: [POINT[f"{side}_{part}"] for part in parts]
    for side in ("left", "right")
    for end, parts in (("wrist", ("index", "pinky", "thumb")), ("ankle", ("heel",)))
}
_FEET = [POINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "foot_index")]


def to_space(bodies: NDArray[np.float32], track: Track) -> tuple[Floats, Floats]:
    """Landmarks of a clip, (T, 33, 6), in metres about its crop: (T, 33, 3), x to the right, y above the floor, z
    towards the viewer; and how sure they are, (T, 33), 0 where nothing is known."""
    seen = bodies.astype(np.float64)
    x = (seen[..., 0] - track.centre[:, None]) / track.metre[:, None]
    y = (track.floor[:, None] - seen[..., 1]) / track.metre[:, None]
    # The network's metres are a person's, ours are those of our skeleton.
    scale = float(pixels_of(bodies) / np.median(track.metre))
    return np.stack([x, y, -scale * seen[..., 4]], axis=-1), np.nan_to_num(seen[..., 5])


def lift(bones: Floats, length: float) -> Floats:
    """Bones (..., 3) of exactly this `length`, as near to these as can be; sideways and height count more than depth,
    which the picture does not show. Least squares; the multiplier of the length is found by bisection."""
    flat, depth = np.square(bones[..., :2]).sum(axis=-1), np.square(bones[..., 2])
    low = np.full(flat.shape, -DEPTH * (1 - 1e-6))
    high = np.full(flat.shape, 60.0)
    for _ in range(40):
        middle = (low + high) / 2
        size = flat / np.square(1 + middle) + depth * np.square(DEPTH / (DEPTH + middle))
        longer = size > length * length
        low, high = np.where(longer, middle, low), np.where(longer, high, middle)
    out = np.concatenate([bones[..., :2] / (1 + high)[..., None], bones[..., 2:] * (DEPTH / (DEPTH + high))[..., None]],
                         axis=-1)  # fmt: skip
    rest = length * length - np.square(out[..., :2]).sum(axis=-1)
    sign = np.where(bones[..., 2] < 0, -1.0, 1.0)
    out[..., 2] = sign * np.sqrt(np.maximum(rest, 0))
    return out


def lifted(points: Floats) -> Floats:
    """Landmarks (T, 33, 3) whose limbs have the lengths of ours: how far a knee comes forward follows from how short
    the thigh is in the picture."""
    out = points.copy()
    for begin, end, length in _CHAIN:
        out[:, end] = out[:, begin] + lift(points[:, end] - points[:, begin], length)
        for other in _CARRIED.get(end, ()):
            out[:, other] = out[:, end] + points[:, other] - points[:, end]
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
    at = {name: points[:, number] for name, number in POINT.items()}
    limbs = {joint: at[landmark] for joint, landmark in _LIMBS.items()}
    for side in ("left", "right"):
        limbs[f"{side}_hand"] = (at[f"{side}_index"] + at[f"{side}_pinky"]) / 2
    neck, head, forward = landmarks_of_face(at)
    body = Landmarks(limbs, [neck], head, rate, forward)
    front = np.cross(limbs["left_hip"] - limbs["right_hip"], neck - body.middle)
    front /= np.maximum(np.linalg.norm(front, axis=-1, keepdims=True), 1e-9)
    placed = place_joints(body, front, Path("footage"))
    return placed - placed[:, :1] + body.middle[:, None]


def stand(placed: Floats, points: Floats, times: NDArray[np.float64]) -> NDArray[np.float32]:
    """Bodies (T, 21, 3) with their lowest foot as high above the floor as that of the landmarks (T, 33, 3); what is
    hardly off the floor stands on it."""
    own = np.minimum(placed[:, ANKLES, 1].min(axis=1) - ANKLE_HEIGHT, placed[:, TOES, 1].min(axis=1) - TOE_HEIGHT)
    seen = points[:, _FEET, 1].min(axis=1)
    seen = seen - np.percentile(seen, 10)  # a landmark lies inside the foot
    rise = np.maximum(seen - MOST_RISE, 0)
    at, rate = even(times), (len(times) - 1) / (times[-1] - times[0])
    flat = np.interp(at, times, rise - own)
    move = np.interp(times, at, smooth(flat[:, None, None], rate, FOOT_PASSING, 1.0)[:, 0, 0])
    out = placed.copy()
    out[..., 1] += move[:, None]
    out[..., 2] -= out[:, INDEX["pelvis"], 2][:, None]  # a picture does not say how far away the dancer is
    return out.astype(np.float32)
