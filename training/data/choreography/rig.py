"""From what a dancer means to do to where the joints are: forward kinematics for trunk and arms, two-bone inverse
kinematics for legs.

All functions work on T frames at once. Angles are degrees; +x is the dancer's left, +z the front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.choreography.ease import Floats, smoothstep
from training.data.choreography.feet import TOE_HEIGHT, FootPath, foot_direction
from training.data.choreography.poses import CHANNEL, SHOULDER
from training.data.motion.skeleton import BONE, INDEX, STANDING_PELVIS

LEG = BONE["knee"] + BONE["ankle"]
REACH = 0.986 * LEG  # metres: a leg is never stretched out fully, or the knee would jump
SOFT_KNEES = 0.032  # metres by which a standing dancer is lower than with straight legs


def about_y(degrees: Floats) -> Floats:
    """Rotations (T, 3, 3) that turn the front to the dancer's left."""
    c, s, o, i = _parts(degrees)
    return np.stack([np.stack([c, o, s], -1), np.stack([o, i, o], -1), np.stack([-s, o, c], -1)], -2)


def lean_left(degrees: Floats) -> Floats:
    """Rotations (T, 3, 3) that tip the top to the dancer's left."""
    c, s, o, i = _parts(degrees)
    return np.stack([np.stack([c, s, o], -1), np.stack([-s, c, o], -1), np.stack([o, o, i], -1)], -2)


def bow_front(degrees: Floats) -> Floats:
    """Rotations (T, 3, 3) that tip the top to the front."""
    c, s, o, i = _parts(degrees)
    return np.stack([np.stack([i, o, o], -1), np.stack([o, c, -s], -1), np.stack([o, s, c], -1)], -2)


