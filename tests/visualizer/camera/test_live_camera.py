"""The camera of a show: on and off by a command, never from afar, and what is asked of it."""

from __future__ import annotations

import pytest

from tests.support.show_fakes import Stage
from visualizer.camera.live_camera import AT_THE_SHOW, LiveCamera
from visualizer.commands import run_command
from visualizer.dancer.guest_body import GuestBody
from visualizer.messages import Notify


class Looking:
    def __init__(self, name: str) -> None:
        self.name, self.on, self.failed, self.closed = name, True, False, False
        self.asked: list[tuple[str, float]] = []

    def look(self) -> tuple[GuestBody, ...]:
        return ()

    def ask(self, what: str, number: float) -> None:
        self.asked.append((what, number))

    def close(self) -> None:
        self.closed = True


class Cameras:
    def __init__(self, name: str | None = None) -> None:
        self.opened: list[Looking] = []
        self.camera = LiveCamera(name, self._open)

    def _open(self, name: str, notify: Notify) -> Looking:
        self.opened.append(Looking(name))
        return self.opened[-1]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_on_and_off(stage: Stage) -> None:
    cameras = Cameras()
    cameras.camera.turn(stage.show, True)
    cameras.camera.turn(stage.show, True)
    (looking,) = cameras.opened
    assert looking.name == "0"
    assert stage.dancer.feed is looking
    assert cameras.camera.on
    cameras.camera.turn(stage.show, False)
    assert looking.closed
    assert stage.dancer.feed is None
    assert not cameras.camera.on
    assert stage.said() == ["guests: step before the camera; V turns it off", "the camera is off"]


def test_more_people_are_looked_for_where_more_dance_and_fewer_pictures_where_time_is_short(stage: Stage) -> None:
    cameras = Cameras("film.mp4")
    cameras.camera.tend(stage.show, 30)
    cameras.camera.turn(stage.show, True)
    stage.dancer.troupe = 5
    for rate in (30, 30, 15):
        cameras.camera.tend(stage.show, rate)
    (looking,) = cameras.opened
    assert looking.name == "film.mp4"
    assert set(looking.asked) == {("people", 2), ("rate", 30), ("rate", 15)}
    assert [what for what, _ in looking.asked].count("rate") == 2


def test_what_has_failed_is_off(stage: Stage) -> None:
    cameras = Cameras("0")
    cameras.camera.turn(stage.show, True)
    cameras.opened[0].failed = True
    cameras.camera.tend(stage.show, 30)
    assert not cameras.camera.wanted
    assert stage.dancer.feed is None


@pytest.mark.parametrize("name", [None, "0"])
def test_a_remote_turns_a_camera_off_and_on_only_where_it_was_asked_for_at_the_start(
    stage: Stage, name: str | None
) -> None:
    cameras = Cameras(name)
    stage.host.toggle_camera = lambda wanted: cameras.camera.turn(stage.show, wanted == "on")  # type: ignore[method-assign]
    answers: list[str] = []
    run_command(stage.show, "camera", 0.0, "on", answers.append)
    assert cameras.camera.wanted == (name is not None)
    assert (answers == [AT_THE_SHOW]) == (name is None)
    cameras.camera.turn(stage.show, True)
    run_command(stage.show, "camera", 0.0, "off", answers.append)
    assert not cameras.camera.wanted
