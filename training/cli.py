"""The command line of the offline half: `python -m training …`. Thin: each command calls one function."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from training.manual import PAGES
from visualizer.errors import UserError
from visualizer.leave import leaving_in_time
from visualizer.manual import INTERRUPTED, CommandLineError, attach
from visualizer.support.printable import make_printable, say
from visualizer.support.streams import guarded_streams

REFUSED = 2  # exit code
# Errors of the disk with folders that the user named: the user can put them right, so they are refusals, not faults.
DISK = {
    getattr(errno, name, 0)
    for name in ("ENAMETOOLONG", "ENOTDIR", "EISDIR", "EEXIST", "EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "EIO")
}
_TRAINS = "the same command goes on from the last checkpoint, or starts again if there is none yet"
# What happens to finished work when Ctrl-C ends a command.
STOPPED = {
    "fit": _TRAINS,
    "ear": _TRAINS,
    "compare": _TRAINS,
    "new-dancer": "the same command goes on with what is not done yet",
    "footage": "the same command goes on with what is not done yet",
    "evaluate": "nothing of the pack has changed, and the same command measures it from the start",
    "motion": "clips that were written stay; the same command with --force makes all of them",
    "beats": "the same command begins from the start",
    "person-model": "nothing was kept",
    "figure": "nothing was written",
    "new-figure": _TRAINS,
}

RENAMED = {"measure": "evaluate"}  # old names of commands, which still work

app = typer.Typer(
    help="Train dancers: clips and choreography in, a pack of ONNX networks out.",
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

Motion = Annotated[Path | None, typer.Option(help="Folder of motion clips with an index.json.")]
Work = Annotated[Path | None, typer.Option(help="Folder for data, checkpoints and logs; runs/NAME if not given.")]


def run_folder(path: Path) -> Path:
    """The default working folder of a command: runs/NAME, also where the pack is given as `.`."""
    return Path("runs") / Path(os.path.abspath(path)).name


@app.callback()
def _commands() -> None:
    """Train dancers: clips and choreography in, a pack of ONNX networks out."""


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="Folder of the pack to write.")],
    motion: Motion = None,
    work: Work = None,
    seed: Annotated[int, typer.Option(help="Decides the split, the first weights and the order of the data.")] = 7,
    precision: Annotated[str, typer.Option(help="32-true, or bf16-mixed where the hardware has it.")] = "32-true",
    tiny: Annotated[bool, typer.Option(help="A whole run in under a minute, for tests; it dances badly.")] = False,
    force: Annotated[bool, typer.Option(help="Replace an existing pack.")] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Train only this part, autoencoder, dancer or figures, and write no pack: some can work side by side."
        ),
    ] = None,
    flat: Annotated[bool, typer.Option(help="Silhouettes alone: no figures, and hours less of training.")] = False,
) -> None:
    """Train a dancer from motion clips and the written choreography, and write its pack. Resumes after a kill."""
    from training.recipe import LESSONS, Recipe, fit_pack

    if precision not in ("32-true", "bf16-mixed"):
        raise UserError(f"precision must be 32-true or bf16-mixed, not {precision!r}")
    if only is not None and only not in LESSONS:
        raise UserError(f"only must be {', '.join(LESSONS[:-1])} or {LESSONS[-1]}, not {only!r}")
    recipe = Recipe(seed=seed, precision=precision, tiny=tiny)
    fit_pack(motion, out, work or run_folder(out), recipe, force, only, flat)


@app.command(
    help="Print every figure of picture and dance, beside real motion that training never saw, controls and a baseline."
)
def evaluate(
    pack: Annotated[Path, typer.Argument(help="Folder of the pack.")],
    motion: Motion = None,
    work: Work = None,
    sheets: Annotated[Path | None, typer.Option(help="Also draw contact sheets into this folder.")] = None,
    save: Annotated[bool, typer.Option(help="Write the figures into the pack.json.")] = False,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=100, help="Hours danced to see whether it drifts; 8 if not given.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=1, max=6000, help="Minutes of auto mode that are measured; 60 if not given.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Some of pictures,figures,dance,body,realism,music,novelty; all if not given."),
    ] = None,
) -> None:
    """Measure a pack. Eight parameters, for they are the options of the command."""
    from training.evaluate.evaluate import Wish, evaluate_pack, read_parts

    evaluate_pack(pack, motion, work or run_folder(pack), sheets, save, Wish(read_parts(only), hours, minutes))


@app.command()
def compare(
    motion: Motion = None,
    work: Work = None,
    out: Annotated[Path, typer.Option(help="Folder for the tables and the sheets.")] = Path("sheets/compare"),
    pack: Annotated[
        Path | None, typer.Option(help="Our pack, to compare with; the one that ships if not given.")
    ] = None,
    tiny: Annotated[bool, typer.Option(help="A whole run in seconds, for tests; its figures mean nothing.")] = False,
) -> None:
    """Train the student's networks as they were and as they should have been, and compare them with ours."""
    from training.replication.run import compare as compare_all
    from visualizer.dancer.pack import find_pack

    compare_all(motion, work or Path("runs/compare"), out, pack or find_pack(None), tiny)


