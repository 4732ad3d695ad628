"""The hearing thread: follows one line after the other, and publishes what it hears as one object, replaced whole."""

from __future__ import annotations

import gc
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

import numpy as np

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.analysis.features import RATE, Features, Floats, clean
from visualizer.music.sources.capture import Capture, PortAudioCapture
from visualizer.music.sources.devices import (
    GONE,
    RETRY,
    STALLED,
    NoSound,
    find_device,
    leave_portaudio,
    portaudio,
)
from visualizer.music.sources.loopback import open_loopback
from visualizer.music.sources.tape import Tape

if TYPE_CHECKING:
    from visualizer.music.analysis.beat_pipeline import BeatEstimate
    from visualizer.music.analysis.genre import GenreClassifier, GenreScores

log = logging.getLogger("visualizer")

PAUSE = 0.015  # seconds between two looks into the ring; sound is heard no more often than its features come
LOST = "a device that was lost"
STATE = "ear"  # topic of what is true until the next such message
LOOKS = 10  # pictures in a row at which a device has not answered: a program that was stopped is none such
MUTE = 10.0  # seconds of samples that are all exactly the same: no room is so quiet
FULL = 0.99  # of what a sample can be
CLIPPED = 0.02  # share of samples at the edge, in CLIP_SECONDS, that is heard as noise: the gain is far too high
CLIP_SECONDS = 10.0
SOFTEST = 1e-3  # of what a sample can be: below it, -60 dBFS, a device gives nothing that could be music


class Chain(Protocol):
    """What the thread asks of beat_pipeline.BeatPipeline."""

    @property
    def heard_rows(self) -> Features: ...
    def push(self, samples: Floats) -> BeatEstimate | None: ...
    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class TimedEstimate:
    """What was heard, and when that was on the clock."""

    time: float  # seconds
    heard: BeatEstimate
    mix: GenreScores = ()  # genres and their shares; () where unknown


class Judge:
    """Tells what is wrong with the sound of a device, each once."""

    def __init__(self, name: str, rate: int) -> None:
        self._name, self._rate = name, rate
        self._last = math.nan
        self._same = 0  # samples that are all like the last
        self._count = self._full = 0  # samples of the last seconds, and those of them at the edge
        self._said: set[str] = set()

    @property
    def mute(self) -> bool:
        return self._same > MUTE * self._rate

    def push(self, sound: Floats) -> list[str]:
        """What there is to say after these samples, at least one."""
        same = bool(np.ptp(sound) == 0)
        self._same = self._same * (sound[0] == self._last) + len(sound) if same else 0
        self._last = float(sound[-1])
        self._count += len(sound)
        self._full += int(np.count_nonzero(np.abs(sound) >= FULL))
        texts = []
        if self.mute:
            texts.append("gives no sound at all: is it muted, or not permitted?")
        elif self._count > CLIP_SECONDS * self._rate:
            if self._full > CLIPPED * self._count:
                texts.append("is overdriven: turn its level down")
            self._count = self._full = 0
        new = [text for text in texts if text not in self._said]
        self._said.update(new)
        return [f"{self._name} {text}" for text in new]


