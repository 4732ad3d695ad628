"""Dancers with an inside, without a network: the capsules of `fakes.picture`, round, and dressed by where they are."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import ndimage

from tests.support.fakes import picture
from visualizer.moment import FIGURE, PARTS, Bodies, Inside

CLOTHES = (
    ("#e8b48c", "#3b2417", "#ff4d5e", "#25407a", "#f4f1e8", "#ffd23f", "#140c1e"),
    ("#7a4a2c", "#d8b04a", "#12b5a6", "#7b2ff7", "#22143d", "#2ec4ff", "#140c1e"),
)
MARGIN = 4  # cells about a body


def dressed(beat: float, places: tuple[float, ...] = (0.0,), span: float = FIGURE) -> Bodies:
    """One moment of as many dancers as there are places, each in other clothes than the one before."""
    flat = picture(beat, places, span)
    insides = tuple(make_inside(field[0], CLOTHES[k % len(CLOTHES)]) for k, field in enumerate(flat.frames))
    return dataclasses.replace(flat, insides=insides)


def make_inside(field: np.ndarray, clothes: tuple[str, ...]) -> Inside:
    """What lies inside of a distance field (128, 128) in frame widths: a surface that rises from the outline, and parts
    by their height in the frame, with a contour across the hips."""
    near = field < MARGIN / 128
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    r0, r1, c0, c1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    down, across = np.gradient(field * 128)
    away = np.clip(1 + field * 128 / 3, 0, 0.95)
    normal = ndimage.gaussian_filter(np.stack([across * away, down * away]), (0, 1.5, 1.5))[:, r0:r1, c0:c1]
    height = np.broadcast_to(((np.arange(128) + 0.5) / 128)[:, None], field.shape)
    edges = (0.235, 0.30, 0.55, 0.86)  # of hair, face, top, bottom; then shoes
    number = np.searchsorted(edges, height)
    names = ("hair", "skin", "top", "bottom", "shoes")
    parts = np.zeros((len(PARTS), *field.shape), np.float32)
    for k, name in enumerate(names):
        parts[PARTS.index(name)] = number == k
    eyes = (np.abs(height - 0.26) < 0.008) & (np.abs(np.linspace(0, 1, 128)[None, :] - 0.5) < 0.02)
    parts[:, eyes] = 0
    parts[PARTS.index("face"), eyes] = 1
    crease = np.clip(np.abs(height - 0.55) * 128, 0, 3)
    colours = np.array([[int(text[i : i + 2], 16) for i in (1, 3, 5)] for text in clothes], np.uint8)
    return Inside(
        r0, c0, normal.astype(np.float32), crease[r0:r1, c0:c1].astype(np.float32), parts[:, r0:r1, c0:c1], colours
    )
