"""The titles of a picture, made when they change and kept: a title that stands costs one blit a picture."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pygame

from visualizer.moment import Titles
from visualizer.stage.looks import Look, TitleLook
from visualizer.stage.titles.block import Placed, set_titles
from visualizer.stage.titles.fonts import FontChain

log = logging.getLogger("visualizer")

Key = tuple[Titles, TitleLook]


class TitleLayer:
    """Titles for pictures of one size. Live they are made on a thread of their own, for letters take longer than a
    picture may: until they are there, those before are shown."""

    def __init__(self, size: tuple[int, int], patient: bool = True) -> None:
        """`patient`: wait until they are made, so that a dance always gives the same pictures; not live."""
        self._size, self._fonts = size, FontChain()
        self._pool = None if patient else ThreadPoolExecutor(1, "titles")
        self._making: tuple[Key, Future[list[Placed]]] | None = None
        self._shown: Key | None = None
        self._placed: list[Placed] = []
        self._sheet: tuple[int, pygame.Surface] | None = None
        self.version = 0  # counts up when what is shown is another

    def find(self, titles: Titles, look: Look) -> list[Placed]:
        """Surfaces with straight alpha, and the upper left corner of each; their cover is not in them."""
        key = replace(titles, cover=1.0), look.titles
        if key == self._shown:
            return self._placed
        if self._pool is None:
            self._show(key, set_titles(*key, self._size, self._fonts))
            return self._placed
        if self._making is None:
            self._making = key, self._pool.submit(set_titles, *key, self._size, self._fonts)
        made, future = self._making
        if future.done():
            self._making = None
            self._show(made, _result(future))
        return self._placed

    def _show(self, key: Key, placed: list[Placed]) -> None:
        self._shown, self._placed = key, placed
        self.version += 1

    def draw(self, surface: pygame.Surface, titles: Titles, look: Look) -> list[pygame.Rect]:
        """Lay the titles over a picture; where they are."""
        drawn = []
        for image, corner in self.find(titles, look):
            image.set_alpha(round(255 * titles.cover))
            drawn.append(surface.blit(image, corner))
        return drawn

    def make_sheet(self, titles: Titles, look: Look) -> tuple[pygame.Surface, bool]:
        """All of the titles on a surface as large as the picture, and whether it is another than the last time."""
        placed = self.find(titles, look)
        changed = self._sheet is None or self._sheet[0] != self.version
        if self._sheet is None or changed:
            sheet = pygame.Surface(self._size, pygame.SRCALPHA, 32)
            for image, corner in placed:
                image.set_alpha(255)
                sheet.blit(image, corner)
            self._sheet = self.version, sheet
        return self._sheet[1], changed

    def release(self) -> None:
        """Let go of the thread."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[list[Placed]]) -> list[Placed]:
    """What was made; nothing where the letters cannot be had: the dance goes on."""
    try:
        return future.result()
    except (pygame.error, MemoryError, OSError, ValueError) as error:
        log.warning("the title cannot be drawn: %s", error)
        return []
