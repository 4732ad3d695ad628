"""The list of inputs and the change from one to another, with devices that the test holds in its hands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bench.waiting import wait_for
from tests.support.live_fakes import FakeEar
from tests.support.said import Said
from visualizer.errors import UserError
from visualizer.music import inputs as module
from visualizer.music.inputs import LEVELS, OWN_TEMPO, Devices, Input, Inputs, find_level

PATIENCE = 60.0  # seconds after which a test fails


@dataclass
class Line:
    audio: str
    name: str
    decibels: float | None = None
    trouble: str = ""

    def level(self) -> float | None:
        return self.decibels


class House:
    """Two microphones; what is opened and closed, in the order in which it happens."""

    def __init__(self) -> None:
        self.lines = [Line("mic", "Built-in", -30.0), Line("mic:USB", "USB camera"), Line("loopback", "PC", None, "no")]
        self.done: list[str] = []
        self.listed, self.changed = threading.Event(), threading.Event()
        self.refused: set[str] = set()
        self.said = Said()
        self.first = FakeEar()
        self.inputs = Inputs(self.first, "auto", Devices(self.open_source, self.meters, lambda: 0.0, self.said))

    @contextmanager
    def meters(self, _clock: Callable[[], float]) -> Iterator[list[Line]]:
        self.done.append("list")
        yield self.lines
        self.done.append("list closed")

    def open_source(self, audio: str, bpm: float) -> FakeEar:
        self.done.append(f"{audio} after closing {self.first.closed} at {bpm:g}")
        if audio in self.refused:
            raise UserError(f"no {audio} here")
        self.changed.set()
        return FakeEar()

    def wait(self) -> None:
        """Until all that was begun is done."""
        assert self.inputs._last is not None
        self.inputs._last.join(PATIENCE)
        assert not self.inputs._last.is_alive()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    house = House()
    yield house
    house.inputs.close()


def wait_for_rows(house: House) -> tuple[Input, ...]:
    wait_for(lambda: house.inputs.found is not None)
    assert house.inputs.found is not None
    return house.inputs.found


def test_the_list_has_all_there_is_with_levels_and_the_tempo_of_its_own(house: House) -> None:
    house.inputs.start_listing()
    rows = wait_for_rows(house)
    assert rows[0] == Input("mic", "Built-in", find_level(-30.0))
    assert rows[1:3] == (Input("mic:USB", "USB camera"), Input("loopback", "PC", None, "no"))
    assert rows[3] == Input("none", OWN_TEMPO)
    house.inputs.stop_listing()
    house.wait()
    assert house.inputs.found is None
    assert house.done == ["list", "list closed"]


def test_a_meter_is_empty_in_silence_and_full_before_it_clips() -> None:
    assert [find_level(each) for each in (-100.0, -60.0, -30.0, 0.0, 3.0)] == [0, 0, 6, LEVELS, LEVELS]


def test_another_input_is_opened_when_list_and_old_one_are_closed(house: House) -> None:
    house.inputs.start_listing()
    wait_for_rows(house)
    assert house.inputs.find("2") == "mic:USB"
    house.inputs.choose("mic:USB")
    house.wait()
    assert house.done == ["list", "list closed", "mic:USB after closing True at 120"]
    assert house.inputs.audio == "mic:USB"
    assert house.inputs.source is not house.first
    assert house.inputs.source.steps is house.first.steps  # the dance goes on in its own time


def test_what_cannot_be_opened_leaves_what_was(house: House) -> None:
    house.refused = {"link"}
    house.inputs.choose("link")
    house.wait()
    assert house.said.take() == ["no link here"]
    assert house.inputs.audio == "auto"
    assert house.done[-1].startswith("auto after closing True")
    assert house.inputs.source is not house.first


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("1", "mic"), ("3", "loopback"), ("4", "none"), ("loopback", "loopback"), ("LINK", "link"), ("usb", "mic:USB"),
     ("mic:Anything", "mic:Anything")],
)  # fmt: skip
def test_inputs_are_found_by_number_kind_and_part_of_a_name(house: House, wanted: str, found: str) -> None:
    house.inputs.start_listing()
    wait_for_rows(house)
    assert house.inputs.find(wanted) == found


@pytest.mark.parametrize("wanted", ["0", "5", "/etc/passwd", "song.mp3", "mic: ", "99999999999999999999"])
def test_no_file_and_no_stranger_is_an_input(house: House, wanted: str) -> None:
    house.inputs.start_listing()
    wait_for_rows(house)
    with pytest.raises(UserError, match="I lists them"):
        house.inputs.find(wanted)


def test_without_sound_devices_the_list_says_why(house: House) -> None:
    @contextmanager
    def no_meters(_clock: object) -> Iterator[list[Line]]:
        raise UserError("no sound devices: PortAudio is not installed")
        yield []

    inputs = Inputs(house.first, "auto", Devices(house.open_source, no_meters, lambda: 0.0, house.said))
    inputs.start_listing()
    assert inputs._last is not None
    inputs._last.join(PATIENCE)
    assert inputs.found == (Input("mic", "microphone", None, "no sound devices: PortAudio is not installed"),)
    inputs.close()
    assert house.first.closed
