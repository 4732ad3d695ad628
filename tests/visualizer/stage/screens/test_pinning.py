"""Commands that fit the picture to a display, in a real window in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from tests.support.fakes import hearing, picture
from visualizer.errors import UserError
from visualizer.moment import Moment
from visualizer.screen_setup import ScreenSetup, ScreenTable
from visualizer.stage.displays import Display
from visualizer.stage.looks import find_look
from visualizer.stage.screens import mask
from visualizer.stage.screens.pinning import LEAST_SECONDS, Pinning
from visualizer.stage.window import Window

SHOWN = (Display(0, "Beamer", (1000, 500), 60), Display(1, "Wall", (800, 600), 60))


def test_a_corner_moves_by_pixels_of_its_display() -> None:
    pinning = Pinning(ScreenTable())
    assert pinning.adjust("pin move", "100 -50", SHOWN) == "corner 1: 100, -50"
    assert pinning.adjust("pin corner", "3", SHOWN) == "corner 3, lower right"
    pinning.adjust("pin move", "-10 5", SHOWN)
    assert pinning.adjust("pin display", "", SHOWN) == f"display {SHOWN[1]}"
    pinning.adjust("pin move", "-8 0", SHOWN)
    assert pinning.table.find("Beamer").corners == ((0.1, -0.1), (1, 0), (0.99, 1.01), (0, 1))
    assert pinning.table.find("Wall").corners[2] == (0.99, 1)
    pinning.adjust("pin reset", "", SHOWN)
    assert [name for name, _ in pinning.table.setups] == ["Beamer"]


def test_brightness_and_gamma_are_said_or_stepped() -> None:
    pinning = Pinning(ScreenTable())
    assert pinning.adjust("brightness", "80", SHOWN) == "brightness: 80%"
    assert pinning.adjust("brightness", "-5", SHOWN) == "brightness: 75%"
    assert pinning.adjust("brightness", "+90", SHOWN) == "brightness: 100%"
    assert pinning.adjust("gamma", "1.5", SHOWN) == "gamma: 1.5"
    assert pinning.adjust("gamma", "-0.1", SHOWN) == "gamma: 1.4"


@pytest.mark.parametrize(
    ("what", "argument", "said"),
    [
        ("pin move", "5", "pixels to the right"),
        ("pin move", "900 400", "without a bend"),
        ("pin move", "-900 0", "beyond its edge"),
        ("pin corner", "7", "1 to 4"),
        ("brightness", "3", "from 10 to 100"),
        ("gamma", "much", "a number is wanted"),
        ("gamma", "99", "from 0.3 to 3"),
        ("mask", "../../secret.png", "must be a file in"),
    ],
)
def test_what_makes_no_sense_changes_nothing(what: str, argument: str, said: str) -> None:
    pinning = Pinning(ScreenTable())
    with pytest.raises(UserError, match=said):
        pinning.adjust(what, argument, SHOWN)
    assert pinning.table == ScreenTable()


def test_the_test_picture_does_not_flash() -> None:
    now = [0.0]
    pinning = Pinning(ScreenTable(), lambda: now[0])
    assert pinning.turn("")
    with pytest.raises(UserError, match="one moment"):
        pinning.turn("off")
    now[0] += LEAST_SECONDS
    assert pinning.turn("off")
    assert not pinning.turn("off")
    with pytest.raises(UserError, match="on or off"):
        pinning.turn("maybe")


def test_a_mask_is_a_png_in_the_folder_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask, "settings_file", lambda: tmp_path / "settings.toml")
    surface = pygame.Surface((4, 2), pygame.SRCALPHA)
    surface.fill((255, 255, 255, 255))
    surface.set_at((0, 0), (255, 255, 255, 0))
    pygame.image.save(surface, str(tmp_path / "arch.png"))
    assert mask.load_mask("arch.png").tolist() == [[0, 1, 1, 1], [1, 1, 1, 1]]
    pinning = Pinning(ScreenTable())
    assert pinning.adjust("mask", "arch.png", SHOWN) == "mask: arch.png"
    assert pinning.adjust("mask", "", SHOWN) == "mask: none"
    with pytest.raises(UserError, match=r"mask .*cannot be read"):
        mask.load_mask("none.png")


# --- in a window


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    window = Window(None, 0, "painter")
    yield window
    window.close()


def moment(beat: float) -> Moment:
    return Moment(picture(beat), find_look("paper"), hearing(beat / 2), beat)


def shown() -> np.ndarray:
    surface = pygame.display.get_surface()
    assert surface is not None
    return pygame.surfarray.array3d(surface).transpose(1, 0, 2).astype(int)


def test_a_window_is_fitted_by_commands_and_shows_it(window: Window) -> None:
    clock = iter(np.arange(1000.0, 2000.0))
    window.wall.pinning._clock = lambda: float(next(clock))
    assert window.wall.plan is None  # nothing is done for a picture as it comes
    waited: list[int] = []
    window.before_show = lambda: waited.append(1)
    window.draw(moment(0.0))
    plain = shown()
    window.adjust_screen("pin", "")
    assert window.pinning
    window.draw(moment(0.1))
    grid = shown()
    assert grid[0, 5].max() > 200  # the rim, or the corner that is chosen
    width, height = window.size
    window.adjust_screen("pin move", f"{width // 4} {height // 4}")
    window.draw(moment(0.2))
    assert shown()[0, 5].max() == 0
    window.draw(moment(0.3))
    assert len(waited) >= 3  # each picture keeps to the pace
    window.adjust_screen("pin", "off")
    for k in range(20):
        window.draw(moment(0.4 + k / 20))
    pinned = shown()
    assert pinned[0, 5].max() == 0
    assert pinned[-6, -6].tolist() == plain[-6, -6].tolist()
    assert window.screens.setups[0][1].corners[0] == (0.25, 0.25)
    window.adjust_screen("pin reset", "")
    assert window.wall.plan is None
    window.draw(moment(2.0))


def test_a_window_that_is_not_full_screen_is_not_fitted(window: Window) -> None:
    window.toggle_fullscreen()
    with pytest.raises(UserError, match="full screen"):
        window.adjust_screen("pin", "on")
    assert not window.pinning


def test_full_screen_off_ends_the_test_picture(window: Window) -> None:
    window.adjust_screen("pin", "on")
    window.toggle_fullscreen()
    assert not window.pinning
    window.draw(moment(0.0))


def test_what_the_settings_know_is_shown_from_the_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.stage.screens.wall import WallChoice

    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    first = Window(None, 0, "painter")
    name = first.display.name
    first.close()
    half = ScreenSetup(((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    window = Window(None, 0, "painter", wall=WallChoice(0, table=ScreenTable().replace(name, half)))
    window.draw(moment(0.0))
    seen = shown()
    assert seen[:, : seen.shape[1] // 2 - 1].max() == 0
    assert np.ptp(seen) > 100
    window.close()
