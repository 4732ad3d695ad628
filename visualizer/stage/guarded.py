"""The flash guard at work before what is shown: a surface, a film's frames, a framebuffer of the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.flash_guard import COLUMNS, ROWS, Colours, FlashGuard

if TYPE_CHECKING:
    import moderngl

HELD = "flashes held back: at most three in a second"


class GuardedSurface:
    """Shows pictures on a surface that keeps what was shown last, such as the window's."""

    def __init__(self, guard: FlashGuard, size: tuple[int, int]) -> None:
        self.guard = guard
        self._x, self._y = guard.points(size)
        self._composed: pygame.Surface | None = None
        self._behind = True  # the surface shows something else than the last picture

    def show(
        self,
        picture: pygame.Surface,
        dirty: pygame.Rect,
        writing: pygame.Surface | None,
        screen: pygame.Surface,
        now: float,
    ) -> pygame.Rect:
        """Put `picture`, with `writing` over it, on `screen`, or as much of it as may be; what was changed.

        `dirty` holds all that differs from the picture before.
        """
        whole = screen.get_rect()
        if writing is not None:
            if self._composed is None:
                self._composed = pygame.Surface(whole.size, 0, 32)
            self._composed.blit(picture, (0, 0))
            self._composed.blit(writing, (0, 0))
            picture = self._composed
        colours = self._colours(picture)
        share = self.guard.share(colours, now)
        if share < 1:
            picture.set_alpha(round(share * 255))
            screen.blit(picture, (0, 0))
            picture.set_alpha(None)
            self.guard.seen(self._colours(screen), now)
            self._behind = True
            return whole
        box = whole if self._behind or writing is not None else dirty
        screen.blit(picture, box.topleft, box)
        self._behind = writing is not None
        self.guard.seen(colours, now)
        return box

    def _colours(self, surface: pygame.Surface) -> Colours:
        if surface.get_bytesize() != 4:  # a display of 16 bits
            return pygame.surfarray.array3d(surface)[self._x, self._y]
        seen = pygame.surfarray.pixels2d(surface)[self._x, self._y]
        red, green, blue, _ = surface.get_shifts()
        return np.stack([seen >> red & 255, seen >> green & 255, seen >> blue & 255], axis=1).astype(np.uint8)


class GuardedFrames:
    """Guards frames (height, width, 4), blue first, that nobody writes into once they were shown."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.guard = FlashGuard()
        self._x, self._y = self.guard.points(size)
        self._last: NDArray[np.uint8] | None = None

    def show(self, frame: NDArray[np.uint8], now: float) -> None:
        """Change `frame` into what may be shown `now`, seconds since the beginning."""
        colours = self._colours(frame)
        share = self.guard.share(colours, now)
        if share < 1 and self._last is not None:
            part = np.int32(round(share * 255))
            for row, last in zip(frame, self._last, strict=True):  # a row at a time stays in the cache
                step = row.astype(np.int32) - last
                row[:] = last + (step * part + 127) // 255
            colours = self._colours(frame)
        self.guard.seen(colours, now)
        self._last = frame

    def _colours(self, frame: NDArray[np.uint8]) -> Colours:
        return frame[self._y, self._x, 2::-1]
