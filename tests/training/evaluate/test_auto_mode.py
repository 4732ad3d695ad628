"""The music of an evening, and a show that runs through it in auto mode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.evaluate.auto_mode import LEVELS, ORDER, compose_evening, dance_evening_by_itself, lag_behind
from training.evaluate.change_metrics import find_changes
from training.evaluate.studio import Studio, joints_network
from visualizer.dancer.pack import PHRASE_BEATS, STEPS_PER_BEAT, load_pack


def test_music_has_all_sections_in_their_order() -> None:
    music = compose_evening(8, 3)
    assert len(music) == len(music.heard) == 8 * 120 * STEPS_PER_BEAT
    begins = np.flatnonzero(np.diff(music.section, prepend=-1))
    assert (begins % (PHRASE_BEATS * STEPS_PER_BEAT) == 0).all()
    np.testing.assert_array_equal(music.section[begins][: len(ORDER)], range(len(ORDER)))
    assert set(music.level[music.section == ORDER.index("drop")]) == {LEVELS["drop"][0]}
    np.testing.assert_array_equal(music.level, compose_evening(8, 3).level)
    assert (compose_evening(8, 4).level != music.level).any()


def test_what_is_heard_comes_later() -> None:
    level = np.repeat([0.2, 0.8], 200)
    heard = lag_behind(level)
    assert heard[:200] == pytest.approx(np.full(200, 0.2))
    reached = int(np.argmax(heard > 0.5)) - 200
    assert 32 * 0.8 < reached < 32 * 3  # between 0.8 and 3 seconds
    assert heard[-1] < 0.8
    assert (np.diff(heard[200:]) > 0).all()


@pytest.mark.slow
def test_a_show_dances_by_itself(tiny_pack: Path) -> None:
    pack = load_pack(tiny_pack, "cpu")
    studio = Studio(pack, joints_network(pack))
    music = compose_evening(3, 1)
    evening = dance_evening_by_itself(studio, music, 1)
    steps = len(music)
    assert evening.danced.joints.shape == (steps, 21, 2)
    assert len(evening.style) == len(evening.dance) == steps
    changes = find_changes(evening.style, evening.dance)
    assert len(changes) > 2
    assert (changes % (STEPS_PER_BEAT // 2) == 0).all()  # with a letter
    named = evening.dance >= 0
    styles = np.array([d.style for d in pack.dances])
    np.testing.assert_array_equal(styles[evening.dance[named]], evening.style[named])
    again = dance_evening_by_itself(studio, music, 1)
    np.testing.assert_array_equal(again.danced.joints, evening.danced.joints)
    deaf = dance_evening_by_itself(studio, music, 1, lambda _: 0.5)
    assert (deaf.danced.joints != evening.danced.joints).any()
