"""SDL's video: started before any window, and only where there is a screen."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pygame

from visualizer.stage import x11

log = logging.getLogger("visualizer")

NOT_SEEN = ("offscreen", "dummy")  # SDL's drivers without a screen; fine if asked for


class NoDisplay(Exception):
    """This machine has no screen that a window could open on."""


def open_video() -> None:
    """Start SDL's video; does nothing if it runs. NoDisplay where there is no screen."""
    if not (asked := os.environ.get("SDL_VIDEODRIVER")):
        os.environ.pop("SDL_VIDEODRIVER", None)  # SDL takes an empty name for a driver that does not exist
        if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
            # The one way left is the bare console. SDL would try all others too, some of which complain on stderr.
            if not any(Path("/dev/dri").glob("card*")):
                raise NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set")
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplay(str(error)) from error
    driver = pygame.display.get_driver()
    if driver == "x11":
        x11.watch()
    if driver in NOT_SEEN and not asked:
        pygame.display.quit()
        raise NoDisplay(f"SDL found only its '{driver}' driver")
    desktops = ", ".join(f"{w}x{h}" for w, h in pygame.display.get_desktop_sizes())
    log.debug("SDL %s on %s: %s", ".".join(map(str, pygame.version.SDL)), driver, desktops)
