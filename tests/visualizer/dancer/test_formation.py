"""Room for everybody: places keep their gaps, stay in the picture and never leap; and a style for each dancer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import standins
from visualizer.dancer.dancer import Dancer
from visualizer.dancer.formation import (
    FARTHER,
    FLESH,
    LARGE,
    NEARER,
    SPACING,
    USUAL,
    Formation,
    Reach,
    RoomMaker,
    above,
    apart,
    span_of,
    stand,
)
from visualizer.dancer.pack import STEPS_PER_BEAT
from visualizer.errors import UserError
from visualizer.moment import FIGURE, Bodies
from visualizer.stage.layout import find_drawing_order, find_layout, find_spots

FLOATS = st.floats(-3, 3)


@given(st.lists(st.tuples(FLOATS, st.floats(0, 1)), min_size=1, max_size=9), st.data())
def test_apart_keeps_the_gaps_and_is_the_nearest_that_does(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    wanted, gaps = np.array([p for p, _ in pairs]), np.array([g for _, g in pairs[1:]])
    placed = apart(wanted, gaps)
    assert (np.diff(placed) >= gaps - 1e-9).all()
    other = np.cumsum([data.draw(FLOATS), *(g + data.draw(st.floats(0, 1)) for g in gaps)])
    assert np.square(placed - wanted).sum() <= np.square(other - wanted).sum() + 1e-9


def test_who_has_room_is_left_alone() -> None:
    wanted = np.array([-1.0, 0.1, 1.3])
    assert apart(wanted, np.array([0.5, 0.5])) == pytest.approx(wanted)


def reach(latent: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Joints as far out as the first two numbers of the latent say."""
    across = np.full((len(latent["latent"]), 21, 2), 0.5, np.float32)
    across[:, 0, 0] -= 0.1 * latent["latent"][:, 0]
    across[:, 1, 0] += 0.1 * latent["latent"][:, 1]
    return {"frame": np.zeros((len(across), 1, 128, 128), np.float32), "joints": across}


def test_reach_is_read_from_the_latent() -> None:
    pack = standins.pack(decoder=standins.Network(reach, ("frame", "joints")))
    latent = np.zeros((2, standins.SIZE), np.float32)
    latent[0, :2] = 2.0, 3.0
    left, right = Reach(pack).of(latent)
    assert left == pytest.approx([0.2 + FLESH, FLESH], abs=1e-4)
    assert right == pytest.approx([0.3 + FLESH, FLESH], abs=1e-4)


def test_bodies_without_joints_get_the_usual_room() -> None:
    only = standins.Network(lambda given: {"frame": np.zeros((1, 1, 128, 128))}, ("frame",))
    left, right = Reach(standins.pack(decoder=only)).of(np.zeros((3, standins.SIZE), np.float32))
    assert left.tolist() == right.tolist() == [USUAL] * 3


@pytest.fixture
def places() -> RoomMaker:
    made = RoomMaker(standins.pack(decoder=standins.Network(reach, ("frame", "joints"))))
    made.resize(3)
    return made


def poses(*reaches: tuple[float, float]) -> np.ndarray:
    latent = np.zeros((len(reaches), standins.SIZE), np.float32)
    latent[:, :2] = 10 * np.array(reaches)
    return latent


def test_two_who_walk_into_one_another_make_room_without_a_leap(places: RoomMaker) -> None:
    latent, before = poses((0.2, 0.2), (0.2, 0.2), (0.2, 0.2)), None
    for step in range(8 * STEPS_PER_BEAT):
        wanted = np.array([-0.6, 0.0, 0.6 - 0.5 * min(step / 64, 1)])
        placed = places.step(latent, wanted, 3, 2.0)
        if before is not None:
            assert np.abs(placed - before).max() < 0.04
        before = placed
    assert before is not None
    assert np.diff(before).min() > 0.38


def test_nobody_is_ever_cut_off(places: RoomMaker) -> None:
    chance = np.random.default_rng(5)
    for step in range(200):
        reaches = chance.uniform(0.05, 0.3, (3, 2))
        wanted = np.array([-0.9, 0.2, 0.9]) + np.sin(step / 10)
        placed = places.step(poses(*map(tuple, reaches)), np.clip(wanted, -1.19, 1.19), 3, 1.2)
        assert (placed - reaches[:, 0] >= -1.2 - 1e-6).all()
        assert (placed + reaches[:, 1] <= 1.2 + 1e-6).all()


def test_newcomers_on_their_way_in_are_not_pulled(places: RoomMaker) -> None:
    placed = places.step(poses((0.2, 0.2), (0.2, 0.2), (0.2, 0.2)), np.array([0.0, 0.6, 5.0]), 3, 2.0)
    assert placed[2] == pytest.approx(5.0)


def styles_told(dancer: Dancer) -> list[int]:
    """What the choreographer was told last, for each dancer."""
    return dancer.pack.choreographer.given[-1]["style"].argmax(axis=1).tolist()


def test_each_dancer_has_a_style_in_turn() -> None:
    dancer = Dancer(standins.pack(), 1, "house, disco", troupe=5)
    dancer.step_to(2.0)
    assert styles_told(dancer) == [0, 1, 0, 1, 0]
    assert dancer.style == "house"
    assert dancer.styles == ("house", "disco")
    dancer.set_styles(("free", "house", "disco"))
    dancer.set_troupe(7)
    dancer.step_to(4.0)
    assert styles_told(dancer) == [2, 0, 1, 2, 0, 1, 2]
    dancer.set_style("disco")
    dancer.step_to(6.0)
    assert styles_told(dancer) == [1] * 7


