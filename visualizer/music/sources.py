"""Where the music comes from: the room, a song, or nobody. One protocol, `Ear`, for all.

An ear works in a thread of its own. What it hears it publishes as one immutable object, replaced whole; the thread
that draws asks `musical_time` and `hearing`, which only read and reckon. Whatever fails, the dance goes on.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from visualizer.errors import UserError
from visualizer.music.clock import BEATS_PER_BAR, Hearing, MusicClock, fold
from visualizer.music.features import RATE, FeatureStream, Leveller, Levels
from visualizer.music.ring import Ring
from visualizer.music.song import HeardSong, check_song, hear_song, read_song

RETRY = 3.0  # seconds between two looks for a device that is not there
STALLED = 2.5  # seconds without a callback after which a device counts as lost
LEAD = 0.5  # seconds at least from counting in to the first sample; more than OUTPUT_LATENCY
OUTPUT_LATENCY = 0.25  # seconds of sound in the device: the clock knows of it, and a busy moment does not stutter
PHRASE = 32  # beats

Clock = Callable[[], float]


class Ear(Protocol):
    """Something that gives musical time and the feel of the music. For use from one thread."""

    @property
    def name(self) -> str: ...  # for the screen: "microphone", "song.mp3", "own tempo"
    def hearing(self, now: float) -> Hearing: ...  # never blocks
    def musical_time(self, now: float) -> float: ...  # never runs backwards, nor does it jump
    def toasts(self) -> list[str]: ...  # new messages since the last call
    def close(self) -> None: ...


class NoSound(Exception):
    """No PortAudio, or no such device. `for_good`: looking again is useless."""

    def __init__(self, why: str, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def open_ear(audio: str, *, bpm: float, clock: Clock) -> Ear:
    """`audio`: "auto", "mic", "mic:NAME" (part of a device's name), "none", or the path of a song.

    `auto` is the microphone where there is one, own tempo where there is none. `bpm` is danced until something else is
    known; outside 80-160 it is halved or doubled. UserError for a song that cannot be played or a tempo that is none.
    """
    if not (math.isfinite(bpm) and 20 <= bpm <= 400):
        raise UserError(f"tempo {bpm:g}: must be from 20 to 400 beats a minute")
    if audio == "none":
        return OwnTempo(bpm, clock)
    if audio in ("auto", "mic"):
        return Microphone(bpm, clock)
    if audio.startswith("mic:"):
        return Microphone(bpm, clock, audio[4:].strip())
    path = Path(audio).expanduser()
    check_song(path)
    return Song(path, bpm, clock)


# --- own tempo ---------------------------------------------------------------------------------------------------


def course(beat: float) -> float:
    """Energy 0..1 of a dance without music: phrases of 32 beats that build up, take a breath and drop.

    No two neighbouring phrases are alike: their levels follow the golden ratio, which never comes round.
    """
    phrase, place = divmod(beat, PHRASE)
    level = 0.35 + 0.4 * (phrase * 0.618034 % 1.0)
    after = 0.35 + 0.4 * ((phrase + 1) * 0.618034 % 1.0)
    knots = ((0, level), (2, level + 0.1), (16, level), (27, level + 0.25), (29, 0.3), (31, 0.3), (PHRASE, after))
    places, levels = zip(*knots, strict=True)
    return float(np.interp(place, places, levels))


def own_hearing(now: float, bpm: float, beat: float) -> Hearing:
    """A hearing made up for a dance without music: a kick on the beat, a hat between, confidence 0."""
    energy = course(beat)
    kick, hat = math.exp(-5 * (beat % 1.0)), math.exp(-8 * ((beat + 0.5) % 1.0))
    chord = math.exp(-3 * ((beat / 2) % 1.0))
    levels = (0.3 + 0.5 * energy, energy * kick, energy * chord, energy * hat * 0.8, energy)
    return Hearing(now, bpm, beat, 0.0, *levels)


class OwnTempo:
    """Nothing is heard; the dance goes at `bpm`."""

    def __init__(self, bpm: float, clock: Clock) -> None:
        self.name = "own tempo"
        self._steps = MusicClock(clock(), bpm * fold(bpm))

    def hearing(self, now: float) -> Hearing:
        return own_hearing(now, self._steps.bpm, self._steps.musical_time(now))

    def musical_time(self, now: float) -> float:
        return self._steps.musical_time(now)

    def toasts(self) -> list[str]:
        return []

    def close(self) -> None: ...


# --- devices -----------------------------------------------------------------------------------------------------


def _sounddevice(look_again: bool) -> ModuleType:
    """The sounddevice module. PortAudio lists devices once, when it starts; `look_again` restarts it.

    Only for a moment at which none of our streams is open. NoSound without PortAudio.
    """
    try:
        import sounddevice  # late: without PortAudio it is an OSError
    except OSError as error:
        raise NoSound("PortAudio is not installed", for_good=True) from error
    if look_again:
        # Underscored, but the way that sounddevice itself names for finding a device plugged in later.
        sounddevice._terminate()
        sounddevice._initialize()
    return sounddevice


def _find_device(sd: ModuleType, kind: str, name: str = "") -> dict:
    """The default device of this `kind` ("input", "output"), or the first whose name contains `name`."""
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


class Microphone:
    """Energy from the room, at our own tempo. Lost, it is looked for every few seconds."""

    def __init__(self, bpm: float, clock: Clock, device: str = "") -> None:
        self._clock, self._device = clock, device
        self._steps = MusicClock(clock(), bpm * fold(bpm))
        self._levels: Levels | None = None  # None: no microphone now
        self._name = "own tempo"
        self._messages: deque[str] = deque()
        self._stop = Event()
        self._thread = Thread(target=self._listen, name="ear", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        return self._name

    def hearing(self, now: float) -> Hearing:
        levels, beat = self._levels, self._steps.musical_time(now)
        if levels is None:
            return own_hearing(now, self._steps.bpm, beat)
        return Hearing(now, self._steps.bpm, beat, 0.0, *levels)

    def musical_time(self, now: float) -> float:
        return self._steps.musical_time(now)

    def toasts(self) -> list[str]:
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _listen(self) -> None:
        """The hearing thread: from one device to the next until closed."""
        said, look_again = "", False
        while not self._stop.is_set():
            try:
                sd = _sounddevice(look_again)
                try:
                    self._hear(sd)
                    why = "microphone lost"
                except sd.PortAudioError as error:
                    why = f"microphone cannot be opened: {error.args[0]}"
            except NoSound as error:
                why = f"no microphone: {error}"
                if error.for_good:
                    self._messages.append(f"{why}. Dancing at {self._steps.bpm:.0f} BPM")
                    return
            self._levels, self._name = None, "own tempo"
            if why != said and not self._stop.is_set():  # once, however often the search fails the same way
                self._messages.append(f"{why}. Dancing on at {self._steps.bpm:.0f} BPM, looking again")
            said = "no microphone: no input device" if why == "microphone lost" else why
            look_again = True
            self._stop.wait(RETRY)

    def _hear(self, sd: ModuleType) -> None:
        """Hear through one device until it is lost or we are closed."""
        import soxr

        device = _find_device(sd, "input", self._device)
        rate, channels = int(device["default_samplerate"]), min(2, device["max_input_channels"])
        ring = Ring(rate, channels)
        features, leveller = FeatureStream(), Leveller()  # before the stream: the first takes a while
        resampler = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="MQ")
        block = np.empty((rate // 10, channels), np.float32)

        def callback(samples: np.ndarray, _frames: int, _time: object, _status: object) -> None:
            ring.write(samples)  # all that a callback may do; when the ring is full the rest is dropped

        # "low" latency would be a thousand calls a second into Python on some systems.
        with sd.InputStream(
            device=device["index"], samplerate=rate, channels=channels, dtype="float32", latency=0.02, callback=callback
        ) as stream:
            self._messages.append(f"listening to {device['name']}")
            self._levels, self._name = Levels(0.0, 0.0, 0.0, 0.0, 0.3), "microphone"
            last_sound = self._clock()
            while stream.active and not self._stop.wait(0.015):
                got = ring.read(block)
                if not got:
                    if self._clock() - last_sound > STALLED:
                        return
                    continue
                last_sound = self._clock()
                mono = block[:got].mean(axis=1)
                if resampler is not None:
                    mono = resampler.resample_chunk(mono)
                self._levels = leveller.push(features.push(mono)) or self._levels


# --- a song ------------------------------------------------------------------------------------------------------


class Song:
    """A file that is heard ahead, then played, and danced to by the samples that have left the loudspeaker.

    The dance starts at our own tempo while the file is listened to (some seconds), and the song is counted in: it
    begins where its first bar falls on a bar of the dance. With no sound output the file is danced to in silence,
    by the clock. When it is over, the dance goes on at the last tempo.
    """

    def __init__(self, path: Path, bpm: float, clock: Clock) -> None:
        self.name = path.name
        self._path, self._bpm, self._clock = path, bpm, clock
        self._steps = MusicClock(clock(), bpm * fold(bpm))
        self._heard: HeardSong | None = None
        self._anchor: tuple[float, float] | None = None  # (seconds on the clock, seconds of the song heard then)
        self._stop = Event()
        self._messages: deque[str] = deque()
        self._thread = Thread(target=self._perform, name="ear", daemon=True)
        self._thread.start()

    def hearing(self, now: float) -> Hearing:
        beat = self.musical_time(now)
        heard, place = self._heard, self._place(now)
        if heard is None or place is None or not 0 <= place < heard.seconds:
            return own_hearing(now, self._steps.bpm, beat)
        return replace(heard.hearing(place), time=now, bpm=self._steps.bpm, beat=beat)

    def musical_time(self, now: float) -> float:
        heard = self._heard
        if heard is not None:
            if self._anchor is None:
                self._count_in(heard, now)
            place = self._place(now)
            if place is not None and place < heard.seconds:
                self._steps.report(now, heard.musical_time(place), heard.pace(place))
        return self._steps.musical_time(now)

    def toasts(self) -> list[str]:
        return [self._messages.popleft() for _ in range(len(self._messages))]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _place(self, now: float) -> float | None:
        """Seconds of the song heard at `now`; negative while it is counted in."""
        anchor = self._anchor
        return None if anchor is None else anchor[1] + now - anchor[0]

    def _count_in(self, heard: HeardSong, now: float) -> None:
        """Set the song's beginning to the next moment at which its bar meets the bar of the dance."""
        rate = heard.pace(0.0) / 60
        missing = heard.musical_time(0.0) - (self._steps.musical_time(now) + LEAD * rate)
        self._anchor = (now + LEAD + missing % BEATS_PER_BAR / rate, 0.0)

    def _perform(self) -> None:
        """The song's thread: listen ahead, then play to the end, whatever the devices do."""
        self._messages.append(f"listening ahead to {self.name}")
        try:
            heard = hear_song(self._path, self._bpm)
        except UserError as error:  # the file broke since it was checked
            self._messages.append(f"{error}. Dancing at {self._steps.bpm:.0f} BPM")
            return
        if not heard.confidence:
            self._messages.append(f"no beat found in {heard.name}: danced at {heard.bpm:.0f} BPM")
        said, look_again = "", False
        while not self._stop.is_set() and self._now_place() < heard.seconds:
            for_good = False
            try:
                sd = _sounddevice(look_again)
                try:
                    if self._play(sd, heard):
                        break
                    why = "sound output lost"
                except sd.PortAudioError as error:
                    why = f"sound output cannot be opened: {error.args[0]}"
            except NoSound as error:
                why, for_good = f"no sound output: {error}", error.for_good
            self._heard = heard  # no device: count in without one
            if why != said and not self._stop.is_set():
                self._messages.append(f"{why}. Dancing to {heard.name} in silence")
            said = "no sound output: no output device" if why == "sound output lost" else why
            look_again = True
            left = heard.seconds - self._now_place()
            self._stop.wait(max(left, 0.0) if for_good else min(RETRY, max(left, 0.0)))
        if not self._stop.is_set():
            self._messages.append(f"{heard.name} is over. Dancing on at {heard.pace(heard.seconds):.0f} BPM")

    def _play(self, sd: ModuleType, heard: HeardSong) -> bool:
        """Play from where the dance is. True once the song is over or we are closed, False if the device is lost."""
        device = _find_device(sd, "output")
        rate, channels = int(device["default_samplerate"]), min(2, device["max_output_channels"])
        ring = Ring(2 * rate, channels)
        sent = -1  # index in the song of the next sample to go out, -1 before the first; the callback's own
        last_call = math.inf  # on the clock
        latency = 0.05  # of the device, until it says

        def callback(out: np.ndarray, frames: int, time: Any, _status: object) -> None:
            nonlocal sent, last_call
            now = last_call = self._clock()
            ahead = time.outputBufferDacTime - time.currentTime  # until the first of these samples is heard
            ahead = ahead if 0 < ahead < 2 else latency
            out[:] = 0
            silent = 0
            if sent < 0:  # the ring begins with sample `first`: is its time in this buffer?
                place = self._place(now)
                silent = frames if place is None else max(round(first - (place + ahead) * rate), 0)
                if silent >= frames:
                    return
                sent = first
            got = ring.read(out[silent:])
            if got:
                self._anchor = (now, (sent - silent) / rate - ahead)
                sent += got

        def lost() -> bool:
            return not stream.active or self._clock() - last_call > STALLED

        # What has passed is skipped, and LEAD beyond it, in which the ring is filled.
        blocks, first, block = read_song(self._path, rate, channels), 0, np.zeros((0, channels), np.float32)
        place = self._place(self._clock())
        while place is not None and (skip := math.ceil((place + LEAD) * rate) - first) > 0:
            if skip < len(block):
                first, block = first + skip, block[skip:]
            else:
                first, block = first + len(block), next(blocks, None)
                if block is None:
                    return True  # too late: the end is here
                place = self._place(self._clock()) or 0.0
        with sd.OutputStream(
            device=device["index"],
            samplerate=rate,
            channels=channels,
            dtype="float32",
            latency=OUTPUT_LATENCY,
            callback=callback,
        ) as stream:
            latency = stream.latency
            for samples in chain([block], blocks):
                at = ring.write(samples)
                while at < len(samples):  # full: two seconds are ready
                    self._heard = heard  # and so are we: from here on it may be counted in
                    if self._stop.wait(0.05):
                        return True
                    if lost():
                        return False
                    at += ring.write(samples[at:])
            self._heard = heard
            while ring.filled:
                if self._stop.wait(0.05):
                    return True
                if lost():
                    return False
            self._stop.wait(latency)
        return True

    def _now_place(self) -> float:
        return self._place(self._clock()) or 0.0
