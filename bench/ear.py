"""How well the ear hears beats, beside its rivals, on clips with known beats.

    python -m bench.ear DIR [--model ear.onnx|none] [--rival aubio=PYTHON] [--rival BeatNet=PYTHON] [--keep FOLDER]
    python -m bench.ear DIR --tune 200          search the tracker's parameters, on one half of the clips
    python -m bench.ear DIR --plot OUT CLIP...   pictures of what the tracker makes of clips

DIR holds sounds and an index.json: {"clips": [{"file", "genre", "beats", "downbeats"}]}, times in seconds. A rival is
run by the given Python, in which it is installed (pip install aubio; pip install madmom BeatNet); the program needs
none. The beats of a rival are kept in FOLDER, because BeatNet takes half an hour for fifty clips and always gives the
same ones.

Everything is causal: sound is pushed in blocks of 20 ms, and a beat counts from the block at which it was called. The
first five seconds are not judged (except for the time to lock). F, CMLt, AMLt: mir_eval, see Davies, Degara and
Plumbley, *Evaluation methods for musical audio beat tracking algorithms* (2009). `off`: mean distance of the beats that
were hit (within 70 ms). `lock`: when the first four beats in a row are called that are right at the clip's own tempo,
its half or its double; the median, clips that are never locked counting as infinity. `late`: how long after it sounded
a beat is known; negative is ahead.

The party is `training.synth.augment`: loudspeaker, room, crowd, noise, microphone, random for each clip and the same in
every run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import mir_eval
import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from training.synth.augment import crowd, degrade, harm, speak
from visualizer.errors import UserError
from visualizer.music.analysis.beat_pipeline import (
    ROWS,
    BeatPipeline,
    Caller,
    FrontEnd,
    Rows,
    analyse_beats,
    find_model,
)
from visualizer.music.analysis.beats import BeatTracker, TrackerParams
from visualizer.music.analysis.features import HOP, RATE, FeatureStream, Floats, row_time
from visualizer.music.song_file import read_song

WARM_UP = 5.0  # seconds
BLOCK = ROWS * HOP  # samples
HIT = 0.07  # seconds, mir_eval's own
ROW_OF_LOCK = 4  # beats in a row
Times = NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """A sound, float32 (n,) at RATE, and what is known of it; times in seconds."""

    name: str
    genre: str
    samples: Floats
    beats: Times
    downbeats: Times

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def tuned(self) -> bool:
        """Whether it is in the half that parameters are tuned on; all parts of a song are in the same half."""
        return zlib.crc32(re.sub(r"_\d+$", "", Path(self.name).stem).encode()) % 2 == 0


class Called(NamedTuple):
    """What an ear called: times in seconds."""

    beats: Times
    downbeats: Times | None  # None: it does not know bars
    late: float | None  # seconds, mean, from a beat to its call
    cpu: float  # seconds of CPU a second of sound


class Marks(NamedTuple):
    """Of one clip; `lock` is infinite if it never was."""

    f: float
    cmlt: float
    amlt: float
    downbeat_f: float
    off: float  # seconds; NaN without a hit
    lock: float


# --- clips -----------------------------------------------------------------------------------------------------


def read_clips(folder: Path) -> list[Clip]:
    """UserError where the index or a sound cannot be read."""
    index = folder / "index.json"
    try:
        listed = json.loads(index.read_text())["clips"]
        clips = []
        for clip in listed:
            samples = np.concatenate([block[:, 0] for block in read_song(folder / clip["file"], RATE, 1)])
            beats, downbeats = np.array(clip["beats"], float), np.array(clip.get("downbeats", []), float)
            clips.append(Clip(clip["file"], clip["genre"], samples, beats, downbeats))
    except OSError as error:
        raise UserError(f"{index}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{index}: not an index of clips ({error!r})") from error
    if not clips:
        raise UserError(f"{index}: names no clips")
    return clips


def at_a_party(clip: Clip, speakers: Sequence[Floats]) -> Clip:
    """The clip through a microphone at a party, always the same one."""
    rng = np.random.default_rng(zlib.crc32(clip.name.encode()))
    return replace(clip, samples=degrade(clip.samples, harm(rng), rng, speakers))


def beatless(speakers: Sequence[Floats], seconds: float) -> dict[str, Floats]:
    """Sounds that must not be danced to, by name, of the given length each."""
    rng, length = np.random.default_rng(7), int(seconds * RATE)
    sounds = {"silence": np.zeros(length, np.float32)}
    sounds["hiss"] = (rng.standard_normal(length) * 1e-3).astype(np.float32)
    for k in range(3):
        sounds[f"speech {k + 1}"] = np.resize(np.concatenate([speak(rng) for _ in range(6)]), length) * np.float32(0.3)
    for k in range(3):
        sounds[f"crowd {k + 1}"] = 0.1 * crowd(rng, length, speakers)
    return sounds


# --- ears ------------------------------------------------------------------------------------------------------


def ours(samples: Floats, model: Path | None, params: TrackerParams | None = None) -> Called:
    """Our ear, live."""
    ear = BeatPipeline(model, params=params)
    beats, downbeats, late = [], [], []
    begun = time.process_time()
    for start in range(0, len(samples), BLOCK):
        ear.push(samples[start : start + BLOCK])
        beats += ear.beats
        downbeats += ear.downbeats
        late += [min(start + BLOCK, len(samples)) / RATE - beat for beat in ear.beats]
    cpu = (time.process_time() - begun) / (len(samples) / RATE)
    return Called(np.array(beats), np.array(downbeats), float(np.mean(late)) if late else None, cpu)


def ours_whole(samples: Floats, model: Path | None) -> Called:
    """Our ear with the future known, as songs and films have it."""
    begun = time.process_time()
    heard = analyse_beats([samples], model).beats
    return Called(heard.beats, heard.downbeats, None, (time.process_time() - begun) / (len(samples) / RATE))


def rival(name: str, python: str, sounds: Sequence[Floats], keep: Path | None = None) -> list[Called] | str:
    """The beats that a rival calls in each sound, or why it does not run. `keep`: a folder for its beats."""
    found = _ask_rival(name, python, sounds) if keep is None else _asked_before(name, python, sounds, keep)
    if isinstance(found, str):
        return found
    called = []
    for one, samples in zip(found, sounds, strict=True):
        beats, seconds = np.array(one["beats"]), len(samples) / RATE
        late = float(np.mean(np.array(one["told"]) - beats)) if one["told"] else None
        downbeats = None if one["downbeats"] is None else np.array(one["downbeats"])
        called.append(Called(beats, downbeats, late, one["cpu"] / seconds))
    return called


def _asked_before(name: str, python: str, sounds: Sequence[Floats], keep: Path) -> list[dict[str, Any]] | str:
    """As `_ask_rival`, but each sound is asked for only once and then read from the folder."""
    keep.mkdir(parents=True, exist_ok=True)
    found = []
    for samples in sounds:
        path = keep / f"{name}-{hashlib.sha256(samples.tobytes()).hexdigest()[:16]}.json"
        if not path.exists():
            one = _ask_rival(name, python, [samples])
            if isinstance(one, str):
                return one
            path.write_text(json.dumps(one[0]))
        found.append(json.loads(path.read_text()))
    return found


def _ask_rival(name: str, python: str, sounds: Sequence[Floats]) -> list[dict[str, Any]] | str:
    """Run it: what `rival_ears.py` says of each sound, or the last line of its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{i}.wav" for i in range(len(sounds))]
        for path, samples in zip(files, sounds, strict=True):
            soundfile.write(path, samples, RATE, subtype="PCM_16")
        command = [python, str(Path(__file__).with_name("rival_ears.py")), name, *map(str, files)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{python} does not start ({error.strerror})"
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(found) != len(sounds):
        return ((done.stderr or done.stdout).strip().splitlines() or ["it says nothing"])[-1]
    return found


# --- marks -----------------------------------------------------------------------------------------------------


def mark(clip: Clip, called: Called) -> Marks:
    """How well the beats of a clip were called."""
    true, beats = (times[times >= WARM_UP] for times in (clip.beats, called.beats))
    lock = time_to_lock(clip.beats, called.beats)
    if len(beats) < 2 or len(true) < 2:
        return Marks(0.0, 0.0, 0.0, 0.0, math.nan, lock)
    _, cmlt, _, amlt = mir_eval.beat.continuity(true, beats)
    off = np.abs(true[:, None] - beats).min(axis=1)
    off = off[off < HIT]
    downbeat_f = math.nan
    if called.downbeats is not None and len(clip.downbeats):
        bars, heard = (times[times >= WARM_UP] for times in (clip.downbeats, called.downbeats))
        downbeat_f = float(mir_eval.beat.f_measure(bars, heard)) if len(heard) else 0.0
    return Marks(
        float(mir_eval.beat.f_measure(true, beats)), cmlt, amlt, downbeat_f,
        float(off.mean()) if len(off) else math.nan, lock,
    )  # fmt: skip


def time_to_lock(true: Times, beats: Times) -> float:
    """Seconds at which the first ROW_OF_LOCK beats in a row have been called that are neighbours, each within HIT, on
    the true beats, on every other one, or on those and the middles between them; infinite if there are none."""
    middles = (true[1:] + true[:-1]) / 2
    first = math.inf
    for level in (true, np.sort(np.concatenate([true, middles])), true[::2], true[1::2]):
        if len(level) < ROW_OF_LOCK:
            continue
        away = np.abs(beats[:, None] - level)
        nearest, hit = away.argmin(axis=1), away.min(axis=1) < HIT
        run = 0
        for i in range(len(beats)):
            follows = i > 0 and hit[i - 1] and nearest[i] == nearest[i - 1] + 1
            run = (run + 1 if follows else 1) if hit[i] else 0
            if run == ROW_OF_LOCK:
                first = min(first, float(beats[i]))
                break
    return first


def mean(marks: Iterable[Marks], name: str) -> float:
    values = [getattr(one, name) for one in marks]
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


HEADINGS = ("ear", "clips", "F", "CMLt", "AMLt", "downbeat F", "off ms", "lock s", "never", "CPU s/s", "late ms")

PLAIN, PARTY = "as they are", "through a microphone at a party"
GOALS = {
    PLAIN: ("goal", "", "≥ .82", "≥ .70", "≥ .85", "≥ .55", "≤ 15", "≤ 4", "≤ 10%", "≤ .05", "≤ 0"),
    PARTY: ("goal", "", "≥ .85"),
}


def row(name: str, clips: Sequence[Clip], called: Sequence[Called]) -> list[str]:
    """One row of the table."""
    marks = [mark(clip, one) for clip, one in zip(clips, called, strict=True)]
    locks = [one.lock for one in marks]
    late = [one.late for one in called if one.late is not None]
    numbers = [mean(marks, name) for name in ("f", "cmlt", "amlt", "downbeat_f")]
    return [
        name, str(len(clips)), *("–" if math.isnan(n) else f"{n:.3f}" for n in numbers),
        f"{1000 * mean(marks, 'off'):.1f}", f"{np.median(locks):.1f}", f"{np.mean(np.isinf(locks)):.0%}",
        f"{np.mean([one.cpu for one in called]):.4f}", f"{1000 * np.mean(late):.0f}" if late else "–",
    ]  # fmt: skip


# --- tuning ----------------------------------------------------------------------------------------------------

TUNED = {  # parameter: the factor by which it is varied
    "center": 1.06, "spread": 1.2, "stiff": 1.3, "restart": 1.7, "share": 1.15, "weight": 1.25, "even": 1.4,
    "floor": 1.3, "width": 1.2, "awake": 1.3, "bias": 1.4, "ratio": 1.3, "patience": 1.5, "octave": 1.5,
    "bar_weight": 1.3, "bar_slip": 1.5,
}  # fmt: skip


def track(rows: Rows, params: TrackerParams) -> Called:
    """The tracker alone, on outputs of the network that were computed before. All beats, sure or not."""
    tracker, caller, called = BeatTracker(params), Caller(), []
    for i, pair in enumerate(rows.pairs(), 1):
        tracker.push(*pair)
        tracker.steady = True
        if (one := caller.call(tracker, i * ROWS)) is not None:
            called.append(one)
    return Called(np.array([t for t, _ in called]), np.array([t for t, bar in called if bar]), None, 0.0)


def worth(marks: Sequence[Marks]) -> float:
    """The score that the search increases."""
    locks = np.mean([min(one.lock, 20.0) for one in marks]) / 20
    return sum(mean(marks, n) for n in ("f", "cmlt", "amlt")) + 0.5 * mean(marks, "downbeat_f") - 0.5 * float(locks)


def _worth_of(given: tuple[TrackerParams, list[Clip], list[Rows]]) -> float:
    params, clips, rows = given
    return worth([mark(clip, track(one, params)) for clip, one in zip(clips, rows, strict=True)])


def tune(clips: list[Clip], model: Path | None, tries: int, say: Callable[[str], None]) -> TrackerParams:
    """Hill climbing: change some parameters at random and keep what is better. `clips`: those of the tuned half, as
    they are and at a party."""
    rows = [hear_rows(clip.samples, model) for clip in clips]
    rng, best, pair = np.random.default_rng(0), TrackerParams(), os.cpu_count() or 1
    with ProcessPoolExecutor(pair) as pool:
        top = _worth_of((best, clips, rows))
        say(f"{top:.4f} {best}")
        for _ in range(math.ceil(tries / pair)):
            others = []
            for _ in range(pair):
                moved = {
                    name: getattr(best, name) * by ** rng.standard_normal()
                    for name, by in TUNED.items()
                    if rng.random() < 0.3
                }
                moved["share"] = min(moved.get("share", best.share), 1.0)
                others.append(replace(best, **moved))
            for other, value in zip(others, pool.map(_worth_of, [(o, clips, rows) for o in others]), strict=True):
                if value > top:
                    best, top = other, value
                    say(f"{top:.4f} " + " ".join(f"{f.name}={getattr(best, f.name):.4g}" for f in fields(best)))
    return best


def hear_rows(samples: Floats, model: Path | None) -> Rows:
    """The input of the tracker for a sound."""
    return FrontEnd(model).push(samples)


# --- pictures --------------------------------------------------------------------------------------------------


def plot(clip: Clip, model: Path | None, path: Path, seconds: float = 20.0) -> None:
    """Plot the beginning of a clip: activations, belief over tempo, and called beats beside the true ones."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows, tracker = hear_rows(clip.samples[: int(seconds * RATE)], model), BeatTracker()
    bpms, _ = tracker.tempi()
    tempi, phases, sure = [], [], []
    for pair in rows.pairs():
        tracker.push(*pair)
        tempi.append(tracker.tempi()[1])
        phases.append((tracker.bpm, tracker.beat))
        sure.append((tracker.confidence, tracker.bar_confidence, float(tracker.steady)))
    at = np.asarray(row_time(np.arange(len(rows.onset))))
    called = ours(clip.samples[: int(seconds * RATE)], model)
    figure, (top, middle, low) = pyplot.subplots(3, 1, figsize=(18, 10), sharex=True, height_ratios=(3, 3, 2))
    top.plot(at, rows.activations.beat, lw=0.9, label="network: beat")
    top.plot(at, -rows.activations.downbeat, lw=0.9, label="network: downbeat (downwards)")
    top.plot(at, rows.onset * 0.4 - 1.5, lw=0.6, color="gray", label="onset")
    top.vlines(clip.beats, 1.02, 1.2, color="black", label="true beats, bars longer")
    top.vlines(clip.downbeats, 1.02, 1.4, color="black", lw=2)
    top.vlines(called.beats, -1.75, -1.55, color="red", label="called beats, bars longer")
    top.vlines(np.asarray(called.downbeats), -1.95, -1.55, color="red", lw=2)
    top.legend(loc="upper right", fontsize=8)
    top.set_title(clip.name)
    middle.pcolormesh(at[ROWS - 1 :: ROWS], bpms, np.sqrt(np.array(tempi).T), shading="nearest", cmap="magma")
    middle.plot(at[ROWS - 1 :: ROWS], [bpm for bpm, _ in phases], color="cyan", lw=1, label="followed")
    gaps = np.diff(clip.beats)
    middle.plot(clip.beats[1:], 60 / gaps, color="lime", lw=0.8, ls=":", label="true")
    middle.set_ylabel("belief over BPM")
    middle.legend(loc="upper right", fontsize=8)
    place = np.array([beat % 1.0 for _, beat in phases])
    low.plot(at[ROWS - 1 :: ROWS], place, lw=0.6, color="tab:red", label="place in the beat")
    for k, name in enumerate(("confidence", "bar confidence", "steady")):
        low.plot(at[ROWS - 1 :: ROWS], [one[k] for one in sure], lw=1, label=name)
    low.vlines(clip.beats, 0, 1, color="black", lw=0.4)
    low.legend(loc="upper right", fontsize=8)
    low.set_xlabel("seconds")
    low.set_xlim(0, seconds)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


# --- the command -----------------------------------------------------------------------------------------------


def main() -> None:
    """Print the tables, or tune, or plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=str(find_model()), help="ear network; none: onsets alone")
    parser.add_argument("--beatless", type=float, default=60.0, metavar="SECONDS", help="of each sound without music")
    parser.add_argument("--rival", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for the beats of rivals")
    parser.add_argument("--tune", type=int, metavar="TRIES")
    parser.add_argument("--plot", nargs="+", metavar=("OUT", "CLIP"))
    parser.add_argument("--each", action="store_true", help="marks of each clip too")
    given = parser.parse_args()
    try:
        run(given)
    except UserError as error:
        raise SystemExit(f"{error}") from error


def run(given: argparse.Namespace) -> None:
    """Do what the command line asks for: plot, tune, or print the tables."""
    console = Console(width=130)
    model = None if given.model == "none" else Path(given.model)
    clips = read_clips(given.folder)
    if given.plot:
        out = Path(given.plot[0])
        out.mkdir(parents=True, exist_ok=True)
        for clip in clips:
            if any(word in clip.name for word in given.plot[1:]):
                plot(clip, model, out / f"{Path(clip.name).stem}.png")
        return
    rng = np.random.default_rng(3)
    speakers = [speak(rng) for _ in range(12)]
    party = [at_a_party(clip, speakers) for clip in clips]
    if given.tune:
        half = [clip for clip in (*clips, *party) if clip.tuned]
        params = tune(half, model, given.tune, console.print)
        console.print(params)
        return
    rivals = [one.partition("=")[::2] for one in given.rival]
    empty = beatless(speakers, given.beatless)
    missing: dict[str, str] = {}
    for title, some in ((PLAIN, clips), (PARTY, party)):
        print_marks(console, given, title, some, missing)
    table = Table(title="beats called a minute, where there is no music")
    table.add_column("ear")
    for name in empty:
        table.add_column(name, justify="right")
    minutes = given.beatless / 60
    for name, network in (("ours", model), ("ours, no network", None)):
        table.add_row(name, *(f"{len(ours(samples, network).beats) / minutes:.0f}" for samples in empty.values()))
    for name, python in rivals:
        called = rival(name, python, list(empty.values()), given.keep)
        if not isinstance(called, str):
            table.add_row(name, *(f"{len(one.beats) / minutes:.0f}" for one in called))
    table.add_row("goal", *["≤ 2"] * len(empty))
    console.print(table)
    if model is not None:
        console.print(f"ear: {network_time(clips[0].samples, model):.3f} ms a hop on one thread (goal ≤ 0.3)")


def print_marks(
    console: Console, given: argparse.Namespace, title: str, some: list[Clip], missing: dict[str, str]
) -> None:
    """Print the table of the clips `some`, ours and the rivals', and with --each a line for each clip. Rivals that do
    not run are added to `missing`, with the reason."""
    model = None if given.model == "none" else Path(given.model)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    table = Table(title=f"{len(some)} clips of {given.folder.name} {title}; {given.model}; {load}")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "ear" else "right")
    live = [ours(clip.samples, model) for clip in some]
    table.add_row(*row("ours", some, live))
    for tuned, words in ((True, "  the half it was tuned on"), (False, "  the other half")):
        part = [i for i, clip in enumerate(some) if clip.tuned is tuned]
        if part:
            table.add_row(*row(words, [some[i] for i in part], [live[i] for i in part]))
    table.add_row(*row("ours, no network", some, [ours(clip.samples, None) for clip in some]))
    table.add_row(*row("ours, heard whole", some, [ours_whole(clip.samples, model) for clip in some]))
    for name, _, python in (one.partition("=") for one in given.rival):
        if name not in missing:
            called = rival(name, python, [clip.samples for clip in some], given.keep)
            if isinstance(called, str):
                missing[name] = called
            else:
                table.add_row(*row(name, some, called))
    table.add_row(*GOALS[title])
    console.print(table)
    for name, why in missing.items():
        console.print(f"{name} does not run: {why}", soft_wrap=True, highlight=False)
    if given.each:
        for clip, one in zip(some, live, strict=True):
            words = " ".join(f"{k} {v:.3f}" for k, v in mark(clip, one)._asdict().items())
            console.print(f"{'tuned' if clip.tuned else 'other'} {clip.name[:48]:<48} {words}", highlight=False)


def network_time(samples: Floats, model: Path) -> float:
    """Milliseconds of CPU that a call of the network takes, one for every ROWS rows: 20 ms of sound."""
    front = FrontEnd(model)
    assert front.network is not None
    mel = FeatureStream().push(samples).mel
    begun = time.process_time()
    front.network.push(mel)
    return 1000 * (time.process_time() - begun) / (len(mel) // ROWS)


if __name__ == "__main__":
    main()
