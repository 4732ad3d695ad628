"""A list of songs that are played one after the other, each heard ahead, faded into the next, and danced to."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from types import ModuleType

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.clock import BEATS_PER_BAR, Hearing
from visualizer.music.playlist import Playlist
from visualizer.music.sources.ahead import HeardAhead, Hearer
from visualizer.music.sources.devices import RETRY, NoSound, portaudio
from visualizer.music.sources.free_run import free_run_clock, free_run_hearing
from visualizer.music.sources.song_mix import MixSound, SongMix
from visualizer.music.sources.sound_out import Anchor, SoundOut
from visualizer.music.sources.tape import Sounds
from visualizer.music.sources.timeline import Segment, Timeline

LEAD = 0.5  # seconds at least from counting in to the first sample; more than the device's latency
READY = 1.5  # seconds of sound that wait: so late does a song come that somebody asks for
BLOCK = 0.1  # seconds that are mixed at a time
LOOK = 0.05  # seconds between two looks at what is to be done


@dataclass(frozen=True)
class PlaylistPlan:
    """How a list is played: songs in `playlist` from number `start` on; `begun` is told the number of each."""

    playlist: Playlist
    crossfade: float = 4.0  # seconds
    bpm: float = 120.0  # where there is no song, or none with a beat
    start: int = 0
    begun: Callable[[int], None] = lambda number: None


class PlaylistSource:
    """Plays the list round and round. The dance starts at our own tempo until the first song is heard.

    A song is put down on a timeline before the one that plays is over; from then on it is a matter of samples. With no
    sound output the songs are danced to in silence, by the clock. Songs that cannot be played are said and left out.
    """

    def __init__(self, plan: PlaylistPlan, clock: Clock, notify: Notify, hearer: Hearer | None = None) -> None:
        self.steps = free_run_clock(plan.bpm, clock)
        self._plan, self._clock, self._notify = plan, clock, notify
        self._songs = plan.playlist.songs
        self._hearer = hearer or Hearer(plan.bpm)
        self._timeline = Timeline(plan.crossfade)
        self._anchor: Anchor | None = None
        self._ready = False  # the first song may be counted in
        self._led: Segment | None = None  # that is danced to; for the thread that draws
        self._wanted = plan.start % len(self._songs)  # that comes next
        self._way = 1  # on which a song that is left out is passed
        self._jumps = False  # it is to come at once
        self._steps, self._lock = 0, Lock()  # songs on or back that were asked for since the last look
        self._broken: set[int] = set()
        self._said = ""  # of a song that is waited for
        self._stop = Event()
        self._thread = Thread(target=self._perform, name="ear", daemon=True)
        self._thread.start()

    # --- for the thread that draws

    @property
    def name(self) -> str:
        """Of the song that plays."""
        return self.playing or "playlist"

    @property
    def playing(self) -> str:
        """Artist and title of the song that plays; "" before the first."""
        return "" if self._led is None else self._led.song.title

    def hearing(self, now: float) -> Hearing:
        beat = self.musical_time(now)
        place, led = self._place(now), self._led
        if place is None or led is None or not led.begin <= place < led.end:
            return free_run_hearing(now, self.steps.bpm, beat)
        return replace(led.analysis.hearing(place - led.begin), time=now, bpm=self.steps.bpm, beat=beat)

    def musical_time(self, now: float) -> float:
        if self._ready:
            if self._anchor is None:
                self._count_in(now)
            place = self._place(now)
            if place is not None and (led := self._timeline.find(place)) is not None:
                self._follow(led)
                if not self.steps.tapped(now):
                    self.steps.report(now, led.musical_time(place), led.pace(place))
        return self.steps.musical_time(now)

    def find_silence(self, now: float) -> float:
        return 0.0

    def sounds(self, begins: float) -> Sounds | None:
        return MixSound(begins, self._place, self._timeline)

    def step(self, songs: int) -> str:
        """So many songs on, or back; what to say of that."""
        with self._lock:
            self._steps += songs
        return "the next song" if songs > 0 else "the song before"

    def close(self) -> None:
        self._stop.set()
        self._hearer.close()
        self._thread.join(timeout=2)

    def _follow(self, led: Segment) -> None:
        """Another song leads: say so."""
        before, self._led = self._led, led
        if before is None or (before.number, before.begin) != (led.number, led.begin):
            self._notify(f"song {led.number + 1} of {len(self._songs)}: {led.song.title}", "song")
            self._plan.begun(led.number)

    def _count_in(self, now: float) -> None:
        """Set the first song's beginning to the next moment at which its bar meets the bar of the dance."""
        first = self._timeline.segments[0]
        rate = first.pace(first.begin) / 60
        missing = first.musical_time(first.begin) - (self.steps.musical_time(now) + LEAD * rate)
        self._anchor = (now + LEAD + missing % BEATS_PER_BAR / rate, first.begin)

    def _place(self, now: float) -> float | None:
        """Seconds of the line that are heard at `now`; negative while the first song is counted in."""
        anchor = self._anchor
        return None if anchor is None else anchor[1] + now - anchor[0]

    # --- the thread that plays

    def _perform(self) -> None:
        said, look_again = "", False
        self._notify(f"playlist: {len(self._songs)} songs")
        while not self._stop.is_set() and not self._timeline.segments:
            self._look_ahead(0.0)
            self._stop.wait(LOOK)
        while not self._stop.is_set():
            for_good = False
            try:
                sd = portaudio(look_again)
                try:
                    self._play(sd)
                    why = "sound output lost"
                except sd.PortAudioError as error:
                    why = f"sound output cannot be opened: {error.args[0]}"
            except NoSound as error:
                why, for_good = f"no sound output: {error}", error.for_good
            if why != said and not self._stop.is_set():
                self._notify(f"{why}. Dancing in silence")
            said = "no sound output: no output device" if why == "sound output lost" else why
            look_again = True
            self._play_silently(math.inf if for_good else RETRY)

    def _play(self, sd: ModuleType) -> None:
        """Play until the device is lost or we are closed."""
        out = SoundOut(sd, self._clock, self._place, self._set_anchor, READY)
        mix = SongMix(self._timeline, out.rate, out.channels)
        place = self._place(self._clock())
        head = 0 if place is None else max(math.ceil((place + LEAD) * out.rate), 0)
        with out.open(head):
            while not self._stop.is_set():
                self._look_ahead(head / out.rate)
                block = mix.read(head, round(BLOCK * out.rate))
                head += len(block)
                at = out.write(block)
                while at < len(block):
                    self._ready = True
                    if self._stop.wait(LOOK):
                        return
                    if out.is_lost():
                        return
                    at += out.write(block[at:])

    def _play_silently(self, seconds: float) -> None:
        """Let the songs go on by the clock."""
        until = self._clock() + seconds
        self._ready = True
        while not self._stop.wait(LOOK) and self._clock() < until:
            self._look_ahead((self._place(self._clock()) or 0.0) + LEAD)

    def _set_anchor(self, anchor: Anchor) -> None:
        self._anchor = anchor

    def _look_ahead(self, fixed: float) -> None:
        """Put the next song down if it is time. What is before `fixed` on the line cannot be changed any more."""
        fixed = max(fixed, 0.0)  # while the first song is counted in
        self._heed_steps(fixed)
        if len(self._broken) == len(self._songs):
            return
        number = self._wanted
        asked = self._hearer.ask(self._songs[number])
        self._hear_neighbours(fixed)
        if not asked.done():
            if (self._jumps or fixed >= self._timeline.end) and (name := self._songs[number].name) != self._said:
                self._said = name
                self._notify(f"listening ahead to {name}", "song")
            return
        try:
            song = asked.result()
        except (UserError, CancelledError) as error:
            self._leave_out(number, str(error))
            return
        self._put_down(number, song, fixed)

    def _put_down(self, number: int, song: HeardAhead, fixed: float) -> None:
        if self._jumps:
            self._timeline.jump(number, song, fixed)
        elif self._timeline.is_due(fixed, song.analysis.seconds):
            self._timeline.append(number, song, fixed)
        else:
            return
        if not song.analysis.confidence:
            self._notify(f"no beat found in {song.path.name}: danced at {song.analysis.bpm:.0f} BPM")
        self._jumps, self._said, self._way = False, "", 1
        self._wanted = self._find_next(number, 1)
        self._timeline.forget(fixed - 60)

    def _heed_steps(self, fixed: float) -> None:
        """Songs that were asked for count from the one that is heard, or is on its way to be."""
        with self._lock:
            steps, self._steps = self._steps, 0
        if not steps or len(self._broken) == len(self._songs):
            return
        segments = self._timeline.segments
        begun = [each for each in segments if each.begin < fixed] or segments[:1]
        number = self._wanted if self._jumps or not begun else begun[-1].number
        self._way = 1 if steps > 0 else -1
        for _ in range(min(abs(steps), len(self._songs))):
            number = self._find_next(number, self._way)
        self._wanted, self._jumps = number, bool(begun)

    def _find_next(self, number: int, way: int) -> int:
        """The song after that one, or before it, which can be played."""
        around = ((number + way * k) % len(self._songs) for k in range(1, len(self._songs) + 1))
        return next((each for each in around if each not in self._broken), number)

    def _hear_neighbours(self, fixed: float) -> None:
        """Those that may be wanted soon: after the next one, and before the one that plays."""
        begun = [each.number for each in self._timeline.segments if each.begin < fixed]
        if not begun:
            return
        near = [begun[-1], self._wanted, self._find_next(self._wanted, 1), self._find_next(begun[-1], -1)]
        self._hearer.keep_only({self._songs[each] for each in near})
        for each in near[1:]:
            self._hearer.ask(self._songs[each])

    def _leave_out(self, number: int, why: str) -> None:
        self._broken.add(number)
        if len(self._broken) == len(self._songs):
            self._notify(f"{why}. No song of the list can be played: dancing at {self.steps.bpm:.0f} BPM")
            return
        self._notify(f"{why}; left out")
        self._wanted = self._find_next(number, self._way)
