"""The picture as one display is to show it, made by the processor: pulled to four corners, masked, dimmed.

Where each pixel of the display comes from is worked out once. Two places of the picture, a quarter of a pixel to either
side, are looked up and averaged: as sharp as the picture where it is not moved, without steps where it is. A whole
bilinear look-up takes three times as long.
"""

from __future__ import annotations

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.screens.homography import apply, find_homography
from visualizer.stage.screens.plan import ScreenPlan

ROWS = 64  # that are worked out at a time: they stay in the cache
QUARTER = 0.25  # pixels of the picture
HALVES = np.uint32(0xFEFEFE)  # of which each colour can be halved without touching the next


class Canvas:
    """A picture with a black rim of one pixel, which is what is seen beside it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._whole = pygame.Surface((size[0] + 2, size[1] + 2), 0, 32)
        self.surface = self._whole.subsurface((1, 1, *size))
        self.pitch = size[0] + 2

    def pixels(self) -> NDArray[np.uint32]:
        """All pixels, rim too, one row after the other."""
        return np.frombuffer(self._whole.get_buffer(), np.uint32)  # type: ignore[arg-type]


class Warp:
    """What one display shows of pictures in a canvas."""

    def __init__(self, canvas: Canvas, plan: ScreenPlan, mask: NDArray[np.float32] | None) -> None:
        """`mask`: (height, width) of any size, 0..1."""
        self.plan, self._canvas = plan, canvas
        width, height = plan.display.size
        self.surface = pygame.Surface((width, height), 0, 32)
        left, top, wide, high = plan.part
        # Between middles of pixels; the canvas has a rim before the first.
        picture = [(left, top), (left + wide, top), (left + wide, top + high), (left, top + high)]
        self._to_display = find_homography(picture, plan.corners)
        from_display = find_homography(plan.corners, picture)
        self._places = _find_places(from_display, plan, canvas.pitch)
        self._rows = [np.empty((ROWS, width), np.uint32) for _ in range(3)]
        self._shade = _make_shade(mask, plan, (width, height))
        self._ramp = _make_ramp(plan.setup.gamma) if plan.setup.gamma != 1 else None

    def show(self, changed: pygame.Rect) -> pygame.Rect:
        """Bring `surface` up to date where the canvas has changed; where that is."""
        box = self._find_box(changed)
        if not box:
            return box
        flat = self._canvas.pixels()
        pixels = pygame.surfarray.pixels2d(self.surface).T
        columns = slice(box.left, box.right)
        for start in range(box.top, box.bottom, ROWS):
            rows = slice(start, min(start + ROWS, box.bottom))
            one, two, odd = (each[: rows.stop - rows.start, : box.width] for each in self._rows)
            np.take(flat, self._places[0][rows, columns], out=one, mode="clip")
            np.take(flat, self._places[1][rows, columns], out=two, mode="clip")
            np.bitwise_xor(one, two, out=odd)  # the mean of two numbers is what both have and half of the rest
            np.bitwise_and(one, two, out=one)
            np.bitwise_and(odd, HALVES, out=odd)
            np.right_shift(odd, np.uint32(1), out=odd)
            np.add(one, odd, out=one)
            if self._ramp is not None:
                pairs = one.view(np.uint16)
                np.take(self._ramp, pairs, out=pairs, mode="clip")
            pixels[rows, columns] = one
        del pixels  # a surface whose pixels somebody holds cannot be drawn into
        if self._shade is not None:
            self.surface.blit(self._shade, box, box, special_flags=pygame.BLEND_RGB_MULT)
        return box

    def _find_box(self, changed: pygame.Rect) -> pygame.Rect:
        """The part of the display that shows `changed`, a part of the canvas."""
        left, top, wide, high = self.plan.part
        seen = changed.inflate(4, 4).clip((left - 1, top - 1, wide + 2, high + 2))
        if not seen:
            return pygame.Rect(0, 0, 0, 0)
        if changed.contains(self.plan.part):
            return self.surface.get_rect()
        corners = apply(self._to_display, [seen.topleft, seen.topright, seen.bottomright, seen.bottomleft])
        low, high_ = np.floor(corners.min(axis=0)) - 1, np.ceil(corners.max(axis=0)) + 1
        box = pygame.Rect(int(low[0]), int(low[1]), int(high_[0] - low[0]), int(high_[1] - low[1]))
        return box.clip(self.surface.get_rect())


def _find_places(from_display: NDArray[np.floating], plan: ScreenPlan, pitch: int) -> tuple[NDArray[np.intp], ...]:
    """Where in the canvas' pixels each pixel of the display is looked up, twice: (height, width) each."""
    width, height = plan.display.size
    left, top, wide, high = plan.part
    x = np.arange(width, dtype=np.float64) + 0.5
    y = np.arange(height, dtype=np.float64)[:, None] + 0.5
    m = from_display
    depth = m[2, 0] * x + m[2, 1] * y + m[2, 2]
    u = (m[0, 0] * x + m[0, 1] * y + m[0, 2]) / depth
    v = (m[1, 0] * x + m[1, 1] * y + m[1, 2]) / depth
    inside = (depth > 0) & (u > left - 0.5) & (u < left + wide + 0.5) & (v > top - 0.5) & (v < top + high + 0.5)
    found = []
    for shift in (-QUARTER, QUARTER):
        # +1 for the rim. A neighbour's part of a stretched picture is no rim, and is not looked at.
        column = np.clip(np.floor(u + shift), left - 1, left + wide).astype(np.intp)
        row = np.clip(np.floor(v + shift), top - 1, top + high).astype(np.intp)
        beside = (column < left) | (column >= left + wide) | (row < top) | (row >= top + high)
        found.append(np.where(inside & ~beside, (row + 1) * pitch + column + 1, 0))  # the first pixel is rim: black
    return tuple(found)


def _make_shade(
    mask: NDArray[np.float32] | None, plan: ScreenPlan, size: tuple[int, int]
) -> pygame.Surface | None:  # fmt: skip
    """Mask and brightness as a surface to multiply with; None where neither changes anything."""
    level = plan.setup.brightness
    if mask is None and level == 1:
        return None
    shade = pygame.Surface(size, 0, 32)
    if mask is None:
        shade.fill((round(255 * level),) * 3)
        return shade
    grey = np.repeat((mask * (255 * level) + 0.5).astype(np.uint8).T[:, :, None], 3, axis=2)
    pygame.transform.smoothscale(pygame.surfarray.make_surface(grey).convert(32, 0), size, shade)
    return shade


def _make_ramp(gamma: float) -> NDArray[np.uint16]:
    """(65536,) two bytes in, two out."""
    ramp = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint16)
    return (ramp[None, :] + ramp[:, None] * 256).reshape(-1).astype(np.uint16)
