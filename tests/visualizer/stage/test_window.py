"""A window in memory, without a screen. Its renderer draws, is replaced when it fails, and says so once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import moderngl
import numpy as np
import pygame
import pytest

from tests.support.fakes import hearing, picture
from visualizer.errors import UserError
from visualizer.moment import Moment, Text
from visualizer.stage import display_follower
from visualizer.stage.display_follower import DisplayFollower
from visualizer.stage.displays import Display
from visualizer.stage.guarded import HELD
from visualizer.stage.looks import find_look
from visualizer.stage.renderer import NoGpu
from visualizer.stage.window import Window

SIZE = (320, 200)
BIG, SMALL = Display(0, "Beamer", (1920, 1080), 60), Display(1, "Laptop", (1280, 800), 60)


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pygame.display.quit()
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    yield
    pygame.display.quit()


def moment(beat: float, look: str = "paper") -> Moment:
    return Moment(picture(beat), find_look(look), hearing(beat / 2), beat)


def shown(window: Window, folder: Path) -> np.ndarray:
    """(height, width, 3) of what it shows."""
    window.save(str(folder / "shown.png"))
    return pygame.surfarray.array3d(pygame.image.load(str(folder / "shown.png"))).transpose(1, 0, 2).astype(int)


def test_an_installation_without_moderngl_paints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("visualizer.stage.window.find_spec", lambda name: None)
    said: list[str] = []
    window = Window(SIZE, 0, "auto", said.append)
    window.draw(moment(1.0))
    assert np.ptp(shown(window, tmp_path)) > 200
    assert said == ["no GPU for the picture (moderngl is not installed): painting on the processor"]
    window.close()
    with pytest.raises(UserError, match=r"needs OpenGL 3\.3: moderngl is not installed"):
        Window(SIZE, 0, "shader", said.append)


@pytest.mark.parametrize("stage", ["painter", "shader"])
def test_each_stage_shows_the_dancer_and_the_text(stage: str, gl: moderngl.Context, tmp_path: Path) -> None:
    said: list[str] = []
    window = Window(SIZE, 0, stage, said.append)
    window.draw(moment(1.0))
    clean = shown(window, tmp_path)
    assert clean.shape == (SIZE[1], SIZE[0], 3)
    assert np.ptp(clean) > 200
    for _ in range(3):  # what is written comes in one picture or in a few, if it would be a flash
        window.draw(replace(moment(1.0), text=Text(black=1.0)))
    assert shown(window, tmp_path).max() < clean.max()
    assert (said, window.stage_name, window.gpu) == ([], stage, stage == "shader")
    window.close()


def test_a_gpu_that_fails_is_replaced_and_that_is_said_once(
    gl: moderngl.Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from visualizer.stage.gpu.renderer import GpuRenderer

    said: list[str] = []
    window = Window(SIZE, 0, "shader", said.append)
    window.draw(moment(0.0))
    window.set_detail(1)

    def fail(self: GpuRenderer, moment: Moment) -> None:
        raise NoGpu("pulled out")

    monkeypatch.setattr(GpuRenderer, "draw", fail)
    for beat in (0.1, 0.2, 0.3):
        window.draw(moment(beat))
    assert said == ["the GPU has failed (pulled out): painting on the processor"]
    assert not window.gpu
    assert np.ptp(shown(window, tmp_path)) > 200
    assert window.camera.shots == []
    window.close()


def test_flashes_that_are_held_back_are_said_once() -> None:
    said: list[str] = []
    window = Window(SIZE, 0, "painter", said.append)
    for k in range(40):
        window.draw(replace(moment(k / 30), text=Text(black=float(k % 2))))
    assert said == [HELD]
    window.close()


def test_an_unknown_display_is_an_error_and_leaves_no_video() -> None:
    with pytest.raises(UserError, match="display 7 does not exist"):
        Window(SIZE, 7)
    assert not pygame.display.get_init()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[Display]:
    """The displays that are plugged in."""
    there = [BIG, SMALL]
    monkeypatch.setattr(display_follower, "displays", lambda: tuple(there))
    return there


def test_a_show_whose_display_is_gone_moves_and_comes_back(there: list[Display]) -> None:
    follower = DisplayFollower("Beamer")
    assert follower.look(fullscreen=True) == (None, False)
    moved = replace(SMALL, number=0)
    there[:] = [moved]
    assert follower.look(fullscreen=True) == (f"display {BIG} is gone: on {moved} now", True)
    assert follower.display == moved
    there[:] = [BIG, SMALL]
    assert follower.look(fullscreen=True) == (f"display {BIG} is back", True)
    assert follower.display == BIG


def test_a_window_stays_where_it_was_moved(there: list[Display]) -> None:
    follower = DisplayFollower(0)
    there[:] = [replace(SMALL, number=0)]
    assert follower.look(fullscreen=False)[1]
    there[:] = [BIG, SMALL]
    assert follower.look(fullscreen=False) == (None, False)
    assert follower.display == SMALL


def test_a_display_that_changes_opens_a_full_screen_again_and_no_window(there: list[Display]) -> None:
    for is_full in (True, False):
        there[:] = [BIG, SMALL]
        follower = DisplayFollower(0)
        changed = replace(BIG, size=(1280, 720))
        there[:] = [changed, SMALL]
        assert follower.look(is_full) == ((f"display {changed} has changed", True) if is_full else (None, False))
        assert follower.display == changed


def test_on_to_the_next_display_and_round(there: list[Display]) -> None:
    follower = DisplayFollower(0)
    assert follower.choose_next()
    assert follower.display == SMALL
    assert follower.choose_next()
    assert follower.display == BIG
    there[:] = [BIG]
    assert not follower.choose_next()
