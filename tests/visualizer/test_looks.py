"""Looks: every shipped file loads, ramps are sane, motion is smooth, broken files are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.visualizer.fakes import hearing
from visualizer.errors import UserError
from visualizer.stage import looks
from visualizer.stage.looks import LOOKS, SURE, lights, load_look, look, turn_hue
from visualizer.stage.mood import STIFFNESS, Mood, spring


def test_every_file_in_the_folder_is_a_look() -> None:
    files = {path.stem for path in Path(looks.__file__).parent.glob("*.toml")}
    assert {each.name for each in LOOKS} == files
    assert {"paper", "neon"} <= files
    assert LOOKS[0].name == "paper"


def test_an_unknown_look_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError, match=r"'sepia'.*paper.*neon"):
        look("sepia")


@pytest.mark.parametrize(
    "text", ["", "title = 3 =", 'title = "x"\n[figure]\nstops = [{at = "far"}]', 'title = "x"\nfigure = 3']
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"odd\.toml"):
        load_look(path)


@pytest.mark.parametrize("each", LOOKS, ids=lambda each: each.name)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_ramps_are_colours(each, level: float) -> None:
    mood = Mood()
    for beat in np.arange(0, 64, 3.3):
        mood.follow(hearing(level=level), beat)
        light = lights(each, mood, 720)
        assert light.figure.shape == (256, 4)
        assert light.haze.shape == (256, 3)
        for ramp in (light.figure, light.haze):
            assert ramp.min() >= 0
            assert ramp.max() <= 1
        assert 0 < light.reach <= SURE


def test_paper_is_black_inside_and_white_outside() -> None:
    light = lights(look("paper"), Mood(), 720)
    assert (light.figure[0, :3] > 0.95).all()
    assert (light.figure[-1, :3] < 0.05).all()
    middle = light.figure[127:129, 0].mean()
    assert middle == pytest.approx((light.figure[0, 0] + light.figure[-1, 0]) / 2, abs=0.02)
    assert (np.diff(light.figure[:, 0]) <= 1e-6).all()


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
