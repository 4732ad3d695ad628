"""What there is to listen to, each with its level now: for choosing a source before the party."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from visualizer.errors import UserError
from visualizer.music import Clock
from visualizer.music.sources.capture import Capture, PortAudioCapture
from visualizer.music.sources.devices import NoSound, find_device, input_devices, listing_devices, portaudio
from visualizer.music.sources.loopback import NAME, open_loopback

LOWEST = -100.0  # dBFS, of silence
FALL = 0.5  # seconds of sound that the level looks back on
MOST = 0.2  # seconds of sound that are read at once: some lines wait for more where others say that there is none


@dataclass
class Meter:
    """One source: what to ask for with --audio, the device, and the line, or why there is none."""

    audio: str
    name: str
    line: Capture | None = None
    trouble: str = ""
    _blocks: list[np.ndarray] = field(default_factory=list)

    def level(self) -> float | None:
        """dBFS, effective value of the last half second; None before the first sound, and where nothing comes."""
        if self.line is None:
            return None
        came = 0
        while came < MOST * self.line.rate and len(sound := self.line.read()):
            self._blocks.append(sound)
            came += len(sound)
        if self.line.lost:
            self.line.close()
            self.line, self.trouble = None, "lost"
            return None
        while len(self._blocks) > 1 and sum(map(len, self._blocks[1:])) > FALL * self.line.rate:
            self._blocks.pop(0)
        if not self._blocks:
            return None
        power = float(np.mean(np.square(np.concatenate(self._blocks))))
        return max(10 * math.log10(power), LOWEST) if power else LOWEST


@contextmanager
def open_meters(clock: Clock) -> Iterator[list[Meter]]:
    """All input devices and the computer's own sound, listened to at once. UserError without PortAudio."""
    try:
        sd = portaudio()
    except NoSound as error:
        raise UserError(f"no sound devices: {error}") from error
    with listing_devices():
        meters = _open_all(sd, clock)
        try:
            yield meters
        finally:
            for meter in meters:
                if meter.line is not None:
                    meter.line.close()


def _open_all(sd: ModuleType, clock: Clock) -> list[Meter]:
    default = _default(sd)
    meters = [] if default else [Meter("mic", "the default input", trouble="no input device")]
    for device in sorted(input_devices(sd), key=lambda each: each["name"] != default):
        audio = "mic" if device["name"] == default else f"mic:{device['name']}"
        meters.append(_meter(audio, device["name"], lambda device=device: PortAudioCapture(sd, device, clock)))
    if sys.platform == "darwin":
        meters.append(Meter("loopback", NAME, trouble="macOS permits no program to hear it"))
    else:
        meters.append(_meter("loopback", NAME, lambda: open_loopback(False, clock)))
    return meters


def _default(sd: ModuleType) -> str:
    try:
        return find_device(sd, "input")["name"]
    except NoSound:
        return ""


def _meter(audio: str, name: str, opened: Callable[[], Capture]) -> Meter:
    try:
        return Meter(audio, name, opened())
    except NoSound as error:
        return Meter(audio, name, trouble=str(error))


@contextmanager
def link_session() -> Iterator[Callable[[], str]]:
    """Says how many others there are in the Ableton Link session, and its tempo."""
    from visualizer.music.sources.link import link_module

    try:
        session = link_module().Link(120)
    except UserError as error:
        reason = str(error).partition(" needs ")[2]
        yield lambda: f"needs {reason}"
        return
    session.enabled = True

    def say() -> str:
        peers = session.numPeers()
        tempo = session.captureAppSessionState().tempo()
        return f"{peers} other{'s' if peers > 1 else ''}, {tempo:.0f} BPM" if peers else "no one else"

    try:
        yield say
    finally:
        session.enabled = False
