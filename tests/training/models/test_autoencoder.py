"""The autoencoder: a latent is a body, its lessons teach, what is unknown counts for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.data.choreography import DANCES, perform
from training.data.dataset import crop_place
from training.data.motion.body import CLAMP_PIXELS, about_crop, project, silhouettes
from training.data.motion.skeleton import turn
from training.models.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    exactly,
    solve,
)
from training.models.pose_basis import PoseBasis, pose_basis

SMALL = AutoencoderConfig(latent=16, encoder=(8, 8, 12, 12), corrector=(8, 8, 12, 12), marks=6, unions=6, decoder=8)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def some_joints(count: int) -> np.ndarray:
    positions = perform(DANCES[5], 0.9).positions
    positions = positions[:: max(1, len(positions) // count)][:count]
    return project(positions, positions[:, 0, 0])


def frames_and_joints(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    joints = some_joints(count)
    return torch.from_numpy(silhouettes(joints)), torch.from_numpy(joints)


def basis(size: int = 16) -> PoseBasis:
    return pose_basis(some_joints(200), size)


def small() -> Autoencoder:
    return Autoencoder(SMALL, basis())


# --- the latent space


def test_latents_are_bodies_at_the_same_distances() -> None:
    joints = some_joints(60)
    whole = pose_basis(joints, 42)
    latent = whole.latents(joints)
    flat = joints.reshape(60, -1)
    apart = np.linalg.norm(flat[:30] - flat[30:], axis=1)
    np.testing.assert_allclose(np.linalg.norm(latent[:30] - latent[30:], axis=1) * whole.scale, apart, rtol=1e-3)
    assert float(np.mean(whole.std.astype(np.float64) ** 2)) == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(latent.mean(axis=0), 0, atol=1e-3)
    assert (np.diff(whole.std) <= 1e-6).all()  # the widest first


def test_joints_come_back_out_of_latents() -> None:
    joints = some_joints(60)
    whole = pose_basis(joints, 42)
    network = Autoencoder(AutoencoderConfig(latent=42), whole)
    latent = network.pose_latent(torch.from_numpy(joints))
    np.testing.assert_allclose(latent.numpy(), whole.latents(joints), atol=1e-3)
    np.testing.assert_allclose(network.decode_joints(latent).numpy(), joints, atol=1e-5)
    # Fewer numbers keep most of it, and the middle between two latents is the body between.
    few = small()
    back = few.decode_joints(few.pose_latent(torch.from_numpy(joints))).numpy()
    assert np.abs(back - joints).max() < 0.01
    middle = few.decode_joints(few.pose_latent(torch.from_numpy(joints)).mean(0, keepdim=True))[0].numpy()
    np.testing.assert_allclose(middle, back.mean(axis=0), atol=1e-5)


def test_places_are_not_rounded_in_mixed_precision() -> None:
    network = small().eval()
    latent = network.pose_latent(frames_and_joints(4)[1])
    with torch.no_grad():
        wanted = network.decode_joints(latent)
        with torch.autocast("cpu", torch.bfloat16):
            assert (network.decode_joints(latent) == wanted).all()
            assert (latent @ latent.T).dtype == torch.bfloat16  # it is on
            with exactly(latent):
                assert (latent @ latent.T).dtype == torch.float32
            drawn = network.decode_pixels(latent)
        assert (drawn - network.decode_pixels(latent)).abs().max() < 0.25  # pixels


# --- the networks


@pytest.mark.parametrize("config", [SMALL, AutoencoderConfig(latent=16)])
def test_shapes(config: AutoencoderConfig) -> None:
    network = Autoencoder(config, basis()).eval()
    frame, _ = frames_and_joints(3)
    latent = network.encode(frame)
    found, joints = network.decode(latent)
    assert latent.shape == (3, config.latent)
    assert found.shape == (3, 1, 128, 128)
    assert joints.shape == (3, 21, 2)
    assert found.abs().max() <= CLAMP_PIXELS / 128 + 1e-7
    assert 0.0 < joints.mean() < 1.0  # frame coordinates


def test_strokes_lie_on_the_bones_before_anything_is_learned() -> None:
    """An untrained decoder draws a figure of sticks, not noise: nearly all of it inside the body or close to it."""
    network = small().eval()
    frame, joints = frames_and_joints(8)
    with torch.no_grad():
        sticks = network.decode_pixels(network.pose_latent(joints)) < 0
    body = frame * 128 < 2.5
    assert (sticks & body).sum() > 0.95 * sticks.sum() > 0
    assert (sticks & (frame < 0)).sum() > 0.5 * (frame < 0).sum()


def test_a_look_at_its_own_drawing_can_change_the_guess() -> None:
    network = small().eval()
    frame, _ = frames_and_joints(3)
    with torch.no_grad():
        assert (network.see(frame, looks=2) == network.see(frame, looks=0)).all()  # it begins by trusting itself
        torch.nn.init.normal_(network.correct[2].weight)  # type: ignore[arg-type]
        assert (network.see(frame, looks=2) != network.see(frame, looks=0)).any()


# --- least squares


def test_systems_are_solved_as_far_as_steps_go() -> None:
    root = torch.randn(5, 9, 9, dtype=torch.float64)
    matrix = root @ root.transpose(1, 2) + torch.eye(9)
    # Rows of very different sizes, as limbs and fingers have: what the scaling is for.
    size = torch.logspace(0, 3, 9, dtype=torch.float64)
    matrix = matrix * size[:, None] * size
    right = torch.randn(5, 9, dtype=torch.float64) * size
    wanted = torch.linalg.solve(matrix, right)
    torch.testing.assert_close(solve(matrix, right, 9), wanted, rtol=1e-6, atol=1e-9)
    gaps = [float(((solve(matrix, right, n) - wanted) * size).norm()) for n in (1, 3, 6)]
    assert gaps[0] > gaps[1] > gaps[2] > 1e-6


def test_slopes_are_the_first_unions_derivatives() -> None:
    network = small().double().eval()
    latent = network.pose_latent(frames_and_joints(3)[1].double())[1:2]

    def union(z: torch.Tensor) -> torch.Tensor:
        """What `Strokes.forward` draws before the flesh, where the body is near."""
        strokes = network.decoder
        ends = torch.nn.functional.linear(
            z, strokes.first + 0.05 * strokes.moved, strokes.first_bias + 0.05 * strokes.shifted
        )
        a, b = ends.unflatten(1, (-1, 2, 2)).unbind(2)
        y, x = torch.meshgrid(strokes.grid.double(), strokes.grid.double(), indexing="ij")
        dots = torch.stack([x, y], dim=-1).flatten(0, 1)[None, None]
        bone = (b - a)[:, :, None]
        length2 = bone.square().sum(-1) + 0.01
        foot = (((dots - a[:, :, None]) * bone).sum(-1) / length2).clamp(0, 1)
        away = (dots - a[:, :, None] - foot[..., None] * bone).norm(dim=-1)
        distance = away - strokes.thickness[:, 0].exp()[:, None]  # untrained: no taper
        soft = strokes.softness.exp()
        return 2 * -soft * torch.log(torch.exp(-distance / soft).sum(1))  # untrained: all weights of the first are 1

    true = torch.func.jacfwd(union)(latent)[0, :, 0].T.detach()  # (D, 64 * 64)
    near = union(latent)[0].detach().abs() < 4
    found = network.decoder.slopes(latent)[0].detach()
    assert near.sum() > 300
    # A crumb is added to the square of a bone's length, so the nearest point is not quite the nearest: not equal.
    gap = (found - true)[:, near].norm() / true[:, near].norm()
    assert gap < 0.05


def test_a_drawing_settles_on_the_body_it_was_drawn_of() -> None:
    network = small().eval()
    true = network.pose_latent(frames_and_joints(6)[1])
    with torch.no_grad():
        frame, _ = network.decode(true)
        guess = true + 0.15 * network.spread * torch.randn(true.shape)
        latent, gaps = guess, []
        for _ in range(4):
            gaps.append(float((network.decode(latent)[0] - frame).abs().mean()))
            latent = network.settle(latent, frame)
    assert gaps[-1] < 0.3 * gaps[0]
    assert ((latent - guess).abs() <= 4 * network.spread + 1e-6).all()  # no step is longer than a spread


def test_the_encoder_settles() -> None:
    network = small().eval()
    frame, _ = frames_and_joints(2)
    with torch.no_grad():
        wanted = network.see(frame)
        for _ in range(SMALL.settles):
            wanted = network.settle(wanted, frame)
        assert (network.encode(frame) == wanted).all()
        assert (network.encode(frame) != network.see(frame)).any()


@pytest.mark.slow
@pytest.mark.parametrize("lesson", ["drawing_loss", "seeing_loss", "loss"])
def test_each_lesson_teaches(lesson: str) -> None:
    network = small().train()
    frame, joints = frames_and_joints(8)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    history = []
    for _ in range(50):
        losses = getattr(network, lesson)(frame, joints)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        history.append({k: float(v.detach()) for k, v in losses.items()})
    for name in history[0]:
        assert history[-1][name] < 0.7 * history[0][name], name
    last = history[-1]
    if lesson == "loss":
        assert last["total"] == pytest.approx(last["edge"] + 0.2 * last["band"] + last["pose"], rel=1e-4)


def test_unknown_joints_count_for_nothing() -> None:
    network = small().eval()
    frame, joints = frames_and_joints(4)
    some = joints.clone()
    some[1:] = torch.nan
    torch.testing.assert_close(network.loss(frame, some)["edge"], network.loss(frame, joints)["edge"])
    _, guess = network.decode(network.see(frame))
    wanted = (guess[0] - joints[0]).norm(dim=-1).mean()
    torch.testing.assert_close(network.loss(frame, some)["pose"], wanted, atol=1e-4, rtol=1e-3)
    losses = network.loss(frame, torch.full_like(joints, torch.nan))
    assert losses["pose"] == 0
    losses["total"].backward()
    for parameter in network.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


# --- bodies in space


def deep_bodies(count: int) -> np.ndarray:
    positions = perform(DANCES[5], 0.9).positions
    positions = turn(positions, 35.0)
    return about_crop(positions, crop_place(positions))[:: max(1, len(positions) // count)][:count]


def small_deep() -> Autoencoder:
    return Autoencoder(replace(SMALL, latent=63), pose_basis(deep_bodies(200), 63)).eval()


def test_a_body_in_space_is_seen_and_drawn() -> None:
    network, bodies = small_deep(), torch.from_numpy(deep_bodies(4))
    flat = project(bodies.numpy(), np.zeros(4, np.float32))
    frame = torch.from_numpy(silhouettes(flat))
    with torch.no_grad():
        latent = network.pose_latent(bodies)
        torch.testing.assert_close(network.decode_body(latent), bodies, atol=1e-5, rtol=0)
        torch.testing.assert_close(network.decode_joints(latent), torch.from_numpy(flat), atol=1e-5, rtol=0)
        assert network.encode(frame).shape == (4, 63)
    losses = network.loss(frame, bodies)
    assert losses["depth"] > 0
    unknown = torch.full_like(bodies, torch.nan)
    assert torch.isfinite(network.loss(frame, unknown)["total"])


def test_the_picture_decides_nothing_by_depth() -> None:
    """What is drawn depends on what the picture shows alone, also once it has been trained."""
    network, bodies = small_deep(), torch.from_numpy(deep_bodies(3))
    network.decoder.moved.data.normal_()
    deeper = bodies + torch.randn(3, 21, 1) * torch.tensor([0.0, 0.0, 0.3])
    with torch.no_grad():
        one, other = (network.decode_pixels(network.pose_latent(b)) for b in (bodies, deeper))
        torch.testing.assert_close(one, other, atol=1e-2, rtol=0)


def test_flat_latents_take_bodies_in_space() -> None:
    """A pack of format 2 is trained further on the same bodies."""
    network, bodies = Autoencoder(SMALL, basis()).eval(), deep_bodies(5)
    seen = torch.from_numpy(project(bodies, np.zeros(5, np.float32)))
    torch.testing.assert_close(network.pose_latent(torch.from_numpy(bodies)), network.pose_latent(seen))