def _parts(degrees: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    r = np.radians(degrees)
    return np.cos(r), np.sin(r), np.zeros_like(r), np.ones_like(r)


def unit(v: Floats) -> Floats:
    """Vectors (..., 3) scaled to length 1."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def rotations(q: Floats) -> Floats:
    """Rotations (T, 3, 3) from quaternions (T, 4) w, x, y, z of any length."""
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
            np.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
            np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
        ],
        -2,
    )


def keep_above(wanted: Floats, ceiling: Floats, reach: int) -> Floats:
    """Lower a periodic curve `wanted` (T,) until it is nowhere above `ceiling` (T,), without a corner.

    The excess is spread by a maximum filter of +-`reach` frames and then smoothed by a window of the same width,
    which cannot bring it below what is needed.
    """
    excess = np.maximum(wanted - ceiling, 0.0)
    if not excess.any():
        return wanted
    spread = np.max([np.roll(excess, k) for k in range(-reach, reach + 1)], axis=0)
    window = np.hanning(2 * reach + 3)[1:-1]
    window /= window.sum()
    smooth = sum(w * np.roll(spread, k) for w, k in zip(window, range(-reach, reach + 1), strict=True))
    return wanted - smooth


SIDES = (("left", 1.0), ("right", -1.0))  # the sign of x on that side


@dataclass(frozen=True)
class Intent:
    """What a dancer means to do in T frames, before it is known where the joints are.

    `trunk` (T, 19) channels of poses.CHANNELS; `pelvis_xz` (T, 2) metres, where the weight is; `rise` (T,) metres by
    which a bounce or a jump lifts the pelvis; `facing` (T,) degrees; `arms` left and right, (T, 8) each as
    poses.arm_frame, the right one written as a left one; `drag` the same a moment earlier, which the hands trail
    behind; `feet` left and right, from feet.place_foot.
    """

    trunk: Floats
    pelvis_xz: Floats
    rise: Floats
    facing: Floats
    arms: tuple[Floats, Floats]
    drag: tuple[Floats, Floats]
    feet: tuple[FootPath, FootPath]

    def channel(self, name: str) -> Floats:
        """One channel of the trunk, (T,)."""
        return self.trunk[:, CHANNEL[name]]

    @property
    def pelvis_yaw(self) -> Floats:
        """Where the pelvis faces, (T,) degrees."""
        return self.facing + self.channel("hip_turn")


def pose(intent: Intent, smooth_frames: int) -> Floats:
    """Joints (T, 21, 3) in metres, float64. `smooth_frames`: how gently the pelvis sinks where a leg is too short."""
    joints = np.zeros((len(intent.trunk), 21, 3))
    hips = _hip_offsets(intent)
    joints[:, 0] = _pelvis(intent, hips, smooth_frames)
    ribs = _place_trunk(joints, intent)
    for k, (side, _) in enumerate(SIDES):
        _place_arm(joints, intent, ribs, side, k)
        _place_leg(joints, intent, hips[side], side, k)
    return joints


def _put(joints: Floats, name: str, parent: str, offset: Floats) -> None:
    joints[:, INDEX[name]] = joints[:, INDEX[parent]] + offset


def _hip_offsets(intent: Intent) -> dict[str, Floats]:
    """From the pelvis to each hip, (T, 3) metres."""
    tilted = about_y(intent.pelvis_yaw) @ lean_left(-intent.channel("hip_up"))
    return {
        side: np.einsum("tij,j->ti", tilted, np.array([sign * BONE["hip"], 0.0, 0.0])) for side, sign in SIDES
    }  # fmt: skip


def _pelvis(intent: Intent, hips: dict[str, Floats], smooth_frames: int) -> Floats:
    """The pelvis, (T, 3) metres: over the weight, and no higher than both legs reach."""
    count = len(intent.trunk)
    # A dancer who bends forwards moves the pelvis back, or would fall.
    back = 0.16 * np.sin(np.radians(np.maximum(intent.channel("bow"), 0)))
    shift = np.stack([intent.channel("hip_x_m"), np.zeros(count), intent.channel("hip_z_m") - back], -1)
    shift = np.einsum("tij,tj->ti", about_y(intent.facing), shift)
    pelvis = np.zeros((count, 3))
    pelvis[:, 0] = intent.pelvis_xz[:, 0] + shift[:, 0]
    pelvis[:, 2] = intent.pelvis_xz[:, 1] + shift[:, 2]
    ceiling = np.full(count, np.inf)
    for (side, _), foot in zip(SIDES, intent.feet, strict=True):
        across = foot.ankle - pelvis - hips[side]
        rest = REACH**2 - across[:, 0] ** 2 - across[:, 2] ** 2
        highest = foot.ankle[:, 1] - hips[side][:, 1] + np.sqrt(np.maximum(rest, 0.05))
        ceiling = np.minimum(ceiling, highest + 0.5 * foot.air)  # a leg in the air does not hold the pelvis down
    standing = STANDING_PELVIS - SOFT_KNEES - intent.channel("low_m") + intent.rise
    pelvis[:, 1] = keep_above(standing, ceiling, smooth_frames)
    return pelvis


def _place_trunk(joints: Floats, intent: Intent) -> Floats:
    """Place two bones of the back, then neck and head, which stays more upright. Returns the ribcage's frame (T, 3, 3),
    from which the arms hang."""
    channel = intent.channel
    lean, bow, twist = channel("lean"), channel("bow"), channel("twist")
    spine = (
        about_y(intent.pelvis_yaw + 0.45 * twist)
        @ lean_left(0.6 * lean + channel("slide"))
        @ bow_front(0.6 * bow + channel("pop"))
    )
    chest_yaw = about_y(intent.facing + twist)
    chest = chest_yaw @ lean_left(0.9 * lean + channel("slide")) @ bow_front(0.9 * bow + channel("pop"))
    ribs = chest_yaw @ lean_left(lean - 0.15 * channel("slide")) @ bow_front(bow - 0.7 * channel("pop"))
    neck = chest_yaw @ lean_left(lean + channel("neck")) @ bow_front(bow - 0.7 * channel("pop"))
    skull = about_y(intent.facing + 0.5 * twist) @ lean_left(0.45 * lean + channel("tilt") - 0.3 * channel("neck"))
    skull = skull @ bow_front(0.55 * bow + channel("nod") + 4.0)
    _put(joints, "spine", "pelvis", BONE["spine"] * spine[:, :, 1])
    _put(joints, "chest", "spine", BONE["chest"] * chest[:, :, 1])
    _put(joints, "neck", "chest", BONE["neck"] * neck[:, :, 1])
    _put(joints, "head", "neck", BONE["head"] * skull[:, :, 1])
    return ribs


def _place_arm(joints: Floats, intent: Intent, ribs: Floats, side: str, k: int) -> None:
    """Place shoulder, elbow, wrist and hand of one side; `k` is its number in the pairs of the intent."""
    arm = intent.arms[k]
    upper, forearm = _arm(arm)
    _, trailing = _arm(intent.drag[k])
    hand = np.einsum("tij,tj->ti", trailing, arm[:, 5:8])
    hand = _within(unit(hand), forearm[:, :, 0], 0.30)
    # Scapulohumeral rhythm: from 60 degrees of elevation on, the shoulder rises with the arm.
    elevation = np.degrees(np.arccos(np.clip(-upper[:, 1, 0], -1, 1)))
    lift = 0.22 * np.maximum(elevation - 60.0, 0.0) + intent.channel(f"shrug_{side}")
    girdle = about_y(-intent.channel(f"fore_{side}")) @ lean_left(-lift)
    shoulder = np.einsum("tij,j->ti", girdle, SHOULDER)
    parts = (
        ("shoulder", "chest", shoulder),
        ("elbow", f"{side}_shoulder", BONE["elbow"] * upper[:, :, 0]),
        ("wrist", f"{side}_elbow", BONE["wrist"] * forearm[:, :, 0]),
        ("hand", f"{side}_wrist", BONE["hand"] * hand),
    )
    flip = np.array([-1.0, 1.0, 1.0])
    for name, parent, offset in parts:
        offset = offset if side == "left" else offset * flip
        _put(joints, f"{side}_{name}", parent, np.einsum("tij,tj->ti", ribs, offset))


def _place_leg(joints: Floats, intent: Intent, hip: Floats, side: str, k: int) -> None:
    """Place hip, knee, ankle and toe of one side; `hip` (T, 3) metres from the pelvis."""
    foot = intent.feet[k]
    _put(joints, f"{side}_hip", "pelvis", hip)
    socket = joints[:, INDEX[f"{side}_hip"]]
    # The knee points where foot and pelvis point, plus what the dance asks of it.
    out = intent.channel(f"knee_{side}") + 4.0
    away = np.radians(foot.yaw - intent.pelvis_yaw)
    between = 0.55 * np.degrees(np.arctan2(np.sin(away), np.cos(away)))
    heading = intent.pelvis_yaw + between + SIDES[k][1] * out
    ankle = _reachable(socket, foot.ankle, foot.down)
    knee = _knee(socket, ankle, heading)
    lifted = smoothstep((ankle[:, 1] - 0.10) / 0.14)[:, None] * ~foot.down[:, None]
    shin = unit(ankle - knee)
    grounded = foot_direction(foot.yaw, foot.pitch)
    level = np.einsum("tij,j->ti", about_y(foot.yaw), np.array([0.0, 0.0, 1.0]))
    loose = unit(level - shin * np.sum(level * shin, -1, keepdims=True)) * 0.8 + 0.6 * shin
    toe = unit(grounded + lifted * (unit(loose) - grounded))
    lowest = (TOE_HEIGHT - ankle[:, 1]) / BONE["toe"]
    toe = _raise(toe, lowest, foot.down)
    toe = np.where(foot.down[:, None], grounded, toe)
    joints[:, INDEX[f"{side}_knee"]] = knee
    joints[:, INDEX[f"{side}_ankle"]] = ankle
    _put(joints, f"{side}_toe", f"{side}_ankle", BONE["toe"] * toe)


def _arm(arm: Floats) -> tuple[Floats, Floats]:
    """Frames (T, 3, 3) of upper arm and forearm in the ribcage; the first column is along the bone."""
    upper = rotations(arm[:, :4])
    c, s, o, i = _parts(np.degrees(np.clip(arm[:, 4], 0.03, 2.62)))
    bend = np.stack([np.stack([c, -s, o], -1), np.stack([s, c, o], -1), np.stack([o, o, i], -1)], -2)
    return upper, upper @ bend


def _within(v: Floats, axis: Floats, cosine: float) -> Floats:
    """Pull unit vectors towards `axis` until the cosine of the angle between them is at least `cosine`."""
    along = np.sum(v * axis, -1, keepdims=True)
    side = v - axis * along
    norm = np.linalg.norm(side, axis=-1, keepdims=True)
    held = cosine * axis + np.sqrt(1 - cosine**2) * side / np.maximum(norm, 1e-9)
    return unit(np.where(along < cosine, held, v))


def _raise(v: Floats, lowest: Floats, down: NDArray[np.bool_]) -> Floats:
    """Tip unit vectors up until their y is at least `lowest`; those that are `down` stay."""
    y = np.clip(np.maximum(v[:, 1], lowest), -0.98, 0.98)
    flat = v * [1.0, 0.0, 1.0]
    flat = flat / np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), 1e-9)
    tipped = flat * np.sqrt(1 - y**2)[:, None] + np.stack([0 * y, y, 0 * y], -1)
    return np.where(((v[:, 1] < lowest) & ~down)[:, None], tipped, v)


def _reachable(hip: Floats, ankle: Floats, down: NDArray[np.bool_]) -> Floats:
    """Ankles (T, 3): a foot in the air is pulled within reach of the leg, one on the floor stays where it is."""
    leg = ankle - hip
    far = np.linalg.norm(leg, axis=-1, keepdims=True)
    pulled = hip + leg * np.minimum(1.0, REACH / far)
    return np.where(down[:, None], ankle, pulled)


def _knee(hip: Floats, ankle: Floats, heading: Floats) -> Floats:
    """Knees (T, 3) of legs from `hip` to `ankle` that bend towards `heading` degrees; exact bone lengths."""
    leg = ankle - hip
    far = np.linalg.norm(leg, axis=-1, keepdims=True)
    line = leg / far
    r = np.radians(heading)
    sideways = np.stack([np.cos(r), 0 * r, -np.sin(r)], -1)
    bend = np.cross(line, sideways)
    bend /= np.maximum(np.linalg.norm(bend, axis=-1, keepdims=True), 1e-9)
    a, b = BONE["knee"], BONE["ankle"]
    along = (a**2 - b**2 + far**2) / (2 * far)
    return hip + line * along + bend * np.sqrt(np.maximum(a**2 - along**2, 0.0))
