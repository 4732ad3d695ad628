"""The baseline learns a circle, knows nothing but its last latent, and is kept for the same data alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.evaluate import baseline
from training.evaluate.baseline import MIXTURES, Baseline, BaselineConfig, train_baseline
from training.evaluate.effort import Effort

TINY = BaselineConfig(latent=2, hidden=32, layers=1, steps=150, batch=64, rate=5e-3)


def circle(steps: int = 512) -> np.ndarray:
    """A dance of two latents that goes round once in 32 steps."""
    angle = np.arange(steps) * 2 * np.pi / 32
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).astype(np.float32)


@pytest.fixture(scope="module")
def trained() -> Baseline:
    return train_baseline([circle()], TINY, seed=0)


def test_it_learns_what_follows(trained: Baseline) -> None:
    dance = torch.from_numpy(circle())
    torch.manual_seed(0)
    with torch.no_grad():
        before = Baseline(TINY).loss(dance[:-1], dance[1:])
        after = trained.loss(dance[:-1], dance[1:])
    assert after < before - 1


def test_the_loss_is_the_likelihood_of_the_mixture() -> None:
    network = Baseline(TINY)
    latent, following = torch.zeros(1, 2), torch.tensor([[0.3, -0.2]])
    with torch.no_grad():
        weight, mean, width = network(latent)
        assert weight.shape == (1, MIXTURES)
        assert mean.shape == width.shape == (1, MIXTURES, 2)
        assert weight.exp().sum().item() == pytest.approx(1, abs=1e-5)
        each = torch.distributions.Normal(mean, width.exp()).log_prob(following[:, None]).sum(-1)
        expected = -(weight.exp() * each.exp()).sum().log() / 2
        assert network.loss(latent, following).item() == pytest.approx(expected.item(), abs=1e-4)


def test_it_dances_by_its_seed_and_remembers_nothing(trained: Baseline) -> None:
    start = torch.from_numpy(circle()[:3])
    one, same, other = (trained.roll(start, 64, seed) for seed in (1, 1, 2))
    assert one.shape == (3, 64, 2)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    radius = np.linalg.norm(one, axis=-1)
    assert 0.5 < np.median(radius) < 1.5  # it has learnt the circle
    with torch.no_grad():  # the same latent gives the same mixture, whatever went before
        first = trained(start)[1]
        trained(start + 1)
        torch.testing.assert_close(trained(start)[1], first)


def test_it_is_kept_for_the_same_data_and_settings_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "baseline.pt"
    config = replace(TINY, steps=3)
    made = train_baseline([circle()], config, 0, store)
    trainings: list[int] = []

    def counted(steps: range, description: str) -> range:
        trainings.append(len(steps))
        return steps

    monkeypatch.setattr(baseline, "track", counted)
    kept = train_baseline([circle()], config, 0, store)
    assert trainings == []
    for a, b in zip(made.parameters(), kept.parameters(), strict=True):
        assert torch.equal(a, b)
    train_baseline([circle() * 2], config, 0, store)
    train_baseline([circle() * 2], replace(config, steps=4), 0, store)
    train_baseline([circle() * 2], replace(config, steps=4), 1, store)
    assert trainings == [3, 4, 4]


def test_the_baseline_of_a_report_is_trained_long() -> None:
    assert BaselineConfig(latent=42).steps >= 5000
    assert Effort().baseline_steps == BaselineConfig.steps


def torn(store: Path) -> None:
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])


def emptied(store: Path) -> None:
    store.write_bytes(b"")


def overwritten(store: Path) -> None:
    store.write_text("not what torch saves")


def of_something_else(store: Path) -> None:
    torch.save([1, 2, 3], store)


def of_another_network(store: Path) -> None:
    torch.save({**torch.load(store, weights_only=True), "network": {"lstm": torch.zeros(3)}}, store)


def hostile(store: Path) -> None:
    store.write_bytes(pickle.dumps(Path, protocol=2))  # names a class, which must not be imported


@pytest.mark.parametrize("spoil", [torn, emptied, overwritten, of_something_else, of_another_network, hostile])
def test_a_file_that_cannot_be_read_is_said_and_trained_anew(
    spoil: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "baseline.pt"
    config = replace(TINY, steps=3)
    made = train_baseline([circle()], config, 0, store)
    assert "anew" not in capsys.readouterr().out
    spoil(store)
    again = train_baseline([circle()], config, 0, store)
    assert capsys.readouterr().out.count("trained again") == 1
    for a, b in zip(made.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert set(torch.load(store, weights_only=True)) == {"key", "network"}  # whole again
    train_baseline([circle()], config, 0, store)
    assert "anew" not in capsys.readouterr().out
