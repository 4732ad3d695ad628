"""Pictures made ahead on another thread: taken where they are right, waited for, and told of where they fail."""

from __future__ import annotations

import threading

import pytest

from tests.support import fakes
from visualizer.dancer.ahead import NEAR, Ahead
from visualizer.moment import Bodies

PATIENCE = 20.0  # seconds


class Dancers:
    """Who wait with each picture until they may."""

    def __init__(self) -> None:
        self.may, self.begun = threading.Event(), threading.Event()
        self.may.set()
        self.asked: list[tuple[str, float]] = []
        self.threads: set[str] = set()
        self.trouble: Exception | None = None

    def step_to(self, musical_time: float, energy: float) -> None:
        self.begun.set()
        self.threads.add(threading.current_thread().name)
        assert self.may.wait(PATIENCE)
        self.asked.append(("step", musical_time))
        self.asked.append(("energy", energy))

    def picture(self, musical_time: float) -> Bodies:
        self.asked.append(("picture", musical_time))
        if self.trouble:
            raise self.trouble
        return fakes.picture(musical_time)


def test_what_was_begun_is_taken_where_it_is_for_about_that_moment() -> None:
    dancers = Dancers()
    ahead = Ahead(dancers)
    assert ahead.take(4.0) is None
    for off, taken in ((0.0, True), (0.9 * NEAR, True), (-0.9 * NEAR, True), (1.1 * NEAR, False), (-1.1 * NEAR, False)):
        ahead.begin(4.0, 0.5)
        assert (ahead.take(4.0 + off) is not None) == taken
        assert ahead.take(4.0) is None  # once
    assert dancers.asked[:3] == [("step", 4.0), ("energy", 0.5), ("picture", 4.0)]
    assert threading.current_thread().name not in dancers.threads


def test_it_is_waited_for_and_nothing_runs_beside_it() -> None:
    dancers = Dancers()
    ahead = Ahead(dancers)
    dancers.may.clear()
    ahead.begin(1.0, 0.5)
    assert dancers.begun.wait(PATIENCE)
    assert dancers.asked == []
    threading.Timer(0.05, dancers.may.set).start()
    ahead.settle()
    assert dancers.asked[-1] == ("picture", 1.0)
    ahead.begin(2.0, 0.5)
    ahead.begin(3.0, 0.5)  # the other is over by then
    assert ahead.take(3.0) is not None
    assert [moment for what, moment in dancers.asked if what == "picture"] == [1.0, 2.0, 3.0]


def test_what_fails_is_raised_where_the_picture_is_taken() -> None:
    dancers = Dancers()
    ahead = Ahead(dancers)
    dancers.trouble = RuntimeError("no pose")
    ahead.begin(1.0, 0.5)
    ahead.settle()
    with pytest.raises(RuntimeError, match="no pose"):
        ahead.take(1.0)
    dancers.trouble = None
    ahead.begin(2.0, 0.5)
    assert ahead.take(2.0) is not None
