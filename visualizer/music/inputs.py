"""What there is to listen to, with its level now, and listening to something else while the show runs.

Devices are opened and closed on threads of their own, one after the other: some take seconds, and where a sound server
has died they never answer. The thread that draws reads what was published last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.options import SOURCES

if TYPE_CHECKING:
    from visualizer.music.sources import MusicSource

log = logging.getLogger("visualizer")

PAUSE = 0.1  # seconds between two looks at the levels
LEVELS = 12  # of a meter
FLOOR, STEP = -60.0, 5.0  # dBFS at which a meter is empty, and decibels of one of its levels
OWN_TEMPO = "nothing: an own tempo"
CLOSES = 2.0  # seconds that are waited for devices at the end


class Line(Protocol):
    """What is read of sources.meters.Meter."""

    audio: str
    name: str
    trouble: str

    def level(self) -> float | None: ...


OpenMeters = Callable[[Clock], AbstractContextManager[Iterable[Line]]]
OpenSource = Callable[[str, float], "MusicSource"]  # what to listen to, as --audio has it, and BPM until it is heard


@dataclass(frozen=True)
class Devices:
    """How to open what there is to listen to. `clock` is the show's; `notify` is told what fails, from any thread."""

    open_source: OpenSource
    open_meters: OpenMeters
    clock: Clock
    notify: Notify


@dataclass(frozen=True)
class Input:
    """One thing to listen to: how --audio asks for it, what it is, its level in `LEVELS` (None: none yet), and what is
    wrong with it."""

    audio: str
    name: str
    level: int | None = None
    trouble: str = ""


def find_level(decibels: float) -> int:
    """How far a meter is filled by sound of that effective value, dBFS."""
    return min(max(round((decibels - FLOOR) / STEP), 0), LEVELS)


class Inputs:
    """The source of music that is listened to now, `source`, and those there are besides, `found`.

    `audio` is what is listened to, as --audio has it; `found` is None while nobody wants to know, or nothing is known.
    """

    def __init__(self, source: MusicSource, audio: str = "none", devices: Devices | None = None) -> None:
        """Without `devices` there is nothing else to listen to."""
        self.source, self.audio, self._devices = source, audio, devices
        self.found: tuple[Input, ...] | None = None
        self._stop = Event()  # of the thread that reads the levels
        self._last: Thread | None = None  # begun last; each waits for the one before

    def start_listing(self) -> None:
        """Publish the levels of all in `found` from now on, until `stop_listing`."""
        if self._devices is not None:
            self._stop = stop = Event()
            devices = self._devices
            self._begin("inputs", lambda: self._watch(devices, stop))

    def stop_listing(self) -> None:
        """Close the devices whose levels were read."""
        self._stop.set()
        self.found = None

    def find(self, wanted: str) -> str:
        """What --audio would say for a number of the list, a kind of source, or a part of a name. UserError for another
        word: a file is none that could be asked for from afar."""
        found = self.found or ()
        if wanted.isdecimal():
            if not 1 <= int(wanted) <= len(found):
                raise UserError(f"there is no input {wanted[:9]}; I lists them")
            return found[int(wanted) - 1].audio
        if wanted.casefold() in SOURCES:
            return wanted.casefold()
        if wanted.startswith("mic:") and wanted[4:].strip():
            return wanted
        name = next((each.audio for each in found if wanted.casefold() in each.name.casefold()), None)
        if name is None:
            raise UserError(f"no input is called '{wanted[:40]}'; I lists them")
        return name

    def choose(self, audio: str) -> None:
        """Listen to it from now on; the dance goes on as it is until something is heard there."""
        self.stop_listing()
        if self._devices is not None:
            before, self.audio = self.audio, audio
            devices = self._devices
            self._begin("another input", lambda: self._change(devices, before, audio))

    def close(self) -> None:
        """Close all devices."""
        self.stop_listing()
        if self._last is not None:
            self._last.join(CLOSES)
        self.source.close()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        before = self._last

        def run() -> None:
            if before is not None:
                before.join()
            work()

        self._last = Thread(target=run, name=name, daemon=True)
        self._last.start()

    def _watch(self, devices: Devices, stop: Event) -> None:
        try:
            with devices.open_meters(devices.clock) as lines:
                while not stop.is_set():
                    rows = [Input(each.audio, each.name, _read_level(each), each.trouble) for each in lines]
                    self.found = None if stop.is_set() else (*rows, Input("none", OWN_TEMPO))
                    stop.wait(PAUSE)
        except UserError as error:
            self.found = None if stop.is_set() else (Input("mic", "microphone", trouble=str(error)),)

    def _change(self, devices: Devices, before: str, audio: str) -> None:
        """First let go of the device, which may be the same, then open the other one."""
        old = self.source
        old.close()
        for each in (audio, before):
            try:
                source = devices.open_source(each, old.steps.bpm)
            except UserError as error:
                devices.notify(str(error), "ear", True)
                self.audio = before
                continue
            source.steps = old.steps  # the dance goes on in its own time, taps and nudges with it
            self.source = source
            log.info("ear: %s", each)
            return


def _read_level(line: Line) -> int | None:
    decibels = line.level()
    return None if decibels is None else find_level(decibels)
