"""Musical time: never backwards, never a jump, bent by at most 8%."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.music.clock import FASTEST, LED_HOLDS, SLOWEST, STEER, MusicClock, fold

bpms = st.floats(80, 160)
gaps = st.floats(0.001, 3)


@settings(deadline=None)
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


@settings(deadline=None)
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


@settings(deadline=None)
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


@dataclass(frozen=True)
class Tune:
    """A steady tune, heard at time 0."""

    bpm: float
    beat: float = 0.0
    meter: int = 4
    bar_confidence: float = 0.0

    def at(self, time: float) -> Tune:
        return Tune(self.bpm, self.beat + self.bpm / 60 * time, self.meter, self.bar_confidence)


def dance_to(clock: MusicClock, tune: Tune, start: float, seconds: float) -> float:
    """Follow `tune` fifty times a second; the time at the end."""
    for k in range(round(seconds * 50)):
        now = start + k / 50
        clock.follow(now - 0.1, tune.at(now - 0.1))  # what is heard has sounded a tenth of a second before
        clock.musical_time(now)
    return start + seconds


def off(clock: MusicClock, now: float, wanted: float, period: float = 1.0) -> float:
    return abs(math.remainder(clock.musical_time(now) - wanted, period))


@settings(deadline=None)
@given(st.floats(0, 4), st.floats(55, 215), st.floats(0, 0.2))
def test_the_frame_is_ahead_by_the_lead(beat: float, bpm: float, lead: float) -> None:
    clock, tune = MusicClock(0.0, 120, lead=lead), Tune(bpm, beat)
    now = dance_to(clock, tune, 0.0, 10)
    factor = fold(bpm)
    assert clock.bpm == pytest.approx(bpm * factor)
    assert off(clock, now, tune.at(now + lead).beat * factor, min(factor, 1.0)) < 0.02


def test_a_new_lead_is_steered_in() -> None:
    clock, tune = MusicClock(0.0, 120), Tune(120)
    now = dance_to(clock, tune, 0.0, 5)
    clock.lead = 0.1
    assert clock.musical_time(now) == pytest.approx(2 * now, abs=0.02)  # no jump
    now = dance_to(clock, tune, now, 5)
    assert off(clock, now, 2 * (now + 0.1)) < 0.02


def test_the_bar_is_mended_only_after_it_has_stayed_where_it_is() -> None:
    clock = MusicClock(0.0, 120)
    now = dance_to(clock, Tune(120, 1.0, bar_confidence=0.9), 0.0, 5)
    assert off(clock, now, 2 * now, 4) < 0.02  # on the beat, one beat off the bar
    now = dance_to(clock, Tune(120, 1.0, bar_confidence=0.9), now, 15)
    assert off(clock, now, 2 * now + 1, 4) < 0.02


@pytest.mark.parametrize("place", [1.0, 2.0, 3.0])
def test_a_bar_that_is_two_beats_off_is_mended_to_the_end(place: float) -> None:
    clock, tune = MusicClock(0.0, 120), Tune(120, place, bar_confidence=0.9)
    now = dance_to(clock, tune, 0.0, 30)
    assert off(clock, now, tune.at(now).beat, 4) < 0.02


def test_a_waltz_and_a_bar_that_is_guessed_mend_only_the_beat() -> None:
    for tune in (Tune(120, 2.3, meter=3, bar_confidence=1.0), Tune(120, 2.3, bar_confidence=0.3)):
        clock = MusicClock(0.0, 120)
        now = dance_to(clock, tune, 0.0, 15)
        assert off(clock, now, tune.at(now).beat) < 0.02
        assert clock.musical_time(now) == pytest.approx(30, abs=0.5)  # the nearest beat was taken


def test_a_fast_bar_is_half_a_bar_of_the_dance() -> None:
    clock, tune = MusicClock(0.0, 90), Tune(180, 1.0, bar_confidence=0.9)
    now = dance_to(clock, tune, 0.0, 20)
    assert clock.bpm == pytest.approx(90)
    assert off(clock, now, tune.at(now).beat / 2, 2) < 0.02


def tap_along(clock: MusicClock, bpm: float, first: float, taps: int, left_out: int = -1) -> float:
    now = first
    for k in range(taps):
        if k != left_out:
            now = first + k * 60 / bpm
            clock.tap(now)
    return now


@settings(deadline=None)
@given(st.floats(81, 159), st.floats(0.5, 1.5), st.integers(4, 12), st.booleans())
def test_taps_set_tempo_and_phase(bpm: float, first: float, taps: int, hole: bool) -> None:
    clock = MusicClock(0.0, 120)
    last = tap_along(clock, bpm, first, taps, left_out=2 if hole and taps > 5 else -1)
    assert clock.bpm == pytest.approx(bpm)
    assert off(clock, last + 20, (20 * bpm / 60)) < 0.01


def test_one_tap_does_nothing_two_set_the_phase() -> None:
    clock = MusicClock(0.0, 120)
    clock.tap(0.2)
    assert clock.musical_time(3.0) == 6.0
    clock.tap(3.2)  # too long after the first: the first of others
    clock.tap(3.7)
    assert (clock.bpm, clock.tapped(3.8)) == (120, False)
    assert off(clock, 13.7, 0) < 0.01


def test_slow_taps_are_folded_into_the_dance() -> None:
    clock = MusicClock(0.0, 120)
    tap_along(clock, 70, 0.0, 5)
    assert clock.bpm == pytest.approx(140)


def test_for_a_while_taps_outdo_the_ear() -> None:
    clock = MusicClock(0.0, 120)
    last = tap_along(clock, 100, 0.0, 5)
    now = dance_to(clock, Tune(130), last, 10)
    assert clock.bpm == pytest.approx(100)  # the ear says something else
    now = dance_to(clock, Tune(50.5, (last % 1.2) / 1.2), now, 1)
    assert clock.bpm in (pytest.approx(100), pytest.approx(101))  # it agrees, one octave down
    assert clock.tapped(now)
    now = dance_to(clock, Tune(130), last + 31, 10)
    assert clock.bpm == pytest.approx(130)


@pytest.mark.parametrize(("bpm", "factor"), [(100, 0.5), (100, 2.0)])
def test_half_and_double_are_kept_through_reports(bpm: float, factor: float) -> None:
    clock, tune = MusicClock(0.0, 120), Tune(bpm, bar_confidence=0.9)
    now = dance_to(clock, tune, 0.0, 20)
    before = clock.musical_time(now)
    assert clock.scale(factor)
    assert clock.bpm == pytest.approx(bpm * factor)
    assert clock.musical_time(now) == before  # the pace changes, the place does not
    now = dance_to(clock, tune, now, 20)
    assert clock.bpm == pytest.approx(bpm * factor)
    assert off(clock, now, tune.at(now).beat * factor, min(factor, 1) * 4) < 0.02
    assert clock.scale(1 / factor)
    assert clock.bpm == pytest.approx(bpm)


def test_the_pace_has_bounds() -> None:
    clock = MusicClock(0.0, 80)
    assert clock.scale(0.5)
    assert not clock.scale(0.5)
    assert clock.bpm == 40


def test_a_nudge_stays() -> None:
    clock, tune = MusicClock(0.0, 120), Tune(120)
    now = dance_to(clock, tune, 0.0, 5)
    clock.nudge(0.1)
    assert clock.musical_time(now) == pytest.approx(2 * now, abs=0.02)  # no jump
    now = dance_to(clock, tune, now, 5)
    assert off(clock, now, 2 * now + 0.1) < 0.02
    clock.release()
    now = dance_to(clock, tune, now, 5)
    assert off(clock, now, 2 * now) < 0.02


def test_a_nudge_works_without_an_ear() -> None:
    clock = MusicClock(0.0, 120)
    clock.musical_time(1.0)
    clock.nudge(-0.1)
    assert clock.musical_time(10.0) == pytest.approx(19.9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("tsdnr"), st.floats(0.01, 1.0)), max_size=30))
def test_whatever_the_hand_does_time_never_runs_back_nor_jumps(keys: list[tuple[str, float]]) -> None:
    clock, now = MusicClock(0.0, 120), 0.0
    for key, gap in keys:
        before = clock.musical_time(now)
        if key == "t":
            clock.tap(now)
        elif key in "sd":
            clock.scale(2.0 if key == "d" else 0.5)
        elif key == "n":
            clock.nudge(gap - 0.5)
        else:
            clock.release()
        assert clock.musical_time(now) == before
        moved, rate = clock.musical_time(now + gap) - before, clock.bpm / 60
        assert (1 - STEER) * rate * gap - 1e-6 <= moved <= (1 + STEER) * rate * gap + 1e-6
        now += gap


def test_a_clock_from_outside_outdoes_what_is_heard() -> None:
    clock = MusicClock(0.0, 120.0)
    for beat in range(1, 9):
        clock.lead_by(beat * 60 / 125, 125.0, float(beat))
        clock.musical_time(beat * 60 / 125)
    now = 8 * 60 / 125
    assert clock.led(now)
    assert clock.bpm == pytest.approx(125)
    clock.report(now, 8.0, 125.0)
    assert clock.musical_time(now + 2) == pytest.approx(8 + 2 * 125 / 60, abs=0.05)
    assert not clock.led(now + LED_HOLDS)


def test_a_clock_without_a_place_gives_only_its_tempo() -> None:
    clock = MusicClock(0.0, 120.0)
    before = clock.musical_time(10.0)
    clock.lead_by(10.0, 70.0)  # danced at 140
    assert clock.bpm == pytest.approx(140)
    assert clock.musical_time(10.0) == before
    assert clock.musical_time(11.0) == pytest.approx(before + 140 / 60)
