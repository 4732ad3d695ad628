"""A line: sound that comes in from a device, with the moment at which each sample sounded, until the device is lost."""

from __future__ import annotations

import logging
import math
import statistics
from collections import deque
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from visualizer.music import Clock
from visualizer.music.analysis.features import Floats
from visualizer.music.mono import LiveMix
from visualizer.music.sources.devices import STALLED, NoSound, close_in_time, opening
from visualizer.music.sources.ring import Ring
from visualizer.support.streams import quietly

log = logging.getLogger("visualizer")

LATENCY = 0.02  # seconds asked for; "low" would be a thousand calls a second into Python on some systems
LONGEST_DELAY = 2.0  # seconds; a device that claims more does not know
STAMPS = 64  # of which the median counts: a second or more, in which the clocks of computer and card run the same


class Capture(Protocol):
    """For use from one thread, the one that opened it."""

    name: str  # of the device
    rate: int  # Hz
    lost: bool

    def read(self) -> Floats: ...  # float32 mono (n,): what has come in since the last call
    def sounded(
        self, seconds: float
    ) -> float: ...  # when what comes so far into all that was read sounded, on the clock
    def close(self) -> None: ...


class Stamps:
    """When each sample of a stream sounded, from many stamps of which each is a little wrong.

    A stamp says that the sample at `seconds` of the stream sounded at `time`. Both count in seconds, so all stamps say
    the same beginning of the stream; the median of the latest is it. Blocks come late by chance, and the median
    does not mind the few that come very late.
    """

    def __init__(self) -> None:
        self._began: deque[float] = deque(maxlen=STAMPS)
        self._median = math.nan

    def add(self, seconds: float, time: float) -> None:
        self._began.append(time - seconds)
        self._median = statistics.median(self._began)

    def time_of(self, seconds: float) -> float:
        """NaN before the first stamp."""
        return self._median + seconds


class PortAudioCapture:
    """A line from an input device of PortAudio."""

    def __init__(self, sd: ModuleType, device: dict, clock: Clock) -> None:
        """`device` as sounddevice describes it. NoSound if it cannot be opened."""
        self.name: str = device["name"]
        self.rate = int(device["default_samplerate"])
        channels = min(2, device["max_input_channels"])
        self._failed: type[Exception] = sd.PortAudioError
        self._clock = clock
        self._stamps = Stamps()
        self._ring = ring = Ring(self.rate, channels)
        self._block = np.empty((self.rate // 10, channels), np.float32)
        self._mix = LiveMix(self.rate, channels)
        self._stamp: tuple[int, float, float] | None = None  # sample number, seconds on PortAudio's clock: sounded, now
        self._seen = self._stamp

        def callback(samples: np.ndarray, _frames: int, time: Any, _status: object) -> None:
            # All that a callback may do: nothing here waits or fails. When the ring is full the rest is dropped.
            self._stamp = (ring.written, time.inputBufferAdcTime, time.currentTime)
            ring.write(samples)

        try:
            with opening(), quietly():
                self._stream = sd.InputStream(
                    device=device["index"], samplerate=self.rate, channels=channels, dtype="float32", latency=LATENCY,
                    callback=callback,
                )  # fmt: skip
                try:
                    self._stream.start()
                    self._latency = float(self._stream.latency)
                except sd.PortAudioError:
                    self._stream.close()
                    raise
        except sd.PortAudioError as error:
            raise NoSound(f"{self.name} cannot be opened ({error.args[0]})") from error
        log.debug("%s opened: %d Hz, %d channels, %.0f ms late", self.name, self.rate, channels, 1000 * self._latency)
        self._last_sound = clock()
        self.lost = False

    def read(self) -> Floats:
        got = self._ring.read(self._block)
        now = self._clock()
        if got:
            self._last_sound = now
        try:
            self._note()
            self.lost = not self._stream.active or now - self._last_sound > STALLED
        except self._failed:
            self.lost = True
        return self._mix.push(self._block[:got])

    def sounded(self, seconds: float) -> float:
        return self._stamps.time_of(seconds)

    def close(self) -> None:
        close_in_time(self._stream)

    def _note(self) -> None:
        """Take over the callback's latest stamp, on our clock."""
        stamp = self._stamp
        if stamp is None or stamp is self._seen:
            return
        self._seen = stamp
        count, sounded, called = stamp
        there, now = float(self._stream.time), self._clock()  # the same moment on PortAudio's clock and on ours
        # Some ways to a device leave these times out; then what the stream says of itself must do.
        delay = called - sounded if sounded and 0 <= called - sounded < LONGEST_DELAY else self._latency
        age = there - called if there and called and 0 <= there - called < LONGEST_DELAY else 0.0
        self._stamps.add(count / self.rate, now - age - delay)
