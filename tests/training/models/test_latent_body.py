"""What the dancer network knows of the body: bones keep their lengths whatever it makes, feet are where they are."""

from __future__ import annotations

import numpy as np
import torch

from tests.support.made_bodies import some_bodies
from training.data.motion.body import project
from training.data.motion.kinematics import fix_bones
from training.data.motion.skeleton import BONES, LENGTHS
from training.models.latent_body import FEET, TRUNK, LatentBones, latent_body
from training.models.pose_basis import pose_basis
from visualizer.dancer.pack import FRAME_METRES


def lengths(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(joints[..., BONES[:, 1], :] - joints[..., BONES[:, 0], :], axis=-1)


def test_any_latent_becomes_a_body_with_its_bones() -> None:
    basis = pose_basis(some_bodies(), 63)
    layer = LatentBones(basis)
    latent = 3 * torch.randn(20, 63, generator=torch.Generator().manual_seed(1))
    assert np.abs(lengths(basis.joints(latent.numpy())) - LENGTHS).max() > 0.1
    whole = layer(latent)
    np.testing.assert_allclose(lengths(basis.joints(whole.numpy())), np.tile(LENGTHS, (20, 1)), atol=1e-5)
    torch.testing.assert_close(layer(whole), whole, atol=1e-4, rtol=0)  # what is a body stays as it is
    np.testing.assert_allclose(basis.joints(whole.numpy()), fix_bones(basis.joints(latent.numpy())), atol=1e-5)
    assert not layer.state_dict()  # the basis is kept elsewhere


def test_feet_and_trunk_are_those_of_the_joints() -> None:
    bodies = some_bodies()
    basis = pose_basis(bodies, 63)
    known = latent_body(basis)
    latent = basis.latents(bodies[:7])
    feet = np.einsum("nd,djx->njx", latent, known.feet[:-1]) + known.feet[-1]
    seen = project(bodies[:7], np.zeros(7, np.float32))[:, FEET]
    np.testing.assert_allclose(feet[..., :2], seen, atol=1e-5)
    np.testing.assert_allclose(feet[..., 2], bodies[:7][:, FEET, 2] / FRAME_METRES, atol=1e-5)
    assert known.trunk is not None
    moved = (latent[1:] - latent[:-1]) @ known.trunk
    wanted = np.diff(bodies[:7][:, TRUNK], axis=0).reshape(6, -1) / FRAME_METRES
    np.testing.assert_allclose(moved, wanted, atol=1e-5)


def test_flat_bodies_have_no_bones() -> None:
    basis = pose_basis(project(some_bodies(), np.zeros(200, np.float32)), 42)
    known = latent_body(basis)
    assert known.feet.shape == (43, 4, 2)
    assert known.bones is None
    assert known.trunk is None
