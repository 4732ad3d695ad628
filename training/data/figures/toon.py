"""Paints truths as a cartoon, so that figures can be judged by eye: flat colours, one shadow, clean ink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.data.figures.figure import PARTS
from training.data.figures.render import Truth
from visualizer.dancer.pack import FRAME_SIZE

_LIGHT = np.array([-0.48, -0.62, 0.62]) / np.linalg.norm([0.48, 0.62, 0.62])
_INK = np.array([0.055, 0.035, 0.085])
_LINE = 0.50  # half the width of the outline, pixels of a frame of 128
_SHADE = np.array([0.66, 0.58, 0.72])  # of a colour in shadow: cooler
_GLOSS = np.array([0.10, 0.32, 0.0, 0.0, 0.30, 0.20, 0.0])  # of each part


def colours_of(colours: dict[str, str]) -> NDArray[np.float64]:
    """ "#rrggbb" of each part -> (7, 3), 0..1."""
    return np.array([[int(colours[part][i : i + 2], 16) / 255 for i in (1, 3, 5)] for part in PARTS])


def paint_toon(truth: Truth, colours: dict[str, str], size: int, large: int = 1) -> NDArray[np.float32]:
    """One body as it stands in its box, (h, w, 4) with alpha times colour. `size` pixels on a side of the frame that
    it was drawn for; `large` times as large is painted."""
    field, normal, crease, parts = truth.unpacked()
    if large > 1:
        field, crease = _enlarge(field, large), _enlarge(crease, large)
        normal, parts = (np.stack([_enlarge(plane, large) for plane in planes]) for planes in (normal, parts))
    pixel = FRAME_SIZE / (size * large)  # of the picture, in those of a frame of 128
    palette = colours_of(colours)
    sharp = _softmax(parts, 14.0)
    base = np.einsum("khw,kc->hwc", sharp, palette)
    up = np.sqrt(np.maximum(1 - normal[0] ** 2 - normal[1] ** 2, 0.0))
    light = normal[0] * _LIGHT[0] + normal[1] * _LIGHT[1] + up * _LIGHT[2]
    lit = _step(light - 0.22, 0.05)[..., None]
    gloss = (_step(light - 0.93, 0.03) * np.tensordot(_GLOSS, sharp, axes=(0, 0)))[..., None]
    colour = base * (_SHADE + (1 - _SHADE) * lit)
    colour += (1 - colour) * gloss
    soft = 0.6 * pixel
    line = np.maximum(_step(field + 0.10, soft), _step(_LINE - crease, soft))
    line = np.maximum(line, 0.6 * _find_seams(parts, palette, 1 / pixel))[..., None]
    alpha = _step(_LINE - field, soft)[..., None]
    colour = colour * (1 - line) + _INK * line
    return np.concatenate([np.clip(colour, 0, 1) * alpha, alpha], axis=-1).astype(np.float32)


def _find_seams(parts: NDArray[np.floating], palette: NDArray[np.floating], pixels: float) -> NDArray[np.floating]:
    """How much ink lies where one part meets another, 0..1; `pixels` of the picture are one of a frame."""
    soft = ndimage.gaussian_filter(parts, (0, 0.22 * pixels, 0.22 * pixels))
    order = np.argsort(soft, axis=0)
    second, first = np.take_along_axis(soft, order[-2:], axis=0)
    alike = np.abs(palette[order[-1]] - palette[order[-2]]).sum(axis=-1) < 0.1
    face = np.isin(order[-2:], [0, 1, 6]).all(axis=0) | (order[-2:] == 6).any(axis=0)  # a face has no seams
    return _step(0.45 - (first - second), 0.25) * ~(alike | face)


def _step(value: NDArray[np.floating], soft: float) -> NDArray[np.floating]:
    t = np.clip(value / (2 * soft) + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def _softmax(parts: NDArray[np.floating], sharp: float) -> NDArray[np.floating]:
    raised = np.exp(sharp * (parts - parts.max(axis=0)))
    return raised / raised.sum(axis=0)


def _enlarge(plane: NDArray[np.floating], large: int) -> NDArray[np.floating]:
    height, width = plane.shape
    rows = (np.arange(height * large) + 0.5) / large - 0.5
    cols = (np.arange(width * large) + 0.5) / large - 0.5
    return ndimage.map_coordinates(plane, np.meshgrid(rows, cols, indexing="ij"), order=3, mode="nearest")
