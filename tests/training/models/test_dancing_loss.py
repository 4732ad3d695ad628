"""What the dancer network is trained for: each objective sees what it is for and can be left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.made_bodies import some_bodies
from training.models.dancer import DancerConfig, DancerNetwork
from training.models.dancing_loss import Danced, DancingWeights, accents, dancing_loss, skating, unroll
from training.models.latent_body import latent_body
from training.models.pose_basis import pose_basis

T = 40


@pytest.fixture(scope="module")
def network() -> DancerNetwork:
    torch.manual_seed(0)
    basis = pose_basis(some_bodies(), 63)
    config = DancerConfig(63, 5, 2, 1, embedding=4, known=4, hidden=8)
    moves = np.random.default_rng(0).normal(size=(5, 8, 63)).astype(np.float32)
    return DancerNetwork(config, moves, basis.std, latent_body(basis)).eval()


def window(network: DancerNetwork, count: int = 2) -> dict[str, torch.Tensor]:
    assert network.bones is not None
    torch.manual_seed(1)
    latent = network.bones(torch.randn(count, 1, 63) + 0.05 * torch.randn(count, T, 63).cumsum(1))
    letter = torch.arange(T).expand(count, T) // 8 % 5
    return {
        "latent": latent, "travel": 0.1 * torch.randn(count, T, 2), "letter": letter, "next_letter": (letter + 1) % 5,
        "place": (torch.arange(T) % 8 / 8.0).expand(count, T)[..., None], "bar_phase": torch.zeros(count, T, 6),
        "energy": torch.full((count, T, 1), 0.5), "style": torch.ones(count, T, 2) / 2,
        "dance": torch.zeros(count, T, 1), "spliced": torch.zeros(count, T, dtype=torch.bool),
    }  # fmt: skip


def test_each_objective_counts_by_its_weight(network: DancerNetwork) -> None:
    batch = window(network)
    torch.manual_seed(2)
    with torch.no_grad():
        losses = dancing_loss(network, batch)
    weights = DancingWeights()
    assert set(losses) == {"total", "position", "velocity", "acceleration", "pace", "travel", "skating", "accents"}
    wanted = sum(getattr(weights, name) * float(value) for name, value in losses.items() if name != "total")
    assert float(losses["total"]) == pytest.approx(wanted, rel=1e-5)
    torch.manual_seed(2)
    with torch.no_grad():
        fewer = dancing_loss(network, batch, DancingWeights(skating=0, accents=0))
    assert "skating" not in fewer
    assert "accents" not in fewer


def test_what_is_danced_has_bones_at_every_step(network: DancerNetwork) -> None:
    assert network.bones is not None
    with torch.no_grad():
        danced = unroll(network, window(network))
        torch.testing.assert_close(network.bones(danced.latent), danced.latent, atol=1e-3, rtol=0)
    assert danced.travel.shape == (2, T - 1, 2)


def test_a_foot_that_slides_in_depth_skates_too(network: DancerNetwork) -> None:
    """Standing feet that the data has in one place: the crop's speed alone moves them, to the side or in depth."""
    feet = network.feet.clone()
    feet[-1, :, 1] = 0.92  # on the floor, whatever the latent
    feet[:-1, :, 1] = 0
    still = torch.zeros(1, 6, 63)
    batch = {"latent": still, "travel": torch.zeros(1, 6, 2), "spliced": torch.zeros(1, 6, dtype=torch.bool)}
    assert float(skating(feet, Danced(still, torch.zeros(1, 5, 2)), batch)) == 0
    for axis in range(2):
        speed = torch.zeros(1, 5, 2)
        speed[..., axis] = 0.3
        assert float(skating(feet, Danced(still, speed), batch)) > 1e-3


def test_accents_are_missed_where_they_are_soft() -> None:
    time = torch.arange(64.0)
    hard = (0.1 * torch.sin(2 * torch.pi * time / 4))[None, :, None].expand(1, 64, 9)
    assert float(accents(hard, hard)) == 0
    assert float(accents(torch.zeros_like(hard), hard)) == pytest.approx(1, abs=0.01)
    soft = 0.5 * hard
    assert 0.1 < float(accents(soft, hard)) < 0.5
    later = (0.1 * torch.sin(2 * torch.pi * (time - 1) / 4))[None, :, None].expand(1, 64, 9)
    assert float(accents(later, hard)) < 0.02  # as hard, a little later
    assert (later - hard).square().mean() > (soft - hard).square().mean()  # which squared errors like less
