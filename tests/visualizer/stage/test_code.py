"""The card with a QR code: whole, readable, and out of the dancer's way."""

from __future__ import annotations

import numpy as np
import pygame
import pytest

from visualizer.moment import Code, Text
from visualizer.remote.codes import make_code
from visualizer.stage.code import BORDER, CARD, SHARE, draw_code
from visualizer.stage.overlay import Overlay

URL = "http://192.168.178.21:8642/abcdefghijklmnop/"


@pytest.fixture
def font() -> pygame.font.Font:
    pygame.font.init()
    return pygame.font.Font(None, 20)


def read(surface: pygame.Surface) -> str:
    cv2 = pytest.importorskip("cv2", reason="skipped: opencv missing")
    return cv2.QRCodeDetector().detectAndDecode(pygame.surfarray.array3d(surface).transpose(1, 0, 2).copy())[0]


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (1080, 1920)])
def test_a_phone_can_read_it(size: tuple[int, int], font: pygame.font.Font) -> None:
    surface = pygame.Surface(size)
    surface.fill((90, 10, 60))
    card = draw_code(surface, font, make_code(URL, "run the show", "http://192.168.178.21:8642"))
    assert surface.get_rect().contains(card)
    assert read(surface) == URL
    assert card.left > size[0] / 2  # beside the dancer
    assert card.width <= SHARE * min(size) + 1


def test_a_border_of_light_is_all_about_it(font: pygame.font.Font) -> None:
    surface = pygame.Surface((800, 600))
    code = Code(tuple(bytes([1] * 21) for _ in range(21)))
    card = draw_code(surface, font, code)
    pixels = card.width // (21 + 2 * BORDER)
    picture = pygame.surfarray.array3d(surface)[card.left : card.right, card.top : card.bottom]
    dark = np.argwhere(picture[..., 0] < 100)
    inside = dark[(dark.min(1) > font.get_linesize()) & (dark[:, 1] < card.width - font.get_linesize())]
    assert inside.min() == BORDER * pixels
    assert (picture[card.width // 2, 1] == CARD).all()


def test_the_overlay_draws_it_once_and_takes_it_away() -> None:
    overlay = Overlay((640, 480))
    assert overlay.render(Text()) == (None, False)
    code = make_code(URL, "scan")
    surface, changed = overlay.render(Text(code=code))
    assert surface is not None
    assert changed
    assert overlay.render(Text(code=code)) == (surface, False)
    assert overlay.render(Text()) == (None, True)


def test_a_tiny_window_still_has_a_picture(font: pygame.font.Font) -> None:
    draw_code(pygame.Surface((64, 64)), font, make_code(URL, "scan"))
