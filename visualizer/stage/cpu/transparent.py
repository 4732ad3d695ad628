"""A picture without a stage, to be laid over another film: the dancers and what they give off, with straight alpha.

What falls on a wall or a floor has nothing to fall on, so it is left out: pools, shadows, mirror images, spots. Light
covers as much as it is bright and no more: over black it is the light of the look, over white it tints and never
darkens. All is worked out in floating point and rounded once, so that faint light has no grain.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pygame
from numpy.typing import NDArray

from visualizer.stage.looks import LEVELS, ColorTables, Effects, Look

NEAR, FAR = 0.06, 0.24  # frame widths from the body between which rings fade out, which fill a stage
BANDS = 16  # rows that are worked out at a time: they stay in the cache
FINE = 32  # steps from one row of a ramp to the next

Array = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@lru_cache(maxsize=64)
def make_own_look(look: Look) -> Look:
    """The look without what falls on floor and walls; the same object each time."""
    if look.inside is not None:
        look = dataclasses.replace(look, inside=dataclasses.replace(look.inside, mirror=0.0, beam=0.0))
    effects = look.effects
    if effects is None:
        return look
    fill = 0.0 if effects.fill_is_cast else effects.fill
    effects = dataclasses.replace(effects, floor=0.0, contact=0.0, wet=0.0, spots=0.0, fill=fill)
    return dataclasses.replace(look, effects=effects if _is_anything(effects) else None)


def _is_anything(effects: Effects) -> bool:
    return any((effects.glow, effects.fill, effects.trail, effects.echo, effects.rings, effects.bones))


def make_own_light(look: Look, lights: ColorTables) -> Array:
    """(256, 4) the effects' ramp, premultiplied, as it is seen without a backdrop.

    Copies and tracks of whole bodies cover as paint does, all else as much as it is bright.
    """
    effects, ramp = look.effects, lights.effects
    assert effects is not None
    if effects.echo or effects.trail_body:
        return ramp
    colour = ramp[:, :3]
    if ramp[0, 3] > 0:  # light as bright as the backdrop, all over the stage: what is brighter belongs to the dancer
        ground = colour[0] + lights.palette[0] * (1 - ramp[0, 3])
        seen = colour + lights.palette[0] * (1 - ramp[:, 3:])
        more = np.clip((seen - ground) / np.maximum(1 - ground, 1e-6), 0, 1).max(axis=1, keepdims=True)
        colour = np.clip(seen - ground * (1 - more), 0, 1)
    if effects.rings:
        away = (1 - np.linspace(0, 1, LEVELS, dtype=np.float32) / effects.rings) * effects.ring_range
        share = np.clip((FAR - away) / (FAR - NEAR), 0, 1)
        colour = colour * (share * share * (3 - 2 * share))[:, None]
    return np.concatenate([colour, colour.max(axis=1, keepdims=True)], axis=1).astype(np.float32)


def make_straight_pixels(
    figure: Array, indices: Bytes, effects: Array | None, levels: Array, box: pygame.Rect
) -> Bytes:
    """(height, width, 4) red, green, blue, alpha of the figure over the effects; outside of `box` there is nothing.

    `figure` (256, 4) is looked up by `indices` (height, width); `effects` (256, 4), if there are any, between its rows
    by `levels` (height, width), 0..255. Both are premultiplied. The array is new each time.
    """
    out = np.zeros((*indices.shape, 4), np.uint8)
    columns = slice(box.left, box.right)
    fine = None if effects is None else _finer(effects)
    for top in range(box.top, box.bottom, BANDS):
        band = slice(top, min(top + BANDS, box.bottom))
        seen = np.take(figure, indices[band, columns], axis=0, mode="clip")
        if fine is not None:
            level = levels[band, columns] * np.float32(FINE) + np.float32(0.5)
            light = np.take(fine, level.astype(np.int32), axis=0, mode="clip")
            light *= 1 - seen[..., 3:]
            seen += light
        np.minimum(seen, 1, out=seen)
        # A colour cannot be brighter than it covers.
        red, green, blue, alpha = np.moveaxis(seen, -1, 0)
        cover = np.maximum(np.maximum(red, green), np.maximum(blue, alpha))
        cover = np.rint(cover * np.float32(255))
        seen *= (np.float32(255 * 255) / np.maximum(cover, 1))[..., None]
        seen[..., 3] = cover
        seen += np.float32(0.5)
        out[band, columns] = np.minimum(seen, 255, out=seen)
    return out


def lay_premultiplied(pixels: Bytes, colour: Bytes, cover: Bytes) -> None:
    """Lay premultiplied colours (h, w, 3), and what they cover (h, w), over straight pixels (h, w, 4)."""
    alpha = cover.astype(np.float32)[..., None] / 255
    below = pixels[..., 3:].astype(np.float32) / 255 * (1 - alpha)
    whole = alpha + below
    mixed = colour + pixels[..., :3] * below
    pixels[..., :3] = np.clip(mixed / np.maximum(whole, 1e-6) + 0.5, 0, 255)
    pixels[..., 3:] = np.clip(whole * 255 + 0.5, 0, 255)


def _finer(ramp: Array) -> Array:
    """(255 * FINE + 1, 4) of a ramp (256, 4), linear from each of its rows to the next."""
    at = np.arange((len(ramp) - 1) * FINE + 1) / FINE
    return np.stack([np.interp(at, np.arange(len(ramp)), plane) for plane in ramp.T], axis=1).astype(np.float32)
