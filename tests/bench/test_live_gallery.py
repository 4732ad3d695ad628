"""The live show beside the gallery: what is taken is what the show has on the screen."""

from __future__ import annotations

import os

import pygame
import pytest

from bench.live_gallery import shoot

OFFSCREEN = {**os.environ, "SDL_VIDEODRIVER": "offscreen"}


@pytest.mark.slow
def test_a_look_is_taken_from_a_live_show() -> None:
    picture, said = shoot("paper", "320x180", 0.5, "none", OFFSCREEN)
    assert picture.get_size() == (320, 180)
    assert said == []
    assert sum(picture.get_at((2, 2))[:3]) > 600  # white paper
    assert pygame.mask.from_threshold(picture, (0, 0, 0), (40, 40, 40, 255)).count() > 500  # and a black dancer


@pytest.mark.slow
def test_a_show_that_failed_is_told_of() -> None:
    with pytest.raises(RuntimeError, match="no look"):
        shoot("nothing", "320x180", 0.5, "none", OFFSCREEN)
