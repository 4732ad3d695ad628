"""How the picture stands on each display: its corners, a mask, gamma and brightness; remembered by the display's name.

In the settings file:

    [screens."HDMI-1"]
    corners = [[0.02, 0.0], [0.97, 0.03], [1.0, 1.0], [0.0, 0.98]]
    mask = "arch.png"
    gamma = 1.2
    brightness = 0.9
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from visualizer.errors import UserError

Corner = tuple[float, float]
Corners = tuple[Corner, Corner, Corner, Corner]
SQUARE: Corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
OUTSIDE = 0.5  # of the display, that a corner may lie beyond its edge
GAMMA, BRIGHTNESS = (0.3, 3.0), (0.1, 1.0)
LEAST_TURN = 0.02  # twice the area of a corner's triangle, in displays, from which four corners are a picture
MOST_SCREENS, LONGEST_NAME = 64, 200
KEYS = ("corners", "mask", "gamma", "brightness")


@dataclass(frozen=True)
class ScreenSetup:
    """One display. `corners`: upper left, upper right, lower right, lower left, in widths and heights of the display.

    `mask`: a PNG in the folder of the settings file, "" for none; light goes through where it is white. `gamma` above 1
    makes the middle of the scale darker. `brightness`: share of the light.
    """

    corners: Corners = SQUARE
    mask: str = field(default="", repr=False)
    gamma: float = 1.0
    brightness: float = 1.0


@dataclass(frozen=True)
class ScreenTable:
    """What is known of displays, by name; those that are as they come are not in it."""

    setups: tuple[tuple[str, ScreenSetup], ...] = ()

    def find(self, name: str) -> ScreenSetup:
        """That of the display of this name."""
        return dict(self.setups).get(name, ScreenSetup())

    def replace(self, name: str, setup: ScreenSetup) -> ScreenTable:
        """The table with another setup for that display."""
        setups = {**dict(self.setups), name: setup}
        return ScreenTable(tuple(sorted((k, v) for k, v in setups.items() if v != ScreenSetup())))

    def as_toml(self) -> dict[str, dict[str, Any]]:
        """As it stands in the settings file; what is as it comes is left out."""
        return {name: _setup_as_toml(setup) for name, setup in self.setups}


def _setup_as_toml(setup: ScreenSetup) -> dict[str, Any]:
    told: dict[str, Any] = {"corners": [[round(x, 5), round(y, 5)] for x, y in setup.corners]}
    told |= {"mask": setup.mask, "gamma": round(setup.gamma, 3), "brightness": round(setup.brightness, 3)}
    return {key: told[key] for key in KEYS if getattr(setup, key) != getattr(ScreenSetup, key, SQUARE)}


def find_fault(corners: Corners) -> str:
    """What is wrong with four corners; "": nothing. They must go round clockwise, and none may bend inwards."""
    for x, y in corners:
        if not (-OUTSIDE <= x <= 1 + OUTSIDE and -OUTSIDE <= y <= 1 + OUTSIDE):
            return f"a corner may lie no more than {OUTSIDE:g} of the display beyond its edge"
    for k in range(4):
        (ax, ay), (bx, by), (cx, cy) = corners[k - 1], corners[k], corners[(k + 1) % 4]
        if (bx - ax) * (cy - by) - (by - ay) * (cx - bx) < LEAST_TURN:
            return "four corners must go round without a bend inwards"
    return ""


def read_setup(given: Any) -> ScreenSetup:
    """The setup out of a table of the settings file. UserError if anything in it makes no sense."""
    if not isinstance(given, dict) or set(given) - set(KEYS):
        raise UserError(f"a display has {', '.join(KEYS)} and nothing else")
    corners = SQUARE
    if "corners" in given:
        corners = _read_corners(given["corners"])
    mask = given.get("mask", "")
    if not isinstance(mask, str):
        raise UserError(f"mask = {mask!r} must be the name of a PNG file")
    gamma = check_number("gamma", given.get("gamma", 1.0), GAMMA)
    return ScreenSetup(corners, mask, gamma, check_number("brightness", given.get("brightness", 1.0), BRIGHTNESS))


def _read_corners(given: Any) -> Corners:
    try:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = ((float(x), float(y)) for x, y in given)
    except (TypeError, ValueError, OverflowError):
        raise UserError("corners must be four pairs of numbers") from None
    corners = ((ax, ay), (bx, by), (cx, cy), (dx, dy))
    if not all(math.isfinite(number) for corner in corners for number in corner):
        raise UserError("corners must be four pairs of numbers")
    if fault := find_fault(corners):
        raise UserError(fault)
    return corners


def check_number(name: str, value: Any, ends: tuple[float, float]) -> float:
    """The number. UserError if it is none, or beyond `ends`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not ends[0] <= value <= ends[1]:
        raise UserError(f"{name} must be a number from {ends[0]:g} to {ends[1]:g}, not {str(value)[:40]}")
    return float(value)


class Screens:
    """The kind of value that the setting `screens` has; in the settings file only."""

    metavar = None
    span = "a table for each display, by its name"
    types = (dict,)

    def read(self, name: str, given: Any) -> ScreenTable:
        if len(given) > MOST_SCREENS or any(len(key) > LONGEST_NAME for key in given):
            raise UserError(f"{name}: up to {MOST_SCREENS} displays are remembered")
        table = ScreenTable()
        for display, setup in given.items():
            try:
                table = table.replace(display, read_setup(setup))
            except UserError as error:
                raise UserError(f"{name}: {display}: {error}") from error
        return table

    def check(self, name: str, value: ScreenTable) -> ScreenTable:
        return value
