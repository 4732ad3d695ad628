"""The keys while the test picture is shown: they fit the picture to a display. All others do what they always do."""

from __future__ import annotations

import pygame

FAR = 10  # pixels with Shift
_ARROWS = {pygame.K_LEFT: (-1, 0), pygame.K_RIGHT: (1, 0), pygame.K_UP: (0, -1), pygame.K_DOWN: (0, 1)}
_KEYS = {
    pygame.K_TAB: ("pin corner", ""),
    **{key: ("pin corner", str(k + 1)) for k, key in enumerate((pygame.K_1, pygame.K_2, pygame.K_3, pygame.K_4))},
    pygame.K_m: ("pin display", ""),
    pygame.K_BACKSPACE: ("pin reset", ""),
    pygame.K_MINUS: ("brightness", "-5"),
    pygame.K_KP_MINUS: ("brightness", "-5"),
    pygame.K_LEFTBRACKET: ("brightness", "-5"),
    pygame.K_PLUS: ("brightness", "+5"),
    pygame.K_KP_PLUS: ("brightness", "+5"),
    pygame.K_EQUALS: ("brightness", "+5"),
    pygame.K_RIGHTBRACKET: ("brightness", "+5"),
    pygame.K_COMMA: ("gamma", "-0.1"),
    pygame.K_PERIOD: ("gamma", "+0.1"),
    pygame.K_RETURN: ("pin", "off"),
    pygame.K_ESCAPE: ("pin", "off"),
    pygame.K_w: ("pin", "off"),
}
FIRST_REPEAT, REPEAT = 300, 40  # ms until a key that is held moves the corner again, and from then on


def find_pin_command(key: int, mod: int = 0) -> tuple[str, str] | None:
    """The command of a key with these modifiers, and its argument; None: it has none here."""
    if mod & (pygame.KMOD_CTRL | pygame.KMOD_ALT | pygame.KMOD_META):
        return None
    if key in _ARROWS:
        step = FAR if mod & pygame.KMOD_SHIFT else 1
        x, y = _ARROWS[key]
        return "pin move", f"{x * step} {y * step}"
    return _KEYS.get(key)
