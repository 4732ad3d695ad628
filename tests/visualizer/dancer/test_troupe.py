"""Dances on demand, troupes, and the watchdog, on networks that are a few lines each and note what they are told."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import numpy as np
import pytest

from tests.support import standins
from tests.support.standins import DANCES, LETTERS, SPREAD, STYLES, Inputs, Network
from visualizer.dancer import formation, rescue
from visualizer.dancer.dancer import Dancer, bar_phase
from visualizer.dancer.formation import span_of
from visualizer.dancer.pack import MOST_DANCERS, STEPS_PER_BEAT, STEPS_PER_LETTER, SYNCS
from visualizer.dancer.watchdog import LOST_STEPS, STILL_STEPS, Watchdog, distances, size
from visualizer.errors import UserError
from visualizer.stage.layout import find_layout

OUTPUTS = ("latent_out", "state_out", "travel")


def dance(dancer: Dancer, beats: float, start: float = 0.0, energy: float = 0.5) -> np.ndarray:
    """Latents (T, N, D) at every step of `beats` beats."""
    out = []
    for k in range(round(beats * STEPS_PER_BEAT)):
        moment = start + k / STEPS_PER_BEAT
        dancer.step_to(moment, energy)
        out.append(dancer.between(moment)[0])
    return np.stack(out)


def given(dancer: Dancer, network: str = "dancer") -> list[Inputs]:
    return getattr(dancer.pack, network).given


def dances_of(inputs: Inputs) -> list[int]:
    """Index of the dance that each row asks for; -1 for none."""
    weights = inputs["dance"]
    assert np.isin(weights, (0, 1)).all()
    assert (weights.sum(axis=1) <= 1).all()
    return [int(np.argmax(w)) if w.any() else -1 for w in weights]


def styles_of(inputs: Inputs) -> list[int]:
    assert (np.sort(inputs["style"], axis=1)[:, -2:] == (0, 1)).all()
    return [int(i) for i in inputs["style"].argmax(axis=1)]


# --- on demand


def test_bar_phase_knows_beat_bar_and_phrase() -> None:
    phase = bar_phase(np.array([0.0, 1.0, 2.0, 8.0, 5.25]))
    assert phase.shape == (5, 6)
    np.testing.assert_allclose(phase[0], [0, 1, 0, 1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(phase[1], [0, 1, 1, 0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-6)
    np.testing.assert_allclose(phase[2], [0, 1, 0, -1, 1, 0], atol=1e-6)
    np.testing.assert_allclose(phase[3], phase[0], atol=1e-6)
    np.testing.assert_allclose(phase[4, 4:], [np.sin(5.25 * np.pi / 4), np.cos(5.25 * np.pi / 4)], atol=1e-6)


def test_a_named_dance_has_its_style_and_is_danced_from_the_first_written_letter() -> None:
    dancer = Dancer(standins.pack(), 3, dance="Hustle")
    assert (dancer.dance, dancer.style) == ("hustle", "disco")
    dance(dancer, 40)
    number = [d.name for d in DANCES].index("hustle")
    assert all(dances_of(i) == [number] for i in given(dancer, "choreographer"))
    assert all(dances_of(i) == [number] for i in given(dancer)[8:])
    assert Dancer(standins.pack(), 3, "disco", dance="hustle").style == "disco"


def test_a_dance_that_is_not_there_names_those_near_it() -> None:
    with pytest.raises(UserError, match=r"no dance 'jak' in pack stand-in; near it are: jack;.*'visualizer dances"):
        Dancer(standins.pack(), 3, dance="jak")
    with pytest.raises(UserError, match="near it are: pas de bourree"):
        Dancer(standins.pack(), 3, dance="bourree")
    with pytest.raises(UserError, match=rf"pack stand-in; 'visualizer dances.*lists all {len(DANCES)}"):
        Dancer(standins.pack(), 3, dance="quantum entanglement")
    with pytest.raises(UserError, match="the dance 'hustle' is of the style disco, not house"):
        Dancer(standins.pack(), 3, "house", dance="hustle")
    with pytest.raises(UserError, match="no style 'polka'"):
        Dancer(standins.pack(), 3, "polka", dance="hustle")


def test_a_change_begins_with_the_next_letter_and_not_before() -> None:
    dancer = Dancer(standins.pack(), 3, dance="jack")
    dancer.step_to(5.0)  # with what it looks ahead: steps up to 5 2/16; the letter of 5.5 is written
    steps, letters = len(given(dancer)), len(given(dancer, "choreographer"))
    memory = dancer._rows.choreography.copy()
    dancer.set_dance("bump")
    assert (dancer.dance, dancer.style) == ("bump", "disco")
    dancer.step_to(8.0)
    jack, bump = 0, 7
    for k, inputs in enumerate(given(dancer, "choreographer")):
        assert dances_of(inputs) == [bump if k >= letters else jack]
        assert styles_of(inputs) == [1 if k >= letters else 0]
    assert (given(dancer, "choreographer")[letters]["state"] == memory).all()  # it goes on, nothing is forgotten
    for k, inputs in enumerate(given(dancer)):
        danced = bump if k >= 6 * STEPS_PER_BEAT else jack  # the letter written at 5.5 is that of beat 6
        assert dances_of(inputs) == ([danced] if k >= 8 else [-1])
    assert steps == int(5.0 * STEPS_PER_BEAT) + 3


@pytest.mark.slow
def test_letters_are_written_for_the_plan_that_they_will_be_danced_in() -> None:
    dancer = Dancer(standins.pack(), 7, "house")
    dance(dancer, 400)
    written = given(dancer, "choreographer")
    for k, inputs in enumerate(given(dancer)):
        if k >= 8:
            of_letter = written[k // 8 - 1]
            assert dances_of(inputs) == dances_of(of_letter)
            assert styles_of(inputs) == styles_of(of_letter)
            np.testing.assert_allclose(of_letter["bar_phase"][0], bar_phase(k // 8 / 2), atol=1e-6)
    plan = [dances_of(i)[0] for i in given(dancer)]
    changes = [k for k in range(9, len(plan)) if plan[k] != plan[k - 1]]
    assert len(changes) > 20
    # Where a phrase begins, and half-way through one where a repeat is answered.
    at_phrase = [k % (8 * STEPS_PER_BEAT) == 0 for k in changes]
    assert all(k % (4 * STEPS_PER_BEAT) == 0 for k in changes)
    assert sum(at_phrase) > len(changes) / 2


def test_what_is_asked_for_stays_and_what_is_let_go_does_not() -> None:
    dancer = Dancer(standins.pack(), 3, "house", dance="jack")
    dance(dancer, 64)
    assert set(dancer.danced) == {"jack"}
    dancer.set_style("disco")
    assert (dancer.style, dancer.dance) == ("disco", None)
    dancer.set_dance("bump")
    dancer.set_style("disco")  # which it is
    assert dancer.dance == "bump"
    dance(dancer, 8, 64.0)
    dancer.set_dance(None)
    assert (dancer.style, dancer.dance) == ("disco", None)
    dance(dancer, 1.5, 72.0)
    assert dancer.danced[0] in (None, "point", "hustle")
    with pytest.raises(UserError, match="no dance 'polka'"):
        dancer.set_dance("polka")
    assert dancer.dances == ("point", "hustle", "bump")


@pytest.mark.parametrize("seed", range(12))
def test_a_dance_that_is_let_go_is_not_what_comes_next(seed: int) -> None:
    dancer = Dancer(standins.pack(), seed, "disco", dance="bump")
    dance(dancer, 8)
    dancer.set_dance(None)
    dance(dancer, 1.5, 8.0)
    assert dancer.danced[0] in (None, "point", "hustle")


@pytest.mark.parametrize("change", ["style", "dance", "seed"])
def test_a_change_does_not_touch_the_picture(change: str) -> None:
    changed, plain = (Dancer(standins.pack(), 3, "house") for _ in range(2))
    for dancer in (changed, plain):
        dancer.step_to(5.4)
    match change:
        case "style":
            changed.set_style("disco")
        case "dance":
            changed.set_dance("lofting")
        case _:
            changed.reseed(8)
    for one, other in zip(changed.between(5.4), plain.between(5.4), strict=True):
        np.testing.assert_array_equal(one, other)
    a, b = (dance(d, 12, start=5.4) for d in (changed, plain))
    np.testing.assert_array_equal(a[:2], b[:2])  # danced already
    assert np.abs(a[32:] - b[32:]).max() > 0.1


@pytest.mark.slow
def test_reseeding_changes_letters_and_plan_from_the_next_letter_on() -> None:
    changed, plain = (Dancer(standins.pack(), 3, "house") for _ in range(2))
    for dancer in (changed, plain):
        dancer.step_to(5.0)
    changed.reseed(8)
    a, b = (dance(d, 200, start=5.0) for d in (changed, plain))
    steps = [(x["noise"] == y["noise"]).all() for x, y in zip(given(changed), given(plain), strict=True)]
    assert all(steps[: int(5.5 * STEPS_PER_BEAT)])
    assert not any(steps[int(5.5 * STEPS_PER_BEAT) :])
    plans = [[dances_of(i)[0] for i in given(d)] for d in (changed, plain)]
    assert plans[0] != plans[1]
    assert (a != b).any()
    again = Dancer(standins.pack(), 3, "house")
    again.step_to(5.0)
    again.reseed(8)
    np.testing.assert_array_equal(dance(again, 200, start=5.0), a)  # same calls, same dance


def test_temperature_can_be_changed_at_any_time() -> None:
    dancer = Dancer(standins.pack(), 3, temperature=0.3)
    dancer.step_to(2.0)
    dancer.temperature = 1.6
    dancer.step_to(4.0)
    told = [float(i["temperature"][0, 0]) for i in given(dancer, "choreographer")]
    assert told == pytest.approx([0.3] * 5 + [1.6] * 4)


def test_a_pack_without_dances_always_improvises() -> None:
    def choose(given: Inputs) -> dict[str, np.ndarray]:
        return {"letter_out": given["letter"], "state_out": given["state"]}

    choreographer = Network(choose, ("letter_out", "state_out"))
    dancer = Dancer(standins.pack(dances=(), choreographer=choreographer), 3)
    dance(dancer, 40)
    for inputs in (*given(dancer), *given(dancer, "choreographer")):
        assert inputs["dance"].shape == (1, 1)
        assert not inputs["dance"].any()
    with pytest.raises(UserError, match="lists all 0"):
        dancer.set_dance("jack")


# --- a troupe


def test_nobodys_dance_depends_on_how_many_dance_along() -> None:
    nine, one, three = (Dancer(standins.pack(), 3, "house", troupe=n) for n in (9, 1, 3))
    whole = dance(nine, 40)
    np.testing.assert_array_equal(dance(three, 40), whole[:, :3])
    np.testing.assert_array_equal(dance(one, 40), whole[:, :1])
    assert len({d for i in given(nine) for d in dances_of(i)[:1]}) > 1
    assert any(len(set(dances_of(i))) > 2 for i in given(nine))  # each has a plan of its own


@pytest.mark.parametrize("number", [0, 10, -1])
def test_a_troupe_has_one_to_nine(number: int) -> None:
    with pytest.raises(UserError, match="1 to 9"):
        Dancer(standins.pack(), 3, troupe=number)
    dancer = Dancer(standins.pack(), 3)
    with pytest.raises(UserError, match="1 to 9"):
        dancer.set_troupe(number)
    assert dancer.troupe == 1


def test_in_unison_all_are_told_what_the_first_is() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=5)
    dancer.step_to(6.0)
    apart = dancer.between(6.0)[0]
    assert np.abs(apart - apart[0]).max() > 0.2
    dancer.set_sync("unison")
    dance(dancer, 12, start=6.0)
    assert dancer.sync == "unison"
    for step, inputs in enumerate(given(dancer)):
        same = all((inputs[name] == inputs[name][:1]).all() for name in inputs if name not in ("latent", "state"))
        assert same == (step >= 6.5 * STEPS_PER_BEAT)
    together = dancer.between(18.0)[0]
    assert np.abs(together - together[0]).max() < 1e-3


def test_a_canon_repeats_the_first_two_beats_later_each() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=9)
    rng = np.random.default_rng(0)
    for beat in range(60):
        if beat == 20:
            dancer.set_sync("canon")
        if beat == 30:
            dancer.set_style("disco")
        if beat == 40:
            dancer.set_dance("hustle")
        dancer.step_to(float(beat), float(rng.random()))
    told = given(dancer)
    for step in range(21 * STEPS_PER_BEAT, len(told)):
        for who in range(9):
            before = told[step - 2 * who * STEPS_PER_BEAT]
            for name in ("letter", "next_letter", "place", "bar_phase", "energy", "style", "dance"):
                np.testing.assert_array_equal(told[step][name][who], before[name][0])
    assert any(len({float(e) for e in i["energy"][:, 0]}) > 3 for i in told)
    assert any(len(set(styles_of(i))) == 2 for i in told)


def test_a_canon_from_the_start_begins_together_and_comes_apart() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=3)
    dancer.set_sync("canon")
    dance(dancer, 12)
    told = given(dancer)
    for step, inputs in enumerate(told):
        for who in range(3):
            delay = 2 * who * STEPS_PER_BEAT
            leader = told[step - delay if step >= delay else step]
            assert inputs["letter"][who] == leader["letter"][0]
            np.testing.assert_array_equal(inputs["bar_phase"][who], leader["bar_phase"][0])


def test_back_to_each_its_own() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=4)
    plain = Dancer(standins.pack(), 3, "house", troupe=4)
    dance(plain, 30)
    for beat, sync in enumerate((*SYNCS, "each")):
        dancer.set_sync(sync)
        dance(dancer, 6, start=6.0 * beat)
    dance(dancer, 6, start=24.0)
    for own, mixed in zip(given(plain)[20 * STEPS_PER_BEAT :], given(dancer)[20 * STEPS_PER_BEAT :], strict=True):
        np.testing.assert_array_equal(own["letter"], mixed["letter"])  # they wrote on, unheard
    with pytest.raises(UserError, match="each, unison, canon"):
        dancer.set_sync("heap")


def test_those_who_stay_dance_on_and_make_room() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=2)
    plain = Dancer(standins.pack(), 3, "house", troupe=2)
    dance(plain, 40)
    rng = np.random.default_rng(1)
    number, shown, spans = 2, [], []
    for beat in range(40):
        now = beat + 5 / STEPS_PER_BEAT
        dancer.step_to(now)
        before = dancer.between(now)
        number = int(rng.integers(2, 10))
        dancer.set_troupe(number)
        after = dancer.between(now)
        assert dancer.troupe == number == len(dancer.danced) <= len(after[0])
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one[:2], other[:2])
        for k in range(STEPS_PER_BEAT):
            moment = now + k / STEPS_PER_BEAT
            dancer.step_to(moment)
            picture = dancer.picture(moment)
            assert picture.frames.shape == (len(picture.place), 1, 128, 128)
            assert number <= len(picture.place) <= MOST_DANCERS
            shown.append(picture.place[:2])
            spans.append(picture.span)
    for own, mixed in zip(given(plain), given(dancer), strict=False):
        np.testing.assert_array_equal(own["letter"], mixed["letter"][:2])
    steps = np.abs(np.diff(np.stack(shown), axis=0))
    farthest = (MOST_DANCERS - 1) / 2 * formation.SPACING
    pull = farthest / (formation.MOVE_BEATS * STEPS_PER_BEAT)
    assert steps.max() <= pull + (0.3 + formation.ROAM) / STEPS_PER_BEAT
    assert steps.max() > 0.01  # they did make room
    assert np.abs(np.diff(spans)).max() < 4 / (formation.MOVE_BEATS * STEPS_PER_BEAT)


@pytest.mark.parametrize("number", [1, 2, 5, 9])
def test_all_of_a_troupe_arrive_at_their_places_and_are_in_the_picture(number: int) -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=3)
    dancer.step_to(1.0)
    dancer.set_troupe(number)
    entering = dancer.between(1.0)[1][3:]
    assert len(entering) == max(0, number - 3)
    assert (entering > max(formation.WIDEST, span_of(number)) / 2 + 0.49).all()  # from beyond what any screen shows
    for beat in range(2, 27):
        dancer.step_to(float(beat))
    picture = dancer.picture(26.0)
    assert len(picture.place) == number
    homes = (np.arange(number) - (number - 1) / 2) * formation.SPACING
    reach = formation.ROAM if number == 1 else formation.TROUPE_ROAM
    assert (np.abs(picture.place - homes) < reach).all()
    assert picture.span == pytest.approx(span_of(number), rel=0.01)
    assert np.abs(homes).max() + 0.3 < picture.span / 2 + 0.01


SCREENS = {
    "widest": (3840, 1080),
    "cinema": (2560, 1080),
    "common": (1280, 720),
    "old": (800, 600),
    "tall": (720, 1280),
}


def in_the_picture(places: np.ndarray, size: tuple[int, int], span: float) -> np.ndarray:
    """Of whom (N,) something could be seen: whose frame lies in the window, or a part of it."""
    stage = find_layout(size, span)
    left = np.array([stage.left(float(place)) for place in places])
    return (left < size[0] - 1) & (left + stage.side > 1)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("old", "number"), [(9, 1), (9, 8), (4, 2), (2, 1)])
def test_those_who_leave_dance_on_until_nobody_sees_them(old: int, number: int, screen: str) -> None:
    size = SCREENS[screen]
    dancer = Dancer(standins.pack(), 3, "house", troupe=old)
    plain = Dancer(standins.pack(), 3, "house", troupe=old)
    if screen != "widest":  # which it takes it for if nobody says
        dancer.view = size[0] / size[1]
    for one in (dancer, plain):
        one.step_to(4.0)
    dancer.set_troupe(number)
    assert dancer.troupe == number
    gone: list[float] = []
    places, span = dancer.between(4.0)[1], dancer.picture(4.0).span
    assert len(places) == old
    assert in_the_picture(places, size, span).all()
    for k in range(1, 6 * STEPS_PER_BEAT):
        moment = 4 + k / STEPS_PER_BEAT
        dancer.step_to(moment)
        plain.step_to(moment)
        latent, place = dancer.between(moment)
        np.testing.assert_array_equal(latent, plain.between(moment)[0][: len(latent)])  # they dance on
        steps = place - places[: len(place)]
        assert np.abs(steps).max() < 0.1  # nobody leaps
        assert (np.diff(place) > 0).all()  # or goes through another
        assert not in_the_picture(places[len(place) :], size, span).any()  # where those who went were seen last
        gone += [k / STEPS_PER_BEAT] * (len(places) - len(place))
        places, span = place, dancer.picture(moment).span
    assert len(gone) == old - number
    assert max(gone) <= 4.5  # beats
    assert all(len(i["letter"]) == number for i in given(dancer)[-8:])


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("old", "number"), [(1, 2), (1, 9), (3, 4), (8, 9)])
def test_newcomers_slide_in_from_beyond_the_edge_of_the_picture(old: int, number: int, screen: str) -> None:
    size = SCREENS[screen]
    dancer = Dancer(standins.pack(), 3, "house", troupe=old)
    if screen != "widest":
        dancer.view = size[0] / size[1]
    dancer.step_to(4.0)
    dancer.set_troupe(number)
    seen = np.zeros(number, dtype=bool)
    seen[:old] = True
    places = dancer.between(4.0)[1]
    for k in range(12 * STEPS_PER_BEAT):
        moment = 4 + k / STEPS_PER_BEAT
        dancer.step_to(moment)
        picture = dancer.picture(moment)
        shown = in_the_picture(picture.place, size, picture.span)
        assert k or (shown == seen).all()  # none of them at first
        assert (shown | ~seen).all()  # and who is in, stays in
        assert np.abs(picture.place - places).max() < 0.25
        seen, places = shown, picture.place
    assert seen.all()


def test_who_is_on_the_way_out_turns_round_when_wanted_again() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=3)
    plain = Dancer(standins.pack(), 3, "house", troupe=3)
    for one in (dancer, plain):
        dance(one, 4)
    dancer.set_troupe(1)
    dance(dancer, 0.5, start=4.0)
    dancer.set_troupe(5)
    now = 4.5 - 1 / STEPS_PER_BEAT
    plain.step_to(now)
    latent, place = dancer.between(now)
    np.testing.assert_array_equal(latent[:3], plain.between(now)[0])
    assert (place[3:] > formation.WIDEST / 2 + 0.49).all()
    np.testing.assert_array_equal(dance(dancer, 20, start=now)[:, :3], dance(plain, 20, start=now))
    assert len(dancer.between(24.0)[0]) == 5


def test_travel_moves_everybody() -> None:
    dancer = Dancer(standins.pack(), 3, "house", troupe=2)
    places = []
    for k in range(8 * STEPS_PER_BEAT):
        dancer.step_to(k / STEPS_PER_BEAT)
        places.append(dancer.between(k / STEPS_PER_BEAT)[1])
    walk = np.ptp(np.stack(places), axis=0)
    assert (walk > 0.1).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_troupe_does_not_mind_in_which_portions_time_comes(seed: int) -> None:
    """Changes at the same moments, any strides between them."""
    rng = np.random.default_rng(seed)
    strides, steady = (Dancer(standins.pack(), seed, troupe=3) for _ in range(2))
    for beat in range(2, 60, 2):
        for dancer in (strides, steady):
            moments = (
                np.sort(rng.uniform(beat - 2, beat, 3)) if dancer is strides else np.arange(beat - 2, beat, 1 / 60)
            )
            for moment in (*moments, float(beat)):
                dancer.step_to(float(moment), 0.6)
            match beat // 2 % 5:
                case 0:
                    dancer.set_sync(SYNCS[beat // 10 % 3])
                case 1:
                    dancer.set_troupe(1 + beat % 9)
                case 2:
                    dancer.set_dance(DANCES[beat % len(DANCES)].name if beat % 4 else None)
                case 3:
                    dancer.reseed(beat)
                case _:
                    dancer.set_style(STYLES[beat % 3])
        for one, other in zip(strides.between(beat), steady.between(beat), strict=True):
            np.testing.assert_array_equal(one, other)
    assert strides.letters_written == steady.letters_written


# --- the watchdog


def frozen(given: Inputs) -> dict[str, np.ndarray]:
    """Stands still wherever it is, as long as the state says nothing else."""
    return {"latent_out": given["latent"], "state_out": given["state"], "travel": np.zeros_like(given["latent"][:, :1])}


def at_a_point(given: Inputs) -> dict[str, np.ndarray]:
    """Always the same pose, wherever it was put."""
    return {**frozen(given), "latent_out": np.full_like(given["latent"], 0.4)}


def drift(given: Inputs) -> dict[str, np.ndarray]:
    """A dance that goes farther and farther away from all that was learned."""
    made = standins.step(given)
    return {**made, "latent_out": given["latent"] * 1.02 + 0.3 * SPREAD}


def flee(given: Inputs) -> dict[str, np.ndarray]:
    return {**standins.step(given), "latent_out": given["latent"] * 40 + 1}


@pytest.mark.parametrize("network", [frozen, at_a_point, drift, flee])
@pytest.mark.parametrize("troupe", [1, 3])
def test_a_body_that_is_stuck_or_lost_is_led_to_a_seed(
    network: Any, troupe: int, caplog: pytest.LogCaptureFixture
) -> None:
    ill = Network(standins.step, OUTPUTS)
    pack = standins.pack(dancer=ill)
    dancer = Dancer(pack, 3, "disco", troupe=troupe)
    dance(dancer, 8)
    assert dancer.rescues == 0
    ill.make = network
    moments: list[tuple[np.ndarray, ...]] = []
    with caplog.at_level(logging.WARNING):
        while dancer.rescues < troupe or dancer._rescue.left.any():
            dancer._advance(0.5)
            rows, led = dancer._rows, dancer._rescue
            moments.append(tuple(a.copy() for a in (rows.latent, led.left, led.goal)))
            assert len(moments) < 24 * STEPS_PER_BEAT
    assert dancer.rescues == troupe
    assert "(1 times)" in caplog.text
    latent, left, goal = map(np.stack, zip(*moments, strict=True))
    of_style = [s for s in pack.seeds if s.style == STYLES.index("disco")]
    poses = np.stack([s.latent for s in of_style])
    for who in range(troupe):
        (begun,) = np.flatnonzero(np.diff(left[:, who]) > 0) + 1
        lasts = left[begun, who]
        assert rescue.RESCUE_STEPS <= lasts < rescue.RESCUE_STEPS + STEPS_PER_LETTER
        path = latent[begun : begun + lasts + 1, who]
        nearest = of_style[int(distances(path[:1], poses, SPREAD).argmin())]
        np.testing.assert_array_equal(goal[begun, who], nearest.latent)
        np.testing.assert_allclose(path[-1], nearest.latent, atol=1e-4)  # there in time
        steps = np.abs(np.diff(path, axis=0)).max(axis=0)
        assert (steps <= 1.6 / lasts * np.abs(path[-1] - path[0]) + 1e-4).all()  # and no leap on the way
    ill.make = standins.step
    count = dancer.rescues
    again = dance(dancer, 20, start=(dancer._step - 2) / STEPS_PER_BEAT)
    assert dancer.rescues == count  # well again: left alone
    assert np.abs(np.diff(again[-64:], axis=0)).max() > 0.05


def test_who_idles_is_urged_to_move_and_nobody_else() -> None:
    """The second of three hardly moves: only he is told of more energy, from a beat later on, until he moves again."""
    slow = [False]

    def idling(given: Inputs) -> dict[str, np.ndarray]:
        made = standins.step(given)
        if slow[0]:
            made["latent_out"][1] = given["latent"][1] + 2 * standins.pack().limits["still"] * SPREAD
        return made

    network = Network(idling, OUTPUTS)
    dancer = Dancer(standins.pack(dancer=network), 3, troupe=3)
    dance(dancer, 8, energy=0.1)

    def told(steps: int) -> np.ndarray:
        for _ in range(steps):
            dancer._advance(0.1)
        return np.stack([i["energy"][:, 0] for i in given(dancer)[-steps:]])

    assert (told(8) == np.float32(0.1)).all()
    slow[0] = True
    assert (told(STEPS_PER_BEAT // 2) == np.float32(0.1)).all()
    told(STEPS_PER_BEAT)
    later = told(2 * STEPS_PER_BEAT)
    assert (later[:, [0, 2]] == np.float32(0.1)).all()
    assert (later[:, 1] == np.float32(rescue.URGED)).all()
    slow[0] = False
    assert (told(3 * STEPS_PER_BEAT)[-8:] == np.float32(0.1)).all()
    assert dancer.rescues == 0
    slow[0] = True
    for _ in range(2 * STEPS_PER_BEAT):
        dancer._advance(0.9)
    assert (given(dancer)[-1]["energy"] == np.float32(0.9)).all()  # livelier already


@pytest.mark.parametrize("late", range(STEPS_PER_LETTER))
def test_the_seeds_letter_is_danced_when_the_body_has_arrived_at_the_seed(late: int) -> None:
    """Whole, from its beginning, wherever in a letter the body was lost."""
    ill = Network(standins.step, OUTPUTS)
    seeds = tuple(dataclasses.replace(s, letter=7 + s.style) for s in standins.SEEDS)
    choreographer = Network(
        lambda given: {"letter_out": given["letter"] % 3, "state_out": given["state"]}, ("letter_out", "state_out")
    )
    dancer = Dancer(standins.pack(dancer=ill, choreographer=choreographer, seeds=seeds), 3, "disco", troupe=2)
    while dancer._step < 64 + late:
        dancer._advance(0.5)
    ill.make = flee
    while dancer.rescues < 2:
        dancer._advance(0.5)
    ill.make = standins.step
    assert dancer._step == 64 + late + LOST_STEPS
    begun = len(given(dancer))
    while dancer._rescue.left.any():
        dancer._advance(0.5)
        assert len(given(dancer)) <= begun + rescue.RESCUE_STEPS + STEPS_PER_LETTER
    np.testing.assert_allclose(dancer._rows.latent, dancer._rescue.goal, atol=1e-4)
    arrived = len(given(dancer))
    for _ in range(STEPS_PER_LETTER + 1):
        dancer._advance(0.5)
    led, danced, after = given(dancer)[begun:arrived], given(dancer)[arrived:-1], given(dancer)[-1]
    assert all((i["letter"] < 3).all() for i in led)
    assert [i["next_letter"].tolist() for i in led[-STEPS_PER_LETTER + 1 :]] == [[8, 8]] * (STEPS_PER_LETTER - 1)
    assert [i["letter"].tolist() for i in danced] == [[8, 8]] * STEPS_PER_LETTER
    assert [float(i["place"][0, 0]) for i in danced] == [k / STEPS_PER_LETTER for k in range(STEPS_PER_LETTER)]
    assert after["letter"].tolist() == [8 % 3, 8 % 3]  # and the choreographer goes on from it


def test_who_joins_is_not_watched_for_what_one_who_left_has_done() -> None:
    """The third stands still, or is far out, for one step less than is allowed, and leaves. Then another comes."""
    watchdog = Watchdog(standins.pack(), 3)
    here = standins.SEEDS[0].latent
    there, far = (here + step * SPREAD for step in (np.float32(0.5), np.float32(1000)))

    def see(troupe: int, third: np.ndarray) -> list[bool]:
        """A step of two who dance, and of a third who stays where he is."""
        before = np.stack([here, there, third]).astype(np.float32)
        now = before[[1, 0, 2]]
        return watchdog.see(before[:troupe], now[:troupe]).tolist()

    for k in range(STILL_STEPS - 1):
        assert see(3, here if k < STILL_STEPS - LOST_STEPS else far) == [False] * 3
    watchdog.resize(2)
    assert see(2, here) == [False] * 2
    watchdog.resize(3)
    for _ in range(LOST_STEPS - 1):
        assert see(3, far) == [False] * 3
    assert see(3, far) == [False, False, True]
    watchdog.resize(2)
    watchdog.resize(3)
    for _ in range(STILL_STEPS - 1):
        assert see(3, here) == [False] * 3
    assert see(3, here) == [False, False, True]


def test_who_joins_after_one_who_stood_still_is_left_alone_for_as_long_as_anybody() -> None:
    def third(given: Inputs) -> dict[str, np.ndarray]:
        made = standins.step(given)
        made["latent_out"][2:] = given["latent"][2:]
        return made

    ill = Network(standins.step, OUTPUTS)
    dancer = Dancer(standins.pack(dancer=ill), 3, "house", troupe=3)
    dance(dancer, 4)
    ill.make = third
    dance(dancer, 0.75, start=4.0)
    dancer.set_troupe(2)
    while len(given(dancer)[-1]["letter"]) == 3:
        dancer._advance(0.5)
    assert dancer.rescues == 0
    dancer.set_troupe(3)
    for _ in range(STILL_STEPS - 1):
        dancer._advance(0.5)
        assert dancer.rescues == 0
    dancer._advance(0.5)
    assert dancer.rescues == 1
    assert (dancer._rescue.left > 0).tolist() == [False, False, True]


def test_only_the_one_who_is_stuck_is_led_on() -> None:
    def second(given: Inputs) -> dict[str, np.ndarray]:
        made = standins.step(given)
        if len(ill.given) > 64:
            made["latent_out"][1] = given["latent"][1]
        return made

    ill = Network(second, OUTPUTS)
    dancer = Dancer(standins.pack(dancer=ill), 3, "house", troupe=3)
    plain = Dancer(standins.pack(), 3, "house", troupe=3)
    led = np.zeros(3, dtype=bool)
    mixed = []
    for step in range(12 * STEPS_PER_BEAT):
        mixed.append(dance(dancer, 1 / STEPS_PER_BEAT, start=step / STEPS_PER_BEAT)[0])
        led |= dancer._rescue.left > 0
    own = dance(plain, 12)
    assert dancer.rescues == 1
    np.testing.assert_array_equal(np.stack(mixed)[:, [0, 2]], own[:, [0, 2]])
    assert led.tolist() == [False, True, False]


def test_a_pause_is_no_standstill_and_a_look_aside_is_not_lost() -> None:
    """Three beats of rest, and seven steps far out: both within what the watchdog allows."""

    def rest(given: Inputs) -> dict[str, np.ndarray]:
        made = standins.step(given)
        count = len(ill.given)
        if count % 128 < 48:
            made["latent_out"] = given["latent"]
        elif count % 128 < 55:
            made["latent_out"] = np.full_like(given["latent"], 100)
        elif count % 128 == 55:
            made["latent_out"] = np.zeros_like(given["latent"])
        return made

    ill = Network(rest, OUTPUTS)
    dancer = Dancer(standins.pack(dancer=ill, limits={"far": 20.0, "still": 0.01}), 3, "house")
    dance(dancer, 64)
    assert dancer.rescues == 0


@pytest.mark.slow
def test_a_healthy_dance_of_nine_is_never_disturbed() -> None:
    dancer = Dancer(standins.pack(), 5, troupe=9)
    for beat in range(600):
        dancer.step_to(float(beat), 0.5 + 0.5 * np.sin(beat / 10))
        if beat % 50 == 0:
            dancer.set_style(STYLES[beat // 50 % 3])
            dancer.set_sync(SYNCS[beat // 50 % 3])
    assert (dancer.rescues, dancer.restarts) == (0, 0)


@pytest.mark.slow
def test_endless_standstill_neither_stops_it_nor_floods_the_log(caplog: pytest.LogCaptureFixture) -> None:
    dancer = Dancer(standins.pack(dancer=Network(at_a_point, OUTPUTS)), 3)
    with caplog.at_level(logging.WARNING):
        path = dance(dancer, 400)
    assert np.isfinite(path).all()
    assert 400 * STEPS_PER_BEAT / (STILL_STEPS + 2 * rescue.RESCUE_STEPS) <= dancer.rescues <= 400 / 5
    assert 1 <= len(caplog.records) <= 8


def test_sizes_are_root_mean_squares_in_spreads() -> None:
    spread = np.array([1.0, 2.0, 4.0, 4.0])
    assert size(np.array([[3.0, 6, 12, 12], [0, 0, 0, 0]]), spread).tolist() == [3.0, 0.0]
    gaps = distances(np.array([[2.0, 0, 0, 0]]), np.array([[2.0, 0, 0, 0], [0, 0, 0, 0]]), spread)
    np.testing.assert_allclose(gaps, [[0, 1]], atol=1e-7)


def test_letters_written_are_those_of_the_first() -> None:
    dancer = Dancer(standins.pack(), 3, troupe=3)
    dance(dancer, 10)
    told = [int(i["letter"][0]) for i in given(dancer)[::8]]
    assert list(dancer.letters_written) == told
    assert all(0 <= letter < LETTERS for letter in told)


# --- what nobody wants to see, and what shall stay


@pytest.mark.slow
@pytest.mark.parametrize("troupe", [1, 3])
def test_banned_dances_never_come_but_by_name(troupe: int) -> None:
    dancer = Dancer(standins.pack(), 3, "disco", troupe)
    dance(dancer, 40)
    dancer.set_never(("hustle", "bump", "not of this pack"))
    dance(dancer, 2, 40.0)  # what was on gives way at once, with the next letter
    seen = set()
    for beat in range(42, 200):
        dance(dancer, 1, float(beat))
        seen |= set(dancer.danced)
    assert seen == {"point", None}
    dancer.set_troupe(troupe + 2)  # newcomers know it too
    dancer.reseed(9)
    for beat in range(200, 300):
        dance(dancer, 1, float(beat))
        assert not {"hustle", "bump"} & set(dancer.danced)
    dancer.set_dance("hustle")
    dance(dancer, 2, 300.0)
    assert set(dancer.danced) == {"hustle"}


def test_a_style_of_which_all_dances_are_banned_is_improvised() -> None:
    dancer = Dancer(standins.pack(), 3, "disco")
    dancer.set_never(("point", "hustle", "bump"))
    dance(dancer, 2)
    for beat in range(2, 60):
        dance(dancer, 1, float(beat))
        assert dancer.danced == (None,)


def test_who_is_held_goes_on_with_what_he_dances_until_asked() -> None:
    dancer = Dancer(standins.pack(), 3, "house", 4)
    dance(dancer, 41)
    dancer.set_held(True)
    dance(dancer, 1, 41.0)
    before = dancer.danced
    for beat in range(42, 120):
        dance(dancer, 1, float(beat))
        assert dancer.danced == before
    dancer.set_style("disco")
    dance(dancer, 2, 120.0)
    assert dancer.danced != before
    dancer.set_held(False)
    seen = set()
    for beat in range(122, 200):
        dance(dancer, 1, float(beat))
        seen.add(dancer.danced)
    assert len(seen) > 3
