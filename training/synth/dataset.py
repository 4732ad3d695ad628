"""Rendered tunes as rows of features on disk, and the batches that are cut out of them.

Each recording holds the same sound several times: as it was played, and as a party would spoil it. Changes that do not
need the sound itself are made whenever a piece is cut: another tempo, pitch, volume or tone, a crowd on top, a second
piece spliced to the first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from training.folders import write_whole
from training.parallel import map_parallel
from training.synth.augment import degrade, harm, harm_at_once, speak, without_music
from training.synth.compose import Tune, compose
from training.synth.covers import Library, cover, jam
from training.synth.render import SOUNDFONTS, play
from training.synth.voices import find_speakers, read_stretches
from visualizer import files
from visualizer.errors import UserError
from visualizer.music.analysis.features import FLOOR, HOP, HOPS_A_SECOND, MELS, RATE, FeatureStream, Floats

FORMAT = 2  # of the files; with another number they are made again
ROWS_A_CALL = 2
QUIET = float(np.log(FLOOR))
HELD_OUT = 20  # one recording in this many is kept from training


@dataclass(frozen=True)
class Recording:
    """mel (versions, rows, MELS) float16; beats and downbeats in rows (see `rows_of`), empty without music."""

    genre: str
    mel: NDArray[np.float16]
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]


class Batch(NamedTuple):
    """Pieces of music, float32. Two rows a call; targets of rows lie beside each other."""

    mel: Tensor  # (N, calls, 2 * MELS)
    beat: Tensor  # (N, calls, 2), 0..1
    downbeat: Tensor  # (N, calls, 2)
    music: Tensor  # (N, calls, 1)
    phase: Tensor  # (N, calls, 4): sin, cos of the beat's phase and of the bar's
    known: Tensor  # (N, calls, 1): 1 where phase and tempo mean something
    tempo: Tensor  # (N, calls, 1): BPM, of the beats about; anything where it is not known


def rows_of(seconds: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows in which onsets at `seconds` peak: the inverse of `features.row_time`."""
    return np.asarray(seconds, np.float64) * RATE / HOP + 1


def features_of(samples: Floats) -> NDArray[np.float16]:
    return FeatureStream().push(samples).mel.astype(np.float16)


def _versions(samples: Floats, count: int, rng: Generator, speakers: list[Floats]) -> NDArray[np.float16]:
    """The sound as it is, and `count` times as parties spoil it: lightly the first time, then fully, and from the third
    time on everything at once."""
    out = [features_of(samples)]
    for k in range(count):
        how = harm_at_once(rng) if k > 1 else harm(rng, 0.5 if k == 0 else 1.0)
        out.append(features_of(degrade(samples, how, rng, speakers)))
    return np.stack(out)


def _save(path: Path, recording: Recording) -> None:
    genre = np.array(recording.genre)
    with files.write_whole(path) as part:  # a kill while writing leaves no half recording
        np.savez(part, genre=genre, mel=recording.mel, beats=recording.beats, downbeats=recording.downbeats)


