"""How well the ear hears beats, beside its rivals, on clips with known beats.

    python -m bench.ear DIR [--model ear.onnx|none] [--rival aubio=PYTHON] [--rival BeatNet=PYTHON] [--keep FOLDER]
    python -m bench.ear DIR --speech FOLDER --cache FOLDER   real voices; the tracker's inputs are computed once
    python -m bench.ear DIR --tune 200          search the tracker's parameters, on the half of the clips that chooses
    python -m bench.ear DIR --plot OUT CLIP...   pictures of what the tracker makes of clips

DIR holds sounds and an index.json: {"clips": [{"file", "genre", "beats", "downbeats"}]}, times in seconds. A rival is
run by the given Python, in which it is installed (pip install aubio; pip install madmom BeatNet); the program needs
none. The beats of a rival are kept in FOLDER, because BeatNet takes half an hour for fifty clips and always gives the
same ones.

Everything is causal: sound is pushed in blocks of 20 ms, and a beat counts from the block at which it was called. The
first five seconds are not judged (except for the time to lock). F, CMLt, AMLt: mir_eval, see Davies, Degara and
Plumbley, *Evaluation methods for musical audio beat tracking algorithms* (2009). `F, any octave`: the same where half,
double and the other half of the beats are right too. `double`, `half`, `off-beat`, `silent`: share of the true beats
that were danced so (`ear_marks.find_shares`). `off`: mean distance of the beats that were hit (within 70 ms); `late`:
the same with its sign, positive where beats are called after they sounded. `lock`: when the first four beats in a row
are called that are right at the clip's own tempo, its half or its double; the median, clips that are never locked
counting as infinity. `told`: how long after the time that was called it was known; negative is before.

The clips are in two halves by a hash of the song's name: parameters and networks are chosen on one, the other reports.
Groove's drummers also play in the training music, so both halves are shown without them too. The scenes: as they are;
a party by the recipe of the training music; a party by another recipe, with other rooms, crowds, gains and codecs
(`ear_party`). `--speech`: a folder of recorded voices for the crowds and for what must not be danced to, none of which
may have been trained with; without it eSpeak NG speaks, from which the network was taught what speech is.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.ear_clips import Clip, clip_front, clip_sound, read_clips, sound_front
from bench.ear_marks import BANDS, HEADINGS, Called, mark, row
from bench.ear_party import OTHER, PARTY, PLAIN, SCENES, Voices, beatless
from bench.ear_rivals import rival
from bench.ear_tracking import call_all, call_live, call_whole, plot, tune
from visualizer.errors import UserError
from visualizer.music.analysis.beat_pipeline import ROWS, FrontEnd, find_model
from visualizer.music.analysis.features import FeatureStream, Floats

GOALS = {
    PLAIN: ("goal", "", "≥ .82", "", "≥ .70", "≥ .85", "≥ .55", *[""] * 4, "≤ 15", "±10", "≤ 4", "≤ 10%", "≤ .05"),
    PARTY: ("goal", "", "≥ .85"),
    OTHER: ("goal", "", "≥ .82", "", "≥ .70", "≥ .82"),
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What the command line asked for."""

    console: Console
    model: Path | None
    voices: Voices
    cache: Path | None
    rivals: list[tuple[str, str]]
    keep: Path | None
    workers: int
    each: bool


