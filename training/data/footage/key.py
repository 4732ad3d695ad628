"""Finds a figure in front of a screen of one colour, or its shadow on a bright screen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from training.data.footage.mask_types import Mask, Step, masked
from training.data.footage.video import Picture
from visualizer.errors import UserError

NAMED_KEYS = {"blue": (200, 80, 20), "green": (60, 190, 60)}  # blue, green, red
DARKEST, BRIGHTEST = 0.3, 1.9  # of a lively screen, against its middle: a shadow, a spot of light
TIGHT = 0.14  # smallest limit of the distance from the colour's ray, as a tangent: beyond it lies the figure

LOOSE = 0.34  # largest limit, however noisy the screen is

SIGMAS = 4.0  # stds of the screen's own scatter that still count as screen

GREY = 0.35  # saturation below which shade counts too, since a grey wall has hardly a colour of its own


@dataclass(frozen=True)
class Key:
    """A screen of one `colour` (blue, green, red), as `prepare` found it at the border."""

    colour: tuple[float, float, float]

    def raised(self, picture: Picture) -> Picture:
        """Raise the contrast: the darkest hundredth becomes black, the brightest white, after smoothing the grain."""
        smooth = cv2.GaussianBlur(picture, (3, 3), 0)
        coarse = smooth[::4, ::4].reshape(-1, 3)
        low, high = np.percentile(coarse.min(axis=1), 1), np.percentile(coarse.max(axis=1), 99)
        low = min(low, 40.0)  # removes haze only: in a picture that is bright all over nothing becomes black
        gain = 255 / max(high - low, 64)
        return cv2.convertScaleAbs(cv2.subtract(smooth, (low, low, low, 0)), alpha=gain)  # type: ignore[call-overload]

    def mask(self, picture: Picture) -> Mask:
        return self._out(self.raised(picture))

    def _out(self, raised: Picture) -> Mask:
        """Everything that is not of the screen's colour, whatever its brightness; the light may change."""
        few = raised[::6, ::6].reshape(-1, 3).astype(np.float32)
        key = np.array(self.colour, np.float32)
        grey = 1 - float(key.min() / max(key.max(), 1.0)) < GREY
        scatter = TIGHT
        for _ in range(3):  # the light of this picture: the median of what looks like the screen
            shade = few @ key / float(key @ key)
            off = np.linalg.norm(few - shade[:, None] * key, axis=1) / (np.maximum(shade, 0.25) * np.linalg.norm(key))
            screen = (off < LOOSE) & (shade > DARKEST) & (shade < BRIGHTEST)
            if screen.mean() < 0.02:
                break
            key = np.median(few[screen], axis=0)
            scatter = 1.25 * float(np.median(off[screen]))
        limit = float(np.clip(SIGMAS * scatter, TIGHT, LOOSE))
        low, high = (0.72, 1.35) if grey else (DARKEST, BRIGHTEST)
        return _not_key(raised, key.astype(np.float32), limit, low, high)

    def steps(self, picture: Picture) -> list[Step]:
        raised = self.raised(picture)
        mask = self._out(raised)
        return [("picture", picture), ("contrast", raised), ("colour_out", masked(raised, mask)), ("one_colour", mask)]


@numba.njit(fastmath=True, cache=True)
def _not_key(picture: NDArray, key: NDArray, limit: float, low: float, high: float) -> NDArray:  # pragma: no cover
    """255 where a pixel lies off the ray from black through `key` by more than `limit`, or is darker or brighter than
    `low`, `high` times as bright: brightness and colour apart (Horprasert, Harwood and Davis, 1999)."""
    height, width, _ = picture.shape
    out = np.empty((height, width), np.uint8)
    power = key[0] * key[0] + key[1] * key[1] + key[2] * key[2] + np.float32(1e-6)
    length = np.sqrt(power)
    for j in range(height):
        for i in range(width):
            b, g, r = np.float32(picture[j, i, 0]), np.float32(picture[j, i, 1]), np.float32(picture[j, i, 2])
            shade = (b * key[0] + g * key[1] + r * key[2]) / power
            db, dg, dr = b - shade * key[0], g - shade * key[1], r - shade * key[2]
            off = np.sqrt(db * db + dg * dg + dr * dr) / (max(shade, np.float32(0.25)) * length)
            out[j, i] = 255 if off > limit or shade < low or shade > high else 0
    return out


