"""A picture of all figures of a pack, each in the middle of a dance, with its name below."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from visualizer.dancer.dancer import Dancer
from visualizer.errors import UserError
from visualizer.moment import Moment
from visualizer.music.clock import Hearing
from visualizer.stage.cpu.painter import Painter
from visualizer.stage.looks import find_look

if TYPE_CHECKING:
    from visualizer.dancer.pack import Pack

CELL = 360, 460  # pixels of each figure's picture
CAPTION = 40  # and of the name below it
LOOK = "toon"
BEGIN, EACH = 6.0, 3.0  # beats until the first is drawn, and between one and the next
BPM = 120.0


def draw_figures(pack: Pack, titles: dict[str, str], path: Path) -> None:
    """Write a PNG of the figures of a pack, which has some; `titles` by name. UserError where it cannot be written."""
    dancer = Dancer(pack, seed=1)
    dancer.wants_inside = True
    dancer.view = CELL[0] / CELL[1]
    names = dancer.figures
    columns = math.ceil(math.sqrt(len(names) * 1.6))
    rows = math.ceil(len(names) / columns)
    sheet = pygame.Surface((columns * CELL[0], rows * (CELL[1] + CAPTION)), 0, 32)
    sheet.fill((250, 244, 232))
    painter, look = Painter(CELL), find_look(LOOK)
    pygame.font.init()
    font = pygame.font.Font(None, 34)
    for k, name in enumerate(names):
        beat = BEGIN + EACH * k
        dancer.step_to(beat - EACH / 2)
        dancer.set_figures((name,))
        dancer.step_to(beat)
        hearing = Hearing(beat * 60 / BPM, BPM, beat, 1.0, 0.6, 0.6, 0.6, 0.6, 0.6)
        bodies = dancer.picture(beat)
        bodies.place[:] = 0
        painter.paint(Moment(bodies, look, hearing, beat))
        x, y = k % columns * CELL[0], k // columns * (CELL[1] + CAPTION)
        sheet.blit(painter.surface, (x, y))
        words = font.render(titles.get(name, name), True, (30, 20, 40))
        sheet.blit(words, (x + (CELL[0] - words.get_width()) // 2, y + CELL[1] + 8))
    painter.release()
    try:
        pygame.image.save(sheet, str(path))
    except (pygame.error, OSError) as error:
        raise UserError(f"{path} cannot be written: {error}") from error
