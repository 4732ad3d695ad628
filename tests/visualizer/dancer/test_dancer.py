"""The dancer at work: the seed decides, time comes in any portions, nothing jumps, and nothing stops it."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import standins
from tests.support.made_space import made_space, standing_body
from visualizer.dancer import dancer as room
from visualizer.dancer import formation
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.pack import FRAME_METRES, PHRASE_BEATS, STEPS_PER_BEAT, Pack, find_pack, load_pack
from visualizer.errors import UserError


@pytest.fixture(scope="module")
def pack(tiny_pack: Path) -> Pack:
    return load_pack(tiny_pack, "cpu")


@pytest.fixture(scope="module")
def shipped() -> Pack:
    return load_pack(find_pack(None), "cpu")


@pytest.fixture(params=[pytest.param("tiny", marks=pytest.mark.slow), "shipped"])
def either(request: pytest.FixtureRequest) -> Pack:
    """For what must be true of every pack."""
    return request.getfixturevalue("pack" if request.param == "tiny" else "shipped")


def dance(dancer: Dancer, beats: float, per_beat: int = STEPS_PER_BEAT, start: float = 0.0) -> np.ndarray:
    """Latents (T, N, D) at every step of `beats` beats, stepped `per_beat` times a beat."""
    out = []
    for i in range(round(beats * per_beat)):
        time = start + i / per_beat
        dancer.step_to(time, 0.5)
        if (time * STEPS_PER_BEAT) % 1 == 0:
            out.append(dancer.between(time)[0])
    return np.stack(out)


# --- feet


@pytest.mark.parametrize("camera", [0.0, 40.0])
def test_what_stands_stays_where_it_is_in_the_picture(camera: float) -> None:
    """A body that waves its hand while travel and the formation push it to and fro by some centimetres."""
    space, body = made_space(), standing_body()

    def step(given: standins.Inputs) -> dict[str, np.ndarray]:
        bodies = np.tile(body, (len(given["latent"]), 1, 1))
        bodies[:, 8, 0] += 0.1 * given["bar_phase"][:, 0]
        travel = 0.02 * given["bar_phase"][:, 2:4]
        return {"latent_out": space.latents(bodies), "state_out": given["state"], "travel": travel}

    outputs = ("latent_out", "state_out", "travel")
    seeds = tuple(dataclasses.replace(s, latent=space.latents(body)) for s in standins.SEEDS)
    pack = standins.pack(
        latent_size=63, latent_mean=space.mean, latent_spread=space.std, seeds=seeds, body=space,
        info={"format": 3}, dancer=standins.Network(step, outputs), limits={"far": 1e6, "still": 1e-9},
    )  # fmt: skip
    dancer = Dancer(pack, 1, troupe=3)
    dancer.set_camera(False, camera)
    feet, hips = [], []
    for now in range(60 * STEPS_PER_BEAT):
        dancer.step_to(now / STEPS_PER_BEAT)
        latent, place = dancer.between(now / STEPS_PER_BEAT)
        joints = space.joints(latent)[..., 0] + place[:, None] * FRAME_METRES
        feet.append(joints[:, [15, 16, 19, 20]])
        hips.append(joints[:, 0])
    settled = slice(40 * STEPS_PER_BEAT, None)  # the formation and the camera have found their places
    sway = np.ptp(np.array(hips)[settled], axis=0)
    assert (sway > 0.03).all()
    assert np.abs(np.diff(np.array(feet)[settled], axis=0)).max() < 0.003
    assert (np.ptp(np.array(feet)[settled], axis=0) < 0.4 * sway[:, None]).all()


def test_flat_bodies_are_shown_as_they_are_danced() -> None:
    dancer = Dancer(standins.pack(), 1)
    made = []
    step = dancer._networks.step
    dancer._networks.step = lambda given: made.append(step(given)) or made[-1]  # type: ignore[method-assign]
    shown = dance(dancer, 4)
    danced = np.stack([each.latent for each in made[-len(shown) - room.LOOK_AHEAD : -room.LOOK_AHEAD]])
    np.testing.assert_allclose(shown[1:], danced[1:], atol=1e-6)


# --- the seed decides


def test_the_same_seed_is_the_same_dance(pack: Pack) -> None:
    one, same, other = (dance(Dancer(pack, seed), 12) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one[64:] - other[64:]).max() > 0.1


def test_two_dances_of_one_pack_do_not_disturb_each_other(pack: Pack) -> None:
    alone = dance(Dancer(pack, 5), 8)
    a, b = Dancer(pack, 5), Dancer(pack, 6)
    mixed = []
    for i in range(8 * STEPS_PER_BEAT):
        for dancer in (b, a):
            dancer.step_to(i / STEPS_PER_BEAT, 0.5)
        mixed.append(a.between(i / STEPS_PER_BEAT)[0])
    np.testing.assert_array_equal(alone, np.stack(mixed))


def test_the_seed_picks_the_first_style(pack: Pack) -> None:
    assert {Dancer(pack, seed).style for seed in range(30)} == set(pack.styles)
    assert Dancer(pack, 0, pack.styles[1]).style == pack.styles[1]


def test_temperature_changes_the_dance(pack: Pack) -> None:
    cold, warm = (dance(Dancer(pack, 5, temperature=t), 8) for t in (0.0, 2.0))
    assert (cold != warm).any()


# --- time


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(portions=st.lists(st.floats(0.001, 3.5), min_size=1, max_size=12))
def test_time_may_come_in_any_portions(pack: Pack, portions: list[float]) -> None:
    """Small or large strides: the same dance, as long as none is a stall."""
    one, two = Dancer(pack, 3), Dancer(pack, 3)
    end = float(np.sum(portions))
    time = 0.0
    for portion in portions:
        time += portion
        one.step_to(time, 0.5)
    for k in range(int(end * STEPS_PER_BEAT) + 1):
        two.step_to(k / STEPS_PER_BEAT, 0.5)
    two.step_to(time, 0.5)
    np.testing.assert_array_equal(one.between(time)[0], two.between(time)[0])
    assert len(one.letters_written) == len(two.letters_written)


def test_stepping_twice_to_the_same_moment_changes_nothing(pack: Pack) -> None:
    dancer = Dancer(pack, 3)
    dancer.step_to(2.3)
    before = dancer.between(2.3)[0]
    dancer.step_to(2.3)
    dancer.step_to(2.0)  # a clock that falls back a little
    np.testing.assert_array_equal(dancer.between(2.3)[0], before)


def test_a_letter_is_written_every_half_beat(pack: Pack) -> None:
    dancer = Dancer(pack, 3)
    for beat in range(10):
        dancer.step_to(beat + 1 - 3 / STEPS_PER_BEAT)  # with what it looks ahead: up to, not including, the next beat
        assert len(dancer.letters_written) == 2 * (beat + 1)


def test_latents_pass_through_the_steps_without_a_jump(pack: Pack) -> None:
    dancer = Dancer(pack, 3)
    dancer.step_to(0.0)
    fine: list[np.ndarray] = []
    for i in range(1, 8 * 64):
        time = i / 64 + 1e-9
        dancer.step_to(time)
        newest = dancer._step - room.LOOK_AHEAD
        if i % 4 == 0 and i > 4:  # on a step
            assert newest == i // 4
            np.testing.assert_allclose(dancer.between(time)[0], dancer._steps[1].latent, atol=1e-5)
        fine.append(dancer.between(time)[0][0])
    path = np.stack(fine)[16:]
    little = np.linalg.norm(np.diff(path, axis=0), axis=1)
    whole = np.linalg.norm(path[4:] - path[:-4], axis=1)
    # A quarter of a step is never much more than the longest step: no leap where one interval meets the next.
    assert little.max() < 0.75 * whole.max()


def test_a_stall_is_skipped_and_keeps_its_place_in_the_phrase(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    dancer = Dancer(pack, 3)
    dancer.step_to(4.0)
    calls = []
    advance = dancer._advance
    monkeypatch.setattr(dancer, "_advance", lambda energy: (calls.append(dancer._step), advance(energy)))
    before = dancer.between(4.0)[0]
    dancer.step_to(4000.6)
    assert len(calls) <= room.LONGEST_GAP + 4  # not 64,000
    assert dancer._step == int(4000.6 * STEPS_PER_BEAT) + room.LOOK_AHEAD
    assert (calls[0] - 4 * STEPS_PER_BEAT - room.LOOK_AHEAD) % (PHRASE_BEATS * STEPS_PER_BEAT) == 0
    assert np.isfinite(dancer.between(4000.6)[0]).all()
    assert (dancer.between(4000.6)[0] != before).any()


@pytest.mark.parametrize("beats", [0.5, 4, 20])
def test_a_leap_of_time_takes_no_step_and_the_body_goes_on_from_where_it_is(
    pack: Pack, beats: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaper, plain = Dancer(pack, 3), Dancer(pack, 3)
    for dancer in (leaper, plain):
        dancer.step_to(5.3)
    told: list[dict[str, Any]] = []
    step = leaper._networks.step
    monkeypatch.setattr(leaper._networks, "step", lambda inputs: (told.append(inputs), step(inputs))[1])
    leaper.leap(beats)
    leaper.step_to(5.3 + beats)
    assert not told
    for one, other in zip(leaper.between(5.3 + beats), plain.between(5.3), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    leaper.step_to(5.3 + beats + 1 / STEPS_PER_BEAT)
    (inputs,) = told
    np.testing.assert_allclose(inputs["bar_phase"][0], room.bar_phase(leaper.beat), atol=1e-6)
    assert leaper.beat == (int(5.3 * STEPS_PER_BEAT) + 1 + room.LOOK_AHEAD) / STEPS_PER_BEAT + beats


def test_a_clock_may_start_anywhere(pack: Pack) -> None:
    dancer = Dancer(pack, 3)
    dancer.step_to(123456.75)
    assert dancer._step == int(123456.75 * STEPS_PER_BEAT) + room.LOOK_AHEAD
    assert dancer.picture(123456.75).frames.shape == (1, 1, 128, 128)


def test_a_picture_before_the_first_step_is_a_mistake(pack: Pack) -> None:
    with pytest.raises(RuntimeError, match="step_to"):
        Dancer(pack, 0).picture(0.0)


# --- what the keys do


def test_reseeding_changes_what_follows_and_not_the_picture(either: Pack) -> None:
    changed, plain = Dancer(either, 3), Dancer(either, 3)
    for dancer in (changed, plain):
        dancer.step_to(5.4)
    changed.reseed(99)
    np.testing.assert_array_equal(changed.picture(5.4).frames, plain.picture(5.4).frames)
    follow = [dance(d, 12, start=5.5) for d in (changed, plain)]
    np.testing.assert_array_equal(follow[0][0], follow[1][0])  # two steps were danced already
    assert np.abs(follow[0][32:] - follow[1][32:]).max() > 0.1


def test_a_change_of_style_changes_what_follows_and_not_the_picture(either: Pack) -> None:
    changed, plain = (Dancer(either, 3, either.styles[0]) for _ in range(2))
    for dancer in (changed, plain):
        dancer.step_to(5.4)
    changed.set_style(either.styles[1])
    assert changed.style == either.styles[1]
    np.testing.assert_array_equal(changed.picture(5.4).frames, plain.picture(5.4).frames)
    # How much it changes is asked of the pack that ships, below: a minute's training makes little of a style.
    one, other = dance(changed, 12, start=5.5), dance(plain, 12, start=5.5)
    np.testing.assert_array_equal(one[: STEPS_PER_BEAT // 2 - 1], other[: STEPS_PER_BEAT // 2 - 1])
    assert (one[STEPS_PER_BEAT:] != other[STEPS_PER_BEAT:]).any(axis=(1, 2)).all()


def test_an_unknown_style_is_refused_and_the_dance_goes_on(pack: Pack) -> None:
    with pytest.raises(UserError, match="no style 'polka'"):
        Dancer(pack, 0, "polka")
    dancer = Dancer(pack, 0, pack.styles[0])
    with pytest.raises(UserError, match=pack.styles[1]):  # says what there is
        dancer.set_style("polka")
    assert dancer.style == pack.styles[0]


# --- fake networks


def without_figures(pack: Pack) -> Pack:
    """The same dances of silhouettes alone, which one call of the decoder draws."""
    return dataclasses.replace(pack, figures=None, figure_decoder=None)


class Spy:
    """A session that notes what it was given and may spoil what it gives back."""

    def __init__(self, session: Any, spoil: Any = None) -> None:
        self.session, self.spoil = session, spoil
        self.given: list[dict[str, np.ndarray]] = []

    def run(self, outputs: Any, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.given.append({k: v.copy() for k, v in inputs.items()})
        made = [np.array(o) for o in self.session.run(outputs, inputs)]
        if self.spoil:
            self.spoil(len(self.given), made)
        return made

    def get_outputs(self) -> Any:
        return self.session.get_outputs()


def test_a_troupe_of_nine_is_one_call(pack: Pack) -> None:
    spied = dataclasses.replace(
        without_figures(pack), dancer=Spy(pack.dancer), choreographer=Spy(pack.choreographer),
        decoder=Spy(pack.decoder),
    )  # fmt: skip
    dancer = Dancer(spied, 3, troupe=9)
    dancer.step_to(4.0)
    before = len(spied.decoder.given)  # it was asked once how far bodies reach
    picture = dancer.picture(4.0)
    assert picture.frames.shape == (9, 1, 128, 128)
    assert picture.joints is not None
    assert picture.joints.shape == (9, 21, 2)
    assert picture.place.shape == (9,)
    assert len(spied.dancer.given) == dancer._step + 1
    assert len(spied.choreographer.given) == len(dancer.letters_written)
    assert len(spied.decoder.given) == before + 1
    assert (np.diff(picture.place) > 0.2).all()  # side by side
    assert abs(picture.place.mean()) < 0.2
    latents = dancer.between(4.0)[0]
    assert all(np.abs(latents[i] - latents[j]).max() > 1e-3 for i in range(9) for j in range(i))


@pytest.mark.parametrize(
    ("energy", "given"), [(-3.0, 0.0), (7.0, 1.0), (0.25, 0.25), (float("inf"), 1.0), (float("nan"), 0.0)]
)
def test_energy_stays_within_its_range(pack: Pack, energy: float, given: float) -> None:
    spied = dataclasses.replace(pack, dancer=Spy(pack.dancer), choreographer=Spy(pack.choreographer))
    Dancer(spied, 3).step_to(2.0, energy)
    for inputs in (*spied.dancer.given, *spied.choreographer.given):
        assert (inputs["energy"] == np.float32(given)).all()


def test_the_networks_are_told_where_in_the_beat_they_are(pack: Pack) -> None:
    spied = dataclasses.replace(pack, dancer=Spy(pack.dancer), choreographer=Spy(pack.choreographer))
    dancer = Dancer(spied, 3)
    dancer.step_to(6.0)
    for step, inputs in enumerate(spied.dancer.given):
        np.testing.assert_allclose(inputs["bar_phase"][0], room.bar_phase(step / STEPS_PER_BEAT), atol=1e-6)
        assert inputs["place"][0, 0] == pytest.approx(step % 8 / 8)
        letter = step // 8
        assert inputs["letter"][0] == dancer.letters_written[letter]
        if letter + 1 < len(dancer.letters_written):
            assert inputs["next_letter"][0] == dancer.letters_written[letter + 1]
    for number, inputs in enumerate(spied.choreographer.given):  # writes the letter of the next half beat
        np.testing.assert_allclose(inputs["bar_phase"][0], room.bar_phase((number + 1) / 2), atol=1e-6)
        assert inputs["letter"][0] == dancer.letters_written[number]


def nan_latent(call: int, made: list[np.ndarray]) -> None:
    if call == 40:
        made[0][:] = np.nan


def inf_state(call: int, made: list[np.ndarray]) -> None:
    if call == 40:
        made[1][0, 0, 0] = np.inf


def nan_travel(call: int, made: list[np.ndarray]) -> None:
    if call == 40:
        made[2][-1] = np.nan


@pytest.mark.parametrize("spoil", [nan_latent, inf_state, nan_travel])
@pytest.mark.parametrize("troupe", [1, 3])
def test_nonsense_from_the_dancer_network_is_got_over(
    pack: Pack, spoil: Any, troupe: int, caplog: pytest.LogCaptureFixture
) -> None:
    spied = dataclasses.replace(pack, dancer=Spy(pack.dancer, spoil))
    dancer = Dancer(spied, 3, troupe=troupe)
    with caplog.at_level(logging.WARNING):
        path = dance(dancer, 8)
    assert dancer.restarts == 1
    assert "starts again" in caplog.text
    assert np.isfinite(path).all()
    assert np.isfinite(dancer.picture(8.0).place).all()
    assert np.abs(np.diff(path[60:], axis=0)).max() > 1e-4  # it goes on dancing


def test_only_those_who_stumbled_start_again(pack: Pack) -> None:
    def one(call: int, made: list[np.ndarray]) -> None:
        if call == 40:
            made[0][1] = np.nan

    dancer = Dancer(dataclasses.replace(pack, dancer=Spy(pack.dancer, one)), 3, troupe=3)
    while len(dancer.pack.dancer.given) < 40:
        dancer._advance(0.5)
    seeds = np.stack([s.latent for s in pack.seeds])
    at_seed = [np.abs(seeds - dancer._rows.latent[i]).max(axis=1).min() < 1e-6 for i in range(3)]
    assert at_seed == [False, True, False]
    assert (dancer._rows.body[1] == 0).all()
    assert (dancer._rows.body[0] != 0).any()


@pytest.mark.parametrize("letter", [-1, 10**6])
def test_a_letter_that_is_none_is_got_over(pack: Pack, letter: int) -> None:
    def odd(call: int, made: list[np.ndarray]) -> None:
        if call == 5:
            made[0][:] = letter

    dancer = Dancer(dataclasses.replace(pack, choreographer=Spy(pack.choreographer, odd)), 3)
    assert np.isfinite(dance(dancer, 8)).all()
    assert dancer.restarts == 1


def test_endless_nonsense_neither_stops_it_nor_floods_the_log(shipped: Pack, caplog: pytest.LogCaptureFixture) -> None:
    """Not even of the pack that ships, in whose place no other is put."""

    def always(call: int, made: list[np.ndarray]) -> None:
        made[0][:] = np.nan

    dancer = Dancer(dataclasses.replace(shipped, dancer=Spy(shipped.dancer, always)), 3)
    with caplog.at_level(logging.WARNING):
        path = dance(dancer, 30)
    assert np.isfinite(path).all()
    assert dancer.restarts == dancer._step + 1
    assert 1 <= len(caplog.records) <= 12


@pytest.mark.parametrize(("troupe", "roam"), [(1, formation.ROAM), (2, formation.TROUPE_ROAM)])
def test_no_travel_leads_off_the_stage_or_into_a_neighbour(pack: Pack, troupe: int, roam: float) -> None:
    """Even a network that always runs to one side."""

    def run_away(call: int, made: list[np.ndarray]) -> None:
        made[2][:] = 3.0

    dancer = Dancer(dataclasses.replace(pack, dancer=Spy(pack.dancer, run_away)), 3, troupe=troupe)
    place = np.zeros(troupe)
    for beat in range(100):
        dancer.step_to(float(beat))
        place = dancer.between(float(beat))[1]
        # A little farther only to make room for one another.
        assert np.abs(place - dancer._formation.home).max() <= roam + (1e-3 if troupe == 1 else 0.2)
        assert troupe == 1 or np.diff(place).min() > 0.3
    assert (place - dancer._formation.home).mean() > 0.83 * roam  # two who need room stand as far either way of that


def test_a_pack_without_joints_dances(pack: Pack) -> None:
    class NoJoints(Spy):
        def get_outputs(self) -> Any:
            return [o for o in self.session.get_outputs() if o.name == "frame"]

        def run(self, outputs: Any, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return self.session.run(["frame"], inputs)

    dancer = Dancer(dataclasses.replace(without_figures(pack), decoder=NoJoints(pack.decoder)), 3)
    dancer.step_to(1.0)
    picture = dancer.picture(1.0)
    assert picture.joints is None
    assert picture.frames.shape == (1, 1, 128, 128)


# --- the pack that ships


def joints_of(pack: Pack, latents: np.ndarray) -> np.ndarray:
    """Joints (T, 21, 2) in metres of latents (T, D)."""
    from training.evaluate.studio import joints_network

    return np.array(joints_network(pack).run(["joints"], {"latent": latents})[0]) * FRAME_METRES


def longest_step(pack: Pack, latents: np.ndarray) -> float:
    """Metres that the fastest joint goes in one step of latents (T, D)."""
    return float(np.linalg.norm(np.diff(joints_of(pack, latents), axis=0), axis=-1).max())


@pytest.fixture(scope="module")
def plain_step(shipped: Pack) -> float:
    """The longest step in 200 beats of dancing in which nothing is changed: ten styles, 20 beats each."""
    steps = []
    for number in np.linspace(0, len(shipped.styles) - 1, 10).astype(int):
        path = dance(Dancer(shipped, 3, shipped.styles[number]), 24)[4 * STEPS_PER_BEAT :, 0]  # less the first bar
        steps.append(longest_step(shipped, path))
    return max(steps)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_another_style_is_another_dance(shipped: Pack, seed: int) -> None:
    """From two beats after the change on, and not only for a moment: 0.1 m, the mean joint."""
    old, new = np.random.default_rng(seed).choice(len(shipped.styles), 2, replace=False)
    changed, plain = (Dancer(shipped, seed, shipped.styles[old]) for _ in range(2))
    for dancer in (changed, plain):
        dancer.step_to(5.5)
    changed.set_style(shipped.styles[new])
    one, other = (joints_of(shipped, dance(d, 18, start=5.5)[:, 0]) for d in (changed, plain))
    apart = np.linalg.norm(one - other, axis=-1).mean(axis=1)  # (T,)
    beats = apart.reshape(18, STEPS_PER_BEAT).mean(axis=1)
    assert beats[2:].mean() > 0.1
    assert (beats[2:] > 0.03).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["dance", "style"])
@pytest.mark.parametrize("moment", [5.0, 5.3125, 6.5, 7.875])
def test_a_change_is_made_without_a_leap(shipped: Pack, plain_step: float, asked: str, moment: float) -> None:
    """In the three beats after it was asked for no joint goes much farther in a step than in plain dancing."""
    rng = np.random.default_rng(round(1000 * moment))
    dancer = Dancer(shipped, 3)
    paths = [dance(dancer, moment + 1 / STEPS_PER_BEAT)[-1:, 0]]
    for change in range(8):
        if asked == "dance":
            dancer.set_dance(str(rng.choice([d.name for d in shipped.dances])))
        else:
            dancer.set_style(str(rng.choice([s for s in shipped.styles if s != dancer.style])))
        paths.append(dance(dancer, 3, start=moment + 3 * change + 1 / STEPS_PER_BEAT)[:, 0])
    assert longest_step(shipped, np.concatenate(paths)) <= 1.25 * plain_step


@pytest.mark.slow
def test_two_beats_after_its_first_letter_the_body_is_in_the_new_dance(shipped: Pack) -> None:
    """Pairs of written dances that are over within a phrase, faithfully danced. The body is then a tenth as far as it
    was before from one of several who have danced the new one all along (some begin it with the other leg)."""
    written = set(shipped.info["training"]["written_dances"])
    names = [d.name for d in shipped.dances if d.name in written and d.beats <= PHRASE_BEATS]
    rng = np.random.default_rng(1)
    gaps, takes = [], []
    for pair in range(8):
        old, new = map(str, rng.choice(names, 2, replace=False))
        changed = Dancer(shipped, pair, temperature=0.3, dance=old)
        moment = 14 + int(rng.integers(64)) / STEPS_PER_BEAT
        path = [dance(changed, moment)]
        changed.set_dance(new)
        asked = moment
        while changed.danced != (new,):
            assert moment < asked + 1
            path.append(dance(changed, 1 / STEPS_PER_BEAT, start=moment))
            moment += 1 / STEPS_PER_BEAT
        first = changed._step  # of the new dance's first letter
        path.append(dance(changed, 10, start=moment))
        all_along = [dance(Dancer(shipped, 100 + k, temperature=0.3, dance=new), 30) for k in range(6)]
        mine, *others = (
            joints_of(shipped, p[first - 2 * STEPS_PER_BEAT : first + 6 * STEPS_PER_BEAT, 0])
            for p in (np.concatenate(path), *all_along)
        )
        for apart, poses, rest in ((gaps, mine, others), (takes, others[0], others[1:])):
            each = [np.linalg.norm(poses - other, axis=-1).mean(axis=1).reshape(8, -1).mean(axis=1) for other in rest]
            apart.append(min(each, key=lambda beats: beats[4:].mean()))
    gap, take = np.mean(gaps, axis=0), np.mean(takes, axis=0)  # metres, of the mean joint, beat by beat
    assert take[4:].mean() < 0.01
    assert gap[4:].mean() < 0.1 * gap[:2].mean()


@pytest.mark.parametrize("moment", [5.0, 5.3125, 6.5, 7.875])
def test_three_beats_after_it_was_asked_for_a_dance_is_danced(shipped: Pack, moment: float) -> None:
    rng = np.random.default_rng(round(1000 * moment))
    dancer = Dancer(shipped, 3, troupe=3)
    dancer.step_to(moment)
    for named in rng.choice(len(shipped.dances), 8, replace=False):
        name = shipped.dances[named].name
        dancer.set_dance(name)
        moment += 3
        dancer.step_to(moment)
        assert dancer.danced == (name,) * 3
        assert dancer._rows.next_dance.tolist() == [named] * 3  # and so is the letter that follows
        assert dancer._rows.next_style.tolist() == [shipped.dances[named].style] * 3


@pytest.mark.slow
def test_ten_simulated_minutes_of_the_shipped_pack(shipped: Pack) -> None:
    """1,200 beats at 120 BPM: nobody leaves the stage, and the body stands still for no second, wherever it begins."""
    dancer = Dancer(shipped, 11)
    rng = np.random.default_rng(0)
    places, latents = [], []
    for step in range(1200 * STEPS_PER_BEAT):
        time = step / STEPS_PER_BEAT
        if step % (64 * STEPS_PER_BEAT) == 0:
            dancer.set_style(str(rng.choice(shipped.styles)))
        dancer.step_to(time, 0.5 - 0.4 * np.cos(2 * np.pi * time / 32))
        latent, place = dancer.between(time)
        places.append(place[0])
        latents.append(latent[0])
    assert np.abs(places).max() <= formation.ROAM
    assert np.abs(np.mean(places)) < 0.3
    assert (dancer.restarts, dancer.rescues) == (0, 0)
    path = np.stack(latents) / shipped.latent_spread
    assert np.abs(path - shipped.latent_mean / shipped.latent_spread).max() < 20  # stays where the data were
    from training.evaluate.studio import joints_network

    (joints,) = joints_network(shipped).run(["joints"], {"latent": np.stack(latents)})
    joints = np.array(joints)
    joints[:, :, 0] += np.array(places)[:, None]
    pace = np.linalg.norm(np.diff(joints * FRAME_METRES, axis=0), axis=-1).mean(axis=1) * 2 * STEPS_PER_BEAT
    second = 2 * STEPS_PER_BEAT
    assert np.convolve(pace, np.full(second, 1 / second), mode="valid").min() > 0.05  # metres a second, the mean joint
    assert len(set(dancer.letters_written)) > 0.2 * min(shipped.letters, 100)
