"""Deadlines are whole periods apart, whatever drawing and sleeping take."""

from __future__ import annotations

import itertools

import pytest

from tests.support.live_fakes import FakeTime
from visualizer.pacing import Pacer


class Sleepy(FakeTime):
    """A clock whose sleep takes `over` seconds longer than it was asked to."""

    def __init__(self, over: float) -> None:
        super().__init__()
        self.over = over
        self.asked: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        super().sleep(seconds + self.over)


def show(time: FakeTime, works: list[float], period: float) -> list[float]:
    """When pictures that take so long to draw are shown."""
    pacer, shown = Pacer(time, time.sleep), []
    for k, work in enumerate(works):
        pacer.plan(period if k else 0.0)
        time.now += work
        pacer.wait()
        assert pacer.waited == pytest.approx(time.now - (shown[-1] if shown else 100.0) - work)
        shown.append(time.now)
    return shown


def gaps(shown: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(shown)]


def test_what_drawing_takes_is_not_seen() -> None:
    shown = show(FakeTime(), [0.004, 0.012, 0.001, 0.019, 0.007], 1 / 50)
    assert gaps(shown)[1:] == [pytest.approx(1 / 50)] * 3
    assert shown[0] == pytest.approx(100.004)  # the first is shown as soon as it is there


def test_after_a_late_picture_the_next_is_not_hurried() -> None:
    apart = gaps(show(FakeTime(), [0.0, 0.004, 0.004, 0.031, 0.004, 0.004], 1 / 50))
    assert apart == [pytest.approx(each) for each in (0.02, 0.02, 0.031, 0.02, 0.02)]


def test_a_picture_that_is_a_little_late_moves_no_deadline() -> None:
    apart = gaps(show(FakeTime(), [0.0, 0.004, 0.004, 0.023, 0.004, 0.004], 1 / 50))
    assert apart == [pytest.approx(each) for each in (0.02, 0.02, 0.023, 0.017, 0.02)]


def test_how_much_the_system_oversleeps_is_found_and_made_up_for() -> None:
    time = Sleepy(0.001)
    shown = show(time, [0.004] * 100, 1 / 50)
    late = [each - 100 - k / 50 for k, each in enumerate(shown)]
    assert late[1] == pytest.approx(0.001)
    assert late[-1] == pytest.approx(0, abs=1e-4)


def test_one_long_oversleep_is_no_property_of_the_system() -> None:
    time = Sleepy(0.5)
    pacer = Pacer(time, time.sleep)
    pacer.plan(1 / 50)
    pacer.wait()
    time.over = 0.0
    pacer.plan(1 / 50)
    pacer.wait()
    assert time.asked[1] == pytest.approx(1 / 50, abs=1e-3)


def test_without_a_period_nothing_waits() -> None:
    time = Sleepy(0.0)
    pacer = Pacer(time, time.sleep)
    for _ in range(3):
        pacer.plan(0.0)
        time.now += 0.01
        pacer.wait()
        assert pacer.is_over
    assert time.asked == []
