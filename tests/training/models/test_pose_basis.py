"""The latent space of bodies in space: an isometry that loses nothing, and what a picture shows of it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_bodies import some_bodies
from training.data.motion.body import project
from training.models.pose_basis import PoseBasis, pose_basis


@pytest.fixture(scope="module")
def basis() -> PoseBasis:
    return pose_basis(some_bodies(), 63)


def test_latents_are_bodies_in_space_and_lose_nothing(basis: PoseBasis) -> None:
    bodies = some_bodies(40)
    latent = basis.latents(bodies)
    assert basis.axes == 3
    np.testing.assert_allclose(basis.joints(latent), bodies, atol=1e-5)
    apart = np.linalg.norm((bodies[:20] - bodies[20:40]).reshape(20, -1), axis=1)
    np.testing.assert_allclose(np.linalg.norm(latent[:20] - latent[20:40], axis=1) * basis.scale, apart, rtol=1e-3)
    half = basis.joints((latent[:1] + latent[1:2]) / 2)[0]
    np.testing.assert_allclose(half, bodies[:2].mean(axis=0), atol=1e-5)


def test_the_picture_is_the_projection(basis: PoseBasis) -> None:
    bodies = some_bodies(10)
    weights, constants = basis.in_picture()
    seen = (basis.latents(bodies) @ weights.T + constants).reshape(-1, 21, 2)
    np.testing.assert_allclose(seen, project(bodies, np.zeros(len(bodies), np.float32)), atol=1e-5)


def test_depth_is_orthogonal_to_what_the_picture_shows(basis: PoseBasis) -> None:
    shown = basis.directions_in_picture()
    assert shown.shape == (42, 63)
    np.testing.assert_allclose(shown @ shown.T, np.eye(42), atol=1e-4)
    bodies = some_bodies(6)
    deeper = bodies + np.array([0, 0, 0.3], np.float32) * np.arange(21, dtype=np.float32)[:, None]
    moved = basis.latents(deeper) - basis.latents(bodies)
    assert np.abs(moved).max() > 1
    np.testing.assert_allclose(moved @ shown.T, 0, atol=1e-3)


def test_no_latent_is_divided_by_nothing(basis: PoseBasis) -> None:
    assert basis.std.min() >= np.float32(0.02)
    flat = pose_basis(project(some_bodies(), np.zeros(200, np.float32)), 42)
    assert flat.axes == 2
    assert (flat.directions_in_picture() == np.eye(42)).all()
