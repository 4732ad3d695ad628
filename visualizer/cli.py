"""The command line: reads options, hands them on, and turns a UserError into one line and exit code 2."""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import datetime  # noqa: E402
import errno  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING, Annotated, NoReturn  # noqa: E402

import typer  # noqa: E402

from visualizer import manual  # noqa: E402
from visualizer.errors import UserError  # noqa: E402
from visualizer.manual import INTERRUPTED, CommandLineError  # noqa: E402
from visualizer.paths import unused  # noqa: E402
from visualizer.stop import TOLD, Stopped, asked_to_stop  # noqa: E402
from visualizer.support.log import LogFile, aside, hide, log, log_file, say_more, start_log, tell_settings, what  # noqa: E402

if TYPE_CHECKING:
    from rich.table import Table

    from visualizer.music.meters import Meter
    from visualizer.settings import Settings

FILM_WITHOUT_SCREEN = 15.0  # seconds
CRASHED = 1  # exit code

app = typer.Typer(
    help="A neural network dances on your screen to the music in the room.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from visualizer import __version__

        print(f"visualizer {__version__}")
        raise typer.Exit()


def _list_displays(wanted: bool) -> None:
    if wanted:
        import pygame

        from visualizer.stage.displays import displays
        from visualizer.stage.video import NoDisplay, open_video

        try:
            open_video()
        except NoDisplay as reason:
            raise UserError(f"no display: {reason}") from reason
        for display in displays():
            width, height = display.size
            rate = f"{display.rate} Hz" if display.rate else "? Hz"
            print(f"{display.number}  {width}x{height}  {rate}  {display.name}".rstrip())
        pygame.display.quit()
        raise typer.Exit()


Verbose = Annotated[bool, typer.Option("--verbose", help="Say more about what is tried.")]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    window: Annotated[str | None, typer.Option(metavar="WxH", help="In a window; else fullscreen.")] = None,
    display: Annotated[
        str | None, typer.Option(metavar="N|NAME", help="Display to open on: its number, from 0, or its name.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed dances the same; else random.")] = None,
    style: Annotated[str | None, typer.Option(help="Style to begin with, or auto: by the music.")] = None,
    dance: Annotated[str | None, typer.Option(metavar="NAME", help="Named dance; 'visualizer dances' lists.")] = None,
    troupe: Annotated[int | None, typer.Option(metavar="N", help="Dancers, 1 to 9.")] = None,
    formation: Annotated[str | None, typer.Option(metavar="NAME", help="Troupe: each, unison or canon.")] = None,
    temperature: Annotated[str | None, typer.Option(metavar="T", help="From faithful, 0.3, to wild, 1.6.")] = None,
    look: Annotated[str | None, typer.Option(help="Look to begin with.")] = None,
    auto: Annotated[
        bool | None, typer.Option("--auto/--no-auto", help="Looks, styles and dances change by themselves; they do.")
    ] = None,
    pack: Annotated[str | None, typer.Option(help="Trained dancer: a name or a folder.")] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="End after so many seconds.")] = None,
    device: Annotated[str | None, typer.Option(help="Networks on auto, cpu, cuda or coreml.")] = None,
    audio: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="A song to play, mic, mic:NAME, loopback, link, none or auto."),
    ] = None,
    bpm: Annotated[float | None, typer.Option(help="Own tempo where nothing is heard.")] = None,
    latency_ms: Annotated[float | None, typer.Option(metavar="MS", help="How late your projector shows it.")] = None,
    sensitivity: Annotated[
        float | None, typer.Option(metavar="N", help="How lively to the same music, -4 to 4; 0 as heard.")
    ] = None,
    no_remember: Annotated[
        bool, typer.Option("--no-remember", help="What keys choose is not kept for the next show.")
    ] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Print frame times at the end.")] = False,
    verbose: Verbose = False,
    stage: Annotated[str | None, typer.Option(hidden=True)] = None,
    fps: Annotated[float | None, typer.Option(hidden=True)] = None,
    screenshot: Annotated[str | None, typer.Option(hidden=True)] = None,
    dev: Annotated[bool, typer.Option("--dev", hidden=True, help="Read looks anew when their files change.")] = False,
    _list_displays: Annotated[
        bool, typer.Option("--list-displays", callback=_list_displays, is_eager=True, help="List the displays.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Dance on this screen."""
    from visualizer.settings import load_settings, merged, parse_size, parse_temperature, settings_file

    if context.invoked_subcommand is not None:
        for name in context.params:
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE" and not name.startswith("_"):
                option = name.replace("_", "-")
                raise UserError(f"--{option} goes after '{context.invoked_subcommand}', or is not for it")
        return
    if verbose:
        say_more()
    base, note = load_settings(settings_file())
    settings = merged(
        base,
        window=parse_size(window) if window is not None else None,
        display=display,
        seed=seed,
        style=style,
        dance=dance,
        troupe=troupe,
        formation=formation,
        temperature=parse_temperature(temperature) if temperature is not None else None,
        look=look,
        auto=auto,
        pack=pack,
        seconds=seconds,
        device=device,
        audio=audio,
        bpm=bpm,
        latency_ms=latency_ms,
        sensitivity=sensitivity,
        remember=False if no_remember else None,
        stats=stats,
        stage=stage,
        fps=fps,
        screenshot=screenshot,
        dev=dev,
    )
    tell_settings(settings)
    from visualizer.launch import run
    from visualizer.stage.video import NoDisplay

    try:
        stopped_by = run(settings, notes=(note,) if note else (), started=STARTED)
    except NoDisplay as reason:
        seconds = settings.seconds or FILM_WITHOUT_SCREEN
        log.info("no display (%s): making a film of %g seconds instead", reason, seconds)
        if note:
            log.info(note)
        stopped_by = _film_instead(settings, seconds)
    if stopped_by:
        raise typer.Exit(TOLD + stopped_by)


def _film_instead(settings: Settings, seconds: float) -> int:
    """What there is to see where there is no screen: a film in the current folder, under a name not yet taken.

    Returns the signal that ended it early, or 0.
    """
    from visualizer.dancer.pack import find_pack, load_pack
    from visualizer.film.render import make_film
    from visualizer.music.sources import is_song
    from visualizer.settings import met

    unmet: list[str] = []
    out = unused(Path.cwd() / f"dance-{datetime.datetime.now():%Y%m%d-%H%M%S}.mp4")
    width, height = settings.window or (1280, 720)
    seed = settings.seed if settings.seed is not None else int.from_bytes(os.urandom(4))
    pack = met(settings, ("pack", "device"), lambda s: load_pack(find_pack(s.pack), s.device), unmet)
    report = met(
        settings,
        ("style", "dance", "audio"),
        lambda s: make_film(
            Path(s.audio).expanduser() if is_song(s.audio) else None,
            out,
            pack=pack,
            size=(width // 2 * 2, height // 2 * 2),  # a window may be odd, H.264 not
            seconds=seconds,
            seed=seed,
            style=s.style,
            dance=s.dance,
            troupe=s.troupe,
            sync=s.formation,
            temperature=s.temperature,
            look=s.look,
            bpm=s.bpm,
        ),
        unmet,
    )
    for text in unmet:
        log.info(text)
    print(f"film: {out}")
    return report.stopped_by


@app.command()
def film(
    out: Annotated[
        str, typer.Option("-o", "--out", help="The film: .mp4, .mkv, .mov, .webm, .gif, .webp or a folder.")
    ],
    song: Annotated[Path | None, typer.Argument(help="The song to dance to; without one to our own music.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Up to 7680x4320; 1280x720 if not given.")] = None,
    portrait: Annotated[bool, typer.Option("--portrait", help="Upright, for phones: 1080x1920.")] = False,
    fps: Annotated[int | None, typer.Option(metavar="N", help="Frames a second; 30 if not given.")] = None,
    start: Annotated[float, typer.Option(metavar="S", help="Begin so many seconds into the song.")] = 0.0,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="Only so many seconds.")] = None,
    beats: Annotated[int | None, typer.Option(metavar="N", help="A loop of so many beats.")] = None,
    transparent: Annotated[bool, typer.Option("--transparent", help="The dancer alone, on nothing.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed makes the same film.")] = 0,
    style: Annotated[str | None, typer.Option(help="Style of dancing, or auto: by the music.")] = None,
    dance: Annotated[str | None, typer.Option(metavar="NAME", help="Named dance; 'visualizer dances' lists.")] = None,
    troupe: Annotated[int, typer.Option(metavar="N", help="Dancers, 1 to 9.")] = 1,
    formation: Annotated[str, typer.Option(metavar="NAME", help="Of a troupe: each, unison or canon.")] = "each",
    temperature: Annotated[str, typer.Option(metavar="T", help="From faithful, 0.3, to wild, 1.6.")] = "free",
    look: Annotated[str | None, typer.Option(help="Look of the picture.")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="Change look, style and dance with the phrases.")] = False,
    bpm: Annotated[float, typer.Option(help="Tempo for a song in which no beat is found.")] = 120.0,
    pack: Annotated[str | None, typer.Option(help="Trained dancer: a name or a folder.")] = None,
    device: Annotated[str, typer.Option(help="Networks on auto, cpu, cuda or coreml.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the film if it exists.")] = False,
    verbose: Verbose = False,
) -> None:
    """Make a film of a dance to a song: a file to show, a loop, or a dancer on nothing for other films."""
    from visualizer.settings import Settings, merged, parse_size, parse_temperature

    if verbose:
        say_more()
    # Not from the settings file: the same command makes the same film, whoever runs it.
    settings = merged(
        Settings(), window=parse_size(size) if size is not None else None, seconds=seconds, seed=seed, look=look,
        device=device, bpm=bpm, troupe=troupe, formation=formation, temperature=parse_temperature(temperature),
    )  # fmt: skip
    if song is not None:
        hide(str(song))
    tell_settings(settings)
    if fps is not None and not 1 <= fps <= 240:
        raise UserError(f"a film needs 1 to 240 frames a second, not {fps}")
    if not out.strip():
        raise UserError("-o needs the name of the film")
    place = Path(out).expanduser()
    if out.endswith(("/", os.sep)):  # a folder, whatever it is called
        place = place / f"{place.name}_%05d.png"
    from visualizer.film.output_path import check_place
    from visualizer.film.render import make_film

    check_place(place, transparent, force)  # said before anything slow is begun
    shape = settings.window
    if portrait:
        shape = (min(shape), max(shape)) if shape else (1080, 1920)
    from visualizer.dancer.pack import find_pack, load_pack

    report = make_film(
        song,
        place,
        pack=load_pack(find_pack(pack), device),
        size=shape,
        fps=fps,
        start=start,
        seconds=seconds,
        beats=beats,
        seed=seed,
        style=style,
        dance=dance,
        troupe=settings.troupe,
        sync=settings.formation,
        temperature=settings.temperature,
        look=look,
        auto=auto,
        transparent=transparent,
        bpm=bpm,
        force=force,
    )
    if report.stopped_by:
        raise typer.Exit(TOLD + report.stopped_by)


