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
    shift: bool = False  # only with Shift; without, Shift makes no difference
    numbered: bool = False  # nine keys, or nine more: the action ends in the number of the key, 1 to 9


DIGITS = (
    pygame.K_1, pygame.K_2, pygame.K_3, pygame.K_4, pygame.K_5, pygame.K_6, pygame.K_7, pygame.K_8, pygame.K_9,
    pygame.K_KP1, pygame.K_KP2, pygame.K_KP3, pygame.K_KP4, pygame.K_KP5, pygame.K_KP6, pygame.K_KP7, pygame.K_KP8,
    pygame.K_KP9,
)  # fmt: skip
# Where a sign lies differs from keyboard to keyboard; one of these is easy to reach on each.
MINUS = (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_LEFTBRACKET)
PLUS = (pygame.K_PLUS, pygame.K_KP_PLUS, pygame.K_EQUALS, pygame.K_RIGHTBRACKET)

CONTROLS: tuple[Control, ...] = (
    Control((pygame.K_SPACE,), "Space", "reseed", "another dance"),
    Control((pygame.K_RIGHT,), "→", "next style", "next style of dancing"),
    Control((pygame.K_LEFT,), "←", "previous style", "previous style of dancing"),
    Control((pygame.K_d,), "D", "next dance", "next dance of the style; after the last: as it comes"),
    Control((pygame.K_d,), "Shift+D", "previous dance", "previous dance of the style", shift=True),
    Control(MINUS, "-", "tamer", "tamer, down to faithful"),
    Control(PLUS, "+", "wilder", "wilder"),
    Control(DIGITS, "1-9", "troupe", "so many dancers", numbered=True),
    Control((pygame.K_u,), "U", "formation", "each its own, in unison, in canon"),
    Control((pygame.K_t,), "T", "tap tempo", "tap the beat: it counts for half a minute"),
    Control((pygame.K_t,), "Shift+T", "trust the ear", "forget taps, half, double, earlier, later", shift=True),
    Control((pygame.K_COMMA,), ",", "half tempo", "half as fast"),
    Control((pygame.K_PERIOD,), ".", "double tempo", "twice as fast"),
    Control((pygame.K_COMMA,), "Shift+,", "later", "a little later on the beat", shift=True),
    Control((pygame.K_PERIOD,), "Shift+.", "earlier", "a little earlier", shift=True),
    Control((pygame.K_UP,), "↑", "next look", "next look of the picture"),
    Control((pygame.K_DOWN,), "↓", "previous look", "previous look of the picture"),
    Control((pygame.K_f,), "F", "fullscreen", "full screen or window"),
    Control((pygame.K_h,), "H", "help", "show or hide these keys"),
    Control((pygame.K_ESCAPE,), "Esc", "quit", "end the show"),
)

_BY_KEY = {
    (key, control.shift): f"{control.action} {i % 9 + 1}" if control.numbered else control.action
    for control in CONTROLS
    for i, key in enumerate(control.keys)
}
ACTIONS = tuple(dict.fromkeys(_BY_KEY.values()))


def action_of(key: int, shift: bool = False) -> str | None:
    """The action of a pygame key code, pressed with Shift or without; None if the key does nothing."""
    return _BY_KEY.get((key, shift)) or _BY_KEY.get((key, False))
