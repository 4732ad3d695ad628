"""The keys: one table, key -> command. The help on the screen is drawn from it, so the two can never differ."""

from __future__ import annotations

from dataclasses import dataclass

import pygame

from visualizer.commands import COMMANDS


@dataclass(frozen=True)
class Key:
    """One row of the table."""

    keys: tuple[int, ...]  # pygame key codes
    label: str  # what is written on them
    command: str  # name in commands.COMMANDS
    hold: int = 0  # KMOD_SHIFT, KMOD_CTRL or KMOD_ALT, to be held with the key; without, Shift makes no difference
    numbered: bool = False  # nine keys, or nine more: the command's argument is the number of the key, 1 to 9
    also: tuple[tuple[int, int], ...] = ()  # further ways: (hold, key)

    @property
    def help(self) -> str:
        """What it does, in a few words."""
        return COMMANDS[self.command].help


DIGITS = (
    pygame.K_1, pygame.K_2, pygame.K_3, pygame.K_4, pygame.K_5, pygame.K_6, pygame.K_7, pygame.K_8, pygame.K_9,
    pygame.K_KP1, pygame.K_KP2, pygame.K_KP3, pygame.K_KP4, pygame.K_KP5, pygame.K_KP6, pygame.K_KP7, pygame.K_KP8,
    pygame.K_KP9,
)  # fmt: skip
# Where a sign lies differs from keyboard to keyboard; one of these is easy to reach on each.
MINUS = (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_LEFTBRACKET)
PLUS = (pygame.K_PLUS, pygame.K_KP_PLUS, pygame.K_EQUALS, pygame.K_RIGHTBRACKET)
ALT_ENTER = tuple((pygame.KMOD_ALT, key) for key in (pygame.K_RETURN, pygame.K_KP_ENTER))
SHIFT, CTRL, ALT = pygame.KMOD_SHIFT, pygame.KMOD_CTRL, pygame.KMOD_ALT

# Titles are those of commands.GROUPS; neighbours whose help is the same share a line of it.
GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "The dance",
        (
            Key((pygame.K_SPACE,), "Space", "reseed"),
            Key((pygame.K_RIGHT,), "→", "next style"),
            Key((pygame.K_LEFT,), "←", "previous style"),
            Key((pygame.K_d,), "D", "next dance"),
            Key((pygame.K_d,), "Shift+D", "previous dance", SHIFT),
            Key((pygame.K_c,), "C", "next figure"),
            Key((pygame.K_c,), "Shift+C", "shuffle figures", SHIFT),
            Key(MINUS, "-", "tamer"),
            Key(PLUS, "+", "wilder"),
            Key(DIGITS, "1-9", "troupe", numbered=True),
            Key((pygame.K_u,), "U", "next sync"),
            Key((pygame.K_v,), "V", "camera"),
            Key((pygame.K_v,), "Shift+V", "copycat", SHIFT),
        ),
    ),
    (
        "The music",
        (
            Key((pygame.K_j,), "J", "next song"),
            Key((pygame.K_j,), "Shift+J", "previous song", SHIFT),
            Key((pygame.K_t,), "T", "tap tempo"),
            Key((pygame.K_t,), "Shift+T", "trust the ear", SHIFT),
            Key((pygame.K_COMMA,), ",", "half tempo"),
            Key((pygame.K_PERIOD,), ".", "double tempo"),
            Key((pygame.K_COMMA,), "Shift+,", "later", SHIFT),
            Key((pygame.K_PERIOD,), "Shift+.", "earlier", SHIFT),
            Key((pygame.K_o,), "O", "more latency"),
            Key((pygame.K_o,), "Shift+O", "less latency", SHIFT),
            Key((pygame.K_i,), "I", "inputs"),
            Key((pygame.K_i,), "Shift+I", "sound check", SHIFT),
            Key((pygame.K_g,), "G", "more sensitive"),
            Key((pygame.K_g,), "Shift+G", "less sensitive", SHIFT),
        ),
    ),
    (
        "The picture",
        (
            Key((pygame.K_UP,), "↑", "next look"),
            Key((pygame.K_DOWN,), "↓", "previous look"),
            Key((pygame.K_b,), "B", "blackout"),
            Key((pygame.K_s, pygame.K_F12), "S F12", "picture"),
            Key((pygame.K_r,), "R", "record"),
            Key((pygame.K_f, pygame.K_F11), "F F11 Alt+Enter", "fullscreen", also=ALT_ENTER),
            Key((pygame.K_w,), "W", "pin"),
            Key((pygame.K_m,), "M", "next display"),
        ),
    ),
    (
        "The show",
        (
            Key((pygame.K_n,), "N", "next cue"),
            Key((pygame.K_n,), "Shift+N", "previous cue", SHIFT),
            Key((pygame.K_a,), "A", "auto"),
            Key((pygame.K_l,), "L", "lock"),
            Key((pygame.K_k,), "K", "favourite"),
            Key((pygame.K_x,), "X", "never look"),
            Key((pygame.K_x,), "Shift+X", "never dance", SHIFT),
            Key((pygame.K_x,), "Ctrl+X", "never style", CTRL),
            Key((pygame.K_x,), "Alt+X", "never figure", ALT),
            Key((pygame.K_BACKSPACE,), "Backspace", "take back"),
            Key((pygame.K_q,), "Q", "phone code"),
            Key((pygame.K_q,), "Shift+Q", "guest code", SHIFT),
            Key((pygame.K_h,), "H", "help"),
            Key((pygame.K_ESCAPE,), "Esc", "quit"),
        ),
    ),
)
KEYS: tuple[Key, ...] = tuple(key for _, keys in GROUPS for key in keys)

