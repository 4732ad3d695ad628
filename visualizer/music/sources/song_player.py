"""A song that is played and danced to: heard ahead, then followed by the samples that have left the loudspeaker."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from types import ModuleType

import numpy as np

from visualizer.errors import UserError
from visualizer.messages import Notify
from visualizer.music import Clock
from visualizer.music.analysis.song import SongAnalysis, hear_song
from visualizer.music.clock import BEATS_PER_BAR, Hearing
from visualizer.music.song_file import read_song
from visualizer.music.sources.devices import RETRY, NoSound, portaudio
from visualizer.music.sources.free_run import free_run_clock, free_run_hearing
from visualizer.music.sources.sound_out import Anchor, SoundOut
from visualizer.music.sources.tape import RATE as TAPE_RATE
from visualizer.music.sources.tape import SongSound, Sounds

LEAD = 0.5  # seconds at least from counting in to the first sample; more than OUTPUT_LATENCY
READY = 2.0  # seconds of sound that wait


class SongSource:
    """A file that is heard ahead, then played, and danced to by the samples that have left the loudspeaker.

    The dance starts at our own tempo while the file is listened to (some seconds), and the song is counted in: it
    begins where its first bar falls on a bar of the dance. With no sound output the file is danced to in silence,
    by the clock. When it is over, the dance goes on at the last tempo.
    """

    def __init__(self, path: Path, bpm: float, clock: Clock, notify: Notify) -> None:
        self.name = path.name
        self._path, self._bpm, self._clock = path, bpm, clock
        self.steps = free_run_clock(bpm, clock)
        self._heard: SongAnalysis | None = None
        self._anchor: Anchor | None = None
        self._stop = Event()
        self._notify = notify
        self._thread = Thread(target=self._perform, name="ear", daemon=True)
        self._thread.start()

    def hearing(self, now: float) -> Hearing:
        beat = self.musical_time(now)
        heard, place = self._heard, self._place(now)
        if heard is None or place is None or not 0 <= place < heard.seconds:
            return free_run_hearing(now, self.steps.bpm, beat)
        return replace(heard.hearing(place), time=now, bpm=self.steps.bpm, beat=beat)

    def musical_time(self, now: float) -> float:
        heard = self._heard
        if heard is not None:
            if self._anchor is None:
                self._count_in(heard, now)
            place = self._place(now)
            if place is not None and place < heard.seconds and not self.steps.tapped(now):
                self.steps.report(now, heard.musical_time(place), heard.pace(place))
        return self.steps.musical_time(now)

    def find_silence(self, now: float) -> float:
        return 0.0

    def sounds(self, begins: float) -> Sounds | None:
        return SongSound(begins, self._place, lambda: read_song(self._path, TAPE_RATE, 2))

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _place(self, now: float) -> float | None:
        """Seconds of the song heard at `now`; negative while it is counted in."""
        anchor = self._anchor
        return None if anchor is None else anchor[1] + now - anchor[0]

    def _count_in(self, heard: SongAnalysis, now: float) -> None:
        """Set the song's beginning to the next moment at which its bar meets the bar of the dance."""
        rate = heard.pace(0.0) / 60
        missing = heard.musical_time(0.0) - (self.steps.musical_time(now) + LEAD * rate)
        self._anchor = (now + LEAD + missing % BEATS_PER_BAR / rate, 0.0)

    def _perform(self) -> None:
        """The song's thread: listen ahead, then play to the end, whatever the devices do."""
        self._notify(f"listening ahead to {self.name}")
        try:
            heard = hear_song(self._path, self._bpm)
        except UserError as error:  # the file broke since it was checked
            self._notify(f"{error}. Dancing at {self.steps.bpm:.0f} BPM")
            return
        if not heard.confidence:
            self._notify(f"no beat found in {heard.name}: danced at {heard.bpm:.0f} BPM")
        said, look_again = "", False
        while not self._stop.is_set() and self._now_place() < heard.seconds:
            for_good = False
            try:
                sd = portaudio(look_again)
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
                self._notify(f"{why}. Dancing to {heard.name} in silence")
            said = "no sound output: no output device" if why == "sound output lost" else why
            look_again = True
            left = heard.seconds - self._now_place()
            self._stop.wait(max(left, 0.0) if for_good else min(RETRY, max(left, 0.0)))
        if not self._stop.is_set():
            self._notify(f"{heard.name} is over. Dancing on at {heard.pace(heard.seconds):.0f} BPM")

    def _play(self, sd: ModuleType, heard: SongAnalysis) -> bool:
        """Play from where the dance is. True once the song is over or we are closed, False if the device is lost."""
        out = SoundOut(sd, self._clock, self._place, self._set_anchor, READY)
        rate, channels = out.rate, out.channels
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
        with out.open(first):
            for samples in chain([block], blocks):
                at = out.write(samples)
                while at < len(samples):  # full: two seconds are ready
                    self._heard = heard  # and so are we: from here on it may be counted in
                    if self._stop.wait(0.05):
                        return True
                    if out.is_lost():
                        return False
                    at += out.write(samples[at:])
            self._heard = heard
            while out.waiting:
                if self._stop.wait(0.05):
                    return True
                if out.is_lost():
                    return False
            self._stop.wait(out.latency)
        return True

    def _set_anchor(self, anchor: Anchor) -> None:
        self._anchor = anchor

    def _now_place(self) -> float:
        return self._place(self._clock()) or 0.0
