"""The autoencoder: its shapes and where its work is done, losses that fall, joints that may be missing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.autoencoders import Autoencoder, AutoencoderConfig, StudentDense, parameters
from training.choreography import DANCES, perform
from training.motion.body import CLAMP_PIXELS, project, silhouettes

SMALL = AutoencoderConfig(latent=8, encoder=(8, 8, 12, 12), decoder=(12, 8, 8, 8))


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def frames_and_joints(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    positions = perform(DANCES[5], 0.9).positions
    positions = positions[:: len(positions) // count][:count]
    joints = project(positions, positions[:, 0, 0])
    return torch.from_numpy(silhouettes(joints)), torch.from_numpy(joints)


@pytest.mark.parametrize("config", [SMALL, AutoencoderConfig()])
def test_shapes(config: AutoencoderConfig) -> None:
    network = Autoencoder(config).eval()
    frame, _ = frames_and_joints(3)
    latent = network.encode(frame)
    found, joints = network.decode(latent)
    assert latent.shape == (3, config.latent)
    assert found.shape == (3, 1, 128, 128)
    assert joints.shape == (3, 21, 2)
    assert found.abs().max() <= CLAMP_PIXELS / 128 + 1e-7
    assert 0.0 < joints.mean() < 1.0  # frame coordinates


def test_no_convolution_runs_above_32() -> None:
    sizes: list[tuple[int, int]] = []
    network = Autoencoder(AutoencoderConfig()).eval()
    last: list[nn.Module] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):

            def note(module: nn.Module, given: tuple[torch.Tensor], made: torch.Tensor) -> None:
                sizes.append((given[0].shape[-1], made.shape[-1]))
                last.append(module)

            module.register_forward_hook(note)
    network.decode(network.encode(frames_and_joints(1)[0]))
    assert len(sizes) == 9
    assert max(max(s) for s in sizes) == 32
    assert sizes[-1] == (32, 32)  # pixel shuffle alone makes 128 of it
    assert last[-1] is list(network.decoder.children())[-2]


def test_latents_have_unit_spread() -> None:
    network = Autoencoder(SMALL).train()
    latent = network.encode(frames_and_joints(16)[0])
    torch.testing.assert_close(latent.mean(0), torch.zeros(8), atol=1e-3, rtol=0)
    # Batch norm divides by the spread plus a little.
    assert (latent.std(0, unbiased=False) < 1.001).all()
    assert (latent.std(0, unbiased=False) > 0.5).all()


def test_loss_falls_on_a_few_frames() -> None:
    network = Autoencoder(SMALL).train()
    frame, joints = frames_and_joints(8)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    history = []
    for _ in range(60):
        losses = network.loss(frame, joints)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        history.append({k: float(v.detach()) for k, v in losses.items()})
    for name in ("total", "edge", "band", "pose"):
        assert history[-1][name] < 0.6 * history[0][name], name
    assert history[-1]["total"] == pytest.approx(
        history[-1]["edge"] + 0.2 * history[-1]["band"] + 0.5 * history[-1]["pose"], rel=1e-4
    )


def test_unknown_joints_count_for_nothing() -> None:
    network = Autoencoder(SMALL).eval()
    frame, joints = frames_and_joints(4)
    some = joints.clone()
    some[1:] = torch.nan
    torch.testing.assert_close(network.loss(frame, some)["edge"], network.loss(frame, joints)["edge"])
    _, guess = network.decode(network.encode(frame))
    torch.testing.assert_close(network.loss(frame, some)["pose"], (guess[0] - joints[0]).abs().mean())
    losses = network.loss(frame, torch.full_like(joints, torch.nan))
    assert losses["pose"] == 0
    losses["total"].backward()
    for parameter in network.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


def test_noise_is_for_training_alone() -> None:
    network = Autoencoder(SMALL)
    frame, joints = frames_and_joints(4)
    network.eval()
    assert network.loss(frame, joints)["total"] == network.loss(frame, joints)["total"]
    network.train()
    with torch.no_grad():
        assert network.loss(frame, joints)["total"] != network.loss(frame, joints)["total"]


def test_the_students_network_is_as_it_was() -> None:
    network = StudentDense()
    mask = (frames_and_joints(2)[0] < 0).float()
    small = StudentDense.shrink(mask)
    assert small.shape == (2, 1, 51, 47)
    assert 0 <= small.min() < small.max() <= 1 + 1e-5
    assert float(small.mean()) == pytest.approx(float(mask.mean()), rel=0.05)
    assert network(small).shape == small.shape
    assert parameters(network) == 2397 * 128 + 128 + 128 * 2397 + 2397