@app.command()
def dances(
    pack: Annotated[str | None, typer.Option(help="Trained dancer: a name or a folder.")] = None,
) -> None:
    """List the dances that can be asked for by name, by style."""
    from visualizer.dancer.pack import find_pack, read_info

    info = read_info(find_pack(pack))
    for number, style in enumerate(info["styles"]):
        names = [d["name"] for d in info["dances"] if d["style"] == number]
        print(style)
        print("\n".join(f"  {name}" for name in names) if names else "  (improvised only)")


@app.command()
def devices(
    seconds: Annotated[float, typer.Option(metavar="S", help="How long to listen.")] = 3.0,
) -> None:
    """List what there is to listen to, with live levels."""
    from rich.console import Console
    from rich.live import Live

    from visualizer.music.meters import link_session, open_meters

    if not 0 < seconds < 86_400:
        raise UserError(f"seconds {seconds:g}: must be more than 0 and less than a day")
    with open_meters(time.monotonic) as meters, link_session() as session:
        end = time.monotonic() + seconds
        console = Console()
        if not console.is_terminal:  # into a file or another program: once, at the end
            console = Console(width=160)
            time.sleep(seconds)
            console.print(_table(meters, session()))
            return
        with Live(console=console, auto_refresh=False) as live:
            while (left := end - time.monotonic()) > 0:
                live.update(_table(meters, session()), refresh=True)
                time.sleep(min(left, 0.1))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """Try what works on this computer, and say how to mend what does not.

    It opens a small window and listens for a second. Exit code 0: all fine; 1: it dances, but something is missing or
    could be better; 2: it cannot dance.
    """
    import json

    from rich.console import Console

    from visualizer.support import doctor

    if as_json:
        findings = doctor.examine()
        print(json.dumps(doctor.as_json(findings), indent=2, ensure_ascii=False))
    else:
        console = Console()
        if not console.is_terminal:  # into a file or another program
            console = Console(width=160)
        with console.status("looking around …"):
            findings = doctor.examine()
        doctor.show(findings, console)
    raise typer.Exit(doctor.exit_code(findings))


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The bundle, FILE.zip; a new name if not given.")
    ] = None,
) -> None:
    """Pack what a report of a fault needs, without names of people, computers and songs."""
    from visualizer.support.report import make_report

    print(f"report: {make_report(out)}")


