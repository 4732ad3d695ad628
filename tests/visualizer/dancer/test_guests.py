"""Guests take the place of members, and fade: from the dance into theirs and back, on bones that keep their lengths."""

from __future__ import annotations

import types

import numpy as np
import pytest

from tests.support.made_guests import whole_body, with_arms_up
from tests.support.made_space import made_space
from visualizer.dancer.bones import BONES, LENGTHS
from visualizer.dancer.guest_body import GuestBody, find_lift, mix_bodies
from visualizer.dancer.guests import ROAM, Guests
from visualizer.dancer.steps import Step


class Feed:
    def __init__(self, *guests: GuestBody) -> None:
        self.guests = guests

    def look(self) -> tuple[GuestBody, ...]:
        return self.guests


@pytest.fixture
def own() -> np.ndarray:
    return whole_body()


@pytest.fixture
def guest(own: np.ndarray) -> np.ndarray:
    return with_arms_up(own, "left", "right")


def stage(bodies: list[np.ndarray], depth: list[float] | None = None) -> Step:
    n, space = len(bodies), made_space()
    places = np.arange(n, dtype=np.float32) - (n - 1) / 2
    return Step(
        space.latents(np.stack(bodies).astype(np.float32)), places.astype(np.float32),
        np.array(depth or [0.0] * n), np.zeros(n, np.float32), np.zeros(3), np.zeros((n, 7), np.float32),
        np.zeros((n, 4), np.float32),
    )  # fmt: skip


def make_guests(feed: Feed | None, flat: bool = False) -> Guests:
    pack = types.SimpleNamespace(name="made", body=None if flat else made_space())
    made = Guests(pack)  # type: ignore[arg-type]
    made.feed = feed
    return made


def run(guests: Guests, step: Step, begin: float, end: float, troupe: int = 1) -> np.ndarray:
    """Joints (N, 21, 3) that are shown at `end`, pictures being made from `begin` on."""
    shown = step
    for beat in np.arange(begin, end + 1e-6, 1 / 32):
        shown = guests.mix(step, float(beat), 0.5, troupe)
    return made_space().joints(shown.latent)


def test_a_guest_is_there_after_a_beat_and_gone_a_beat_after_leaving(own: np.ndarray, guest: np.ndarray) -> None:
    feed = Feed(GuestBody(0, guest))
    guests, step = make_guests(feed), stage([own])
    half = run(guests, step, 0, 0.5)[0]
    assert guests.count == 1
    assert own[8, 1] + 0.1 < half[8, 1] < guest[8, 1] - 0.1  # a hand on its way up
    np.testing.assert_allclose(run(guests, step, 0.5, 1.2)[0], guest, atol=1e-3)
    feed.guests = ()
    assert guest[8, 1] - 0.05 < run(guests, step, 1.2, 1.3)[0][8, 1]  # nothing jumps
    np.testing.assert_allclose(run(guests, step, 1.3, 2.3)[0], own, atol=1e-3)
    assert guests.count == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_what_is_between_two_bodies_is_a_body(own: np.ndarray, guest: np.ndarray, share: float) -> None:
    raised = guest + np.array([0, 0.2, 0])
    mixed = mix_bodies(own, raised, share)
    np.testing.assert_allclose(np.linalg.norm(mixed[BONES[:, 1]] - mixed[BONES[:, 0]], axis=-1), LENGTHS, atol=1e-6)
    assert find_lift(mixed) == pytest.approx(find_lift(own) + share * (find_lift(raised) - find_lift(own)))


def test_legs_that_are_not_seen_are_the_dance_s_own(own: np.ndarray, guest: np.ndarray) -> None:
    kicking = guest.copy()
    kicking[[14, 15, 16]] += np.array([0, 0.3, 0.3])
    mixed = mix_bodies(own, kicking, 1.0, legs=0.0)
    np.testing.assert_allclose(mixed[13:] - mixed[0], own[13:] - own[0], atol=1e-6)
    assert mixed[8, 1] > own[8, 1] + 0.5


def test_guests_are_in_the_middle_of_the_front_each_on_one_side(own: np.ndarray, guest: np.ndarray) -> None:
    step = stage([own] * 5, [1.0, 0.0, 1.0, 0.0, 1.0])
    feed = Feed(GuestBody(0, guest, place=0.5), GuestBody(1, guest, place=-0.5))
    shown = run(make_guests(feed), step, 0, 2, troupe=5)
    np.testing.assert_allclose(shown[[1, 3]], [guest, guest], atol=1e-3)
    np.testing.assert_allclose(shown[[0, 2, 4]], [own] * 3, atol=1e-3)


def test_a_second_guest_needs_a_second_dancer(own: np.ndarray, guest: np.ndarray) -> None:
    guests = make_guests(Feed(GuestBody(0, guest), GuestBody(1, guest)))
    run(guests, stage([own]), 0, 2)
    assert guests.count == 1


def test_a_guest_alone_walks_where_they_walk_and_not_where_the_dance_would(own: np.ndarray, guest: np.ndarray) -> None:
    guests, step = make_guests(Feed(GuestBody(0, guest, place=0.25))), stage([own])
    run(guests, step, 0, 2)
    assert guests.mix(step, 2.1, 0.5, 1).place[0] == pytest.approx(0.1, abs=0.01)
    assert not guests.still(np.ones((1, 2), np.float32)).any()
    guests.feed = Feed(GuestBody(0, guest, place=9.0))
    run(guests, step, 2.1, 4)
    assert guests.mix(step, 4.1, 0.5, 1).place[0] == pytest.approx(ROAM)


def test_hair_and_clothes_follow_what_is_seen(own: np.ndarray, guest: np.ndarray) -> None:
    guests, step = make_guests(Feed(GuestBody(0, guest))), stage([own])
    run(guests, step, 0, 2)
    worn = made_space().joints(guests.wear(step.latent, np.zeros(1, np.float32)))
    np.testing.assert_allclose(worn[0], guest, atol=1e-3)


def test_flat_dancers_have_no_guests(own: np.ndarray, guest: np.ndarray) -> None:
    guests, step = make_guests(Feed(GuestBody(0, guest)), flat=True), stage([own])
    assert not guests.possible
    assert guests.mix(step, 1.0, 0.5, 1) is step


def test_all_repeat_what_the_guest_has_danced_eight_beats_before(own: np.ndarray, guest: np.ndarray) -> None:
    feed = Feed()
    guests, step = make_guests(feed), stage([own, own])

    def dance(begin: float, end: float) -> list[np.ndarray]:
        shown = []
        for beat in np.arange(begin, end, 1 / 32):
            feed.guests = (GuestBody(0, mix_bodies(own, guest, 0.5 + 0.5 * float(np.sin(np.pi * beat / 2)))),)
            shown.append(made_space().joints(guests.mix(step, float(beat), 0.5, 2).latent))
        return shown

    danced = dance(0, 12)
    guests.copycat.begin()
    repeated = dance(12, 20)
    for k in range(32, 220, 16):  # it has faded in, and not yet out
        np.testing.assert_allclose(repeated[k][0], danced[128 + k][0], atol=0.06)
        np.testing.assert_allclose(repeated[k][1], repeated[k][0], atol=1e-4)
    varied = dance(20, 28)
    np.testing.assert_allclose(varied[-20], [own, own], atol=1e-3)  # the network's own, while the guest watches
    assert guests.count == 0
    dance(28, 30)
    assert not guests.copycat.on
    assert guests.count == 1
