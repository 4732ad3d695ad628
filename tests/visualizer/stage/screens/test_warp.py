"""The picture as a display shows it, pixel by pixel, and the graphics card's against the processor's."""

from __future__ import annotations

from dataclasses import replace

import moderngl
import numpy as np
import pygame
import pytest

from visualizer.screen_setup import SQUARE, ScreenSetup, ScreenTable
from visualizer.stage.displays import Display
from visualizer.stage.gpu.projector import Projector
from visualizer.stage.screens.plan import ScreenPlan, plan_stage
from visualizer.stage.screens.warp import Canvas, Warp

SIZE = (64, 48)
DISPLAY = Display(0, "Beamer", SIZE, 60)
CROOKED = ((0.1, 0.05), (0.95, 0.15), (1.0, 1.0), (0.0, 0.9))


def plan_of(setup: ScreenSetup, display: Display = DISPLAY) -> ScreenPlan:
    return plan_stage((display,), ScreenTable().replace("Beamer", setup), False).screens[0]


def paint(canvas: Canvas, pixels: np.ndarray) -> None:
    canvas.surface.blit(pygame.surfarray.make_surface(pixels.transpose(1, 0, 2)), (0, 0))


def shown(warp: Warp) -> np.ndarray:
    return pygame.surfarray.array3d(warp.surface).transpose(1, 0, 2).astype(int)


@pytest.fixture
def canvas() -> Canvas:
    """Smooth colours."""
    canvas = Canvas(SIZE)
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    paint(canvas, np.stack([x * 3 + 40, y * 4 + 40, 200 - x - y], axis=2).astype(np.uint8))
    return canvas


def show(canvas: Canvas, setup: ScreenSetup, mask: np.ndarray | None = None) -> np.ndarray:
    warp = Warp(canvas, plan_of(setup), mask)
    warp.show(canvas.surface.get_rect())
    return shown(warp)


def test_a_picture_that_is_not_moved_is_the_same_to_the_last_bit(canvas: Canvas) -> None:
    assert np.array_equal(
        show(canvas, ScreenSetup(SQUARE)), pygame.surfarray.array3d(canvas.surface).transpose(1, 0, 2)
    )


def test_corners_go_where_they_are_pulled_and_the_rest_is_black(canvas: Canvas) -> None:
    seen = show(canvas, ScreenSetup(((0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1))))
    assert seen[:24].max() == seen[:, :32].max() == 0
    whole = pygame.surfarray.array3d(canvas.surface).transpose(1, 0, 2).astype(int)
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert np.abs(seen[24:, 32:][y, x] - whole[y, x]).max() <= 4


def test_only_what_changed_is_brought_up_to_date_and_that_is_enough(canvas: Canvas) -> None:
    plan = plan_of(ScreenSetup(CROOKED, brightness=0.8, gamma=1.4))
    warp = Warp(canvas, plan, None)
    warp.show(canvas.surface.get_rect())
    box = pygame.Rect(20, 10, 15, 12)
    canvas.surface.fill((250, 250, 250), box)
    changed = warp.show(box)
    assert 0 < changed.width < SIZE[0]
    whole = Warp(canvas, plan, None)
    whole.show(canvas.surface.get_rect())
    assert np.array_equal(shown(warp), shown(whole))


def test_light_is_masked_dimmed_and_bent(canvas: Canvas) -> None:
    paint(canvas, np.full((SIZE[1], SIZE[0], 3), 128, np.uint8))
    assert np.abs(show(canvas, ScreenSetup(brightness=0.5)) - 64).max() <= 1
    assert np.abs(show(canvas, ScreenSetup(gamma=2.0)) - round(255 * (128 / 255) ** 2)).max() <= 1
    mask = np.zeros((48, 64), np.float32)
    mask[:, 32:] = 1
    seen = show(canvas, ScreenSetup(), mask)
    assert seen[:, :30].max() == 0
    assert np.abs(seen[:, 34:] - 128).max() <= 1


def test_neighbours_of_a_stretched_picture_are_not_seen() -> None:
    left, right = DISPLAY, replace(DISPLAY, number=1, name="Other", place=(SIZE[0], 0))
    plan = plan_stage((left, right), ScreenTable().replace("Beamer", ScreenSetup(CROOKED)), True)
    canvas = Canvas(plan.size)
    canvas.surface.fill((0, 255, 0), plan.screens[1].part)
    warp = Warp(canvas, plan.screens[0], None)
    warp.show(canvas.surface.get_rect())
    assert shown(warp).max() == 0
    assert not warp.show(pygame.Rect(100, 10, 5, 5))  # of the other display


def test_a_graphics_card_shows_the_same(canvas: Canvas, gl: moderngl.Context) -> None:
    setup = ScreenSetup(CROOKED, brightness=0.9, gamma=1.2)
    mask = np.linspace(0.2, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE[1], SIZE[0])
    by_processor = show(canvas, setup, mask)
    target = gl.framebuffer([gl.texture(SIZE, 3)])
    texture = gl.texture(SIZE, 3, pygame.image.tobytes(canvas.surface, "RGB", True), alignment=1)
    projector = Projector(gl, plan_of(setup), SIZE, mask)
    projector.draw(texture, target)
    rows = np.frombuffer(target.read(components=3, alignment=1), np.uint8).reshape(SIZE[1], SIZE[0], 3)
    projector.release()
    apart = np.abs(rows[::-1].astype(int) - by_processor).max(axis=2)
    assert np.median(apart) <= 2
    assert (apart > 12).mean() < 0.08  # the edge, which is softer there
