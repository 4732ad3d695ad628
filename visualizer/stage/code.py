"""A QR code over the picture: dark on a white card, with its border and a caption, large enough for a phone's camera
across a room and small enough to dance beside."""

from __future__ import annotations

import numpy as np
import pygame

from visualizer.moment import Code
from visualizer.support.printable import make_printable

BORDER = 4  # modules that a reader wants about a code
SHARE = 0.36  # of the height of the picture that the code may take
CARD, INK = (250, 250, 252), (10, 10, 14)


def draw_code(surface: pygame.Surface, font: pygame.font.Font, code: Code) -> pygame.Rect:
    """Draw the card into the upper right corner and return where it is; modules are whole pixels, at least one."""
    modules = np.frombuffer(b"".join(code.rows), np.uint8).reshape(len(code.rows), -1)
    pixels = max(1, int(SHARE * min(surface.get_size())) // (len(modules) + 2 * BORDER))
    bordered = np.pad(modules, BORDER).T.astype(bool)[..., None]
    small = pygame.surfarray.make_surface(np.where(bordered, INK, CARD).astype(np.uint8))
    image = pygame.transform.scale_by(small, pixels)
    lines = [font.render(make_printable(line), True, INK) for line in code.caption]
    lines = [_fit(line, image.get_width() - 2 * pixels) for line in lines]
    line_height = font.get_linesize()
    height = image.get_height() + len(lines) * line_height + (line_height // 3 if lines else 0)
    margin = line_height
    card = pygame.Rect(surface.get_width() - image.get_width() - margin, margin, image.get_width(), height)
    pygame.draw.rect(surface, CARD, card, border_radius=line_height // 2)
    surface.blit(image, image.get_rect(topleft=card.topleft).inflate(-2 * pixels, -2 * pixels),
                 image.get_rect().inflate(-2 * pixels, -2 * pixels))  # fmt: skip
    for k, line in enumerate(lines):
        middle = card.top + image.get_height() - 2 * pixels + k * line_height + line_height // 2
        surface.blit(line, line.get_rect(center=(card.centerx, middle)))
    return card


def _fit(line: pygame.Surface, room: int) -> pygame.Surface:
    """Smaller where it is too long for the card."""
    if line.get_width() <= room:
        return line
    return pygame.transform.smoothscale_by(line, max(room, 1) / line.get_width())
