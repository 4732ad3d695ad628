"""The table of keys."""

from __future__ import annotations

import pygame
import pytest

from visualizer import commands
from visualizer.commands import COMMANDS
from visualizer.remote.keys import GROUPS, KEYS, find_command


def test_no_key_has_two_commands() -> None:
    keys = [(each.hold, key) for each in KEYS for key in each.keys]
    keys += [chord for each in KEYS for chord in each.also]
    assert len(keys) == len(set(keys))
    labels = [each.label for each in KEYS]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("key", "command"),
    [
        (pygame.K_SPACE, "reseed"),
        (pygame.K_LEFT, "previous style"),
        (pygame.K_RIGHT, "next style"),
        (pygame.K_UP, "next look"),
        (pygame.K_DOWN, "previous look"),
        (pygame.K_f, "fullscreen"),
        (pygame.K_h, "help"),
        (pygame.K_ESCAPE, "quit"),
        (pygame.K_d, "next dance"),
        (pygame.K_MINUS, "tamer"),
        (pygame.K_EQUALS, "wilder"),
        (pygame.K_LEFTBRACKET, "tamer"),
        (pygame.K_RIGHTBRACKET, "wilder"),
        (pygame.K_1, "troupe 1"),
        (pygame.K_9, "troupe 9"),
        (pygame.K_KP1, "troupe 1"),
        (pygame.K_KP9, "troupe 9"),
        (pygame.K_0, None),
        (pygame.K_c, "next figure"),
        (pygame.K_u, "next sync"),
        (pygame.K_t, "tap tempo"),
        (pygame.K_COMMA, "half tempo"),
        (pygame.K_PERIOD, "double tempo"),
        (pygame.K_o, "more latency"),
        (pygame.K_g, "more sensitive"),
        (pygame.K_b, "blackout"),
        (pygame.K_s, "picture"),
        (pygame.K_F12, "picture"),
        (pygame.K_r, "record"),
        (pygame.K_F11, "fullscreen"),
        (pygame.K_m, "next display"),
        (pygame.K_a, "auto"),
        (pygame.K_l, "lock"),
        (pygame.K_k, "favourite"),
        (pygame.K_x, "never look"),
        (pygame.K_BACKSPACE, "take back"),
        (pygame.K_RETURN, None),
        (pygame.K_q, "phone code"),
        (pygame.K_w, "pin"),
        (pygame.K_F4, None),
    ],
)
def test_keys(key: int, command: str | None) -> None:
    assert _find(key) == command
    with_shift = {
        pygame.K_c: "shuffle figures",
        pygame.K_d: "previous dance",
        pygame.K_t: "trust the ear",
        pygame.K_COMMA: "later",
        pygame.K_PERIOD: "earlier",
        pygame.K_o: "less latency",
        pygame.K_g: "less sensitive",
        pygame.K_x: "never dance",
        pygame.K_q: "guest code",
    }
    for shift in (pygame.KMOD_LSHIFT, pygame.KMOD_RSHIFT | pygame.KMOD_NUM | pygame.KMOD_CAPS):
        assert _find(key, shift) == with_shift.get(key, command)
    # With Ctrl, Alt or the system's key, keys are the window manager's, but for those in the table.
    for held in (pygame.KMOD_LCTRL, pygame.KMOD_RALT, pygame.KMOD_LMETA, pygame.KMOD_LCTRL | pygame.KMOD_LALT):
        chords = {(pygame.KMOD_LCTRL, pygame.K_x): "never style", (pygame.KMOD_RALT, pygame.K_RETURN): "fullscreen",
                  (pygame.KMOD_RALT, pygame.K_x): "never figure"}  # fmt: skip
        assert _find(key, held) == chords.get((held, key))


def test_only_esc_ends_the_show() -> None:
    assert [each.label for each in KEYS if each.command == "quit"] == ["Esc"]


def test_every_digit_is_a_number_of_dancers() -> None:
    digits = (*range(pygame.K_1, pygame.K_9 + 1), *range(pygame.K_KP1, pygame.K_KP9 + 1))
    assert [find_command(key) for key in digits] == [("troupe", str(n)) for n in range(1, 10)] * 2


def test_groups_and_commands_are_those_of_the_table_of_commands() -> None:
    assert [title for title, _ in GROUPS] == [title for title, _ in commands.GROUPS]
    for (_, keys), (_, rows) in zip(GROUPS, commands.GROUPS, strict=True):
        assert {each.command for each in keys} <= {row.name for row in rows}
    with_name = {command.name for command in COMMANDS.values() if command.argument and command.argument[0] != "["}
    over = {"title", "logo", "countdown", "clock", "now playing"}  # words and pictures over the picture
    fitting = {"pin display", "pin corner", "pin reset", "mask"}  # have keys while displays are fitted
    without = (with_name | over | fitting | {"dance"}) - {"troupe"}
    assert {each.command for each in KEYS} == set(COMMANDS) - without


LETTERS = {"d": "next dance", "u": "next sync", "t": "tap tempo", "b": "blackout", "r": "record", "x": "never look"}
LAYOUTS = {  # what the keys of the letters d, u, t, b, r, x and of comma and full stop give there
    "ru": "вгеикч" "бю",
    "gr": "δθτβρχ" ",.",
    "il": "גוא" "נרס" "תץ",
    "ua": "вгеикч" "бю",
    "am": "դըտբրխ" ",.",
    "th": "กีะ" "ิพป" "มใ",
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_letters_work_by_their_place_where_the_layout_is_not_latin(layout: str) -> None:
    for (letter, command), sign in zip(LETTERS.items(), LAYOUTS[layout], strict=False):
        place = pygame.KSCAN_A + ord(letter) - ord("a")
        assert find_command(ord(sign), 0, place) == (command, "")
    assert find_command(ord(LAYOUTS[layout][0]), pygame.KMOD_LSHIFT, pygame.KSCAN_D) == ("previous dance", "")
    assert find_command(ord(LAYOUTS[layout][5]), pygame.KMOD_LCTRL, pygame.KSCAN_X) == ("never style", "")
    for sign, place, command in (
        (LAYOUTS[layout][6], pygame.KSCAN_COMMA, "half tempo"),
        (LAYOUTS[layout][7], pygame.KSCAN_PERIOD, "double tempo"),
    ):
        assert find_command(ord(sign), 0, place) == (command, "")


@pytest.mark.parametrize(
    ("key", "place", "command"),
    [
        (pygame.K_a, pygame.KSCAN_Q, "auto"),  # AZERTY: the letter that is written on the key
        (pygame.K_w, pygame.KSCAN_Z, "pin"),
        (pygame.K_q, pygame.KSCAN_A, "phone code"),
        (pygame.K_e, pygame.KSCAN_D, None),  # Dvorak
        (pygame.K_d, pygame.KSCAN_H, "next dance"),
        (ord("ß"), pygame.KSCAN_MINUS, None),  # Latin letters with marks are where they are on purpose
        (ord("é"), pygame.KSCAN_2, None),
        (ord("ı"), pygame.KSCAN_I, None),
        (pygame.K_F5, pygame.KSCAN_F5, None),
        (pygame.K_LEFT, pygame.KSCAN_LEFT, "previous style"),
    ],
)
def test_latin_layouts_go_by_what_is_written_on_the_keys(key: int, place: int, command: str | None) -> None:
    found = find_command(key, 0, place)
    assert (found and found[0]) == command


def _find(key: int, mod: int = 0) -> str | None:
    """The command, with its argument behind it."""
    found = find_command(key, mod)
    return found and " ".join(filter(None, found))
