"""Looks: every shipped file loads, ramps are sane, motion is smooth, broken files are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import hearing
from visualizer.errors import UserError
from visualizer.stage.colours import luminance, turn_hue, wander
from visualizer.stage.looks import FOLDER, SURE, LookStore, find_look, load_look, make_color_tables, shipped_looks
from visualizer.stage.looks.live import PAUSE, Reloader
from visualizer.stage.mood import STIFFNESS, Mood, spring


def test_every_file_in_the_folder_is_a_look() -> None:
    files = {path.stem for path in FOLDER.glob("*.toml")}
    assert {each.name for each in shipped_looks()} == files
    assert {"paper", "neon"} <= files
    assert shipped_looks()[0].name == "paper"


def test_an_unknown_look_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"'sepia'.*paper.*neon"):
        find_look("sepia")


GOOD = """title = "Odd"
[backdrop]
stops = ["#102030"]
[figure]
stops = [{ at = 0.0, colour = "#ffffff" }, { at = 0.01, colour = "#ffffff", cover = 0 }]
[effects]
stops = ["#000000", "#ffffff"]
glow = 0.5
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (GOOD, "", r"'title' is missing"),
        ('"Odd"', "3 =", r"line 1"),
        ('"Odd"', "3", r"line 1: title must be a text, not 3"),
        ("[figure]", "[figur]", r"line 4: 'figur' is not known here; there are title, figure"),
        ("[backdrop]\n", "[backdrop]\nkind = 'moon'\n", r"line 3: kind 'moon' is none of plain, room"),
        ("#102030", "102030", r"line 3: stops: '102030' is no colour"),
        ("[figure]", "[inside]\nseams = true\n[figure]", r"line 5: seams must be a number, not True"),
        (
            "[figure]",
            "[inside.first]\nof = 'moon'\nstops = ['#ffffff']\n[figure]",
            r"line 5: .* of 'moon' is none of lamp",
        ),
        ("[figure]", "[inside.first]\nof = 'dots'\nstops = ['#ffffff']\n[figure]", r"can only be the second"),
        (
            "[figure]",
            "[inside]\ncolours = ['#ffffff', '#ffffff']\n[figure]",
            r"colours: one for all, or one for each of skin",
        ),
        ("[figure]", "[inside]\noutline = [{ at = 0.5, colour = '#ffffff' }]\n[figure]", r"outline reaches to 0.5"),
        (
            "[figure]",
            "[inside.first]\nof = 'lamp'\nblend = 'glue'\nstops = ['#ffffff']\n[figure]",
            r"blend 'glue' is none",
        ),
        ("#102030", "#10203g", r"line 3: stops: '#10203g' is no colour"),
        ("glow = 0.5", "glow = 'much'", r"line 8: glow must be a number, not 'much'"),
        ("glow = 0.5", "glow = nan", r"line 8: glow must be a number, not nan"),
        ("glow = 0.5", "glwo = 0.5", r"line 8: \[effects\] has no 'glwo'; it knows stops, .*glow"),
        ("glow = 0.5", "rows = 0", r"line 8: rows must be a whole number from 1 to 1024, not 0"),
        ("cover = 0 ", "covers = 0 ", r"line 5: stops: a stop has at, colour, cover and light, but no 'covers'"),
        ("at = 0.01,", "at = -0.01,", r"stops must rise"),
        ("at = 0.01,", "at = 0.1,", r"line 4: figure stops reach to 0.1; the outline is known only within"),
        ("at = 0.01, ", "", r"stop 2 lacks at"),
        ('[effects]\nstops = ["#000000", "#ffffff"]', "[effects]", r"line 6: \[effects\] lacks 'stops'"),
    ],
)
def test_a_broken_file_is_named_with_the_line_and_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "odd.toml"
    assert old in GOOD
    path.write_text(GOOD)
    assert load_look(path).effects is not None
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(UserError, match=rf"odd\.toml.*{said}"):
        load_look(path)


@pytest.mark.parametrize("each", shipped_looks(), ids=lambda each: each.name)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_ramps_are_colours(each, level: float) -> None:
    mood = Mood()
    for beat in np.arange(0, 64, 3.3):
        mood.follow(hearing(level=level), beat)
        light = make_color_tables(each, mood, 720)
        assert light.figure.shape == (256, 4)
        assert light.effects.shape == (256, 4)
        assert light.palette.shape == (256, 3)
        for ramp in (light.figure, light.effects, light.palette):
            assert ramp.min() >= 0
            assert ramp.max() <= 1
        assert 0 < light.reach <= SURE


def test_paper_is_black_inside_and_white_outside() -> None:
    light = make_color_tables(find_look("paper"), Mood(), 720)
    assert (light.palette[0] > 0.95).all()
    assert (light.figure[-1, :3] < 0.05).all()
    assert (light.figure[[0, -1], 3] == (0, 1)).all()
    assert light.figure[127:129, 3].mean() == pytest.approx(0.5, abs=0.02)
    assert (np.diff(light.figure[:, 3]) >= -1e-6).all()


