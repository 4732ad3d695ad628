"""Backdrops and confetti: the same for the same moment, fitting every window, and lighting as much as they put out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.support.fakes import hearing, picture
from visualizer.dancer.formation import span_of
from visualizer.dancer.pack import FLOOR
from visualizer.moment import Bodies
from visualizer.stage.backdrop import BackdropCache
from visualizer.stage.backdrop_map import KINDS, SHEETS, TILES, make_index_map
from visualizer.stage.backdrop_palette import make_palette
from visualizer.stage.colours import luminance
from visualizer.stage.layout import find_layout
from visualizer.stage.looks import find_look, shipped_looks
from visualizer.stage.mood import Mood
from visualizer.stage.sprites import Sprites, hands_of


def mood_at(beat: float, level: float = 0.7) -> Mood:
    mood = Mood()
    mood.follow(hearing(level=level), beat)
    return mood


def test_the_looks_use_every_kind() -> None:
    assert {each.backdrop.kind for each in shipped_looks()} == set(KINDS)


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
@pytest.mark.parametrize("size", [(320, 240), (640, 270), (180, 320), (17, 11)])
def test_a_map_fits_every_window_and_is_always_the_same(each, size: tuple[int, int]) -> None:
    place = find_layout(size)
    numbers = make_index_map(each.backdrop, place)
    assert numbers.shape == (size[1], size[0])
    assert numbers.dtype == np.uint8
    assert (numbers == make_index_map(each.backdrop, place)).all()
    assert make_index_map(each.backdrop, place, 3).shape == (-(-size[1] // 3), -(-size[0] // 3))
    assert len(np.unique(numbers)) > 8 or each.backdrop.kind == "plain" or size == (17, 11)


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_a_rough_map_shows_the_same_scene(each) -> None:
    place = find_layout((480, 270))
    colours = make_palette(each.backdrop, mood_at(1.3))
    fine, rough = (colours[make_index_map(each.backdrop, place, step)] for step in (1, 3))
    shrunk = fine.reshape(90, 3, 160, 3, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - rough).mean() < 0.06
    if each.backdrop.kind in ("room", "sheets", "sunset", "curtain", "rays"):
        assert np.corrcoef(shrunk.ravel(), rough.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("name", ["flat", "disco", "confetti", "sunset", "limelight"])
def test_the_floor_stays_below_the_feet_when_more_is_seen(name: str) -> None:
    each = find_look(name)
    for size in ((640, 360), (360, 640)):
        for dancers in (1, 5):
            place = find_layout(size, span_of(dancers))
            numbers = make_index_map(each.backdrop, place).astype(int)
            line = place.top + each.backdrop.line * place.side
            first, last = int(line) - 1, int(line) + 1
            assert np.abs(numbers[first] - numbers[last]).mean() > 20  # wall and floor have numbers of their own
            assert line < place.top + FLOOR * place.side


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
def test_colours_move_without_a_jump(each) -> None:
    before = None
    for frame in range(600):
        beat = frame / 30
        now = make_palette(each.backdrop, mood_at(beat))
        assert now.shape == (256, 3)
        if before is not None:
            assert np.abs(now - before).max() < 0.12
        before = now


def test_a_live_show_gets_a_rough_map_at_once_and_the_full_one_later() -> None:
    each, place = find_look("cutout").backdrop, find_layout((640, 360))
    full = make_index_map(each, place)
    live, patient = BackdropCache(patient=False), BackdropCache(patient=True)
    step, rough = live.update(each, place) or (0, full)
    assert step == 3
    assert rough.shape == (120, 214)
    made, deadline = None, time.monotonic() + 30
    while made is None and time.monotonic() < deadline:
        made = live.update(each, place)
    assert made is not None
    assert made[0] == 1
    assert (made[1] == full).all()
    assert live.update(each, place) is None
    live.close()

    step, numbers = patient.update(each, place) or (0, rough)
    assert step == 1
    assert (numbers == full).all()
    for dancers in (4, 5, 6):  # while the view widens
        step, numbers = patient.update(each, find_layout((640, 360), span_of(dancers))) or (0, rough)
        assert step == 3
    after = [patient.update(each, find_layout((640, 360), span_of(6))) for _ in range(8)]
    (found,) = [each for each in after if each is not None]
    assert (found[1] == make_index_map(each, find_layout((640, 360), span_of(6)))).all()


def test_as_many_tiles_are_lit_on_each_beat() -> None:
    each = find_look("disco")
    numbers = make_index_map(each.backdrop, find_layout((320, 180)))
    floor = numbers[numbers < TILES]
    light = [luminance(make_palette(each.backdrop, mood_at(beat)))[floor].mean() for beat in np.arange(0, 32, 0.125)]
    assert max(light) < 3.0 * min(light)
    assert max(np.abs(np.diff(light))) < 0.06  # of the whole floor, in an eighth of a beat
    colours = [make_palette(each.backdrop, mood_at(beat + 0.7))[:TILES] for beat in range(32)]
    assert all(np.abs(a - b).max() > 0.3 for a, b in zip(colours[1:], colours, strict=False))  # others, each beat


def test_sheets_of_paper_lie_one_before_the_other() -> None:
    numbers = make_index_map(find_look("cutout").backdrop, find_layout((320, 180)))
    sheet = np.minimum(numbers // (256 // SHEETS), SHEETS - 1)
    assert set(np.unique(sheet)) == set(range(SHEETS))
    row = sheet[80, :160].astype(int)  # from the side inwards: one looks deeper and deeper
    assert row[0] > row[-1] == 0
    assert (np.diff(row) <= 0).all()


# --- confetti


def thrown(frames_a_beat: int, beats: float, level: float = 0.9) -> tuple[Sprites, float]:
    sprites, mood, spec = Sprites(), Mood(), find_look("confetti").confetti
    assert spec is not None
    for step in range(round(beats * frames_a_beat) + 1):
        beat = step / frames_a_beat
        mood.follow(hearing(level=level), beat)
        sprites.throw(picture(2.0), spec, mood, beat)
    return sprites, beats


def test_confetti_is_the_same_at_any_frame_rate() -> None:
    spec = find_look("confetti").confetti
    assert spec is not None
    seen = [sprites.draw(spec, beat) for sprites, beat in (thrown(8, 9.5), thrown(31, 9.5))]
    assert len(seen[0][0]) > 50
    assert seen[0][0] == pytest.approx(seen[1][0], abs=1e-9)
    assert (seen[0][1] == seen[1][1]).all()


def test_confetti_flies_from_the_hands_up_and_comes_down_to_the_floor() -> None:
    spec = find_look("confetti").confetti
    assert spec is not None
    sprites, _ = thrown(16, 4.0)
    start = sprites.draw(spec, 4.0)[0].mean(axis=1)
    hands = hands_of(picture(2.0)).reshape(-1, 2)
    fresh = start[-40:]
    assert np.abs(fresh[:, None] - hands[None]).sum(axis=2).min(axis=1).max() < 0.02
    assert sprites.draw(spec, 4.8)[0].mean(axis=1)[-40:, 1].mean() < fresh[:, 1].mean() - 0.03
    heights = [sprites.draw(spec, beat)[0].mean(axis=1)[-40:, 1] for beat in np.arange(4, 13, 0.05)]
    assert np.abs(np.diff(heights, axis=0)).max() < 0.06  # no jump, not when they land either
    assert np.percentile(heights[-1], 30) > FLOOR - 0.08
    assert max(heights[-1]) < FLOOR + 0.08
    places = np.array([sprites.draw(spec, beat)[0].mean(axis=1)[-40:] for beat in (12.0, 12.4)])
    assert (np.abs(places[1] - places[0]).max(axis=1) < 1e-6).mean() > 0.5  # who lies lies still


def test_confetti_is_swept_away_and_quiet_music_throws_none() -> None:
    spec = find_look("confetti").confetti
    assert spec is not None
    assert len(thrown(8, 12.0, level=0.1)[0].draw(spec, 12.0)[0]) == 0
    loud = [len(thrown(8, beats)[0].draw(spec, beats)[0]) for beats in (16.0, 48.0)]
    assert loud[1] < 1.5 * loud[0]


def test_hands_are_the_joints_where_they_are_known() -> None:
    one = picture(0.0, (0.25,))
    joints = np.full((1, 21, 2), 0.5, np.float32)
    joints[0, 8], joints[0, 12] = (0.7, 0.3), (0.2, 0.4)
    known = hands_of(Bodies(one.frames, joints, one.place))
    assert known[0] == pytest.approx(np.array([[0.45, 0.3], [-0.05, 0.4]]), abs=1e-6)
    guessed = hands_of(one)[0]
    assert guessed[0, 0] < 0.25 < guessed[1, 0]
    assert (guessed[:, 1] < 0.35).all()
