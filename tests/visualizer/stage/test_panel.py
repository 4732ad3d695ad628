"""Panels and the line below all: they fit every window, and are drawn again only when what they say changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pygame
import pytest

from visualizer.guide import FIRST_HINT, SILENCE_HINT
from visualizer.moment import Panel, PanelRow, Text
from visualizer.stage.overlay import Overlay
from visualizer.stage.panel import FULL, LEVELS

ROWS = tuple(PanelRow(str(n), f"an input with a name as long as they are {n}", n, n == 2) for n in range(1, 10))
LIST = Panel("What to listen to", ROWS, ("a number: listen to that",))
CHECK = Panel("Sound check", (), ("microphone: 120 BPM", "Does the lamp light with the music?"), lamp=True)


@pytest.mark.parametrize("size", [(320, 180), (640, 480), (1280, 720), (720, 1280), (3440, 1440)])
@pytest.mark.parametrize("text", [Text(panel=LIST), Text(panel=CHECK), Text(hint=FIRST_HINT), Text(hint=SILENCE_HINT)])
def test_what_the_screen_says_fits_every_window(size: tuple[int, int], text: Text) -> None:
    surface, changed = Overlay(size).render(text)
    assert surface is not None
    assert changed
    box = surface.get_bounding_rect()
    assert 0 < box.left < box.right < size[0]
    assert 0 < box.top < box.bottom < size[1]


def test_a_meter_shows_its_level() -> None:
    def lit(level: int | None) -> int:
        surface, _ = Overlay((640, 480)).render(Text(panel=Panel("inputs", (PanelRow("1", "room", level),))))
        assert surface is not None
        return int((pygame.surfarray.array3d(surface) == FULL).all(axis=-1).sum())

    assert lit(None) == lit(0) == 0
    assert 0 < lit(LEVELS // 2) < lit(LEVELS)


def test_the_lamp_of_the_check_follows_the_beat_and_that_of_the_list_does_not() -> None:
    each = Overlay((640, 480))
    text = Text(panel=CHECK)
    surface, _ = each.render(text)
    assert surface is not None
    for lamp in (1, 2, 0):
        before = pygame.surfarray.array2d(surface)
        assert each.render(replace(text, lamp=lamp)) == (surface, True)
        assert np.count_nonzero(before != pygame.surfarray.array2d(surface)) > 100
    assert each.render(Text(panel=LIST)) == (surface, True)
    assert each.render(Text(panel=LIST, lamp=1)) == (surface, False)


def test_a_toast_stands_above_the_line() -> None:
    def box(text: Text) -> pygame.Rect:
        surface, _ = Overlay((640, 480)).render(text)
        assert surface is not None
        return surface.get_bounding_rect()

    line, both = box(Text(hint=FIRST_HINT)), box(Text(hint=FIRST_HINT, toasts=("style: waltz",)))
    assert both.bottom == line.bottom
    assert both.top < line.top


def test_the_font_can_write_the_lines() -> None:
    font = Overlay((640, 480))._font
    assert [text for text in (FIRST_HINT, SILENCE_HINT) if None in font.metrics(text)] == []