@app.command()
def beats(
    motion: Annotated[Path, typer.Option(help="Folder of motion clips with an index.json.")],
    plots: Annotated[Path | None, typer.Option(help="Also draw each clip with its beats into this folder.")] = None,
) -> None:
    """Print the beats found in captured clips, and draw them so that they can be checked by eye."""
    from training.evaluate.beats import show_beats

    show_beats(motion, plots)


@app.command()
def motion(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE_OR_FOLDER...", help=".bvh, .c3d, AIST++ .pkl, or .npz."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of clips to write, or to add to.")],
    style: Annotated[str | None, typer.Option(help="Style; else as AIST's file names say, or the folder.")] = None,
    licence: Annotated[str, typer.Option(help="Whose motion it is: goes into the NOTICE of packs.")] = (
        "licence not stated"
    ),
    joints: Annotated[Path | None, typer.Option(help='Table, .toml or .json: left_knee = "Knee_L".')] = None,
    up: Annotated[
        str | None, typer.Option(help="Which axis is up, y or z, where it cannot be told from the motion.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace clips of the same name.")] = False,
) -> None:
    """Convert captured motion to the skeleton that `fit --motion` reads, with a contact sheet to check by eye."""
    from training.data.motion.convert import convert

    convert(files, out, style, licence, joints, up, force)


