"""The recurrent networks: one step is PyTorch's GRU, chance is the softmax's, letters and batches line up."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from training.dancer import (
    CONDITIONS,
    Choreographer,
    ChoreographerConfig,
    Dance,
    DancerConfig,
    DancerNetwork,
    choreographer_batches,
    dancer_batches,
    gru_step,
    learn_alphabet,
    moves,
    spell,
)
from visualizer.dancer.dancer import bar_phase
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

LETTERS, STYLES, LATENT = 12, 3, 6


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def small_choreographer(letters: int = LETTERS) -> Choreographer:
    return Choreographer(ChoreographerConfig(letters, STYLES, embedding=8, hidden=16)).eval()


def small_dancer(noise: float = 0.1) -> DancerNetwork:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(LETTERS, STEPS_PER_LETTER, LATENT)).astype(np.float32)
    config = DancerConfig(LATENT, LETTERS, STYLES, embedding=8, hidden=16, noise=noise)
    return DancerNetwork(config, mean, np.full(LATENT, 0.5, np.float32)).eval()


def made_dance(steps: int, style: int = 1, number: int = 0) -> Dance:
    """A dance whose latents, travel and energy tell the step they belong to, and whose letters count up."""
    at = np.arange(steps, dtype=np.float32)
    return Dance(
        name=f"made {number}",
        latent=np.repeat(at[:, None], LATENT, axis=1),
        travel=at + 0.5,
        energy=(at / steps).astype(np.float32),
        style=style,
        held_out=False,
        letters=np.arange(steps // STEPS_PER_LETTER, dtype=np.int64),
        front=True,
    )


# --- one step


@pytest.mark.parametrize("layers", [1, 2])
def test_one_step_is_the_gru(layers: int) -> None:
    gru = nn.GRU(5, 7, layers, batch_first=True)
    x, state = torch.randn(4, 6, 5), torch.randn(layers, 4, 7)
    wanted, last = gru(x, state)
    ours = state.transpose(0, 1)
    for t in range(6):
        out, ours = gru_step(gru, x[:, t], ours)
        torch.testing.assert_close(out, wanted[:, t])
    torch.testing.assert_close(ours.transpose(0, 1), last)


def test_the_choreographer_steps_as_it_was_trained() -> None:
    """The step that is exported gives the same odds as the whole-line pass that is trained."""
    network = small_choreographer()
    letters, given = torch.randint(0, LETTERS, (2, 6)), torch.randn(2, 5, CONDITIONS + STYLES)
    cross = float(network.loss(letters[:, :-1], letters[:, 1:], given)["total"].detach())
    state = torch.zeros(2, 2, 16)
    total = 0.0
    with torch.no_grad():
        for t in range(5):
            x = torch.cat([network.embedding(letters[:, t]), given[:, t]], dim=-1)
            hidden, state = gru_step(network.gru, torch.nn.functional.silu(network.into(x)), state)
            total += float(torch.nn.functional.cross_entropy(network.out(hidden), letters[:, t + 1]))
    assert total / 5 == pytest.approx(cross, rel=1e-5)


# --- chance


def draw(network: Choreographer, count: int, temperature: float) -> np.ndarray:
    noise = torch.from_numpy(np.random.default_rng(0).random((count, LETTERS), dtype=np.float32))
    with torch.no_grad():
        letters, _ = network(
            torch.full((count,), 3), torch.zeros(count, 2, 16), torch.zeros(count, 4), torch.full((count, 1), 0.5),
            torch.eye(STYLES)[[1]].repeat(count, 1), noise, torch.full((count, 1), temperature),
        )  # fmt: skip
    return letters.numpy()


def odds(network: Choreographer, temperature: float) -> np.ndarray:
    x = torch.cat(
        [network.embedding(torch.tensor([3])), torch.zeros(1, 4), torch.full((1, 1), 0.5), torch.eye(STYLES)[[1]]], -1
    )
    with torch.no_grad():
        hidden, _ = gru_step(network.gru, torch.nn.functional.silu(network.into(x)), torch.zeros(1, 2, 16))
        return torch.softmax(network.out(hidden)[0] / temperature, dim=-1).numpy().astype(np.float64)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_draws_are_as_likely_as_the_softmax_says(temperature: float) -> None:
    network = small_choreographer()
    network.out.weight.data *= 12  # odds that differ
    count = 20_000
    expected = odds(network, temperature)
    assert expected.max() > 2 * expected.min()
    found = np.bincount(draw(network, count, temperature), minlength=LETTERS)
    chi_square = float(((found - count * expected) ** 2 / (count * expected)).sum())
    assert chi_square < 31.3  # 99.9% of chi-square with 11 degrees of freedom; the noise is always the same


def test_a_cold_choreographer_always_takes_the_likeliest() -> None:
    network = small_choreographer()
    network.out.weight.data *= 12
    assert set(draw(network, 500, 0.0).tolist()) == {int(odds(network, 1.0).argmax())}


def test_noise_at_its_ends_is_still_a_letter() -> None:
    network = small_choreographer()
    for value in (0.0, 1.0):
        with torch.no_grad():
            letter, state = network(
                torch.tensor([0]), torch.zeros(1, 2, 16), torch.zeros(1, 4), torch.zeros(1, 1), torch.zeros(1, STYLES),
                torch.full((1, LETTERS), value), torch.ones(1, 1),
            )  # fmt: skip
        assert 0 <= int(letter) < LETTERS
        assert torch.isfinite(state).all()


# --- the alphabet


def test_letters_spell_moves() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 5, (4, STEPS_PER_LETTER, LATENT))
    written = rng.integers(0, 4, 60)
    latent = (
        (centres[written] + rng.normal(0, 0.1, (60, STEPS_PER_LETTER, LATENT))).reshape(-1, LATENT).astype(np.float32)
    )
    alphabet = learn_alphabet([latent[:240], latent[240:]], 4, 0)
    spelled = spell(alphabet, np.concatenate([latent, latent[:5]]))  # what is no whole move has no letter
    assert spelled.dtype == np.int64
    assert len(spelled) == 60
    pairs = set(zip(written.tolist(), spelled.tolist(), strict=True))
    assert len(pairs) == 4  # one letter a move, one move a letter


def test_a_take_shorter_than_a_move_spells_nothing() -> None:
    rng = np.random.default_rng(0)
    alphabet = learn_alphabet([rng.normal(size=(80, LATENT)).astype(np.float32)], 2, 0)
    assert len(spell(alphabet, np.zeros((7, LATENT), np.float32))) == 0


def test_a_move_is_every_other_step() -> None:
    latent = np.arange(20 * LATENT, dtype=np.float32).reshape(20, LATENT)
    found = moves(latent)
    assert found.shape == (2, 4 * LATENT)
    np.testing.assert_array_equal(found[1].reshape(4, LATENT), latent[[8, 10, 12, 14]])


# --- the dancer network


def test_an_untrained_dancer_dances_the_mean_moves() -> None:
    network = small_dancer()
    letter = torch.tensor([4, 7])
    state, travel = torch.empty(0), torch.empty(0)
    with torch.no_grad():
        for step in range(STEPS_PER_LETTER):
            latent, state, travel = network(
                torch.randn(2, LATENT), torch.zeros(2, 1, 16), letter, letter,
                torch.full((2, 1), step / STEPS_PER_LETTER), torch.zeros(2, 4),
                torch.zeros(2, 1), torch.zeros(2, STYLES), torch.randn(2, LATENT),
            )  # fmt: skip
            mean = network.mean_moves.float().unflatten(0, (LETTERS, STEPS_PER_LETTER))[letter, step]
            torch.testing.assert_close(latent, mean)
    assert state.shape == (2, 1, 16)
    assert travel.shape == (2, 1)


def test_noise_is_in_units_of_the_spread() -> None:
    network = small_dancer(noise=0.2)
    torch.nn.init.normal_(network.out.weight)
    given = [
        torch.zeros(1, 1, 16), torch.tensor([0]), torch.tensor([1]), torch.zeros(1, 1), torch.zeros(1, 4),
        torch.zeros(1, 1), torch.zeros(1, STYLES),
    ]  # fmt: skip
    noise = torch.randn(1, LATENT)
    with torch.no_grad():
        noisy, *_ = network(torch.zeros(1, LATENT), *given, noise)
        moved, *_ = network(0.2 * 0.5 * noise, *given, torch.zeros(1, LATENT))
        still, *_ = network(torch.zeros(1, LATENT), *given, torch.zeros(1, LATENT))
    torch.testing.assert_close(noisy, moved)
    assert (noisy - still).abs().max() > 1e-3


def test_dancer_loss_falls_and_is_a_number() -> None:
    network = small_dancer().train()
    rng = np.random.default_rng(0)
    steps = 8 * STEPS_PER_LETTER
    dance = made_dance(steps)
    curve = np.cumsum(rng.normal(0, 0.1, (steps, LATENT)), axis=0).astype(np.float32)
    dance = Dance(dance.name, curve, 0 * dance.travel, dance.energy, 1, False, dance.letters % LETTERS, True)
    stream = dancer_batches([dance], STYLES, 8, 1, 0)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    totals = []
    for batch in itertools.islice(stream, 40):
        losses = network.loss(batch)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        totals.append(float(losses["total"].detach()))
        assert all(torch.isfinite(v) for v in losses.values())
    assert np.mean(totals[-5:]) < 0.7 * np.mean(totals[:5])


# --- batches


def test_dancer_batches_line_up() -> None:
    dances = [made_dance(25 * STEPS_PER_LETTER), made_dance(33 * STEPS_PER_LETTER, style=2)]
    stream = dancer_batches(dances, STYLES, 16, 4, 0)
    starts, styles = set(), set()
    for batch in itertools.islice(stream, 6):
        steps = 4 * STEPS_PER_BEAT
        assert batch["latent"].shape == (16, steps, LATENT)
        assert batch["bar_phase"].shape == (16, steps, 4)
        assert batch["energy"].shape == (16, steps, 1)
        assert batch["place"].shape == (16, steps, 1)
        assert batch["style"].shape == (16, STYLES)
        at = batch["latent"][:, :, 0]  # the step of each frame
        letter = batch["letter"]
        assert (at[:, 0] % STEPS_PER_LETTER == 0).all()
        torch.testing.assert_close(letter, at.long() // STEPS_PER_LETTER)  # letters repeat for eight steps
        torch.testing.assert_close(batch["next_letter"], letter + 1)
        torch.testing.assert_close(batch["travel"], at + 0.5)
        torch.testing.assert_close(batch["place"][..., 0], at % STEPS_PER_LETTER / STEPS_PER_LETTER)
        wanted = torch.from_numpy(bar_phase(at.numpy() / STEPS_PER_BEAT))
        torch.testing.assert_close(batch["bar_phase"], wanted)
        starts |= set(at[:, 0].tolist())
        styles |= set(batch["style"].argmax(1).tolist())
        length = torch.where(batch["style"][:, 1] == 1, 25.0, 33.0)[:, None] * STEPS_PER_LETTER
        assert ((batch["energy"][..., 0] - at / length).abs() < 1.5 / (25 * STEPS_PER_LETTER)).all()
    assert len(starts) > 10
    assert styles == {1, 2}


def test_choreographer_batches_line_up() -> None:
    dances = [made_dance(40 * STEPS_PER_LETTER)]
    letters, following, given = next(choreographer_batches(dances, STYLES, 40, 32, 15, 0, slip=0.0))
    assert letters.shape == following.shape == (32, 15)
    assert given.shape == (32, 15, CONDITIONS + STYLES)
    assert (following - letters == 1).all()  # consecutive
    # Conditions belong to the letter that is to be written, not to the one that was.
    coming = following.numpy()
    np.testing.assert_allclose(given[..., :4], bar_phase(coming / 2), atol=1e-5)
    np.testing.assert_allclose(given[..., 4], (coming + 0.5) / 40, atol=1e-5)
    assert (given[..., 5:].argmax(-1) == 1).all()
    assert len(set(letters[:, 0].tolist())) > 5


def test_slips_are_read_but_never_to_be_written() -> None:
    dances = [made_dance(40 * STEPS_PER_LETTER)]
    letters, following, _ = next(choreographer_batches(dances, STYLES, 1000, 64, 15, 0, slip=0.3))
    slipped = float((following - letters != 1).float().mean())
    assert 0.2 < slipped < 0.4
    assert (following[:, 1:] - following[:, :-1] == 1).all()


def test_rare_styles_are_danced_more_than_their_share() -> None:
    dances = [made_dance(900 * STEPS_PER_LETTER, style=0), made_dance(100 * STEPS_PER_LETTER, style=1)]
    stream = choreographer_batches(dances, STYLES, 900, 400, 15, 0)
    given = next(stream)[2]
    rare = float((given[:, 0, 5:].argmax(-1) == 1).float().mean())
    assert 0.15 < rare < 0.35  # a tenth of the letters; the square root makes it a quarter


def test_too_short_takes_are_left_out() -> None:
    dances = [made_dance(6 * STEPS_PER_LETTER, style=0), made_dance(40 * STEPS_PER_LETTER, style=1)]
    batch = next(dancer_batches(dances, STYLES, 32, 4, 0))
    assert (batch["style"][:, 1] == 1).all()


def test_the_beat_and_the_bar_come_round() -> None:
    phase = bar_phase(np.array([0.0, 0.25, 1.0, 2.0, 4.0, 5.25]))
    np.testing.assert_allclose(phase[0], (0, 1, 0, 1), atol=1e-6)
    np.testing.assert_allclose(phase[1, :2], (1, 0), atol=1e-6)
    np.testing.assert_allclose(phase[2], (0, 1, 1, 0), atol=1e-6)
    np.testing.assert_allclose(phase[3, 2:], (0, -1), atol=1e-6)
    np.testing.assert_allclose(phase[4], phase[0], atol=1e-6)
    np.testing.assert_allclose(phase[5, :2], phase[1, :2], atol=1e-6)
