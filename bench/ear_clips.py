"""Clips with known beats, in the halves that choose and report, and the tracker's input for them, kept on disk."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench import ear_party
from visualizer import files
from visualizer.errors import UserError
from visualizer.music.analysis import features
from visualizer.music.analysis.beat_pipeline import ROWS, FrontEnd, Rows
from visualizer.music.analysis.beats import Activations
from visualizer.music.analysis.downbeat import DownbeatFeatures
from visualizer.music.analysis.features import HOP, RATE, Floats
from visualizer.music.song_file import read_song

Times = NDArray[np.float64]
FORMAT = 1  # of the kept files, and of what is in them
TAIL = RATE // 10  # samples of silence after a sound, as `analyse_beats` has them


@dataclass(frozen=True)
class Clip:
    """A sound file and what is known of it; times in seconds."""

    path: Path
    genre: str
    beats: Times
    downbeats: Times

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def samples(self) -> Floats:
        """Float32 (n,) at RATE. UserError where the file cannot be read."""
        return np.concatenate([block[:, 0] for block in read_song(self.path, RATE, 1)])

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def bpm(self) -> float:
        return 60 / float(np.median(np.diff(self.beats)))

    @property
    def chooses(self) -> bool:
        """Whether it is in the half on which parameters and networks are chosen; the other half only reports. All parts
        of a song are in the same half."""
        return zlib.crc32(re.sub(r"_\d+$", "", Path(self.name).stem).encode()) % 2 == 0

    @property
    def of_groove(self) -> bool:
        """Whether it is a performance of the Groove MIDI Dataset, whose drummers also play in the training music."""
        return self.name.startswith("groove_")


def read_clips(folder: Path) -> list[Clip]:
    """UserError where the index cannot be read or a sound is missing."""
    index = folder / "index.json"
    try:
        listed = json.loads(index.read_text())["clips"]
        clips = []
        for clip in listed:
            beats, downbeats = np.array(clip["beats"], float), np.array(clip.get("downbeats", []), float)
            clips.append(Clip(folder / clip["file"], clip["genre"], beats, downbeats))
    except OSError as error:
        raise UserError(f"{index}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{index}: not an index of clips ({error!r})") from error
    if not clips:
        raise UserError(f"{index}: names no clips")
    for clip in clips:
        if not clip.path.is_file():
            raise UserError(f"{index}: names {clip.name}, which is not there")
    return clips


class Front(NamedTuple):
    """What the tracker is given for a sound, its TAIL included, and what it cost to compute."""

    rows: Rows
    live: int  # rows that are known when the sound ends
    seconds: float  # of the sound
    cpu: float  # seconds of CPU

    @property
    def heard(self) -> Rows:
        """Those of the sound itself."""
        return cut_rows(self.rows, self.live)


def cut_rows(rows: Rows, count: int) -> Rows:
    """The first `count` rows."""
    return Rows(
        Activations(*(part[:count] for part in rows.activations)), rows.onset[:count],
        DownbeatFeatures(*(part[:count] for part in rows.clues)),
    )  # fmt: skip


def hear_front(samples: Floats, model: Path | None) -> Front:
    """The tracker's input for a sound, float32 (n,) at RATE."""
    front = FrontEnd(model)
    begun = time.process_time()
    rows = front.push(np.concatenate([samples, np.zeros(TAIL, np.float32)]))
    cpu = time.process_time() - begun
    return Front(rows, len(samples) // HOP // ROWS * ROWS, len(samples) / RATE, cpu)


def clip_sound(clip: Clip, scene: str, voices: ear_party.Voices) -> Floats:
    """The clip as it is heard in a scene of `ear_party.SCENES`, always the same."""
    return ear_party.SCENES[scene](clip.samples, zlib.crc32(clip.name.encode()), voices)


def clip_front(clip: Clip, scene: str, model: Path | None, voices: ear_party.Voices, cache: Path | None) -> Front:
    """The tracker's input for a clip in a scene; read from the folder `cache` if it is there already."""
    speech = "" if scene == ear_party.PLAIN else voices.name
    said = [clip.name, scene, ear_party.recipe_version(scene), speech, _version(model)]
    digest = hashlib.sha256("\n".join(said).encode() + clip.path.read_bytes()).hexdigest()[:20]
    return _kept(cache, digest, lambda: hear_front(clip_sound(clip, scene, voices), model))


def sound_front(samples: Floats, model: Path | None, cache: Path | None) -> Front:
    """As `clip_front`, for any sound."""
    digest = hashlib.sha256(_version(model).encode() + samples.tobytes()).hexdigest()[:20]
    return _kept(cache, digest, lambda: hear_front(samples, model))


def _version(model: Path | None) -> str:
    """Changes with the network and the features. Where other code before the tracker changes, raise FORMAT."""
    weights = b"" if model is None else model.read_bytes()
    return hashlib.sha256(f"{FORMAT}\n{inspect.getsource(features)}".encode() + weights).hexdigest()


def _kept(cache: Path | None, digest: str, make: Callable[[], Front]) -> Front:
    if cache is None:
        return make()
    path = cache / f"{digest}.npz"
    if path.exists():
        with np.load(path) as kept:
            rows = Rows(
                Activations(**{name: kept[f"activation_{name}"] for name in Activations._fields}), kept["onset"],
                DownbeatFeatures(*(kept[f"clue_{name}"] for name in DownbeatFeatures._fields)),
            )  # fmt: skip
            return Front(rows, int(kept["live"]), float(kept["seconds"]), float(kept["cpu"]))
    front = make()
    cache.mkdir(parents=True, exist_ok=True)
    arrays = {f"activation_{k}": v for k, v in front.rows.activations._asdict().items()}
    arrays |= {f"clue_{k}": v for k, v in front.rows.clues._asdict().items()}
    with files.write_whole(path) as part, part.open("wb") as file:
        np.savez(
            file, onset=front.rows.onset, live=np.array(front.live), seconds=np.array(front.seconds),
            cpu=np.array(front.cpu), **arrays,
        )  # fmt: skip
    return front