def _table(meters: list[Meter], link: str) -> Table:
    """What there is to listen to: how it is asked for, what it is, and how loud it is now."""
    from rich.table import Table

    table = Table("--audio", "is", "level", "", box=None, pad_edge=False)
    for meter in meters:
        level = meter.level()
        full = 0 if level is None else min(max(round((level + 60) / 5), 0), 12)
        bar = "" if meter.trouble else "▮" * full + "▯" * (12 - full)
        word = meter.trouble or ("no sound yet" if level is None else f"{level:.0f} dB")
        table.add_row(meter.audio, meter.name, bar, word)
    table.add_row("link", "Ableton Link", "", link)
    return table


packs = typer.Typer(help="List, add, remove, show and hand on trained dancers.", rich_markup_mode=None)
app.add_typer(packs, name="packs")
PackName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a pack.")]


@packs.callback(invoke_without_command=True)
def list_packs(context: typer.Context) -> None:
    """List the trained dancers there are; --pack NAME dances with one."""
    sys.stdout.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue]  # names in any script
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.table import Table

    from visualizer.dancer.pack_store import list_packs

    table = Table("--pack", "styles", "dances", "", box=None, pad_edge=False)
    for pack in list_packs():
        numbers = ("", "") if pack.trouble else (str(pack.styles), str(pack.dances))
        table.add_row(pack.name, *numbers, pack.trouble or ("" if pack.shipped else str(pack.folder)))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:  # into a file or another program
        console = Console(markup=False, highlight=False, width=200)
    console.print(table)


