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
    hold: int = 0  # KMOD_SHIFT, KMOD_CTRL or KMOD_ALT, to be held with the key; without, Shift makes no difference
    numbered: bool = False  # nine keys, or nine more: the action ends in the number of the key, 1 to 9
    also: tuple[tuple[int, int], ...] = ()  # further ways: (hold, key)


DIGITS = (
    pygame.K_1, pygame.K_2, pygame.K_3, pygame.K_4, pygame.K_5, pygame.K_6, pygame.K_7, pygame.K_8, pygame.K_9,
    pygame.K_KP1, pygame.K_KP2, pygame.K_KP3, pygame.K_KP4, pygame.K_KP5, pygame.K_KP6, pygame.K_KP7, pygame.K_KP8,
    pygame.K_KP9,
)  # fmt: skip
# Where a sign lies differs from keyboard to keyboard; one of these is easy to reach on each.
MINUS = (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_LEFTBRACKET)
PLUS = (pygame.K_PLUS, pygame.K_KP_PLUS, pygame.K_EQUALS, pygame.K_RIGHTBRACKET)
ALT_ENTER = tuple((pygame.KMOD_ALT, key) for key in (pygame.K_RETURN, pygame.K_KP_ENTER))
SHIFT, CTRL = pygame.KMOD_SHIFT, pygame.KMOD_CTRL

# Neighbours with the same help share a line of it. No line is longer than fits into two columns of a small window.
GROUPS: tuple[tuple[str, tuple[Control, ...]], ...] = (
    (
        "The dance",
        (
            Control((pygame.K_SPACE,), "Space", "reseed", "another dance"),
            Control((pygame.K_RIGHT,), "→", "next style", "style: next, previous"),
            Control((pygame.K_LEFT,), "←", "previous style", "style: next, previous"),
            Control((pygame.K_d,), "D", "next dance", "dance: next, previous"),
            Control((pygame.K_d,), "Shift+D", "previous dance", "dance: next, previous", SHIFT),
            Control(MINUS, "-", "tamer", "tamer, wilder"),
            Control(PLUS, "+", "wilder", "tamer, wilder"),
            Control(DIGITS, "1-9", "troupe", "so many dancers", numbered=True),
            Control((pygame.K_u,), "U", "formation", "each its own, unison, canon"),
        ),
    ),
    (
        "The music",
        (
            Control((pygame.K_t,), "T", "tap tempo", "tap the beat"),
            Control((pygame.K_t,), "Shift+T", "trust the ear", "forget taps and nudges", SHIFT),
            Control((pygame.K_COMMA,), ",", "half tempo", "half, twice as fast"),
            Control((pygame.K_PERIOD,), ".", "double tempo", "half, twice as fast"),
            Control((pygame.K_COMMA,), "Shift+,", "later", "nudge later, earlier", SHIFT),
            Control((pygame.K_PERIOD,), "Shift+.", "earlier", "nudge later, earlier", SHIFT),
            Control((pygame.K_o,), "O", "more latency", "projector later, less late"),
            Control((pygame.K_o,), "Shift+O", "less latency", "projector later, less late", SHIFT),
            Control((pygame.K_g,), "G", "more sensitive", "livelier, calmer"),
            Control((pygame.K_g,), "Shift+G", "less sensitive", "livelier, calmer", SHIFT),
        ),
    ),
    (
        "The picture",
        (
            Control((pygame.K_UP,), "↑", "next look", "look: next, previous"),
            Control((pygame.K_DOWN,), "↓", "previous look", "look: next, previous"),
            Control((pygame.K_b,), "B", "blackout", "fade to black, and back"),
            Control((pygame.K_s, pygame.K_F12), "S F12", "picture", "save this picture"),
            Control((pygame.K_r,), "R", "record", "record a video, and stop"),
            Control((pygame.K_f, pygame.K_F11), "F F11 Alt+Enter", "fullscreen", "full screen, window",
                    also=ALT_ENTER),
            Control((pygame.K_m,), "M", "next display", "on to the next display"),
        ),
    ),
    (
        "The show",
        (
            Control((pygame.K_a,), "A", "auto", "auto: changes by itself"),
            Control((pygame.K_l,), "L", "lock", "lock: nothing changes"),
            Control((pygame.K_k,), "K", "favourite", "more often what is on"),
            Control((pygame.K_x,), "X", "never look", "never this look, dance, style"),
            Control((pygame.K_x,), "Shift+X", "never dance", "never this look, dance, style", SHIFT),
            Control((pygame.K_x,), "Ctrl+X", "never style", "never this look, dance, style", CTRL),
            Control((pygame.K_BACKSPACE,), "Backspace", "take back", "take the last K, X back"),
            Control((pygame.K_h,), "H", "help", "show or hide these keys"),
            Control((pygame.K_ESCAPE,), "Esc", "quit", "twice: end the show"),
        ),
    ),
)  # fmt: skip
CONTROLS: tuple[Control, ...] = tuple(control for _, controls in GROUPS for control in controls)

_BY_KEY = {
    chord: f"{control.action} {i % 9 + 1}" if control.numbered else control.action
    for control in CONTROLS
    for i, chord in enumerate((*((control.hold, key) for key in control.keys), *control.also))
}
ACTIONS = tuple(dict.fromkeys(_BY_KEY.values()))


def action_of(key: int, mod: int = 0) -> str | None:
    """The action of a pygame key code, pressed with these modifiers (KMOD_…); None if it does nothing.

    Ctrl, Alt and the system's key with anything else than the table says are for others: window managers use them.
    """
    held = [hold for hold in (pygame.KMOD_CTRL, pygame.KMOD_ALT, pygame.KMOD_META) if mod & hold]
    if held:
        return _BY_KEY.get((held[0], key)) if len(held) == 1 else None
    return (_BY_KEY.get((SHIFT, key)) if mod & SHIFT else None) or _BY_KEY.get((0, key))
