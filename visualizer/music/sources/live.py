"""Music that others play now: its beat is followed where there is one, tempo kept where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.clock import Hearing
from visualizer.music.sources.capture_thread import CaptureThread, TimedEstimate
from visualizer.music.sources.free_run import free_run_clock, free_run_hearing
from visualizer.music.sources.tape import Sounds

if TYPE_CHECKING:
    from visualizer.music.analysis.beat_pipeline import BeatEstimate

FOUND = 1.5  # seconds with a beat after which that is said; by then the tempo is known to 1 BPM
LOST = 8.0  # seconds without a beat after which that is said; breaks and talk between songs are shorter
DEAF = 1.0  # seconds in which nothing is heard because the device is gone, which is said elsewhere
SELDOM = 60.0  # seconds at least between two such messages
CALM = 0.12  # energy where there is sound but no music: people talk, the dancer sways
SURE = (0.2, 0.6)  # the network's "is there music" at which the dance is calm, and at which it is all there
SOON = 1.5  # seconds: time constant of calming down and of waking up


class BeatNews:
    """When the beat is found and when it is gone, for a toast; seldom, so as not to bother anybody."""

    def __init__(self) -> None:
        self._found = False  # was said last
        self._last = self._last_beat = self._last_said = -math.inf
        self._steady_since: float | None = None

    def push(self, now: float, steady: bool, bpm: float) -> str | None:
        """What there is to say at `now`, seconds, where the dance goes at `bpm`. To be asked all the time."""
        if now - self._last > DEAF:
            self._last_beat = now
        self._last = now
        if steady:
            self._last_beat = now
            self._steady_since = now if self._steady_since is None else self._steady_since
            if not self._found and now - self._steady_since >= FOUND:
                self._found, self._last_said = True, now
                return f"on the beat, {bpm:.0f} BPM"
            return None
        self._steady_since = None
        if self._found and now - self._last_beat > LOST and now - self._last_said > SELDOM:
            self._found, self._last_said = False, now
            return f"no beat to be heard: keeping {bpm:.0f} BPM"
        return None


class Calm:
    """Takes the energy down where there is sound but no music, and lets it up again; neither at once."""

    def __init__(self, now: float) -> None:
        self._music, self._asked = 1.0, now  # is there music, smoothed; when that was reckoned last

    def energy(self, now: float, heard: BeatEstimate) -> float:
        """Energy 0..1 to dance with at `now`, seconds."""
        self._music += (heard.music - self._music) * (1 - math.exp(-max(now - self._asked, 0.0) / SOON))
        self._asked = now
        dancing = min(max((self._music - SURE[0]) / (SURE[1] - SURE[0]), 0.0), 1.0)
        return CALM + (heard.levels.energy - CALM) * dancing


class LiveSource:
    """Follows a capture thread: the music's beat while one is surely heard, free-running while not."""

    def __init__(
        self, bpm: float, clock: Clock, listen: Callable[[Callable[[], str]], CaptureThread], notify: Notify
    ) -> None:
        """`listen(meanwhile)` begins to listen; `meanwhile()` says how the dance goes on without sound."""
        self.steps = free_run_clock(bpm, clock)
        self._followed: TimedEstimate | None = None
        self._news = BeatNews()
        self._notify = notify
        self._calm = Calm(clock())
        self._listener = listen(lambda: f"Dancing on at {self.steps.bpm:.0f} BPM")

    @property
    def name(self) -> str:
        return "own tempo" if self._listener.latest is None else self._listener.what

    def hearing(self, now: float) -> Hearing:
        self._listener.notice_stall()
        beat, sounding = self.musical_time(now), self._listener.latest
        if sounding is None:
            return free_run_hearing(now, self.steps.bpm, beat)
        heard = sounding.heard
        confidence = heard.confidence if heard.steady else 0.0
        levels = heard.levels._replace(energy=self._calm.energy(now, heard))
        return Hearing(now, self.steps.bpm, beat, confidence, *levels, sounding.mix)

    def musical_time(self, now: float) -> float:
        sounding = self._listener.latest
        if sounding is not None and sounding is not self._followed:
            self._followed = sounding
            if sounding.heard.steady:
                self.steps.follow(sounding.time, sounding.heard)
            if self.steps.tapped(now):  # the beat is somebody's
                return self.steps.musical_time(now)
            if news := self._news.push(sounding.time, sounding.heard.steady, self.steps.bpm):
                self._notify(news)
        return self.steps.musical_time(now)

    def find_silence(self, now: float) -> float:
        return self._listener.find_silence(now)

    def sounds(self, begins: float) -> Sounds | None:
        return self._listener.sounds(begins)

    def close(self) -> None:
        self._listener.close()
