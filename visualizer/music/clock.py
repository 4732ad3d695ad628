"""Musical time: what the dancer steps in.

Seconds come from outside as plain numbers, so a live show, a film and a test run the same code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Protocol

BEATS_PER_BAR = 4
SLOWEST, FASTEST = 80.0, 160.0  # BPM; exactly one octave, so every tempo has a place in it
STEER = 0.08  # the most that the pace is bent to mend the phase; more is seen as a hurry or a drag
HORIZON = 0.5  # seconds in which a small phase error is mended; averages out jitter of the reports
BAR_SURE = 0.7  # confidence from which the bar is believed
BAR_PATIENCE = 6.0  # seconds
TAPS = 8  # claps that make a tempo
TAP_GAP = 2.5  # seconds without a clap after which the next begins a new count
LED_HOLDS = 3.0  # the same for a beat of a clock from outside
TAP_HOLDS = 30.0  # seconds for which claps outdo what is heard
TAP_TEMPO, TAP_PHASE = 0.06, 0.2  # share and beats by which what is heard may differ from the claps and be followed


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is known of the music at one moment. Never changed, only replaced whole, so threads can share it."""

    time: float  # seconds on the injected clock at which it is true
    bpm: float  # the danced pace, within 80-160
    beat: float  # musical time at `time`: beats since the start; bars begin at multiples of 4
    confidence: float  # 0..1 that the beat is the music's own; 0 where the tempo is ours
    loudness: float  # 0..1, this and all below
    bass: float
    mid: float
    treble: float
    energy: float
    mix: tuple[tuple[str, float], ...] = ()  # genres it sounds like and their shares; () where unknown
    phrases_known: bool = False  # phrases of the music begin at multiples of 32 beats


def fold(bpm: float, last: float | None = None) -> float:
    """Factor, a power of two, that brings `bpm` into 80-160 BPM: 70 -> 2 (danced at 140), 180 -> 1/2 (at 90).

    Dancers do the same: below 80 they step on the half beats too, above 160 on every other beat. `last` is the
    factor in use; it is kept while it misses the range by no more than 5%, so that a tempo that wavers about 80
    does not make the dance double and halve. ValueError if `bpm` is not a positive number.
    """
    _must_be_a_tempo(bpm)
    if last is not None and SLOWEST / 1.05 <= bpm * last <= FASTEST * 1.05:
        return last
    factor = 1.0
    while bpm * factor < SLOWEST:
        factor *= 2
    while bpm * factor > FASTEST:
        factor /= 2
    return factor


class Tempo(Protocol):
    """What `MusicClock.follow` needs to know of the music: a `Heard`, or anything like it."""

    @property
    def bpm(self) -> float: ...  # of the music, not folded
    @property
    def beat(self) -> float: ...  # bars begin at multiples of `meter`
    @property
    def meter(self) -> int: ...
    @property
    def bar_confidence(self) -> float: ...


