"""Stand-ins for what sound comes from: PortAudio, devices, what is captured from them, and what is heard in it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from visualizer.music.analysis.features import RATE, Levels
from visualizer.music.sources.capture_thread import TimedEstimate
from visualizer.music.sources.devices import NoSound

DEVICE_RATE = 16_000


class Time:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


class FakePortAudio(ModuleType):
    """As much of sounddevice as we use. PortAudio's clock is `ahead` of ours."""

    class PortAudioError(Exception):
        pass

    def __init__(self, clock: Time, devices: list[dict] | None = None, ahead: float = 7.0) -> None:
        super().__init__("sounddevice")
        self.clock, self.ahead = clock, ahead
        self.devices = devices if devices is not None else [device("Room"), device("pulse")]
        self.default = SimpleNamespace(hostapi=0)
        self._initialized = 1
        self.refused: str | None = None
        self.broken: str | None = None
        self.streams: list[Stream] = []
        self.restarts = 0

    def query_devices(self, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        for each in self.devices:
            if each[f"max_{kind}_channels"]:
                return each
        raise self.PortAudioError("Error querying device -1")

    def query_hostapis(self, index: int) -> dict:
        return {"devices": [each["index"] for each in self.devices if each["hostapi"] == index]}

    def InputStream(self, **asked: Any) -> Stream:
        if self.broken:
            raise self.PortAudioError(self.broken, -9985)
        self.streams.append(Stream(self, **asked))
        return self.streams[-1]

    def _terminate(self) -> None:
        assert self._initialized, "PortAudio would refuse"
        self._initialized -= 1

    def _initialize(self) -> None:
        if self.refused:
            raise self.PortAudioError(self.refused, -9999)
        self._initialized += 1
        self.restarts += 1


NUMBERS = itertools.count()


def device(name: str, inputs: int = 2, rate: float = DEVICE_RATE, hostapi: int = 0) -> dict:
    return {
        "name": name, "max_input_channels": inputs, "max_output_channels": 2 - inputs, "default_samplerate": rate,
        "index": next(NUMBERS), "hostapi": hostapi,
    }  # fmt: skip


class Stream:
    def __init__(self, sd: FakePortAudio, **asked: Any) -> None:
        self.sd, self.asked = sd, asked
        self.active, self.closed, self.latency = False, False, 0.04
        self.source = os.environ.get("PULSE_SOURCE")
        self.failing = False

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active, self.closed = False, True

    @property
    def time(self) -> float:
        if self.failing:
            raise self.sd.PortAudioError("Error getting stream time")
        return self.sd.clock() + self.sd.ahead

    def come_in(self, samples: np.ndarray, delay: float | None = 0.01, called: float = 0.0) -> None:
        """A block that began to sound `delay` before the callback is called, which was `called` seconds ago."""
        now = self.time - called
        time = SimpleNamespace(inputBufferAdcTime=0.0 if delay is None else now - delay, currentTime=now)
        self.asked["callback"](samples, len(samples), time, None)


PATIENCE = 60.0  # seconds after which a test fails


class FakeLine:
    """Blocks to be read, one at a time; sample 0 sounded at 100 s. Empty, it calls `empty`."""

    def __init__(self, blocks: list[np.ndarray], rate: int = RATE, name: str = "a line") -> None:
        self.name, self.rate, self.lost, self.closed = name, rate, False, False
        self.blocks = blocks
        self.empty: Callable[[], None] = lambda: None

    def read(self) -> np.ndarray:
        if not self.blocks:
            self.empty()
            return np.zeros(0, np.float32)
        return self.blocks.pop(0).astype(np.float32)

    def sounded(self, seconds: float) -> float:
        return 100 + seconds

    def close(self) -> None:
        self.closed = True

    def lose(self) -> None:
        self.lost = True


class FakeChain:
    """Hears nothing but keeps everything."""

    def __init__(self) -> None:
        self.sound = np.zeros(0, np.float32)
        self.resets = 0

    def reset(self) -> None:
        self.sound = np.zeros(0, np.float32)
        self.resets += 1

    def push(self, samples: np.ndarray) -> Any:
        self.sound = np.concatenate([self.sound, samples])
        return SimpleNamespace(time=len(self.sound) / RATE) if len(self.sound) else None


class Stage:
    """Lines and failures in the order in which they are to be opened; then nothing more but the last failure."""

    def __init__(self, *acts: FakeLine | NoSound) -> None:
        self.acts = list(acts)
        self.looked_again: list[bool] = []
        self.chain = FakeChain()
        self.over = threading.Event()

    def open(self, look_again: bool, _clock: object) -> FakeLine:
        self.looked_again.append(look_again)
        if not self.acts:
            self.over.set()
            raise NoSound("the stage is empty")
        act = self.acts.pop(0)
        if isinstance(act, NoSound):
            raise act
        return act


@dataclass
class FakeEstimate:
    """As much of BeatEstimate as the live ear reads."""

    bpm: float
    beat: float
    steady: bool = True
    music: float = 1.0
    confidence: float = 0.9
    meter: int = 4
    bar_confidence: float = 1.0
    levels: Levels = Levels(0.8, 0.7, 0.5, 0.4, 0.9)  # noqa: RUF009


class FakeCaptureThread:
    what = "microphone"

    def __init__(self) -> None:
        self.latest: TimedEstimate | None = None
        self.closed = False

    def notice_stall(self) -> None: ...

    def find_silence(self, now: float) -> float:
        return 0.0

    def hear(self, time: float, heard: FakeEstimate) -> None:
        self.latest = TimedEstimate(time, heard, (("house", 1.0),))  # type: ignore[arg-type]

    def close(self) -> None:
        self.closed = True
