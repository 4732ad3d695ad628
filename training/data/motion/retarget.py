"""Brings any captured body onto our bones: landmarks in, (T, 21, 3) metres, y up, facing the viewer, out.

Directions of limbs are kept and lengths are ours, so that a tall dancer and a short one move the same silhouette. Hips
lie about their middle; the back is a line from there to the neck, along which our joints lie at fixed shares; shoulders
stay where they are relative to it. So the number of bones in the captured back, and where its collar bones begin, do
not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from training.data.motion.bvh import Skeleton
from training.data.motion.mapping import ends_of, map_joints, trunk_of
from training.data.motion.place_joints import (
    Landmarks,
    Points,
    find_across,
    find_leg_length,
    find_length,
    find_unit,
    place_joints,
)
from training.data.motion.skeleton import ANKLE_HEIGHT, BONE, INDEX
from visualizer.dancer.bones import LEG, TRUNK
from visualizer.errors import UserError

FPS = 60.0  # of all clips
SLIGHT_TURN = 20.0  # degrees: a dancer who faces the viewer within this, on average, is left as they are
SUNK = 0.03  # metres: feet that are farther off the floor are put on it
CALIBRATION = 5.0  # metres a second: a faster move into the second frame means that the first was a calibration pose
UNITS = {"metres": 1.0, "decimetres": 0.1, "inches": 0.0254, "centimetres": 0.01, "millimetres": 0.001}
HEIGHT = (1.2, 2.3)  # metres from the floor to the crown: what a captured person can have
WHOLE = LEG + TRUNK + BONE["head"] + ANKLE_HEIGHT


@dataclass(frozen=True)
class Fit:
    """How far captured joints are from those of our skeleton, which has the same size for all: centimetres, the mean
    over joints and time, and of the `joint` that is farthest off."""

    mean_cm: float
    worst_cm: float
    joint: str


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
            far = max(tips, key=lambda n: find_length(where[:, n] - where[:, ankle]))
            limbs[toe] = where[:, far]
        if hand not in found:
            fingers = ends_of(skeleton, wrist)
            if fingers:
                limbs[hand] = where[:, fingers].mean(axis=1)
    head = found.get("head", -1)
    crowns = ends_of(skeleton, head if head >= 0 else found["neck"])
    neck = where[:, found["neck"]] if "neck" in found else where[:, head]
    if "neck" in found and (crowns or head >= 0):
        top = where[:, max(crowns, key=lambda n: find_length(where[:, n] - neck))] if crowns else where[:, head]
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


def _units(body: Landmarks, path: Path) -> str:
    """The body's height in words, with the unit that makes it a person's. UserError if the legs have no length."""
    height = find_leg_length(body) * WHOLE / LEG
    if not height > 1e-6:
        raise UserError(f"{path}: the legs have no length")
    for name, metres in UNITS.items():
        if HEIGHT[0] <= height * metres <= HEIGHT[1]:
            return f"{height * metres:.2f} m tall in {name}"
    return f"{height:.3g} units tall, brought to {WHOLE:.2f} m"


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
    scale = LEG / find_leg_length(body)
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


def _front(body: Landmarks) -> Points:
    """Where the body faces, upright or not: square to the hips and the back."""
    return np.cross(find_across(body), find_unit(body.trunk[-1] - body.middle))


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