@app.command()
def ear(
    out: Annotated[Path, typer.Option(help="Folder to write ear.onnx and ear.json into.")],
    clips: Annotated[
        Path | None, typer.Option(help="Folder of real music with an index.json of its beats: measured, never learned.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Folder of human scores: groove.zip and pop909.zip. Clips are left out of them.")
    ] = None,
    voices: Annotated[Path | None, typer.Option(help="Folder of recorded speech, a folder a speaker.")] = None,
    fonts: Annotated[Path | None, typer.Option(help="Folder of soundfonts beside those installed.")] = None,
    work: Work = None,
    seed: Annotated[
        int | None, typer.Option(help="Decides the music, the first weights and the order; 11 if not given.")
    ] = None,
    precision: Annotated[str, typer.Option(help="bf16-mixed, or 32-true where the hardware is older.")] = "bf16-mixed",
    workers: Annotated[int, typer.Option(min=1, help="Processes that play the music.")] = 1,
    steps: Annotated[
        int | None, typer.Option(min=2, help="Of the longer trained of its two networks; the other takes half of them.")
    ] = None,
    tiny: Annotated[bool, typer.Option(help="A whole run in under a minute, for tests; it hears badly.")] = False,
    force: Annotated[bool, typer.Option(help="Replace a beat network that is there.")] = False,
) -> None:
    """Write and render music, spoil it as parties do, train the network that hears beats. Resumes after a kill."""
    from dataclasses import replace

    from training import distributed
    from training.beat_recipe import BeatRecipe, BeatSources, fit_beat_network

    if distributed.world() > 1:
        raise UserError("the ear is small and trains in one process; start it without torchrun")
    if precision not in ("32-true", "bf16-mixed"):
        raise UserError(f"precision must be 32-true or bf16-mixed, not {precision!r}")
    recipe = BeatRecipe(seed=BeatRecipe.seed if seed is None else seed, precision=precision, tiny=tiny)
    if steps is not None:
        recipe = replace(recipe, steps=(steps // 2, steps))
    sources = BeatSources(clips, scores, voices, fonts)
    about = fit_beat_network(out, work or run_folder(out), recipe, sources, force, workers)
    for kind, figures in about["figures"].items():
        say(f"{kind}: " + ", ".join(f"{name} {value:g}" for name, value in figures.items()))


@app.command()
def figure(
    figures: Annotated[
        list[str] | None, typer.Argument(metavar="[FIGURE...]", help="TOML files, or names of people who ship.")
    ] = None,
    sheet: Annotated[Path, typer.Option(help="Picture to write: .png, .jpg or .webp.")] = Path("figures.png"),
    size: Annotated[int, typer.Option(min=128, max=1024, help="Pixels on a side of a frame.")] = 512,
) -> None:
    """Draw figures, one in eight poses or several a pose each, to see what a TOML file makes of somebody."""
    from training.data.figures.sheet import describe, draw_sheet

    for each in draw_sheet(figures or [], sheet, size):
        say(describe(each))
    say(f"wrote {sheet}")


@app.command(
    "new-figure",
    help="Add your own figure to a pack, in minutes; those that are there stay as they are. Goes on after a kill.",
)
def new_figure(
    file: Annotated[Path, typer.Argument(metavar="FIGURE.toml", help="The figure; its name is that of the file.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the pack to write; NAME here if not given.")] = None,
    pack: Annotated[
        str | None,
        typer.Option(help="Pack that the figure is added to: folder or name; the default if not given."),
    ] = None,
    work: Work = None,
    steps: Annotated[
        int | None, typer.Option(min=1, max=100000, help="Steps that are learned; 1000 if not given.")
    ] = None,
    tiny: Annotated[bool, typer.Option(help="All of it in seconds, for tests; the figure is drawn badly.")] = False,
    force: Annotated[bool, typer.Option(help="Replace an existing pack.")] = False,
) -> None:
    """Add a figure to a pack. Seven parameters, for they are the options of the command."""
    from dataclasses import replace

    from training.data.figures.figure import read_figure
    from training.new_figure import FigurePlan
    from training.new_figure import new_figure as add
    from visualizer.dancer.pack import find_pack

    plan = FigurePlan(tiny=tiny)
    figure = read_figure(file)
    add(
        figure, find_pack(pack), out or Path(figure.name), work or Path("runs") / f"figure-{figure.name}",
        plan if steps is None else replace(plan, steps=steps), force,
    )  # fmt: skip


@app.command()
def footage(
    videos: Annotated[list[Path], typer.Argument(help="Videos, or folders of them.")],
    out: Annotated[Path, typer.Option(help="Folder to write the frames and the report into.")],
    method: Annotated[
        str, typer.Option(help="How the figure is found: auto looks what does it best of key, shadow, still, person.")
    ] = "auto",
    key: Annotated[
        str, typer.Option(help="Colour to take out: border (picked there), blue, green or #rrggbb.")
    ] = "border",
    rate: Annotated[float, typer.Option(help="At most this many pictures a second.")] = 30.0,
    span: Annotated[str | None, typer.Option("--range", help="FROM-TO, such as 0:10-1:30.")] = None,
    crop: Annotated[str | None, typer.Option(help="Only this part of the picture: WIDTHxHEIGHT+LEFT+TOP.")] = None,
    empty: Annotated[
        str | None, typer.Option(help="FROM-TO, when the picture is empty: there method still learns its background.")
    ] = None,
    mask_model: Annotated[Path | None, typer.Option(help="Segmentation network (ONNX) for method person.")] = None,
    mask_norm: Annotated[str, typer.Option(help="What that network wants: unit (0..1), signed or imagenet.")] = "unit",
    who: Annotated[
        str, typer.Option(help="Of several people: largest, left, right, both, or who is first seen in WxH+LEFT+TOP.")
    ] = "largest",
    person_model: Annotated[
        Path | None, typer.Option(help="File of the network that sees people; else the one that was fetched.")
    ] = None,
    background: Annotated[str, typer.Option(help="Model of the still camera's background: mog2 or knn.")] = "mog2",
    beats: Annotated[str, typer.Option(help="Where beats are found: auto, sound, movement or none.")] = "auto",
    name: Annotated[str | None, typer.Option(help="Name of the style; each video's own if not given.")] = None,
    show_steps: Annotated[bool, typer.Option(help="Also write each step of the way as pictures.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; as many as cores if not given.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers see the same files.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Replace what an earlier run has written there.")] = False,
) -> None:
    """Make silhouettes of videos, for training, with a report that shows what was kept. Goes on after a kill."""
    from training.data.footage.masks import Wish
    from training.data.footage.run import Request, extract_footage
    from training.data.footage.video import read_crop, read_range

    begin, end = read_range(span) if span is not None else (0.0, float("inf"))
    request = Request(
        Wish(method, key, mask_model, mask_norm, background, who, person_model), rate, begin, end,
        read_crop(crop) if crop is not None else None, read_range(empty) if empty is not None else None, beats, name,
    )  # fmt: skip
    extract_footage(videos, out, request, show_steps, jobs, force, scheduler)


@app.command("person-model")
def person_model(
    size: Annotated[str, typer.Option(help="Which of its networks: lite, full or heavy.")] = "full",
    file: Annotated[
        Path | None, typer.Option("--person-model", help="Take this file instead, where there is no network.")
    ] = None,
) -> None:
    """Fetch the network that sees people, once, from its maker, into the user's data folder."""
    from training.person_model import add_person_model

    add_person_model(size, file)


@app.command("new-dancer")
def new_dancer(
    videos: Annotated[list[Path], typer.Argument(help="Videos, or folders of them.")],
    name: Annotated[str, typer.Option(help="What the dancer, and its style, is called.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the pack to write; NAME here if not given.")] = None,
    work: Work = None,
    method: Annotated[
        str, typer.Option(help="How the figure is found: auto looks what does it best of key, shadow, still, person.")
    ] = "auto",
    key: Annotated[
        str, typer.Option(help="Colour to take out: border (picked there), blue, green or #rrggbb.")
    ] = "border",
    span: Annotated[str | None, typer.Option("--range", help="FROM-TO, such as 0:10-1:30.")] = None,
    crop: Annotated[str | None, typer.Option(help="Only this part of the picture: WIDTHxHEIGHT+LEFT+TOP.")] = None,
    empty: Annotated[str | None, typer.Option(help="FROM-TO, when the picture is empty, for a still camera.")] = None,
    mask_model: Annotated[Path | None, typer.Option(help="Segmentation network (ONNX) for method person.")] = None,
    mask_norm: Annotated[str, typer.Option(help="What that network wants: unit (0..1), signed or imagenet.")] = "unit",
    who: Annotated[
        str, typer.Option(help="Of several people: largest, left, right, both, or who is first seen in WxH+LEFT+TOP.")
    ] = "largest",
    person_model: Annotated[
        Path | None, typer.Option(help="File of the network that sees people; else the one that was fetched.")
    ] = None,
    tiny: Annotated[bool, typer.Option(help="A whole run in a minute, for tests; it dances badly.")] = False,
    force: Annotated[bool, typer.Option(help="Replace an existing pack.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes; as many as cores if not given.")] = None,
) -> None:
    """Videos of a person who dances in, a pack that dances like them out. Goes on after a kill."""
    from training.data.footage.masks import Wish
    from training.data.footage.run import Request
    from training.data.footage.video import read_crop, read_range
    from training.finetune import check_name
    from training.finetune import new_dancer as make
    from training.outline import Plan

    check_name(name)
    begin, end = read_range(span) if span is not None else (0.0, float("inf"))
    request = Request(
        Wish(method, key, mask_model, mask_norm, who=who, bundle=person_model), begin=begin, end=end,
        crop=read_crop(crop) if crop is not None else None,
        empty=read_range(empty) if empty is not None else None, name=name,
    )  # fmt: skip
    request.check()
    make(videos, name, out or Path(name), work or Path("runs") / name, request, Plan(tiny=tiny), force, jobs)


def main() -> NoReturn:
    """Run a command. Exit codes: 0 done; 2 refused, with one line on stderr that says why; 130 ended by Ctrl-C, with
    one line that says what happens to the finished work; 1 an error of our own, with Python's traceback."""
    with leaving_in_time(lambda _signal: say(_stopped(), to_stderr=True)), guarded_streams():
        _run()


def _run() -> NoReturn:
    new = RENAMED.get(next(iter(sys.argv[1:]), ""))
    if new is not None:
        say(f"note: {sys.argv[1]} is now {new}", to_stderr=True)
        sys.argv[1] = new
    try:
        code = app(standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # now, while a failure can still be reported
    except BrokenPipeError:  # the reader has closed the pipe
        code = 1
    except UserError as error:
        _leave(REFUSED, f"error: {error}")
    except CommandLineError as error:
        said: str = error.format_message()  # pyright: ignore[reportAttributeAccessIssue]
        if len(sys.argv) == 1:  # no command was given, so the commands are listed
            for line in said.splitlines():
                say(line, to_stderr=True)
            sys.exit(REFUSED)
        _leave(REFUSED, f"error: {said}")
    except OSError as error:
        if error.errno not in DISK:
            raise
        where = f"{make_printable(str(error.filename))}: " if error.filename else ""
        _leave(REFUSED, f"error: {where}{error.strerror}")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # typer's own word for Ctrl-C
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # zarr's unfinished tasks are not waited for
        _leave(INTERRUPTED, _stopped())
    sys.exit(code if isinstance(code, int) else 0)


def _stopped() -> str:
    """What happens to finished work when Ctrl-C ends this command."""
    return f"stopped; {STOPPED.get(next(iter(sys.argv[1:]), ''), 'nothing was done yet')}"


def _leave(code: int, said: str) -> NoReturn:
    say(" ".join(said.split()), to_stderr=True)
    sys.exit(code)


attach(app, "python -m training", PAGES)
