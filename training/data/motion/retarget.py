"""Any captured body onto our bones: landmarks in, (T, 21, 3) metres, y up, facing the viewer, out.

Directions of limbs are kept and lengths are ours, so that a tall dancer and a short one move the same silhouette. Hips
lie about their middle; the back is a line from there to the neck, of which our joints take their share; shoulders
stay where they are relative to it. So nothing depends on how many bones another skeleton has in its back, or where it
hangs its collar bones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from training.data.motion.bvh import Skeleton
from training.data.motion.mapping import ends_of, map_joints, trunk_of
from training.data.motion.skeleton import ANKLE_HEIGHT, BONE, INDEX, JOINTS
from visualizer.errors import UserError

Points = NDArray[np.float64]  # (T, 3)

FPS = 60.0  # of all clips
TRUNK = BONE["spine"] + BONE["chest"] + BONE["neck"]
LEG = BONE["knee"] + BONE["ankle"]
SHOULDER = (0.14, 0.25)  # metres from chest to shoulder, the narrowest and widest in which a silhouette looks like one
SLIGHT_TURN = 20.0  # degrees: who faces the viewer within this on the whole is left as is
SUNK = 0.03  # metres: feet that far off the floor are put on it
CALIBRATION = 5.0  # metres a second: faster into the second frame, the first was a pose of calibration
UNITS = {"metres": 1.0, "decimetres": 0.1, "inches": 0.0254, "centimetres": 0.01, "millimetres": 0.001}
HEIGHT = (1.2, 2.3)  # metres, from the floor to the crown, of whoever is captured
WHOLE = LEG + TRUNK + BONE["head"] + ANKLE_HEIGHT


@dataclass(frozen=True)
class Landmarks:
    """What is known of a body, in any units and axes. `trunk`: the line of the back from below, the neck last.
    `forward`: where the face or feet point, at least roughly; None where nothing says it."""

    limbs: dict[str, Points]  # left_hip, right_knee, …
    trunk: list[Points]
    head: Points  # its top, or anything above the neck
    fps: float
    forward: Points | None = None
    notes: list[str] = field(default_factory=list)


def _unit(v: NDArray) -> NDArray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _length(points: Points) -> float:
    return float(np.median(np.linalg.norm(points, axis=-1)))


# --- landmarks of a skeleton -----------------------------------------------------------------------------------------


def landmarks_of(skeleton: Skeleton, path: Path, table: dict[str, str] | None = None) -> Landmarks:
    """Landmarks of a captured skeleton. UserError where joints that are needed are not found."""
    found = map_joints(skeleton, path, table)
    where = skeleton.positions
    limbs = {name: where[:, number] for name, number in found.items() if "_" in name}
    for side in ("left", "right"):
        toe, hand = f"{side}_toe", f"{side}_hand"
        ankle, wrist = found[f"{side}_ankle"], found[f"{side}_wrist"]
        tips = ends_of(skeleton, found.get(toe, ankle))
        if tips:  # the tip of the foot, where there is one beyond its ball
            far = max(tips, key=lambda n: _length(where[:, n] - where[:, ankle]))
            limbs[toe] = where[:, far]
        if hand not in found:
            fingers = ends_of(skeleton, wrist)
            if fingers:
                limbs[hand] = where[:, fingers].mean(axis=1)
    head = found.get("head", -1)
    crowns = ends_of(skeleton, head if head >= 0 else found["neck"])
    neck = where[:, found["neck"]] if "neck" in found else where[:, head]
    if "neck" in found and (crowns or head >= 0):
        top = where[:, max(crowns, key=lambda n: _length(where[:, n] - neck))] if crowns else where[:, head]
    elif crowns:
        top = where[:, crowns[0]]
    else:
        raise UserError(f"{path}: nothing says where the head is; a table says it (--joints)")
    trunk = [where[:, n] for n in trunk_of(skeleton, found)] + [neck]
    forward = None
    if all(f"{side}_toe" in limbs for side in ("left", "right")):
        forward = sum((limbs[f"{side}_toe"] - limbs[f"{side}_ankle"] for side in ("left", "right")), np.zeros(3))
    return Landmarks(limbs, trunk, top, skeleton.fps, forward)


# --- upright, whole, facing ------------------------------------------------------------------------------------------


def _upright(body: Landmarks, path: Path, up: str | None) -> tuple[NDArray[np.float64], str]:
    """Rotation (3, 3) that brings y up, and in words which axis was up."""
    limbs = body.limbs
    feet = (limbs["left_ankle"] + limbs["right_ankle"]) / 2
    standing = np.median(body.head - feet, axis=0)
    axis = int(np.abs(standing).argmax())
    sign = 1.0 if standing[axis] > 0 else -1.0
    if up is not None:
        axis, sign = {"y": (1, 1.0), "z": (2, 1.0), "-y": (1, -1.0), "-z": (2, -1.0)}[up]
    elif axis == 0 or abs(standing[axis]) < 1.2 * np.sort(np.abs(standing))[1]:
        raise UserError(f"{path}: nobody stands upright in it, so which way is up must be said (--up y or z)")
    if axis == 1:
        turn = np.diag([1.0, sign, sign])
    else:
        turn = np.array([[1, 0, 0], [0, 0, sign], [0, -sign, 0]], dtype=float)
    return turn, f"{'' if sign > 0 else '-'}{'xyz'[axis]} up"


def _units(body: Landmarks, path: Path) -> str:
    """The body's height in words, with the unit that makes it a person's. UserError if it has none."""
    limbs = body.limbs
    leg = np.mean([_length(limbs[f"{s}_knee"] - limbs[f"{s}_hip"]) + _length(limbs[f"{s}_ankle"] - limbs[f"{s}_knee"])
                   for s in ("left", "right")])  # fmt: skip
    height = float(leg) * WHOLE / LEG
    if not height > 1e-6:
        raise UserError(f"{path}: the legs have no length")
    for name, metres in UNITS.items():
        if HEIGHT[0] <= height * metres <= HEIGHT[1]:
            return f"{height * metres:.2f} m tall in {name}"
    return f"{height:.3g} units tall, brought to {WHOLE:.2f} m"


def _shares(line: list[Points], shares: list[float]) -> list[Points]:
    """Points that lie so far along a line of points, as shares of its length in each frame."""
    points = np.stack(line)  # (P, T, 3)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    along = np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])
    out = []
    for share in shares:
        target = share * along[-1]
        piece = np.clip((along[1:] <= target).sum(axis=0), 0, len(steps) - 1)
        frame = np.arange(steps.shape[1])
        rest = (target - along[piece, frame]) / np.maximum(steps[piece, frame], 1e-9)
        out.append(points[piece, frame] + rest[:, None] * (points[piece + 1, frame] - points[piece, frame]))
    return out


def _foot(shin: Points, forward: Points) -> Points:
    """Where a foot points that nobody captured: square to the shin, towards the front, its tip a little down."""
    ahead = _unit(forward - shin * np.sum(forward * shin, axis=-1, keepdims=True))
    return _unit(ahead + 0.35 * shin)


def to_body(body: Landmarks, path: Path, up: str | None = None) -> tuple[NDArray[np.float32], list[str]]:
    """Landmarks onto our bones: (T, 21, 3) metres at `FPS`, and what was found out on the way, in words."""
    turn, said = _upright(body, path, up)
    notes = [_units(body, path), said, *body.notes]
    limbs = {name: points @ turn.T for name, points in body.limbs.items()}
    trunk = [points @ turn.T for points in body.trunk]
    top = body.head @ turn.T
    forward = body.forward @ turn.T if body.forward is not None else None

    middle = (limbs["left_hip"] + limbs["right_hip"]) / 2
    across = _unit(limbs["left_hip"] - limbs["right_hip"])
    back = _unit(trunk[-1] - middle)
    front = np.cross(across, back)
    if forward is not None and np.median(np.sum(front * forward, axis=-1)) < 0:
        # Left is where right should be: the file counts its axes the other way round. Seen in a mirror it is right.
        notes.append("mirrored, for its left was its right")
        flip = np.array([-1.0, 1.0, 1.0])
        limbs = {name: points * flip for name, points in limbs.items()}
        trunk, top, middle = [points * flip for points in trunk], top * flip, middle * flip
        across = _unit(limbs["left_hip"] - limbs["right_hip"])
        front = np.cross(across, _unit(trunk[-1] - middle))

    legs = [_length(limbs[f"{s}_knee"] - limbs[f"{s}_hip"]) + _length(limbs[f"{s}_ankle"] - limbs[f"{s}_knee"])
            for s in ("left", "right")]  # fmt: skip
    scale = LEG / float(np.mean(legs))
    frames = len(middle)
    out = np.zeros((frames, len(JOINTS), 3))

    def put(name: str, parent: str, offset: NDArray) -> None:
        out[:, INDEX[name]] = out[:, INDEX[parent]] + offset

    out[:, 0] = middle * scale
    line = [middle, *trunk]
    spine, chest = _shares(line, [BONE["spine"] / TRUNK, (BONE["spine"] + BONE["chest"]) / TRUNK])
    put("spine", "pelvis", BONE["spine"] * _unit(spine - middle))
    put("chest", "spine", BONE["chest"] * _unit(chest - spine))
    put("neck", "chest", BONE["neck"] * _unit(trunk[-1] - chest))
    put("head", "neck", BONE["head"] * _unit(top - trunk[-1]))
    height = sum(_length(b - a) for a, b in pairwise(line))
    if not height > 1e-6:
        raise UserError(f"{path}: the back has no length")
    level = front * [1.0, 0.0, 1.0]
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        reach = limbs[f"{side}_shoulder"] - chest
        width = np.clip(_length(reach) * TRUNK / height, *SHOULDER)
        put(f"{side}_shoulder", "chest", width * _unit(reach))
        put(f"{side}_hip", "pelvis", sign * BONE["hip"] * across)
        for name, parent in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee")):
            bone = limbs[f"{side}_{name}"] - limbs[f"{side}_{parent}"]
            if not _length(bone) > 1e-3 / scale:
                raise UserError(f"{path}: no bone between {side} {parent} and {side} {name}")
            put(f"{side}_{name}", f"{side}_{parent}", BONE[name] * _unit(bone))
        shin = _unit(limbs[f"{side}_ankle"] - limbs[f"{side}_knee"])
        forearm = limbs[f"{side}_wrist"] - limbs[f"{side}_elbow"]
        foot = limbs[f"{side}_toe"] - limbs[f"{side}_ankle"] if f"{side}_toe" in limbs else None
        hand = limbs[f"{side}_hand"] - limbs[f"{side}_wrist"] if f"{side}_hand" in limbs else None
        bare = foot is None or not _length(foot) > 0.02 / scale
        put(f"{side}_toe", f"{side}_ankle", BONE["toe"] * (_foot(shin, level) if bare else _unit(foot)))  # type: ignore[arg-type]
        still = hand is None or not _length(hand) > 0.02 / scale
        put(f"{side}_hand", f"{side}_wrist", BONE["hand"] * _unit(forearm if still else hand))  # type: ignore[arg-type]

    step = np.abs(np.diff(out[:6], axis=0)).max(axis=(1, 2)) * body.fps
    if len(step) > 1 and step[0] > CALIBRATION and step[0] > 3 * step[1:].max():
        notes.append("without its first frame, a pose of calibration")
        out, front = out[1:], front[1:]
    out = _facing(out, front, notes)
    out = at_rate(out, body.fps)
    lowest = out[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 1].min(axis=1)
    sunk = ANKLE_HEIGHT - float(np.percentile(lowest, 5))
    if abs(sunk) > SUNK:
        out[..., 1] += sunk
    out[..., [0, 2]] -= np.median(out[:, :1, [0, 2]], axis=0)
    return out.astype(np.float32), notes


def _facing(positions: NDArray[np.float64], front: Points, notes: list[str]) -> NDArray[np.float64]:
    """Turned so that the dancer faces the viewer on the whole."""
    ahead = front[:, [0, 2]].sum(axis=0)
    angle = float(np.degrees(np.arctan2(ahead[0], ahead[1])))
    if abs(angle) <= SLIGHT_TURN:
        return positions
    notes.append(f"turned by {-angle:.0f}° to face the viewer")
    c, s = np.cos(np.radians(-angle)), np.sin(np.radians(-angle))
    return positions @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T


def at_rate(positions: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Resampled from `fps` to `FPS`, by cubic splines."""
    if abs(fps / FPS - 1) < 1e-3 or len(positions) < 2:
        return positions
    seconds = (len(positions) - 1) / fps
    times = np.arange(0, seconds + 1e-9, 1 / FPS)
    return CubicSpline(np.arange(len(positions)) / fps, positions, axis=0)(np.minimum(times, seconds))
