"""Brings any captured body onto our bones: landmarks in, (T, 21, 3) metres, y up, facing the viewer, out.

Directions of limbs are kept and lengths are ours, so that a tall dancer and a short one move the same silhouette. Hips
lie about their middle; the back is a line from there to the neck, along which our joints lie at fixed shares; shoulders
stay where they are relative to it. So the number of bones in the captured back, and where its collar bones begin, do
not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
SHOULDER = (0.14, 0.25)  # metres from chest to shoulder, the narrowest and widest at which a silhouette looks right
SLIGHT_TURN = 20.0  # degrees: a dancer who faces the viewer within this, on average, is left as they are
SUNK = 0.03  # metres: feet that are farther off the floor are put on it
CALIBRATION = 5.0  # metres a second: a faster move into the second frame means that the first was a calibration pose
UNITS = {"metres": 1.0, "decimetres": 0.1, "inches": 0.0254, "centimetres": 0.01, "millimetres": 0.001}
HEIGHT = (1.2, 2.3)  # metres from the floor to the crown: what a captured person can have
WHOLE = LEG + TRUNK + BONE["head"] + ANKLE_HEIGHT


@dataclass(frozen=True)
class Landmarks:
    """What is known of a body, in any units and axes. `trunk`: the line of the back from below, the neck last.
    `forward`: roughly where the face or the feet point; None where the file does not show it."""

    limbs: dict[str, Points]  # left_hip, right_knee, …
    trunk: list[Points]
    head: Points  # its top, or anything above the neck
    fps: float
    forward: Points | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def middle(self) -> Points:
        """Half-way between the hips."""
        return (self.limbs["left_hip"] + self.limbs["right_hip"]) / 2


@dataclass(frozen=True)
class Fit:
    """How far captured joints are from those of our skeleton, which has the same size for all: centimetres, the mean
    over joints and time, and of the `joint` that is farthest off."""

    mean_cm: float
    worst_cm: float
    joint: str


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
        raise UserError(f"{path}: it does not say where the head is; give a table that does (--joints)")
    trunk = [where[:, n] for n in trunk_of(skeleton, found)] + [neck]
    forward = None
    if all(f"{side}_toe" in limbs for side in ("left", "right")):
        forward = sum((limbs[f"{side}_toe"] - limbs[f"{side}_ankle"] for side in ("left", "right")), np.zeros(3))
    return Landmarks(limbs, trunk, top, skeleton.fps, forward)


# --- upright, whole, facing ------------------------------------------------------------------------------------------


def _upright(body: Landmarks, path: Path, up: str | None) -> tuple[NDArray[np.float64], str]:
    """The rotation (3, 3) that brings y up, and which axis was up, in words."""
    limbs = body.limbs
    feet = (limbs["left_ankle"] + limbs["right_ankle"]) / 2
    standing = np.median(body.head - feet, axis=0)
    axis = int(np.abs(standing).argmax())
    sign = 1.0 if standing[axis] > 0 else -1.0
    if up is not None:
        axis, sign = {"y": (1, 1.0), "z": (2, 1.0), "-y": (1, -1.0), "-z": (2, -1.0)}[up]
    elif axis == 0 or abs(standing[axis]) < 1.2 * np.sort(np.abs(standing))[1]:
        raise UserError(f"{path}: no one stands upright in it, so say which way is up (--up y or z)")
    if axis == 1:
        turn = np.diag([1.0, sign, sign])
    else:
        turn = np.array([[1, 0, 0], [0, 0, sign], [0, -sign, 0]], dtype=float)
    return turn, f"{'' if sign > 0 else '-'}{'xyz'[axis]} up"


def _leg_length(body: Landmarks) -> float:
    """Mean length of both legs, in units of the landmarks."""
    limbs = body.limbs
    legs = [_length(limbs[f"{s}_knee"] - limbs[f"{s}_hip"]) + _length(limbs[f"{s}_ankle"] - limbs[f"{s}_knee"])
            for s in ("left", "right")]  # fmt: skip
    return float(np.mean(legs))


def _units(body: Landmarks, path: Path) -> str:
    """The body's height in words, with the unit that makes it a person's. UserError if the legs have no length."""
    height = _leg_length(body) * WHOLE / LEG
    if not height > 1e-6:
        raise UserError(f"{path}: the legs have no length")
    for name, metres in UNITS.items():
        if HEIGHT[0] <= height * metres <= HEIGHT[1]:
            return f"{height * metres:.2f} m tall in {name}"
    return f"{height:.3g} units tall, brought to {WHOLE:.2f} m"


def _shares(line: list[Points], shares: list[float]) -> list[Points]:
    """Points along a line of points, (T, 3) each, at the given shares of its length in each frame."""
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


def _guess_foot(shin: Points, forward: Points) -> Points:
    """Direction of a foot that was not captured: square to the shin, towards the front, its tip a little down."""
    ahead = _unit(forward - shin * np.sum(forward * shin, axis=-1, keepdims=True))
    return _unit(ahead + 0.35 * shin)


def to_body(body: Landmarks, path: Path, up: str | None = None) -> tuple[NDArray[np.float32], list[str], Fit]:
    """Bring landmarks onto our bones: (T, 21, 3) metres at `FPS`, notes on what was found out on the way, and how well
    our skeleton fits.

    UserError where it is unclear which way is up, or a bone has no length.
    """
    turn, said = _upright(body, path, up)
    notes = [_units(body, path), said, *body.notes]
    body = _turned(body, turn)
    front = _front(body)
    if body.forward is not None and np.median(np.sum(front * body.forward, axis=-1)) < 0:
        # Left is where right should be: the file counts its axes the other way round. A mirror puts that right.
        notes.append("mirrored, because its left was its right")
        body = _turned(body, np.diag([-1.0, 1.0, 1.0]))
        front = _front(body)
    out = place_joints(body, front, path)
    fit = _measure_fit(body, out)
    step = np.abs(np.diff(out[:6], axis=0)).max(axis=(1, 2)) * body.fps
    if len(step) > 1 and step[0] > CALIBRATION and step[0] > 3 * step[1:].max():
        notes.append("without its first frame, a calibration pose")
        out, front = out[1:], front[1:]
    out = _on_floor(at_rate(_facing(out, front, notes), body.fps))
    return out.astype(np.float32), notes, fit


def _measure_fit(body: Landmarks, placed: NDArray[np.float64]) -> Fit:
    """How far joints `placed` (T, 21, 3) are from where they were captured, at our size and about the pelvis; without
    hands and toes, whose ends are captured anywhere."""
    scale = LEG / _leg_length(body)
    given = {name: p for name, p in body.limbs.items() if not name.endswith(("_hand", "_toe"))} | {
        "neck": body.trunk[-1]
    }
    off = {}
    for name, points in given.items():
        apart = (points - body.middle) * scale - (placed[:, INDEX[name]] - placed[:, 0])
        off[name] = 100 * np.linalg.norm(apart, axis=-1)
    worst = max(off, key=lambda name: float(off[name].mean()))
    return Fit(float(np.mean([o.mean() for o in off.values()])), float(off[worst].mean()), worst)


def _turned(body: Landmarks, turn: NDArray[np.float64]) -> Landmarks:
    """The same landmarks after a rotation or reflection (3, 3)."""
    limbs = {name: points @ turn.T for name, points in body.limbs.items()}
    forward = body.forward @ turn.T if body.forward is not None else None
    return replace(body, limbs=limbs, trunk=[p @ turn.T for p in body.trunk], head=body.head @ turn.T, forward=forward)


def _across(body: Landmarks) -> Points:
    """Unit vectors from the right hip to the left one."""
    return _unit(body.limbs["left_hip"] - body.limbs["right_hip"])


def _front(body: Landmarks) -> Points:
    """Where the body faces, upright or not: square to the hips and the back."""
    return np.cross(_across(body), _unit(body.trunk[-1] - body.middle))


def place_joints(body: Landmarks, front: Points, path: Path) -> NDArray[np.float64]:
    """Our joints (T, 21, 3) metres, each bone in the direction of the landmarks. UserError where a bone has none."""
    scale = LEG / _leg_length(body)
    out = np.zeros((len(body.head), len(JOINTS), 3))
    out[:, 0] = body.middle * scale
    line = [body.middle, *body.trunk]
    spine, chest = _shares(line, [BONE["spine"] / TRUNK, (BONE["spine"] + BONE["chest"]) / TRUNK])
    _put(out, "spine", "pelvis", BONE["spine"] * _unit(spine - body.middle))
    _put(out, "chest", "spine", BONE["chest"] * _unit(chest - spine))
    _put(out, "neck", "chest", BONE["neck"] * _unit(body.trunk[-1] - chest))
    _put(out, "head", "neck", BONE["head"] * _unit(body.head - body.trunk[-1]))
    height = sum(_length(b - a) for a, b in pairwise(line))
    if not height > 1e-6:
        raise UserError(f"{path}: the back has no length")
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        reach = body.limbs[f"{side}_shoulder"] - chest
        width = np.clip(_length(reach) * TRUNK / height, *SHOULDER)
        _put(out, f"{side}_shoulder", "chest", width * _unit(reach))
        _put(out, f"{side}_hip", "pelvis", sign * BONE["hip"] * _across(body))
        _place_limbs(out, body.limbs, side, 1e-3 / scale, path)
        _place_ends(out, body.limbs, side, 0.02 / scale, front * [1.0, 0.0, 1.0])
    return out


def _put(out: NDArray[np.float64], name: str, parent: str, offset: NDArray) -> None:
    out[:, INDEX[name]] = out[:, INDEX[parent]] + offset


def _place_limbs(out: NDArray[np.float64], limbs: dict[str, Points], side: str, least: float, path: Path) -> None:
    """Place elbow, wrist, knee and ankle of one side. UserError where a bone is no longer than `least`."""
    for name, parent in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee")):
        bone = limbs[f"{side}_{name}"] - limbs[f"{side}_{parent}"]
        if not _length(bone) > least:
            raise UserError(f"{path}: no bone between {side} {parent} and {side} {name}")
        _put(out, f"{side}_{name}", f"{side}_{parent}", BONE[name] * _unit(bone))


def _place_ends(
    out: NDArray[np.float64], limbs: dict[str, Points], side: str, least: float, level: Points
) -> None:  # fmt: skip
    """Place toe and hand of one side. Where they were not captured, or are shorter than `least`, the foot points
    towards `level` and the hand goes on along the forearm."""
    shin = _unit(limbs[f"{side}_ankle"] - limbs[f"{side}_knee"])
    forearm = limbs[f"{side}_wrist"] - limbs[f"{side}_elbow"]
    foot = limbs[f"{side}_toe"] - limbs[f"{side}_ankle"] if f"{side}_toe" in limbs else None
    hand = limbs[f"{side}_hand"] - limbs[f"{side}_wrist"] if f"{side}_hand" in limbs else None
    toe = _guess_foot(shin, level) if foot is None or not _length(foot) > least else _unit(foot)
    _put(out, f"{side}_toe", f"{side}_ankle", BONE["toe"] * toe)
    fingers = forearm if hand is None or not _length(hand) > least else hand
    _put(out, f"{side}_hand", f"{side}_wrist", BONE["hand"] * _unit(fingers))


def _on_floor(out: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the feet on the floor where they are more than `SUNK` off it, and the pelvis over the origin."""
    lowest = out[:, [INDEX["left_ankle"], INDEX["right_ankle"]], 1].min(axis=1)
    sunk = ANKLE_HEIGHT - float(np.percentile(lowest, 5))
    if abs(sunk) > SUNK:
        out[..., 1] += sunk
    out[..., [0, 2]] -= np.median(out[:, :1, [0, 2]], axis=0)
    return out


def _facing(positions: NDArray[np.float64], front: Points, notes: list[str]) -> NDArray[np.float64]:
    """The dance turned so that the dancer faces the viewer on average."""
    ahead = front[:, [0, 2]].sum(axis=0)
    angle = float(np.degrees(np.arctan2(ahead[0], ahead[1])))
    if abs(angle) <= SLIGHT_TURN:
        return positions
    notes.append(f"turned by {-angle:.0f}° to face the viewer")
    c, s = np.cos(np.radians(-angle)), np.sin(np.radians(-angle))
    return positions @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T


def at_rate(positions: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Resample positions (T, 21, 3) from `fps` to `FPS` by cubic splines."""
    if abs(fps / FPS - 1) < 1e-3 or len(positions) < 2:
        return positions
    seconds = (len(positions) - 1) / fps
    times = np.arange(0, seconds + 1e-9, 1 / FPS)
    return CubicSpline(np.arange(len(positions)) / fps, positions, axis=0)(np.minimum(times, seconds))
