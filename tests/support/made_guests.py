"""A guest whose joints are known, and the picture of one as the network that sees people would have it."""

from __future__ import annotations

import numpy as np

from tests.support.made_landmarks import METRE, landmarks_of
from tests.support.made_space import standing_body
from visualizer.camera.landmarker import Person
from visualizer.dancer.bones import BONES, CHAINS, LENGTHS

SIZE = (640, 480)  # of pictures
_ARMS = {"left": (5, [0.6, 0.8, 0.0]), "right": (9, [-0.6, 0.8, 0.0])}


def whole_body() -> np.ndarray:
    """(21, 3) metres: stands with bent knees, arms down, on bones of our lengths."""
    joints = standing_body().astype(np.float64)
    bones = joints[BONES[:, 1]] - joints[BONES[:, 0]]
    return joints[0] + CHAINS @ (bones * (LENGTHS / np.linalg.norm(bones, axis=-1))[:, None])


def with_arms_up(joints: np.ndarray, *sides: str) -> np.ndarray:
    """The same with the arms of those sides up and out."""
    body = joints.copy()
    for shoulder, way in (_ARMS[side] for side in sides):
        for joint in range(shoulder + 1, shoulder + 4):
            body[joint] = body[joint - 1] + np.linalg.norm(joints[joint] - joints[joint - 1]) * np.array(way)
    return body


def seen_as(joints: np.ndarray, right: float = 320.0, up: float = 0.0, sure: float = 1.0) -> Person:
    """A person in a picture of `SIZE`, their pelvis `right` pixels from its left edge, `up` metres off the floor."""
    found = landmarks_of(joints[None])[0]
    points = found[:, :2] + (right - 135.0, -up * METRE)
    return Person(points.astype(np.float32), found[:, 2:5], np.full(len(found), sure, np.float32), None)
