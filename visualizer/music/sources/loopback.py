"""What the computer plays, heard without a microphone: no room, no crowd, no clipping.

Each system has a way of its own. PulseAudio and PipeWire give every output a monitor, an input like any other; ALSA's
pulse plugin, and so PortAudio, reaches it by the name that PULSE_SOURCE holds at the moment of opening. WASAPI can
open an output for listening, which PortAudio's builds leave out and the soundcard package does. macOS has no way.
"""

from __future__ import annotations

import os
import sys
from threading import Event, Thread

import numpy as np

from visualizer.errors import UserError
from visualizer.music import Clock
from visualizer.music.analysis.features import Floats
from visualizer.music.mono import LiveMix
from visualizer.music.sources.capture import Capture, PortAudioCapture, Stamps
from visualizer.music.sources.devices import STALLED, NoSound, opening, portaudio
from visualizer.music.sources.ring import Ring

NAME = "what the computer plays"
MONITOR = "@DEFAULT_MONITOR@"  # to the sound server: of the output that is the default now
SOUNDCARD_RATE = 48_000  # Hz; Windows resamples where the device runs at another
PERIOD = 0.01  # seconds that a packet is old when it comes
BUFFER = 0.1  # seconds of packets that Windows keeps for us: a busy moment loses none, and none comes later for it


def check_loopback() -> None:
    """UserError where the system has no way to hear what it plays."""
    if sys.platform == "darwin":
        raise UserError(
            "--audio loopback: macOS lets no program hear what the others play; install a virtual sound device such as "
            "BlackHole, play into it, and use --audio mic:BlackHole"
        )


def open_loopback(look_again: bool, clock: Clock) -> Capture:
    """A line from the default output. NoSound if there is none now."""
    return SoundcardCapture(clock) if sys.platform == "win32" else _open_monitor(look_again, clock)


def _open_monitor(look_again: bool, clock: Clock) -> Capture:
    sd = portaudio(look_again)
    found = [each for each in sd.query_devices() if each["name"] == "pulse" and each["max_input_channels"] > 0]
    if not found:
        raise NoSound("ALSA's pulse plugin is missing or no sound server runs (Debian's package: libasound2-plugins)")
    with opening():
        before = os.environ.get("PULSE_SOURCE")
        os.environ["PULSE_SOURCE"] = MONITOR  # read once, while the stream opens
        try:
            line = PortAudioCapture(sd, found[0], clock)
        finally:
            if before is None:
                del os.environ["PULSE_SOURCE"]
            else:
                os.environ["PULSE_SOURCE"] = before
    line.name = NAME
    return line


class SoundcardCapture:
    """A line from the default output, by the soundcard package: what Windows plays.

    It has no callback and hands out one packet of some 10 ms at a time, so a thread of its own takes them.
    """

    def __init__(self, clock: Clock) -> None:
        """NoSound if there is no output or it cannot be opened."""
        import soundcard  # a dependency on Windows only

        self.name, self.rate, self.lost = NAME, SOUNDCARD_RATE, False
        self._clock, self._stamps, self._ring = clock, Stamps(), Ring(SOUNDCARD_RATE, 2)
        self._block = np.empty((SOUNDCARD_RATE // 10, 2), np.float32)
        self._mix = LiveMix(SOUNDCARD_RATE, 2)
        try:
            speaker = soundcard.default_speaker()
            line = soundcard.get_microphone(speaker.id, include_loopback=True)
            self._recorder = line.recorder(SOUNDCARD_RATE, channels=2, blocksize=int(SOUNDCARD_RATE * BUFFER))
            self._recorder.__enter__()
        # What soundcard makes of a COM error, of a name not found, of a format that it did not expect.
        except (RuntimeError, IndexError, AssertionError) as error:
            raise NoSound(f"no output can be listened to ({error})") from error
        self._last_sound = clock()
        self._stop = Event()
        self._thread = Thread(target=self._record, name="loopback", daemon=True)
        self._thread.start()

    def read(self) -> Floats:
        got = self._ring.read(self._block)
        now = self._clock()
        if got:
            self._last_sound = now
        elif now - self._last_sound > STALLED:  # a packet is waited for that will never come
            self.lost = True
        return self._mix.push(self._block[:got])

    def sounded(self, seconds: float) -> float:
        return self._stamps.time_of(seconds)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)
        if self._thread.is_alive():  # it still waits, and who would end the stream would wait for it
            return
        try:
            self._recorder.__exit__(None, None, None)
        except RuntimeError:  # the device is gone, and its stream with it
            self.lost = True

    def _record(self) -> None:
        """The thread of the packets. Each is waited for; where nothing plays, zeros come after some 40 ms."""
        while not self._stop.is_set():
            try:
                block = self._recorder.record(numframes=None)
            except RuntimeError:
                self.lost = True
                return
            ended = self._clock() - PERIOD
            self._stamps.add((self._ring.written + len(block)) / self.rate, ended)
            self._ring.write(block)  # when the ring is full the rest is dropped