def test_each_dances_the_dances_of_its_style() -> None:
    dancer = Dancer(standins.pack(), 1, "house,disco,free", troupe=3)
    seen: list[set[str | None]] = [set(), set(), set()]
    for beat in range(1, 200):
        dancer.step_to(float(beat))
        for one, name in zip(seen, dancer.danced, strict=True):
            one.add(name)
    of = {d.name: standins.STYLES[d.style] for d in standins.DANCES}
    assert [{of[name] for name in one if name} for one in seen] == [{"house"}, {"disco"}, set()]


def test_in_unison_the_leaders_style_is_danced() -> None:
    dancer = Dancer(standins.pack(), 1, "disco,house", troupe=3)
    dancer.set_sync("unison")
    dancer.step_to(2.0)
    assert dancer.pack.dancer.given[-1]["style"].argmax(axis=1).tolist() == [1, 1, 1]


def test_styles_that_are_not_there_are_named() -> None:
    with pytest.raises(UserError, match="'polka'"):
        Dancer(standins.pack(), 1, "house,polka")
    with pytest.raises(UserError, match="a troupe needs a style"):
        Dancer(standins.pack(), 1).set_styles(())
    dancer = Dancer(standins.pack(), 1, dance="jack", troupe=2)
    dancer.set_styles(("house", "disco"))
    assert dancer.dance is None
    dancer.set_dance("jack")
    assert dancer.styles == ("house",)


def test_spans_hold_the_troupe() -> None:
    assert span_of(9) == pytest.approx(span_of(1) + 8 * SPACING)


@pytest.mark.parametrize("view", [9 / 16, 3 / 4, 4 / 3, 16 / 10, 16 / 9, 21 / 9])
@pytest.mark.parametrize("troupe", range(1, 10))
def test_a_troupe_stands_in_one_row_where_that_is_large_enough(troupe: int, view: float) -> None:
    stood = stand(troupe, view)
    assert len(stood.home) == len(stood.depth) == troupe
    assert (np.diff(stood.home) >= 0).all()
    assert (np.abs(stood.home) + FIGURE * FARTHER**stood.depth / 2 <= stood.span / 2 + 1e-6).all()
    if view / span_of(troupe) >= LARGE:
        assert not stood.depth.any()
        assert (stood.span, stood.rise) == (span_of(troupe), 0)
        return
    assert stood.deep >= (1 if troupe > 2 else 0)
    smallest = min(view / stood.span, 1 / (1 + above(stood.rise, stood.deep))) * FARTHER**stood.deep
    assert smallest > 1.1 * view / span_of(troupe)  # it was worth it
    for row in range(int(stood.deep) + 1):
        homes = stood.home[stood.depth == row]
        assert len(homes)
        assert np.diff(homes) == pytest.approx(SPACING * FARTHER**row, abs=1e-5)


def test_nine_stand_in_one_row_on_a_wide_screen_and_in_three_on_a_narrow_one() -> None:
    assert [stand(9, view).deep for view in (21 / 9, 16 / 9, 4 / 3, 9 / 16)] == [0, 0, 2, 2]


@pytest.mark.parametrize("size", [(450, 800), (800, 600)])
def test_in_rows_nobody_is_cut_off_and_who_comes_finds_a_row(size: tuple[int, int]) -> None:
    pack = standins.pack(decoder=standins.Network(reach, ("frame", "joints")))
    dancer = Dancer(pack, 2, troupe=5)
    dancer.view = size[0] / size[1]
    for beat in range(1, 40):
        if beat == 8:
            dancer.set_troupe(9)
        dancer.step_to(float(beat))
        seen = dancer.picture(float(beat))
        left, right = Reach(pack).of(dancer.between(float(beat))[0])
        where = find_layout(size, seen.span, seen.rise, seen.deep)
        if beat > 24:
            assert seen.depth is not None
            assert np.round(seen.depth) == pytest.approx(stand(9, dancer.view).depth)
        for k, spot in enumerate(find_spots(seen)):
            side, edge, top = where.box(spot)
            if abs(spot.place) < seen.span / 2:
                assert edge + (0.5 - left[k]) * side > -0.02 * side
                assert edge + (0.5 + right[k]) * side < size[0] + 0.02 * side
            assert top > -0.05 * side
            assert top + side <= size[1] + 1


def test_who_comes_near_is_larger_and_lower_and_drawn_last() -> None:
    frames = np.zeros((3, 1, 128, 128), np.float32)
    bodies = Bodies(frames, None, np.array([-0.5, 0.0, 0.5], np.float32), near=np.array([0.1, 0.0, -0.1], np.float32))
    near, still, far = find_spots(bodies)
    assert near.scale > still.scale == 1 > far.scale
    assert near.lift < still.lift == 0 < far.lift
    assert find_drawing_order(bodies) == [2, 1, 0]
    rows = replace(bodies, depth=np.array([1.0, 0.0, 0.0]), deep=1.0, rise=0.3)
    assert find_drawing_order(rows)[0] == 0  # a row behind is behind, however near
    assert find_spots(rows)[0].scale < 1


def test_travel_towards_the_viewer_is_kept_within_bounds_and_given_back() -> None:
    pack = standins.pack(decoder=standins.Network(reach, ("frame", "joints")))
    formation = Formation(pack, 2)
    latent = np.stack([pack.seeds[0].latent] * 2)
    assert (formation.near == 0).all()
    for _ in range(400):
        formation.step(latent, np.array([[0, 0.5], [0, -0.5]], np.float32))
    assert 0.15 < formation.near[0] <= NEARER
    assert -NEARER <= formation.near[1] < -0.15
    for _ in range(4000):
        formation.step(latent, np.zeros((2, 2), np.float32))
    assert np.abs(formation.near).max() < 0.01