class CaptureThread:
    """Hears through a device, at our own pace where it is lost, and looks for it again every few seconds."""

    def __init__(
        self,
        what: str,
        open_line: Callable[[bool, Clock], Capture],
        clock: Clock,
        meanwhile: Callable[[], str],
        notify: Notify,
        chain: Callable[[], tuple[Chain, GenreClassifier | None]] | None = None,
        reopen: bool = False,
    ) -> None:
        """`open_line(look_again, clock)` may raise NoSound. `meanwhile()` says what is done while nothing is heard;
        `notify` is told what is heard and what is not, from this thread. Seven parameters, for tests give each its own.

        `chain` makes what finds the beat and what tells the genre, by default BeatPipeline and GenreClassifier.
        `reopen`: where nothing but zeros comes, open it again, for another output may be in use by then.
        """
        self.latest: TimedEstimate | None = None  # None: no device now
        self._sounded = clock()  # when sound came last; before the first, when it was waited for
        self._has_sounded = False
        self.what = what
        self._open, self._clock, self._meanwhile = open_line, clock, meanwhile
        self._chain, self._reopen = chain or self._make_chain, reopen
        self._notify, self._woken = notify, False
        self._tape: Tape | None = None  # runs along while somebody records
        self._asked: float | None = None  # when the device was asked for sound, as long as it has not answered
        self._late, self._looks = math.nan, 0  # when it was asked in vain, and how often that was seen
        self._stop = Event()
        self._thread = Thread(target=self._run, name="ear", daemon=True)
        self._thread.start()

    def notice_stall(self) -> None:
        """To be called with each picture: says so, once, where the device does not return from a call of ours.

        PortAudio may wait for ever for a sound server that has died; the dance goes on without it.
        """
        asked = self._asked
        if asked is None or time.monotonic() - asked <= STALLED:
            return
        self._looks = self._looks + 1 if asked == self._late else 1
        self._late = asked
        if self._looks == LOOKS:
            leave_portaudio()
            self._notify(f"{self.what} lost: {GONE}. {self._meanwhile()}", STATE)
            self.latest = None

    def find_silence(self, now: float) -> float:
        """Seconds in which no sound at all has come. What a computer plays may pause: 0 after its first sound."""
        return 0.0 if self._reopen and self._has_sounded else max(now - self._sounded, 0.0)

    def sounds(self, begins: float) -> Tape | None:
        """What is heard from that moment on, on the clock; None while there is no device."""
        if self.latest is None:
            return None
        self._tape = Tape(begins)
        return self._tape

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=1)
        if self._asked is not None and self._thread.is_alive():
            leave_portaudio()

    def _run(self) -> None:
        said: set[str] = set()
        while not self._stop.is_set():
            try:
                self._listen(*self._chain())
                return
            except Exception as error:  # whatever it is: a thread that ends in silence is not missed by anybody
                log.exception("the ear has failed")
                why = f"the ear has failed ({error or type(error).__name__})"
                if why not in said:
                    self._notify(f"{why}. {self._meanwhile()}, listening again", STATE)
                said.add(why)
                self._stop.wait(RETRY)
            finally:
                self.latest = None

    def _make_chain(self) -> tuple[Chain, GenreClassifier | None]:
        """What ships; and what goes without a file of it that is missing or broken, which is said."""
        if not self._woken:
            self._notify("waking the ear", STATE)
            self._woken = True
        from visualizer.music.analysis.beat_pipeline import BeatPipeline, find_model  # late: they load networks
        from visualizer.music.analysis.genre import GenreClassifier

        try:
            chain = BeatPipeline(find_model())
        except UserError as error:
            self._notify(f"listening for onsets alone: {error}")
            chain = BeatPipeline(None)
        gc.freeze()  # what was loaded stays, like all else that the show begins with; see launch.py
        try:
            return chain, GenreClassifier()
        except UserError as error:
            self._notify(f"the music's style cannot be told: {error}")
            return chain, None

    def _listen(self, chain: Chain, taste: GenreClassifier | None) -> None:
        """From one line to the next until closed."""
        said: set[str] = set()  # what has been said since sound last came: each failure once, however often it comes
        known, look_again = "", False
        while not self._stop.is_set():
            try:
                line = self._open(look_again, self._clock)
            except NoSound as error:
                why = f"no {self.what}: {error}"
                if error.for_good:
                    self._notify(f"{why}. {self._meanwhile()}", STATE)
                    return
                if known == LOST:  # that is said already
                    said.add(why)
            else:
                if line.name != known:
                    self._notify(f"listening to {line.name}", STATE)
                known = line.name
                try:
                    lost = self._hear(line, chain, taste)
                    if lost:  # said before it is closed, which may take its time
                        known = LOST
                        said.clear()
                        self._miss(f"{self.what} lost", said)
                finally:
                    line.close()
                if not lost:
                    look_again = False
                    continue
                why = f"{self.what} lost"
            self._miss(why, said)
            look_again = True
            self._stop.wait(RETRY)

    def _miss(self, why: str, said: set[str]) -> None:
        """There is no device now; why is added to what was `said`."""
        self.latest = None
        if why not in said and not self._stop.is_set():
            self._notify(f"{why}. {self._meanwhile()}, looking again", STATE)
        said.add(why)

    def _hear(self, line: Capture, chain: Chain, taste: GenreClassifier | None) -> bool:
        """Hear through one line until it is lost (True), we are closed, or it is to be opened again."""
        import soxr

        chain.reset()
        judge = Judge(line.name, line.rate)
        resample = (
            None if line.rate == RATE else soxr.ResampleStream(line.rate, RATE, 1, "float32", "MQ").resample_chunk
        )
        count = 0
        while not self._stop.wait(PAUSE):
            self._asked = time.monotonic()
            sound = line.read()
            self._asked = None
            if line.lost:
                return True
            if not len(sound):
                continue
            count += len(sound)
            sound = clean(sound)
            if float(np.abs(sound).max()) > SOFTEST:
                self._sounded, self._has_sounded = self._clock(), True
            if (tape := self._tape) is not None:
                tape.write(sound, line.rate, line.sounded(count / line.rate))
            said = judge.push(sound)
            if judge.mute and self._reopen:
                return False
            for text in said:
                self._notify(text)
            # Sample m of the resampled stream sounds at m / RATE of the line's: soxr takes its own delay out.
            heard = chain.push(sound if resample is None else resample(sound))
            if heard is None or not math.isfinite(at := line.sounded(heard.time)):
                continue
            if taste is not None:
                taste.push(chain.heard_rows, heard.beat, heard.bpm, heard.steady)
            self.latest = TimedEstimate(at, heard, taste.mix if taste is not None else ())
        return False


def open_microphone(name: str) -> Callable[[bool, Clock], Capture]:
    """An opener of the default input device, or of the first whose name contains `name`."""

    def opened(look_again: bool, clock: Clock) -> Capture:
        sd = portaudio(look_again)
        return PortAudioCapture(sd, find_device(sd, "input", name), clock)

    return opened


def microphone(name: str, clock: Clock, notify: Notify, meanwhile: Callable[[], str]) -> CaptureThread:
    """A listener to the room."""
    return CaptureThread("microphone", open_microphone(name), clock, meanwhile, notify)


def loopback(clock: Clock, notify: Notify, meanwhile: Callable[[], str]) -> CaptureThread:
    """A listener to what the computer plays."""
    return CaptureThread("loopback", open_loopback, clock, meanwhile, notify, reopen=True)
