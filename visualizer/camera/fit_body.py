"""One person in one picture after another, on our bones.

Where a joint is in the picture is taken from the picture, how near it is from the network's metres, which are much less
sure: each bone has a length, and how far it comes forward follows from how short it looks (`lift.py`). How long it is
at that person, in the metres of our skeleton, is the longest that it was seen of late.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from visualizer.camera.landmarker import Person
from visualizer.camera.lift import lift
from visualizer.camera.points import NECK, find_head, find_limbs, name_points
from visualizer.dancer.bones import BONE, BONES, CHAINS, INDEX, JOINTS, LEG, LENGTHS, MIRROR, TRUNK

Floats = NDArray[np.float64]

BEGIN, LEAST, MOST = 0.9, 0.75, 1.25  # of the length of our bone: what a person's is thought to be, and can be
FORGET_SECONDS = 20.0  # time constant in which a length that is not seen any more is forgotten
NEARER_SECONDS, FARTHER_SECONDS = 0.3, 8.0  # time constants in which a person's size in the picture is believed
_CHAINS, _LENGTHS = CHAINS.astype(np.float64), LENGTHS.astype(np.float64)
# Of each bone the number of its mirror image: both are as long.
_TWIN = np.array([int(np.flatnonzero(BONES[:, 1] == MIRROR[joint])[0]) for joint in BONES[:, 1]])
# How long these are at a person is not seen from the points that the network knows: where they point is taken alone.
_GIVEN = np.isin(BONES[:, 1], [INDEX[name] for name in ("head", "left_toe", "right_toe", "left_hand", "right_hand")])


class BodyFit:
    """Fits one person. `metre`: pixels that a metre of our skeleton has where they stand."""

    def __init__(self) -> None:
        self.metre = math.nan
        self._longest = BEGIN * _LENGTHS  # (20,) metres of our skeleton

    def push(self, person: Person, passed: float, legs: bool) -> Floats:
        """Joints (21, 3) metres about the pelvis, x right, y up, z to the viewer, `passed` seconds after the last.
        `legs`: whether the legs are seen well enough to tell how large the person is."""
        size = _find_size(person, legs)
        if math.isnan(self.metre):
            self.metre = size
        time = NEARER_SECONDS if size > self.metre else FARTHER_SECONDS
        self.metre += (size - self.metre) * (1 - math.exp(-passed / time))
        at = _place(person, self.metre)
        bones = at[BONES[:, 1]] - at[BONES[:, 0]]
        flat = np.linalg.norm(bones[:, :2], axis=-1)
        flat = np.clip(np.maximum(flat, flat[_TWIN]), LEAST * _LENGTHS, MOST * _LENGTHS)
        self._longest = np.maximum(flat, self._longest + (flat - self._longest) * (passed / FORGET_SECONDS))
        whole = np.linalg.norm(bones, axis=-1)
        bones[_GIVEN] *= (_LENGTHS / np.maximum(whole, 1e-3))[_GIVEN, None]
        length = np.where(_GIVEN, _LENGTHS, self._longest)
        return _CHAINS @ (lift(bones, length) * (_LENGTHS / length)[:, None])


def _find_size(person: Person, legs: bool) -> float:
    """Pixels of a metre, by the part of the body that is seen longest."""
    at = {name: xy[0] for name, xy in name_points(person.points[None].astype(np.float64)).items()}
    hips, shoulders = ((at[f"left_{k}"] + at[f"right_{k}"]) / 2 for k in ("hip", "shoulder"))
    sizes = [np.linalg.norm(shoulders - hips) * NECK / TRUNK]
    for side in ("left", "right") if legs else ():
        thigh, shin = at[f"{side}_knee"] - at[f"{side}_hip"], at[f"{side}_ankle"] - at[f"{side}_knee"]
        sizes.append((np.linalg.norm(thigh) + np.linalg.norm(shin)) / LEG)
    return max(float(max(sizes)), 1.0)


def _place(person: Person, metre: float) -> Floats:
    """Our joints (21, 3) where the landmarks have them, metres; their bones are of any length."""
    points = np.empty((len(person.points), 3))
    points[:, 0], points[:, 1] = person.points[:, 0] / metre, -person.points[:, 1] / metre
    spread = [np.linalg.norm(a - a.mean(axis=0), axis=-1).mean() for a in (person.points / metre, person.world[:, :2])]
    points[:, 2] = -person.world[:, 2] * (spread[0] / max(spread[1], 1e-6))
    at = name_points(points[None])
    limbs = find_limbs(at)
    neck, head, _ = find_head(at)
    out = np.zeros((len(JOINTS), 3))
    for name, point in limbs.items():
        out[INDEX[name]] = point[0]
    out[INDEX["pelvis"]] = middle = (out[INDEX["left_hip"]] + out[INDEX["right_hip"]]) / 2
    for name, share in (("spine", BONE["spine"] / TRUNK), ("chest", (BONE["spine"] + BONE["chest"]) / TRUNK)):
        out[INDEX[name]] = middle + share * (neck[0] - middle)
    out[INDEX["neck"]], out[INDEX["head"]] = neck[0], head[0]
    return out
