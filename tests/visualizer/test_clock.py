"""Musical time: never backwards, never a jump, bent by at most 8%."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visualizer.music.clock import FASTEST, SLOWEST, STEER, MusicClock, fold

bpms = st.floats(80, 160)
gaps = st.floats(0.001, 3)


@given(st.floats(1, 2000))
def test_fold_lands_within_the_dance(bpm: float) -> None:
    factor = fold(bpm)
    assert SLOWEST <= bpm * factor <= FASTEST
    assert math.log2(factor) == round(math.log2(factor))


def test_fold_by_name() -> None:
    assert (fold(70), fold(180), fold(120), fold(80), fold(160)) == (2, 0.5, 1, 1, 1)


def test_fold_does_not_flap() -> None:
    factor = fold(81)
    for bpm in (79, 81, 78, 80):
        factor = fold(bpm, factor)
        assert factor == 1
    assert fold(70, factor) == 2


@pytest.mark.parametrize("bpm", [0, -3, math.nan, math.inf])
def test_no_such_tempo(bpm: float) -> None:
    with pytest.raises(ValueError, match="tempo"):
        fold(bpm)
    with pytest.raises(ValueError, match="tempo"):
        MusicClock(0, 120).report(1, 1, bpm)


@given(st.lists(st.tuples(gaps, st.floats(-50, 50), bpms, st.floats(-0.2, 0.2), st.booleans()), max_size=30))
def test_whatever_is_reported_time_runs_on_without_a_jump(steps: list[tuple[float, float, float, float, bool]]) -> None:
    clock, now, bpm = MusicClock(0.0, 120), 0.0, 120.0
    last = clock.musical_time(0.0)
    for gap, beat, new_bpm, delay, reported in steps:
        if reported:  # reports may be late, and are of this moment or of one nearby
            clock.report(now - delay, beat, new_bpm)
            bpm = new_bpm
        assert clock.musical_time(now) >= last
        start = clock.musical_time(now)
        ahead = max(clock._last_now - now, 0.0)  # a report from the future answers for it
        now += gap
        moved = clock.musical_time(now) - start
        passed = max(gap - ahead, 0.0)
        assert bpm / 60 * (1 - STEER) * passed - 1e-6 <= moved <= bpm / 60 * (1 + STEER) * passed + 1e-6
        last = clock.musical_time(now)


@given(st.floats(-2, 2), bpms)
def test_the_phase_is_mended_within_the_bar(offset: float, bpm: float) -> None:
    clock, rate = MusicClock(0.0, 120), bpm / 60
    for k in range(40 * 50):  # 40 s, 50 reports a second
        clock.report(k / 50, offset + rate * k / 50, bpm)
    now = 40.0
    error = math.remainder(clock.musical_time(now) - (offset + rate * now), 4)
    assert abs(error) < 0.02


def test_period_of_one_beat_takes_the_near_way() -> None:
    clock = MusicClock(0.0, 120)
    clock.report(0.0, 2.1, 120, period=1)
    assert clock.musical_time(10.0) == pytest.approx(20.1)


def test_runs_free_at_the_last_tempo() -> None:
    clock = MusicClock(0.0, 120)
    clock.report(1.0, 2.0, 90)
    start = clock.musical_time(1.0)
    assert clock.musical_time(61.0) - start == pytest.approx(90)


def test_the_past_is_answered_with_the_present() -> None:
    clock = MusicClock(0.0, 120)
    assert clock.musical_time(5.0) == clock.musical_time(4.0) == 10.0
