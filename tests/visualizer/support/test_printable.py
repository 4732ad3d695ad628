"""Foreign text is shown as it is and does nothing, wherever it stands."""

from __future__ import annotations

import ast
import io
import sys
from pathlib import Path

import pytest
from rich.table import Table

from visualizer.messages import Toasts
from visualizer.moment import Text
from visualizer.stage.overlay import Overlay
from visualizer.support.console import Console
from visualizer.support.printable import LONGEST_NAME, make_printable, say

ROOT = Path(__file__).parents[3]
HOSTILE = {
    "escape": "a\x1b[31mred\x1b[0m",
    "title": "a\x1b]0;owned\x07",
    "c1": "a\x9b31mred",
    "newline": "a\n2026-01-01 00:00:00.000 INFO forged",
    "carriage return": "a\rover",
    "backspace": "a\b\b\bover",
    "line separator": "a\u2028b\u2029c\x85d",
    "nul": "a\0b",
    "delete": "a\x7fb",
    "override": "a\u202egpm.3pm",
    "isolate": "a\u2066b\u2069",
    "zero width": "a\u200bb\u200d\ufeff",
    "tags": "a\U000e0041\U000e0042",
    "surrogate": "caf\udce9.mp3",
    "lone half": "a\ud800b",
    "not assigned": "a\U0003ffffb\ue000",
    "markup": "q[red]z[/b].mp4 [link=file:///x]y[/link] :smile:",
    "long": "a" * 3000 + ".mp3",
}


def is_harmless(text: str) -> bool:
    return text.isprintable() and "\n" not in text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_printable_is_one_line_that_can_be_encoded(text: str) -> None:
    shown = make_printable(text)
    assert is_harmless(shown)
    assert len(shown) <= LONGEST_NAME
    shown.encode("utf-8")
    assert shown[0] == text[0]  # and it can still be told which it is
    assert make_printable(shown) == shown
    assert is_harmless(make_printable(Path(text.replace("\0", ""))))


def test_names_of_any_script_and_markup_stay_as_they_are() -> None:
    names = ("Ünïcödé – ¿ñ?.mp3", "東京  の夜.flac", "Музыка [live].ogg", "שלום.mp3", "नमस्ते.mp3", "[/b]")
    for text in (*names, HOSTILE["markup"]):
        assert make_printable(text) == text
    assert make_printable("") == ""
    assert make_printable(b"caf\xe9.mp3") == "caf?.mp3"


def test_of_what_is_too_long_the_middle_is_left_out() -> None:
    shown = make_printable("begin" + "x" * 1000 + "end.mp3", 40)
    assert len(shown) == 40
    assert shown.startswith("begin")
    assert shown.endswith("end.mp3")
    assert "…" in shown


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_line_is_said_whatever_the_terminal_can_write(
    text: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    say(f"film: {text} – 東京")
    out.flush()
    said = out.buffer.getvalue().decode(encoding)  # pyright: ignore[reportAttributeAccessIssue]
    assert said.endswith("\n")
    assert said[:7] == "film: " + text[0]
    assert is_harmless(said[:-1])


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_console_prints_text_only_even_where_it_was_forgotten(text: str, encoding: str) -> None:
    """As a sentence, in a cell, a title and a heading of a table, and beside something that turns."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=out, width=80, soft_wrap=True)
    console.print(f"listening to {text}")
    table = Table(text, title=text)
    table.add_row(text)
    console.print(table)
    with console.status(text):
        pass
    out.flush()
    said = out.buffer.getvalue().decode(encoding)  # pyright: ignore[reportAttributeAccessIssue]
    assert is_harmless(said.replace("\n", "").replace("\r", ""))
    assert "\r" not in said
    if text == HOSTILE["markup"]:
        assert text in said.splitlines()[0]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_sentence_stays_one_line(text: str) -> None:
    """So that no name of a song forges a second."""
    out = io.StringIO()
    Console(file=out, width=80, soft_wrap=True).say(f"no beat found in {text}: danced at 120 BPM")
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith(": danced at 120 BPM\n")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_screen_shows_it_too(text: str) -> None:
    """As a toast, and in both lines below the help; SDL takes neither a NUL nor half a character."""
    overlay = Overlay((640, 360))
    toasts = Toasts()
    toasts(f"listening ahead to {text}")
    written = Text(help=True, status=f"listening to {text}", on_now=text, toasts=toasts.show(0.0))
    surface, changed = overlay.render(written)
    assert changed
    assert surface is not None
    assert surface.get_bounding_rect().width > 100


# --- nothing else prints -------------------------------------------------------------------------------------------

OUR_OWN = ("visualizer/support/printable.py", "visualizer/support/console.py")
CHILDREN = (
    "visualizer/networks/sandbox.py",
    "visualizer/remote/phone/server.py",
    "visualizer/support/doctor.py",
)  # they answer a process
SOURCES = sorted(p for part in ("visualizer", "training") for p in (ROOT / part).rglob("*.py"))


def printed_otherwise(tree: ast.AST) -> list[int]:
    """Lines in which something goes to the terminal past `say` and our console."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "typer.echo", "typer.secho", "rich.print", "Text.from_markup") or called.endswith(
                ("stdout.write", "stderr.write")
            ):
                found.append(node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module in ("rich", "rich.console"):
            found += [node.lineno for each in node.names if each.name in ("Console", "print")]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=[str(p.relative_to(ROOT)) for p in SOURCES])
def test_nothing_is_printed_but_what_was_made_printable(path: Path) -> None:
    if path.relative_to(ROOT).as_posix() in (*OUR_OWN, *CHILDREN):
        return
    assert printed_otherwise(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for line in ("print(x)", "from rich.console import Console", "sys.stderr.write(x)", "typer.echo(x)"):
        assert printed_otherwise(ast.parse(line)) == [1]
    assert (
        printed_otherwise(ast.parse("say(x)\nconsole.print(x)\nfrom visualizer.support.console import Console")) == []
    )
