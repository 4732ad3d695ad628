"""Which of several people is the dancer: the largest, the left or right one, who stands in a box; no passers-by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from training.data.footage.figure import KEPT, NO_FIGURE, OTHER
from training.data.footage.found import Found, Sights
from training.data.footage.people import check_who, choose, follow_people
from visualizer.errors import UserError

Place = tuple[float, float]  # middle, height
RATE = 10.0


def seen(pictures: Sequence[Sequence[Place]], cuts: Sequence[int] = ()) -> Sights:
    """People at these places in each picture, whose feet are at 200."""
    rows = [(n, place) for n, places in enumerate(pictures) for place in (places or [(0.0, 0.0)])]
    boxes = np.array([(x - h / 5, 200 - h, 2 * h / 5, h) for _, (x, h) in rows], np.int32)
    cut = np.zeros(len(pictures), np.bool_)
    cut[list(cuts)] = True
    return Sights(
        np.arange(len(pictures)) / RATE, cut, np.zeros(len(pictures), np.float32),
        np.array([n for n, _ in rows], np.int64),
        np.array([KEPT if h else NO_FIGURE for _, (_, h) in rows], np.uint8), boxes,
        np.array([x for _, (x, _) in rows], np.float32), np.array([200 - h for _, (_, h) in rows], np.float32),
        np.zeros((0, 33, 6), np.float32),
    )  # fmt: skip


def hips(found: Found) -> list[float | None]:
    return [float(h) if v == KEPT else None for h, v in zip(found.hips, found.verdicts, strict=True)]


def test_the_order_in_which_people_are_seen_does_not_matter() -> None:
    pictures = [[(50.0, 100.0), (150.0, 120.0)][:: 1 if n % 3 else -1] for n in range(30)]
    assert hips(choose(seen(pictures), "largest")) == [150.0] * 30
    assert hips(choose(seen(pictures), "left")) == [50.0] * 30
    assert hips(choose(seen(pictures), "right")) == [150.0] * 30


def test_dancers_who_change_places_stay_who_they_are() -> None:
    way = np.linspace(0, 100, 60)
    pictures = [[(50.0 + x, 110.0), (150.0 - x, 90.0)] for x in way]
    found = choose(seen(pictures[:20] + pictures), "largest")
    assert len([h for h in hips(found) if h is not None]) == 80
    assert found.hips[-1] == pytest.approx(150, abs=1)


def test_somebody_who_walks_through_is_left_out() -> None:
    walk = [(200.0 - 8 * n, 100.0) for n in range(20)]
    pictures: list[list[Place]] = [[(100.0, 100.0)] for _ in range(100)]
    for n, place in enumerate(walk):
        pictures[40 + n].insert(n % 2, place)
    found = choose(seen(pictures), "largest")
    assert hips(found) == [100.0] * 100


def test_somebody_far_behind_is_nobody() -> None:
    pictures: list[list[Place]] = [[(100.0, 120.0), (30.0, 50.0)] for _ in range(30)]
    pictures += [[(30.0, 50.0)] for _ in range(30)]
    found = choose(seen(pictures), "largest")
    assert hips(found) == [100.0] * 30 + [None] * 30
    assert (found.verdicts[30:] == OTHER).all()


def test_a_box_chooses_who_is_first_seen_in_it() -> None:
    pictures = [[(50.0 + n, 100.0), (150.0, 120.0)] for n in range(30)]
    assert hips(choose(seen(pictures), "40x200+30+0")) == [50.0 + n for n in range(30)]
    with pytest.raises(UserError, match="no dancer is first seen in that box"):
        choose(seen(pictures), "20x20+0+0")


def test_after_a_cut_they_are_new_people() -> None:
    pictures = [[(50.0, 100.0)]] * 15 + [[(50.0, 100.0)]] * 15
    assert len(follow_people(seen(pictures))) == 1
    assert len(follow_people(seen(pictures, [15]))) == 2


def test_one_dancer_has_no_left_one() -> None:
    with pytest.raises(UserError, match="nowhere are two dancers seen side by side"):
        choose(seen([[(50.0, 100.0)]] * 30), "left")


def test_nobody_at_all() -> None:
    assert hips(choose(seen([[]] * 5), "largest")) == [None] * 5


def test_who_must_be_somebody() -> None:
    for who in ("largest", "left", "right", "both", "100x200+3+4"):
        check_who(who)
    with pytest.raises(UserError, match="who 'me': must be largest, left, right, both or WIDTHxHEIGHT"):
        check_who("me")


def test_the_middle_is_that_of_the_hips_where_they_are_known() -> None:
    """A mask leans to the side of a bag; where no body is known, its own middle is taken."""
    sights = seen([[(100.0, 120.0)] for _ in range(20)])
    bodies = np.full((20, 33, 6), np.nan, np.float32)
    bodies[:10, :, 0] = 93.0
    found = choose(replace(sights, bodies=bodies), "largest")
    assert found.hips.tolist() == [93.0] * 10 + [100.0] * 10
    assert found.bodies is not None
