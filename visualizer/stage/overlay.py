"""Writing over the picture: toasts, which come and go, and the help, drawn from the table of keys."""

from __future__ import annotations

import pygame

from visualizer.controls import CONTROLS
from visualizer.paths import assets

TOAST_SECONDS = 3.5
MOST_TOASTS = 4
PANEL = (12, 12, 18, 205)
INK = (245, 245, 250)
FAINT = (178, 178, 192)


class Overlay:
    """A surface with alpha, as large as the window, redrawn only when what is written changes."""

    def __init__(self, size: tuple[int, int]) -> None:
        if not pygame.font.get_init():
            pygame.font.init()
        self.help = False
        self._toasts: list[tuple[str, float]] = []
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        """Fit a window of another size."""
        self.size = size
        self.surface = pygame.Surface(size, pygame.SRCALPHA, 32)
        self._font = pygame.font.Font(str(assets() / "DejaVuSans.ttf"), max(11, round(min(size) * 0.028)))
        self._shown: tuple[object, ...] = (False,)  # no help, no toasts: what an empty surface shows

    def toast(self, text: str, now: float) -> None:
        """Show `text` for a few seconds from `now`, seconds on the show's clock."""
        self._toasts = [*self._toasts, (text, now + TOAST_SECONDS)][-MOST_TOASTS:]

    def render(self, now: float) -> tuple[pygame.Surface | None, bool]:
        """The surface (None: nothing is written) and whether it changed since the last call."""
        self._toasts = [(text, until) for text, until in self._toasts if until > now]
        wanted = (self.help, *(text for text, _ in self._toasts))
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
        for text, _ in reversed(self._toasts):
            image = self._font.render(text, True, INK)
            if image.get_width() > self.size[0] - 2 * line:  # a long file name: the end tells more than the middle
                image = image.subsurface((0, 0, self.size[0] - 2 * line, image.get_height()))
            box = image.get_rect().inflate(line, line // 2)
            box.midbottom = (self.size[0] // 2, bottom)
            pygame.draw.rect(self.surface, PANEL, box, border_radius=line // 3)
            self.surface.blit(image, image.get_rect(center=box.center))
            bottom = box.top - line // 3

    def _draw_help(self) -> None:
        line = round(self._font.get_linesize() * 1.25)
        labels = [self._font.render(control.label, True, INK) for control in CONTROLS]
        helps = [self._font.render(control.help, True, FAINT) for control in CONTROLS]
        gap = max(image.get_width() for image in labels) + line
        box = pygame.Rect(0, 0, gap + max(image.get_width() for image in helps) + 2 * line, line * (len(labels) + 1))
        box.topleft = (line, line)
        pygame.draw.rect(self.surface, PANEL, box, border_radius=line // 3)
        for row, (label, text) in enumerate(zip(labels, helps, strict=True)):
            y = box.top + line // 2 + row * line + (line - label.get_height()) // 2
            self.surface.blit(label, (box.left + line, y))
            self.surface.blit(text, (box.left + line + gap, y))
