"""The flash guard at work before what is shown: a surface, a film's frames. See also gpu/guarded_target.py."""

from __future__ import annotations

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.flash_guard import FlashGuard
from visualizer.stage.flash_samples import Colours, pack_colours

HELD = "flashes held back: at most three in a second"


class GuardedSurface:
    """Shows pictures on a surface that keeps what was shown last, such as the window's."""

    def __init__(self, guard: FlashGuard, size: tuple[int, int]) -> None:
        self.guard = guard
        self._x, self._y = guard.places(size)
        self._places = self._y[:, None] * size[0] + self._x  # of the samples among all pixels
        self._composed: pygame.Surface | None = None
        self._behind = True  # the surface shows something else than the last picture

    def begin(self, screen: pygame.Surface, now: float) -> None:
        """A new surface is seen, with what is on it: black, whatever was on the one before."""
        self.guard.seen(self._colours(screen), now)

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
            return pack_colours(pygame.surfarray.array3d(surface).transpose(1, 0, 2)[self._y[:, None], self._x])
        pixels = pygame.surfarray.pixels2d(surface).T
        if pixels.flags.c_contiguous:
            seen = pixels.reshape(-1).take(self._places, mode="wrap")
        else:
            seen = pixels.take(self._y, axis=0).take(self._x, axis=1)
        red, green, blue, _ = surface.get_shifts()
        if (red, green, blue) == (16, 8, 0):
            seen &= 0xFFFFFF
            return seen
        return pack_colours(np.stack([seen >> shift & 255 for shift in (red, green, blue)], axis=2).astype(np.uint8))


class GuardedFrames:
    """Guards frames (height, width, 4) that are not written into once they were shown.

    Blue first; or, `transparent`, straight RGBA, which is judged as it is seen on black.
    """

    def __init__(self, size: tuple[int, int], transparent: bool = False) -> None:
        self._transparent = transparent
        self.guard = FlashGuard()
        x, y = self.guard.places(size)
        self._places = y[:, None] * size[0] + x  # of the samples among all pixels
        self._last: NDArray[np.uint8] | None = None

    def show(self, frame: NDArray[np.uint8], now: float) -> bool:
        """Change `frame` into what may be shown `now`, seconds since the beginning; whether it was changed."""
        colours = self._colours(frame)
        share = self.guard.share(colours, now)
        is_held = False
        if share < 1 and self._last is not None:
            is_held = True
            part = np.int32(round(share * 255))
            for row, last in zip(frame, self._last, strict=True):  # a row at a time stays in the cache
                step = row.astype(np.int32) - last
                row[:] = last + (step * part + 127) // 255
            colours = self._colours(frame)
        self.guard.seen(colours, now)
        self._last = frame
        return is_held

    def _colours(self, frame: NDArray[np.uint8]) -> Colours:
        seen = frame.view("<u4").reshape(-1).take(self._places, mode="wrap")  # none lies outside; the quickest
        if self._transparent:
            red, green, blue, alpha = (seen >> shift & 255 for shift in (0, 8, 16, 24))
            straight = np.stack([red, green, blue], axis=2)
            return pack_colours((straight * (alpha[:, :, None] / 255)).astype(np.uint8))
        return (seen & 0xFFFFFF).astype(np.uint32, copy=False)
