"""A tape of what is heard, for a video of the show: written by the thread that hears, read by the one that encodes.

Everything is laid down at the moment at which it sounded on the show's clock, so sound and picture meet whatever the
devices take. Where nothing is heard there is silence. When a device thinks better of its delay, as it does all through
its first second, or its clock is not ours, the sound runs a little faster or slower until it is in its place again: a
cut would be heard. Only where a device was gone for a while, and so the place leaps from one block to the next, there
is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Protocol

import numpy as np

from visualizer.errors import UserError
from visualizer.music.analysis.features import Floats

RATE = 48_000  # Hz
KEEPS = 24.0  # seconds that wait to be read, if the encoder is behind
STILL = 0.005  # seconds by which device and clock may differ
SEEN = 0.12  # and beyond which it is noticed: sound later than the picture by 125 ms (ITU-R BT.1359)
SLEW, HASTE = 0.005, 0.03  # how much faster or slower below and beyond that; a twelfth of a semitone, and a half
LEAP = 0.5  # from block to block: no delay is corrected by so much, and no device that was lost is back so soon
APART = 0.05  # seconds by which a song may be from its place before it goes on from there


class Sounds(Protocol):
    """Sound from a given moment on, float32 stereo at RATE."""

    def read(self, n: int) -> Floats: ...  # the next (n, 2); silence where nothing is heard
    def close(self) -> None: ...  # nothing is read any more


class Tape:
    """What a device brings."""

    def __init__(self, begins: float) -> None:
        """`begins`: the moment of its first sample, seconds on the clock."""
        self._begins = begins
        self.closed = False
        self._samples = np.zeros((round(KEEPS * RATE), 2), np.float32)
        self._read = 0  # samples read so far; the ring holds those that follow
        self._at: int | None = None  # sample at which the next block goes on
        self._off = 0  # samples by which the last block was from its place
        self._last = np.zeros(1, np.float32)  # of the block before
        self._resample = None
        self._rate = self._taken = self._given = 0  # Hz; samples into the resampler and out of it
        self._lock = Lock()

    def write(self, block: Floats, rate: int, ended: float) -> None:
        """Mono (n,) at `rate` Hz, of which the last sample sounded at `ended` on the clock."""
        import soxr

        if self.closed or not len(block) or not math.isfinite(ended):
            return
        if rate != self._rate:
            self._rate, self._at, self._taken, self._given = rate, None, 0, 0
            self._resample = soxr.ResampleStream(rate, RATE, 1, "float32", "MQ") if rate != RATE else None
        self._taken += len(block)
        # Of what comes out of the resampler, sample m is that of m / RATE of what went in, however long it was held.
        there = round((ended - self._begins - self._taken / rate) * RATE) + self._given
        sound = block if self._resample is None else self._resample.resample_chunk(np.ascontiguousarray(block))
        if not len(sound):
            return
        self._given += len(sound)
        off = 0 if self._at is None else there - self._at
        if self._at is None or abs(off - self._off) > LEAP * RATE:
            self._at, off = there, 0
        elif abs(off) > STILL * RATE:
            most = round((HASTE if abs(off) > SEEN * RATE else SLEW) * len(sound))
            sound = self._stretched(sound, len(sound) + min(max(off, -most), most))
        self._off = off
        self._last = sound[-1:]
        self._lay(sound, self._at)
        self._at += len(sound)

    def _stretched(self, sound: Floats, n: int) -> Floats:
        """In `n` samples, from the last one of the block before to its own last one."""
        at = np.arange(1, n + 1) * (len(sound) / n)
        return np.interp(at, np.arange(len(sound) + 1), np.concatenate([self._last, sound])).astype(np.float32)

    def _lay(self, sound: Floats, at: int) -> None:
        with self._lock:
            if self.closed:
                return
            size = len(self._samples)
            first, last = max(at, self._read), min(at + len(sound), self._read + size)
            if last > first:
                self._samples[np.arange(first, last) % size] = sound[first - at : last - at, None]

    def read(self, n: int) -> Floats:
        """The next (n, 2); what was not heard is silent."""
        out = np.empty((n, 2), np.float32)
        with self._lock:
            size, done = len(self._samples), 0
            while done < n:
                part = min(n - done, size)
                places = np.arange(self._read, self._read + part) % size
                out[done : done + part] = self._samples[places]
                self._samples[places] = 0
                self._read, done = self._read + part, done + part
        return out

    def close(self) -> None:
        with self._lock:
            self.closed = True
            self._samples = np.zeros((1, 2), np.float32)  # the thread that hears may keep the tape until the next one


class SongSound:
    """A song that is played, out of its file: cleaner than any loudspeaker."""

    def __init__(
        self, begins: float, place: Callable[[float], float | None], open_song: Callable[[], Iterator[Floats]]
    ) -> None:
        """`place(t)`: seconds of the song that are heard at `t` on the clock. `open_song()`: its blocks (n, 2)."""
        self._begins, self._place, self._open = begins, place, open_song
        self._read = 0
        self._song: Iterator[Floats] | None = None
        self._block, self._at = np.zeros((0, 2), np.float32), 0  # waits, and the place of its first sample

    def read(self, n: int) -> Floats:
        place = self._place(self._begins + self._read / RATE)
        self._read += n
        out = np.zeros((n, 2), np.float32)
        if place is None or place <= -n / RATE:
            return out
        first = round(place * RATE)
        if self._song is None or abs(first - self._at) > APART * RATE:
            if self._song is None or first < self._at:
                self._song, self._block, self._at = self._open(), np.zeros((0, 2), np.float32), 0
            self._skip(max(first, 0))
        silent = max(-first, 0)
        while silent < n and self._fill():
            part = self._block[: n - silent]
            out[silent : silent + len(part)] = part
            silent += len(part)
            self._block, self._at = self._block[len(part) :], self._at + len(part)
        return out

    def _fill(self) -> bool:
        """Whether there is a sample more."""
        while not len(self._block):
            try:
                block = next(self._song, None) if self._song is not None else None
            except UserError:  # the file is gone; who plays it has said so
                block = None
            if block is None:
                return False
            self._block = block
        return True

    def _skip(self, to: int) -> None:
        while self._at < to and self._fill():
            gone = min(to - self._at, len(self._block))
            self._block, self._at = self._block[gone:], self._at + gone

    def close(self) -> None:
        self._song = None


class NoSounds:
    """Where nothing is heard."""

    def read(self, n: int) -> Floats:
        return np.zeros((n, 2), np.float32)

    def close(self) -> None: ...


def sounds(source: Sounds) -> Iterator[Floats]:
    """All of it, in small blocks."""
    while True:
        yield source.read(1024)