def load(path: Path) -> Recording:
    """One recording; UserError where the file is broken."""
    try:
        with np.load(path) as kept:
            return Recording(str(kept["genre"]), kept["mel"], kept["beats"], kept["downbeats"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise UserError(f"{path}: broken recording ({error}); delete it and it is made again") from error


def record_tune(
    tune: Tune, seed: int, spoiled: int, speakers: list[Floats], soundfont: Path = SOUNDFONTS[0]
) -> Recording:
    """Play a tune and compute its features, once as played and `spoiled` times as at a party."""
    mel = _versions(play(tune, seed, soundfont), spoiled, np.random.default_rng((seed, 22)), speakers)
    return Recording(tune.genre, mel, rows_of(tune.beats), rows_of(tune.downbeats))


@dataclass(frozen=True)
class Session:
    """What is recorded, stretches of `seconds` each, once as they are and `spoiled` times as at a party: `tunes` that
    are written by rule, `covers` of pop songs and `jams`, both with human drummers, and `empties` without music."""

    seed: int
    tunes: int
    empties: int
    seconds: float
    spoiled: int
    fonts: tuple[Path, ...] = SOUNDFONTS
    covers: int = 0
    jams: int = 0
    scores: Path | None = None  # folder of the human scores, for covers and jams
    voices: Path | None = None  # folder of recorded speech, beside that of eSpeak NG
    left_out: tuple[str, ...] = ()  # names of clips for measuring, which must not be played

    @property
    def speakers(self) -> int:
        """Stretches of made-up speech, and of recorded speech where there is some."""
        return max(2, min(40, self.empties // 2))

    def settings(self) -> dict[str, Any]:
        """What decides a recording, beside its kind and number."""
        return {
            "format": FORMAT, "seed": self.seed, "seconds": self.seconds, "spoiled": self.spoiled,
            "fonts": [f.name for f in self.fonts], "human": self.scores is not None,
            "voices": self.voices is not None, "speakers": self.speakers,
        }  # fmt: skip


def record_all(folder: Path, session: Session, workers: int = 1, say: Callable[[str], None] = print) -> list[Path]:
    """Write all recordings of a session and return their paths; those that are there already are kept. `workers`:
    processes that play, each recording the same by any. `say` is called with a line of progress every 30 seconds.

    UserError where the folder holds recordings that were made with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    about = session.settings()
    note = folder / "about.json"
    if not note.exists():
        write_whole(note, json.dumps(about))
    elif json.loads(note.read_text()) != about:
        raise UserError(f"{folder}: holds recordings made with other settings; choose another --work")
    counts = {"empty": session.empties, "tune": session.tunes, "cover": session.covers, "jam": session.jams}
    paths = [folder / f"{kind}_{i:05d}.npz" for kind, count in counts.items() for i in range(count)]
    missing = [path for path in paths if not path.exists()]
    if not missing:
        return paths
    speakers = folder / "speakers.npz"
    if not speakers.exists():
        _save_speakers(speakers, session)
    said, done = time.monotonic(), len(paths) - len(missing)
    for path in map_parallel(partial(_record, session, speakers), missing, workers=workers):
        done += 1
        if time.monotonic() - said > 30:
            said = time.monotonic()
            say(f"recorded {done} of {len(paths)}, the last one {path.name}")
    return paths


def _record(session: Session, speakers: Path, path: Path) -> Path:
    """Make one recording; its name says which."""
    kind, number = path.stem.split("_")
    makers = {"empty": _record_empty, "tune": _record_tune_of, "cover": _record_human, "jam": _record_human}
    _save(path, makers[kind](session, path.stem, int(number), read_speakers(speakers)))
    return path


def _font(session: Session, number: int) -> Path:
    """The soundfont of a tune: in two of three the first one, because the compressed ones open slowly."""
    first, *others = session.fonts
    return others[number // 3 % len(others)] if others and number % 3 == 0 else first


def _record_tune_of(session: Session, name: str, number: int, speakers: list[Floats]) -> Recording:
    """Tune `number` of a session."""
    seed = session.seed * 1_000_003 + number
    return record_tune(compose(seed, session.seconds), seed, session.spoiled, speakers, _font(session, number))


def _record_human(session: Session, name: str, number: int, speakers: list[Floats]) -> Recording:
    """Cover or jam `number` of a session."""
    assert session.scores is not None
    seed = session.seed * 1_000_003 + number
    make = cover if name.startswith("cover") else jam
    tune = make(seed, open_library(session.scores, session.left_out), session.seconds)
    return record_tune(tune, seed, session.spoiled, speakers, _font(session, number))


def _record_empty(session: Session, name: str, number: int, speakers: list[Floats]) -> Recording:
    """Stretch `number` without music of a session."""
    rng = np.random.default_rng((session.seed, number, 23))
    mel = _versions(without_music(rng, session.seconds, speakers), session.spoiled, rng, speakers)
    none = np.zeros(0)
    return Recording("nothing", mel, none, none)


@cache
def open_library(folder: Path, left_out: tuple[str, ...]) -> Library:
    """The human scores, opened once a process."""
    return Library.open(folder, left_out)


@cache
def read_speakers(path: Path) -> list[Floats]:
    """The speech of a session, read once a process."""
    with np.load(path) as kept:
        return [kept[name] for name in kept.files]


def _save_speakers(path: Path, session: Session) -> None:
    rng = np.random.default_rng((session.seed, 24))
    voices = [speak(rng) for _ in range(session.speakers)]
    if session.voices is not None:  # twice as many as made-up ones: real speech is what has to be told apart
        voices += read_stretches(find_speakers(session.voices), 2 * session.speakers, rng)
    with files.write_whole(path) as part:
        np.savez(part, *[voice.astype(np.float32) for voice in voices])


# --- pieces ----------------------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """Rows of one recording, cut and changed: mel (rows, MELS) and where its beats fall, in rows of the piece."""

    mel: Floats
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    music: bool


def cut(recording: Recording, rows: int, rng: Generator, change: bool = True) -> Piece:
    """`rows` rows from a random place; with `change`, at another tempo and pitch."""
    mel = recording.mel[int(rng.integers(len(recording.mel)))]
    pace = float(np.exp(rng.uniform(-0.18, 0.18))) if change and rng.random() < 0.5 else 1.0  # rows read a row given
    need = int(rows * pace) + 2
    start = int(rng.integers(max(len(mel) - need, 0) + 1))
    taken = mel[start : start + need].astype(np.float32)
    at = np.arange(rows) * pace
    if pace != 1.0 or len(taken) < rows:
        low = np.minimum(at.astype(int), len(taken) - 2)
        share = np.clip(at - low, 0, 1)[:, None].astype(np.float32)
        taken = taken[low] * (1 - share) + taken[low + 1] * share
    else:
        taken = taken[:rows]
    if change and rng.random() < 0.3:  # bands are about a sixth of an octave apart: a cheap change of pitch
        shift = int(rng.integers(-3, 4))
        taken = taken[:, np.clip(np.arange(MELS) + shift, 0, MELS - 1)]
    held = (len(mel) - start) / pace  # a recording that was too short stands still at its end: no beats there
    beats, downbeats = (recording.beats - start) / pace, (recording.downbeats - start) / pace
    return Piece(taken, beats[beats < held], downbeats[downbeats < held], bool(len(beats)))


def tone(mel: Floats, rng: Generator) -> Floats:
    """Another volume and tone: a loudspeaker, a microphone, a coat over it. Adds a curve over the bands."""
    bands = np.linspace(0, 1, MELS, dtype=np.float32)
    curve = sum(rng.normal(0, 0.6) * np.cos(np.pi * k * bands + rng.uniform(0, 6)) for k in range(1, 5))
    curve = curve + rng.normal(0, 1.5) * (bands - 0.5)
    if rng.random() < 0.25:
        curve = curve - 8 * np.maximum(rng.uniform(0.02, 0.25) - bands, 0) / 0.1  # no bass
    if rng.random() < 0.25:
        curve = curve - 8 * np.maximum(bands - rng.uniform(0.5, 0.95), 0) / 0.1  # no treble
    gain = rng.uniform(-40, 6) * np.log(10) / 10
    return np.maximum(mel + np.asarray(curve + gain, np.float32), np.float32(QUIET))


def over(mel: Floats, other: Floats, decibels: float) -> Floats:
    """Two sounds at once, `mel` louder by `decibels`: the powers of sounds that know nothing of each other add."""
    level = np.log(np.mean(np.exp(mel)) + FLOOR) - np.log(np.mean(np.exp(other)) + FLOOR)
    return np.logaddexp(mel, other + np.float32(level - decibels * np.log(10) / 10)).astype(np.float32)


def targets(piece: Piece, rows: int) -> dict[str, NDArray[np.float32]]:
    """What the network should say of each row: a beat 1 at its row, half at 10 ms from it, whatever lies between."""
    at = np.arange(rows, dtype=np.float64)

    def bumps(where: NDArray[np.float64]) -> NDArray[np.float32]:
        out = np.zeros(rows, np.float32)
        near = where[(where > -2) & (where < rows + 1)]
        for shift in (-1, 0, 1, 2):
            row = np.floor(near).astype(int) + shift
            value = np.clip(1 - np.abs(row - near) / 2, 0, 1)
            good = (row >= 0) & (row < rows)
            np.maximum.at(out, row[good], value[good].astype(np.float32))
        return out

    phase = np.zeros((rows, 4), np.float32)
    known = np.zeros(rows, np.float32)
    beats, downbeats = piece.beats, piece.downbeats
    if len(beats) > 1 and len(downbeats) > 1:
        beat = np.interp(at, beats, np.arange(len(beats)))
        bar = np.interp(at, downbeats, np.arange(len(downbeats)))
        known = ((at >= max(beats[0], downbeats[0])) & (at <= min(beats[-1], downbeats[-1]))).astype(np.float32)
        for k, turns in enumerate((beat, bar)):
            phase[:, 2 * k] = np.sin(2 * np.pi * turns)
            phase[:, 2 * k + 1] = np.cos(2 * np.pi * turns)
    tempo = np.full(rows, 120.0, np.float32)
    if len(beats) > 2:
        # The mean of some beats, so that a human hand does not blur it.
        number = np.arange(len(beats))
        first, last = np.maximum(number - 2, 0), np.minimum(number + 2, len(beats) - 1)
        bpm = 60 * HOPS_A_SECOND * (last - first) / (beats[last] - beats[first])
        tempo = np.interp(at, beats, bpm).astype(np.float32)
    music = np.zeros(rows, np.float32)
    if piece.music and len(beats):
        music = ((at >= beats[0] - 10) & (at <= beats[-1] + 60)).astype(np.float32)
    return {
        "beat": bumps(beats),
        "downbeat": bumps(downbeats),
        "phase": phase,
        "known": known,
        "music": music,
        "tempo": tempo,
    }


def batches(recordings: list[Recording], calls: int, size: int, seed: int) -> Callable[[int], Iterator[Batch]]:
    """Endless batches of `size` pieces of `calls` calls each; the stream is decided by the seed and the step."""
    empty = [r for r in recordings if not len(r.beats)]
    tunes = [r for r in recordings if len(r.beats)]
    rows = calls * ROWS_A_CALL

    def one(rng: Generator) -> tuple[Floats, dict[str, NDArray[np.float32]]]:
        def piece(length: int) -> Piece:
            pool = empty if empty and rng.random() < 0.1 else tunes
            return cut(pool[int(rng.integers(len(pool)))], length, rng)

        lengths = [rows]
        if rng.random() < 0.3:  # the music changes, begins or ends
            first = int(rng.integers(rows // 6, rows - rows // 6)) // 2 * 2
            lengths = [first, rows - first]
        parts = [piece(length) for length in lengths]
        mels = [tone(p.mel, rng) for p in parts] if rng.random() < 0.3 else None
        mel = np.concatenate(mels) if mels else tone(np.concatenate([p.mel for p in parts]), rng)
        if empty and rng.random() < 0.3:
            mel = over(mel, cut(empty[int(rng.integers(len(empty)))], rows, rng).mel, float(rng.uniform(-2, 25)))
        if rng.random() < 0.5:  # no microphone is without hiss
            hiss = np.log(rng.gamma(4, 0.25, (rows, MELS))).astype(np.float32)
            mel = over(mel, hiss, float(rng.uniform(10, 50)))
        if rng.random() < 0.1:  # the volume is turned, or a hand is laid on the microphone
            start = int(rng.integers(rows))
            mel = mel.copy()
            mel[start:] += np.float32(rng.uniform(-3, 3))
        wanted = [targets(p, length) for p, length in zip(parts, lengths, strict=True)]
        return np.maximum(mel, np.float32(QUIET)), {k: np.concatenate([w[k] for w in wanted]) for k in wanted[0]}

    def stream(start: int) -> Iterator[Batch]:
        step = start
        while True:
            rng = np.random.default_rng((seed, step, 25))
            pieces = [one(rng) for _ in range(size)]
            mel = np.stack([p[0] for p in pieces]).reshape(size, calls, ROWS_A_CALL * MELS)
            got = {k: np.stack([p[1][k] for p in pieces]) for k in pieces[0][1]}
            late = slice(ROWS_A_CALL - 1, None, ROWS_A_CALL)  # a call speaks at its last row
            yield Batch(
                torch.from_numpy(mel),
                torch.from_numpy(got["beat"].reshape(size, calls, ROWS_A_CALL)),
                torch.from_numpy(got["downbeat"].reshape(size, calls, ROWS_A_CALL)),
                torch.from_numpy(got["music"][:, late, None].copy()),
                torch.from_numpy(got["phase"][:, late].copy()),
                torch.from_numpy(got["known"][:, late, None].copy()),
                torch.from_numpy(got["tempo"][:, late, None].copy()),
            )
            step += 1

    return stream
