"""Sound devices by PortAudio: found, and looked for again when they are gone."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Protocol

log = logging.getLogger("visualizer")

RETRY = 3.0  # seconds between two looks for a device that is not there
STALLED = 2.5  # seconds without a callback after which a device counts as lost
GONE = "the system's sound does not answer any more; it is heard again at the next show"
CLOSES = 1.5  # seconds in which a stream must close

_stuck = threading.Event()  # PortAudio has not returned: every further call of it would wait for ever, too
_opening = threading.RLock()  # PortAudio opens and restarts for one thread at a time
_listed = threading.Event()  # all devices are open, for their levels: a restart would close them under their readers


class Stream(Protocol):
    """What is closed of sounddevice's streams."""

    def close(self) -> None: ...


class NoSound(Exception):
    """No PortAudio, or no such device. `for_good`: looking again is useless."""

    def __init__(self, why: str, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def portaudio(look_again: bool = False) -> ModuleType:
    """The sounddevice module. PortAudio lists devices once, when it starts; `look_again` restarts it.

    Only for a moment at which the caller has no stream open; while all devices are listed it is left out. NoSound
    without PortAudio, or where it does not start or does not answer any more.
    """
    if _stuck.is_set():
        raise NoSound(GONE, for_good=True)
    try:
        import sounddevice  # late: without PortAudio it is an OSError
    except OSError as error:
        raise NoSound("PortAudio is not installed", for_good=True) from error
    with _opening:
        if look_again and not _listed.is_set():
            # Underscored, but the way that sounddevice itself names for finding a device plugged in later.
            try:
                if sounddevice._initialized:  # else the last look failed half-way
                    sounddevice._terminate()
                sounddevice._initialize()
            except sounddevice.PortAudioError as error:
                raise NoSound(f"PortAudio does not start ({error.args[0]})") from error
    return sounddevice


@contextmanager
def opening() -> Iterator[None]:
    """Where a stream is opened: PortAudio does that for one thread at a time, and so does what the environment tells
    it."""
    with _opening:
        yield


@contextmanager
def listing_devices() -> Iterator[None]:
    """All devices are open in here, whichever thread listens to one of them besides. For one caller at a time."""
    with _opening:
        _listed.set()
    try:
        yield
    finally:
        _listed.clear()


def close_in_time(stream: Stream) -> None:
    """Close a stream of PortAudio. Where that does not return, as when a sound server has died at the wrong moment, it
    is left open, and PortAudio is not called again: neither for another device nor at the end of the program."""
    failed: list[Exception] = []

    def close() -> None:
        try:
            stream.close()
        except Exception as error:  # noqa: BLE001 - raised again below, on the thread that asked
            failed.append(error)

    closing = threading.Thread(target=close, name="closes a device", daemon=True)
    closing.start()
    closing.join(CLOSES)
    if closing.is_alive():
        log.warning("a sound device does not close within %.1f s; it is left open", CLOSES)
        leave_portaudio()
    elif failed:
        raise failed[0]


def leave_portaudio() -> None:
    """It does not return: let it be, also at the end of the program, where sounddevice would close it."""
    _stuck.set()
    if at_the_end := getattr(sys.modules.get("sounddevice"), "_exit_handler", None):
        atexit.unregister(at_the_end)


def find_device(sd: ModuleType, kind: str, name: str = "") -> dict:
    """The default device of this `kind` ("input", "output"), or the first whose name contains `name`.

    NoSound if there is none.
    """
    channels = f"max_{kind}_channels"
    if name:
        for device in sd.query_devices():
            if name.lower() in device["name"].lower() and device[channels] > 0:
                return device
        raise NoSound(f"no {kind} device is called {name!r}")
    try:
        return sd.query_devices(kind=kind)
    except sd.PortAudioError as error:
        raise NoSound(f"no {kind} device") from error


def input_devices(sd: ModuleType) -> list[dict]:
    """Devices that sound comes in by. Some systems list each once for every way to it: those of the first way."""
    first = sd.query_hostapis(sd.default.hostapi)["devices"] if len(sd.query_devices()) else []
    return [device for device in sd.query_devices() if device["index"] in first and device["max_input_channels"] > 0]