def main() -> None:
    """Print the tables, or tune, or plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=str(find_model()), help="ear network; none: onsets alone")
    parser.add_argument("--beatless", type=float, default=60.0, metavar="SECONDS", help="of each sound without music")
    parser.add_argument("--speech", type=Path, metavar="FOLDER", help="recorded voices, a folder a speaker")
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="for the tracker's inputs")
    parser.add_argument("--scene", type=int, choices=range(len(SCENES)), action="append", help="this one only")
    parser.add_argument("--rival", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="for the beats of rivals")
    parser.add_argument("--tune", type=int, metavar="TRIES")
    parser.add_argument("--plot", nargs="+", metavar=("OUT", "CLIP"))
    parser.add_argument("--each", action="store_true", help="marks of each clip too")
    parser.add_argument("--workers", type=int, default=1, help="processes that track")
    given = parser.parse_args()
    if given.speech is not None and not given.speech.is_dir():
        raise SystemExit(f"{given.speech}: no such folder")
    try:
        run(given)
    except UserError as error:
        raise SystemExit(f"{error}") from error


def run(given: argparse.Namespace) -> None:
    """Do what the command line asks for: plot, tune, or print the tables."""
    rivals = [(name, python) for name, _, python in (one.partition("=") for one in given.rival)]
    model = None if given.model == "none" else Path(given.model)
    console = Console(width=190)
    task = Run(console, model, Voices(given.speech), given.cache, rivals, given.keep, given.workers, given.each)
    clips = read_clips(given.folder)
    if given.plot:
        out = Path(given.plot[0])
        out.mkdir(parents=True, exist_ok=True)
        for clip in clips:
            if any(word in clip.name for word in given.plot[1:]):
                front = clip_front(clip, PLAIN, model, task.voices, task.cache)
                plot(clip, front, out / f"{Path(clip.name).stem}.png")
        return
    if given.tune:
        half = [clip for clip in clips if clip.chooses]
        fronts = [clip_front(clip, scene, model, task.voices, task.cache) for scene in (PLAIN, PARTY) for clip in half]
        task.console.print(tune([*half, *half], fronts, given.tune, task.console.print))
        return
    missing: dict[str, str] = {}
    scenes = [list(SCENES)[k] for k in given.scene] if given.scene else list(SCENES)
    for scene in scenes:
        print_marks(task, given.folder.name, scene, clips, missing)
    if given.beatless > 0:
        print_beatless(task, given.beatless)
    if model is not None:
        console.print(f"ear: {network_time(clips[0].samples, model):.3f} ms a hop on one thread (goal ≤ 0.3)")


def print_marks(task: Run, folder: str, scene: str, clips: list[Clip], missing: dict[str, str]) -> None:
    """Print the table of the clips in a scene, ours and the rivals', and with `each` a line for each clip. Rivals that
    do not run are added to `missing`, with the reason."""
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    table = Table(title=f"{len(clips)} clips of {folder} {scene}; {task.model}; {load}")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "ear" else "right")
    fronts = [clip_front(clip, scene, task.model, task.voices, task.cache) for clip in clips]
    live = call_all(fronts, task.workers)

    def add(name: str, chosen: list[bool]) -> None:
        part = [i for i, one in enumerate(chosen) if one]
        if part:
            table.add_row(*row(name, [clips[i] for i in part], [live[i] for i in part]))

    add("ours", [True] * len(clips))
    for chooses, words in ((True, "  the half that chooses"), (False, "  the half that reports")):
        add(words, [clip.chooses is chooses for clip in clips])
        if any(clip.of_groove for clip in clips):
            add(f"{words}, without Groove", [clip.chooses is chooses and not clip.of_groove for clip in clips])
    for low, high in BANDS:
        words = (
            f"  below {high:.0f} BPM"
            if not low
            else f"  {low:.0f} BPM on"
            if high > 900
            else f"  {low:.0f} to {high:.0f} BPM"
        )
        add(words, [low <= clip.bpm < high for clip in clips])
    without = [clip_front(clip, scene, None, task.voices, task.cache) for clip in clips]
    table.add_row(*row("ours, no network", clips, call_all(without, task.workers)))
    table.add_row(*row("ours, not gated", clips, [call_live(front, gated=False) for front in fronts]))
    table.add_row(*row("ours, heard whole", clips, [call_whole(front) for front in fronts]))
    for name, python in task.rivals:
        if name not in missing:
            called = rival(name, python, [clip_sound(clip, scene, task.voices) for clip in clips], task.keep)
            if isinstance(called, str):
                missing[name] = called
            else:
                table.add_row(*row(name, clips, called))
    table.add_row(*GOALS[scene])
    task.console.print(table)
    for name, why in missing.items():
        task.console.print(f"{name} does not run: {why}", soft_wrap=True, highlight=False)
    if task.each:
        for clip, one in zip(clips, live, strict=True):
            print_clip(task.console, clip, one)


def print_clip(console: Console, clip: Clip, called: Called) -> None:
    """One line of marks."""
    marks = mark(clip, called)._asdict()
    shares = " ".join(f"{100 * share:3.0f}" for share in marks.pop("shares"))
    words = " ".join(f"{k} {v:.3f}" for k, v in marks.items())
    half = "chooses" if clip.chooses else "reports"
    console.print(f"{half} {clip.name[:48]:<48} {clip.bpm:3.0f} {words} {shares}", highlight=False)


def print_beatless(task: Run, seconds: float) -> None:
    """Print how many beats a minute are called in each sound without music, `seconds` long."""
    empty = beatless(task.voices, seconds)
    table = Table(title=f"beats called a minute, where there is no music ({task.voices.folder or 'eSpeak NG'} speaks)")
    names = ["ours", "ours, no network"]
    columns = [
        [60 / seconds * len(call_live(sound_front(samples, model, task.cache)).beats) for samples in empty.values()]
        for model in (task.model, None)
    ]
    for name, python in task.rivals:
        called = rival(name, python, list(empty.values()), task.keep)
        if not isinstance(called, str):
            names.append(name)
            columns.append([60 / seconds * len(one.beats) for one in called])
    for heading in ("sound", *names, "goal"):
        table.add_column(heading, justify="left" if heading == "sound" else "right")
    for k, name in enumerate(empty):
        table.add_row(name, *(f"{column[k]:.0f}" for column in columns), "≤ 2")
    task.console.print(table)


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
