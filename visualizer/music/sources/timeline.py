"""Which song of a playlist sounds when: one line of seconds, on which songs lie one after the other and overlap.

No sound and no clock in here. The next song begins so that its bars meet those of the one before when it takes the
lead, in the middle of the fade: the dance goes from one beat over to the other without a step between.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from visualizer.music.analysis.song import SongAnalysis
from visualizer.music.clock import BEATS_PER_BAR
from visualizer.music.sources.ahead import HeardAhead

SKIP_FADE = 1.5  # seconds at most from one song to another that somebody asks for
STEP = 0.05  # seconds on both sides within which tempi are looked at


@dataclass(frozen=True)
class Segment:
    """A song from `begin` to `end` on the line, seconds. It comes up for `fade_in` seconds and goes for `fade_out`."""

    number: int  # of the song in the list
    song: HeardAhead
    begin: float
    end: float
    fade_in: float = 0.0
    fade_out: float = 0.0

    @property
    def analysis(self) -> SongAnalysis:
        """What was heard of it."""
        return self.song.analysis

    @property
    def leads_from(self) -> float:
        """From then on the dance is to this song, and not to the one before."""
        return self.begin + self.fade_in / 2

    def musical_time(self, place: float) -> float:
        """Musical time of the song at that place of the line, also before and after it."""
        return self.analysis.musical_time(place - self.begin)

    def pace(self, place: float) -> float:
        """BPM of the dance there."""
        return self.analysis.pace(place - self.begin)


class Timeline:
    """Songs that have sounded, sound and will sound. One thread changes it; `segments` may be read by any."""

    def __init__(self, crossfade: float) -> None:
        """`crossfade`: seconds for which a song and the next one sound together."""
        self._crossfade = crossfade
        self.segments: tuple[Segment, ...] = ()

    @property
    def end(self) -> float:
        """Where the last song is over; 0 before there is one."""
        return self.segments[-1].end if self.segments else 0.0

    def find(self, place: float) -> Segment | None:
        """The song that is danced to there: in a gap the one that is to come, for it is counted in; None: no such."""
        led = [each for each in self.segments if each.leads_from <= place < each.end]
        to_come = [each for each in self.segments if each.begin > place]
        return led[-1] if led else next(iter(to_come), None)

    def is_due(self, fixed: float, seconds: float) -> bool:
        """Whether the next song, which lasts `seconds`, must be put down now. What is before `fixed` has been sent."""
        if not self.segments:
            return True
        last = self.segments[-1]
        return fixed >= self.end - self._overlap(last, seconds) - 2 * BEATS_PER_BAR * 60 / last.pace(last.end)

    def append(self, number: int, song: HeardAhead, fixed: float) -> Segment:
        """Put the song behind the last one, to overlap with it; not before `fixed`."""
        seconds = song.analysis.seconds
        if not self.segments:
            return self._add(Segment(number, song, fixed, fixed + seconds))
        last = self.segments[-1]
        latest = last.end - self._overlap(last, seconds)
        if latest == last.end:
            return self._join(number, song, max(latest, fixed))
        half = lambda begin: max(last.end - begin, 0.0) / 2  # noqa: E731 - a formula
        return self._join(number, song, max(find_begin(last, song.analysis, latest, fixed, half), fixed))

    def jump(self, number: int, song: HeardAhead, fixed: float) -> Segment:
        """Put the song as early after `fixed` as a bar begins, over whatever was to come then."""
        kept = tuple(each for each in self.segments if each.begin < fixed)
        self.segments = kept
        if not kept:
            return self._add(Segment(number, song, fixed, fixed + song.analysis.seconds))
        last = kept[-1]
        longest = min(self._crossfade, SKIP_FADE, song.analysis.seconds / 2)
        begin = max(find_begin(last, song.analysis, fixed, fixed, lambda _: longest / 2), fixed)
        fade = min(longest, max(last.end - begin, 0.0))
        cut = replace(last, end=min(last.end, begin + fade), fade_out=fade)
        self.segments = (*kept[:-1], cut)
        return self._add(Segment(number, song, begin, begin + song.analysis.seconds, fade_in=fade))

    def forget(self, place: float) -> None:
        """Drop what was over well before that place."""
        if len(self.segments) > 4:
            self.segments = tuple(each for each in self.segments if each.end > place)[-8:] or self.segments[-1:]

    def _overlap(self, last: Segment, seconds: float) -> float:
        """Seconds for which the last song and one of `seconds` sound together; no more than half of either."""
        return min(self._crossfade, last.analysis.seconds / 2, seconds / 2)

    def _join(self, number: int, song: HeardAhead, begin: float) -> Segment:
        last = self.segments[-1]
        fade = max(last.end - begin, 0.0)
        self.segments = (*self.segments[:-1], replace(last, fade_out=fade))
        return self._add(Segment(number, song, begin, begin + song.analysis.seconds, fade_in=fade))

    def _add(self, segment: Segment) -> Segment:
        self.segments = (*self.segments, segment)
        return segment


def find_begin(
    last: Segment, following: SongAnalysis, latest: float, least: float, half: Callable[[float], float]
) -> float:  # fmt: skip
    """The last place up to `latest` where the song may begin so that its bars meet those of `last` when it takes the
    lead, `half(begin)` seconds after its beginning; where that is before `least`, the first one after it."""

    def apart(begin: float) -> float:
        return last.musical_time(begin + half(begin)) - following.musical_time(half(begin))

    def mend(begin: float, beats: float) -> float:
        return begin - beats / ((apart(begin + STEP) - apart(begin - STEP)) / (2 * STEP))

    begin = mend(latest, apart(latest) % BEATS_PER_BAR)
    if begin < least:
        bar = begin - mend(begin, BEATS_PER_BAR)
        begin += math.ceil((least - begin) / bar - 1e-9) * bar
    for _ in range(3):  # tempi change, and so does the overlap
        begin = mend(begin, math.remainder(apart(begin), BEATS_PER_BAR))
    return begin
