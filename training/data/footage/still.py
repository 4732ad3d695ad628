"""Finds a figure in front of a camera that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.footage.mask_types import Mask, Step
from training.data.footage.video import Picture, thumbnail

MOG2_FAR, KNN_FAR = 30.0, 400.0  # squared distance from the background: in variances; in grey levels
ALIKE = 0.75  # least correlation of two small pictures of one place

FEWEST = 6  # pictures that a background is learned from

LEAST_VARIANCE = 6.0  # of a pixel's colours, because noise that is low for a moment will not stay low

DEEPEST_SHADOW = 0.6  # of the background's brightness

SHRINKS = (8, 4)  # factors by which pictures are shrunk to find how the camera moved, coarse first

FARTHEST = 0.05  # of the picture's width that a camera may have moved


class Still:
    """A camera that stands still: a mixture of colours is learned for each pixel (Zivkovic, 2004: OpenCV's MOG2, or
    KNN), shadows are told by their colour, and the largest thing that moves is the body.

    A background is learned for each place, so a video may show several. Each picture is first aligned with the
    background, because a tripod trembles, and its light is matched.
    """

    def __init__(self, looks: Sequence[Picture], model: str = "mog2") -> None:
        self._model = model
        self._learned: dict[int, Place] = {}
        self._places: list[list[Picture]] = []
        self._small: list[NDArray[np.float32]] = []
        for picture in looks:
            found = self._place_of(picture)
            if found is None:
                self._places.append([picture])
                self._small.append(_flat(thumbnail(picture)))
            else:
                self._places[found].append(picture)

    def _place_of(self, picture: Picture) -> int | None:
        """Number of the place that looks most like the picture, if any is like it."""
        small = _flat(thumbnail(picture))
        alike = [float((small * s).mean()) for s in self._small]
        best = int(np.argmax(alike)) if alike else 0
        return best if alike and alike[best] > ALIKE else None

    def _find(self, picture: Picture) -> Place | None:
        """The place that the picture shows; its background is learned when it is first needed."""
        number = self._place_of(picture)
        if number is None or len(self._places[number]) < FEWEST:
            return None
        if number not in self._learned:
            self._learned[number] = Place(self._places[number], self._model)
        return self._learned[number]

    def mask(self, picture: Picture) -> Mask:
        place = self._find(picture)
        return place.moving(picture) if place else np.zeros(picture.shape[:2], np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        place = self._find(picture)
        if place is None:
            return [("picture", picture), ("mask", np.zeros(picture.shape[:2], np.uint8))]
        laid, _ = place.laid(picture)
        return [("picture", picture), ("background", place.picture), ("differs", place.raw(laid)),
                ("mask", place.moving(picture))]  # fmt: skip


def _flat(small: NDArray[np.float32]) -> NDArray[np.float32]:
    return (small - small.mean()) / (small.std() + 1e-3)


class Place:
    """The background of one place, learned from pictures of it."""

    def __init__(self, looks: Sequence[Picture], model: str) -> None:
        self._learn(np.median(np.stack(looks), axis=0).astype(np.uint8))
        laid = [self.laid(p)[0] for p in looks]
        self._learn(np.median(np.stack(laid), axis=0).astype(np.uint8))
        if model == "knn":
            self._sure: Any = cv2.createBackgroundSubtractorKNN(len(laid), KNN_FAR, True)
        else:
            self._sure = cv2.createBackgroundSubtractorMOG2(len(laid), MOG2_FAR, True)
            self._sure.setVarMin(LEAST_VARIANCE)
        self._sure.setShadowThreshold(DEEPEST_SHADOW)
        for k, picture in enumerate(laid):
            self._sure.apply(cv2.GaussianBlur(picture, (3, 3), 0), learningRate=1 / (k + 1))

    def _learn(self, picture: Picture) -> None:
        """Learn from a picture of the background."""
        self.picture = picture
        self._greys = _small_greys(picture)
        self._slopes = [np.stack([*np.gradient(g)][::-1], axis=-1).reshape(-1, 2) for g in self._greys]
        self._few = picture[::8, ::8].reshape(-1, 3).astype(np.float32)

    def _offset(self, picture: Picture) -> tuple[float, float]:
        """How far the picture lies right of and below the background, in pixels: least squares on their difference
        (Lucas and Kanade, 1981), what differs most left out, for that is the dancer."""
        move = np.zeros(2)
        for shrink, ground, slopes, grey in zip(SHRINKS, self._greys, self._slopes, _small_greys(picture), strict=True):
            grey = grey * np.float32(np.median(ground[::3, ::3]) / max(float(np.median(grey[::3, ::3])), 1.0))
            for _ in range(4):
                back = _moved(grey, *(-move / shrink))
                off = (back - ground).ravel()
                few = off[::7]
                middle = np.median(few)
                off = off - middle
                good = np.abs(off) < max(3 * 1.48 * float(np.median(np.abs(few - middle))), 3.0)
                told = slopes * good[:, None]
                square = told.T @ slopes + np.eye(2)
                step = np.linalg.solve(square, told.T @ off)
                move = move - shrink * np.clip(step, -2, 2)
                if np.abs(step).max() < 0.01:
                    break
        far = FARTHEST * picture.shape[1]
        return (float(move[0]), float(move[1])) if np.abs(move).max() < far else (0.0, 0.0)

    def laid(self, picture: Picture) -> tuple[Picture, tuple[float, float]]:
        """The picture aligned with the background, in its light; and by how much it was off, right and down."""
        dx, dy = self._offset(picture)
        if max(abs(dx), abs(dy)) > 0.15:
            picture = _moved(picture, -dx, -dy)
        else:
            dx = dy = 0.0
        few = picture[::8, ::8].reshape(-1, 3).astype(np.float32)
        bright = self._few.min(axis=1) > 8
        gain = np.median((self._few[bright] + 4) / (few[bright] + 4), axis=0) if bright.any() else np.ones(3)
        return np.clip(picture * gain.astype(np.float32), 0, 255).astype(np.uint8), (dx, dy)

    def raw(self, laid: Picture) -> Mask:
        """255 where the picture differs, 127 where it is only darker: a shadow."""
        return self._sure.apply(cv2.GaussianBlur(laid, (3, 3), 0), learningRate=0)

    def moving(self, picture: Picture) -> Mask:
        laid, (dx, dy) = self.laid(picture)
        found = np.where(self.raw(laid) == 255, np.uint8(255), np.uint8(0)).astype(np.uint8)
        found = cv2.medianBlur(found, 5)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
        found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_CLOSE, disc), np.uint8)
        return np.where(_moved(found, dx, dy) > 127, np.uint8(255), np.uint8(0)).astype(np.uint8) if dx or dy else found


def _moved(picture: Any, dx: float, dy: float) -> Any:
    """The picture shifted right and down."""
    move = np.array([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(picture, move, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def _small_greys(picture: Picture) -> list[NDArray[np.float32]]:
    """Grey pictures, smaller by each of `SHRINKS`."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    out = []
    for shrink in SHRINKS:
        small = cv2.resize(grey, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        out.append(cv2.GaussianBlur(small.astype(np.float32), (0, 0), 1.0))
    return out
