"""Where songs of a list lie: they overlap as long as was asked for, and bars go on across the seam."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.made_songs import make_heard
from visualizer.music.sources.timeline import SKIP_FADE, Timeline


def off_bar(timeline: Timeline) -> float:
    """Beats by which the bars of the last two songs miss each other where the last takes the lead."""
    before, after = timeline.segments[-2:]
    return math.remainder(before.musical_time(after.leads_from) - after.musical_time(after.leads_from), 4)


@given(st.floats(60, 200), st.floats(60, 200), st.floats(0, 0.9), st.floats(0.5, 12))
def test_the_bars_of_two_songs_meet_where_the_lead_changes(a: float, b: float, first: float, fade: float) -> None:
    timeline = Timeline(fade)
    timeline.append(0, make_heard("a", 60, a), 0.0)
    assert not timeline.is_due(10.0, 60)
    assert timeline.is_due(timeline.end - fade, 60)
    timeline.append(1, make_heard("b", 60, b, first), 30.0)
    before, after = timeline.segments
    assert abs(off_bar(timeline)) < 1e-6
    bar = 4 * 60 / min(before.pace(before.end), after.pace(after.begin))
    assert fade - 1e-6 <= before.end - after.begin <= fade + bar + 1e-6
    assert before.fade_out == after.fade_in == pytest.approx(before.end - after.begin)
    middle = after.begin + after.fade_in / 2
    assert timeline.find(middle - 0.01) == before
    assert timeline.find(middle + 0.01) == after


def test_without_a_crossfade_one_follows_the_other() -> None:
    timeline = Timeline(0.0)
    timeline.append(0, make_heard("a", 20), 0.0)
    timeline.append(1, make_heard("b", 20), 15.0)
    assert timeline.segments[1].begin == timeline.segments[0].end == 20
    assert timeline.segments[0].fade_out == timeline.segments[1].fade_in == 0


def test_a_song_that_comes_late_begins_as_soon_as_it_can() -> None:
    timeline = Timeline(4.0)
    timeline.append(0, make_heard("a", 20), 0.0)
    timeline.append(1, make_heard("b", 20), 23.0)
    assert 23 <= timeline.segments[1].begin < 25.1
    assert abs(off_bar(timeline)) < 1e-6
    assert timeline.find(19.0) == timeline.segments[0]
    assert timeline.find(21.0) == timeline.segments[1]  # counted in
    assert timeline.find(100.0) is None


def test_short_songs_overlap_by_half_at_most() -> None:
    timeline = Timeline(12.0)
    timeline.append(0, make_heard("a", 60), 0.0)
    timeline.append(1, make_heard("b", 6), 0.0)
    assert timeline.segments[1].begin >= 60 - 3 - 2.1


def test_a_jump_comes_at_the_next_bar_and_drops_what_was_to_come() -> None:
    timeline = Timeline(8.0)
    timeline.append(0, make_heard("a", 60), 0.0)
    timeline.append(1, make_heard("b", 60), 40.0)
    timeline.jump(4, make_heard("e", 60, 100), 20.0)
    assert [each.number for each in timeline.segments] == [0, 4]
    cut, new = timeline.segments
    assert 20 <= new.begin < 22.1
    assert abs(off_bar(timeline)) < 1e-6
    assert cut.end == pytest.approx(new.begin + SKIP_FADE)
    assert cut.fade_out == new.fade_in == SKIP_FADE
    for number in range(5, 40):  # somebody who likes the key
        timeline.jump(number, make_heard("f", 60), 20.0 + number)
        timeline.forget(20.0 + number - 60)
    assert len(timeline.segments) <= 40
    timeline.forget(1000)
    assert len(timeline.segments) == 1
