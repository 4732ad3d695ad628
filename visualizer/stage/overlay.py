"""Writing over the picture: toasts, which come and go, and the help, drawn from the table of keys."""

from __future__ import annotations

import pygame

from visualizer.controls import CONTROLS
from visualizer.paths import assets

TOAST_SECONDS = 3.5
MOST_TOASTS = 4
SPACING = 1.25  # of the lines of the help
PANEL = (12, 12, 18, 205)
INK = (245, 245, 250)
LAMP = ((60, 60, 70), INK, (255, 190, 60))  # dark, beat, first of the bar
FAINT = (178, 178, 192)


class Overlay:
    """A surface with alpha, as large as the window, redrawn only when what is written changes."""

    def __init__(self, size: tuple[int, int]) -> None:
        if not pygame.font.get_init():
            pygame.font.init()
        self.help = False
        self.status = ""  # a line below the help
        self.lamp = 0  # before it: 0 dark, 1 on the beat, 2 on the first of the bar
        self._toasts: list[tuple[str, str, float]] = []  # text, topic, until when
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Fit a window of another size."""
        self.size = size
        self.surface = pygame.Surface(size, pygame.SRCALPHA, 32)
        self._font = _font(max(11, round(min(size) * 0.028)))
        self._shown: tuple[object, ...] = (False, False)  # no help, no toasts: what an empty surface shows
        self._widest = 0  # the help has been: what it says of the ear changes all the time, it should not

    def toast(self, text: str, now: float, topic: str = "") -> None:
        """Show `text` for a few seconds from `now`, seconds on the show's clock; it replaces the last of its topic."""
        others = [each for each in self._toasts if not topic or each[1] != topic]
        self._toasts = [*others, (text, topic, now + TOAST_SECONDS)][-MOST_TOASTS:]

    def render(self, now: float) -> tuple[pygame.Surface | None, bool]:
        """The surface (None: nothing is written) and whether it changed since the last call."""
        self._toasts = [each for each in self._toasts if each[2] > now]
        wanted = (self.help, self.help and (self.status, self.lamp), *(text for text, *_ in self._toasts))
        changed = wanted != self._shown
        if changed:
            self._shown = wanted
            self.surface.fill((0, 0, 0, 0))
            if self.help:
                self._draw_help()
            self._draw_toasts()
        return (self.surface if self.help or self._toasts else None), changed

    def _draw_toasts(self) -> None:
        line = self._font.get_linesize()
        bottom = self.size[1] - line
        for text, *_ in reversed(self._toasts):
            image = self._font.render(text, True, INK)
            if image.get_width() > self.size[0] - 2 * line:  # a long file name: the end tells more than the middle
                image = image.subsurface((0, 0, self.size[0] - 2 * line, image.get_height()))
            box = image.get_rect().inflate(line, line // 2)
            box.midbottom = (self.size[0] // 2, bottom)
            pygame.draw.rect(self.surface, PANEL, box, border_radius=line // 3)
            self.surface.blit(image, image.get_rect(center=box.center))
            bottom = box.top - line // 3

    def _draw_help(self) -> None:
        rows = len(CONTROLS) + 1 + bool(self.status)  # one of them is the margin
        font = self._font
        if (most := 0.94 * self.size[1] / rows / SPACING) < font.get_linesize():  # a small window: all of it, but small
            font = _font(round(font.get_height() * most / font.get_linesize() * 0.8))
        line = round(font.get_linesize() * SPACING)
        labels = [font.render(control.label, True, INK) for control in CONTROLS]
        helps = [font.render(control.help, True, FAINT) for control in CONTROLS]
        status = font.render(self.status, True, INK)
        gap = max(image.get_width() for image in labels) + line
        wanted = gap + max(image.get_width() for image in (*helps, status)) + 2 * line
        self._widest = width = max(self._widest, min(wanted, self.size[0] - 2 * line))
        box = pygame.Rect(line, min(line, (self.size[1] - line * rows) // 2), width, line * rows)
        pygame.draw.rect(self.surface, PANEL, box, border_radius=line // 3)
        for row, (label, text) in enumerate(zip(labels, helps, strict=True)):
            y = box.top + line // 2 + row * line + (line - label.get_height()) // 2
            self.surface.blit(label, (box.left + line, y))
            self.surface.blit(text, (box.left + line + gap, y))
        if self.status:
            y = box.top + line // 2 + len(labels) * line
            self.surface.blit(status, (box.left + line + gap, y), (0, 0, width - gap - 2 * line, status.get_height()))
            pygame.draw.circle(self.surface, LAMP[self.lamp], (box.left + line + line // 3, y + line // 2), line // 3)


def _font(size: int) -> pygame.font.Font:
    return pygame.font.Font(str(assets() / "DejaVuSans.ttf"), size)
