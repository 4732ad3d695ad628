"""The displays there are, and finding one again after others have come or gone."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pygame

from visualizer.errors import UserError


@dataclass(frozen=True)
class Display:
    """One display, as SDL numbers them now."""

    number: int
    name: str  # "" where SDL has none
    size: tuple[int, int]  # pixels
    rate: int  # Hz; 0: unknown

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.number} ({self.name + ', ' if self.name else ''}{width}x{height})"


def displays() -> tuple[Display, ...]:
    """Those there are now; the video must run. SDL keeps count of what is plugged in as events are fetched."""
    sizes, rates = pygame.display.get_desktop_sizes(), pygame.display.get_desktop_refresh_rates()
    pairs = enumerate(zip(sizes, rates, strict=True))
    return tuple(Display(number, _name(number), size, rate) for number, (size, rate) in pairs)


def find_display(there: Sequence[Display], asked: int | str) -> Display:
    """The display of that number, or the one whose name is or has in it what is asked for. UserError if there is none
    or more than one."""
    if isinstance(asked, str) and not asked.strip().isdecimal():
        exactly = [d for d in there if d.name and d.name.casefold() == asked.strip().casefold()]
        found = exactly or [d for d in there if is_called(d, asked)]
        if len(found) == 1:
            return found[0]
        wrong = "is the name of more than one" if found else "does not exist"
    else:
        if 0 <= int(asked) < len(there):
            return there[int(asked)]
        wrong = "does not exist"
    raise UserError(f"display {asked} {wrong}; there are: {', '.join(map(str, there))}")


def is_called(display: Display, name: str) -> bool:
    """Whether its name is or has in it what is asked for; a number is no name, and fits any."""
    word = name.strip().casefold()
    return word.isdecimal() or bool(word and word in display.name.casefold())


def same_display(there: Sequence[Display], known: Display, before: Sequence[Display]) -> Display | None:
    """Where `known`, one of `before`, is now; None if it is gone.

    Numbers move up when a display in front is unplugged, names stay. Of several of one name, that one is it which
    comes as far down among them.
    """
    twins = [d for d in before if d.name == known.name]
    place = twins.index(known) if known in twins else 0
    now = [d for d in there if d.name == known.name]
    return now[place] if place < len(now) else None


def name_for_file(display: Display, there: Sequence[Display]) -> int | str:
    """What is remembered of a display: its name if that tells it from the others, else its number."""
    alone = sum(display.name.casefold() in d.name.casefold() for d in there) == 1
    return display.name if display.name and alone and not display.name.isdecimal() else display.number


@cache
def _sdl_name() -> Any:
    """SDL_GetDisplayName, which pygame has no word for: out of the library that pygame has loaded."""
    # dlsym also looks into what a library depends on; Windows has no such thing, but finds what is loaded by name.
    library = ctypes.CDLL("SDL2.dll" if sys.platform == "win32" else pygame.base.__file__)
    function = library.SDL_GetDisplayName
    function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_int]
    return function


def _name(number: int) -> str:
    try:
        name = _sdl_name()(number)
    except (OSError, AttributeError):  # an SDL that is built into pygame: then displays go by number
        return ""
    return (name or b"").decode("utf-8", "replace").strip()
