"""What `--help` says below the options, as a manual page does: examples, files, exit codes.

One table, by command, hung onto the command line by `attach`. The page of commands in the documentation and the tests
are made from the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import typer

INTERRUPTED = 130  # exit code, as of any program that Ctrl-C ended
# What typer says of a command line. BadParameter is a UsageError is a ClickException: found like this in the click that
# typer uses, its own or another.
CommandLineError: type[Exception] = typer.BadParameter.__mro__[2]
CODES = (
    ("0", "done"),
    ("1", "an error of the program's own"),
    ("2", "cannot be done as asked; one line on stderr says why"),
    ("130", "ended by Ctrl-C"),
)
# 128 and the number of the signal, as any shell has it. What is kept is kept as at any other end.
SIGNALS = (("129", "ended by SIGHUP: the terminal was closed"), CODES[3], ("143", "ended by SIGTERM"))
# As a person would write them; the program asks platformdirs. On Windows these lie below %LOCALAPPDATA%, on macOS
# below ~/Library.
SETTINGS = ("~/.config/dancing-screen/settings.toml", "settings; none is needed")
SONGS = ("~/.cache/dancing-screen/songs/", "what was heard of songs; may be deleted")
PACKS = ("~/.local/share/dancing-screen/packs/", "packs that you added")


@dataclass(frozen=True)
class Page:
    """What there is to say of one command besides its purpose and its options."""

    examples: tuple[tuple[str, str], ...]  # command, what it is for
    files: tuple[tuple[str, str], ...] = ()  # path, what is in it
    codes: tuple[tuple[str, str], ...] = CODES


PAGES = {
    "visualizer": Page(
        (
            ("visualizer", "full screen, to the music in the room"),
            ("visualizer --window 1280x720 --audio song.mp3", "in a window, to a song"),
            ("visualizer --audio loopback", "to what the computer plays"),
            ("visualizer --display HDMI", "on the display whose name has HDMI in it"),
            ("visualizer --style auto --troupe 3", "three dancers, in the style of the music"),
            ("visualizer --audio none --bpm 118 --seconds 60", "a minute of 118 BPM, whatever sounds"),
        ),
        (SETTINGS, SONGS, ("~/Pictures/, ~/Videos/", "what the keys S and R keep of the show")),
        (
            CODES[0],
            ("1", "an error of the program's own, or the display server has gone"),
            CODES[2],
            *SIGNALS,
            ("", "whatever ends it, settings and recordings are kept"),
        ),
    ),
    "visualizer kiosk": Page(
        (
            ("visualizer kiosk --install", "a show at every login; its options go behind a double dash"),
            ("visualizer kiosk --remove", "no longer"),
        ),
        codes=CODES[:3],
    ),
    "visualizer film": Page(
        (
            ("visualizer film song.mp3 -o dance.mp4", "a film with the song's sound"),
            ("visualizer film song.mp3 -o dance.mp4 --portrait --start 1:15 --seconds 30", "for a telephone"),
            ("visualizer film song.mp3 -o dance.gif --beats 8", "a loop"),
            ("visualizer film song.mp3 -o dance/ --transparent", "numbered PNGs, on nothing"),
        ),
        (SONGS,),
        (*CODES[:3], *SIGNALS, ("", "the film is shorter then, and plays")),
    ),
    "visualizer dances": Page(
        (
            ("visualizer dances", "of the dancer that ships"),
            ("visualizer dances --pack models/mine", "of another one"),
        ),
    ),
    "visualizer figures": Page(
        (
            ("visualizer figures", "of the dancer that ships"),
            ("visualizer figures --sheet figures.png", "with a picture of each"),
        ),
    ),
    "visualizer devices": Page(
        (
            ("visualizer devices", "three seconds of levels"),
            ("visualizer devices --seconds 60", "a minute, while you plug things in"),
        ),
    ),
    "visualizer doctor": Page(
        (("visualizer doctor", "what works here"), ("visualizer doctor --json > found.json", "for other programs")),
        (),
        (
            ("0", "all fine"),
            ("1", "it dances, but something is missing or could be better"),
            ("2", "it cannot dance"),
            CODES[3],
        ),
    ),
    "visualizer report": Page((("visualizer report -o fault.zip", "to be sent with a description"),)),
    "visualizer packs": Page((("visualizer packs", "which trained dancers there are"),), (PACKS,)),
    "visualizer packs add": Page(
        (("visualizer packs add friend.zip", "check it, and add it"),),
        (PACKS,),
    ),
    "visualizer packs remove": Page((("visualizer packs remove friend", "remove it again"),), (PACKS,)),
    "visualizer packs show": Page((("visualizer packs show default", "whose dances it learned from"),)),
    "visualizer packs zip": Page((("visualizer packs zip models/mine -o mine.zip", "to hand it on"),)),
}


def text_of(page: Page) -> str:
    """The words below the options. Each paragraph is marked with \\b: its lines stay as they are."""

    def block(title: str, rows: tuple[tuple[str, str], ...], indent: int) -> str:
        width = max(len(left) for left, _ in rows)
        lines = [
            f"  {left:{width}}  {right}" if width <= indent else f"  {left}\n      {right}" for left, right in rows
        ]
        return f"\b\n{title}:\n" + "\n".join(lines)

    parts = [block("Examples", page.examples, 36)]
    if page.files:
        parts.append(block("Files", page.files, 40))
    parts.append(block("Exit codes", page.codes, 40))
    return "\n\n".join(parts)


def attach(app: typer.Typer, program: str, pages: dict[str, Page]) -> None:
    """Give each command of `app` the words of its page. One that has no page is left as it is; the tests name it."""
    if program in pages and app.registered_callback is not None:
        app.registered_callback.epilog = text_of(pages[program])
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        if page := pages.get(f"{program} {name}"):
            command.epilog = text_of(page)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            attach(group.typer_instance, f"{program} {group.name}", pages)


def helps(app: typer.Typer, program: str, width: int = 100) -> dict[str, str]:
    """What `--help` prints for the program and each of its commands, by their whole names."""
    found: dict[str, str] = {}

    def visit(command: object, name: str, parent: object) -> None:
        context = command.context_class(command, info_name=name.split(" ")[-1] if parent else name, parent=parent)  # pyright: ignore
        context.terminal_width = context.max_content_width = width
        found[name] = command.get_help(context)  # pyright: ignore
        for word, child in getattr(command, "commands", {}).items():
            visit(child, f"{name} {word}", context)

    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        visit(typer.main.get_command(app), program, None)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return found
