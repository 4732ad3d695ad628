"""The keys that fit the picture, and that only while the test picture is shown."""

from __future__ import annotations

import pygame
import pytest

from tests.support.live_fakes import FakeWindow, make_live
from visualizer.commands import COMMANDS
from visualizer.remote import pin_keys
from visualizer.remote.pin_keys import find_pin_command
from visualizer.screen_setup import ScreenSetup


@pytest.mark.parametrize(
    ("key", "mod", "sent"),
    [
        (pygame.K_RIGHT, 0, ("pin move", "1 0")),
        (pygame.K_UP, pygame.KMOD_LSHIFT, ("pin move", "0 -10")),
        (pygame.K_3, 0, ("pin corner", "3")),
        (pygame.K_ESCAPE, 0, ("pin", "off")),
        (pygame.K_b, 0, None),
        (pygame.K_w, pygame.KMOD_CTRL, None),
    ],
)
def test_a_key_is_a_command(key: int, mod: int, sent: tuple[str, str] | None) -> None:
    assert find_pin_command(key, mod) == sent


def test_each_command_is_in_the_table() -> None:
    assert {name for name, _ in pin_keys._KEYS.values()} <= set(COMMANDS)


def test_arrows_move_a_corner_only_while_displays_are_fitted() -> None:
    live = make_live()
    assert isinstance(live.window, FakeWindow)
    press = pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RIGHT, mod=0, scancode=0)
    live.handle([press], 1.0)
    assert live.window.screens.setups == ()
    live.window.pinning = True
    live.handle([press], 2.0)
    assert live.window.screens.find("left") == ScreenSetup(brightness=0.5)  # what the stand-in does for any command
    assert live.show.choices.find_changes()["screens"] == live.window.screens
