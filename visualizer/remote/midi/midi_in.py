"""MIDI in: each control is the command that it has learned. Devices come and go as they like.

The MIDI library calls on a thread of its own. A knob moves nothing before it has come by the place where the show is:
so none jumps because it was left elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.remote.controls import NAMED, RANGES, REMOTE_COMMANDS, find_argument, find_choices, find_value
from visualizer.remote.inbox import Inbox, Sent
from visualizer.remote.midi.controls_map import Action, Control, clean_name, load_maps, read_action, save_control
from visualizer.remote.midi.midi_clock import ClockIn
from visualizer.remote.state import Board

log = logging.getLogger("visualizer")

LOOK_SECONDS = 2.0  # between two looks at which devices there are
NEAR = 0.04  # of a knob's way: so near it is at its place
MOVED = 0.12  # of its way that the show must have moved without the knob for it to be lost
HALF, PRESSED = 0.5, 0.004  # of a button that sends what a knob sends; of a pad, which may be touched lightly
SETTLE_SECONDS = 0.5  # in which the show follows a knob
SENDER, WATCHER = "MIDI", "MIDI in"


@dataclass
class Knob:
    """Where a knob is, and whether it has been picked up."""

    value: float | None = None
    picked: bool = False
    sent: str = ""
    at: float = 0.0  # seconds, when it moved last


class MidiIn:
    """All MIDI inputs of `backend` (mido's), until it is closed."""

    def __init__(
        self, backend: Any, path: Path, inbox: Inbox, board: Board, notify: Notify, *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        """Six parameters, for each is a part that tests replace. UserError where the file of controls is wrong."""
        self._backend, self._path, self._inbox, self._board, self._notify = backend, path, inbox, board, notify
        self._clock = clock
        self._maps = load_maps(path)
        self._ports: dict[str, Any] = {}
        self._knobs: dict[tuple[str, Control], Knob] = {}
        self._clocks: dict[str, ClockIn] = {}
        self._learning: str | None = None  # the command that the next touch is for
        self._ended = threading.Event()
        board.watch(WATCHER)
        self.follow_devices()
        self._thread = threading.Thread(target=self._watch_devices, name="MIDI", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close all ports."""
        self._board.watch(WATCHER, False)
        self._ended.set()
        self._thread.join()
        for port in self._ports.values():
            port.close()

    @property
    def devices(self) -> tuple[str, ...]:
        """What is listened to now."""
        return tuple(clean_name(name) for name in self._ports)

    def learn(self, command: str) -> str:
        """The next control that is touched is that command; what to say of it. UserError where none is called so."""
        action = read_action(command)
        if action.command != command:
            raise UserError(f"only the name of a command is wanted, not '{command}'")
        self._learning = command
        return f"touch a control for '{command}'" if self._ports else f"'{command}' waits for a MIDI device to come"

    def follow_devices(self) -> None:
        """Open what has come and close what has gone."""
        try:
            there = list(dict.fromkeys(self._backend.get_input_names()))
        except OSError as error:
            log.info("MIDI: %s", error)
            return
        for name in [name for name in self._ports if name not in there]:
            self._ports.pop(name).close()
            self._notify(f"MIDI: {clean_name(name)} has gone", "midi")
        for name in there:
            if name not in self._ports and "RtMidi" not in name and "Through" not in name:
                self._open(name)

    def _open(self, name: str) -> None:
        device = clean_name(name)
        self._clocks[device] = ClockIn()
        try:
            self._ports[name] = self._backend.open_input(name, callback=lambda message: self._hear(device, message))
        except OSError as error:
            log.info("MIDI: %s cannot be opened: %s", device, error)
        else:
            self._notify(f"MIDI: {device}", "midi")

    def _watch_devices(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.follow_devices()

    # --- what is played, on the library's thread

    def _hear(self, device: str, message: Any) -> None:
        now = self._clock()
        if message.type in ("clock", "start", "continue", "stop"):
            self._hear_clock(device, message.type, now)
            return
        found = read_message(message)
        if found is None:
            return
        control, value = found
        if self._learning is not None:
            self._teach(device, control)
        elif action := self._maps.get(device, {}).get(control):
            self._act(device, control, action, value, now)

    def _hear_clock(self, device: str, kind: str, now: float) -> None:
        clock = self._clocks[device]
        if kind == "start":
            clock.start()
        elif kind == "stop":
            clock.stop()
        elif kind == "clock" and (beat := clock.tick(now)):
            place = "" if beat.count is None else f" {beat.count}"
            self._inbox.send(Sent("follow clock", f"{beat.bpm:.3f}{place}", SENDER, time=beat.time))

    def _teach(self, device: str, control: Control) -> None:
        """This control is the command that is waiting; a pad for what has many values recalls the one that is on."""
        command, self._learning = self._learning or "", None
        argument = ""
        if control.kind != "cc" and (command in RANGES or command in NAMED):
            now = getattr(self._board.state, command, "")
            argument = f"{now:g}" if isinstance(now, int | float) else str(now or "")
        action = Action(command, argument)
        self._maps.setdefault(device, {})[control] = action
        self._knobs.pop((device, control), None)
        try:
            save_control(self._path, device, control, action)
        except (OSError, ValueError, UserError) as error:
            log.info("%s: cannot be written: %s", self._path, error)
        self._notify(f"learned: {control} is '{action}'", "midi", True)

    def _act(self, device: str, control: Control, action: Action, value: float, now: float) -> None:
        takes, argument = REMOTE_COMMANDS[action.command].argument, action.argument
        knob = self._knobs.setdefault((device, control), Knob())
        before, knob.value = knob.value, value
        if control.kind == "cc" and not argument and action.command in (*RANGES, *NAMED):
            self._turn(knob, action.command, before, value, now)
        elif control.kind == "program" or _is_pressed(control, before, value):
            if control.kind == "program" and not argument:
                choices = find_choices(action.command, self._board.state)
                argument = choices[control.number % len(choices)] if choices else ""
            if argument or not takes or takes[0] == "[":
                self._inbox.send(Sent(action.command, argument, SENDER, time=now))

    def _turn(self, knob: Knob, name: str, before: float | None, value: float, now: float) -> None:
        """A knob is turned from `before` to `value`, 0..1."""
        place = find_value(name, self._board.state)
        if place is not None:
            if knob.picked and now - knob.at > SETTLE_SECONDS and before is not None and abs(before - place) > MOVED:
                knob.picked = False  # the show was changed by other hands
            if not knob.picked:
                passed = before is not None and (before - place) * (value - place) <= 0
                if not passed and abs(value - place) > NEAR:
                    return
                knob.picked, knob.sent = True, ""
        knob.at = now
        argument = find_argument(name, value, self._board.state)
        if argument and argument != knob.sent:
            knob.sent = argument
            self._inbox.send(Sent(name, argument, SENDER, time=now))


def _is_pressed(control: Control, before: float | None, value: float) -> bool:
    """Whether a pad, or a button that sends what a knob sends, is pressed, and not held or let go."""
    return value >= PRESSED if control.kind == "note" else value >= HALF > (before or 0.0)


def read_message(message: Any) -> tuple[Control, float] | None:
    """The control of a message and its value, 0..1; None for what is no control. A pad that is let go has 0."""
    if message.type == "control_change":
        return Control("cc", message.channel + 1, message.control), message.value / 127
    if message.type in ("note_on", "note_off"):
        velocity = message.velocity / 127 if message.type == "note_on" else 0.0
        return Control("note", message.channel + 1, message.note), velocity
    if message.type == "program_change":
        return Control("program", message.channel + 1, message.program), 1.0
    return None
