"""Fitting the picture to displays by hand: what each command changes, and what is said of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

from visualizer.errors import UserError
from visualizer.screen_setup import (
    BRIGHTNESS,
    GAMMA,
    SQUARE,
    Corners,
    ScreenSetup,
    ScreenTable,
    check_number,
    find_fault,
)
from visualizer.stage.displays import Display

LEAST_SECONDS = 0.7  # between two turns of the test picture, which lights up a dark room
CORNERS = ("upper left", "upper right", "lower right", "lower left")


class Pinning:
    """Which display and corner are chosen, and what is known of all displays."""

    def __init__(self, table: ScreenTable, clock: Callable[[], float] = time.monotonic) -> None:
        self.table = table
        self.on = False  # the test picture is shown
        self.screen = self.corner = 0  # chosen, among the displays that show something, and clockwise
        self._clock, self._turned = clock, float("-inf")

    def turn(self, argument: str) -> bool:
        """Show the test picture or end it ("on", "off" or "", the other way); whether that changed anything.

        UserError for another word, and where it was turned only just now.
        """
        wanted = {"on": True, "off": False, "": not self.on}.get(argument.casefold())
        if wanted is None:
            raise UserError(f"on or off is wanted, not '{argument[:40]}'")
        if wanted == self.on:
            return False
        now = self._clock()
        if now - self._turned < LEAST_SECONDS:
            raise UserError("one moment")
        self.on, self._turned = wanted, now
        return True

    def choose_corner(self, argument: str) -> str:
        """The next corner, or that of the number 1 to 4."""
        if argument and argument not in ("1", "2", "3", "4"):
            raise UserError(f"a corner from 1 to 4 is wanted, not '{argument[:40]}'")
        self.corner = int(argument) - 1 if argument else (self.corner + 1) % 4
        return f"corner {self.corner + 1}, {CORNERS[self.corner]}"

    def adjust(self, what: str, argument: str, shown: tuple[Display, ...]) -> str:
        """Do what a command says to the chosen display of `shown`; what to say. UserError, and nothing is changed."""
        self.screen = min(self.screen, len(shown) - 1)
        if what == "pin corner":
            return self.choose_corner(argument)
        if what == "pin display":
            self.screen = (self.screen + 1) % len(shown)
            return f"display {shown[self.screen]}"
        display = shown[self.screen]
        setup, said = _change(self.table.find(display.name), what, argument, self.corner, display.size)
        self.table = self.table.replace(display.name, setup)
        return said


def _change(
    setup: ScreenSetup, what: str, argument: str, corner: int, size: tuple[int, int]
) -> tuple[ScreenSetup, str]:  # fmt: skip
    if what == "pin move":
        corners = _move(setup.corners, corner, argument, size)
        x, y = corners[corner]
        return replace(setup, corners=corners), f"corner {corner + 1}: {x * size[0]:.0f}, {y * size[1]:.0f}"
    if what == "pin reset":
        return ScreenSetup(), "as it comes"
    if what == "mask":
        if argument:
            from visualizer.stage.screens.mask import load_mask

            load_mask(argument)
        return replace(setup, mask=argument), f"mask: {argument or 'none'}"
    if what == "gamma":
        gamma = _read_step(what, argument, setup.gamma, 1.0, GAMMA)
        return replace(setup, gamma=gamma), f"gamma: {gamma:g}"
    brightness = _read_step(what, argument, setup.brightness, 100.0, BRIGHTNESS)
    return replace(setup, brightness=brightness), f"brightness: {brightness:.0%}"


def _move(corners: Corners, corner: int, argument: str, size: tuple[int, int]) -> Corners:
    found = re.fullmatch(r"([-+]?\d{1,5}) ([-+]?\d{1,5})", argument.strip(), re.ASCII)
    if not found:
        raise UserError(f"pixels to the right and down are wanted, as in 10 -5, not '{argument[:40]}'")
    x, y = corners[corner]
    moved = list(corners)
    moved[corner] = (x + int(found[1]) / size[0], y + int(found[2]) / size[1])
    a, b, c, d = moved
    if fault := find_fault((a, b, c, d)):
        raise UserError(fault)
    return a, b, c, d


def _read_step(what: str, argument: str, now: float, scale: float, ends: tuple[float, float]) -> float:
    """The value said, or a step from the one there is if a sign stands before it; in `scale`ths."""
    try:
        number = float(argument) / scale
    except ValueError:
        raise UserError(f"{what}: a number is wanted, not '{argument[:40]}'") from None
    if argument.strip()[0] in "+-":
        return round(min(max(now + number, ends[0]), ends[1]), 4)
    if scale != 1 and not ends[0] <= number <= ends[1]:
        raise UserError(f"{what} must be from {ends[0] * scale:g} to {ends[1] * scale:g}, not {argument[:40]}")
    return check_number(what, number, ends)


def describe(setup: ScreenSetup) -> str:
    """In a line of the test picture."""
    pinned = "" if setup.corners == SQUARE else "corners moved, "
    return f"{pinned}brightness {setup.brightness:.0%}, gamma {setup.gamma:g}, mask {setup.mask or 'none'}"
