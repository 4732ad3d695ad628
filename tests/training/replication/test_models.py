"""The student's networks: exactly their sizes, the shape that failed, a film of dots that is learned and dreamed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.data.choreography import DANCES, perform
from training.data.motion.body import project, silhouettes
from training.models.autoencoder import parameters
from training.replication.models import (
    DEEP,
    DENSE,
    HEIGHT,
    PIXELS,
    SPARSE,
    WIDTH,
    Convolutional,
    Dense,
    FrameRnn,
    chances,
    dots,
    shrink,
)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def some_fields(count: int = 4) -> np.ndarray:
    positions = perform(DANCES[5], 0.9).positions[:count]
    return silhouettes(project(positions, positions[:, 0, 0]))


# --- autoencoders


def test_the_versions_have_the_parameters_of_the_students_table() -> None:
    sizes = [parameters(Dense(DENSE[size])) for size in (32, 128, 512)]
    assert sizes == [155_837, 616_157, 2_457_437]
    assert parameters(Dense(SPARSE)) == 309_277
    assert parameters(Dense(DEEP)) == 2_609_917
    assert parameters(Convolutional(repaired=False)) == 4_385
    assert parameters(Convolutional(repaired=True)) == 4_385


@pytest.mark.parametrize("network", [Dense(DENSE[32]), Dense(SPARSE), Dense(DEEP), Convolutional()])
def test_what_comes_out_has_the_shape_of_what_went_in(network: torch.nn.Module) -> None:
    picture = torch.from_numpy(dots(some_fields())).float()
    assert network(picture).shape == (4, 1, HEIGHT, WIDTH) == picture.shape


def test_version_four_fits_digits_and_no_other_picture() -> None:
    network = Convolutional(repaired=False)
    assert network(torch.zeros(1, 1, 28, 28)).shape == (1, 1, 28, 28)
    assert network.encode(torch.zeros(1, 1, 28, 28)).shape == (1, 8, 4, 4)  # the article's code of 128 numbers
    picture = torch.zeros(1, 1, HEIGHT, WIDTH)
    assert network(picture).shape == (1, 1, 52, 44)
    with pytest.raises(ValueError, match="size"):
        F.binary_cross_entropy_with_logits(network(picture), picture)


@pytest.mark.parametrize("size", [(28, 28), (51, 47), (47, 51), (33, 40)])
def test_version_four_repaired_fits_any_picture(size: tuple[int, int]) -> None:
    assert Convolutional()(torch.zeros(2, 1, *size)).shape == (2, 1, *size)


def test_the_repair_leaves_no_dot_unreached() -> None:
    network = Convolutional()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    assert (network(torch.ones(1, 1, HEIGHT, WIDTH)) > 0.1).all()


def test_a_fresh_network_is_as_keras_begins() -> None:
    network = Dense(DENSE[128])
    first, last = network.encoder[1], network.decoder[0]
    assert isinstance(first, torch.nn.Linear)
    assert isinstance(last, torch.nn.Linear)
    limit = (6 / (PIXELS + 128)) ** 0.5
    assert 0.99 * limit < float(first.weight.detach().abs().max()) <= limit
    assert not first.bias.any()
    assert not last.bias.any()
    picture = torch.from_numpy(dots(some_fields())).float()
    loss = F.binary_cross_entropy_with_logits(network(picture), picture)
    assert float(loss.detach()) == pytest.approx(np.log(2), abs=0.02)


def test_no_code_is_negative_and_each_size_is_right() -> None:
    picture = torch.from_numpy(dots(some_fields())).float()
    for size, hidden in DENSE.items():
        code = Dense(hidden).encode(picture)
        assert code.shape == (4, size)
        assert (code >= 0).all()
    assert Dense(DEEP).encode(picture).shape == (4, 32)
    assert Convolutional().encode(picture).shape == (4, 8, 7, 6)


# --- dots


def test_dots_are_where_half_is_covered() -> None:
    field = np.full((1, 1, 128, 128), 0.02, np.float32)
    field[..., 40:90, 30:100] = -0.02
    found = dots(field)[0, 0].astype(bool)
    rows, columns = np.nonzero(found)
    assert found.shape == (HEIGHT, WIDTH)
    assert [rows.min() / HEIGHT, (rows.max() + 1) / HEIGHT] == pytest.approx([40 / 128, 90 / 128], abs=0.5 / HEIGHT)
    assert [columns.min() / WIDTH, (columns.max() + 1) / WIDTH] == pytest.approx([30 / 128, 100 / 128], abs=0.5 / WIDTH)
    assert found[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


def test_shrinking_keeps_the_area() -> None:
    mask = torch.from_numpy((some_fields() < 0).astype(np.float32))
    small = shrink(mask)
    assert small.shape == (4, 1, HEIGHT, WIDTH)
    assert 0 <= small.min() < small.max() <= 1 + 1e-5
    assert float(small.mean()) == pytest.approx(float(mask.mean()), rel=0.05)


# --- the recurrent network


def bars(count: int, steps: int) -> np.ndarray:
    """Films in which a bar goes from left to right, round and round: (count, steps, 51, 47)."""
    film = np.zeros((count, steps, HEIGHT, WIDTH), np.uint8)
    for k in range(count):
        for step in range(steps):
            film[k, step, 10:40, np.arange(4) + (5 * (step + k)) % 40] = 1
    return film


@pytest.fixture(scope="module")
def learned() -> FrameRnn:
    torch.manual_seed(0)
    films = torch.from_numpy(bars(8, 17)).float()
    network = FrameRnn(32, 32, usual=films.numpy().mean(axis=(0, 1)))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    first = float(network.loss(films)["total"].detach())
    for _ in range(120):
        optimizer.zero_grad()
        network.loss(films)["total"].backward()
        optimizer.step()
    assert float(network.loss(films)["total"].detach()) < 0.2 * first
    return network.eval()


@pytest.mark.parametrize("how", [(0.0, 0.0), (0.3, 0.0), (0.3, 2.0)])
def test_it_dreams_on_what_it_has_learned(learned: FrameRnn, how: tuple[float, float]) -> None:
    film = bars(2, 40)
    start = torch.from_numpy(film[:, :16]).float()
    dream = learned.dream(start, 24, 0, *how)
    assert dream.shape == (2, 24, HEIGHT, WIDTH)
    assert set(np.unique(dream)) == {0, 1}
    both, either = (dream & film[:, 16:]).sum(), (dream | film[:, 16:]).sum()
    assert both / either > 0.8


def test_the_seed_decides_the_dream(learned: FrameRnn) -> None:
    start = torch.from_numpy(bars(2, 4)).float()
    one, same, other = (learned.dream(start, 6, seed, 1.0) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_it_remembers_what_it_saw_before(learned: FrameRnn) -> None:
    """Going on step by step from the state is the same as reading it all at once, and forgetting is not."""
    film = torch.from_numpy(bars(1, 12)).float()
    with torch.no_grad():
        whole, _ = learned(film)
        _, state = learned(film[:, :6])
        rest, _ = learned(film[:, 6:], state)
        forgotten, _ = learned(film[:, 6:])
    torch.testing.assert_close(rest, whole[:, 6:], rtol=1e-4, atol=1e-4)
    assert (forgotten - whole[:, 6:]).abs().max() > 0.1


def test_it_begins_with_the_usual_picture() -> None:
    usual = np.full((HEIGHT, WIDTH), 0.1)
    usual[:20] = 0.6
    network = FrameRnn(16, 16, usual)
    with torch.no_grad():
        chance = torch.sigmoid(network.draw(torch.zeros(1, 16))).view(HEIGHT, WIDTH)
    np.testing.assert_allclose(chance.numpy(), usual, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("agree", [0.0, 2.0, 4.0])
def test_each_dot_is_set_as_often_as_it_should(agree: float) -> None:
    drawn = chances(4000, agree, torch.Generator().manual_seed(0))
    assert drawn.shape == (4000, 1, HEIGHT, WIDTH)
    middle = drawn[:, 0, 20:30:3, 20:30:3]
    for share in (0.05, 0.3, 0.8):
        assert (middle < share).float().mean(0).numpy() == pytest.approx(share, abs=0.04)


def test_dots_that_are_drawn_together_agree() -> None:
    def alike(agree: float, apart: int) -> float:
        drawn = chances(1500, agree, torch.Generator().manual_seed(0))[:, 0, 25]
        return float(np.corrcoef(drawn[:, 20].numpy(), drawn[:, 20 + apart].numpy())[0, 1])

    assert abs(alike(0.0, 1)) < 0.1
    assert alike(2.0, 1) > 0.9
    assert abs(alike(2.0, 12)) < 0.1
