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

ALL = "all"  # in place of names


@dataclass(frozen=True)
class Display:
    """One display, as SDL numbers them now."""

    number: int
    name: str  # "" where SDL has none
    size: tuple[int, int]  # pixels
    rate: int  # Hz; 0: unknown
    place: tuple[int, int] = (0, 0)  # of its upper left corner on the desktop

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.number} ({self.name + ', ' if self.name else ''}{width}x{height})"


def displays() -> tuple[Display, ...]:
    """Those there are now; the video must run. SDL keeps count of what is plugged in as events are fetched."""
    sizes, rates = pygame.display.get_desktop_sizes(), pygame.display.get_desktop_refresh_rates()
    pairs = enumerate(zip(sizes, rates, strict=True))
    return tuple(Display(number, _name(number), size, rate, _place(number)) for number, (size, rate) in pairs)


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


def find_several(there: Sequence[Display], asked: int | str) -> tuple[Display, ...]:
    """The displays of a list with commas, or of "all"; the first is the window's. UserError as of `find_display`."""
    if isinstance(asked, str):
        if asked.strip().casefold() == ALL:
            return tuple(there)
        words = [word for word in asked.split(",") if word.strip()]
        if len(words) > 1 and not any(d.name.casefold() == asked.strip().casefold() for d in there):
            return tuple(dict.fromkeys(find_display(there, word) for word in words))
    return (find_display(there, asked),)


class _Rect(ctypes.Structure):
    """SDL_Rect."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("x", "y", "w", "h"))


@cache
def _sdl() -> Any:
    """What pygame has no words for, out of the library that it has loaded."""
    # dlsym also looks into what a library depends on; Windows has no such thing, but finds what is loaded by name.
    library = ctypes.CDLL("SDL2.dll" if sys.platform == "win32" else pygame.base.__file__)
    library.SDL_GetDisplayName.restype = ctypes.c_char_p
    library.SDL_GetDisplayName.argtypes = [ctypes.c_int]
    library.SDL_GetDisplayBounds.argtypes = [ctypes.c_int, ctypes.POINTER(_Rect)]
    return library


def _place(number: int) -> tuple[int, int]:
    rect = _Rect()
    try:
        _sdl().SDL_GetDisplayBounds(number, ctypes.byref(rect))
    except (OSError, AttributeError):
        return 0, 0
    return rect.x, rect.y


def _name(number: int) -> str:
    try:
        name = _sdl().SDL_GetDisplayName(number)
    except (OSError, AttributeError):  # an SDL that is built into pygame: then displays go by number
        return ""
    return (name or b"").decode("utf-8", "replace").strip()
