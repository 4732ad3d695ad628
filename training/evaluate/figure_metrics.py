"""How well figures are drawn: outline, parts, inner contours, and whether they flicker. Fields are those of a frame at
128 pixels, in a box; pictures follow each other as a screen's do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, zoom

if TYPE_CHECKING:
    from training.data.figure_truths import FigureBatch

Floats = NDArray[np.float32]

FINE = 4  # pixels at 512 for one at 128
INK = 1.0  # pixels of 128 from a contour within which there is ink
BAND = 1.5  # pixels of 128 about a border of parts, within which a class may change with the pose


@dataclass(frozen=True)
class Pictures:
    """T pictures of one body in a box: `field` (T, h, w) pixels, `crease` (T, h, w) pixels, `parts` (T, P, h, w)."""

    field: Floats
    crease: Floats
    parts: Floats

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(T, h, w) where the body is."""
        return self.field < 0

    @property
    def shown(self) -> NDArray[np.int64]:
        """(T, h, w) the part with the largest share."""
        return self.parts.argmax(axis=1)


def read_truth(batch: FigureBatch) -> Pictures:
    """The true pictures of a batch."""
    return Pictures(batch.field[:, 0].numpy(), batch.crease[:, 0].numpy(), batch.parts.numpy())


def _enlarge(picture: Floats, factor: int) -> Floats:
    """(h, w) up-sampled linearly."""
    return np.asarray(zoom(picture, factor, order=1, mode="nearest", grid_mode=True), np.float32)


def find_overlap(true: Pictures, made: Pictures) -> float:
    """Intersection over union of both outlines, the mean of the pictures."""
    both, either = (f(true.inside, made.inside).sum(axis=(1, 2)) for f in (np.logical_and, np.logical_or))
    return float(np.mean(both / np.maximum(either, 1)))


def find_parts_right(true: Pictures, made: Pictures) -> float:
    """Share of the true body's pixels that show the right part."""
    return float((true.shown == made.shown)[true.inside].mean())


def find_contour_errors(true: Pictures, made: Pictures) -> Floats:
    """How far off inner contours are, pixels at 512, at every pixel there that truly lies on one: the difference of the
    distances to the nearest contour, which both fields hold."""
    found = []
    for field, crease, ours in zip(true.field, true.crease, made.crease, strict=True):
        if not ((crease < INK) & (field < 0)).any():
            continue
        field, crease, ours = (_enlarge(a, FINE) for a in (field, crease, ours))
        on = (crease < 0.75 * INK) & (field < -0.5)
        found.append(FINE * np.abs(ours - crease)[on])
    return np.concatenate(found).astype(np.float32) if found else np.zeros(0, np.float32)


def count_flicker(pictures: Pictures) -> tuple[int, int]:
    """Of three pictures: pixels at 256 whose ink changes from the first to the second, and how many of those go back in
    the third."""
    ink = np.stack([_enlarge(crease, 2) for crease in pictures.crease]) < INK
    within = (np.stack([_enlarge(field, 2) for field in pictures.field]) < 0).all(axis=0)
    changed = (ink[0] != ink[1]) & within
    return int(changed.sum()), int((changed & (ink[2] == ink[0])).sum())


def count_jitter(still: Pictures, shaken: Pictures) -> tuple[int, int]:
    """Pixels of a body that lie more than `BAND` from any border of parts or the outline, and how many of those show
    another part in the pictures of the same pose a millimetre off."""
    away, changed = 0, 0
    for inside, shown, other in zip(still.inside, still.shown, shaken.shown, strict=True):
        labels = np.where(inside, shown, -1)
        border = np.zeros_like(inside)
        for axis in (0, 1):
            step = np.diff(labels, axis=axis) != 0
            border |= np.pad(step, [(0, 1) if a == axis else (0, 0) for a in (0, 1)])
            border |= np.pad(step, [(1, 0) if a == axis else (0, 0) for a in (0, 1)])
        far = inside & (np.asarray(distance_transform_edt(~border)) > BAND)
        away += int(far.sum())
        changed += int((shown != other)[far].sum())
    return away, changed
