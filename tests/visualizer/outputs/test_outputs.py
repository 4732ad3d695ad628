"""Pictures on their way out: the thread that draws never waits, what is too much is dropped, failures are said once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from bench.waiting import wait_for
from tests.support.fakes import hearing, picture
from visualizer.moment import Moment, Text
from visualizer.outputs.mailbox import ROOM, Mailbox
from visualizer.outputs.outputs import Outputs
from visualizer.outputs.sender import Format, OutputError, Picture
from visualizer.stage.looks import find_look
from visualizer.stage.shots import Shot

SIZE = (64, 48)
PATIENCE = 20.0
FORM = Format(SIZE, Fraction(30))


class Kept:
    """A sender that keeps what it is given, and waits where a test says so."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.got: list[Picture] = []
        self.opened, self.closed, self.at_work = (threading.Event() for _ in range(3))
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._fails = fails

    def open(self) -> str:
        self.opened.set()
        return "a test"

    def send(self, picture: Picture) -> None:
        self.at_work.set()
        assert self.may_go_on.wait(PATIENCE)
        if self._fails:
            raise self._fails
        self.got.append(picture)

    def interrupt(self) -> None:
        self.may_go_on.set()

    def close(self) -> None:
        self.closed.set()


@contextmanager
def opened(form: Format, **senders: Kept) -> Iterator[tuple[Outputs, list[str]]]:
    said: list[str] = []
    outputs = Outputs(form, senders, lambda text, *_: said.append(text))
    try:
        yield outputs, said
    finally:
        outputs.close()


def grey(time: float, level: int, size: tuple[int, int] = SIZE) -> Shot:
    return Shot(time, np.full((size[1], size[0], 4), level, np.uint8))


def test_each_picture_goes_to_each_output_once() -> None:
    one, two = Kept(), Kept()
    with opened(FORM, one=one, two=two) as (outputs, said):
        for k in range(3):
            assert outputs.due(5 + k / 30)
            outputs.offer(grey(5 + k / 30, 40 + k), 0.0)
            assert not outputs.due(5 + k / 30 + 0.01)  # too soon for 30 a second
            outputs.offer(grey(5 + k / 30 + 0.01, 99), 0.0)
            wait_for(lambda k=k: len(one.got) == len(two.got) == k + 1)
        assert outputs.describe() == ("one: a test, 3 sent, 0 dropped", "two: a test, 3 sent, 0 dropped")
    assert [each.slot for each in one.got] == [0, 1, 2]
    assert [each.pixels[0, 0].tolist() for each in two.got] == [[40 + k] * 3 + [255] for k in range(3)]
    assert one.closed.is_set()
    assert sorted(said) == ["output one: a test", "output two: a test"]


def test_an_output_that_is_behind_drops_pictures_and_holds_up_nobody() -> None:
    slow, quick = Kept(), Kept()
    slow.may_go_on.clear()
    with opened(FORM, slow=slow, quick=quick) as (outputs, _):
        for k in range(9):
            outputs.offer(grey(k / 30, k), 0.0)
            wait_for(lambda k=k: len(quick.got) == k + 1)
            assert slow.at_work.wait(PATIENCE)
        slow.may_go_on.set()
        wait_for(lambda: len(slow.got) == 1 + ROOM)
        assert [each.slot for each in slow.got] == [0, 6, 7, 8]
        assert outputs.describe()[0] == "slow: a test, 4 sent, 5 dropped"


def test_an_output_that_hangs_is_given_up_at_the_end() -> None:
    hung = Kept()
    hung.may_go_on.clear()
    said: list[str] = []
    outputs = Outputs(FORM, {"hung": hung}, lambda text, *_: said.append(text))
    outputs.offer(grey(0.0, 1), 0.0)
    assert hung.at_work.wait(PATIENCE)
    outputs.lines[0].finish(timeout=0.01)
    assert hung.closed.wait(PATIENCE)
    outputs.close()


def test_a_failure_is_said_once_and_the_others_go_on() -> None:
    bad, good = Kept(OutputError("it is gone")), Kept()
    with opened(FORM, bad=bad, good=good) as (outputs, said):
        for k in range(4):
            outputs.offer(grey(k / 30, k), 0.0)
            wait_for(lambda k=k: len(good.got) == k + 1)
        wait_for(lambda: bad.closed.is_set())
        assert outputs.describe()[0] == "bad: it is gone"
        assert said.count("output bad: it is gone") == 1
    assert good.closed.is_set()


def test_where_all_have_failed_no_picture_is_wanted() -> None:
    bad = Kept(RuntimeError("no more"))
    with opened(FORM, bad=bad) as (outputs, _):
        outputs.offer(grey(0.0, 1), 0.0)
        wait_for(lambda: bad.closed.is_set())
        assert not outputs.due(1.0)


def test_pictures_of_another_window_are_fitted_and_faded() -> None:
    one = Kept()
    with opened(FORM, one=one) as (outputs, _):
        outputs.offer(grey(0.0, 200, (64, 24)), 0.5)
        wait_for(lambda: len(one.got) == 1)
    pixels = one.got[0].pixels
    assert pixels.shape == (48, 64, 4)
    assert pixels[:12, :, :3].max() == 0
    assert abs(int(pixels[24, 32, 0]) - 100) <= 1
    assert pixels[:, :, 3].min() == 255


def test_flashes_are_held_back() -> None:
    one = Kept()
    with opened(FORM, one=one) as (outputs, _):
        for k in range(30):
            outputs.offer(grey(k / 30, 255 * (k % 2)), 0.0)
            wait_for(lambda k=k: len(one.got) == k + 1)
    steps = np.abs(np.diff([int(each.pixels[0, 0, 0]) for each in one.got]))
    assert (steps > 128).sum() <= 6  # three pairs of opposite changes in a second


def test_with_alpha_the_dancer_is_alone() -> None:
    one = Kept()
    with opened(Format((160, 120), Fraction(30), alpha=True), one=one) as (outputs, _):
        assert not outputs.due(0.0)  # nothing of the screen is read
        for k, black in enumerate((0.0, 1.0)):
            beat = k / 10
            text = Text(black=black)
            moment = Moment(picture(beat), find_look("neon"), hearing(beat / 2), beat, text)
            outputs.offer_moment(moment, k / 30)
            wait_for(lambda k=k: len(one.got) == k + 1)
    shown, dark = (each.pixels for each in one.got)
    assert shown[0, 0].tolist() == [0, 0, 0, 0]
    assert shown[:, :, 3].max() > 200
    assert dark[:, :, 3].max() < shown[:, :, 3].max()


def test_a_mailbox_keeps_the_newest_in_their_order() -> None:
    box: Mailbox[int] = Mailbox(2)
    for k in range(5):
        box.put(k)
    box.close()
    box.put(9)
    assert [box.take(), box.take(), box.take()] == [3, 4, None]
    assert box.dropped == 3
