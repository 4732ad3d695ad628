"""The command line: reads options, hands them on, and turns a UserError into one line and exit code 2."""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import errno  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from contextlib import nullcontext  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated, Any, NoReturn  # noqa: E402

import typer  # noqa: E402

from visualizer import manual  # noqa: E402
from visualizer.command_line import fill_in_camera, refuse_before, takes  # noqa: E402
from visualizer.errors import UserError  # noqa: E402
from visualizer.leave import leaving_in_time  # noqa: E402
from visualizer.manual import INTERRUPTED, CommandLineError  # noqa: E402
from visualizer.media import PIPE, path_of, song_file  # noqa: E402
from visualizer.options import FilmOptions, Settings, merged  # noqa: E402
from visualizer.stop import TOLD, Stopped, asked_to_stop  # noqa: E402
from visualizer.support.log import LogFile, aside, log, log_file, say_more, start_log, tell_settings, what  # noqa: E402
from visualizer.support.printable import say  # noqa: E402
from visualizer.support.privacy import hide  # noqa: E402
from visualizer.support.streams import guarded_streams  # noqa: E402
from visualizer.values import Duration  # noqa: E402

CRASHED = 1  # exit code
LISTENING = Duration(0.01, 86_400)  # seconds
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more about what is tried.")]
app = typer.Typer(
    help="A neural network dances on your screen to the music in the room.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from visualizer import __version__

        say(f"visualizer {__version__}")
        raise typer.Exit()


def _list_displays(wanted: bool) -> None:
    if wanted:
        from visualizer.listings import list_displays

        list_displays()
        raise typer.Exit()


@app.callback(invoke_without_command=True)
@takes(Settings)
def show(
    context: typer.Context,
    _list_displays: Annotated[
        bool, typer.Option("--list-displays", callback=_list_displays, is_eager=True, help="List the displays.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    **asked: Any,
) -> None:
    """Dance on this screen."""
    if context.invoked_subcommand is not None:
        refuse_before(context, Settings)
        return
    from visualizer.settings import load_settings, settings_file

    if asked.get("verbose"):
        say_more()
    base, note = load_settings(settings_file())
    settings = merged(base, **asked)
    tell_settings(settings)
    if settings.kiosk:
        from visualizer.kiosk import fit_to_kiosk, is_watched, keep_running

        if not is_watched():
            raise typer.Exit(keep_running(sys.argv[1:]))
        settings = fit_to_kiosk(settings)
    from visualizer.launch import run
    from visualizer.stage.video import NoDisplay

    try:
        stopped_by = run(settings, notes=(note,) if note else (), started=STARTED)
    except NoDisplay as reason:
        if settings.kiosk:
            raise UserError(f"no display: {reason}") from reason
        from visualizer.no_display import film_instead

        stopped_by = film_instead(settings, str(reason), note)
    if stopped_by:
        raise typer.Exit(TOLD + stopped_by)


@app.command()
@takes(FilmOptions)
def film(
    song: Annotated[
        str | None, typer.Argument(help="The song to dance to, - for a pipe; without one to our own music.")
    ] = None,
    **asked: Any,
) -> None:
    """Make a film of a dance to a song: a file to show, a loop, or a dancer on nothing for other films."""
    if asked.get("verbose"):
        say_more()
    options = merged(FilmOptions(), **asked)
    if song is not None and song != PIPE:
        hide(song)
        hide(str(path_of(song)))
    tell_settings(options)
    from visualizer.film.render import film_as_asked

    with nullcontext() if song is None else song_file(song) as heard:
        report = film_as_asked(heard, options)
    if report.stopped_by:
        raise typer.Exit(TOLD + report.stopped_by)


@app.command()
def dances(
    pack: Annotated[str | None, typer.Option(help="Trained dancer: a name or a folder.")] = None,
) -> None:
    """List the dances that can be asked for by name, by style."""
    from visualizer.listings import list_dances

    list_dances(pack)


@app.command()
def figures(
    pack: Annotated[str | None, typer.Option(help="Trained dancer: a name or a folder.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Draw them all into this PNG file.")] = None,
) -> None:
    """List the figures that the dancers of a pack can be."""
    from visualizer.listings import list_figures

    list_figures(pack, sheet)


@app.command()
def devices(
    seconds: Annotated[str, typer.Option(metavar=LISTENING.metavar, help="How long to listen.")] = "3",
) -> None:
    """List what there is to listen to, with live levels, and cameras."""
    from visualizer.listings import list_cameras, list_sources

    list_sources(LISTENING.check("seconds", LISTENING.read("seconds", seconds)))
    list_cameras()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """Try what works on this computer, and say how to mend what does not.

    It opens a small window and listens for a second. Exit code 0: all fine; 1: it dances, but something is missing or
    could be better; 2: it cannot dance.
    """
    import json

    from visualizer.support import doctor
    from visualizer.support.console import make_console

    if as_json:
        findings = doctor.examine()
        for line in json.dumps(doctor.as_json(findings), indent=2, ensure_ascii=False).splitlines():
            say(line)
    else:
        console = make_console()
        with console.status("looking around …"):
            findings = doctor.examine()
        doctor.show(findings, console)
    raise typer.Exit(doctor.exit_code(findings))


@app.command()
def kiosk(
    words: Annotated[list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of the show.")] = None,
    install: Annotated[bool, typer.Option("--install", help="Let it begin at every login.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="No longer.")] = False,
) -> None:
    """Let a show that is left to itself begin at every login: visualizer kiosk --install -- --look neon."""
    from visualizer import kiosk_install

    if install == remove or (remove and words):
        raise UserError("kiosk: either --install, with options of the show after --, or --remove")
    if remove:
        for path in kiosk_install.remove():
            say(f"removed: {path}")
        return
    for path in kiosk_install.install(words or [], Path.cwd()):
        say(f"written: {path}")
    say("it begins at the next login; to try it now:  visualizer --kiosk")


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The bundle, FILE.zip; a new name if not given.")
    ] = None,
) -> None:
    """Pack what a report of a fault needs, without names of people, computers and songs."""
    from visualizer.support.report import make_report

    say(f"report: {make_report(out)}")


packs = typer.Typer(help="List, add, remove, show and hand on trained dancers.", rich_markup_mode=None)
app.add_typer(packs, name="packs")
PackName = Annotated[str, typer.Argument(metavar="NAME", help="Name of a pack.")]


@packs.callback(invoke_without_command=True)
def list_packs(context: typer.Context) -> None:
    """List the trained dancers there are; --pack NAME dances with one."""
    if context.invoked_subcommand is not None:
        return
    from visualizer import listings

    listings.list_packs()


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
    say(f"added: dance with it by  visualizer --pack {add_pack(path, name, force).name}")


@packs.command("remove")
def remove(name: PackName) -> None:
    """Remove a pack that you added."""
    from visualizer.dancer.pack_store import remove_pack

    remove_pack(name)
    say(f"removed: {name}")


@packs.command("show")
def show_pack(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or folder of a pack.")],
) -> None:
    """Show what a pack can do, and whose dances it learned from."""
    from visualizer.dancer.pack_store import describe_pack

    last = ""
    for heading, text in describe_pack(name):
        say(f"{heading if heading != last else '':<16} {text}")
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
    say(f"written: {out}; to add it elsewhere:  visualizer packs add {out.name}")


def main() -> NoReturn:
    """Entry point. Exit codes: 0 done, 1 an error of our own (one line says where the log is), 2 what was asked cannot
    be done (one line says why), 128 and the number of the signal that ended it: Ctrl-C is 130. `doctor` has its own."""
    start_log()
    with leaving_in_time(_say_signal):
        with guarded_streams(), log_file(sys.argv[1:]) as file:
            try:
                with asked_to_stop(patient=False):
                    code = _run(file)
            except Stopped as stopped:
                code = stopped.code
        raise SystemExit(code)


def _say_signal(number: int) -> None:
    log.error("visualizer: ended by %s, in the middle of something that does not end", signal.Signals(number).name)


def _run(file: LogFile) -> int:
    try:
        code = app(fill_in_camera(sys.argv[1:]), standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # while it can still be said that it fails
    except UserError as error:
        return _said(str(error), error)
    except CommandLineError as error:
        hint = next((f" (a file whose name begins with a dash is ./{arg})" for arg in sys.argv[1:]
                     if arg.startswith("-") and os.path.isfile(arg)), "")  # fmt: skip
        return _said(error.format_message() + hint, error)  # pyright: ignore[reportAttributeAccessIssue]
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # the reader of what we print has read enough
        return CRASHED
    except Exception as error:  # noqa: BLE001 - the last resort: Python's own words do not belong on a party's screen
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # of a file that somebody named
            return _said(f"{error.filename}: the name is too long", error)
        file.flush()  # so that it is known whether there is a log
        where = "start again with --verbose to see more" if file.trouble else f"'visualizer report' packs {file.path}"
        log.error("visualizer: an error of its own has ended it: %s; %s", what(error), where, exc_info=error)
        return CRASHED
    return code if isinstance(code, int) else 0


def _said(message: str, error: Exception) -> int:
    say("visualizer: " + " ".join(message.split()), to_stderr=True)
    aside.info("visualizer: %s", message, exc_info=error)
    return 2


manual.attach(app, "visualizer", manual.PAGES)