@packs.command("add")
def add(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A .zip file or a folder.")],
    name: Annotated[str | None, typer.Option(help="What to call it here; else what it calls itself.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a pack of that name.")] = False,
    verbose: Verbose = False,
) -> None:
    """Check a pack and add it to yours."""
    from visualizer.dancer.pack_store import add_pack

    if verbose:
        say_more()
    print(f"added: dance with it by  visualizer --pack {add_pack(path, name, force).name}")


@packs.command("remove")
def remove(name: PackName) -> None:
    """Remove a pack that you added."""
    from visualizer.dancer.pack_store import remove_pack

    remove_pack(name)
    print(f"removed: {name}")


@packs.command("show")
def show_pack(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or folder of a pack.")],
) -> None:
    """Show what a pack can do, and whose dances it learned from."""
    from visualizer.dancer.pack_store import describe_pack

    last = ""
    for heading, text in describe_pack(name):
        print(f"{heading if heading != last else '':<16} {text}")
        last = heading


@packs.command("zip")
def zip_up(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or folder of a pack.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write, .zip.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Write a pack as one file, to hand it on."""
    from visualizer.dancer.pack_store import zip_pack

    zip_pack(name, out, force)
    print(f"written: {out}; whoever gets it adds it by  visualizer packs add {out.name}")


def main() -> NoReturn:
    """Entry point. Exit codes: 0 done, 1 an error of our own (one line says where the log is), 2 what was asked cannot
    be done (one line says why), 128 and the number of the signal that ended it: Ctrl-C is 130. `doctor` has its own."""
    start_log()
    with log_file(sys.argv[1:]) as file:
        try:
            with asked_to_stop(patient=False):
                code = _run(file)
        except Stopped as stopped:
            code = stopped.code
    raise SystemExit(code)


def _run(file: LogFile) -> int:
    try:
        code = app(standalone_mode=False)
    except UserError as error:
        return _said(str(error), error)
    except CommandLineError as error:
        return _said(error.format_message(), error)  # pyright: ignore[reportAttributeAccessIssue]
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # whoever read what we print has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return CRASHED
    except Exception as error:  # noqa: BLE001 - the last resort: nobody wants to read Python on a party's screen
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # of a file that somebody named
            return _said(f"{error.filename}: the name is too long", error)
        file.flush()  # so that it is known whether there is a log
        where = "start again with --verbose to see more" if file.trouble else f"'visualizer report' packs {file.path}"
        log.error("visualizer: an error of its own has ended it: %s; %s", what(error), where, exc_info=error)
        return CRASHED
    return code if isinstance(code, int) else 0


def _said(message: str, error: Exception) -> int:
    print("visualizer: " + " ".join(message.split()), file=sys.stderr)
    aside.info("visualizer: %s", message, exc_info=error)
    return 2


manual.attach(app, "visualizer", manual.PAGES)
