"""A panel in the middle of the picture: rows to choose from with meters, or a lamp to compare with the music; and the
line below all that says what to press."""

from __future__ import annotations

import pygame

from visualizer.moment import Panel
from visualizer.support.printable import make_printable

PANEL = (12, 12, 18, 205)
INK, FAINT, HEADING = (245, 245, 250), (178, 178, 192), (255, 190, 60)
LAMP = ((60, 60, 70), INK, HEADING)  # dark, beat, first of the bar
BOX = (12, 12, 18, 232)  # of a panel: small letters stand on a dance
CHOSEN = (70, 62, 40, 235)
EMPTY, FULL = (60, 60, 70), (120, 205, 120)
SPACING = 1.35  # of its lines
METER = 9  # lines that a meter is wide
WIDEST, HIGHEST = 0.92, 0.94  # of the picture
LEVELS = 12  # of a meter
LAMP_LINES = 2.2  # lines that the large lamp is high


def draw_panel(surface: pygame.Surface, font: pygame.font.Font, panel: Panel, lamp: int) -> pygame.Rect:
    """Draw it in the middle of the surface and return where it is. A line that is too long is cut off at the panel's
    edge; a panel that is too high is made smaller."""
    image = _make_panel(font, panel, lamp, round(surface.get_width() * WIDEST))
    most = round(surface.get_height() * HIGHEST)
    if image.get_height() > most:
        image = pygame.transform.smoothscale_by(image, most / image.get_height())
    box = image.get_rect(center=surface.get_rect().center)
    surface.blit(image, box)
    return box


def _make_panel(font: pygame.font.Font, panel: Panel, lamp: int, room: int) -> pygame.Surface:
    line = round(font.get_linesize() * SPACING)
    metered = any(row.level is not None for row in panel.rows)
    label = max((font.size(row.label)[0] for row in panel.rows), default=0) + line
    texts = [label + font.size(make_printable(row.text))[0] for row in panel.rows]
    texts += [font.size(make_printable(text))[0] for text in (panel.title, *panel.foot)]
    width = min(max(texts) + (METER * line if metered else 0) + 2 * line, room)
    lamp_high = round(LAMP_LINES * line) if panel.lamp else 0
    image = pygame.Surface(
        (width, round((len(panel.rows) + len(panel.foot) + 2.4) * line) + lamp_high), pygame.SRCALPHA, 32
    )
    box = image.get_rect()
    pygame.draw.rect(image, BOX, box, border_radius=line // 3)
    inside = box.inflate(-2 * line, -line)
    y = _write(image, font, panel.title, HEADING, inside.topleft, inside.width, line) + line // 5
    if panel.lamp:
        pygame.draw.circle(image, LAMP[lamp], (box.centerx, y + lamp_high // 2), round(0.4 * lamp_high))
        y += lamp_high
    for row in panel.rows:
        if row.chosen:
            mark = pygame.Rect(line // 3, y, box.width - 2 * (line // 3), line)
            pygame.draw.rect(image, CHOSEN, mark, border_radius=line // 4)
        _write(image, font, row.label, HEADING, (inside.left, y), label, line)
        left = inside.width - label
        if row.level is not None:
            left -= METER * line
            meter = pygame.Rect(inside.right - round((METER - 0.5) * line), y, round((METER - 0.5) * line), line)
            _draw_meter(image, meter, row.level)
        _write(image, font, row.text, INK, (inside.left + label, y), left, line)
        y += line
    y += line // 3
    for text in panel.foot:
        y = _write(image, font, text, FAINT, (inside.left, y), inside.width, line)
    return image


def draw_hint(surface: pygame.Surface, font: pygame.font.Font, text: str) -> pygame.Rect:
    """Draw one line at the lower edge and return where it is; smaller where it is too long."""
    line = font.get_linesize()
    image = font.render(make_printable(text), True, INK)
    room = surface.get_width() - 2 * line
    if image.get_width() > room:
        image = pygame.transform.smoothscale_by(image, max(room, 1) / image.get_width())
    box = image.get_rect().inflate(line, line // 2)
    box.midbottom = (surface.get_width() // 2, surface.get_height() - line // 2)
    pygame.draw.rect(surface, PANEL, box, border_radius=line // 3)
    surface.blit(image, image.get_rect(center=box.center))
    return box


def _draw_meter(surface: pygame.Surface, box: pygame.Rect, level: int) -> None:
    """`LEVELS` bars, as many of them lit."""
    step = box.width / LEVELS
    for k in range(LEVELS):
        bar = pygame.Rect(round(box.left + k * step), box.top + box.height // 5, round(0.7 * step), box.height * 3 // 5)
        pygame.draw.rect(surface, FULL if k < level else EMPTY, bar)


def _write(
    surface: pygame.Surface, font: pygame.font.Font, text: str, colour: tuple[int, int, int], at: tuple[int, int],
    room: int, line: int,
) -> int:  # fmt: skip
    """One line that begins at `at` within `room`, and where the next one begins. Seven parameters, for a line of text
    has so many."""
    image = font.render(make_printable(text), True, colour)
    surface.blit(image, (at[0], at[1] + (line - image.get_height()) // 2), (0, 0, max(room, 0), image.get_height()))
    return at[1] + line
