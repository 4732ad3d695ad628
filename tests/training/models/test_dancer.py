"""The recurrent networks: one step is PyTorch's GRU, chance is the softmax's, letters and batches line up."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from training.data.dances import (
    BLEND_STEPS,
    LETTERS_PER_PHRASE,
    Dance,
    DanceSampler,
    blend_out,
    choreographer_batches,
    dancer_batches,
    learn_alphabet,
    moves,
    spell,
)
from training.models.dancer import CONDITIONS, Choreographer, ChoreographerConfig, DancerConfig, DancerNetwork, gru_step
from training.models.dancing_loss import Danced, dancing_loss, skating
from training.models.latent_body import LatentBody
from visualizer.dancer.dancer import bar_phase
from visualizer.dancer.pack import STEPS_PER_BEAT, STEPS_PER_LETTER

LETTERS, STYLES, NAMES, LATENT = 12, 3, 2, 6
TOLD = STYLES + NAMES


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def small_choreographer(letters: int = LETTERS) -> Choreographer:
    return Choreographer(ChoreographerConfig(letters, STYLES, NAMES, embedding=8, hidden=16)).eval()


def small_dancer(noise: float = 0.1, feet: bool = False) -> DancerNetwork:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(LETTERS, STEPS_PER_LETTER, LATENT)).astype(np.float32)
    config = DancerConfig(
        LATENT, LETTERS, STYLES, NAMES, embedding=8, known=8, hidden=16, noise=noise, live_noise=noise
    )
    places = rng.normal(0, 0.1, (LATENT + 1, 4, 2)).astype(np.float32) if feet else None
    body = None if places is None else LatentBody(places)
    return DancerNetwork(config, mean, np.full(LATENT, 0.5, np.float32), body).eval()


def sampler(*dances: Dance) -> DanceSampler:
    return DanceSampler(list(dances), STYLES, NAMES)


def made_dance(steps: int, style: int = 1, number: int = 0) -> Dance:
    """A dance whose latents, travel and energy tell the step they belong to, and whose letters count up."""
    at = np.arange(steps, dtype=np.float32)
    return Dance(
        name=f"made {number}",
        latent=np.repeat(at[:, None], LATENT, axis=1),
        travel=at[:, None] + 0.5,
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
    letters, given = torch.randint(0, LETTERS, (2, 6)), torch.randn(2, 5, CONDITIONS + TOLD)
    cross = float(network.loss(letters[:, :-1], letters[:, 1:], given)["total"].detach())
    state = torch.zeros(2, 2, 16)
    total = 0.0
    with torch.no_grad():
        for t in range(5):
            x = torch.cat([network.embedding(letters[:, t]), given[:, t]], dim=-1)
            hidden, state = gru_step(network.gru, torch.nn.functional.silu(network.into(x)), state)
            logits = network.out(hidden + network.asked(given[:, t]))
            total += float(torch.nn.functional.cross_entropy(logits, letters[:, t + 1]))
    assert total / 5 == pytest.approx(cross, rel=1e-5)


# --- chance


def draw(network: Choreographer, count: int, temperature: float) -> np.ndarray:
    noise = torch.from_numpy(np.random.default_rng(0).random((count, LETTERS), dtype=np.float32))
    with torch.no_grad():
        letters, _ = network(
            torch.full((count,), 3), torch.zeros(count, 2, 16), torch.zeros(count, 6), torch.full((count, 1), 0.5),
            torch.eye(STYLES)[[1]].repeat(count, 1), torch.zeros(count, NAMES), noise,
            torch.full((count, 1), temperature),
        )  # fmt: skip
    return letters.numpy()


def odds(network: Choreographer, temperature: float) -> np.ndarray:
    given = torch.cat(
        [torch.zeros(1, 6), torch.full((1, 1), 0.5), torch.eye(STYLES)[[1]], torch.zeros(1, NAMES)], dim=-1
    )
    with torch.no_grad():
        x = network.into(torch.cat([network.embedding(torch.tensor([3])), given], dim=-1))
        hidden, _ = gru_step(network.gru, torch.nn.functional.silu(x), torch.zeros(1, 2, 16))
        return (
            torch.softmax(network.out(hidden + network.asked(given))[0] / temperature, dim=-1)
            .numpy()
            .astype(np.float64)
        )


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_draws_are_as_likely_as_the_softmax_says(temperature: float) -> None:
    network = small_choreographer()
    network.out.weight.data *= 24  # odds that differ
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


def test_what_is_asked_has_a_way_past_the_memory() -> None:
    """With a GRU that is deaf to it, another dance still changes the odds."""
    network = small_choreographer()
    network.into.weight.data[:] = 0
    before = odds(network, 1.0)
    asked = network.asked[0]
    assert isinstance(asked, nn.Linear)
    asked.weight.data[:, CONDITIONS + 1] += 5  # the style that `odds` asks for
    assert np.abs(odds(network, 1.0) - before).max() > 0.01


def test_noise_at_its_ends_is_still_a_letter() -> None:
    network = small_choreographer()
    for value in (0.0, 1.0):
        with torch.no_grad():
            letter, state = network(
                torch.tensor([0]), torch.zeros(1, 2, 16), torch.zeros(1, 6), torch.zeros(1, 1), torch.zeros(1, STYLES),
                torch.zeros(1, NAMES), torch.full((1, LETTERS), value), torch.ones(1, 1),
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


def told(count: int) -> list[torch.Tensor]:
    """Bar phase, energy, style and dance of nobody in particular."""
    return [torch.zeros(count, 6), torch.zeros(count, 1), torch.zeros(count, STYLES), torch.zeros(count, NAMES)]


def test_an_untrained_dancer_goes_part_of_the_way_to_the_mean_move() -> None:
    network = small_dancer()
    letter = torch.tensor([4, 7])
    state, travel = torch.empty(0), torch.empty(0)
    share = torch.sigmoid(torch.tensor(1.0))
    with torch.no_grad():
        for step in range(STEPS_PER_LETTER):
            before = torch.randn(2, LATENT)
            latent, state, travel = network(
                before, torch.zeros(2, 1, 16), letter, letter, torch.full((2, 1), step / STEPS_PER_LETTER), *told(2),
                torch.randn(2, LATENT),
            )  # fmt: skip
            mean = network.mean_moves.float().unflatten(0, (LETTERS, STEPS_PER_LETTER))[letter, step]
            torch.testing.assert_close(latent, before + share * (mean - before))
    assert state.shape == (2, 1, 16)
    assert travel.shape == (2, 1)


def test_noise_is_in_units_of_the_spread() -> None:
    """What noise makes of a latent is what another latent would have made."""
    network = small_dancer(noise=0.2)
    torch.nn.init.normal_(network.out.weight)
    given = [torch.zeros(1, 1, 16), torch.tensor([0]), torch.tensor([1]), torch.zeros(1, 1), *told(1)]
    noise, zero = torch.randn(1, LATENT), torch.zeros(1, LATENT)
    share = torch.sigmoid(torch.tensor(1.0))
    with torch.no_grad():
        noisy, *_ = network(zero, *given, noise)
        moved, *_ = network(0.2 * 0.5 * noise, *given, zero)
        still, *_ = network(zero, *given, zero)
    torch.testing.assert_close(noisy, moved - (1 - share) * 0.2 * 0.5 * noise)
    assert (noisy - still).abs().max() > 1e-3


def test_the_crop_moves_against_the_foot_that_stands() -> None:
    network = small_dancer(feet=True)
    network.stands.bias.data = torch.tensor([0.0, 100.0, 0.0, 0.0, 0.0])  # the left toe
    network.stands.weight.data.zero_()
    before = torch.randn(3, LATENT)
    letter = torch.tensor([1, 2, 3])
    with torch.no_grad():
        latent, _, travel = network(
            before, torch.zeros(3, 1, 16), letter, letter, torch.zeros(3, 1), *told(3), torch.zeros(3, LATENT)
        )
    step = (latent - before) @ network.feet[:-1, 1, 0]
    torch.testing.assert_close(travel[:, 0] / STEPS_PER_BEAT, -step)
    assert step.abs().max() > 1e-3


def test_a_standing_foot_that_slides_is_skating() -> None:
    network = small_dancer(feet=True)
    still = torch.zeros(1, 6, LATENT)
    network.feet[-1, :, 1] = 0.92  # all four on the floor
    crop, none = torch.zeros(1, 6, 1), torch.zeros(1, 6, dtype=torch.bool)

    def slid(dance: torch.Tensor, speed: torch.Tensor, spliced: torch.Tensor = none) -> float:
        batch = {"latent": still, "travel": crop, "spliced": spliced}
        return float(skating(network.feet, Danced(dance, speed), batch))

    assert slid(still, crop[:, 1:]) == 0
    assert slid(still, crop[:, 1:] + 1) > 1e-3  # the crop runs away under it
    slide = still + torch.arange(6)[None, :, None] * 0.05
    assert slid(slide, crop[:, 1:]) > 1e-3
    assert slid(slide, crop[:, 1:], none | True) == 0  # between two flat dances it may
    network.feet[-1, :, 1] = 0.5  # high above the floor
    assert slid(slide, crop[:, 1:]) == 0


def test_dancer_loss_falls_and_is_a_number() -> None:
    network = small_dancer(feet=True).train()
    rng = np.random.default_rng(0)
    steps = 8 * STEPS_PER_LETTER
    dance = made_dance(steps)
    curve = np.cumsum(rng.normal(0, 0.1, (steps, LATENT)), axis=0).astype(np.float32)
    dance = replace(dance, latent=curve, travel=0 * dance.travel, letters=dance.letters % LETTERS)
    stream = dancer_batches(sampler(dance), 8, 1, 0)
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    totals = []
    for batch in itertools.islice(stream, 40):
        losses = dancing_loss(network, batch)
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
        totals.append(float(losses["total"].detach()))
        assert all(torch.isfinite(v) for v in losses.values())
    assert np.mean(totals[-5:]) < 0.7 * np.mean(totals[:5])


# --- batches


def test_dancer_batches_line_up() -> None:
    room = sampler(made_dance(25 * STEPS_PER_LETTER), made_dance(33 * STEPS_PER_LETTER, style=2))
    stream = dancer_batches(room, 16, 4, 0, splices=0.0)
    starts, styles = set(), set()
    for batch in itertools.islice(stream, 6):
        steps = 4 * STEPS_PER_BEAT
        assert batch["latent"].shape == (16, steps, LATENT)
        assert batch["bar_phase"].shape == (16, steps, 6)
        assert batch["energy"].shape == (16, steps, 1)
        assert batch["place"].shape == (16, steps, 1)
        assert batch["style"].shape == (16, steps, STYLES)
        assert batch["dance"].shape == (16, steps, NAMES)
        assert (batch["dance"] == 0).all()
        assert not batch["spliced"].any()
        at = batch["latent"][:, :, 0]  # the step of each frame
        letter = batch["letter"]
        assert (at[:, 0] % STEPS_PER_LETTER == 0).all()
        torch.testing.assert_close(letter, at.long() // STEPS_PER_LETTER)  # letters repeat for eight steps
        torch.testing.assert_close(batch["next_letter"], letter + 1)
        torch.testing.assert_close(batch["travel"], at[..., None] + 0.5)
        torch.testing.assert_close(batch["place"][..., 0], at % STEPS_PER_LETTER / STEPS_PER_LETTER)
        wanted = torch.from_numpy(bar_phase(at.numpy() / STEPS_PER_BEAT))
        torch.testing.assert_close(batch["bar_phase"], wanted, atol=1e-5, rtol=0)
        starts |= set(at[:, 0].tolist())
        styles |= set(batch["style"][:, 0].argmax(1).tolist())
        length = torch.where(batch["style"][:, 0, 1] == 1, 25.0, 33.0)[:, None] * STEPS_PER_LETTER
        assert ((batch["energy"][..., 0] - at / length).abs() < 1.5 / (25 * STEPS_PER_LETTER)).all()
    assert len(starts) > 10
    assert styles == {1, 2}


def test_a_splice_goes_on_at_the_same_place_of_the_phrase_without_a_jump() -> None:
    """Two dances whose latents tell the step, a thousand apart; the second began three beats before a phrase."""
    one = made_dance(60 * STEPS_PER_LETTER, style=0)
    far = made_dance(70 * STEPS_PER_LETTER, style=2)
    two = replace(far, latent=far.latent + 1000, letters=far.letters + 1000, phase=10)
    spliced = 0
    for batch in itertools.islice(dancer_batches(sampler(one, two), 16, 4, 0, splices=1.0), 4):
        for row in range(16):
            style = batch["style"][row].argmax(-1)
            cut = int((style != style[0]).float().argmax())
            if cut == 0:
                continue
            spliced += 1
            assert cut % STEPS_PER_LETTER == 0
            latent, letter = batch["latent"][row, :, 0], batch["letter"][row]
            # Half a beat before, the letter that follows is already the other dance's.
            assert abs(int(batch["next_letter"][row, cut - 1]) - int(letter[cut - 1])) > 500
            assert int(batch["next_letter"][row, cut - 1]) == int(letter[cut])
            place = [int(letter[t]) % 1000 + (10 if int(letter[t]) >= 1000 else 0) for t in (cut - 1, cut)]
            assert (place[1] - place[0] - 1) % LETTERS_PER_PHRASE == 0
            phase = torch.from_numpy(bar_phase((place[1] * STEPS_PER_LETTER) / STEPS_PER_BEAT))
            torch.testing.assert_close(batch["bar_phase"][row, cut], phase, atol=1e-4, rtol=0)
            # It leaves as it came and arrives where the other is.
            speed = latent.diff()
            assert abs(float(speed[cut - 1]) - 1) < 0.1 * 1000
            assert (speed.abs() < 2.5 * 1070 / BLEND_STEPS).all()
            assert bool(batch["spliced"][row, cut])
            assert not bool(batch["spliced"][row, cut - 1])
            if cut + BLEND_STEPS < len(latent):
                end = cut + BLEND_STEPS
                away = (int(letter[end]) % 1000) * STEPS_PER_LETTER + end % STEPS_PER_LETTER
                assert float(latent[end]) == pytest.approx(away + 1000 * (int(letter[end]) >= 1000), abs=0.01)
    assert spliced > 20


def test_a_gap_closes_as_smoothly_as_it_began() -> None:
    way = blend_out(np.array([2.0, 0.0], np.float32), np.array([0.5, -1.0], np.float32), 200)
    np.testing.assert_allclose(way[0], (2, 0))
    np.testing.assert_allclose((way[1] - way[0]), (0.5, -1), atol=0.03)
    assert np.abs(way[-1]).max() < 1e-3
    assert np.abs(np.diff(way, axis=0)[-1]).max() < 1e-3


def test_a_loop_has_no_end() -> None:
    loop = replace(made_dance(16 * STEPS_PER_LETTER), loops=True, dance=1)
    seen = set()
    for batch in itertools.islice(dancer_batches(sampler(loop), 16, 4, 0, splices=0.0), 4):
        letters = batch["letter"][:, ::STEPS_PER_LETTER]
        assert ((letters.diff(dim=1) - 1) % 16 == 0).all()
        seen |= set(letters[:, 0].tolist())
        named = batch["dance"].sum(-1).mean(1)
        assert set(named.tolist()) <= {0.0, 1.0}
        assert 0.5 < float(named.mean()) <= 1  # now and then the name is kept from them
    assert len(seen) == 16


@pytest.mark.parametrize("splices", [0.0, 0.5])
@pytest.mark.parametrize("letters", [4, 14, 20])
def test_windows_fit_into_the_longest_take(letters: int, splices: float) -> None:
    room = sampler(made_dance(letters * STEPS_PER_LETTER))
    read, following, _ = next(choreographer_batches(room, 40, 8, 31, 0, slip=0.0, splices=splices))
    assert read.shape == (8, min(31, letters - 2))
    assert ((following - read - 1) % LETTERS_PER_PHRASE == 0).all()
    batch = next(dancer_batches(room, 8, 4, 0, splices=splices))
    assert batch["latent"].shape[1] == min(8, letters - 2) * STEPS_PER_LETTER


def test_choreographer_batches_line_up() -> None:
    room = sampler(replace(made_dance(40 * STEPS_PER_LETTER), phase=3))
    letters, following, given = next(choreographer_batches(room, 40, 32, 15, 0, slip=0.0, splices=0.0))
    assert letters.shape == following.shape == (32, 15)
    assert given.shape == (32, 15, CONDITIONS + TOLD)
    assert (following - letters == 1).all()  # consecutive
    # Conditions belong to the letter that is to be written, not to the one that was.
    coming = following.numpy()
    np.testing.assert_allclose(given[..., :6], bar_phase((coming + 3) / 2), atol=1e-5)
    np.testing.assert_allclose(given[..., 6], (coming + 0.5) / 40, atol=1e-5)
    assert (given[..., CONDITIONS : CONDITIONS + STYLES].argmax(-1) == 1).all()
    assert len(set(letters[:, 0].tolist())) > 5


def test_the_choreographer_is_told_of_a_change_as_it_is_to_write_it() -> None:
    one, two = made_dance(60 * STEPS_PER_LETTER, style=0), made_dance(60 * STEPS_PER_LETTER, style=2)
    two = replace(two, letters=two.letters + 100)
    letters, following, given = next(choreographer_batches(sampler(one, two), 200, 64, 15, 0, slip=0.0, splices=1.0))
    of = lambda line: (line >= 100).long() * 2  # noqa: E731
    assert (given[..., CONDITIONS : CONDITIONS + STYLES].argmax(-1) == of(following)).all()
    changes = of(letters) != of(following)
    assert changes.any(dim=1).float().mean() > 0.3
    assert ((following % 100 - letters % 100 - 1) % LETTERS_PER_PHRASE == 0).all()


def test_slips_are_read_but_never_to_be_written() -> None:
    room = sampler(made_dance(40 * STEPS_PER_LETTER))
    letters, following, _ = next(choreographer_batches(room, 1000, 64, 15, 0, slip=0.3, splices=0.0))
    slipped = float((following - letters != 1).float().mean())
    assert 0.2 < slipped < 0.4
    assert (following[:, 1:] - following[:, :-1] == 1).all()


def test_rare_styles_are_danced_more_than_their_share() -> None:
    room = sampler(made_dance(900 * STEPS_PER_LETTER, style=0), made_dance(100 * STEPS_PER_LETTER, style=1))
    given = next(choreographer_batches(room, 900, 400, 15, 0, splices=0.0))[2]
    rare = float((given[:, 0, CONDITIONS : CONDITIONS + STYLES].argmax(-1) == 1).float().mean())
    assert 0.15 < rare < 0.35  # a tenth of the letters; the square root makes it a quarter


def test_too_short_takes_are_left_out() -> None:
    room = sampler(made_dance(6 * STEPS_PER_LETTER, style=0), made_dance(40 * STEPS_PER_LETTER, style=1))
    batch = next(dancer_batches(room, 32, 4, 0, splices=0.0))
    assert (batch["style"][..., 1] == 1).all()


def test_the_beat_and_the_bar_come_round() -> None:
    phase = bar_phase(np.array([0.0, 0.25, 1.0, 2.0, 4.0, 5.25, 8.0]))
    np.testing.assert_allclose(phase[0], (0, 1, 0, 1, 0, 1), atol=1e-6)
    np.testing.assert_allclose(phase[1, :2], (1, 0), atol=1e-6)
    np.testing.assert_allclose(phase[2, :4], (0, 1, 1, 0), atol=1e-6)
    np.testing.assert_allclose(phase[3, 2:], (0, -1, 1, 0), atol=1e-6)
    np.testing.assert_allclose(phase[4], (0, 1, 0, 1, 0, -1), atol=1e-6)
    np.testing.assert_allclose(phase[5, :2], phase[1, :2], atol=1e-6)
    np.testing.assert_allclose(phase[6], phase[0], atol=1e-6)