Sent = tuple[str, str]  # a command and its argument
_BY_KEY: dict[tuple[int, int], Sent] = {
    chord: (key.command, str(i % 9 + 1) if key.numbered else "")
    for key in KEYS
    for i, chord in enumerate((*((key.hold, code) for code in key.keys), *key.also))
}
# Key codes by the key's place, as a US keyboard has them: letters and the signs of the table.
_BY_PLACE = {
    **{pygame.KSCAN_A + k: pygame.K_a + k for k in range(26)},
    pygame.KSCAN_COMMA: pygame.K_COMMA, pygame.KSCAN_PERIOD: pygame.K_PERIOD, pygame.KSCAN_MINUS: pygame.K_MINUS,
    pygame.KSCAN_EQUALS: pygame.K_EQUALS, pygame.KSCAN_LEFTBRACKET: pygame.K_LEFTBRACKET,
    pygame.KSCAN_RIGHTBRACKET: pygame.K_RIGHTBRACKET,
}  # fmt: skip


def find_command(key: int, mod: int = 0, place: int = 0) -> Sent | None:
    """The command of a pygame key code, pressed with these modifiers (KMOD_…), and its argument; None: it has none.

    A keyboard that is not Latin gives Cyrillic, Greek or Hebrew codes for its letters: there the key's `place` (SDL's
    scancode) counts. Ctrl, Alt and the system's key with anything but what the table says belong to window managers.
    """
    if _is_foreign_letter(key):
        key = _BY_PLACE.get(place, key)
    held = [hold for hold in (pygame.KMOD_CTRL, pygame.KMOD_ALT, pygame.KMOD_META) if mod & hold]
    if held:
        return _BY_KEY.get((held[0], key)) if len(held) == 1 else None
    return (_BY_KEY.get((SHIFT, key)) if mod & SHIFT else None) or _BY_KEY.get((0, key))


def _is_foreign_letter(key: int) -> bool:
    """Whether a key code is a letter that no key of the table could be: keys without a letter have bit 30 set, and
    Latin letters with marks (é, ß, ø) lie where a Latin layout has put them on purpose."""
    return 0x250 <= key < 1 << 30 or key == 0
