"""The test picture by which a display is fitted: a grid, circles, numbered corners, and what the keys do."""

from __future__ import annotations

import pygame

from visualizer.paths import assets
from visualizer.support.printable import make_printable

CELLS = (16, 9)
GROUND, LINE, RIM, CHOSEN, INK = (12, 12, 16), (120, 120, 130), (235, 235, 240), (255, 190, 60), (245, 245, 250)
HELP = (
    "arrows: move the corner, Shift: by ten · Tab, 1-4: another corner · M: another display",
    "- +: brightness · , .: gamma · Backspace: as it comes · W: done",
)


def draw_grid(surface: pygame.Surface, name: str, corner: int | None, told: tuple[str, ...]) -> None:
    """Fill the surface. `corner`: the one that moves, 0 to 3 clockwise from the upper left; None: not here."""
    width, height = surface.get_size()
    line = max(1, min(width, height) // 360)
    surface.fill(GROUND)
    for k in range(1, CELLS[0]):
        pygame.draw.line(surface, LINE, (width * k // CELLS[0], 0), (width * k // CELLS[0], height), line)
    for k in range(1, CELLS[1]):
        pygame.draw.line(surface, LINE, (0, height * k // CELLS[1]), (width, height * k // CELLS[1]), line)
    radius = min(width, height) // CELLS[1]
    middles = [(width // 2, height // 2), *((x * width // 8, y * height // 6) for x in (1, 7) for y in (1, 5))]
    for k, middle in enumerate(middles):
        pygame.draw.circle(surface, LINE, middle, radius * (3 if k == 0 else 1), line)
    pygame.draw.rect(surface, RIM, surface.get_rect(), 3 * line)
    font = pygame.font.Font(str(assets() / "DejaVuSans.ttf"), max(11, min(width, height) // 28))
    for k, (x, y) in enumerate(((0, 0), (width, 0), (width, height), (0, height))):
        spot = (abs(x - radius), abs(y - radius))
        is_chosen = k == corner
        if is_chosen:
            pygame.draw.lines(surface, CHOSEN, False, [(x, abs(y - radius)), (x, y), (abs(x - radius), y)], 12 * line)
        pygame.draw.circle(surface, CHOSEN if is_chosen else GROUND, spot, font.get_height())
        pygame.draw.circle(surface, CHOSEN if is_chosen else RIM, spot, font.get_height(), line)
        number = font.render(str(k + 1), True, GROUND if is_chosen else INK)
        surface.blit(number, number.get_rect(center=spot))
    lines = (name, *told, *(HELP if corner is not None else ()))
    y = height // 2 - len(lines) * font.get_linesize() // 2
    for text in lines:
        image = font.render(make_printable(text), True, INK, GROUND)
        if image.get_width() > width * 0.9:
            image = pygame.transform.smoothscale_by(image.convert(surface), width * 0.9 / image.get_width())
        surface.blit(image, image.get_rect(midtop=(width // 2, y)))
        y += font.get_linesize()
