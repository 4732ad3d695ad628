"""Guests out of landmarks: as a mirror shows them, on our bones, followed from picture to picture, with jumps."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.made_guests import SIZE, seen_as, whole_body, with_arms_up
from visualizer.camera.follower import Follower, Seen
from visualizer.camera.landmarker import Person
from visualizer.dancer.bones import BONES, INDEX, LENGTHS, mirror
from visualizer.dancer.guest_body import find_lift

PERIOD = 1 / 20


def follow(follower: Follower, *people: Person, begin: int = 0, times: int = 40) -> list[Seen]:
    seen: list[Seen] = []
    for k in range(begin, begin + times):
        seen = follower.push(list(people), SIZE, k * PERIOD)
    return seen


def test_a_guest_is_seen_as_in_a_mirror_on_our_bones() -> None:
    body = with_arms_up(whole_body(), "left")
    (seen,) = follow(Follower(), seen_as(body))
    shown = mirror(body)
    assert (
        seen.joints[INDEX["right_hand"], 1] > seen.joints[INDEX["head"], 1] - 0.2 > seen.joints[INDEX["left_hand"], 1]
    )
    off = (seen.joints - seen.joints[0]) - (shown - shown[0])
    assert np.abs(off[:, :2]).mean() < 0.04  # metres, sideways and in height
    lengths = np.linalg.norm(seen.joints[BONES[:, 1]] - seen.joints[BONES[:, 0]], axis=-1)
    np.testing.assert_allclose(lengths, LENGTHS, atol=1e-3)
    assert find_lift(seen.joints) == pytest.approx(0, abs=0.01)
    assert seen.legs > 0.9


def test_where_a_guest_stands_is_told_as_a_mirror_has_it() -> None:
    (left,), (right,) = (follow(Follower(), seen_as(whole_body(), right=x)) for x in (140.0, 500.0))
    assert left.place > 0.5
    assert right.place < -0.5


def test_a_jump_is_seen_and_a_step_nearer_is_none() -> None:
    follower, body = Follower(), whole_body()
    follow(follower, seen_as(body))
    (up,) = follow(follower, seen_as(body, up=0.4), begin=40, times=6)
    assert find_lift(up.joints) > 0.15
    (down,) = follow(follower, seen_as(body), begin=46)
    assert find_lift(down.joints) < 0.02
    (lower,) = follow(follower, seen_as(body, up=-0.1), begin=86)
    assert find_lift(lower.joints) == pytest.approx(0, abs=0.02)


def test_two_guests_stay_who_they_are_however_they_are_listed() -> None:
    follower, body = Follower(), whole_body()
    a, b = seen_as(with_arms_up(body, "left"), right=180.0), seen_as(body, right=460.0)
    first = follow(follower, a, b)
    second = follow(follower, b, a, begin=40)
    assert [each.slot for each in first] == [each.slot for each in second] == [0, 1]
    for before, after in zip(first, second, strict=True):
        np.testing.assert_allclose(after.joints, before.joints, atol=0.02)


def test_a_third_person_and_one_who_is_hardly_seen_are_no_guests() -> None:
    body = whole_body()
    people = [seen_as(body, right=x) for x in (120.0, 320.0, 520.0)]
    assert len(follow(Follower(), *people)) == 2
    assert follow(Follower(), seen_as(body, sure=0.2)) == []


def test_who_comes_back_after_a_while_is_somebody_new() -> None:
    follower = Follower()
    follow(follower, seen_as(whole_body()))
    follow(follower, begin=40, times=40)
    (back,) = follow(follower, seen_as(with_arms_up(whole_body(), "left"), right=500.0), begin=80, times=1)
    assert back.slot == 0
    assert not back.speed.any()  # it did not fly there


def test_legs_below_the_picture_are_guesses() -> None:
    (seen,) = follow(Follower(), seen_as(whole_body(), up=-0.5))
    assert seen.legs < 0.3
