"""Letters as a look has them: colours from top to foot, outline, shadow, glow, noise. All on straight RGBA arrays.

picture = over(letters, over(outline, over(glow, shadow)))
"""

from __future__ import annotations

import math

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.looks import Stops, TitleLook, make_ramp

Array = NDArray[np.float32]

ROUND = 24  # directions in which an outline is widened
GRAIN_CELL = 1.2  # pixels of a grain, at least; or this share of a line:
GRAIN_SHARE = 0.016


def find_margin(style: TitleLook, line: int) -> int:
    """Pixels that outline, shadow and glow of letters with lines `line` pixels high reach beyond them."""
    reach = [0.02]
    outline = style.outline_width if style.outline is not None else 0.0
    if style.glow is not None:
        reach.append(2.2 * style.glow_width + outline)
    if style.shadow is not None:
        reach.append(max(abs(style.shadow_x), abs(style.shadow_y)) + 2.5 * style.shadow_blur + outline)
    return math.ceil(max(*reach, outline) * line) + 2


def draw_letters(letters: pygame.Surface, style: TitleLook, line: int) -> pygame.Surface:
    """The surface of white letters (or letters in their own colours) on nothing, as the look has them.

    It has `find_margin` pixels more on each side. `line`: pixels.
    """
    margin = find_margin(style, line)
    own = pygame.surfarray.array3d(letters).transpose(1, 0, 2).astype(np.float32) / 255
    own = np.pad(own, ((margin, margin), (margin, margin), (0, 0)))
    cover: Array = np.pad(pygame.surfarray.array_alpha(letters).T.astype(np.float32) / 255, margin)
    is_own = (cover > 0) & (own.min(axis=2) < 0.98)  # an emoji
    wide = widen(cover, style.outline_width * line) if style.outline is not None else cover
    if style.grain:
        keep = 1 - style.grain * make_noise(cover.shape, max(GRAIN_CELL, GRAIN_SHARE * line))
        cover, wide = cover * keep, wide * keep
    canvas = np.zeros((*cover.shape, 4), np.float32)  # premultiplied
    if style.shadow is not None:
        moved = np.roll(wide, (round(style.shadow_y * line), round(style.shadow_x * line)), axis=(0, 1))
        lay(canvas, style.shadow[0, 1:4], blur(moved, style.shadow_blur * line) * style.shadow[0, 4])
    if style.glow is not None:
        draw_glow(canvas, wide, style.glow, style.glow_width * line)
    fill, filled = ramp_rows(style.colours, cover.shape[0], margin)
    if style.outline is not None:
        ring = wide if filled.all() else np.clip(wide - cover * (1 - filled[:, None]), 0, 1)
        lay(canvas, style.outline[0, 1:4], ring * style.outline[0, 4])
    colours = np.where(is_own[..., None], own, fill[:, None, :])
    lay(canvas, colours, cover * np.where(is_own, 1, filled[:, None]))
    if style.lines:
        step = max(2, round(line / 28))
        canvas *= np.where((np.arange(len(canvas)) // step) % 2 == 0, 1 - style.lines, 1)[:, None, None]
    return to_surface(canvas)


def ramp_rows(stops: Stops | None, height: int, margin: int) -> tuple[Array, Array]:
    """Colour (height, 3) and cover (height,) of letters in each row; white if the look says nothing."""
    if stops is None:
        return np.ones((height, 3), np.float32), np.ones(height, np.float32)
    at = np.clip((np.arange(height) - margin) / max(height - 2 * margin - 1, 1), 0, 1)
    where = stops[:, 0] + np.arange(len(stops)) * 1e-9
    values = np.stack([np.interp(at, where, stops[:, k]) for k in range(1, 5)], axis=1).astype(np.float32)
    return values[:, :3], values[:, 3]


def draw_glow(canvas: Array, shape: Array, stops: Stops, width: float) -> None:
    """Light about a shape, strong and narrow on weak and wide; its colour goes from the ramp's start to its end."""
    ramp = make_ramp(stops)
    for share, spread in ((0.75, 1.0), (0.7, 0.35)):
        light = np.clip(blur(shape, spread * width) * 1.7, 0, 1)
        found = ramp[np.clip(((1 - light) * (len(ramp) - 1)).astype(int), 0, len(ramp) - 1)]
        # An even floor where the blur ends would be seen as a box.
        lay(canvas, found[..., :3] / np.maximum(found[..., 3:], 1e-6), light * share * found[..., 3])


def lay(canvas: Array, colour: NDArray[np.floating], cover: NDArray[np.floating]) -> None:
    """Lay a colour (3,) or (height, width, 3) with a cover (height, width) over a premultiplied canvas."""
    cover = cover.astype(np.float32)[..., None]
    canvas *= 1 - cover
    canvas[..., :3] += colour * cover
    canvas[..., 3:] += cover


def to_surface(canvas: Array) -> pygame.Surface:
    """A surface with straight alpha of a premultiplied canvas."""
    alpha = np.clip(canvas[..., 3:], 0, 1)
    straight = np.where(alpha > 1e-4, canvas[..., :3] / np.maximum(alpha, 1e-4), 0)
    pixels = np.concatenate([np.clip(straight, 0, 1), alpha], axis=2)
    pixels = np.ascontiguousarray((pixels * 255 + 0.5).astype(np.uint8))
    return from_pixels(pixels)


def from_pixels(pixels: NDArray[np.uint8]) -> pygame.Surface:
    """A surface of its own with straight (height, width, 4) red, green, blue, alpha."""
    surface = pygame.Surface((pixels.shape[1], pixels.shape[0]), pygame.SRCALPHA, 32)
    pygame.surfarray.pixels3d(surface)[:] = pixels[..., :3].transpose(1, 0, 2)
    pygame.surfarray.pixels_alpha(surface)[:] = pixels[..., 3].T
    return surface


def blur(shape: Array, width: float) -> Array:
    """Blurred by about a Gaussian of that spread, pixels: three means over a box, each way."""
    size = max(round(width * 1.0), 0)
    if size < 1:
        return shape
    for axis in (0, 1):
        for _ in range(3):
            shape = _mean(shape, size, axis)
    return shape


def _mean(shape: Array, half: int, axis: int) -> Array:
    """The running mean over 2 * half + 1 cells; beyond the edge there is nothing."""
    pads = [(half + 1, half) if k == axis else (0, 0) for k in range(2)]
    total = np.cumsum(np.pad(shape, pads), axis=axis, dtype=np.float64)
    wide, length = 2 * half + 1, shape.shape[axis]
    high = np.take(total, np.arange(wide, wide + length), axis=axis)
    low = np.take(total, np.arange(length), axis=axis)
    return ((high - low) / wide).astype(np.float32)


def widen(shape: Array, width: float) -> Array:
    """The shape with all that is less than `width` pixels away."""
    wide = shape.copy()
    for radius in sorted({width, width / 2}):
        for k in range(ROUND):
            across, down = (round(radius * f(2 * math.pi * k / ROUND)) for f in (math.cos, math.sin))
            np.maximum(wide, np.roll(shape, (down, across), axis=(0, 1)), out=wide)
    return wide


def make_noise(shape: tuple[int, int], cell: float) -> Array:
    """(height, width) of grains 0..1, most of them small, always the same."""
    height, width = shape
    rough = np.random.default_rng(7).random((math.ceil(height / cell) + 1, math.ceil(width / cell) + 1), np.float32)
    rows, columns = ((np.arange(n) / cell).astype(int) for n in (height, width))
    return rough[rows][:, columns] ** 2
