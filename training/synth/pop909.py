"""Pop songs as arrangements for piano: POP909 (Wang et al., *POP909: A Pop-song Dataset for Music Arrangement
Generation*, 2020; MIT), with their beats, bars and chords. Half of them are slower than 80 beats a minute."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
from numpy.typing import NDArray

from visualizer.errors import UserError

BEATS_A_BAR = 4
PARTS = {"MELODY": "lead", "BRIDGE": "bridge", "PIANO": "chords"}  # track -> part of a tune
ROOTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class SongNote(NamedTuple):
    """A note: when and for how long (beats since the first bar), by which part, MIDI pitch, loudness 0..1."""

    beat: float
    beats: float
    part: str
    pitch: int
    loud: float


@dataclass(frozen=True)
class Song:
    """A song in 4/4. beats: seconds; the first one opens a bar. roots: (beat, pitch class) where chords change, -1
    where none is played."""

    notes: tuple[SongNote, ...]
    beats: NDArray[np.float64]
    roots: tuple[tuple[float, int], ...]

    @property
    def bpm(self) -> float:
        return 60 / float(np.median(np.diff(self.beats)))


class Pop909:
    """The dataset in its zip file, read as it is asked for."""

    def __init__(self, path: Path) -> None:
        """UserError where the file is none of POP909."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{path}: is no POP909 ({error})") from error
        self.numbers = sorted(
            found[1] for name in names if (found := re.fullmatch(r"POP909/(\d+)/beat_midi\.txt", name))
        )
        if not self.numbers:
            raise UserError(f"{path}: is no POP909 (it holds no POP909/001/beat_midi.txt)")

    def read(self, number: str) -> Song | None:
        """One song; None where it is not in 4/4. UserError where a file of it is broken."""
        folder = f"POP909/{number}"
        try:
            with zipfile.ZipFile(self.path) as archive:
                said = [[float(x) for x in line.split()] for line in _lines(archive, f"{folder}/beat_midi.txt")]
                chords = [line.split() for line in _lines(archive, f"{folder}/chord_midi.txt")]
                score = mido.MidiFile(file=io.BytesIO(archive.read(f"{folder}/{number}.mid")))
            return _read_song(np.array([line[0] for line in said]), [line[2] == 1 for line in said], chords, score)
        except (OSError, KeyError, EOFError, ValueError, IndexError) as error:
            raise UserError(f"{self.path}: song {number} cannot be read ({error})") from error


def _lines(archive: zipfile.ZipFile, name: str) -> list[str]:
    return [line for line in archive.read(name).decode().splitlines() if line.strip()]


def _read_song(
    times: NDArray[np.float64], opens: list[bool], chords: list[list[str]], score: mido.MidiFile
) -> Song | None:
    bars = np.flatnonzero(opens)
    if len(bars) < 9 or np.mean(np.diff(bars) == BEATS_A_BAR) < 0.95:
        return None
    times = times[bars[0] :]

    def beat_of(seconds: float) -> float:
        return float(np.interp(seconds, times, np.arange(len(times)), left=-1.0))

    notes = []
    for track in score.tracks:
        part = PARTS.get(track.name.strip())
        if part:
            notes += [
                SongNote(beat_of(start), max(beat_of(stop) - beat_of(start), 0.05), part, pitch, loud)
                for start, stop, pitch, loud in _seconds_of(track, score)
                if times[0] - 0.05 <= start < times[-1]
            ]
    roots = tuple((beat_of(float(line[0])), _root(line[2])) for line in chords if float(line[1]) > times[0])
    return Song(tuple(sorted(notes)), times, roots)


def _seconds_of(track: mido.MidiTrack, score: mido.MidiFile) -> list[tuple[float, float, int, float]]:
    """Notes of a track: start and stop in seconds, pitch, loudness."""
    ticks, seconds, tempi = [0], [0.0], [500_000]
    for tick, changed in _tempi(score):
        seconds.append(seconds[-1] + (tick - ticks[-1]) * tempi[-1] / 1e6 / score.ticks_per_beat)
        ticks.append(tick)
        tempi.append(changed)

    def at(tick: int) -> float:
        k = int(np.searchsorted(ticks, tick, "right")) - 1
        return seconds[k] + (tick - ticks[k]) * (tempi[k] / 1e6 / score.ticks_per_beat)

    now, sounding, out = 0, {}, []
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = now, message.velocity / 127
        elif message.type in ("note_on", "note_off") and message.note in sounding:
            start, loud = sounding.pop(message.note)
            out.append((at(start), at(now), int(message.note), loud))
    return out


def _tempi(score: mido.MidiFile) -> list[tuple[int, int]]:
    """(tick, microseconds a beat from then on), in order."""
    found = []
    for track in score.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "set_tempo":
                found.append((now, message.tempo))
    return sorted(found)


def _root(chord: str) -> int:
    """Pitch class of the bass of a chord such as Bb:min7 or F#:maj/5; -1 for N."""
    found = re.match(r"([A-G])([#b]*)", chord)
    if not found:
        return -1
    return (ROOTS[found[1]] + found[2].count("#") - found[2].count("b")) % 12
