"""What a film dances to: musical time and hearing by seconds from its beginning, and the sound beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from visualizer import paths
from visualizer.film.video import SOUND_RATE
from visualizer.music.analysis.features import Floats
from visualizer.music.clock import Hearing
from visualizer.music.song_file import read_song
from visualizer.music.sources.free_run import free_run_hearing

OWN_MUSIC_BPM = 120.0


class Score(Protocol):
    """What a film dances to, by seconds from its beginning. A SongAnalysis is one."""

    def musical_time(self, t: float) -> float: ...
    def hearing(self, t: float) -> Hearing: ...


class OwnScore:
    """Our own tempo, from beat 0."""

    def __init__(self, pace: float) -> None:
        self.pace = pace

    def musical_time(self, t: float) -> float:
        return t * self.pace / 60

    def hearing(self, t: float) -> Hearing:
        return free_run_hearing(t, self.pace, self.musical_time(t))


def time_of(score: Score, beat: float) -> float:
    """Seconds at which the music is at `beat`, by halving: musical time never runs backwards."""
    low, high = -60.0, 60.0
    while score.musical_time(high) < beat:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if score.musical_time(middle) < beat else (low, middle)
    return high


def skip_sound(sound: Iterator[Floats], start: float) -> Iterator[Floats]:
    """The same sound from `start` seconds on."""
    skip = round(start * SOUND_RATE)
    for block in sound:
        if skip < len(block):
            yield block[skip:]
        skip = max(skip - len(block), 0)


def read_own_music(pace: float, notify: Callable[[str], None]) -> Iterator[Floats]:
    """Our own music without end, its speed turned to `pace` like a record's."""
    music = paths.assets() / "own_music.ogg"
    if not music.is_file():
        notify(f"{music} is missing: the film is silent")
        while True:
            yield np.zeros((SOUND_RATE, 2), np.float32)
    rate = round(SOUND_RATE * OWN_MUSIC_BPM / pace)  # read at this rate, played at SOUND_RATE
    loop = np.concatenate(list(read_song(music, rate)))
    while True:
        yield loop
