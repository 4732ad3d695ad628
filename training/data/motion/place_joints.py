"""Brings a body of which some points are known onto our bones: directions of limbs are kept, and lengths are ours.

Hips lie about their middle; the back is a line from there to the neck, along which our joints lie at fixed shares;
shoulders stay where they are relative to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from visualizer.dancer.bones import BONE, INDEX, JOINTS, LEG, TRUNK
from visualizer.errors import UserError

Points = NDArray[np.float64]  # (T, 3)

SHOULDER = (0.14, 0.25)  # metres from chest to shoulder, the narrowest and widest at which a silhouette looks right


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


def find_unit(v: NDArray) -> NDArray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def find_length(points: Points) -> float:
    return float(np.median(np.linalg.norm(points, axis=-1)))


def find_leg_length(body: Landmarks) -> float:
    """Mean length of both legs, in units of the landmarks."""
    limbs = body.limbs
    legs = [find_length(limbs[f"{s}_knee"] - limbs[f"{s}_hip"]) + find_length(limbs[f"{s}_ankle"] - limbs[f"{s}_knee"])
            for s in ("left", "right")]  # fmt: skip
    return float(np.mean(legs))


def find_across(body: Landmarks) -> Points:
    """Unit vectors from the right hip to the left one."""
    return find_unit(body.limbs["left_hip"] - body.limbs["right_hip"])


def place_joints(body: Landmarks, front: Points, path: Path) -> NDArray[np.float64]:
    """Our joints (T, 21, 3) metres, each bone in the direction of the landmarks. UserError where a bone has none."""
    scale = LEG / find_leg_length(body)
    out = np.zeros((len(body.head), len(JOINTS), 3))
    out[:, 0] = body.middle * scale
    line = [body.middle, *body.trunk]
    spine, chest = _shares(line, [BONE["spine"] / TRUNK, (BONE["spine"] + BONE["chest"]) / TRUNK])
    _put(out, "spine", "pelvis", BONE["spine"] * find_unit(spine - body.middle))
    _put(out, "chest", "spine", BONE["chest"] * find_unit(chest - spine))
    _put(out, "neck", "chest", BONE["neck"] * find_unit(body.trunk[-1] - chest))
    _put(out, "head", "neck", BONE["head"] * find_unit(body.head - body.trunk[-1]))
    height = sum(find_length(b - a) for a, b in pairwise(line))
    if not height > 1e-6:
        raise UserError(f"{path}: the back has no length")
    for sign, side in ((1.0, "left"), (-1.0, "right")):
        reach = body.limbs[f"{side}_shoulder"] - chest
        width = np.clip(find_length(reach) * TRUNK / height, *SHOULDER)
        _put(out, f"{side}_shoulder", "chest", width * find_unit(reach))
        _put(out, f"{side}_hip", "pelvis", sign * BONE["hip"] * find_across(body))
        _place_limbs(out, body.limbs, side, 1e-3 / scale, path)
        _place_ends(out, body.limbs, side, 0.02 / scale, front * [1.0, 0.0, 1.0])
    return out


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


def _put(out: NDArray[np.float64], name: str, parent: str, offset: NDArray) -> None:
    out[:, INDEX[name]] = out[:, INDEX[parent]] + offset


def _place_limbs(out: NDArray[np.float64], limbs: dict[str, Points], side: str, least: float, path: Path) -> None:
    """Place elbow, wrist, knee and ankle of one side. UserError where a bone is no longer than `least`."""
    for name, parent in (("elbow", "shoulder"), ("wrist", "elbow"), ("knee", "hip"), ("ankle", "knee")):
        bone = limbs[f"{side}_{name}"] - limbs[f"{side}_{parent}"]
        if not find_length(bone) > least:
            raise UserError(f"{path}: no bone between {side} {parent} and {side} {name}")
        _put(out, f"{side}_{name}", f"{side}_{parent}", BONE[name] * find_unit(bone))


def _place_ends(
    out: NDArray[np.float64], limbs: dict[str, Points], side: str, least: float, level: Points
) -> None:  # fmt: skip
    """Place toe and hand of one side. Where they were not captured, or are shorter than `least`, the foot points
    towards `level` and the hand goes on along the forearm."""
    shin = find_unit(limbs[f"{side}_ankle"] - limbs[f"{side}_knee"])
    forearm = limbs[f"{side}_wrist"] - limbs[f"{side}_elbow"]
    foot = limbs[f"{side}_toe"] - limbs[f"{side}_ankle"] if f"{side}_toe" in limbs else None
    hand = limbs[f"{side}_hand"] - limbs[f"{side}_wrist"] if f"{side}_hand" in limbs else None
    toe = _guess_foot(shin, level) if foot is None or not find_length(foot) > least else find_unit(foot)
    _put(out, f"{side}_toe", f"{side}_ankle", BONE["toe"] * toe)
    fingers = forearm if hand is None or not find_length(hand) > least else hand
    _put(out, f"{side}_hand", f"{side}_wrist", BONE["hand"] * find_unit(fingers))


def _guess_foot(shin: Points, forward: Points) -> Points:
    """Direction of a foot that was not captured: square to the shin, towards the front, its tip a little down."""
    ahead = find_unit(forward - shin * np.sum(forward * shin, axis=-1, keepdims=True))
    return find_unit(ahead + 0.35 * shin)