class MusicClock:
    """Musical time as an unbroken line that is bent towards the reports and never runs backwards.

    Between reports it runs free at the last tempo. A report may change the tempo at once, since a new tempo makes
    no jump; a wrong phase is mended by running at most 8% faster or slower until it is right. Callers are told what
    will sound `lead` seconds later, when the frame that is drawn now is seen. A hand on the keys outdoes what is
    heard: `tap`, `scale` and `nudge`.
    For use from one thread: sources publish what they hear, and the thread that asks for the time applies it.
    """

    def __init__(self, now: float, bpm: float, beat: float = 0.0, lead: float = 0.0) -> None:
        self.bpm = bpm
        self.lead = lead  # may be set at any time: the next report steers it in
        self._start, self._beat = now, beat  # a point on the line
        self._steer, self._until = 0.0, now  # bend of the line, and when it is straight again
        self._last_now, self._last_beat = now, beat  # the latest answer
        self._factor: float | None = None  # of fold, in use
        self._scale, self._nudge = 1.0, 0.0
        self._taps: list[float] = []
        self._led_until = -math.inf  # by a clock from outside
        self._off_bar: tuple[int, float] | None = None  # whole beats the bar is off, since when; -inf: being mended

    def musical_time(self, now: float) -> float:
        """Beats at `now` seconds. Asked about the past, it answers with the latest time it has given."""
        if now > self._last_now:
            self._last_now, self._last_beat = now, max(self._last_beat, self._line(now))
        return self._last_beat

    def report(self, time: float, beat: float, bpm: float, period: float = BEATS_PER_BAR) -> None:
        """The music was at `beat` at `time` seconds, going at `bpm` (already folded).

        Only the place within `period` beats counts, so the count may begin anywhere: 4 if the bar is known, 1 if
        only the beat. ValueError if `bpm` is not a positive number.
        """
        _must_be_a_tempo(bpm)
        bpm, beat, period = bpm * self._scale, beat * self._scale, period * min(self._scale, 1.0)
        now = max(time, self._last_now)  # what was answered stays true: the line is bent from here on
        here = self.musical_time(now)
        self.bpm = bpm
        self._bend(now, here, math.remainder(beat + self._nudge + bpm / 60 * (now - time + self.lead) - here, period))

    def follow(self, time: float, heard: Tempo) -> None:
        """The music was heard so at `time`: `report` it as it is danced, folded into 80-160 BPM.

        To mend the bar, the dance must leave the beat for some seconds, so that is done only if the bar has been
        heard in one and the same place for BAR_PATIENCE seconds; until then only the beat is mended. For some time
        after taps, what is heard is followed only where it agrees with them.
        """
        _must_be_a_tempo(heard.bpm)
        if self.led(time):
            return
        if self.tapped(time):
            factor = 2.0 ** round(math.log2(self.bpm / self._scale / heard.bpm))
            error = heard.beat * factor * self._scale + self._nudge - self._heard_beat(time)
            agrees = abs(heard.bpm * factor * self._scale / self.bpm - 1) < TAP_TEMPO
            if not agrees or abs(math.remainder(error, 1.0)) > TAP_PHASE:
                return
        else:
            factor = fold(heard.bpm, self._factor)
        self._factor = factor
        self.report(time, heard.beat * factor, heard.bpm * factor, self._period(time, heard, factor))

    def tap(self, now: float) -> None:
        """A hand claps the beat. From the second clap on it sets the phase, from the third the tempo too."""
        if self._taps and now - self._taps[-1] > TAP_GAP:
            self._taps = []
        self._taps = [*self._taps, now][-TAPS:]
        if len(self._taps) < 2:
            return
        here = self.musical_time(now)
        if len(self._taps) > 2:
            gaps = [b - a for a, b in pairwise(self._taps)]
            usual = max(median(gaps), 60 / 400)
            beats = sum(max(round(gap / usual), 1) for gap in gaps)  # a clap left out is counted all the same
            bpm = 60 * beats / max(self._taps[-1] - self._taps[0], 1e-3)
            self.bpm, self._scale = bpm * fold(bpm), 1.0
        place = self._heard_beat(now) - self._nudge
        self._bend(self._last_now, here, round(place) - place)

    def lead_by(self, time: float, bpm: float, beat: float | None = None) -> None:
        """A clock from outside says that it was at `beat`, bars beginning at multiples of 4, at `time`, seconds; None:
        only the tempo is known. It outdoes what is heard for some seconds. ValueError as of `report`."""
        _must_be_a_tempo(bpm)
        factor = fold(bpm, self._factor)
        self._factor, self._taps, self._led_until = factor, [], time + LED_HOLDS
        if beat is None:
            self.bpm = bpm * factor * self._scale
            self._bend(self._last_now, self._last_beat, 0.0)
        else:
            self.report(time, beat * factor, bpm * factor, BEATS_PER_BAR * min(factor, 1.0))

    def led(self, now: float) -> bool:
        """Whether a clock from outside was heard not long ago."""
        return now < self._led_until

    def tapped(self, now: float) -> bool:
        """Whether the tempo was tapped not long ago."""
        return len(self._taps) > 2 and now - self._taps[-1] < TAP_HOLDS

    def scale(self, factor: float) -> bool:
        """Dance at `factor` (2 or 0.5) times the pace, from now on. False, and nothing done, beyond 40-320 BPM."""
        if not SLOWEST / 2 <= self.bpm * factor <= FASTEST * 2:
            return False
        left = self._left(self._last_now)
        self._scale *= factor
        self.bpm *= factor
        self._bend(self._last_now, self._last_beat, left)
        return True

    def nudge(self, beats: float) -> None:
        """Dance that many beats earlier (later if negative) than is heard, from now on."""
        self._nudge += beats
        self._bend(self._last_now, self._last_beat, self._left(self._last_now) + beats)

    def release(self) -> None:
        """Forget taps, scale and nudges: what is heard is right again."""
        left = self._left(self._last_now) - self._nudge
        self.bpm /= self._scale
        self._scale, self._nudge, self._taps = 1.0, 0.0, []
        self._bend(self._last_now, self._last_beat, left)

    def _period(self, time: float, heard: Tempo, factor: float) -> float:
        """Beats of the dance within which the place that was heard counts."""
        beat_only = min(factor, 1.0)
        bar = min(heard.meter * factor, BEATS_PER_BAR)
        if heard.bar_confidence < BAR_SURE or BEATS_PER_BAR % bar:
            self._off_bar = None
            return beat_only
        error = heard.beat * factor * self._scale + self._nudge - self._heard_beat(time)
        off = round(math.remainder(error, bar * min(self._scale, 1.0)))
        if not off:
            self._off_bar = None
            return bar
        under_way = self._off_bar is not None and self._off_bar[1] == -math.inf
        if not under_way:
            if self._off_bar is None or self._off_bar[0] != off:
                self._off_bar = (off, time)
            if time - self._off_bar[1] < BAR_PATIENCE:
                return beat_only
            self._off_bar = (off, -math.inf)
        return bar

    def _heard_beat(self, time: float) -> float:
        """Musical time of what sounded at `time`, by this clock."""
        return self._line(max(time, self._last_now)) + self.bpm / 60 * (min(time - self._last_now, 0.0) - self.lead)

    def _bend(self, now: float, here: float, error: float) -> None:
        """From `here` at `now` on, run faster or slower until `error` beats are made up."""
        rate = self.bpm / 60
        steer = min(max(error / (rate * HORIZON), -STEER), STEER)
        self._start, self._beat, self._steer = now, here, steer
        self._until = now + (error / (rate * steer) if steer else 0.0)

    def _left(self, now: float) -> float:
        """Beats that are still to be made up."""
        return self._steer * self.bpm / 60 * max(self._until - now, 0.0)

    def _line(self, now: float) -> float:
        bent = min(now, self._until) - self._start
        return self._beat + self.bpm / 60 * (now - self._start + self._steer * max(bent, 0.0))


def _must_be_a_tempo(bpm: float) -> None:
    if not (math.isfinite(bpm) and bpm > 0):
        raise ValueError(f"tempo must be a positive number of beats a minute, not {bpm}")
