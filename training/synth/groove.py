"""Human drumming: the Groove MIDI Dataset (Gillick et al., *Learning to Groove with Inverse Sequence Transformations*,
2019; CC BY 4.0), 1,150 performances to a metronome, so that beats follow from the tempo.

Performances that clips for measuring are named after are left out: what is measured must not be learned.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
from numpy.random import Generator

from visualizer.errors import UserError

SHORTEST = 16  # beats that a performance must have to be one, and not a fill
BEATS_A_BAR = 4
# Keys of the dataset's kit that General MIDI has not, or has elsewhere: edges of hats, rims of toms.
KEYS = {22: 42, 26: 46, 40: 38, 58: 43}
# Genres of `genres.GENRES` whose harmony suits a drummer's style.
GENRES_OF = {
    "rock": "rock, slow rock, pop", "funk": "funk", "soul": "soul, funk", "hiphop": "slow hip-hop, hip-hop",
    "jazz": "jazz, swing, soul", "latin": "latin, salsa, samba", "reggae": "reggae", "afrobeat": "afrobeat",
    "afrocuban": "salsa, afrobeat", "highlife": "afrobeat", "pop": "pop, slow pop", "punk": "punk",
    "country": "country, slow country", "blues": "shuffle", "neworleans": "funk, soul",
    "dance": "disco, breakbeat, electro", "gospel": "soul", "middleeastern": "oriental",
}  # fmt: skip


class Stroke(NamedTuple):
    """One stroke: when, in beats, which key of General MIDI percussion, loudness 0..1."""

    beat: float
    key: int
    loud: float


@dataclass(frozen=True)
class Performance:
    """One drummer's playing in 4/4. bars: the strokes of each bar, `beat` from 0 to 4 and a little before 0."""

    style: str  # as the dataset has it, the first word
    bpm: float
    bars: tuple[tuple[Stroke, ...], ...]


class _Listed(NamedTuple):
    """A line of info.csv."""

    file: str
    drummer: str
    number: str
    style: str
    bpm: int
    beats: float


class Groove:
    """The dataset in its zip file, read as it is asked for."""

    def __init__(self, path: Path, left_out: Sequence[str] = ()) -> None:
        """`left_out`: names of clips for measuring, such as groove_gm_drummer1_10_rock-folk_90_beat_4-4.flac. UserError
        where the file is none of Groove."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                lines = list(csv.DictReader(io.StringIO(archive.read("groove/info.csv").decode())))
            self.listed = [_read_line(line) for line in lines if line["time_signature"] == "4-4"]
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: is no Groove MIDI Dataset ({error})") from error
        away = {key for name in left_out if (key := _clip_key(name))}
        self.listed = [one for one in self.listed if one.beats >= SHORTEST and _key(one) not in away]
        if not self.listed:
            raise UserError(f"{path}: no performance is left to learn from")

    def draw(self, rng: Generator, low: float, high: float) -> Performance:
        """A performance of a tempo between `low` and `high` BPM, evenly over octaves; the nearest where none is."""
        wanted = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        away = np.array([abs(np.log(one.bpm / wanted)) for one in self.listed])
        near = np.flatnonzero(away <= max(float(np.sort(away)[min(5, len(away) - 1)]), 0.06))
        return self.read(self.listed[int(rng.choice(near))])

    def read(self, one: _Listed) -> Performance:
        """UserError where its file is broken."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                score = mido.MidiFile(file=io.BytesIO(archive.read(one.file)))
        except (OSError, KeyError, EOFError, ValueError) as error:
            raise UserError(f"{self.path}: {one.file} cannot be read ({error})") from error
        return Performance(one.style, float(one.bpm), _cut_bars(_read_strokes(score)))


def _read_line(line: dict[str, str]) -> _Listed:
    number, style = Path(line["midi_filename"]).stem.split("_")[:2]
    beats = float(line["duration"]) * int(line["bpm"]) / 60
    return _Listed(f"groove/{line['midi_filename']}", line["drummer"], number, style, int(line["bpm"]), beats)


def _key(one: _Listed) -> tuple[str, str, int]:
    # Without the number: other takes of the same groove, and its fills, are as good as the clip itself.
    return one.drummer, one.style, one.bpm


def _clip_key(name: str) -> tuple[str, str, int] | None:
    found = re.match(r"groove_\w*?(drummer\d+)_\d+_([^_]+)_(\d+)_", name)
    return (found[1], found[2], int(found[3])) if found else None


def _read_strokes(score: mido.MidiFile) -> list[Stroke]:
    strokes = []
    for track in score.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "note_on" and message.velocity:
                key = int(KEYS.get(message.note, message.note) or 0)
                strokes.append(Stroke(now / score.ticks_per_beat, key, message.velocity / 127))
    return sorted(strokes)


def _cut_bars(strokes: list[Stroke]) -> tuple[tuple[Stroke, ...], ...]:
    """Strokes of each bar. One that comes less than a sixteenth before a bar, played early, belongs to it."""
    early = 0.125
    last = int((strokes[-1].beat + early) // BEATS_A_BAR) if strokes else 0
    bars: list[list[Stroke]] = [[] for _ in range(max(last, 1))]
    for stroke in strokes:
        bar = int((stroke.beat + early) // BEATS_A_BAR)
        if bar < len(bars):  # the last bar is seldom whole
            bars[bar].append(stroke._replace(beat=stroke.beat - bar * BEATS_A_BAR))
    return tuple(map(tuple, bars))
