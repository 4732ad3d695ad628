"""Ableton Link: one tempo and one beat for all programs and screens in a network that take part.

DJ software and grooveboxes speak it; two screens that do dance on the same beat. It carries no sound, so how lively
the music is comes from a microphone where there is one. We never set a tempo. But a program that joins takes
the tempo of those that are there, so one that joins while we are alone takes ours; hence that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Thread
from types import ModuleType

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.clock import BEATS_PER_BAR, Hearing
from visualizer.music.sources.capture_thread import CaptureThread
from visualizer.music.sources.free_run import free_run_clock, free_run_hearing
from visualizer.music.sources.live import Calm
from visualizer.music.sources.tape import Sounds

PAUSE = 0.05  # seconds between two looks at the session; between them the beat is reckoned on


@dataclass(frozen=True, slots=True)
class Shared:
    """The beat of a session at one moment; what MusicClock.follow asks of a tempo."""

    time: float  # seconds on our clock
    bpm: float
    beat: float
    peers: int
    meter: int = BEATS_PER_BAR
    bar_confidence: float = 1.0  # a session knows where its bars begin


def link_module() -> ModuleType:
    """The module of the package LinkPython-extern. UserError where it is not installed."""
    try:
        import link
    except ImportError as error:
        raise UserError("--audio link needs the extra 'link': pip install 'dancing-screen[link]'") from error
    return link


class LinkSource:
    """Dances on the beat of a Link session, alone as in company."""

    def __init__(
        self, bpm: float, clock: Clock, listen: Callable[[Callable[[], str]], CaptureThread], notify: Notify
    ) -> None:
        """`listen(meanwhile)` begins to listen for the energy. UserError without the extra."""
        module = link_module()
        self.steps = free_run_clock(bpm, clock)
        self._clock, self._calm = clock, Calm(clock())
        self._notify = notify
        self._link = module.Link(self.steps.bpm)
        self._link.enabled = True
        self._shared = self._look()
        self._notify(f"Ableton Link: no one else yet; those who join take {self.steps.bpm:.0f} BPM")
        self._followed: Shared | None = None
        self._stop = Event()
        self._thread = Thread(target=self._watch, name="link", daemon=True)
        self._thread.start()
        self._listener = listen(lambda: "The energy is made up")

    @property
    def name(self) -> str:
        return "Ableton Link" if self._shared.peers else "Ableton Link, alone"

    def hearing(self, now: float) -> Hearing:
        self._listener.notice_stall()
        beat, bpm, sounding = self.musical_time(now), self.steps.bpm, self._listener.latest
        confidence = float(self._shared.peers > 0)
        if sounding is None:
            return replace(free_run_hearing(now, bpm, beat), confidence=confidence)
        levels = sounding.heard.levels._replace(energy=self._calm.energy(now, sounding.heard))
        return Hearing(now, bpm, beat, confidence, *levels, sounding.mix)

    def musical_time(self, now: float) -> float:
        shared = self._shared
        if shared is not self._followed:
            self._followed = shared
            self.steps.follow(shared.time, shared)
        return self.steps.musical_time(now)

    def find_silence(self, now: float) -> float:
        return 0.0

    def sounds(self, begins: float) -> Sounds | None:
        return self._listener.sounds(begins)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)
        self._listener.close()
        self._link.enabled = False

    def _look(self) -> Shared:
        session = self._link.captureAppSessionState()
        now, micros = self._clock(), self._link.clock().micros()  # the same moment on both clocks
        beat = session.beatAtTime(micros, BEATS_PER_BAR)
        return Shared(now, session.tempo(), beat, self._link.numPeers())

    def _watch(self) -> None:
        """The session's thread: a look takes a lock that others hold at times."""
        peers = 0
        while not self._stop.wait(PAUSE):
            self._shared = shared = self._look()
            if shared.peers != peers:
                others = f"{shared.peers} other{'s' if shared.peers > 1 else ''}" if shared.peers else "no one else"
                self._notify(f"Ableton Link: {others}, {shared.bpm:.0f} BPM")
                peers = shared.peers
