"""Colours, outline, shadow and glow of letters."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer.stage.looks import TitleLook
from visualizer.stage.titles.lettering import blur, draw_letters, find_margin, widen


def stops(*colours: tuple[float, float, float, float, float]) -> np.ndarray:
    return np.array([[*each, each[-1]] for each in colours], float)


@pytest.fixture
def square() -> pygame.Surface:
    letters = pygame.Surface((40, 40), pygame.SRCALPHA, 32)
    letters.fill((255, 255, 255, 255), (10, 10, 20, 20))
    return letters


def test_letters_have_the_colours_of_the_look_from_top_to_foot(square: pygame.Surface) -> None:
    style = TitleLook(colours=stops((0, 1, 0, 0, 1), (1, 0, 0, 1, 1)))
    drawn, margin = draw_letters(square, style, 40), find_margin(style, 40)
    assert drawn.get_size() == (40 + 2 * margin, 40 + 2 * margin)
    upper, lower = (drawn.get_at((margin + 20, margin + y)) for y in (11, 28))
    assert upper.r > lower.r
    assert upper.b < lower.b
    assert drawn.get_at((1, 1)).a == 0


def test_hollow_letters_are_an_outline_about_nothing(square: pygame.Surface) -> None:
    style = TitleLook(colours=stops((0, 0, 0, 0, 0)), outline=stops((0, 1, 1, 1, 1)), outline_width=0.1)
    drawn, margin = draw_letters(square, style, 40), find_margin(style, 40)
    assert drawn.get_at((margin + 20, margin + 20)).a == 0
    assert drawn.get_at((margin + 8, margin + 20)).a == 255


def test_emoji_keep_their_colours(square: pygame.Surface) -> None:
    square.fill((255, 200, 0, 255), (10, 10, 20, 20))
    style = TitleLook(colours=stops((0, 0, 0, 1, 1)))
    margin = find_margin(style, 40)
    assert draw_letters(square, style, 40).get_at((margin + 20, margin + 20))[:3] == (255, 200, 0)


def test_a_shadow_and_a_glow_stay_within_the_margin(square: pygame.Surface) -> None:
    square.fill((255, 255, 255, 255))
    style = TitleLook(
        shadow=stops((0, 0, 0, 0, 1)), shadow_x=0.3, shadow_blur=0.3, glow=stops((0, 1, 0, 0, 1)), glow_width=0.3
    )
    alpha = pygame.surfarray.array_alpha(draw_letters(square, style, 40))
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    assert edge.max() <= 4
    assert alpha.max() == 255


def test_a_blur_keeps_what_there_is_and_a_widened_shape_reaches_as_far_as_asked() -> None:
    shape = np.zeros((61, 61), np.float32)
    shape[30, 30] = 1
    blurred = blur(shape, 4)
    assert blurred.sum() == pytest.approx(1, abs=1e-3)
    rows = np.arange(61) - 30
    assert np.sqrt((blurred.sum(axis=1) * rows**2).sum()) == pytest.approx(4, rel=0.15)
    wide = np.argwhere(widen(shape, 5) > 0) - 30
    assert np.hypot(*wide.T).max() == pytest.approx(5, abs=0.8)
