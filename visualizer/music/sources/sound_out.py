"""An output device that plays a line of samples, and says which of them leaves the loudspeaker when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from visualizer.music import Clock
from visualizer.music.analysis.features import Floats
from visualizer.music.sources.devices import STALLED, find_device
from visualizer.music.sources.ring import Ring
from visualizer.support.streams import quietly

OUTPUT_LATENCY = 0.25  # seconds of sound in the device: the clock knows of it, and a busy moment does not stutter

Anchor = tuple[float, float]  # (seconds on the clock, seconds of the line that are heard then)


class SoundOut:
    """The default output. NoSound if there is none; PortAudioError, as `open`, where it does not work."""

    def __init__(
        self, sd: ModuleType, clock: Clock, place: Callable[[float], float | None], anchor: Callable[[Anchor], None],
        seconds: float,
    ) -> None:  # fmt: skip
        """`place(now)`: where on the line it should be, seconds; None: not begun. `anchor` is told where it is, from
        the device's thread. `seconds` of sound are kept ready."""
        device = find_device(sd, "output")
        self.rate, self.channels = int(device["default_samplerate"]), min(2, device["max_output_channels"])
        self.latency = 0.05  # of the device, until it says
        self._sd, self._device, self._clock, self._place, self._anchor = sd, device["index"], clock, place, anchor
        self._ring = Ring(round(seconds * self.rate), self.channels)
        self._first = 0  # sample of the line with which the ring begins
        self._sent = -1  # that goes out next, -1 before the first; the callback's own
        self._last_call = math.inf  # on the clock
        self._stream: Any = None

    @contextmanager
    def open(self, first: int) -> Iterator[None]:
        """The device plays what is written, beginning with sample `first` of the line when its time has come."""
        self._first = first
        with quietly():
            opened = self._sd.OutputStream(
                device=self._device, samplerate=self.rate, channels=self.channels, dtype="float32",
                latency=OUTPUT_LATENCY, callback=self._fill,
            )  # fmt: skip
        with opened as self._stream:
            self.latency = self._stream.latency
            yield

    def write(self, samples: Floats) -> int:
        """Put (n, channels) in line, or as much of it as there is room for; how many that were."""
        return self._ring.write(samples)

    @property
    def waiting(self) -> int:
        """Samples that are to go out."""
        return self._ring.filled

    def is_lost(self) -> bool:
        """Whether the device has stopped to ask for sound."""
        return not self._stream.active or self._clock() - self._last_call > STALLED

    def _fill(self, out: np.ndarray, frames: int, time: Any, _status: object) -> None:
        """The device's callback: it waits for nothing."""
        now = self._last_call = self._clock()
        ahead = time.outputBufferDacTime - time.currentTime  # until the first of these samples is heard
        ahead = ahead if 0 < ahead < 2 else self.latency
        out[:] = 0
        silent = 0
        if self._sent < 0:  # is the time of the first sample in this buffer?
            place = self._place(now)
            silent = frames if place is None else max(round(self._first - (place + ahead) * self.rate), 0)
            if silent >= frames:
                return
            self._sent = self._first
        got = self._ring.read(out[silent:])
        if got:
            self._anchor((now, (self._sent - silent) / self.rate - ahead))
            self._sent += got