def test_a_hue_that_wanders_keeps_its_lightness() -> None:
    colours = np.array([[0.6, 0.3, 0.2], [0.2, 0.4, 0.5], [0.4, 0.4, 0.4]])
    for degrees in range(0, 360, 30):
        assert luminance(wander(colours, degrees)) == pytest.approx(luminance(colours), abs=0.035)
    assert wander(colours, 360) == pytest.approx(colours, abs=1e-6)
    assert wander(colours[2:], 77) == pytest.approx(colours[2:], abs=1e-6)
    assert np.abs(wander(colours[:1], 120) - colours[:1]).max() > 0.1


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(-720, 720))
def test_turning_the_hue_keeps_greys_and_brightness(rgb: list[float], degrees: float) -> None:
    grey = np.full(3, rgb[0])
    assert turn_hue(grey, degrees) == pytest.approx(grey, abs=1e-9)
    turned = turn_hue(np.array(rgb), degrees)
    assert turned.sum() >= sum(rgb) - 1e-9  # cutting negative values can only add
    assert turn_hue(np.array(rgb), 360) == pytest.approx(rgb, abs=1e-9)


@given(st.floats(0.001, 0.5), st.integers(2, 50))
def test_a_spring_does_not_depend_on_the_frame_rate(seconds: float, parts: int) -> None:
    target = np.ones(1)
    once, _ = spring(np.zeros(1), np.zeros(1), target, seconds)
    value, speed = np.zeros(1), np.zeros(1)
    for _ in range(parts):
        value, speed = spring(value, speed, target, seconds / parts)
    assert value == pytest.approx(once, abs=1e-9)
    assert 0 < value[0] < 1  # no overshoot


def test_a_jump_in_loudness_is_followed_without_a_jump() -> None:
    mood, seen = Mood(), []
    for frame in range(120):
        mood.follow(hearing(level=0.0 if frame < 30 else 1.0), frame / 30)
        seen.append(mood.loudness)
    assert max(np.diff(seen)) < 0.1  # a raw value would jump by 1
    assert abs(np.diff(seen, 2)).max() < 0.07  # nor does its speed
    assert seen[-1] > 0.99
    assert STIFFNESS > 0


def test_the_pulse_is_highest_on_the_beat() -> None:
    mood = Mood()
    pulses = []
    for beat in (8.0, 8.25, 8.5, 8.75, 9.0):
        mood.follow(hearing(), beat)
        pulses.append(mood.pulse)
    assert pulses[0] > pulses[1] > pulses[2]
    assert pulses[2] == pytest.approx(0, abs=1e-6)
    assert pulses[4] == pytest.approx(pulses[0], rel=1e-6)


def test_the_first_of_the_bar_is_struck_hardest_and_each_beat_once() -> None:
    mood, struck = Mood(), []
    for frame in range(241):
        mood.follow(hearing(level=0.8), frame / 30)
        struck += mood.beat_hits
    assert [beat for beat, _ in struck] == list(range(1, 9))
    strength = dict(struck)
    assert strength[4] > strength[2] > strength[1] > 0.2
    mood.follow(hearing(level=0.8), 500.0)
    assert len(mood.beat_hits) == 4  # a stall is not made up for


def test_looks_that_change_on_disk_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(GOOD)
    old = load_look(path)
    store = LookStore([*shipped_looks(), old])
    reloader = Reloader(store, tmp_path)
    assert reloader.poll(0.0) == []

    path.write_text(GOOD.replace('"Odd"', '"Even odder"'))
    assert reloader.poll(PAUSE / 2) == []  # not yet: it does not look all the time
    assert reloader.poll(PAUSE) == ["look odd: read again"]
    assert store.find("odd").title == "Even odder"
    assert store.find("odd") is not old
    assert reloader.poll(9.0) == []

    path.write_text(GOOD.replace("glow = 0.5", "glow = 'much'"))
    (said,) = reloader.poll(10.0)
    assert said == "look odd.toml, line 8: glow must be a number, not 'much'"
    assert store.find("odd").title == "Even odder"  # the last good one stays

    path.with_suffix(".glsl").write_text("vec3 finish(vec3 colour, vec2 stage) { return colour; }")
    path.write_text(GOOD)
    assert reloader.poll(11.0) == ["look odd: read again"]
    assert store.find("odd").glsl is not None

    (tmp_path / "fresh.toml").write_text(GOOD)
    path.unlink()
    assert reloader.poll(12.0) == ["look fresh: new"]
    assert store.find("fresh").title == "Odd"
    assert store.find("odd").name == "odd"
    assert store.names == (*(each.name for each in shipped_looks()), "odd", "fresh")
    assert list(LookStore()) == list(shipped_looks())  # what changes in one store changes in no other


def test_a_look_with_the_earlier_name_of_its_effects_is_read(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text(GOOD)
    (tmp_path / "old.toml").write_text(GOOD.replace("[effects]", "[haze]"))
    now, then = load_look(tmp_path / "odd.toml").effects, load_look(tmp_path / "old.toml").effects
    assert now is not None
    assert then is not None
    assert then.glow == now.glow == 0.5
