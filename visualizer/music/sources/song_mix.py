"""The sound of a line of songs: each from its beginning to its end, mixed where two overlap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from visualizer.errors import UserError
from visualizer.music.analysis.features import Floats
from visualizer.music.song_file import read_song
from visualizer.music.sources.tape import APART
from visualizer.music.sources.tape import RATE as TAPE_RATE
from visualizer.music.sources.timeline import Segment, Timeline

ReadSong = Callable[[Path, int, int], Iterator[Floats]]


class SongMix:
    """Samples of a timeline at one rate. Songs are opened when they are first heard."""

    def __init__(self, timeline: Timeline, rate: int, channels: int, read: ReadSong = read_song) -> None:
        self._timeline, self._rate, self._channels, self._read = timeline, rate, channels, read
        self._players: dict[tuple[int, float], _Player] = {}

    def read(self, first: int, n: int) -> Floats:
        """(n, channels) from sample `first` of the line on; silence where no song is. Quick only going forward."""
        out = np.zeros((n, self._channels), np.float32)
        heard = [
            each
            for each in self._timeline.segments
            if round(each.begin * self._rate) < first + n and first < round(each.end * self._rate)
        ]
        keys = {(each.number, each.begin) for each in heard}
        self._players = {key: player for key, player in self._players.items() if key in keys}
        for segment in heard:
            begin, end = round(segment.begin * self._rate), round(segment.end * self._rate)
            low, high = max(begin, first), min(end, first + n)
            player = self._players.setdefault((segment.number, segment.begin), self._open(segment))
            samples = player.read(low - begin, high - low)
            out[low - first : high - first] += samples * find_gains(segment, np.arange(low, high) / self._rate)
        return out if len(heard) < 2 else np.clip(out, -1, 1)

    def _open(self, segment: Segment) -> _Player:
        return _Player(lambda: self._read(segment.song.path, self._rate, self._channels), self._channels)


def find_gains(segment: Segment, places: np.ndarray) -> Floats:
    """How loud a song is at places of the line (n,), as (n, 1): two that fade are together as loud as one."""
    gains = np.ones(len(places))
    if segment.fade_in:
        gains *= np.sin(np.clip((places - segment.begin) / segment.fade_in, 0, 1) * math.pi / 2)
    if segment.fade_out:
        gains *= np.sin(np.clip((segment.end - places) / segment.fade_out, 0, 1) * math.pi / 2)
    return gains.astype(np.float32)[:, None]


class _Player:
    """One song's samples."""

    def __init__(self, open_song: Callable[[], Iterator[Floats]], channels: int) -> None:
        self._open, self._channels = open_song, channels
        self._blocks: Iterator[Floats] | None = None
        self._block = np.zeros((0, channels), np.float32)
        self._at = 0  # of the first sample of the block

    def read(self, first: int, n: int) -> Floats:
        """(n, channels) from sample `first` of the song on; silence where it has no more."""
        if self._blocks is None or first < self._at:
            self._blocks, self._at, self._block = self._open(), 0, self._block[:0]
        out = np.zeros((n, self._channels), np.float32)
        done = 0
        while done < n and self._fill(first + done):
            part = self._block[first + done - self._at :][: n - done]
            out[done : done + len(part)] = part
            done += len(part)
        skipped = min(max(first + n - self._at, 0), len(self._block))
        self._block, self._at = self._block[skipped:], self._at + skipped
        return out

    def _fill(self, place: int) -> bool:
        """Make the block reach beyond `place`; False where the song is over, or its file is gone."""
        assert self._blocks is not None
        while self._at + len(self._block) <= place:
            try:
                block = next(self._blocks, None)
            except UserError:  # who hears ahead has said so, or the show goes on without
                block = None
            if block is None:
                return False
            self._at, self._block = self._at + len(self._block), block
        return True


class MixSound:
    """What is heard of a timeline from a moment on, for a video: `tape.Sounds`."""

    def __init__(self, begins: float, place: Callable[[float], float | None], timeline: Timeline) -> None:
        """`place(t)`: seconds of the line that are heard at `t` on the clock."""
        self._begins, self._place = begins, place
        self._mix = SongMix(timeline, TAPE_RATE, 2)
        self._read, self._at = 0, -1

    def read(self, n: int) -> Floats:
        place = self._place(self._begins + self._read / TAPE_RATE)
        self._read += n
        if place is None:
            return np.zeros((n, 2), np.float32)
        first = round(place * TAPE_RATE)
        if self._at < 0 or abs(first - self._at) > APART * TAPE_RATE:
            self._at = first
        self._at += n
        return self._mix.read(self._at - n, n)

    def close(self) -> None: ...
