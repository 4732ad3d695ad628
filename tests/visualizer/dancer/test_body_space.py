"""Bodies in space: what `pack.json` says of them is checked, and a camera that walks round is a turn of the joints."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.support.made_space import made_space, some_joints
from visualizer.dancer.body_space import (
    describe_body_space,
    read_body_space,
    turn_travel,
)

SIZE = 63


def seen_from(joints: np.ndarray, degrees: float) -> np.ndarray:
    """As `training.data.motion.skeleton.turn`, which the live program does not import."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return joints @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T


def test_a_latent_is_a_body_and_comes_back() -> None:
    space, joints = made_space(), some_joints(5)
    latent = space.latents(joints)
    np.testing.assert_allclose(space.joints(latent), joints, atol=1e-5)
    apart = np.linalg.norm((joints[0] - joints[1]).ravel())
    assert np.linalg.norm(latent[0] - latent[1]) * space.scale == pytest.approx(apart, rel=1e-4)


@pytest.mark.parametrize("degrees", [30.0, -45.0, 60.0])
def test_turning_a_latent_turns_the_body(degrees: float) -> None:
    space, joints = made_space(), some_joints(3)
    turned = space.turn(space.latents(joints), np.array([degrees, 0.0, -degrees]))
    for k, angle in enumerate((degrees, 0.0, -degrees)):
        np.testing.assert_allclose(space.joints(turned)[k], seen_from(joints[k], angle), atol=1e-5)


def test_nothing_is_turned_by_nothing() -> None:
    space = made_space()
    latent = space.latents(some_joints(2))
    assert space.turn(latent, np.zeros(2)) is latent


def test_travel_turns_as_the_body_does() -> None:
    travel = np.array([[0.3, -0.2], [0.1, 0.4]], np.float32)
    turned = turn_travel(travel, np.array([40.0, -15.0]))
    for k, angle in enumerate((40.0, -15.0)):
        wanted = seen_from(np.array([travel[k, 0], 0.0, travel[k, 1]]), angle)
        np.testing.assert_allclose(turned[k], wanted[[0, 2]], atol=1e-6)


def test_the_places_across_are_those_of_the_joints() -> None:
    space, joints = made_space(), some_joints(4)
    known = np.pad(space.latents(joints), ((0, 0), (0, 1)), constant_values=1)
    np.testing.assert_allclose(known @ space.across, joints[..., 0], atol=1e-5)


def test_what_a_pack_says_is_what_is_read() -> None:
    space = made_space()
    again = read_body_space(json.loads(json.dumps(describe_body_space(space))), SIZE)
    assert (again.axes == space.axes).all()
    assert (again.mean == space.mean).all()
    assert (again.std == space.std).all()
    assert again.scale == space.scale


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda body: None, "must have mean"),
        (lambda body: {**body, "more": 1}, "must have mean"),
        (lambda body: {**body, "scale": 0}, "scale"),
        (lambda body: {**body, "scale": True}, "scale"),
        (lambda body: {**body, "mean": body["mean"][:-1]}, "mean must be 63"),
        (lambda body: {**body, "mean": ["x"] * 63}, "mean must be 63"),
        (lambda body: {**body, "mean": [float("nan")] * 63}, "mean must be 63"),
        (lambda body: {**body, "std": [0.0] * SIZE}, "std must be above"),
        (lambda body: {**body, "axes": [row[:-1] for row in body["axes"]]}, "axes must be 63 times 63"),
        (lambda body: {**body, "axes": [[2 * x for x in row] for row in body["axes"]]}, "orthonormal"),
    ],
)
def test_what_is_no_body_is_refused(spoil: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_body_space(spoil(describe_body_space(made_space())), SIZE)
