"""The camera in the show: guests of now, what is said, and a process that dies is started again."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from threading import Event
from typing import Any

import numpy as np
import pytest

from bench.waiting import wait_for
from tests.support.made_guests import whole_body
from visualizer.camera import camera_thread
from visualizer.camera.camera_thread import AHEAD, HOLD, CameraThread


class Process:
    """Tells what a test has it tell."""

    def __init__(self) -> None:
        self.told: queue.Queue[str | None] = queue.Queue()
        self.orders: list[str] = []
        self.closed = Event()

    def lines(self) -> Iterator[str]:
        while (line := self.told.get(timeout=10)) is not None:
            yield line

    def send(self, order: str) -> None:
        self.orders.append(order)

    def close(self) -> None:
        self.closed.set()
        self.told.put(None)

    def tell(self, **what: Any) -> None:
        self.told.put(json.dumps(what))

    def see(self, at: float, *guests: dict[str, Any]) -> None:
        self.tell(at=at, took=0.01, guests=list(guests))


def guest(slot: int = 0, speed: float = 0.0, **changed: Any) -> dict[str, Any]:
    joints = whole_body().ravel().tolist()
    return {"slot": slot, "joints": joints, "speed": [speed] * 63, "place": 0.1, "legs": 1.0, **changed}


class Set:
    """A thread, its processes, its clock and what it says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.processes: queue.Queue[Process] = queue.Queue()
        self.said: queue.Queue[str] = queue.Queue()
        self.thread = CameraThread("0", self._hear, self._start, lambda: self.now)

    def _hear(self, text: str, topic: str = "", asked: bool = False) -> None:
        self.said.put(text)

    def _start(self, name: str) -> Process:
        process = Process()
        self.processes.put(process)
        return process

    def process(self) -> Process:
        return self.processes.get(timeout=10)

    def hear(self) -> str:
        return self.said.get(timeout=10)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    monkeypatch.setattr(camera_thread, "AGAIN", 0.01)
    each = Set()
    yield each
    each.thread.close()


def test_guests_are_where_they_have_gone_since_and_leave_after_a_while(made: Set) -> None:
    process = made.process()
    process.tell(says="the camera is on: 0", state="on")
    process.see(99.95)
    process.see(100.0, guest(speed=1.0))
    wait_for(lambda: made.thread.looked == 2)
    assert made.thread.on
    made.now = 100.05
    (body,) = made.thread.look()
    np.testing.assert_allclose(body.joints, whole_body() + AHEAD * 0.05, atol=1e-9)
    made.now = 100.0 + HOLD + 0.01
    assert made.thread.look() == ()


def test_who_is_missed_for_a_moment_stays(made: Set) -> None:
    process = made.process()
    for k in range(3):
        process.see(100.0 + 0.1 * k, guest())
    process.see(100.3)
    wait_for(lambda: made.thread.looked == 4)
    assert len(made.thread.look()) == 1
    for k in range(4, 9):
        process.see(100.0 + 0.1 * k)
    wait_for(lambda: made.thread.looked == 9)
    assert made.thread.look() == ()


def test_who_is_looked_at_seldom_is_not_lost_between_two_pictures(made: Set) -> None:
    process = made.process()
    process.see(100.0, guest())
    process.see(100.4, guest())
    wait_for(lambda: made.thread.looked == 2)
    made.now = 101.0
    assert len(made.thread.look()) == 1


def test_a_process_that_dies_is_started_again_with_the_same_orders(made: Set) -> None:
    made.thread.ask("people", 2)
    first = made.process()
    wait_for(lambda: first.orders == ["people 2"])
    first.tell(says="the camera is on: 0", state="on")
    assert made.hear() == "the camera is on: 0"
    first.told.put(None)
    assert "starting it again" in made.hear()
    second = made.process()
    wait_for(lambda: second.orders == ["people 2"])
    assert not made.thread.on
    made.thread.ask("rate", 15)
    made.thread.ask("rate", 15)
    assert second.orders == ["people 2", "rate 15"]


def test_what_is_final_is_said_once_and_not_tried_again(made: Set) -> None:
    process = made.process()
    process.tell(says="no guests: seeing people needs MediaPipe", state="final")
    process.told.put(None)
    assert made.hear() == "no guests: seeing people needs MediaPipe"
    wait_for(lambda: made.thread.failed)
    made.thread.close()
    assert made.processes.empty()


@pytest.mark.parametrize(
    "broken",
    [
        "no JSON", "[]", '{"at": 1}', "[" * 100_000,
        json.dumps({"at": 1, "took": 0, "guests": [guest(joints=[0.0] * 62)]}),
        json.dumps({"at": 1, "took": 0, "guests": [guest(joints=[1e9] * 63)]}),
        json.dumps({"at": 1, "took": 0, "guests": [guest(slot=7)]}),
        json.dumps({"at": 1, "took": 0, "guests": [guest(speed=float("nan"))]}),
    ],
    ids=range(8),
)  # fmt: skip
def test_nonsense_is_no_guest(made: Set, broken: str) -> None:
    process = made.process()
    process.told.put(broken)
    process.see(100.0)
    wait_for(lambda: made.thread.looked)
    assert made.thread.look() == ()


def test_closing_turns_the_camera_off(made: Set) -> None:
    process = made.process()
    process.tell(says="the camera is on: 0", state="on")
    made.hear()
    made.thread.close()
    assert process.closed.is_set()
    assert not made.thread.on
