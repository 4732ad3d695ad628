"""The process that looks: what it tells of guests, of cameras that come and go, and what ends it."""

from __future__ import annotations

import io
import json
from threading import Event
from typing import Any

import numpy as np
import pytest

from tests.support.made_guests import seen_as, whole_body
from visualizer.camera import watch
from visualizer.camera.landmarker import Person
from visualizer.camera.pictures import CameraLost
from visualizer.camera.watch import Watch, main
from visualizer.errors import UserError

GREY = np.full((48, 64, 3), 90, np.uint8)


class Eyes:
    def __init__(self, people: int) -> None:
        self.people, self.closed = people, False

    def look(self, picture: np.ndarray, seconds: float) -> list[Person]:
        return [seen_as(whole_body())] * self.people

    def close(self) -> None:
        self.closed = True


class Source:
    """Gives so many pictures and is lost then."""

    def __init__(self, count: int) -> None:
        self.left = count

    def read(self) -> np.ndarray | None:
        self.left -= 1
        return GREY if self.left >= 0 else None

    def close(self) -> None: ...


def run(*opened: Any, people: int = 1, until: str = "lost", count: int = 1) -> list[dict[str, Any]]:
    """What is told while `opened` are what comes of opening the camera, one after the other."""
    told: list[dict[str, Any]] = []
    left = list(opened)

    def tell(what: dict[str, Any]) -> None:
        told.append(what)
        if sum(each.get("state") == until for each in told) >= count:
            each.ended = True

    def open_next(name: str) -> Any:
        now = left.pop(0) if left else CameraLost("none")
        if isinstance(now, Exception):
            raise now
        return now

    each = Watch("7", tell, Eyes, open_next)
    each.order(f"people {people}")
    each.order("rate 30")
    each.order("nonsense")
    assert each.run() == 0
    return told


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "RETRY", 0.1)


def test_a_guest_is_told_as_joints_and_nothing_else() -> None:
    told = run(Source(500))
    assert [each["state"] for each in told if "state" in each] == ["waking", "on", "lost"]
    seen = [each for each in told if "guests" in each]
    assert seen
    guest = seen[0]["guests"][0]
    assert set(guest) == {"slot", "joints", "speed", "place", "legs"}
    assert len(guest["joints"]) == 63
    assert len(json.dumps(seen[0])) < 4000


def test_a_lost_camera_is_looked_for_again_and_said_once() -> None:
    none = [CameraLost("there is none"), OSError("there is none"), CameraLost("there is none")]
    told = run(*none, Source(300), *none, Source(300), until="on", count=2)
    assert [each["says"].split(":")[0] for each in told if "state" in each] == [
        "waking the camera", "no camera 7", "the camera is on", "camera lost. Dancing alone, looking again",
        "no camera 7", "the camera is on",
    ]  # fmt: skip


def test_a_name_that_nothing_has_now_may_have_something_later() -> None:
    told = run(UserError("no camera is called so"), Source(300), until="on")
    assert told[1]["says"] == "no camera is called so. Dancing alone, looking again"


def test_what_no_other_try_would_mend_ends_it() -> None:
    told: list[dict[str, Any]] = []

    def blind(people: int) -> Eyes:
        raise UserError("seeing people needs MediaPipe")

    assert Watch("7", told.append, blind).run() == 0
    assert told[-1] == {"says": "no guests: seeing people needs MediaPipe", "state": "final"}


def test_without_a_network_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "find_bundle", lambda sizes: None)
    out = io.StringIO()
    assert main("0", io.StringIO(""), out) == 0
    assert "training person-model fetches it" in out.getvalue()


def test_it_ends_with_who_gives_it_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the show was killed: no camera stays on."""
    asked = Event()

    class Orders(io.StringIO):
        def __iter__(self) -> Orders:
            return self

        def __next__(self) -> str:
            asked.wait(5)
            raise StopIteration

    def open_source(name: str) -> Source:
        asked.set()
        return Source(10**9)

    monkeypatch.setattr(watch, "open_eyes", lambda: Eyes)
    monkeypatch.setattr(Watch.__init__, "__defaults__", (open_source,))
    assert main("0", Orders(), io.StringIO()) == 0
