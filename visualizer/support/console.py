"""The console that tables, bars and sentences are printed on. Whatever is in them is text and never markup.

A net below `make_printable`: also what was forgotten to be made printable cannot reach the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.console import ConsoleOptions, RenderableType
from rich.progress import ProgressColumn, Task
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from visualizer.support.printable import LONGEST_LINE, make_printable


class Console(rich.console.Console):
    """Rich's, without markup, emoji codes and guesses at what is to be highlighted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, "highlight": False, **options})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich's; all text in it is printable, and in characters that the terminal's encoding has."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else _make_lines_printable(segment.text, self.encoding)
            yield Segment(text, segment.style, segment.control)

    def say(self, text: object) -> None:
        """Print one line, whatever names are in it."""
        self.print(make_printable(text, LONGEST_LINE))

    def status(self, status: RenderableType, **options: Any) -> Status:
        """As rich's, of a text."""
        return super().status(Text(make_printable(status)) if isinstance(status, str) else status, **options)


def make_console(stderr: bool = False, width: int = 160, **options: Any) -> Console:
    """One for a terminal as wide as it is, or `width` columns wide into a file or another program."""
    console = Console(stderr=stderr, **options)
    return console if console.is_terminal else Console(stderr=stderr, width=width, **options)


class DescriptionColumn(ProgressColumn):
    """What a bar is about, as text."""

    def render(self, task: Task) -> Text:
        return Text(make_printable(task.description))


def _make_lines_printable(text: str, encoding: str) -> str:
    """Each line of our own layout stays a line."""
    if not text.isprintable():
        text = "\n".join(make_printable(line, LONGEST_LINE) if line else "" for line in text.split("\n"))
    return text if text.isascii() else text.encode(encoding, "replace").decode(encoding)
