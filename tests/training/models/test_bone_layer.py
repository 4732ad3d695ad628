"""The bone layer: exact bones, nothing changed where they are right, and the same in ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.data.choreography import DANCES, perform
from training.data.motion.skeleton import BONES, LENGTHS
from training.models.bone_layer import BoneLayer
from training.onnx_export import difference, export_network


def find_lengths(joints: torch.Tensor) -> torch.Tensor:
    return (joints[..., BONES[:, 1], :] - joints[..., BONES[:, 0], :]).norm(dim=-1)


def make_bodies(count: int = 50) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(size=(count, 21, 3)).astype(np.float32))


@pytest.mark.parametrize("metre", [1.0, 0.4])
def test_bones_are_exact(metre: float) -> None:
    found = BoneLayer(metre)(make_bodies() * metre)
    np.testing.assert_allclose(find_lengths(found), np.tile(LENGTHS * metre, (50, 1)), atol=1e-5)


def test_directions_and_pelvis_are_kept() -> None:
    bodies = make_bodies()
    found = BoneLayer()(bodies)
    np.testing.assert_array_equal(found[:, 0], bodies[:, 0])
    a, b = (x[:, BONES[:, 1]] - x[:, BONES[:, 0]] for x in (bodies, found))
    np.testing.assert_allclose(torch.nn.functional.cosine_similarity(a, b, dim=-1), np.ones((50, 20)), atol=1e-5)


def test_a_body_with_these_bones_is_left_as_it_is() -> None:
    layer = BoneLayer()
    body = layer(make_bodies())
    np.testing.assert_allclose(layer(body), body, atol=1e-5)


def test_a_written_dance_is_left_as_it_is() -> None:
    positions = torch.from_numpy(perform(DANCES[0], energy=0.5, steps_per_beat=16, seed=0).positions)
    np.testing.assert_allclose(BoneLayer()(positions), positions, atol=2e-4)


def test_bones_without_length_give_a_body_and_finite_gradients() -> None:
    bodies = torch.zeros(2, 21, 3, requires_grad=True)
    found = BoneLayer()(bodies)
    np.testing.assert_allclose(find_lengths(found.detach()), np.tile(LENGTHS, (2, 1)), atol=1e-5)
    found.square().sum().backward()
    assert bodies.grad is not None
    assert torch.isfinite(bodies.grad).all()


def test_gradients_are_right() -> None:
    layer = BoneLayer().double()
    bodies = make_bodies(2).double().requires_grad_()
    assert torch.autograd.gradcheck(layer, bodies)


def test_onnx_gives_the_same_for_any_number_of_bodies(tmp_path: Path) -> None:
    layer, path = BoneLayer(), tmp_path / "bones.onnx"
    export_network(layer, {"joints": make_bodies(2)}, ["found"], path)
    for count in (1, 9):
        assert difference(layer, path, {"joints": make_bodies(count)}, ["found"]) < 1e-5