def border(picture: Picture) -> NDArray[np.float32]:
    """Pixels (N, 3) of the left, right and top edges, where no one dances."""
    h, w, _ = picture.shape
    x, y = max(2, w // 16), max(2, h // 16)
    edges = (picture[:, :x], picture[:, -x:], picture[:y, x:-x])
    return np.concatenate([e[::2, ::2].reshape(-1, 3) for e in edges]).astype(np.float32)


def find_key(looks: Sequence[Picture], wish: str, where: Path) -> Key:
    """The colour to take out: `wish` is border, blue, green or #rrggbb. UserError where it is not at the border."""
    raised = [Key((1, 1, 1)).raised(p) for p in looks]
    edges = np.concatenate([border(p) for p in raised])
    if match := re.fullmatch(r"#?([0-9a-fA-F]{6})", wish):
        red, green, blue = (int(match[1][k : k + 2], 16) for k in (0, 2, 4))
        rough = np.array([blue, green, red], np.float32)
    elif wish in NAMED_KEYS:
        rough = np.array(NAMED_KEYS[wish], np.float32)
    elif wish == "border":  # the commonest colour there, in cubes of an eighth of the range
        cube = (edges // 32).astype(np.int64) @ np.array([64, 8, 1])
        rough = np.median(edges[cube == np.bincount(cube).argmax()], axis=0)
    else:
        raise UserError(f"key {wish!r}: must be border, blue, green or a colour such as #1e60c8")
    if not rough.any():
        raise UserError(f"{where}: black, at its border or as --key, is no colour to take out; another --key, --crop "
                        "or --method?")  # fmt: skip
    # What has about its hue, whatever its brightness.
    shade = edges @ rough / float(rough @ rough)
    off = np.linalg.norm(edges - shade[:, None] * rough, axis=1) / (np.maximum(shade, 0.05) * np.linalg.norm(rough))
    alike = (off < (0.75 if wish in NAMED_KEYS else 0.4)) & (shade > 0.15)
    if alike.mean() < 0.15:
        raise UserError(f"{where}: hardly any {wish} at its border; is it the colour of the screen? (--key)")
    colour = np.median(edges[alike], axis=0)
    return Key((float(colour[0]), float(colour[1]), float(colour[2])))


LEAST_CONTRAST = 0.3  # of the screen's brightness between it and a shadow


@dataclass(frozen=True)
class Shadow:
    """A dark figure on a bright screen, which may be lit unevenly and need not fill the picture."""

    def _parts(self, picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Brightness relative to that of the screen there, 200 where it is as bright, and where the screen is."""
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        small = cv2.resize(grey, _COARSE, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        top = float(np.percentile(small, 90))
        lit, light = small > 0.5 * top, np.full(small.size, max(top, 1.0))
        for _ in range(3):  # fit a curved surface to the bright pixels, without the figure and dark surroundings
            if lit.sum() < 50:
                break
            terms = _TERMS[lit]
            light = np.maximum(_TERMS @ np.linalg.solve(terms.T @ terms, terms.T @ small[lit]), 1.0)
            lit = small > 0.8 * light
        field = cv2.resize(light.reshape(_COARSE[::-1]).astype(np.float32), grey.shape[::-1])
        even = np.asarray(cv2.divide(grey, field, scale=200, dtype=cv2.CV_8U), np.uint8)
        return even, _hull(even)

    def mask(self, picture: Picture) -> Mask:
        return self._dark(*self._parts(picture))

    def _dark(self, even: NDArray[np.uint8], screen: NDArray[np.uint8]) -> Mask:
        inside = even[screen > 0]
        if len(inside) < 100:
            return np.zeros(even.shape, np.uint8)
        limit, _ = cv2.threshold(inside, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        count = np.bincount(inside, minlength=256)
        dark, bright = _middle(count[: int(limit) + 1]), int(limit) + 1 + _middle(count[int(limit) + 1 :])
        if bright - dark < 200 * LEAST_CONTRAST:
            return np.zeros(even.shape, np.uint8)
        # The edge is where a soft edge is half as dark.
        return np.where((even < (dark + bright) / 2) & (screen > 0), np.uint8(255), np.uint8(0)).astype(np.uint8)

    def steps(self, picture: Picture) -> list[Step]:
        even, screen = self._parts(picture)
        return [("picture", picture), ("even_light", even), ("screen", screen), ("mask", self._dark(even, screen))]


_COARSE = (64, 36)

_X, _Y = np.meshgrid(np.linspace(-1, 1, _COARSE[0]), np.linspace(-1, 1, _COARSE[1]))

_TERMS = np.stack([np.ones_like(_X), _X, _Y, _X * _X, _X * _Y, _Y * _Y], axis=-1).reshape(-1, 6)


def _middle(count: NDArray[np.int64]) -> int:
    """The median of a histogram."""
    return int(np.searchsorted(np.cumsum(count), count.sum() / 2))


def _hull(even: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The screen: the convex hull of the largest bright part."""
    small = cv2.resize(even, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    out = np.zeros(even.shape, np.uint8)
    outlines, _ = cv2.findContours((small > 140).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if outlines:
        h, w = small.shape
        scale = ((even.shape[1] - 1) / max(w - 1, 1), (even.shape[0] - 1) / max(h - 1, 1))
        hull = cv2.convexHull(max(outlines, key=cv2.contourArea)).reshape(-1, 2) * scale
        cv2.fillConvexPoly(out, np.round(hull).astype(np.int32), 255)
    return out
