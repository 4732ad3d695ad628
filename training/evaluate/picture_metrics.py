"""Measures of pictures: how near a drawn frame is to the true one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from training.data.motion.skeleton import MIRROR
from training.evaluate.metrics import FIGURE_HEIGHT, LIMB_DEPTH, LIMB_LENGTH, Floats, Joints
from visualizer.dancer.pack import FRAME_SIZE


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Floats:
    """Intersection over union of silhouettes, (T, H, W) each -> (T,). Two empty pictures agree: 1."""
    both, either = (a & b).sum(axis=(1, 2)), (a | b).sum(axis=(1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)


def _crossings(field: Floats, *others: Floats) -> list[Floats]:
    """Where grid edges cross the outline of `field` (H, W): the values of `others` there, linear along the edge."""
    found: list[list[Floats]] = [[] for _ in others]
    for axis in (0, 1):
        a, b = (np.take(field, range(k, field.shape[axis] - 1 + k), axis) for k in (0, 1))
        cut = (a < 0) != (b < 0)
        u = a[cut] / (a[cut] - b[cut])
        for store, other in zip(found, others, strict=True):
            c, d = (np.take(other, range(k, field.shape[axis] - 1 + k), axis)[cut] for k in (0, 1))
            store.append(c + u * (d - c))
    return [np.concatenate(f) for f in found]


def outline_error(true: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """How far two outlines lie apart, in pixels of the fields (T, H, H) given in frame widths.

    At every point where a grid edge crosses the true outline the found one is |field| / max(|slope|, ½) away, and at
    every point of the found outline the true one is as far away as the exact field says. The mean of both ways, then
    over frames. Fields are clamped, so a limb that is missed by more than the clamp counts as the clamp.
    """
    size = true.shape[-1]
    errors = []
    for exact, made in zip(true.astype(np.float64) * size, found.astype(np.float64) * size, strict=True):
        down, right = np.gradient(made)
        value, dy, dx = _crossings(exact, made, down, right)
        there = np.abs(value) / np.maximum(np.hypot(dy, dx), 0.5)
        (back,) = _crossings(made, exact)
        ways = [way.mean() for way in (there, np.abs(back)) if len(way)]
        errors.append(np.mean(ways) if ways else 0.0)
    return float(np.mean(errors))


def variety_kept(true: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean distance (L2) between any two output fields over that of the inputs, (T, H, W) each: 1 keeps all of it."""
    inputs, outputs = (pdist(f.reshape(len(f), -1)).mean() for f in (true, found))
    return float(outputs / max(inputs, 1e-12))


def _pieces(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Height and width of each connected piece of a mask (H, W); pixels that touch at a corner are connected."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return [(int(s[cv2.CC_STAT_HEIGHT]), int(s[cv2.CC_STAT_WIDTH])) for s in stats[1:]]


def ghost_limbs(true: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pictures (T, 128, 128) show a body that is not whole -> (T,).

    A piece is loose: the output falls into more pieces than the input. Or a limb is lost, or there is one too many:
    a patch at least `LIMB_LENGTH` pixels long that lies deeper than `LIMB_DEPTH` inside the one and outside the other.
    """

    def long_patch(patch: NDArray[np.bool_]) -> bool:
        return any(max(height, width) >= LIMB_LENGTH for height, width in _pieces(patch))

    deep = -LIMB_DEPTH / FRAME_SIZE
    out = []
    for exact, made in zip(true, found, strict=True):
        pieces = [_pieces(f < 0) for f in (exact, made)]
        lost, added = (exact < deep) & (made >= 0), (made < deep) & (exact >= 0)
        out.append(len(pieces[1]) > len(pieces[0]) or long_patch(lost) or long_patch(added))
    return np.array(out, dtype=bool)


def joints_error(true: Joints, found: Joints) -> tuple[float, float]:
    """Mean distance of joints (T, 21, 2) in frame coordinates, as a share of a standing body's height: as they are, and
    with left and right exchanged as a whole where that fits better, which a silhouette cannot tell."""
    as_given = np.linalg.norm(found - true, axis=-1).mean(axis=1)
    exchanged = np.linalg.norm(found - true[:, MIRROR], axis=-1).mean(axis=1)
    best = np.minimum(as_given, exchanged)
    return float(as_given.mean() / FIGURE_HEIGHT), float(best.mean() / FIGURE_HEIGHT)
