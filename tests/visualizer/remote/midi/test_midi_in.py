"""Knobs, pads and programs of devices that are not there, by messages that are mido's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.midi_loop import Loop
from tests.support.phones import make_state
from visualizer.errors import UserError
from visualizer.remote.inbox import Inbox
from visualizer.remote.midi.controls_map import load_maps
from visualizer.remote.midi.midi_in import SETTLE_SECONDS, MidiIn
from visualizer.remote.state import Board

PORT, DEVICE = "Pads 20:0", "Pads"
FILE = """[Pads]
"cc 1 21" = "temperature"
"cc 1 22" = "blackout"
"cc 1 23" = "look"
"note 1 36" = "reseed"
"note 1 37" = "look ink"
"note 1 38" = "troupe"
"program 1 0" = "style"
"program 1 1" = "style techno"
"""


class Desk:
    """A device, the show's state, and what is sent to the show."""

    def __init__(self, path: Path) -> None:
        self.now, self.said = 0.0, []
        self.loop, self.inbox, self.board = Loop(PORT), Inbox(), Board()
        self.board.state = make_state(temperature="1.0", look="neon")
        self.midi = MidiIn(self.loop, path, self.inbox, self.board, self._notify, clock=lambda: self.now)

    def _notify(self, text: str, topic: str = "", asked: bool = False, /) -> None:
        self.said.append(text)

    def turn(self, number: int, *values: int) -> list[tuple[str, str]]:
        for value in values:
            self.loop.play(PORT, "control_change", channel=0, control=number, value=value)
        return self.sent()

    def sent(self) -> list[tuple[str, str]]:
        return [(each.name, each.argument) for each in self.inbox.take()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "midi.toml").write_text(FILE)
    desk = Desk(tmp_path / "midi.toml")
    yield desk
    desk.midi.close()
    assert all(port.closed for port in desk.loop.inputs.values())
    assert not desk.board.watched


def test_a_knob_moves_nothing_before_it_has_come_by(desk: Desk) -> None:
    """The show is at 1.0, a little above the middle of the knob's way."""
    assert desk.turn(21, 0, 20, 40, 60) == []
    sent = desk.turn(21, 75)  # past the place
    assert sent == [("temperature", f"{0.3 + 1.3 * 75 / 127:.3g}")]
    assert desk.turn(21, 127) == [("temperature", "1.6")]


def test_a_knob_at_its_place_is_picked_up_at_once(desk: Desk) -> None:
    assert desk.turn(21, 69) != []


def test_a_knob_that_was_passed_over_by_another_hand_is_lost(desk: Desk) -> None:
    assert desk.turn(21, 69, 127)
    assert desk.board.state is not None
    desk.board.state = replace(desk.board.state, temperature=0.3)  # by a phone
    desk.now += SETTLE_SECONDS + 1
    assert desk.turn(21, 120, 100) == []
    assert desk.turn(21, 5, 0)[-1] == ("temperature", "0.3")


def test_a_knob_that_is_faster_than_the_show_stays_picked_up(desk: Desk) -> None:
    assert len(desk.turn(21, 69, 80, 100, 127)) == 4  # the state says 1.0 all the while


def test_a_knob_goes_through_all_names_and_says_each_once(desk: Desk) -> None:
    assert desk.board.state is not None
    looks = [name for name, _ in desk.board.state.looks]
    sent = desk.turn(23, 0, 127)
    for value in range(126, -1, -1):
        sent += desk.turn(23, value)
    assert [name for _, name in sent][::-1] == looks


def test_a_button_that_sends_what_a_knob_sends_is_a_switch(desk: Desk) -> None:
    assert desk.turn(22, 127, 127, 0) == [("blackout", "")]
    assert desk.turn(22, 127) == [("blackout", "")]


def test_pads_and_programs(desk: Desk) -> None:
    desk.loop.play(PORT, "note_on", channel=0, note=36, velocity=90)
    desk.loop.play(PORT, "note_on", channel=0, note=36, velocity=0)
    desk.loop.play(PORT, "note_off", channel=0, note=36, velocity=64)
    desk.loop.play(PORT, "note_on", channel=0, note=37, velocity=1)
    desk.loop.play(PORT, "note_on", channel=0, note=38, velocity=90)  # how many dancers?
    desk.loop.play(PORT, "note_on", channel=1, note=36, velocity=90)  # another channel
    desk.loop.play(PORT, "program_change", channel=0, program=0)
    desk.loop.play(PORT, "program_change", channel=0, program=1)
    desk.loop.play(PORT, "pitchwheel", channel=0, pitch=100)
    desk.loop.play(PORT, "aftertouch", channel=0, value=100)
    assert desk.sent() == [("reseed", ""), ("look", "ink"), ("style", "salsa"), ("style", "techno")]


def test_a_control_is_learned_by_a_touch_and_kept(desk: Desk, tmp_path: Path) -> None:
    assert desk.midi.learn("sensitivity") == "touch a control for 'sensitivity'"
    assert desk.turn(40, 64) == []
    assert desk.said[-1] == "learned: cc 1 40 is 'sensitivity'"
    assert desk.turn(40, 64, 127)[-1] == ("sensitivity", "4")
    desk.midi.learn("look")
    desk.loop.play(PORT, "note_on", channel=0, note=50, velocity=90)
    assert desk.said[-1] == "learned: note 1 50 is 'look neon'"  # a pad recalls what is on
    desk.loop.play(PORT, "note_on", channel=0, note=50, velocity=90)
    assert desk.sent() == [("look", "neon")]
    kept = {str(control): str(action) for control, action in load_maps(tmp_path / "midi.toml")[DEVICE].items()}
    assert kept["cc 1 40"] == "sensitivity"
    assert kept["note 1 50"] == "look neon"
    assert kept["note 1 36"] == "reseed"
    for wrong in ("juggle", "look neon", ""):
        with pytest.raises(UserError):
            desk.midi.learn(wrong)


def test_a_file_that_cannot_be_written_still_learns(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "midi.toml").unlink()
    (tmp_path / "midi.toml").mkdir()
    desk.midi.learn("reseed")
    desk.turn(50, 1)
    assert desk.turn(50, 0, 127) == [("reseed", "")]


def test_devices_come_and_go(desk: Desk) -> None:
    assert desk.midi.devices == (DEVICE,)
    desk.loop.plugged = ["Keys 24:0", "Midi Through:Midi Through Port-0 14:0", "Busy 28:0"]
    desk.loop.broken = {"Busy 28:0"}
    desk.midi.follow_devices()
    assert desk.midi.devices == ("Keys",)
    assert desk.loop.inputs[PORT].closed
    assert desk.said[-2:] == ["MIDI: Pads has gone", "MIDI: Keys"]
    desk.loop.plugged = ["Pads 32:0"]  # in another socket
    desk.midi.follow_devices()
    desk.loop.play("Pads 32:0", "note_on", channel=0, note=36, velocity=90)
    assert desk.sent() == [("reseed", "")]


def test_the_clock_of_a_device_is_a_command(desk: Desk) -> None:
    desk.loop.play(PORT, "start")
    for k in range(49):
        desk.now = k * 60 / (125 * 24)
        desk.loop.play(PORT, "clock")
    sent = desk.inbox.take()
    assert [(each.name, each.argument) for each in sent] == [
        ("follow clock", "125.000 1"),
        ("follow clock", "125.000 2"),
    ]
    assert sent[1].time == pytest.approx(2 * 60 / 125)
