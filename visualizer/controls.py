"""The keys. One table; the help on screen is drawn from it, so the two can never differ."""

from __future__ import annotations

from dataclasses import dataclass

import pygame


@dataclass(frozen=True)
class Control:
    """One row of the table."""

    keys: tuple[int, ...]  # pygame key codes
    label: str  # what is written on the keys
    action: str  # name that app.py acts on
    help: str


CONTROLS: tuple[Control, ...] = (
    Control((pygame.K_SPACE,), "Space", "reseed", "another dance"),
    Control((pygame.K_RIGHT,), "→", "next style", "next style of dancing"),
    Control((pygame.K_LEFT,), "←", "previous style", "previous style of dancing"),
    Control((pygame.K_UP,), "↑", "next look", "next look of the picture"),
    Control((pygame.K_DOWN,), "↓", "previous look", "previous look of the picture"),
    Control((pygame.K_f,), "F", "fullscreen", "full screen or window"),
    Control((pygame.K_h,), "H", "help", "show or hide these keys"),
    Control((pygame.K_ESCAPE,), "Esc", "quit", "end the show"),
)

_BY_KEY = {key: control.action for control in CONTROLS for key in control.keys}


def action_of(key: int) -> str | None:
    """The action of a pygame key code; None if the key does nothing."""
    return _BY_KEY.get(key)
